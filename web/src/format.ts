/** Numbers and names as the reader sees them. */
import { known, why, type Interval, type Maybe, type Subset } from "./data";

export const kNone = "–";

const kMostDigits = 6;
/** What is smaller is what rounding leaves of zero. */
const kNothing = 1e-12;

/** How many digits after the point show values of this size: two, none from 100 on, three figures of what is small. */
export function digits(size: number): number {
  const of = Math.abs(size);
  if (!(of > kNothing && of < 0.05)) return of >= 100 ? 0 : 2;
  return 2 - Math.floor(Math.log10(of));
}

/** With as many digits as the largest of its kind needs. */
export function sized(values: (number | null | undefined)[], format = number): (value: number) => string {
  const needed = digits(Math.max(0, ...values.map((value) => Math.abs(value ?? 0))));
  return (value) => format(value, needed);
}

/** "(empty)" of a text in which there is nothing to be seen. */
export function visible(text: string): string {
  return text.trim() === "" ? "(empty)" : text;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** As a reader counts them: an emoji is one. */
export const letters = (text: string): string[] => [...segmenter.segment(text)].map(({ segment }) => segment);

/** The first letters as a reader counts them, an emoji as one, with "…" where more would follow. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  let count = 0;
  for (const { index } of segmenter.segment(text)) {
    if (count++ === most) return `${text.slice(0, index)}…`;
  }
  return text;
}

export function number(value: number, digits = 1): string {
  const size = Math.abs(value);
  const power = digits > kMostDigits && size > 0;
  const text = power ? size.toExponential(2).replace("-", "−") : size.toFixed(Math.min(digits, kMostDigits));
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

export function signed(value: number, digits = 1): string {
  const text = number(value, digits);
  return text.startsWith("−") || Number(text) === 0 ? text : `+${text}`;
}

export function interval([low, high]: Interval, format = (x: number) => number(x)): string {
  return `[${format(low)}, ${format(high)}]`;
}

export function span([low, high]: Interval): string {
  return low === high ? `${low}` : `${low}–${high}`;
}

/** "80.1 [72.1, 86.9]", or a dash. */
export function measure(
  value: Maybe<number>,
  ci?: Maybe<Interval>,
  format = (x: number) => number(x),
): string {
  const point = known(value);
  if (point === undefined) return kNone;
  const bounds = known(ci);
  return bounds ? `${format(point)} ${interval(bounds, format)}` : format(point);
}

/** Empty where there is a value. */
export function instead(value: Maybe<number>, row?: { reason?: string }): string {
  return known(value) === undefined ? absent(value, row) : "";
}

/** A dash, with the reason where one is known. */
export function absent(value: unknown, row?: { reason?: string }): string {
  const reason = why(value, row);
  return reason ? `${kNone} ${reason}` : kNone;
}

export function percent(level: number): string {
  return `${Number((100 * level).toPrecision(4))}%`;
}

/** "1 subset", "4 subsets". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** The model's name without its owner. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** The task without the benchmark's prefix and the type's suffix, with its language if it has several. */
export function subsetName({ task, subset, language }: Subset): string {
  const bare = task.replace(/^HUME/, "");
  const cut = bare.search(/(Instruction)?(Classification|Clustering|Reranking)/);
  const name = cut > 0 ? bare.slice(0, cut) : bare;
  return subset === "default" ? name : `${name} ${language}`;
}

const kProper = ["AC1", "ARI", "AMI", "MAP", "Cohen", "Fleiss", "Gwet", "Krippendorff", "Spearman"];

/** "Fleiss kappa" of "fleiss_kappa". */
export function words(id: string): string {
  const proper = (word: string) => kProper.find((name) => name.toLowerCase() === word) ?? word;
  const text = id.split(/[_ ]/).map(proper).join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
