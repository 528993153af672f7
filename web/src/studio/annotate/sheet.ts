/** What someone has entered for an item: each kind of task has a class of its own in kinds/. */
import type { Answer, Served, Task } from "../api";
import type { Action } from "./keys";

export interface Sheet {
  /** What can be submitted; null while something is missing. */
  readonly answer: Answer | null;
  /** What is missing, in words; "" where nothing is. */
  readonly missing: string;
  /** All that was entered, from which a sheet is made again. */
  readonly draft: Answer;
  readonly actions: readonly Action[];
  /** Whether one choice is all there is, so that it may be submitted at once. */
  readonly single: boolean;
}

export interface KindProps<S extends Sheet> {
  sheet: S;
  served: Served;
  task: Task;
  /** The reference answer, once it may be seen. */
  gold: Answer | null;
  disabled: boolean;
  /** A choice was made that may complete the answer. */
  onchosen: () => void;
  /** Says something to those who do not see the page. */
  say: (words: string) => void;
}

export const text = (item: Record<string, unknown>, field: string): string =>
  typeof item[field] === "string" ? item[field] : "";

export const isNumber = (value: unknown): value is number => typeof value === "number";

/** Whole numbers from the lowest to the highest; six or so even steps where those are too many, too few or none. */
export function levelsOf(scale: readonly [number, number], fewest = 2): number[] {
  const [low, high] = scale;
  const range = high - low;
  if (Number.isInteger(low) && Number.isInteger(high) && range <= 10 && range + 1 >= fewest) {
    return Array.from({ length: range + 1 }, (_, i) => low + i);
  }
  const steps = range > 0 && range % 10 === 0 ? 10 : 5;
  return Array.from({ length: steps + 1 }, (_, i) => Number((low + (i * range) / steps).toPrecision(6)));
}
