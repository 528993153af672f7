/** The data of `plumb report full`: the links, and all that was measured beside them. */
import type { Interval, Maybe } from "../data";
import type { LinksReport, LinkVerdict, SwapStage } from "../links/data";

export interface RunSwap {
  run: string;
  swap: SwapStage[];
  swap_at?: { prompts: number; proxy_gain: number; step: number; n: number };
  swap_reason?: string;
  swap_notes: string[];
}

export interface Correlation {
  metric: string;
  target: string;
  /** Less of it is better: turned round. */
  turned: boolean;
  n: number;
  spearman: number | null;
  spearman_ci: Interval | null;
  pearson: number | null;
  pearson_ci: Interval | null;
  adjusted_p: number;
  verdict: LinkVerdict;
  detectable: number;
  reason?: string;
}

export interface RewardModel {
  reward_model: string;
  gold: number;
  gold_ci: Interval | null;
  configuration: { layers: number; data: number; noise: number; seed: number };
  attack?: { of: string };
  base_accuracy?: number;
  people_accuracy?: number;
  best_accuracy?: number;
  shifted_accuracy?: number;
}

export interface Population {
  models: number;
  base_gold: number;
  base_gold_ci: Interval | null;
  correlations: Correlation[];
  reward_models: RewardModel[];
  attacks: RewardModel[];
}

export interface Remedy {
  remedy: string;
  reason?: string;
  baseline?: string;
  step?: number;
  tokens?: number;
  kl?: number;
  gold?: number;
  gold_ci?: Interval | null;
  group?: number;
  difference?: number | null;
  difference_ci?: Interval | null;
  adjusted_p?: number | null;
  words?: string;
  end_gold?: number;
}

export interface Remedies {
  budget_tokens: number;
  prompts: number;
  remedies: Remedy[];
}

export interface Round {
  round: number;
  chosen_by: string;
  questions: number;
  answers: number;
  as_gold: number | null;
  prequential: {
    accuracy?: number;
    accuracy_ci?: Interval;
    log_loss?: number | null;
    reason?: string;
  };
  trained_on: number;
  policy: { kl: number; proxy: number; gold?: number | null; gold_ci?: Interval | null };
}

export interface FullReport {
  schema: "plumb.full-report/1";
  title: string;
  version: string;
  command: string;
  links: LinksReport;
  swaps: RunSwap[];
  population: Population;
  remedies: Remedies;
  rounds: { rounds: Round[] };
  notes: { population: string[]; remedies: string[]; rounds: string[] };
}

/** A number with its interval, where both are known. */
export function bounded(value: Maybe<number>, ci: Maybe<Interval>): value is number {
  return typeof value === "number" && Array.isArray(ci);
}
