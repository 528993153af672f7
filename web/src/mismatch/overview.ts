/** The gold of several runs on one axis. */
import * as Plot from "@observablehq/plot";
import { known } from "../data";
import { figure, kSigns, legend } from "../figures/figure";
import { number, signed } from "../format";
import { fitted } from "./curves";
import { unit, type Run } from "./data";

interface Placed {
  name: string;
  d: number;
  value: number;
}

function lines(runs: Run[]): { name: string; dots: Placed[]; fit: Placed[] }[] {
  return runs.flatMap((run) =>
    run.trajectories.flatMap((trajectory) => {
      const curve = trajectory.curves.find(({ name }) => name === "gold");
      if (!curve) return [];
      const name = trajectory.kind === "run" ? run.name : `${run.name}, best of n`;
      const by = unit(trajectory, "gold");
      const dots = curve.points.map(({ d, mean }) => ({ name, d, value: mean / by }));
      const fit = Array.from({ length: 61 }, (_, i) => ((curve.d_max ?? 0) * i) / 60).flatMap((d) => {
        const value = fitted(curve, d);
        return value === undefined ? [] : [{ name, d, value: value / by }];
      });
      return [{ name, dots, fit }];
    }),
  );
}

/** Told from one another on white and on black. */
const kColors = ["#4269d0", "#c98a00", "#ff725c", "#3a9d96", "#3ca951", "#e0699c", "#a463f2", "#6f9ce0", "#9c6b4e", "#87909c"];

function colored(names: string[]): HTMLElement {
  const list = legend(names.map((name) => [kSigns.bar, "line", name]));
  list.querySelectorAll("path").forEach((path, i) => {
    path.style.stroke = kColors[i % kColors.length] ?? "";
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
    legend: colored(all.map(({ name }) => name)),
    draw: (width) => draw(all, width),
  });
}

function draw(all: ReturnType<typeof lines>, width: number): SVGSVGElement {
  const dots = all.flatMap((line) => line.dots);
  const svg = Plot.plot({
    width,
    height: width < 640 ? 300 : 380,
    marginLeft: 48,
    marginBottom: 40,
    style: { fontFamily: "var(--sans)", fontSize: "12px", overflow: "visible" },
    x: { label: "d = √KL from the start →", labelAnchor: "center", zero: true },
    y: { label: "↑ gain of the gold", grid: false },
    color: { domain: all.map(({ name }) => name), range: all.map((_, i) => kColors[i % kColors.length]) },
    symbol: { domain: all.map(({ name }) => name) },
    marks: [
      Plot.gridY({ stroke: "var(--guide)", strokeOpacity: 1 }),
      Plot.ruleY([0], { stroke: "var(--quiet)" }),
      ...all.map(({ fit }) =>
        Plot.line(fit, { x: "d", y: "value", stroke: "name", strokeWidth: 1.75 }),
      ),
      Plot.dot(dots, {
        x: "d",
        y: "value",
        r: 3,
        stroke: "name",
        symbol: "name",
        title: ({ name, d, value }: Placed) => `${name}, d = ${number(d, 2)}: ${signed(value, 2)}`,
      }),
    ],
  }) as SVGSVGElement;
  svg.setAttribute("role", "img");
  const stars = all.map(({ name, dots: own }) => {
    const best = own.reduce((top, point) => (point.value > top.value ? point : top), own[0] as Placed);
    return `${name} is highest at d = ${number(known(best?.d) ?? 0, 2)}`;
  });
  svg.setAttribute("aria-label", `The gold of all runs against the distance: ${stars.join("; ")}.`);
  return svg;
}
