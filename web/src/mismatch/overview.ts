/** The gold of several runs on one axis. */
import * as Plot from "@observablehq/plot";
import { known } from "../data";
import { drawChart } from "../figures/chart";
import { figure, kSigns, legend, type Sign } from "../figures/figure";
import { number, signed, sized } from "../format";
import { fitted, kDistance } from "./curves";
import { unit, type Run } from "./data";

interface Placed {
  d: number;
  value: number;
  title: string;
}

interface Line {
  name: string;
  /** Which run. */
  at: number;
  best: boolean;
  dots: Placed[];
  fit: Pick<Placed, "d" | "value">[];
}

function lines(runs: Run[]): Line[] {
  return runs.flatMap((run, at) =>
    run.trajectories.flatMap((trajectory) => {
      const curve = trajectory.curves.find(({ name }) => name === "gold");
      if (!curve) return [];
      const best = trajectory.kind === "best of n";
      const name = best ? `${run.name}, best of n` : run.name;
      const by = unit(trajectory, "gold");
      const said = sized(curve.points.map(({ mean }) => mean / by), signed);
      const dots = curve.points.map(({ d, mean }) => ({
        d,
        value: mean / by,
        title: `${name}, d = ${number(d, 2)}: ${said(mean / by)}`,
      }));
      const fit = Array.from({ length: 61 }, (_, i) => ((curve.d_max ?? 0) * i) / 60).flatMap((d) => {
        const value = fitted(curve, d);
        return value === undefined ? [] : [{ d, value: value / by }];
      });
      return [{ name, at, best, dots, fit }];
    }),
  );
}

/** Told from one another on white and on black. */
const kColors = ["#4269d0", "#c98a00", "#ff725c", "#3a9d96", "#3ca951", "#e0699c", "#a463f2", "#9c6b4e", "#6f9ce0", "#87909c"];
/** As many as share no divisor with the colors: together they tell seventy runs apart. */
const kSymbols: [Plot.SymbolType, string][] = [
  ["circle", kSigns.circle],
  ["square", kSigns.square],
  ["diamond", kSigns.diamond],
  ["triangle", "M0,-5L4.4,3H-4.4Z"],
  ["plus", "M-5,0h10M0,-5v10"],
  ["times", "M-3.5,-3.5l7,7M-3.5,3.5l7,-7"],
  ["asterisk", "M0,-5v10M-4.3,-2.5l8.6,5M-4.3,2.5l8.6,-5"],
];
const color = (at: number) => kColors[at % kColors.length] as string;
const symbol = (at: number) => kSymbols[at % kSymbols.length] as [Plot.SymbolType, string];

function signs(runs: Run[], all: Line[]): HTMLElement {
  const drawn = [...new Set(all.map(({ at }) => at))];
  const dashed: Sign[] = all.some(({ best }) => best) ? [[kSigns.bar, "dashed ink", "best of n"]] : [];
  const list = legend([
    ...drawn.map((at): Sign => [`${symbol(at)[1]}M-10,0h5M5,0h5`, "line", runs[at]?.name ?? ""]),
    ...dashed,
  ]);
  list.querySelectorAll<SVGPathElement>("path.line").forEach((path, i) => {
    path.style.stroke = color(drawn[i] ?? 0);
  });
  return list;
}

export function overviewFigure(runs: Run[], label: string): HTMLElement | undefined {
  const all = lines(runs);
  if (all.length < 2) return undefined;
  return figure({
    id: "figure-overview",
    title: `Figure ${label}. The gold of all runs`,
    caption:
      "Mean gains of the gold against the distance from the start, each in deviations of its own start where these " +
      "are known, with the fitted forms. Intervals stand in the figures of the single runs.",
    legend: signs(runs, all),
    draw: (width) => draw(all, width),
  });
}

function marks({ at, best, dots, fit }: Line): Plot.Markish[] {
  const stroke = color(at);
  const dashes = best ? { strokeDasharray: "5,3" } : {};
  return [
    Plot.line(fit, { x: "d", y: "value", stroke, strokeWidth: 1.75, ...dashes }),
    Plot.dot(dots, { x: "d", y: "value", r: 3, stroke, symbol: symbol(at)[0], title: "title", className: "points" }),
  ];
}

function draw(all: Line[], width: number): SVGSVGElement {
  const stars = all.map(({ name, dots }) => {
    const best = dots.reduce((top, point) => (point.value > top.value ? point : top), dots[0] as Placed);
    return `${name} is highest at d = ${number(known(best?.d) ?? 0, 2)}`;
  });
  return drawChart(
    {
      width,
      height: width < 640 ? 300 : 380,
      marginBottom: 40,
      x: kDistance,
      y: { label: "↑ gain of the gold", grid: false },
      marks: [
        Plot.gridY({ stroke: "var(--guide)", strokeOpacity: 1 }),
        Plot.ruleY([0], { stroke: "var(--quiet)" }),
        ...all.flatMap(marks),
      ],
    },
    `The gold of all runs against the distance: ${stars.join("; ")}.`,
  );
}
