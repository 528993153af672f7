/** The gap of proxy and gold against the distance from the start, and what it is made of. */
import * as Plot from "@observablehq/plot";
import { known, type Interval, type Maybe } from "../data";
import { drawChart } from "../figures/chart";
import { figure, kSigns, legend, type Sign } from "../figures/figure";
import { interval, number, percent, signed } from "../format";
import { kDistance } from "./curves";
import type { Point, Run, Trajectory } from "./data";

interface Part {
  name: string;
  look: string;
  dashes?: string;
  value: (point: Point) => Maybe<number>;
  ci: (point: Point) => Maybe<Interval>;
}

const kParts: Part[] = [
  { name: "gap", look: "ink", value: (p) => p.gap, ci: (p) => p.gap_ci },
  {
    name: "regressional",
    look: "baseline",
    dashes: "6,3",
    value: (p) => p.regressional,
    ci: (p) => p.regressional_ci,
  },
  { name: "length", look: "model", dashes: "2,2", value: (p) => p.length, ci: (p) => p.length_ci },
  { name: "rest", look: "human", value: (p) => p.rest, ci: (p) => p.rest_ci },
];

const kMeanings: Record<string, string> = {
  gap: "the gap",
  regressional: "regressional: noise",
  length: "length",
  rest: "rest: extremal and others",
};

interface Placed {
  d: number;
  value: number;
  ci: Interval | undefined;
}

function placed({ points }: Trajectory, part: Part): Placed[] {
  return points
    .flatMap((point) => {
      const d = known(point.d);
      const value = known(part.value(point));
      return d === undefined || value === undefined ? [] : [{ d, value, ci: known(part.ci(point)) }];
    })
    .sort((a, b) => a.d - b.d);
}

/** The run, or the best of n where there is no other. */
export function main({ trajectories }: Run): Trajectory | undefined {
  return trajectories.find(({ kind }) => kind === "run") ?? trajectories[0];
}

export function gapFigure(run: Run, at: number, level: number, label: string): HTMLElement | undefined {
  const trajectory = main(run);
  if (!trajectory || placed(trajectory, kParts[0] as Part).length === 0) return undefined;
  const parts = kParts.filter((part) => placed(trajectory, part).length > 0);
  const signs = parts.map(({ name, look, dashes }): Sign => [
    kSigns.bar,
    `${look}${dashes ? " dashed" : ""}`,
    kMeanings[name] ?? name,
  ]);
  return figure({
    id: `figure-gap-${at}`,
    title: `Figure ${label}. ${run.name}: how far proxy and gold part`,
    caption:
      `The proxy’s gain less the gold’s (${trajectory.kind}), each in deviations of the start within prompts, and its ` +
      `parts, which add up to it. Bands are ${percent(level)} intervals over prompts.`,
    legend: legend(signs),
    draw: (width) => draw(run, trajectory, parts, width),
  });
}

function stroke({ look }: Part): string {
  return `var(--${look})`;
}

function draw(run: Run, trajectory: Trajectory, parts: Part[], width: number): SVGSVGElement {
  return drawChart({
    width,
    height: width < 640 ? 260 : 320,
    marginBottom: 40,
    x: kDistance,
    y: { label: "↑ deviations of the start", grid: false },
    marks: [
      Plot.gridY({ stroke: "var(--guide)", strokeOpacity: 1 }),
      Plot.ruleY([0], { stroke: "var(--quiet)" }),
      ...parts.flatMap((part) => {
        const points = placed(trajectory, part);
        return [
          Plot.areaY(
            points.filter(({ ci }) => ci),
            {
              x: "d",
              y1: ({ ci }: Placed) => ci?.[0],
              y2: ({ ci }: Placed) => ci?.[1],
              fill: stroke(part),
              fillOpacity: 0.14,
            },
          ),
          Plot.line(points, {
            x: "d",
            y: "value",
            stroke: stroke(part),
            strokeWidth: part.name === "gap" ? 2.5 : 1.75,
            ...(part.dashes ? { strokeDasharray: part.dashes } : {}),
          }),
          Plot.dot(points, {
            x: "d",
            y: "value",
            r: 2.5,
            fill: stroke(part),
            title: ({ d, value, ci }: Placed) =>
              `${part.name}, d = ${number(d, 2)}: ${signed(value, 2)}${ci ? ` ${interval(ci, (x) => signed(x, 2))}` : ""}`,
          }),
        ];
      }),
    ],
  }, describe(run, trajectory));
}

function describe(run: Run, { points }: Trajectory): string {
  const end = points[points.length - 1];
  const gap = known(end?.gap);
  const said = gap === undefined ? "" : ` At the end it is ${signed(gap, 2)} deviations.`;
  return `The gap of proxy and gold of ${run.name} against the distance from the start.${said} The table of its points holds the same figures.`;
}
