/** What the cards show: judged measures on one scale, and quantities over the checkpoints. */
import * as Plot from "@observablehq/plot";
import type { Interval } from "../data";
import { drawChart } from "../figures/chart";
import { bare, figure, kSigns, legend, type Sign } from "../figures/figure";
import { drawRows } from "../figures/rows";
import { digits, interval, number, signed, sized } from "../format";
import { finite, lookOf, type LinkDetails, type LinkName, type LinkRow, type Links } from "./data";

interface Bar {
  name: string;
  value: number;
  ci: Interval;
  look: string;
  title: string;
}

/** In units of the difference that matters. */
function bars(rows: LinkRow[], several: boolean): Bar[] {
  return rows.flatMap((row) => {
    const { estimate, ci, resolution } = row;
    if (!finite(estimate) || !ci || !resolution) return [];
    const scaled = (x: number) => (x - (row.null ?? 0)) / resolution;
    const name = several && row.run ? `${row.run}: ${row.measure}` : row.measure;
    const said = (x: number) => number(x, Math.max(3, digits(estimate)));
    const title = `${name}: ${said(estimate)} ${interval(ci, said)}, ${row.verdict ?? ""}`;
    return [{ name, value: scaled(estimate), ci: [scaled(ci[0]), scaled(ci[1])], look: lookOf(row.verdict), title }];
  });
}

export function verdictsFigure(links: Links, link: LinkName): HTMLElement | undefined {
  const several = links.runs.filter(({ verdicts }) => verdicts).length > 1;
  const all = bars(links.links.filter((row) => row.link === link), several);
  if (all.length === 0) return undefined;
  return figure({
    id: `figure-verdicts-${link}`,
    title: "Estimates with their intervals",
    caption:
      "In units of the difference that matters, on a scale that is even near 0 and logarithmic beyond. An interval inside the band is too near to matter; " +
      "one that excludes 0, after the correction for many comparisons, has a direction.",
    legend: legend([
      [kSigns.circle, "solid aligned", "aligned"],
      [kSigns.circle, "solid decoupled", "decoupled"],
      [kSigns.circle, "solid inverted", "inverted"],
      [kSigns.circle, "solid insufficient", "insufficient evidence"],
    ]),
    draw: (width) => drawBars(all, width, link),
  });
}

function drawBars(all: Bar[], width: number, link: LinkName): SVGSVGElement {
  const bounds = all.flatMap(({ ci, value }) => [...ci, value]);
  const low = 1.15 * Math.min(-1.3, ...bounds);
  const high = 1.15 * Math.max(1.3, ...bounds);
  const near = width < 640 ? [] : [-1, 1];
  const ticks = [-100, -10, ...near, 0, 10, 100].filter((x) => low <= x && x <= high);
  const color = ({ row }: { row: Bar }) => `var(--${row.look})`;
  const svg = drawRows<Bar>(
    {
      description: `Link ${link}: ${all.map(({ title }) => title).join("; ")}.`,
      groups: new Map([["", all]]),
      label: ({ name }) => name,
      strong: () => false,
      columns: [],
      note: () => "",
      absent: () => "",
      x: { type: "symlog", domain: [low, high] },
      ticks: { ticks, tickFormat: (x: number) => signed(x, 0), label: null },
      marks: (rows, [y1, y2]) => [
        Plot.rect([[-1, 1]], { x1: (band: Interval) => band[0], x2: (band: Interval) => band[1], y1, y2, fill: "var(--guide)" }),
        Plot.ruleX([0], { y1, y2, stroke: "var(--quiet)" }),
        Plot.ruleY(rows, {
          y: "y",
          x1: ({ row }) => row.ci[0],
          x2: ({ row }) => row.ci[1],
          stroke: color,
          strokeWidth: 2,
          className: "interval",
        }),
        Plot.dot(rows, { x: ({ row }) => row.value, y: "y", r: 4, fill: color, title: ({ row }) => row.title, className: "verdicts" }),
      ],
    },
    width,
  );
  return bare(svg);
}

interface Placed {
  x: number;
  y: number;
  low: number;
  high: number;
  title: string;
}
interface Line {
  name: string;
  look: "human" | "model" | "ink";
  points: Placed[];
}

function placed(x: number, value: number, ci: Interval | null, by: number, name: string): Placed {
  const [low, high] = ci ?? [value, value];
  const said = (y: number) => number(y, Math.max(3, digits(value / by)));
  const title = `${name}, ${number(x, 2)}: ${said(value / by)}${ci ? ` ${interval([low / by, high / by], said)}` : ""}`;
  return { x, y: value / by, low: low / by, high: high / by, title };
}

type Quantity = "proxy" | "gold" | "accuracy" | "overconfidence";

function line(details: LinkDetails, name: string, quantity: Quantity, look: Line["look"], by: number): Line {
  const byDistance = details.points.every(({ d }) => finite(d));
  const points = details.points.flatMap((point) => {
    const value = point[quantity];
    const ci = point[`${quantity}_ci`];
    return finite(value) ? [placed(byDistance ? (point.d ?? 0) : point.at, value, ci, by, name)] : [];
  });
  return { name, look, points };
}

function axis(details: LinkDetails): string {
  if (details.points.every(({ d }) => finite(d))) return "d = √KL from the start →";
  return details.kind === "run" ? "step →" : "n →";
}

interface Drawn {
  id: string;
  title: string;
  caption: string;
  lines: Line[];
  x: string;
  y: string;
  level?: number;
  ceiling?: LinkDetails["ceiling"];
}

function linesFigure(drawn: Drawn): HTMLElement | undefined {
  const lines = drawn.lines.filter(({ points }) => points.length > 1);
  if (lines.length === 0) return undefined;
  const signs = lines.map(({ name, look }): Sign => [kSigns.circle, `solid ${look}`, name]);
  return figure({
    id: drawn.id,
    title: drawn.title,
    caption: drawn.caption,
    legend: legend(signs),
    draw: (width) => drawLines({ ...drawn, lines }, width),
  });
}

function drawLines({ title, lines, x, y, level, ceiling }: Drawn, width: number): SVGSVGElement {
  const ends = lines.map(({ name, points }) => {
    const said = sized(points.map((point) => point.y));
    const [first, last] = [points[0] as Placed, points[points.length - 1] as Placed];
    return `${name} from ${said(first.y)} to ${said(last.y)}`;
  });
  const svg = drawChart(
    {
      width,
      height: width < 640 ? 260 : 320,
      marginLeft: 52,
      marginBottom: 40,
      x: { label: x, labelAnchor: "center", zero: true },
      y: { label: `↑ ${y}`, grid: false, nice: true },
      marks: [
        Plot.gridY({ stroke: "var(--guide)", strokeOpacity: 1 }),
        ...(level === undefined ? [] : [Plot.ruleY([level], { stroke: "var(--quiet)" })]),
        ...(ceiling ? [Plot.ruleX([ceiling.d_star], { stroke: "var(--human)", strokeDasharray: "4,3" })] : []),
        ...lines.flatMap((one) => [
          Plot.areaY(one.points, { x: "x", y1: "low", y2: "high", fill: `var(--${one.look})`, fillOpacity: 0.16 }),
          Plot.line(one.points, { x: "x", y: "y", stroke: `var(--${one.look})`, strokeWidth: 1.75 }),
          Plot.dot(one.points, { x: "x", y: "y", r: 3, fill: `var(--${one.look})`, title: "title", className: "points" }),
        ]),
      ],
    },
    `${title}, from the start to the end: ${ends.join("; ")}.`,
  );
  return bare(svg);
}

export function gainsFigure(details: LinkDetails, at: number): HTMLElement | undefined {
  const { proxy_deviation: proxy, gold_deviation: gold } = details;
  const both = Boolean(proxy) && Boolean(gold);
  return linesFigure({
    id: `figure-gains-${at}`,
    title: `${details.name}: what proxy and gold have gained`,
    caption: details.ceiling
      ? "Mean gains over the start with their intervals; the dashed line is the ceiling of the gold."
      : "Mean gains over the start with their intervals.",
    lines: [
      line(details, "gold", "gold", "human", both ? (gold ?? 1) : 1),
      line(details, "proxy", "proxy", "model", both ? (proxy ?? 1) : 1),
    ],
    x: axis(details),
    y: both ? "gain in deviations of the start" : "gain in its own unit",
    level: 0,
    ceiling: details.points.every(({ d }) => finite(d)) ? details.ceiling : null,
  });
}

export function accuracyFigure(details: LinkDetails, at: number): HTMLElement | undefined {
  return linesFigure({
    id: `figure-accuracy-${at}`,
    title: `${details.name}: what the reward model still knows`,
    caption:
      "Pairs of a prompt’s own samples that it orders as gold does (a half is chance), and by how much it is surer than right.",
    lines: [
      line(details, "accuracy", "accuracy", "human", 1),
      line(details, "overconfidence", "overconfidence", "model", 1),
    ],
    x: axis(details),
    y: "share",
    level: 0.5,
  });
}

export function evaluationFigures(details: LinkDetails, at: number): HTMLElement[] {
  return details.evaluations.flatMap(({ name, points }, i) => {
    const made = linesFigure({
      id: `figure-evaluation-${at}-${i}`,
      title: `${details.name}: ${name}`,
      caption: "The score at each checkpoint with its interval.",
      lines: [{ name, look: "ink", points: points.map(({ step, score, ci }) => placed(step, score, ci, 1, name)) }],
      x: "step →",
      y: "score",
    });
    return made ? [made] : [];
  });
}
