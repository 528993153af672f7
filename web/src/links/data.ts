/** The data of `plumb report links`: plumb.links/1 with what the page shows beside it. */
import type { Interval, Maybe } from "../data";
import type { Details } from "../mismatch/data";

export type LinkName = "A" | "B" | "C";
export type LinkVerdict = "aligned" | "decoupled" | "inverted" | "insufficient evidence";

export interface LinkRow {
  link: LinkName;
  run: string | null;
  measure: string;
  estimate: number | null;
  ci: Interval | null;
  verdict: LinkVerdict | null;
  detectable: number | null;
  n: number;
  of: string;
  headline: boolean;
  null?: number;
  resolution?: number;
  adjusted_p?: number | null;
  reason?: string;
  note?: string;
}

export interface LinkRun {
  name: string;
  file: string;
  sha256: string;
  samples: number;
  prompts: number;
  steps: number;
  seeds: number;
  missing: string[];
  warnings: string[];
  verdicts: Record<LinkName, LinkVerdict> | null;
}

export interface SwapStage {
  stage: string;
  loss: number | null;
  ci: Interval | null;
  reason?: string;
}

export interface Links {
  level: number;
  resamples: number;
  seed: number;
  inputs: { what: string; file: string; sha256: string }[];
  runs: LinkRun[];
  links: LinkRow[];
  swap: SwapStage[];
  swap_reason?: string;
  swap_at?: { prompts: number; proxy_gain: number; step: number; n: number };
  sentence: string;
}

export interface LinkPoint {
  at: number;
  d: number | null;
  proxy: number | null;
  proxy_ci: Interval | null;
  gold: number | null;
  gold_ci: Interval | null;
  accuracy: number | null;
  accuracy_ci: Interval | null;
  overconfidence: number | null;
  overconfidence_ci: Interval | null;
}

export interface LinkDetails {
  name: string;
  kind: "run" | "best of n";
  /** Deviations of the start, where they are known. */
  proxy_deviation: number | null;
  gold_deviation: number | null;
  points: LinkPoint[];
  ceiling: { d_star: number; ci: [number | null, number | null] } | null;
  evaluations: { name: string; points: { step: number; score: number; ci: Interval | null }[] }[];
  examples: Details["examples"];
}

export interface LinksReport {
  schema: "plumb.links-report/1";
  title: string;
  version: string;
  command: string;
  links: Links;
  /** One a run. */
  details: LinkDetails[];
  notes: string[];
}

export const kLinks: readonly LinkName[] = ["A", "B", "C"];
export const kSides: Record<LinkName, [string, string]> = {
  A: ["Reward model", "Policy"],
  B: ["Reward model", "Evaluation"],
  C: ["Policy", "Evaluation"],
};
export const kQuestions: Record<LinkName, string> = {
  A: "Does what the optimiser takes out of the reward model arrive as gold?",
  B: "Does the reward model know what the evaluations want, and how much of its score is style?",
  C: "Do evaluations move with the reward over the checkpoints?",
};

/** The runs that have verdicts: of pooled seeds the pooled one alone. */
export function judged({ runs }: Links): LinkRun[] {
  return runs.filter(({ verdicts }) => verdicts !== null);
}

/** Of several runs: their own where they agree, "mixed" where they do not. */
export function verdictOf(links: Links, link: LinkName): LinkVerdict | "mixed" {
  const all = new Set(judged(links).map(({ verdicts }) => verdicts?.[link]));
  const [first] = all;
  return all.size === 1 && first ? first : "mixed";
}

/** A class of the style sheet. */
export function lookOf(verdict: LinkVerdict | "mixed" | null): string {
  return verdict === "insufficient evidence" ? "insufficient" : (verdict ?? "");
}

export function finite(value: Maybe<number>): value is number {
  return typeof value === "number";
}
