/** Figure 1 of a page about single answers: every rater as a forest plot. */
import { known } from "../data";
import { kNone, measure, number, percent, signed, words } from "../format";
import type { Rater, RaterKind, RatersOf } from "../items/data";
import { figure, kSigns, legend, type Figure } from "./figure";
import { extent, forestMarks } from "./forest";
import { drawRows } from "./rows";

const three = (value: number) => number(value, 3);

function look(kind: RaterKind): "human" | "model" | "baseline" {
  const people = ["human", "consensus", "annotator", "adjudicated"];
  if (people.includes(kind)) return "human";
  return kind === "baseline" ? "baseline" : "model";
}

export function ratersFigure(results: RatersOf): HTMLElement {
  return figure(ratersChart(results));
}

export function ratersChart(results: RatersOf): Figure {
  const human = results.rows.find((row) => row.kind === "human");
  return {
    id: "figure-raters",
    title: "Figure 1. People and models on the same items",
    caption:
      `${words(results.metric)} with ${percent(results.level)} interval. The dashed line is the expected score of one annotator. ` +
      "What decides is the paired difference, human − rater, which fills the circle where it excludes zero.",
    legend: legend([
      [kSigns.diamond, "solid human", "human: one annotator, on average"],
      [kSigns.diamond, "hollow human", "consensus, single annotators, adjudicated"],
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
            { head: "Score", text: (row) => measure(row.score, row.ci, three) },
            { head: "Human − rater", text: difference },
            { head: "Verdict", text: (row) => row.verdict ?? "" },
          ],
          note: (row) => `${measure(row.score, null, three)} · ${row.verdict ?? row.kind}`,
          absent: (row) => (known(row.score) === undefined ? `${kNone} ${row.score_reason ?? ""}` : ""),
          x: { domain: extent(results.rows), nice: true },
          ticks: { ticks: 6, label: `${words(results.metric)} →` },
          marks: (rows, height) =>
            forestMarks(rows, height, human, {
              look: (row) => look(row.kind),
              solid: (row) => row.kind === "human" || (look(row.kind) === "model" && differs(row)),
              title: (row) => `${row.name}: ${measure(row.score, row.ci, three)}`,
            }),
        },
        width,
      ),
  };
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

/** Whether the paired difference from the human excludes zero. */
function differs(row: Rater): boolean {
  const ci = known(row.gap_ci);
  return ci !== undefined && (ci[0] > 0 || ci[1] < 0);
}

function describe({ rows, metric }: RatersOf): string {
  const scores = rows.flatMap((row) => {
    const score = known(row.score);
    return score === undefined ? [] : [`${row.name} ${three(score)}`];
  });
  return `Forest plot of ${words(metric)}: ${scores.join(", ")}. Table 1 holds the same figures.`;
}
