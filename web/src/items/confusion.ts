/** What one rater took for what: a row a gold label, shaded by its share. */
import { h } from "../dom";
import { cut, number, percent, visible } from "../format";
import type { Confusion } from "./data";

/** Paper is as wide as a matrix of so many labels. */
const kOnPaper = 16;
const kListed = 20;
/** A column's head says the beginning of a long label; the row's says all of it. */
const kHead = 40;

const said = (count: number) => (Number.isInteger(count) ? `${count}` : number(count, 1));
const sum = (counts: number[]) => counts.reduce((all, count) => all + count, 0);

function cell(count: number, total: number, right: boolean): HTMLElement {
  const share = total > 0 ? count / total : 0;
  return h(
    "td",
    { class: right ? "numeric right" : "numeric", style: `--share: ${share.toFixed(3)}` },
    count === 0 ? "" : said(count),
  );
}

function head(label: string): HTMLElement {
  const short = cut(visible(label), kHead);
  return h("th", { scope: "col", dir: "auto" }, h("span", { title: visible(label) }, short));
}

function matrix(labels: string[], counts: number[][], title: string): HTMLElement {
  const row = (label: string, gold: number) => {
    const line = counts[gold] ?? [];
    const total = sum(line);
    return h(
      "tr",
      {},
      h("th", { scope: "row", dir: "auto" }, h("span", {}, visible(label))),
      ...line.map((count, answer) => cell(count, total, gold === answer)),
    );
  };
  return h(
    "table",
    { "aria-labelledby": title },
    h("thead", {}, h("tr", {}, h("td", {}), ...labels.map(head))),
    h("tbody", {}, ...labels.map(row)),
  );
}

/** Of a matrix that no sheet of paper holds: the wrong answers that were given most. */
function largest(labels: string[], counts: number[][], title: string): HTMLElement {
  const wrong = counts
    .flatMap((line, gold) => line.map((count, answer) => ({ gold, answer, count, share: count / sum(line) })))
    .filter(({ gold, answer, count }) => gold !== answer && count > 0)
    .sort((a, b) => b.count - a.count);
  const name = (at: number) => h("span", { dir: "auto" }, visible(labels[at] ?? ""));
  const rows = wrong.slice(0, kListed).map(({ gold, answer, count, share }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name(gold)),
      h("td", {}, name(answer)),
      h("td", { class: "numeric" }, said(count)),
      h("td", { class: "numeric" }, percent(Math.round(100 * share) / 100)),
    ),
  );
  const heads = ["Gold", "Answer", "Times", "Of this gold"];
  return h(
    "div",
    { class: "on-paper" },
    h("p", {}, `${labels.length} labels are too many for paper. ${most(wrong.length)}`),
    h(
      "table",
      { "aria-labelledby": title },
      h("thead", {}, h("tr", {}, ...heads.map((text, at) => h("th", { scope: "col", class: at > 1 ? "numeric" : "" }, text)))),
      h("tbody", {}, ...rows),
    ),
  );
}

function most(wrong: number): string {
  if (wrong === 0) return "No answer differs from the gold.";
  return wrong > kListed ? `The ${kListed} largest confusions of ${wrong}:` : "All confusions:";
}

export function confusionTable({ rater, labels, counts }: Confusion, at: number): HTMLElement {
  const id = `confusion-${at}`;
  const title = `${id}-title`;
  const onPaper = labels.length <= kOnPaper;
  return h(
    "section",
    { class: onPaper ? "table confusion" : "table confusion large", id },
    h("h3", { id: title }, rater === "human" ? "People" : rater),
    h("p", {}, "Rows: the gold. Columns: the answer."),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": title },
      matrix(labels, counts, title),
    ),
    onPaper ? undefined : largest(labels, counts, title),
  );
}
