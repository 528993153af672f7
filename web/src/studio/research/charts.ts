/** Values with their intervals as dots on a line, in the look of the report's leaderboard. */
import type { Figure } from "../../figures/figure";
import { kSigns, legend } from "../../figures/figure";
import { extent, forestMarks } from "../../figures/forest";
import { drawRows } from "../../figures/rows";
import { kNone, measure, number } from "../../format";
import type { Measured } from "./research";

export interface Point {
  name: string;
  kind: string;
  of: Measured;
}

export interface PointsChart {
  id: string;
  title: string;
  caption: string;
  groups: Map<string, Point[]>;
  /** What a dot is: "agreement". */
  what: string;
  axis: string;
  digits: number;
  /** What is always in sight, at least. */
  domain: [number, number];
}

interface Row extends Point {
  score: number | null;
  ci: [number, number] | null;
}

const reasonOf = ({ reason }: Measured) => (reason ? `undefined because ${reason}` : "undefined");

/** "0.812 [0.700, 0.900], n 30", or "undefined because ...". */
export function inWords(of: Measured, digits: number): string {
  return of.value === null ? reasonOf(of) : `${measure(of.value, of.ci, (x) => number(x, digits))}, n ${of.n}`;
}

export function pointsChart(chart: PointsChart): Figure {
  const format = (x: number) => number(x, chart.digits);
  const groups = new Map(
    [...chart.groups].map(([title, points]) => [
      title,
      points.map((point): Row => ({ ...point, score: point.of.value, ci: point.of.ci })),
    ]),
  );
  const all = [...groups.values()].flat();
  const scored = all.filter((row) => row.score !== null);
  const simulated = all.some((row) => row.kind === "simulated");
  const [low, high] = extent(scored);
  return {
    id: chart.id,
    title: chart.title,
    caption: chart.caption,
    legend: legend([
      [kSigns.circle, "solid model", `${chart.what}, with its 95% interval`],
      ...(simulated ? ([[kSigns.square, "solid baseline", "of a simulated annotator"]] as const) : []).map(
        ([path, look, words]): [string, string, string] => [path, look, words],
      ),
    ]),
    draw: (width) =>
      drawRows<Row>(
        {
          description: `${chart.title} ${all.map((row) => `${row.name} ${inWords(row.of, chart.digits)}`).join("; ")}.`,
          groups,
          label: (row) => row.name,
          strong: () => false,
          columns: [
            { head: chart.what, text: (row) => (row.score === null ? kNone : measure(row.score, row.ci, format)) },
            { head: "n", text: (row) => `${row.of.n}` },
          ],
          absent: (row) => (row.score === null ? reasonOf(row.of) : ""),
          note: (row) => (row.score === null ? kNone : `${format(row.score)} · n ${row.of.n}`),
          x: { domain: [Math.min(low, chart.domain[0]), Math.max(high, chart.domain[1])], nice: true },
          ticks: { ticks: 5, label: chart.axis },
          marks: (rows, height) =>
            forestMarks(rows, height, undefined, {
              look: (row) => (row.kind === "simulated" ? "baseline" : "model"),
              solid: () => true,
              title: (row) => `${row.name}: ${inWords(row.of, chart.digits)}`,
            }),
        },
        width,
      ),
  };
}
