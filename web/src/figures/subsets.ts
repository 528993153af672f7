/** Figure 2: the human against all models, subset by subset. */
import * as Plot from "@observablehq/plot";
import { known, type Gap, type Subset } from "../data";
import { count, instead, measure, number, percent, shortName, signed, subsetName } from "../format";
import { verdicts } from "../summary";
import { figure, kSigns, legend } from "./figure";
import { drawRows, groupBy, type Placed } from "./rows";

type Row = Placed<Subset>;

export function subsetsFigure(gap: Gap): HTMLElement {
  return figure({
    id: "figure-subsets",
    title: "Figure 2. The human against the models, subset by subset",
    caption:
      `Each small dot is a model. The human’s score has its ${percent(gap.level)} interval, the single annotators are ticks. ` +
      "Right: the human minus the model, with interval, and the verdict. " +
      "† A warning stands for this subset in Table 2.",
    legend: legend([
      [kSigns.diamond, "solid human", "human"],
      [kSigns.tick, "line human", "one annotator"],
      [kSigns.circle, "hollow model", gap.against === "best" ? "best model" : "model compared"],
      [kSigns.small, "faint model", "another model"],
      [kSigns.tick, "dashed baseline", "chance level"],
    ]),
    draw: (width) =>
      drawRows<Subset>(
        {
          description: describe(gap),
          groups: groupBy(gap.subsets, (subset) => subset.type),
          label: (subset) => subsetName(subset) + (subset.warnings?.length ? " †" : ""),
          strong: () => false,
          columns: [
            { head: "Human − model", text: difference },
            { head: "Verdict", text: (subset) => subset.verdict },
          ],
          note: (subset) => `${measure(subset.difference, null, signed)} · ${subset.verdict}`,
          absent: (subset) => instead(subset.human, subset),
          x: { domain: domain(gap.subsets) },
          ticks: { ticks: 6, label: "Score →" },
          marks,
        },
        width,
      ),
  });
}

function difference(subset: Subset): string {
  return measure(subset.difference, subset.ci, signed);
}

/** From 0 to 100 and to whatever is drawn beyond. */
function domain(subsets: Subset[]): [number, number] {
  const drawn = subsets.flatMap(({ models, annotators, human, human_ci, model, chance }) => [
    ...(models ?? []).map(({ score }) => known(score)),
    ...(annotators ?? []),
    ...(known(human_ci) ?? []),
    ...[human, model, chance].map((value) => known<number>(value)),
  ]);
  const values = drawn.filter((value) => value !== undefined);
  return [Math.min(0, ...values), Math.max(100, ...values)];
}

/** One record a model of a row. */
function modelDots(rows: Row[]) {
  return rows.flatMap(({ y, row }) =>
    (row.models ?? []).flatMap(({ name, score }) => {
      const value = known(score);
      return value === undefined ? [] : [{ y, name, score: value, subset: subsetName(row) }];
    }),
  );
}

function marks(rows: Row[]): Plot.Markish[] {
  const dots = modelDots(rows);
  const people = rows.filter(({ row }) => known(row.human) !== undefined);
  const ticks = rows.flatMap(({ y, row }) => (row.annotators ?? []).map((x) => ({ x, y })));
  const upright = (reach: number) => ({
    y1: ({ y }: { y: number }) => y - reach,
    y2: ({ y }: { y: number }) => y + reach,
  });
  return [
    Plot.ruleX(rows, {
      x: ({ row }: Row) => known(row.chance),
      ...upright(8),
      stroke: "var(--baseline)",
      strokeWidth: 1.5,
      strokeDasharray: "2,2",
      title: ({ row }: Row) => `chance: ${measure(row.chance)}`,
      className: "chance",
    }),
    Plot.ruleY(
      people.filter(({ row }) => known(row.human_ci)),
      {
        y: "y",
        x1: ({ row }: Row) => known(row.human_ci)?.[0],
        x2: ({ row }: Row) => known(row.human_ci)?.[1],
        stroke: "var(--human)",
        strokeWidth: 1.75,
        className: "human-interval",
      },
    ),
    Plot.dot(dots, {
      x: "score",
      y: "y",
      r: 2.75,
      fill: "var(--model)",
      fillOpacity: 0.4,
      className: "models",
    }),
    Plot.ruleX(ticks, { x: "x", ...upright(5.5), stroke: "var(--human)", className: "annotators" }),
    Plot.dot(rows, {
      x: ({ row }: Row) => known(row.model),
      y: "y",
      r: 4.25,
      stroke: "var(--model)",
      strokeWidth: 1.75,
      fill: "var(--paper)",
      className: "best-model",
    }),
    Plot.dot(people, {
      x: ({ row }: Row) => known(row.human),
      y: "y",
      r: 5,
      symbol: "diamond",
      fill: "var(--human)",
      stroke: "var(--paper)",
      strokeWidth: 0.75,
      className: "human",
    }),
    Plot.tip(
      dots,
      Plot.pointer({
        x: "score",
        y: "y",
        title: (dot: (typeof dots)[number]) =>
          `${shortName(dot.name)}\n${dot.subset}: ${number(dot.score)}`,
        maxRadius: 14,
        fill: "var(--paper)",
        stroke: "var(--line)",
      }),
    ),
  ];
}

function describe(gap: Gap): string {
  const found = [...verdicts(gap.subsets)].map(([verdict, n]) => `${verdict} on ${n}`);
  return `Dot strips of human and model scores on ${count(gap.subsets.length, "subset")}, grouped by task type: ${found.join(", ")}. Table 2 holds the same figures.`;
}
