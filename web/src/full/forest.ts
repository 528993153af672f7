/** Estimates with their intervals, a row each, on one scale. */
import * as Plot from "@observablehq/plot";
import type { Interval } from "../data";
import { figure } from "../figures/figure";
import { drawRows, type Placed } from "../figures/rows";
import { interval, number } from "../format";

export interface ForestRow {
  name: string;
  value: number;
  ci: Interval | null;
  /** A colour of the style sheet: "aligned", "ink". */
  look: string;
  /** What stands at the right of the row. */
  aside?: string;
}

export interface Forest {
  id: string;
  title: string;
  caption: string;
  legend: Node;
  rows: ForestRow[];
  x: string;
  /** Where a rule stands. */
  at: number;
  /** The narrowest range that is shown. */
  range?: Interval;
}

export function forest(drawn: Forest): HTMLElement {
  const { id, title, caption, legend } = drawn;
  return figure({ id, title, caption, legend, draw: (width) => draw(drawn, width) });
}

function said({ name, value, ci, aside }: ForestRow): string {
  const two = (x: number) => number(x, 2);
  return `${name}: ${two(value)}${ci ? ` ${interval(ci, two)}` : ""}${aside ? `, ${aside}` : ""}`;
}

function draw({ title, rows, x, at, range }: Forest, width: number): SVGSVGElement {
  const bounds = rows.flatMap(({ value, ci }) => ci ?? [value]);
  const low = Math.min(at, ...(range ?? []), ...bounds);
  const high = Math.max(at, ...(range ?? []), ...bounds);
  const room = (high - low) * 0.03;
  const color = ({ row }: Placed<ForestRow>) => `var(--${row.look})`;
  return drawRows<ForestRow>(
    {
      description: `${title}. ${rows.map(said).join("; ")}.`,
      groups: new Map([["", rows]]),
      label: ({ name }) => name,
      strong: () => false,
      columns: [{ head: "", text: ({ aside }) => aside ?? "" }],
      note: ({ aside }) => aside ?? "",
      absent: () => "",
      x: { domain: [low - room, high + room] },
      ticks: { ticks: 7, label: x },
      marks: (placed, [y1, y2]) => [
        Plot.ruleX([at], { y1, y2, stroke: "var(--quiet)" }),
        Plot.ruleY(
          placed.filter(({ row }) => row.ci),
          {
            y: "y",
            x1: ({ row }: Placed<ForestRow>) => row.ci?.[0],
            x2: ({ row }: Placed<ForestRow>) => row.ci?.[1],
            stroke: color,
            strokeWidth: 2,
            className: "interval",
          },
        ),
        Plot.dot(placed, {
          x: ({ row }: Placed<ForestRow>) => row.value,
          y: "y",
          r: 4,
          fill: color,
          title: ({ row }: Placed<ForestRow>) => said(row),
          className: "points",
        }),
      ],
    },
    width,
  );
}
