/** What one rater took for what: a row a gold label, shaded by its share. */
import { h } from "../dom";
import { number } from "../format";
import type { Confusion } from "./data";

export function confusionTable({ rater, labels, counts }: Confusion): HTMLElement {
  const id = `confusion-${rater}`.replace(/[^\w-]/g, "-");
  const cell = (count: number, total: number, right: boolean) => {
    const share = total > 0 ? count / total : 0;
    const text = count === 0 ? "" : Number.isInteger(count) ? `${count}` : number(count, 1);
    return h(
      "td",
      { class: right ? "numeric right" : "numeric", style: `--share: ${share.toFixed(3)}` },
      text,
    );
  };
  const row = (label: string, gold: number) => {
    const line = counts[gold] ?? [];
    const total = line.reduce((sum, count) => sum + count, 0);
    return h(
      "tr",
      {},
      h("th", { scope: "row", dir: "auto" }, label),
      ...line.map((count, answer) => cell(count, total, gold === answer)),
    );
  };
  return h(
    "section",
    { class: "table confusion", id },
    h("h3", { id: `${id}-title` }, rater === "human" ? "People" : rater),
    h("p", {}, "Rows: the gold. Columns: the answer."),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": `${id}-title` },
      h(
        "table",
        { "aria-labelledby": `${id}-title` },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("td", {}),
            ...labels.map((label) => h("th", { scope: "col", dir: "auto" }, label)),
          ),
        ),
        h("tbody", {}, ...labels.map(row)),
      ),
    ),
  );
}
