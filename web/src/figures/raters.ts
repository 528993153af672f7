/** Figure 1 of a page about single answers: every rater as a forest plot. */
import * as Plot from "@observablehq/plot";
import { known } from "../data";
import { kNone, measure, number, percent, signed, words } from "../format";
import type { Rater, RaterKind, Results } from "../items/data";
import { figure, kSigns, legend } from "./figure";
import { drawRows, type Placed } from "./rows";

type Row = Placed<Rater>;

const three = (value: number) => number(value, 3);

function look(kind: RaterKind): "human" | "model" | "baseline" {
  if (kind === "human" || kind === "consensus" || kind === "annotator") return "human";
  return kind === "baseline" ? "baseline" : "model";
}

export function ratersFigure(results: Results): HTMLElement {
  const human = results.rows.find((row) => row.kind === "human");
  return figure({
    id: "figure-raters",
    title: "Figure 1. People and models on the same items",
    caption:
      `${words(results.metric)} with ${percent(results.level)} interval. The dashed line is the expected score of one annotator. ` +
      "What decides is the paired difference, human − rater, which fills the circle where it excludes zero.",
    legend: legend([
      [kSigns.diamond, "solid human", "human: one annotator, on average"],
      [kSigns.diamond, "hollow human", "consensus, single annotators"],
      [kSigns.circle, "solid model", "model, differs from the human"],
      [kSigns.circle, "hollow model", "model, does not"],
      [kSigns.square, "hollow baseline", "trivial answer"],
    ]),
    draw: (width) =>
      drawRows<Rater>(
        {
          description: describe(results),
          groups: groups(results.rows),
          label: (row) => row.name,
          strong: (row) => row.kind === "human",
          columns: [
            { head: "Score", width: 156, text: (row) => measure(row.score, row.ci, three) },
            { head: "Human − rater", width: 176, text: difference },
            { head: "Verdict", width: 120, text: (row) => row.verdict ?? "" },
          ],
          note: (row) => `${measure(row.score, null, three)} · ${row.verdict ?? row.kind}`,
          x: { domain: domain(results.rows), nice: true },
          ticks: { ticks: 6, label: `${words(results.metric)} →` },
          marks: (rows, extent) => marks(rows, extent, human),
        },
        width,
      ),
  });
}

function difference(row: Rater): string {
  return row.kind === "human" ? "" : measure(row.gap, row.gap_ci, (x) => signed(x, 3));
}

function groups(rows: Rater[]): Map<string, Rater[]> {
  const of = (kind: string) => rows.filter((row) => look(row.kind) === kind);
  const all: [string, Rater[]][] = [
    ["People", of("human")],
    ["Models", of("model")],
    ["Trivial answers", of("baseline")],
  ];
  return new Map(all.filter(([, members]) => members.length > 0));
}

function domain(rows: Rater[]): [number, number] {
  const values = rows.flatMap((row) => [known(row.score) ?? [], known(row.ci) ?? []].flat());
  return [Math.min(...values, 1), Math.max(...values, 0)];
}

/** Whether the paired difference from the human excludes zero. */
function differs(row: Rater): boolean {
  const ci = known(row.gap_ci);
  return ci !== undefined && (ci[0] > 0 || ci[1] < 0);
}

function marks(rows: Row[], [y1, y2]: [number, number], human?: Rater): Plot.Markish[] {
  const scored = rows.filter(({ row }) => known(row.score) !== undefined);
  const color = ({ row }: Row) => `var(--${look(row.kind)})`;
  const solid = ({ row }: Row) =>
    row.kind === "human" || (look(row.kind) === "model" && differs(row));
  const symbols = { human: "diamond", model: "circle", baseline: "square" } as const;
  return [
    Plot.ruleX(human && known(human.score) !== undefined ? [human] : [], {
      x: (row: Rater) => known(row.score),
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
      symbol: ({ row }: Row) => symbols[look(row.kind)],
      stroke: color,
      strokeWidth: 1.75,
      fill: (placed: Row) => (solid(placed) ? color(placed) : "var(--paper)"),
      title: ({ row }: Row) => `${row.name}: ${measure(row.score, row.ci, three)}`,
      className: "score",
    }),
    Plot.text(
      rows.filter(({ row }) => known(row.score) === undefined),
      {
        y: "y",
        frameAnchor: "left",
        textAnchor: "start",
        text: ({ row }: Row) => `${kNone} ${row.score_reason ?? ""}`,
        fill: "var(--quiet)",
        stroke: "var(--paper)",
        strokeWidth: 5,
      },
    ),
  ];
}

function describe({ rows, metric }: Results): string {
  const scores = rows.flatMap((row) => {
    const score = known(row.score);
    return score === undefined ? [] : [`${row.name} ${three(score)}`];
  });
  return `Forest plot of ${words(metric)}: ${scores.join(", ")}. Table 1 holds the same figures.`;
}
