/** The data of `plumb report mismatch`: plumb.mismatch-measure/1 with what the page shows beside it. */
import type { Interval, Maybe } from "../data";

export interface CurvePoint {
  d: number;
  mean: number;
  ci: Maybe<Interval>;
  fitted: Maybe<number>;
}

export interface Curve {
  name: "gold" | "proxy";
  form?: "bon" | "rl";
  a?: number;
  b?: number;
  d_star?: Maybe<number>;
  /** A bound may be null: infinite. */
  d_star_ci?: [number | null, number | null];
  r_star?: Maybe<number>;
  r_star_ci?: Maybe<Interval>;
  detected?: boolean;
  d_max?: number;
  slope_end?: number;
  slope_end_ci?: [number | null, number | null];
  verdict: string;
  reason?: string;
  /** Where prompts are few. Of too few nothing is claimed: figures of d* may stand, but none is detected. */
  note?: string;
  points: CurvePoint[];
}

export interface Point {
  step?: number;
  n?: number;
  d: Maybe<number>;
  kl: Maybe<number>;
  kl_is: string;
  tokens?: Maybe<number>;
  ended?: Maybe<number>;
  proxy: Maybe<number>;
  proxy_ci: Maybe<Interval>;
  gold: Maybe<number>;
  gold_ci: Maybe<Interval>;
  gap: Maybe<number>;
  gap_ci: Maybe<Interval>;
  regressional: Maybe<number>;
  regressional_ci: Maybe<Interval>;
  length: Maybe<number>;
  length_ci: Maybe<Interval>;
  rest: Maybe<number>;
  rest_ci: Maybe<Interval>;
  accuracy: Maybe<number>;
  accuracy_ci: Maybe<Interval>;
  accuracy_reason?: string;
  gap_reason?: string;
}

export interface Rule {
  name: string;
  step: number;
  d: number;
  gold: number;
  gold_ci: Maybe<Interval>;
  regret: number;
}

export interface Stopping {
  stopped_at?: number | null;
  prompts_choosing?: number;
  prompts_reporting?: number;
  rules?: Rule[];
  reason?: string;
}

export interface Trajectory {
  kind: "run" | "best of n";
  prompts: number;
  start: {
    step: number;
    samples: number;
    proxy_deviation: number | null;
    gold_deviation: number | null;
    correlation: Maybe<number>;
    correlation_ci: Maybe<Interval>;
    proxy_per_token: Maybe<number>;
    proxy_per_token_ci: Maybe<Interval>;
  };
  curves: Curve[];
  points: Point[];
  stopping?: Stopping;
  warnings: string[];
}

export interface Run {
  name: string;
  file: string;
  sha256: string;
  samples: number;
  prompts: number;
  steps: number;
  missing: string[];
  trajectories: Trajectory[];
}

export interface Meter {
  name: string;
  points: { step: number; value: number; ci: Maybe<Interval> }[];
}

export interface Sample {
  completion: string;
  proxy: Maybe<number>;
  gold: Maybe<number>;
}

export interface Details {
  meters: Meter[];
  examples: {
    stages: { name: string; step: number; note: string }[];
    prompts: { prompt: string; samples: (Sample | null)[] }[];
  };
}

export interface MismatchReport {
  schema: "plumb.mismatch-report/1";
  title: string;
  version: string;
  command: string;
  measure: { level: number; resamples: number; seed: number; runs: Run[] };
  /** One a run. */
  details: Details[];
  notes: string[];
}

/** What a reward is divided by to be counted in deviations of the start; 1 where these are not known. */
export function unit({ start }: Trajectory, name: "gold" | "proxy"): number {
  const both = start.gold_deviation && start.proxy_deviation;
  if (!both) return 1;
  return (name === "gold" ? start.gold_deviation : start.proxy_deviation) ?? 1;
}

/** Whether rewards of all trajectories can be counted in deviations of the start. */
export function inDeviations(run: Run): boolean {
  return run.trajectories.every(
    ({ start }) => Boolean(start.gold_deviation) && Boolean(start.proxy_deviation),
  );
}
