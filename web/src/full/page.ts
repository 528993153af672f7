/** Lays out the report of `plumb report full`: the three links, and all that was measured beside them. */
import { h } from "../dom";
import { header, section } from "../layout";
import { linksSection, linksSentences, numbered, openForPrint, sources } from "../links/page";
import type { FullReport } from "./data";
import { populationParts } from "./population";
import { remediesParts } from "./remedies";
import { roundsParts } from "./rounds";
import { swapsParts } from "./swaps";

const kContents: [string, string][] = [
  ["links", "Links"],
  ["swap", "Swap tests"],
  ["population", "Population"],
  ["remedies", "Remedies"],
  ["rounds", "Rounds"],
  ["notes", "Notes"],
  ["provenance", "Provenance"],
];

const paragraphs = (notes: string[]) => notes.map((note) => h("p", {}, note));

/** How to read a part and what it comes to; the rest folded away. */
function folded(notes: string[]): HTMLElement[] {
  const rest = notes.slice(3);
  if (rest.length < 3) return paragraphs(notes);
  return [...paragraphs(notes.slice(0, 3)), h("details", {}, h("summary", {}, "Notes on each"), ...paragraphs(rest))];
}

export function fullPage(report: FullReport): Node[] {
  const { links, swaps, population, remedies, rounds, notes } = report;
  openForPrint();
  return numbered([
    header(report.title, linksSentences(links), kContents, "links report"),
    linksSection(links),
    section("swap", "Swap tests", ...swapsParts(swaps)),
    section("population", "Which metric of a reward model foretells the gold", ...populationParts(population), ...paragraphs(notes.population)),
    section("remedies", "What helps, at equal compute", ...remediesParts(remedies), ...folded(notes.remedies)),
    section("rounds", "Asking again", ...roundsParts(rounds.rounds), ...paragraphs(notes.rounds)),
    section("notes", "Notes", ...paragraphs(links.notes)),
    sources(links),
  ]);
}
