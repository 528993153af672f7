/** Lays out the report of `plumb report links`: the three links as cards, then where gold is lost. */
import { h } from "../dom";
import { count, percent } from "../format";
import { entry, hash, header, provenance, section } from "../layout";
import { examplesSection } from "../mismatch/examples";
import {
  finite,
  judged,
  kLinks,
  kQuestions,
  kSides,
  lookOf,
  verdictOf,
  type LinkDetails,
  type LinkName,
  type Links,
  type LinksReport,
} from "./data";
import { diagram } from "./diagram";
import { accuracyFigure, evaluationFigures, gainsFigure, verdictsFigure } from "./figures";
import { estimateOf, linkTable, swapTable, verdictTag } from "./tables";

type Made = Node | undefined;

const kHeadlines = 6;

/** The measures that decide a link, in words. */
function headlines(links: Links, link: LinkName): Node[] {
  const all = links.links.filter((row) => row.link === link && row.headline);
  const rows = [...all.filter(({ estimate }) => finite(estimate)), ...all.filter(({ estimate }) => !finite(estimate))];
  const said = rows.slice(0, kHeadlines).map((row) => {
    const value = estimateOf(row) ?? row.reason ?? "not measured";
    const run = row.run && judged(links).length > 1 ? `${row.run}: ` : "";
    return h("li", {}, `${run}${row.measure} `, h("b", {}, value));
  });
  return rows.length > kHeadlines ? [...said, h("li", {}, `and ${rows.length - kHeadlines} more in the table`)] : said;
}

function inside(link: LinkName, links: Links, details: LinkDetails[]): Made[] {
  const figures = details.flatMap((one, at): Made[] => {
    if (link === "A") return [gainsFigure(one, at), accuracyFigure(one, at)];
    return link === "C" ? evaluationFigures(one, at) : [];
  });
  const samples = link === "A" ? details.map((one) => examplesSection(one, one)) : [];
  return [verdictsFigure(links, link), ...figures, ...samples, linkTable(links, link)];
}

function card(link: LinkName, links: Links, details: LinkDetails[]): HTMLElement {
  const verdict = verdictOf(links, link);
  const tags =
    verdict === "mixed"
      ? judged(links).map(({ name, verdicts }) =>
          h("span", { class: "of-run" }, `${name} `, verdictTag(verdicts?.[link] ?? null)),
        )
      : [verdictTag(verdict)];
  const body = h("div", { class: "inside" });
  const element = h(
    "details",
    { class: `link-card ${lookOf(verdict)}`, id: `link-${link}` },
    h(
      "summary",
      {},
      h("h3", {}, h("span", { class: "letter" }, link), ` ${kSides[link].join(" – ")} `, ...tags),
      h("p", {}, kQuestions[link]),
      h("ul", { class: "headlines" }, ...headlines(links, link)),
    ),
    body,
  );
  body.append(...inside(link, links, details).filter((made) => made !== undefined));
  return element;
}

export function linksPage(report: LinksReport): Node[] {
  const contents: [string, string][] = [
    ["links", "Links"],
    ...(report.links.swap.length > 0 ? [["swap", "Swap tests"] as [string, string]] : []),
    ["notes", "Notes"],
    ["provenance", "Provenance"],
  ];
  openForPrint();
  return [header(report.title, linksSentences(report), contents, "links report"), ...linksSections(report)];
}

/** On paper every card is open. */
export function openForPrint(): void {
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details.link-card").forEach((one) => one.setAttribute("open", ""));
  });
}

/** What the links say in one sentence, then what could not be measured. */
export function linksSentences({ links }: LinksReport): string[] {
  return [links.sentence, ...links.runs.flatMap((run) => run.missing.map((reason) => `${run.name}. ${reason}`))];
}

export function linksSection({ links, details }: LinksReport): HTMLElement {
  return section(
    "links",
    "The three links",
    h("p", { class: "hint" }, "A card opens into its curves, samples and tables."),
    h("div", { class: "links-top" }, diagram(links), h("div", { class: "cards" }, ...kLinks.map((link) => card(link, links, details)))),
  );
}

/** All below the head of the page. */
export function linksSections(report: LinksReport): HTMLElement[] {
  const { links, notes } = report;
  const swap = swapTable(links);
  return numbered([
    linksSection(report),
    ...(swap ? [section("swap", "Swap tests", swap)] : []),
    section("notes", "Notes", ...notes.map((note) => h("p", {}, note))),
    sources(report),
  ]);
}

/** Numbers the figures in the order in which they stand. */
export function numbered(nodes: HTMLElement[]): HTMLElement[] {
  let made = 0;
  for (const title of nodes.flatMap((node) => [...node.querySelectorAll("figcaption h3")])) {
    made += 1;
    title.prepend(`Figure ${made}. `);
  }
  return nodes;
}

export function sources({ version, command, links }: LinksReport): HTMLElement {
  return provenance(
    version,
    command,
    ...entry("Intervals", `${percent(links.level)}, ${links.resamples} resamples, seed ${links.seed}`),
    ...links.runs
      .filter(({ file, seeds }) => file !== "" && seeds < 2)
      .flatMap((run) =>
        entry(
          run.name,
          `${count(run.samples, "sample")} of ${count(run.prompts, "prompt")} at ${count(run.steps, "step")}, ${run.file}`,
          h("br"),
          hash(run.sha256),
        ),
      ),
    ...links.inputs.flatMap(({ what, file, sha256 }) => entry(what, file, h("br"), hash(sha256))),
  );
}
