/** Estimates with their intervals, a row each, on one scale. */
import * as Plot from "@observablehq/plot";
import type { Interval } from "../data";
import { figure } from "../figures/figure";
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
  const narrow = width < 640;
  const color = (row: ForestRow) => `var(--${row.look})`;
  const bounds = rows.flatMap(({ value, ci }) => ci ?? [value]);
  const low = Math.min(at, ...(range ?? []), ...bounds);
  const high = Math.max(at, ...(range ?? []), ...bounds);
  const room = (high - low) * 0.03;
  const longest = Math.max(...rows.map(({ name }) => name.length));
  const asides = Math.max(0, ...rows.map(({ aside }) => aside?.length ?? 0));
  const svg = Plot.plot({
    width,
    height: 56 + (narrow ? 24 : 26) * rows.length,
    marginLeft: Math.min(narrow ? 150 : 240, 16 + 6.6 * longest),
    marginRight: 12 + 6.4 * asides,
    marginBottom: 40,
    style: { fontFamily: "var(--sans)", fontSize: "12px", overflow: "visible" },
    x: { domain: [low - room, high + room], label: x, labelAnchor: "center", ticks: narrow ? 4 : 7 },
    y: { domain: rows.map(({ name }) => name), label: null, tickSize: 0 },
    marks: [
      Plot.gridX({ stroke: "var(--guide)", strokeOpacity: 1, ticks: narrow ? 4 : 7 }),
      Plot.ruleX([at], { stroke: "var(--quiet)" }),
      Plot.link(
        rows.filter(({ ci }) => ci),
        {
          x1: (row: ForestRow) => row.ci?.[0],
          x2: (row: ForestRow) => row.ci?.[1],
          y1: "name",
          y2: "name",
          stroke: color,
          strokeWidth: 2,
        },
      ),
      Plot.dot(rows, { x: "value", y: "name", r: 4, fill: color, title: said, className: "points" }),
      Plot.text(
        rows.filter(({ aside }) => aside),
        { y: "name", frameAnchor: "right", textAnchor: "start", dx: 8, text: "aside", fill: "var(--quiet)" },
      ),
    ],
  }) as SVGSVGElement;
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${title}. ${rows.map(said).join("; ")}.`);
  return svg;
}
