/** Tables of a mismatch report: ceilings, points, stopping rules. */
import { known, type Interval, type Maybe } from "../data";
import { breakable, h } from "../dom";
import { kNone, interval, number, percent, signed, sized } from "../format";
import { measureCell, table, type Column } from "../table";
import { peakSpan } from "./curves";
import type { Curve, Point, Rule, Run, Stopping, Trajectory } from "./data";

interface CeilingRow {
  run: string;
  kind: string;
  curve: Curve;
}

type Format = (value: number) => string;

const two: Format = (value) => number(value, 2);
const plus: Format = (value) => signed(value, 2);

function bounded(ci: Curve["slope_end_ci"]): Interval | undefined {
  return ci && ci[0] !== null && ci[1] !== null ? [ci[0], ci[1]] : undefined;
}

function ceilingCell({ curve }: CeilingRow): Node | string {
  const star = known(curve.d_star);
  if (star !== undefined) return measureCell(star, peakSpan(curve), undefined, sized([star]));
  if (curve.reason) return h("span", { class: "absent" }, curve.reason);
  return h("span", { class: "absent" }, `none below ${sized([curve.d_max])(curve.d_max ?? 0)}`);
}

function verdictCell({ curve: { verdict, note } }: CeilingRow): Node | string {
  return note ? h("span", {}, verdict, h("br"), h("small", {}, ...breakable(note))) : verdict;
}

export function ceilingsTable(runs: Run[], level: number): HTMLElement {
  const rows = runs.flatMap((run) =>
    run.trajectories.flatMap((trajectory) =>
      trajectory.curves.map((curve) => ({ run: run.name, kind: trajectory.kind, curve })),
    ),
  );
  return table<CeilingRow>({
    id: "table-ceilings",
    title: "Curves and ceilings",
    caption:
      `Both forms of Gao et al. (2023): bon R = d (a − b d), rl R = d (a − b log d), in the reward’s own unit. Intervals are ${percent(level)}, over prompts. ` +
      "A ceiling is detected where the whole interval of d* lies below the largest d, of eight prompts or more.",
    rows,
    wide: true,
    columns: [
      { head: "Run", key: (row) => row.run, cell: (row) => h("span", {}, ...breakable(row.run)) },
      { head: "Kind", key: (row) => row.kind, cell: (row) => row.kind },
      { head: "Curve", key: (row) => row.curve.name, cell: (row) => row.curve.name },
      { head: "Form", key: (row) => row.curve.form, cell: (row) => row.curve.form ?? kNone },
      {
        head: "d*",
        hint: "where the curve is highest",
        numeric: true,
        key: (row) => known(row.curve.d_star),
        cell: ceilingCell,
      },
      {
        head: "R*",
        hint: "the gain there",
        numeric: true,
        key: (row) => known(row.curve.r_star),
        cell: ({ curve }) => measureCell(curve.r_star, curve.r_star_ci, undefined, sized([known(curve.r_star)])),
      },
      {
        head: "Slope at the end",
        numeric: true,
        key: (row) => row.curve.slope_end,
        cell: ({ curve }) =>
          measureCell(curve.slope_end, bounded(curve.slope_end_ci), undefined, sized([curve.slope_end], signed)),
      },
      { head: "Verdict", key: (row) => row.curve.verdict, cell: verdictCell },
    ],
  });
}

type Figures = "proxy" | "gold" | "gap" | "regressional" | "length" | "rest" | "accuracy";

function estimate(head: string, name: Figures, hint?: string, format: Format = plus): Column<Point> {
  const ci = (point: Point): Maybe<Interval> => point[`${name}_ci`];
  return {
    head,
    ...(hint ? { hint } : {}),
    numeric: true,
    key: (point) => known(point[name]),
    cell: (point) => measureCell(point[name], ci(point), undefined, format),
  };
}

export function pointsTable(run: Run, trajectory: Trajectory, at: string): HTMLElement {
  const isRun = trajectory.kind === "run";
  const own = (name: "proxy" | "gold" | "d", format?: typeof signed): Format =>
    sized(trajectory.points.map((point) => known(point[name])), format);
  return table<Point>({
    id: `table-points-${at}`,
    title: `${run.name}, ${trajectory.kind}: every point`,
    caption:
      "Gains of proxy and gold in their own units; the gap and its parts in deviations of the start. " +
      (isRun
        ? "The distance is the root of the mean KL."
        : "The distance of the best of n is the root of log n − (n − 1) / n, an upper bound where rewards are tied."),
    rows: trajectory.points,
    wide: true,
    columns: [
      {
        head: isRun ? "Step" : "n",
        numeric: true,
        key: (point) => point.step ?? point.n,
        cell: (point) => `${point.step ?? point.n ?? kNone}`,
      },
      {
        head: "d",
        numeric: true,
        key: (point) => known(point.d),
        cell: (point) => measureCell(point.d, undefined, undefined, own("d")),
      },
      { head: "KL is", key: (point) => point.kl_is, cell: (point) => point.kl_is },
      estimate("Proxy", "proxy", undefined, own("proxy", signed)),
      estimate("Gold", "gold", undefined, own("gold", signed)),
      estimate("Gap", "gap", "the proxy’s gain less the gold’s"),
      estimate("Regressional", "regressional", "what the correlation at the start predicts lost"),
      estimate("Length", "length", "what lines through the start say of the change of length"),
      estimate("Rest", "rest", "extremal, causal and adversarial"),
      ...(isRun
        ? [estimate("Pairs right", "accuracy", "pairs of a prompt that the proxy orders as gold does", two)]
        : []),
    ],
  });
}

export function rulesTable(run: Run, stopping: Stopping, at: number, level: number): HTMLElement {
  const stopped =
    stopping.stopped_at === null || stopping.stopped_at === undefined
      ? "The stopping rule does not stop the run."
      : `The stopping rule stops the run at step ${stopping.stopped_at}.`;
  const rules = stopping.rules ?? [];
  const own = (format?: typeof signed) => sized(rules.map(({ gold }) => gold), format);
  return table<Rule>({
    id: `table-rules-${at}`,
    title: `${run.name}: which checkpoint to keep`,
    caption:
      `${stopped} Each rule chooses on ${stopping.prompts_choosing ?? 0} prompts and is reported on ` +
      `${stopping.prompts_reporting ?? 0} others. Regret is the highest gold that any checkpoint has there less that of the rule’s; ` +
      "noise makes the highest too high, alike for all.",
    rows: rules,
    columns: [
      { head: "Rule", key: (rule) => rule.name, cell: (rule) => rule.name },
      {
        head: "Keeps step",
        numeric: true,
        key: (rule) => rule.step,
        cell: (rule) => `${rule.step}`,
      },
      { head: "d", numeric: true, key: (rule) => rule.d, cell: (rule) => sized(rules.map(({ d }) => d))(rule.d) },
      {
        head: `Held-out gold, ${percent(level)}`,
        numeric: true,
        key: (rule) => rule.gold,
        cell: (rule) => measureCell(rule.gold, rule.gold_ci, undefined, own(signed)),
      },
      { head: "Regret", numeric: true, key: (rule) => rule.regret, cell: (rule) => own()(rule.regret) },
    ],
  });
}

/** "0.81 [0.79, 0.82]" of the start, for a sentence; nothing where it is not known. */
export function said(value: Maybe<number>, ci: Maybe<Interval>, digits: number): string | undefined {
  const point = known(value);
  if (point === undefined) return undefined;
  const bounds = known(ci);
  return `${number(point, digits)}${bounds ? ` ${interval(bounds, (x) => number(x, digits))}` : ""}`;
}
