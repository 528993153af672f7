/**
 * The report's data, as `plumb report` writes it into the page. Scores are on 0-100.
 * What is undefined is null, missing, or { reason } with the reason in words.
 */

import type { FullReport } from "./full/data";
import type { ItemsReport } from "./items/data";
import type { LinksReport } from "./links/data";
import type { MismatchReport } from "./mismatch/data";

export type AnyReport = Report | ItemsReport | MismatchReport | LinksReport | FullReport;

export interface Undefined {
  reason: string;
}
export type Maybe<T> = T | Undefined | null | undefined;
export type Interval = [number, number];

export type Kind = "human" | "model" | "baseline" | "simulated" | "adjudicated";
export type Verdict =
  "human ahead" | "model ahead" | "not separable" | "not interpretable" | "no verdict";
/** In the order in which they are counted. */
export const kVerdicts: Verdict[] = [
  "model ahead",
  "human ahead",
  "not separable",
  "not interpretable",
  "no verdict",
];

export interface LeaderboardRow {
  name: string;
  revision?: string | null;
  kind: Kind;
  score: Maybe<number>;
  ci?: Maybe<Interval>;
  rank?: Maybe<number>;
  rank_ci?: Maybe<Interval>;
  tie_group?: Maybe<number>;
  coverage?: Maybe<[number, number]>;
  partial?: boolean;
  /** This row minus the human. */
  difference?: Maybe<{ value: number; ci?: Maybe<Interval> }>;
  reason?: string;
}

export interface Leaderboard {
  aggregate_title: string;
  human: string;
  resampling: string;
  level: number;
  ranked: number;
  rows: LeaderboardRow[];
}

export interface Agreement {
  metric: string;
  value: Maybe<number>;
  ci?: Maybe<Interval>;
  reason?: string;
}

export interface Subset {
  task: string;
  type: string;
  subset: string;
  language: string;
  n: Maybe<number>;
  metric: string;
  human: Maybe<number>;
  human_ci?: Maybe<Interval>;
  annotators?: number[] | null;
  agreement?: Maybe<Agreement>;
  model: Maybe<number>;
  model_name?: string | null;
  model_ci?: Maybe<Interval>;
  /** The human minus the model. */
  difference: Maybe<number>;
  ci?: Maybe<Interval>;
  detectable?: Maybe<number>;
  verdict: Verdict;
  warnings?: string[] | null;
  chance?: Maybe<number>;
  trivial?: Maybe<{ name: string; score: number }>;
  models?: { name: string; score: Maybe<number> }[] | null;
  reason?: string;
}

export interface Gap {
  against: string;
  level: number;
  note?: string | null;
  subsets: Subset[];
}

export interface View {
  group: string;
  view: string;
  human: Maybe<number>;
  best: Maybe<number>;
  best_name?: string | null;
  human_rank: Maybe<number>;
  rank_ci?: Maybe<Interval>;
  of: number;
  subsets?: Maybe<number>;
  trivial?: Maybe<number>;
  trivial_name?: string | null;
  reason?: string;
}

export interface Finding {
  id: string;
  title: string;
  holds: boolean;
  evidence: string;
}

export interface Report {
  schema: "plumb.gap-report/1";
  title: string;
  version: string;
  command: string;
  inputs: { name: string; sha256: string; origin?: string | null; licence?: string | null }[];
  leaderboard: Leaderboard;
  gap: Gap;
  audit: { rows: View[]; findings: Finding[] };
}

/** The value, if there is one. */
export function known<T>(value: Maybe<T>): T | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === "object" && "reason" in value && !("value" in value)
    ? undefined
    : (value as T);
}

/** Why there is no value: its own reason, or the row's. */
export function why(value: unknown, row?: { reason?: string }): string | undefined {
  const own =
    typeof value === "object" && value !== null ? (value as Partial<Undefined>).reason : undefined;
  return own ?? row?.reason;
}

/** Reads the page's data; throws an Error with a message for the reader. */
export function readReport(): AnyReport {
  const text = document.getElementById("plumb-data")?.textContent ?? "";
  let report: AnyReport;
  try {
    report = JSON.parse(text) as AnyReport;
  } catch {
    throw new Error("This page is an empty template: no data was written into it.");
  }
  switch (report.schema) {
    case "plumb.gap-report/1":
    case "plumb.items-report/1":
    case "plumb.mismatch-report/1":
    case "plumb.links-report/1":
    case "plumb.full-report/1":
      return report;
  }
  throw new Error(`This page cannot show data of the kind "${(report as Report).schema}".`);
}
