/** Meters of a run over its steps: one small chart a meter, in one figure. */
import * as Plot from "@observablehq/plot";
import { known, type Interval } from "../data";
import { drawChart } from "../figures/chart";
import { figure, kSigns, legend } from "../figures/figure";
import { interval, number } from "../format";
import type { Meter, Run } from "./data";

const kTitles: Record<string, string> = {
  kl: "KL, nats",
  length: "tokens a completion",
  ended: "ended by itself",
  entropy: "entropy, nats a token",
  repetition: "repetition",
  duplicates: "written for another prompt too",
  refusals: "opens like a refusal",
};

const kHeight = 176;

type Point = Meter["points"][number];

export function metersFigure(
  run: Run,
  meters: Meter[],
  at: number,
  label: string,
): HTMLElement | undefined {
  if (meters.length === 0) return undefined;
  return figure({
    id: `figure-meters-${at}`,
    title: `Figure ${label}. ${run.name}: meters over its steps`,
    caption:
      "Of the completions behind the curves, by step. Bands are intervals over prompts, where the run has them.",
    legend: legend([[kSigns.bar, "model", "mean"]]),
    draw: (width) => draw(run, meters, width),
  });
}

function draw(run: Run, meters: Meter[], width: number): SVGSVGElement {
  const across = Math.max(1, Math.min(3, Math.floor(width / 260)));
  const each = Math.floor(width / across);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const height = kHeight * Math.ceil(meters.length / across);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", `${width}`);
  svg.setAttribute("height", `${height}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", describe(run, meters));
  meters.forEach((meter, i) => {
    const chart = drawMeter(meter, each - 12);
    chart.setAttribute("x", `${(i % across) * each}`);
    chart.setAttribute("y", `${Math.floor(i / across) * kHeight}`);
    chart.setAttribute("class", `${chart.getAttribute("class") ?? ""} meter`.trim());
    svg.append(chart);
  });
  return svg;
}

function drawMeter({ name, points }: Meter, width: number): SVGSVGElement {
  const banded = points.flatMap((point) => {
    const ci = known(point.ci);
    return ci ? [{ step: point.step, ci }] : [];
  });
  return drawChart({
    width,
    height: kHeight - 8,
    marginLeft: 44,
    marginTop: 28,
    marginBottom: 36,
    x: { label: "step →", ticks: 4, tickFormat: (step: number) => (Number.isInteger(step) ? `${step}` : "") },
    y: { label: kTitles[name] ?? name, labelArrow: "none", ticks: 4, grid: false },
    marks: [
      Plot.gridY({ ticks: 4, stroke: "var(--guide)", strokeOpacity: 1 }),
      Plot.areaY(banded, {
        x: "step",
        y1: ({ ci }: { ci: Interval }) => ci[0],
        y2: ({ ci }: { ci: Interval }) => ci[1],
        fill: "var(--model)",
        fillOpacity: 0.16,
      }),
      Plot.line(points, { x: "step", y: "value", stroke: "var(--model)", strokeWidth: 1.75 }),
      Plot.dot(points, {
        x: "step",
        y: "value",
        r: 2,
        fill: "var(--model)",
        title: ({ step, value, ci }: Point) => {
          const bounds = known(ci);
          return `step ${step}: ${number(value, 3)}${bounds ? ` ${interval(bounds, (x) => number(x, 3))}` : ""}`;
        },
      }),
    ],
  });
}

function describe(run: Run, meters: Meter[]): string {
  const ends = meters.map(({ name, points }) => {
    const [first, last] = [points[0], points[points.length - 1]];
    return `${name} goes from ${number(first?.value ?? 0, 2)} to ${number(last?.value ?? 0, 2)}`;
  });
  return `Meters of ${run.name} over its steps: ${ends.join("; ")}.`;
}
