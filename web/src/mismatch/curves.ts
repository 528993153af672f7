/** Proxy and gold of a run against the distance from its start, with their fits and the ceiling. */
import * as Plot from "@observablehq/plot";
import { known, type Interval } from "../data";
import { drawChart } from "../figures/chart";
import { figure, kSigns, legend, type Sign } from "../figures/figure";
import { interval, number, percent, signed, sized } from "../format";
import { inDeviations, unit, type Curve, type Run, type Trajectory } from "./data";

/** The axis on which runs and best of n stand beside one another. */
export const kDistance = { label: "d = √KL from the start →", labelAnchor: "center", zero: true } as const;

export const kLook = { gold: "human", proxy: "model" } as const;
const color = (curve: Curve) => `var(--${kLook[curve.name]})`;

interface Placed {
  d: number;
  value: number;
  ci: Interval;
  title: string;
}

/** The points of a curve in the figure's unit, from the start on. */
function placed(curve: Curve, trajectory: Trajectory): Placed[] {
  const by = unit(trajectory, curve.name);
  const said = sized(curve.points.map(({ mean }) => mean / by), signed);
  const points = curve.points.map(({ d, mean, ci }): Placed => {
    const [low, high] = known(ci) ?? [mean, mean];
    return {
      d,
      value: mean / by,
      ci: [low / by, high / by],
      title: `${curve.name}, ${trajectory.kind}, d = ${number(d, 2)}: ${said(mean / by)} ${interval([low / by, high / by], said)}`,
    };
  });
  return [{ d: 0, value: 0, ci: [0, 0], title: "start" }, ...points];
}

/** The fitted form (Gao et al. 2023) at distance d. */
export function fitted(curve: Curve, d: number): number | undefined {
  if (curve.a === undefined || curve.b === undefined) return undefined;
  if (d === 0) return 0;
  return d * (curve.a - curve.b * (curve.form === "rl" ? Math.log(d) : d));
}

function fitLine(curve: Curve, trajectory: Trajectory): { d: number; value: number }[] {
  const last = curve.d_max ?? 0;
  const by = unit(trajectory, curve.name);
  return Array.from({ length: 81 }, (_, i) => (last * i) / 80).flatMap((d) => {
    const value = fitted(curve, d);
    return value === undefined ? [] : [{ d, value: value / by }];
  });
}

/** Where the curve is highest, cut at the last point: beyond it the curve is not known. */
export function peakSpan(curve: Curve): Interval | undefined {
  const ci = curve.d_star_ci;
  if (known(curve.d_star) === undefined || !ci || ci[0] === null) return undefined;
  return [ci[0], Math.min(ci[1] ?? Infinity, curve.d_max ?? Infinity)];
}

function marks(trajectory: Trajectory, curve: Curve, low: number, high: number): Plot.Markish[] {
  const points = placed(curve, trajectory);
  const stroke = color(curve);
  const best = trajectory.kind === "best of n";
  const dashes = best ? { strokeDasharray: "5,3" } : {};
  const span = curve.name === "gold" && curve.detected ? peakSpan(curve) : undefined;
  const star = known(curve.d_star);
  return [
    Plot.areaY(points, {
      x: "d",
      y1: (point: Placed) => point.ci[0],
      y2: (point: Placed) => point.ci[1],
      fill: stroke,
      fillOpacity: 0.16,
    }),
    Plot.rect(span ? [span] : [], {
      x1: (ci: Interval) => ci[0],
      x2: (ci: Interval) => ci[1],
      y1: low,
      y2: high,
      fill: stroke,
      fillOpacity: 0.1,
      className: "ceiling",
    }),
    Plot.ruleX(span && star !== undefined ? [star] : [], { stroke, ...dashes }),
    Plot.line(fitLine(curve, trajectory), { x: "d", y: "value", stroke, strokeWidth: 1.75, ...dashes }),
    Plot.dot(points.slice(1), {
      x: "d",
      y: "value",
      r: 3,
      fill: best ? "var(--paper)" : stroke,
      stroke,
      strokeWidth: 1.5,
      title: "title",
      className: `points ${kLook[curve.name]}`,
    }),
  ];
}

function describe(run: Run): string {
  const parts = run.trajectories.flatMap(({ kind, curves }) =>
    curves.map((curve) => {
      const star = known(curve.d_star);
      const where =
        star === undefined
          ? curve.d_max === undefined
            ? "could not be fitted"
            : `shows no turn-over below d = ${number(curve.d_max, 2)}`
          : `${curve.detected ? "turns" : "has the top of its fit"} at d = ${number(star, 2)}`;
      return `${curve.name}, ${kind}, ${where}`;
    }),
  );
  return `Proxy and gold of ${run.name} against the distance from the start: ${parts.join("; ")}.`;
}

/** Of the curves that are drawn. */
function signs({ trajectories }: Run): Sign[] {
  return trajectories.flatMap(({ kind, curves }) =>
    curves.map(({ name }): Sign => {
      const best = kind === "best of n";
      return [kSigns.circle, `${best ? "" : "solid "}${kLook[name]}`, `${name}, ${best ? kind : "of the run"}`];
    }),
  );
}

export function curvesFigure(run: Run, at: number, level: number, label: string): HTMLElement {
  const rewards = inDeviations(run) ? "in deviations of the start" : "in their own units";
  return figure({
    id: `figure-curves-${at}`,
    title: `Figure ${label}. ${run.name}: proxy and gold`,
    caption:
      `Mean gains over the start ${rewards}, with ${percent(level)} intervals over prompts as bands, and the fitted ` +
      "forms of Gao et al. (2023) as lines. The upright line is the ceiling of the gold, where a turn-over was " +
      "detected, in its interval.",
    legend: legend(signs(run)),
    draw: (width) => draw(run, width, rewards),
  });
}

function draw(run: Run, width: number, rewards: string): SVGSVGElement {
  const pairs = run.trajectories.flatMap((trajectory) =>
    trajectory.curves.map((curve) => [trajectory, curve] as const),
  );
  const bounds = pairs.flatMap(([trajectory, curve]) =>
    placed(curve, trajectory).flatMap(({ ci }) => ci),
  );
  const low = Math.min(0, ...bounds);
  const high = Math.max(0, ...bounds);
  const room = 0.04 * (high - low || 1);
  return drawChart({
    width,
    height: width < 640 ? 300 : 400,
    marginBottom: 40,
    x: kDistance,
    y: { label: `↑ gain ${rewards}`, domain: [low - room, high + room], grid: false },
    marks: [
      Plot.gridY({ stroke: "var(--guide)", strokeOpacity: 1 }),
      Plot.ruleY([0], { stroke: "var(--quiet)" }),
      ...pairs.flatMap(([trajectory, curve]) =>
        marks(trajectory, curve, low - room, high + room),
      ),
    ],
  }, describe(run));
}
