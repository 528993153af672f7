/** Figure 1: the leaderboard as a forest plot. */
import { known, type Leaderboard, type LeaderboardRow } from "../data";
import { instead, kNone, measure, number, percent, shortName, span } from "../format";
import { separable } from "../summary";
import { figure, kSigns, legend } from "./figure";
import { extent, forestMarks } from "./forest";
import { drawRows } from "./rows";

export function leaderboardFigure(board: Leaderboard): HTMLElement {
  const human = board.rows.find((row) => row.kind === "human");
  const others = board.rows.some(isNeither);
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
      [kSigns.square, "hollow baseline", others ? "baseline, simulated, adjudicated" : "baseline"],
    ]),
    draw: (width) =>
      drawRows<LeaderboardRow>(
        {
          description: describe(board, human),
          groups: groups(board.rows),
          label,
          strong: (row) => row.kind === "human",
          columns: [
            { head: "Score", text: (row) => measure(row.score, row.ci) },
            { head: "Rank", text: rank },
          ],
          note: (row) => `${measure(row.score)} · rank ${rank(row)}`,
          absent: (row) => instead(row.score, row),
          x: { domain: extent(board.rows), nice: true },
          ticks: { ticks: 6, label: "Score →" },
          marks: (rows, height) =>
            forestMarks(rows, height, human, {
              look: ({ kind }) => (kind === "human" || kind === "model" ? kind : "baseline"),
              solid: (row) => row.kind === "human" || (row.kind === "model" && separable(row)),
              title: (row) => `${row.name}: ${measure(row.score, row.ci)}, rank ${rank(row)}`,
            }),
        },
        width,
      ),
  });
}

const isNeither = ({ kind }: LeaderboardRow) => kind === "simulated" || kind === "adjudicated";

function groups(rows: LeaderboardRow[]): Map<string, LeaderboardRow[]> {
  const score = (row: LeaderboardRow) => known(row.score) ?? -Infinity;
  const sorted = [...rows].sort((a, b) => score(b) - score(a));
  const baseline = (row: LeaderboardRow) => row.kind === "baseline";
  const compared = sorted.filter((row) => !baseline(row) && !isNeither(row));
  const all: [string, LeaderboardRow[]][] = [
    ["", compared.filter((row) => row.partial !== true)],
    ["Partial coverage, not ranked", compared.filter((row) => row.partial === true)],
    ["Neither people nor models", sorted.filter(isNeither)],
    ["Baselines", sorted.filter(baseline)],
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

function describe(board: Leaderboard, human?: LeaderboardRow): string {
  const lines = board.rows
    .filter((row) => known(row.score) !== undefined)
    .map((row) => `${shortName(row.name)} ${number(known(row.score) as number)}`);
  const person = human ? ` The human: ${measure(human.score, human.ci)}, rank ${rank(human)}.` : "";
  return `Forest plot of the leaderboard, ${board.aggregate_title}.${person} Scores: ${lines.join(", ")}. Table 1 holds the same figures.`;
}
