/** A chart with axes, whose left margin holds the longest of its numbers. */
import * as Plot from "@observablehq/plot";
import { breadth, kSize, wrap } from "./fit";

export const kStyle = { fontFamily: "var(--sans)", fontSize: `${kSize}px`, overflow: "visible" };

const kLong = 7;
const kCompact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 6 });

/** A number in the fewest letters: "4M", "2e−9". */
function brief(value: number): string {
  const text = Math.abs(value) >= 1 || value === 0 ? kCompact.format(value) : Number(value.toPrecision(6)).toExponential();
  return text.replaceAll("-", "−");
}

const yLabels = (svg: Element) =>
  [...svg.querySelectorAll("g[aria-label='y-axis tick label'] text")].map((label) => label.textContent ?? "");

function cut(axis: Plot.ScaleOptions | undefined, room: number): Plot.ScaleOptions {
  return axis?.label ? { ...axis, label: wrap(axis.label, room, 1).join("") } : (axis ?? {});
}

export function drawChart(options: Plot.PlotOptions & { width: number }, description?: string): SVGSVGElement {
  const { width } = options;
  const draw = (marginLeft: number, y: Plot.ScaleOptions = {}) =>
    Plot.plot({
      ...options,
      style: kStyle,
      marginLeft,
      x: cut(options.x, width - marginLeft - 20),
      y: { ...cut(options.y, width), ...y },
    }) as SVGSVGElement;
  const margin = options.marginLeft ?? 48;
  let svg = draw(margin);
  const y = yLabels(svg).some((label) => label.length > kLong) ? { tickFormat: brief } : {};
  if ("tickFormat" in y) svg = draw(margin, y);
  const room = Math.ceil(12 + Math.max(0, ...yLabels(svg).map((label) => breadth(label))));
  if (room > margin) svg = draw(room, y);
  if (description !== undefined) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", description);
  }
  return svg;
}
