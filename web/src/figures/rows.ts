/**
 * A chart of labelled rows in titled groups: what the three figures share. Wide, a row's label stands
 * left of the plot and its columns of text right of it; narrow, both stand above it.
 */
import * as Plot from "@observablehq/plot";

export interface Placed<T> {
  y: number;
  row: T;
}

export interface RowChart<T> {
  description: string;
  /** The rows by the title of their group; a group with an empty title gets no heading. */
  groups: Map<string, T[]>;
  label: (row: T) => string;
  strong: (row: T) => boolean;
  /** Texts right of the plot, each with its width in pixels. */
  columns: { head: string; width: number; text: (row: T) => string }[];
  /** The one text above the plot on a narrow page. */
  note: (row: T) => string;
  x: Plot.ScaleOptions;
  ticks: Plot.AxisXOptions;
  /** The marks; `extent` is the top and the bottom of the rows in pixels. */
  marks: (rows: Placed<T>[], extent: [number, number]) => Plot.Markish[];
}

const kNarrow = 640;
const kCharacter = 6.6;

interface Layout<T> {
  rows: Placed<T>[];
  headings: { y: number; title: string }[];
  top: number;
  bottom: number;
}

/** Each row is `height` pixels high, its marks `foot` pixels above its bottom. */
function place<T>(
  groups: Map<string, T[]>,
  top: number,
  height: (row: T) => number,
  foot: (row: T) => number,
): Layout<T> {
  const layout: Layout<T> = { rows: [], headings: [], top, bottom: top };
  for (const [title, rows] of groups) {
    if (title) {
      const lead = layout.rows.length > 0 ? 24 : 12;
      layout.headings.push({ y: layout.bottom + lead, title });
      layout.bottom += lead + 10;
    }
    for (const row of rows) {
      layout.bottom += height(row);
      layout.rows.push({ y: layout.bottom - foot(row), row });
    }
  }
  return layout;
}

export function drawRows<T>(chart: RowChart<T>, width: number): SVGSVGElement {
  const narrow = width < kNarrow;
  const all = [...chart.groups.values()].flat();
  const breadth = (text: string) => 12 + kCharacter * text.length;
  const longest = (text: (row: T) => string) =>
    Math.max(0, ...all.map((row) => breadth(text(row))));
  const columns = narrow ? [] : chart.columns;
  const left = narrow ? 8 : Math.min(longest(chart.label), 0.36 * width);
  const right = narrow ? 8 : columns.reduce((sum, column) => sum + column.width, 4);
  const room = narrow ? width - longest(chart.note) : left;
  const height = (row: T) => (narrow ? 42 : 24) + (breadth(chart.label(row)) > room ? 13 : 0);
  const layout = place(chart.groups, 40, height, (row) => (narrow ? 13 : height(row) / 2));
  const { rows, top, bottom } = layout;

  const axis = { tickSize: 0, color: "var(--quiet)" } as const;
  const svg = Plot.plot({
    width,
    height: bottom + 36,
    marginTop: top,
    marginBottom: 36,
    marginLeft: left,
    marginRight: right,
    style: { fontFamily: "var(--sans)", fontSize: "12px", overflow: "visible" },
    x: { ...chart.x, axis: null },
    y: { type: "identity", axis: null },
    marks: [
      Plot.gridX({ ...chart.ticks, y1: top, y2: bottom, stroke: "var(--guide)", strokeOpacity: 1 }),
      Plot.ruleY(rows, { y: "y", stroke: "var(--guide)" }),
      Plot.axisX({ ...chart.ticks, ...axis, anchor: "bottom", labelAnchor: "center" }),
      Plot.axisX({ ...chart.ticks, ...axis, anchor: "top", label: null }),
      ...chart.marks(rows, [top, bottom]),
      ...texts(chart, columns, layout, { narrow, left, right, room }),
    ],
  }) as SVGSVGElement;
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", chart.description);
  return svg;
}

function texts<T>(
  chart: RowChart<T>,
  columns: RowChart<T>["columns"],
  { rows, headings }: Layout<T>,
  { narrow, left, right, room }: { narrow: boolean; left: number; right: number; room: number },
): Plot.Markish[] {
  const above = narrow ? ({ lineAnchor: "bottom", dy: -11 } as const) : {};
  const halo = { stroke: "var(--paper)", strokeWidth: 5 } as const;
  const start = { frameAnchor: "left", textAnchor: "start", dx: -left, y: "y" } as const;
  const label = (placed: Placed<T>[], fontWeight: number) =>
    Plot.text(placed, {
      ...start,
      ...above,
      text: ({ row }: Placed<T>) => chart.label(row),
      fontWeight,
      fill: "currentColor",
      ...halo,
      lineHeight: 1.15,
      lineWidth: (room - 12) / 12,
      className: "label",
    });
  const marks: Plot.Markish[] = [
    Plot.text(headings, { ...start, text: "title", fontWeight: 600, fill: "var(--quiet)" }),
    label(
      rows.filter(({ row }) => chart.strong(row)),
      700,
    ),
    label(
      rows.filter(({ row }) => !chart.strong(row)),
      400,
    ),
  ];
  if (narrow) {
    marks.push(
      Plot.text(rows, {
        frameAnchor: "right",
        textAnchor: "end",
        dx: right,
        ...above,
        y: "y",
        text: ({ row }: Placed<T>) => chart.note(row),
        fill: "var(--quiet)",
        ...halo,
      }),
    );
  }
  let dx = 20;
  for (const column of columns) {
    const at = { frameAnchor: "right", textAnchor: "start", dx } as const;
    marks.push(
      Plot.text(rows, { ...at, y: "y", text: ({ row }: Placed<T>) => column.text(row) }),
      Plot.text([column.head], { ...at, frameAnchor: "top-right", dy: -16, fill: "var(--quiet)" }),
    );
    dx += column.width;
  }
  return marks;
}

/** Groups rows by a key, in the order in which the keys first occur. */
export function groupBy<T>(rows: T[], key: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
}
