/**
 * A chart of labelled rows in titled groups: what all figures of rows share. Wide, a row's label stands left of the
 * plot and its columns of text right of it; where that leaves too little for the plot, both stand above it.
 */
import * as Plot from "@observablehq/plot";
import { kStyle } from "./chart";
import { breadth, hidden, kLine, kSize, wrap } from "./fit";

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
  /** Texts right of the plot. */
  columns: { head: string; text: (row: T) => string }[];
  /** The one text above the plot on a narrow page. */
  note: (row: T) => string;
  /** What stands in the place of the marks of a row that has none; else empty. */
  absent: (row: T) => string;
  x: Plot.ScaleOptions;
  ticks: Pick<Plot.AxisXOptions, "tickFormat" | "label"> & { ticks: number | number[] };
  /** The marks; `extent` is the top and the bottom of the rows in pixels. */
  marks: (rows: Placed<T>[], extent: [number, number]) => Plot.Markish[];
}

const kNarrow = 640;
/** The least width of a plot with texts at its sides, and of a label there. */
const kPlot = 220;
const kLabel = 150;
const kGap = 20;
/** Half of a tick's label. */
const kEdge = 16;
/** From a row's marks to the text above them. */
const kAbove = 11;

interface Column<T> {
  head: string;
  text: (row: T) => string;
  /** From the right end of the plot. */
  at: number;
}

interface Frame<T> {
  width: number;
  narrow: boolean;
  left: number;
  right: number;
  columns: Column<T>[];
  /** Of the label; the note stands below it, not beside it, where `below`. */
  room: number;
  below: boolean;
}

function frame<T>(chart: RowChart<T>, width: number): Frame<T> {
  const all = [...chart.groups.values()].flat();
  const longest = (text: (row: T) => string, weight?: number) =>
    Math.ceil(Math.max(0, ...all.map((row) => breadth(text(row), weight))));
  const columns: Column<T>[] = [];
  let right = 0;
  for (const { head, text } of chart.columns) {
    columns.push({ head, text, at: right + kGap });
    right += kGap + Math.max(longest(text), Math.ceil(breadth(head)));
  }
  right = Math.max(right + 2, kEdge);
  const most = Math.min(0.36 * width, Math.max(kLabel, width - right - kPlot));
  const left = Math.min(longest(chart.label, 700) + 14, most);
  if (width >= kNarrow && width - left - right >= kPlot) {
    return { width, narrow: false, left, right, columns, room: left - 12, below: false };
  }
  const beside = width - longest(chart.note) - 12;
  const below = beside < 120;
  return { width, narrow: true, left: kEdge, right: kEdge, columns: [], room: below ? width : beside, below };
}

/** A row with its texts in lines. */
interface Line<T> extends Placed<T> {
  label: string[];
  note: string[];
  absent: string[];
}

interface Layout<T> {
  lines: Line<T>[];
  headings: { y: number; title: string; lines: string[] }[];
  top: number;
  bottom: number;
}

function place<T>(chart: RowChart<T>, { width, narrow, left, right, room, below }: Frame<T>, top: number): Layout<T> {
  const layout: Layout<T> = { lines: [], headings: [], top, bottom: top };
  for (const [title, rows] of chart.groups) {
    if (title) {
      const lines = wrap(title, width, 3, 600);
      layout.bottom += (layout.lines.length > 0 ? 24 : 12) + kLine * (lines.length - 1);
      layout.headings.push({ y: layout.bottom, title, lines });
      layout.bottom += 10;
    }
    for (const row of rows) {
      const label = wrap(chart.label(row), room, 3, chart.strong(row) ? 700 : 400);
      const note = narrow ? wrap(chart.note(row), width, 2) : [];
      const absent = wrap(chart.absent(row), width - left - right - 4);
      const over = label.length - 1 + (below ? note.length : 0);
      const under = Math.max(absent.length, 1) - 1;
      const height = narrow ? 42 + kLine * (over + under) : 24 + kLine * Math.max(over, under);
      layout.bottom += height;
      const y = layout.bottom - (narrow ? 13 + kLine * under : height / 2);
      layout.lines.push({ y, row, label, note, absent });
    }
  }
  return layout;
}

/** No more ticks than there is room for. */
function spaced(ticks: number | number[], room: number): number | number[] {
  if (typeof ticks === "number") return Math.max(2, Math.min(ticks, Math.floor(room / 48)));
  const step = [1, 2, 5, 10, 20, 50].find((by) => ticks.length / by <= room / 18) ?? 100;
  return ticks.filter((tick) => tick % step === 0);
}

export function drawRows<T>(chart: RowChart<T>, width: number): SVGSVGElement {
  const fitted = frame(chart, width);
  const { left, right } = fitted;
  const layout = place(chart, fitted, 40);
  const { lines, top, bottom } = layout;

  const axis = {
    ...chart.ticks,
    ticks: spaced(chart.ticks.ticks, width - left - right),
    tickSize: 0,
    color: "var(--quiet)",
  } as const;
  const svg = Plot.plot({
    width,
    height: bottom + 36,
    marginTop: top,
    marginBottom: 36,
    marginLeft: left,
    marginRight: right,
    style: kStyle,
    x: { ...chart.x, axis: null },
    y: { type: "identity", axis: null },
    marks: [
      Plot.gridX({ ticks: axis.ticks, y1: top, y2: bottom, stroke: "var(--guide)", strokeOpacity: 1 }),
      Plot.ruleY(lines, { y: "y", stroke: "var(--guide)" }),
      Plot.axisX({ ...axis, anchor: "bottom", labelAnchor: "center" }),
      Plot.axisX({ ...axis, anchor: "top", label: null }),
      ...chart.marks(lines, [top, bottom]),
      ...texts(chart, layout, fitted),
    ],
  }) as SVGSVGElement;
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", chart.description);
  return svg;
}

function texts<T>(
  chart: RowChart<T>,
  { lines, headings }: Layout<T>,
  { narrow, left, right, columns, below }: Frame<T>,
): Plot.Markish[] {
  const halo = { stroke: "var(--paper)", strokeWidth: 5 } as const;
  const start = { frameAnchor: "left", textAnchor: "start", dx: -left } as const;
  const lift = ({ note }: Line<T>) => kAbove + (below ? kLine * note.length : 0);
  const label = (strong: boolean) =>
    Plot.text(
      lines.filter(({ row }) => chart.strong(row) === strong),
      {
        ...start,
        ...halo,
        y: (line: Line<T>) => line.y - (narrow ? lift(line) : 0),
        lineAnchor: narrow ? "bottom" : "middle",
        lineHeight: kLine / kSize,
        text: (line: Line<T>) => line.label.join("\n"),
        title: (line: Line<T>) => hidden(chart.label(line.row), line.label),
        fontWeight: strong ? 700 : 400,
        fill: "currentColor",
        className: "label",
      },
    );
  return [
    Plot.text(headings, {
      ...start,
      y: "y",
      lineAnchor: "bottom",
      dy: 3,
      lineHeight: kLine / kSize,
      text: ({ lines: all }: { lines: string[] }) => all.join("\n"),
      title: ({ title, lines: all }: { title: string; lines: string[] }) => hidden(title, all),
      fontWeight: 600,
      fill: "var(--quiet)",
    }),
    label(true),
    label(false),
    Plot.text(lines, {
      ...(below ? start : ({ frameAnchor: "right", textAnchor: "end", dx: right } as const)),
      ...halo,
      y: (line: Line<T>) => line.y - kAbove,
      lineAnchor: "bottom",
      lineHeight: kLine / kSize,
      text: ({ note }: Line<T>) => note.join("\n"),
      fill: "var(--quiet)",
    }),
    Plot.text(
      lines.filter(({ absent }) => absent.length > 0),
      {
        ...halo,
        frameAnchor: "left",
        textAnchor: "start",
        dx: 4,
        y: (line: Line<T>) => line.y - (narrow ? kLine / 4 : 0),
        lineAnchor: narrow ? "top" : "middle",
        lineHeight: kLine / kSize,
        text: ({ absent }: Line<T>) => absent.join("\n"),
        title: ({ row, absent }: Line<T>) => hidden(chart.absent(row), absent),
        fill: "var(--quiet)",
      },
    ),
    ...columns.flatMap(({ head, text, at }) => {
      const place = { frameAnchor: "right", textAnchor: "start", dx: at } as const;
      return [
        Plot.text(lines, { ...place, y: "y", text: ({ row }: Line<T>) => text(row) }),
        Plot.text([head], { ...place, frameAnchor: "top-right", dy: -16, fill: "var(--quiet)" }),
      ];
    }),
  ];
}

/** Groups rows by a key, in the order in which the keys first occur. */
export function groupBy<T>(rows: T[], key: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
}
