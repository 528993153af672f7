/** Figure 3: the human’s rank under every view of the audit. */
import * as Plot from "@observablehq/plot";
import { known, type View } from "../data";
import { instead, kNone, measure, span, words } from "../format";
import { rankRange } from "../summary";
import { figure, kSigns, legend } from "./figure";
import { drawRows, groupBy, type Placed } from "./rows";

type Row = Placed<View>;

export function sensitivityFigure(views: View[]): HTMLElement {
  const last = Math.max(1, ...views.map(({ of }) => of));
  return figure({
    id: "figure-sensitivity",
    title: "Figure 3. What the human’s rank depends on",
    caption:
      "Each row counts the same published figures in another way: the human’s rank, with its interval where " +
      "there is one. The dashed line is the rank of the first row.",
    legend: legend([
      [kSigns.diamond, "solid human", "the human’s rank"],
      [kSigns.bar, "line human", "interval of the rank"],
    ]),
    draw: (width) =>
      drawRows<View>(
        {
          description: describe(views),
          groups: groupBy(views, (view) => words(view.group)),
          label: (view) => view.view,
          strong: (view) => view === views[0],
          columns: [
            { head: "Rank", text: rank },
            { head: "Human", text: (view) => measure(view.human) },
            { head: "Best", text: (view) => measure(view.best) },
          ],
          note: rank,
          absent: (view) => instead(view.human_rank, view),
          x: { domain: [0.5, last + 0.5] },
          ticks: {
            ticks: Array.from({ length: last }, (_, i) => i + 1),
            tickFormat: "d",
            label: "Rank (1 is the best) →",
          },
          marks: (rows, extent) => marks(rows, extent, views[0]),
        },
        width,
      ),
  });
}

function rank(view: View): string {
  const value = known(view.human_rank);
  return value === undefined ? kNone : `${value} of ${view.of}`;
}

function marks(rows: Row[], [y1, y2]: [number, number], first?: View): Plot.Markish[] {
  const ranked = rows.filter(({ row }) => known(row.human_rank) !== undefined);
  return [
    Plot.ruleX(first && known(first.human_rank) !== undefined ? [first] : [], {
      x: (view: View) => known(view.human_rank),
      y1,
      y2,
      stroke: "var(--human)",
      strokeDasharray: "3,3",
    }),
    Plot.ruleY(
      ranked.filter(({ row }) => known(row.rank_ci)),
      {
        y: "y",
        x1: ({ row }: Row) => known(row.rank_ci)?.[0],
        x2: ({ row }: Row) => known(row.rank_ci)?.[1],
        stroke: "var(--human)",
        strokeWidth: 1.75,
        className: "rank-interval",
      },
    ),
    Plot.dot(ranked, {
      x: ({ row }: Row) => known(row.human_rank),
      y: "y",
      r: 5.5,
      symbol: "diamond",
      fill: "var(--human)",
      title: ({ row }: Row) => {
        const ci = known(row.rank_ci);
        return `${row.view}: rank ${rank(row)}${ci ? `, interval ${span(ci)}` : ""}`;
      },
      className: "rank",
    }),
  ];
}

function describe(views: View[]): string {
  const range = rankRange(views);
  const extent = range ? ` It goes from ${range[0]} to ${range[1]}.` : "";
  return `The human’s rank under ${views.length} ways to count.${extent} Table 3 holds the same figures.`;
}
