/** A population of reward models: which metric foretells the gold of what each chooses. */
import * as Plot from "@observablehq/plot";
import { drawChart } from "../figures/chart";
import { figure, kSigns, legend, type Sign } from "../figures/figure";
import { interval, number, signed } from "../format";
import { lookOf } from "../links/data";
import { verdictTag } from "../links/tables";
import { measureCell, table } from "../table";
import type { Correlation, Population, RewardModel } from "./data";
import { forest } from "./forest";

const kVerdicts: Sign[] = ["aligned", "decoupled", "inverted", "insufficient evidence"].map((verdict) => [
  kSigns.circle,
  `solid ${lookOf(verdict as Correlation["verdict"])}`,
  verdict,
]);

export function words({ metric, turned }: Pick<Correlation, "metric" | "turned">): string {
  const [distribution, ...rest] = metric.split("_");
  const name = rest.join(" ").replace("ece", "ECE").replace("brier", "Brier");
  return `${distribution}: ${name}${turned ? " (less is better)" : ""}`;
}

function correlationFigure(rows: Correlation[]): HTMLElement {
  const drawn = rows.flatMap((row) =>
    row.spearman === null
      ? []
      : [{ name: words({ ...row, turned: false }), value: row.spearman, ci: row.spearman_ci, look: lookOf(row.verdict) }],
  );
  return forest({
    id: "figure-correlations",
    title: "Which metric foretells the gold",
    caption:
      `Spearman’s correlation over ${rows[0]?.n ?? 0} reward models of each metric, on four distributions of pairs, with the gold of the policy that the model ` +
      "chooses; metrics of which less is better are turned round. A colour needs a corrected p-value too.",
    legend: legend(kVerdicts),
    rows: drawn,
    x: "correlation with the gold →",
    at: 0,
    range: [-1, 1],
  });
}

interface Point {
  x: number;
  y: number;
  low: number;
  high: number;
  facet: string;
  look: string;
  title: string;
}

const kLooks = ["baseline", "model", "human"];

function points(models: RewardModel[]): Point[] {
  const sizes = [...new Set(models.map(({ configuration }) => configuration.layers))].sort((a, b) => a - b);
  const facets: [string, keyof RewardModel][] = [
    ["held-out votes of people", "people_accuracy"],
    ["what it would choose itself", "best_accuracy"],
  ];
  return facets.flatMap(([facet, metric]) =>
    models.flatMap((model): Point[] => {
      const x = model[metric];
      if (typeof x !== "number") return [];
      const [low, high] = model.gold_ci ?? [model.gold, model.gold];
      const look = kLooks[sizes.indexOf(model.configuration.layers) % kLooks.length] as string;
      const title = `${model.reward_model}: ${number(100 * x)} % right, gold ${number(model.gold, 2)} ${interval([low, high], (y) => number(y, 2))}`;
      return [{ x, y: model.gold, low, high, facet, look, title }];
    }),
  );
}

function scatterFigure({ reward_models: models, base_gold: base }: Population): HTMLElement {
  const sizes = [...new Set(models.map(({ configuration }) => configuration.layers))].sort((a, b) => a - b);
  return figure({
    id: "figure-population",
    title: "Accuracy and the gold of what is chosen",
    caption:
      "A mark a reward model: how often it orders pairs right, on votes of people about held-out prompts and among the completions that it ranks highest itself, " +
      "and the gold of the best of n by it. The line is what plain sampling earns.",
    legend: legend(
      sizes.map((layers, at): Sign => [kSigns.circle, `solid ${kLooks[at % kLooks.length]}`, `${layers} layer${layers === 1 ? "" : "s"}`]),
    ),
    draw: (width) => drawScatter(points(models), base, width),
  });
}

function drawScatter(all: Point[], base: number, width: number): SVGSVGElement {
  const narrow = width < 640;
  const color = (point: Point) => `var(--${point.look})`;
  const facet = narrow ? { fy: "facet" } : { fx: "facet" };
  return drawChart({
    width,
    height: narrow ? 480 : 340,
    marginLeft: 46,
    marginRight: 12,
    marginBottom: 40,
    marginTop: narrow ? 16 : 34,
    x: { label: "pairs ordered right →", labelAnchor: "center", tickFormat: "%", ticks: 5, nice: true },
    y: { label: "↑ gold", nice: true, ticks: 5 },
    fx: { label: null },
    fy: { label: null, axis: null },
    marks: [
      Plot.gridY({ stroke: "var(--guide)", strokeOpacity: 1, ticks: 5 }),
      Plot.ruleY([base], { stroke: "var(--quiet)", strokeDasharray: "3,3" }),
      Plot.ruleX(all, { ...facet, x: "x", y1: "low", y2: "high", stroke: color, strokeOpacity: 0.45 }),
      Plot.dot(all, { ...facet, x: "x", y: "y", r: 3.5, fill: color, title: "title", className: "points" }),
      ...(narrow
        ? [
            Plot.text(
              [...new Set(all.map((point) => point.facet))].map((name) => ({ facet: name })),
              { fy: "facet", text: "facet", frameAnchor: "top-right", dy: -10, fill: "var(--ink)" },
            ),
          ]
        : []),
    ],
  }, `${all.length} marks: ${all.map(({ facet: of, title }) => `${of}, ${title}`).join("; ")}.`);
}

function correlationTable(rows: Correlation[]): HTMLElement {
  return table<Correlation>({
    id: "table-correlations",
    title: "Metrics and the gold",
    caption: "Intervals over resampled reward models; p-values by permutation, corrected over all metrics (Holm).",
    rows,
    wide: true,
    columns: [
      { head: "Metric", key: words, cell: words },
      { head: "Gold of", key: ({ target }) => target, cell: ({ target }) => target },
      {
        head: "Spearman",
        numeric: true,
        key: ({ spearman }) => spearman ?? undefined,
        cell: (row) => measureCell(row.spearman, row.spearman_ci, row, (x) => signed(x, 2)),
      },
      {
        head: "Pearson",
        numeric: true,
        key: ({ pearson }) => pearson ?? undefined,
        cell: (row) => measureCell(row.pearson, row.pearson_ci, row, (x) => signed(x, 2)),
      },
      { head: "p, corrected", numeric: true, key: (row) => row.adjusted_p, cell: (row) => number(row.adjusted_p, 3) },
      { head: "Verdict", key: ({ verdict }) => verdict, cell: ({ verdict }) => verdictTag(verdict) },
    ],
  });
}

function memberTable({ reward_models, attacks }: Population): HTMLElement {
  const share = (x: number | undefined) => (x === undefined ? "–" : number(100 * x));
  const accuracy = (head: string, key: "base_accuracy" | "people_accuracy" | "best_accuracy" | "shifted_accuracy") => ({
    head,
    numeric: true,
    key: (model: RewardModel) => model[key],
    cell: (model: RewardModel) => share(model[key]),
  });
  return table<RewardModel>({
    id: "table-reward-models",
    title: "The reward models",
    caption: "Accuracies in percent. A model that is ruined keeps its loss on the votes of people; it is no part of the correlations.",
    rows: [...reward_models, ...attacks].sort((a, b) => b.gold - a.gold),
    wide: true,
    columns: [
      { head: "Reward model", key: (model) => model.reward_model, cell: (model) => model.reward_model },
      {
        head: "Gold",
        numeric: true,
        key: (model) => model.gold,
        cell: (model) => measureCell(model.gold, model.gold_ci, undefined, (x) => number(x, 2)),
      },
      accuracy("Base", "base_accuracy"),
      accuracy("People", "people_accuracy"),
      accuracy("Best", "best_accuracy"),
      accuracy("Shifted", "shifted_accuracy"),
    ],
  });
}

export function populationParts(population: Population): Node[] {
  const best = population.correlations.filter(({ target }) => target === "best of n");
  return [
    correlationFigure(best),
    scatterFigure(population),
    correlationTable(population.correlations),
    memberTable(population),
  ];
}
