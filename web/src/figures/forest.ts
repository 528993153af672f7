/** The marks of a forest plot: a score with its interval a row, and the human's as a dashed line. */
import * as Plot from "@observablehq/plot";
import { known, type Interval, type Maybe } from "../data";
import type { Placed } from "./rows";

type Look = "human" | "model" | "baseline";

const kSymbols: Record<Look, Plot.SymbolType> = {
  human: "diamond",
  model: "circle",
  baseline: "square",
};

interface Scored {
  kind: string;
  score: Maybe<number>;
  ci?: Maybe<Interval>;
}

export interface ForestLook<T> {
  /** Which symbol and colour a row has. */
  look: (row: T) => Look;
  solid: (row: T) => boolean;
  title: (row: T) => string;
}

/** From the lowest to the highest score or bound of an interval; with 0 and 1 where these do not differ. */
export function extent(rows: Scored[]): [number, number] {
  const values = rows.flatMap((row) => [known(row.score) ?? [], known(row.ci) ?? []].flat());
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low < high ? [low, high] : [Math.min(0, low), Math.max(1, high)];
}

export function forestMarks<T extends Scored>(
  rows: Placed<T>[],
  [y1, y2]: [number, number],
  human: T | undefined,
  { look, solid, title }: ForestLook<T>,
): Plot.Markish[] {
  type Row = Placed<T>;
  const scored = rows.filter(({ row }) => known(row.score) !== undefined);
  const color = ({ row }: Row) => `var(--${look(row)})`;
  return [
    Plot.ruleX(human && known(human.score) !== undefined ? [human] : [], {
      x: (row: T) => known(row.score),
      y1,
      y2,
      stroke: "var(--human)",
      strokeDasharray: "3,3",
    }),
    Plot.ruleY(
      scored.filter(({ row }) => known(row.ci)),
      {
        y: "y",
        x1: ({ row }: Row) => known(row.ci)?.[0],
        x2: ({ row }: Row) => known(row.ci)?.[1],
        stroke: color,
        strokeWidth: 1.75,
        className: "interval",
      },
    ),
    Plot.dot(scored, {
      x: ({ row }: Row) => known(row.score),
      y: "y",
      r: ({ row }: Row) => (row.kind === "human" ? 5.5 : 4),
      symbol: ({ row }: Row) => kSymbols[look(row)],
      stroke: color,
      strokeWidth: 1.75,
      fill: (placed: Row) => (solid(placed.row) ? color(placed) : "var(--paper)"),
      title: ({ row }: Row) => title(row),
      className: "score",
    }),
  ];
}
