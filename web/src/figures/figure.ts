/** A titled figure that is drawn again whenever its width changes, and at a page's width for print. */
import { h } from "../dom";

const kPaperWidth = 800;

export interface Figure {
  id: string;
  title: string;
  caption: string;
  legend: Node;
  draw: (width: number) => SVGSVGElement;
}

export function figure({ id, title, caption, legend, draw }: Figure): HTMLElement {
  const chart = h("div", { class: "chart" });
  let drawn = 0;
  const redraw = (width: number) => {
    if (width === drawn || width === 0) return;
    drawn = width;
    chart.replaceChildren(draw(width));
  };
  const fit = () => redraw(Math.floor(chart.clientWidth));
  new ResizeObserver(fit).observe(chart);
  window.addEventListener("beforeprint", () => redraw(kPaperWidth));
  window.addEventListener("afterprint", fit);
  return h(
    "figure",
    { id },
    h("figcaption", {}, h("h3", {}, title), h("p", {}, caption)),
    legend,
    chart,
  );
}

/** Without style elements, which the studio's policy allows none of; one image with one description: its groups have no names. */
export function bare(svg: SVGSVGElement): SVGSVGElement {
  svg.querySelectorAll("style").forEach((style) => style.remove());
  svg.querySelectorAll("g[aria-label]").forEach((group) => group.removeAttribute("aria-label"));
  return svg;
}

/** One sign of a legend: an SVG path about the origin, its class, and what it means. */
export type Sign = [path: string, look: string, text: string];

export const kSigns = {
  circle: "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0",
  small: "M-2.5,0a2.5,2.5 0 1,0 5,0a2.5,2.5 0 1,0 -5,0",
  diamond: "M0,-7L4.6,0L0,7L-4.6,0Z",
  square: "M-3.5,-3.5h7v7h-7Z",
  bar: "M-9,0h18",
  tick: "M0,-6v12",
} as const;

export function legend(signs: Sign[]): HTMLElement {
  return h("ul", { class: "legend" }, ...signs.map(sign));
}

function sign([path, look, text]: Sign): HTMLElement {
  const kSvg = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(kSvg, "svg");
  svg.setAttribute("viewBox", "-10 -8 20 16");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(kSvg, "path");
  shape.setAttribute("d", path);
  shape.setAttribute("class", look);
  svg.append(shape);
  return h("li", {}, svg, text);
}
