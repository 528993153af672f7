/** A chart with axes, whose left margin holds the longest of its numbers. */
import * as Plot from "@observablehq/plot";
import { breadth, kSize, wrap } from "./fit";

export const kStyle = { fontFamily: "var(--sans)", fontSize: `${kSize}px`, overflow: "visible" };

const kLong = 6;
const kCompact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 6 });

/** A number in the fewest letters: "4M", "2e−9". */
function brief(value: number): string {
  const tiny = value !== 0 && Math.abs(value) < 1e-3;
  const text = tiny ? Number(value.toPrecision(6)).toExponential() : kCompact.format(value);
  return text.replaceAll("-", "−");
}

function ticks(svg: Element, axis: "x" | "y"): string[] {
  return [...svg.querySelectorAll(`g[aria-label='${axis}-axis tick label'] text`)].map((label) => label.textContent ?? "");
}

/** Brief ticks where those of `svg` are long, and no more of the axis's name than there is room for. */
function axis(options: Plot.PlotOptions, name: "x" | "y", room: number, svg?: Element): Plot.ScaleOptions {
  const given = options[name] ?? {};
  const long = svg && ticks(svg, name).some((label) => label.replace("−", "").length > kLong);
  return {
    ...given,
    ...(given.label ? { label: wrap(given.label, room, 1).join("") } : {}),
    ...(long ? { tickFormat: brief } : {}),
  };
}

export function drawChart(options: Plot.PlotOptions & { width: number }, description?: string): SVGSVGElement {
  const { width, marginLeft: least = 48 } = options;
  const draw = (marginLeft: number, drawn?: Element) => {
    const [x, y] = [axis(options, "x", width - marginLeft - 24, drawn), axis(options, "y", width - 16, drawn)];
    return Plot.plot({ ...options, style: kStyle, marginLeft, x, y }) as SVGSVGElement;
  };
  const first = draw(least);
  const svg = draw(least, first);
  const room = Math.ceil(12 + Math.max(0, ...ticks(svg, "y").map((label) => breadth(label))));
  const fitted = room > least ? draw(room, first) : svg;
  if (description !== undefined) {
    fitted.setAttribute("role", "img");
    fitted.setAttribute("aria-label", description);
  }
  return fitted;
}
