/** The data of a page about single answers: plumb.item-gap/1 and the items that stand in a list. */
import type { Interval, Maybe, Verdict } from "../data";

export type RaterKind =
  | "human"
  | "consensus"
  | "annotator"
  | "model"
  | "llm"
  | "reward model"
  | "baseline"
  | "simulated"
  | "adjudicated";

export interface Rater {
  name: string;
  kind: RaterKind;
  sheets: number;
  n: number;
  refused?: number;
  score: Maybe<number>;
  score_reason?: string;
  ci: Maybe<Interval>;
  spread?: Maybe<number>;
  chance: Maybe<number>;
  normalised: Maybe<number>;
  /** The human minus this row. */
  gap?: Maybe<number>;
  gap_ci?: Maybe<Interval>;
  detectable?: Maybe<number>;
  verdict?: Verdict;
}

export interface Confusion {
  rater: string;
  labels: string[];
  /** [gold][answer] */
  counts: number[][];
}

/** People and models on the items of one task. */
export interface RatersOf {
  task: string;
  items: string;
  kind: string;
  metric: string;
  level: number;
  /** Of the intervals of differences. */
  gap_level?: number;
  resamples: number;
  seed: number;
  human: string;
  human_ceiling: Maybe<number>;
  noise_ceiling: Maybe<number>;
  agreement: { metric: string; value: number; ci: Maybe<Interval> } | null;
  rows: Rater[];
  calibration: { name: string; bias: number; slope: number | null; mse: number }[];
  warnings: string[];
}

export interface Results extends RatersOf {
  diagnostics: {
    good_models: string[];
    disagreements: string[];
    likely_gold_errors: { item: string; says: unknown }[];
    people_ahead: string[];
    models_ahead: string[];
    confusions: Confusion[];
  };
}

export interface Item {
  item: string;
  texts: string[];
  gold: unknown;
  answers: Record<string, unknown>;
  disagreement: Maybe<number>;
  people: Maybe<number>;
  models: Maybe<number>;
  against_gold?: unknown;
}

export interface ItemsReport {
  schema: "plumb.items-report/1";
  title: string;
  version: string;
  command: string;
  inputs: { name: string; sha256: string }[];
  results: Results;
  items: Item[];
}
