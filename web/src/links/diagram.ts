/** The three links as the paper's first figure draws them; each leads to its card. */
import { kLinks, kSides, lookOf, verdictOf, type LinkName, type Links } from "./data";

const kSvg = "http://www.w3.org/2000/svg";

function svg(tag: string, attributes: Record<string, string | number>, ...children: (Node | string)[]) {
  const element = document.createElementNS(kSvg, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
  element.append(...children);
  return element;
}

interface Place {
  x: number;
  y: number;
}
const kNodes: Record<string, Place> = {
  "Reward model": { x: 180, y: 44 },
  Policy: { x: 76, y: 222 },
  Evaluation: { x: 284, y: 222 },
};
const kHalf: Place = { x: 62, y: 22 };
/** Where the words of a link stand, clear of its line. */
const kWords: Record<LinkName, Place & { anchor: string }> = {
  A: { x: 104, y: 128, anchor: "end" },
  B: { x: 256, y: 128, anchor: "start" },
  C: { x: 180, y: 262, anchor: "middle" },
};

function node(name: string): Node {
  const { x, y } = kNodes[name] as Place;
  return svg(
    "g",
    {},
    svg("rect", { x: x - kHalf.x, y: y - kHalf.y, width: 2 * kHalf.x, height: 2 * kHalf.y, rx: 6, class: "node" }),
    svg("text", { x, y: y + 5, "text-anchor": "middle" }, name),
  );
}

function edge(links: Links, link: LinkName): Node {
  const verdict = verdictOf(links, link);
  const [from, to] = kSides[link].map((name) => kNodes[name] as Place) as [Place, Place];
  const words = kWords[link];
  const line = svg("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y });
  const label = svg(
    "text",
    { x: words.x, y: words.y, "text-anchor": words.anchor },
    svg("tspan", { class: "letter" }, link),
    " ",
    svg("tspan", { x: words.x, dy: 17, class: "verdict" }, verdict === "insufficient evidence" ? "insufficient" : verdict),
    ...(verdict === "insufficient evidence" ? [" ", svg("tspan", { x: words.x, dy: 15, class: "verdict" }, "evidence")] : []),
  );
  const anchor = svg("a", { href: `#link-${link}`, class: `edge ${lookOf(verdict)}` }, line, label);
  anchor.setAttribute("aria-label", `${link} ${verdict}: the link of ${kSides[link].join(" and ").toLowerCase()}`);
  // Not by the address, whose end is the studio's own.
  anchor.addEventListener("click", (event) => {
    const card = document.getElementById(`link-${link}`);
    if (!(card instanceof HTMLDetailsElement)) return;
    event.preventDefault();
    card.open = true;
    card.scrollIntoView();
    card.querySelector("summary")?.focus({ preventScroll: true });
  });
  return anchor;
}

export function diagram(links: Links): SVGElement {
  return svg(
    "svg",
    { viewBox: "0 0 360 300", class: "links-diagram", role: "group", "aria-label": "The three links" },
    ...kLinks.map((link) => edge(links, link)),
    ...Object.keys(kNodes).map(node),
  );
}
