/** The frame that all kinds of page share. */
import { h } from "./dom";
import { themeToggle } from "./theme";

export function header(
  title: string,
  [lead, ...more]: string[],
  links: readonly (readonly [id: string, text: string])[],
  kind = "gap report",
): HTMLElement {
  const items = links.map(([id, text]) => h("li", {}, h("a", { href: `#${id}` }, text)));
  return h(
    "header",
    {},
    h(
      "div",
      { class: "bar" },
      h("p", { class: "brand" }, "plumb", h("span", {}, ` ${kind}`)),
      themeToggle(),
    ),
    h("h1", {}, title),
    h("p", { class: "lead" }, lead ?? ""),
    ...more.map((sentence) => h("p", { class: "more" }, sentence)),
    h("nav", { "aria-label": "Contents" }, h("ul", {}, ...items)),
  );
}

export function section(id: string, title: string, ...children: Node[]): HTMLElement {
  return h(
    "section",
    { id, "aria-labelledby": `${id}-head` },
    h("h2", { id: `${id}-head` }, title),
    ...children,
  );
}

/** A line of the provenance: what, and of it. */
export const entry = (term: string, ...content: (Node | string)[]): HTMLElement[] => [
  h("dt", {}, term),
  h("dd", {}, ...content),
];

export const hash = (sha256: string) => h("code", { class: "hash" }, `sha256 ${sha256}`);

/** Where the numbers of a page come from: the command first, then `entries`. */
export function provenance(version: string, command: string, ...entries: HTMLElement[]): HTMLElement {
  return h(
    "footer",
    { id: "provenance", "aria-labelledby": "provenance-head" },
    h("h2", { id: "provenance-head" }, "Provenance"),
    h("dl", {}, ...entry("Made by", `plumb ${version}, `, h("code", {}, command)), ...entries),
  );
}

/** A heading with one paragraph, where there is nothing to tabulate. */
export function contents(title: string, text: string): HTMLElement {
  return h("section", { class: "table" }, h("h3", {}, title), h("p", {}, text));
}
