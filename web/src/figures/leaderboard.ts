/** Figure 1: the leaderboard as a forest plot. */
import * as Plot from "@observablehq/plot";
import { known, type Kind, type Leaderboard, type LeaderboardRow } from "../data";
import { absent, kNone, measure, number, percent, shortName, span } from "../format";
import { separable } from "../summary";
import { figure, kSigns, legend } from "./figure";
import { drawRows, type Placed } from "./rows";

const kSymbols: Record<Kind, Plot.SymbolType> = {
  human: "diamond",
  model: "circle",
  baseline: "square",
};

type Row = Placed<LeaderboardRow>;

export function leaderboardFigure(board: Leaderboard): HTMLElement {
  const human = board.rows.find((row) => row.kind === "human");
  return figure({
    id: "figure-leaderboard",
    title: "Figure 1. The leaderboard, with its uncertainty",
    caption:
      `Score (${board.aggregate_title}) with ${percent(board.level)} interval; rank with the interval of ranks ` +
      "that the data allow. The dashed line is the human’s score. Intervals of single rows may overlap and " +
      "the two still differ: what decides is the paired difference from the human, which fills the circle.",
    legend: legend([
      [kSigns.diamond, "solid human", "human"],
      [kSigns.circle, "solid model", "model, differs from the human"],
      [kSigns.circle, "hollow model", "model, not separable from the human"],
      [kSigns.square, "hollow baseline", "baseline"],
    ]),
    draw: (width) =>
      drawRows<LeaderboardRow>(
        {
          description: describe(board, human),
          groups: groups(board.rows),
          label,
          strong: (row) => row.kind === "human",
          columns: [
            { head: "Score", width: 140, text: (row) => measure(row.score, row.ci) },
            { head: "Rank", width: 84, text: rank },
          ],
          note: (row) => `${measure(row.score)} · rank ${rank(row)}`,
          x: { domain: domain(board.rows), nice: true },
          ticks: { ticks: 6, label: "Score →" },
          marks: (rows, extent) => marks(rows, extent, human),
        },
        width,
      ),
  });
}

function groups(rows: LeaderboardRow[]): Map<string, LeaderboardRow[]> {
  const score = (row: LeaderboardRow) => known(row.score) ?? -Infinity;
  const sorted = [...rows].sort((a, b) => score(b) - score(a));
  const partial = (row: LeaderboardRow) => row.kind !== "baseline" && row.partial === true;
  const all: [string, LeaderboardRow[]][] = [
    ["", sorted.filter((row) => row.kind !== "baseline" && !partial(row))],
    ["Partial coverage, not ranked", sorted.filter(partial)],
    ["Baselines", sorted.filter((row) => row.kind === "baseline")],
  ];
  return new Map(all.filter(([, members]) => members.length > 0));
}

function label(row: LeaderboardRow): string {
  const coverage = known(row.coverage);
  const part = row.partial && coverage ? ` (${coverage[0]} of ${coverage[1]})` : "";
  return shortName(row.name) + part;
}

function rank(row: LeaderboardRow): string {
  const value = known(row.rank);
  if (value === undefined) return kNone;
  const ci = known(row.rank_ci);
  return ci ? `${value} (${span(ci)})` : `${value}`;
}

function domain(rows: LeaderboardRow[]): [number, number] {
  const values = rows.flatMap((row) => [known(row.score) ?? [], known(row.ci) ?? []].flat());
  return [Math.min(...values), Math.max(...values)];
}

function marks(rows: Row[], [y1, y2]: [number, number], human?: LeaderboardRow): Plot.Markish[] {
  const scored = rows.filter(({ row }) => known(row.score) !== undefined);
  const color = ({ row }: Row) => `var(--${row.kind})`;
  const hollow = ({ row }: Row) =>
    row.kind === "baseline" || (row.kind === "model" && !separable(row));
  return [
    Plot.ruleX(human ? [human] : [], {
      x: (row: LeaderboardRow) => known(row.score),
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
      symbol: ({ row }: Row) => kSymbols[row.kind],
      stroke: color,
      strokeWidth: 1.75,
      fill: (placed: Row) => (hollow(placed) ? "var(--paper)" : color(placed)),
      title: ({ row }: Row) => `${row.name}: ${measure(row.score, row.ci)}, rank ${rank(row)}`,
      className: "score",
    }),
    Plot.text(
      rows.filter(({ row }) => known(row.score) === undefined),
      {
        y: "y",
        frameAnchor: "left",
        textAnchor: "start",
        text: ({ row }: Row) => absent(row.score, row),
        fill: "var(--quiet)",
        stroke: "var(--paper)",
        strokeWidth: 5,
      },
    ),
  ];
}

function describe(board: Leaderboard, human?: LeaderboardRow): string {
  const lines = board.rows
    .filter((row) => known(row.score) !== undefined)
    .map((row) => `${shortName(row.name)} ${number(known(row.score) as number)}`);
  const person = human ? ` The human: ${measure(human.score, human.ci)}, rank ${rank(human)}.` : "";
  return `Forest plot of the leaderboard, ${board.aggregate_title}.${person} Scores: ${lines.join(", ")}. Table 1 holds the same figures.`;
}
