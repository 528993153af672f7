/** Remedies at equal compute, with what nothing tells apart. */
import { h } from "../dom";
import { kSigns, legend } from "../figures/figure";
import { kNone, number, signed } from "../format";
import { measureCell, table } from "../table";
import { bounded, type Remedies, type Remedy } from "./data";
import { forest } from "./forest";

const kLooks: Record<string, string> = { "more gold": "aligned", "less gold": "inverted", "not separable": "insufficient" };
const lookOf = ({ words }: Remedy) => kLooks[words ?? ""] ?? "ink";

function remediesFigure({ remedies, prompts }: Remedies): HTMLElement {
  const none = remedies.find(({ remedy }) => remedy === "none");
  const rows = remedies.flatMap((one) =>
    bounded(one.gold, one.gold_ci)
      ? [{ name: one.remedy, value: one.gold, ci: one.gold_ci ?? null, look: lookOf(one), aside: `group ${one.group ?? kNone}` }]
      : [],
  );
  return forest({
    id: "figure-remedies",
    title: "Gold at equal compute",
    caption:
      `Mean gold over ${prompts} prompts at the last checkpoint that cost no more than the plain run (none), whose gold the line shows. Colours are of differences paired ` +
      "by prompt and corrected, which are told apart better than these intervals look; remedies of one group cannot be told apart from its first.",
    legend: legend([
      [kSigns.circle, "solid ink", "baseline"],
      [kSigns.circle, "solid aligned", "more gold than its baseline"],
      [kSigns.circle, "solid inverted", "less"],
      [kSigns.circle, "solid insufficient", "not separable"],
    ]),
    rows,
    x: "gold →",
    at: none?.gold ?? rows[0]?.value ?? 0,
  });
}

function remediesTable({ remedies }: Remedies): HTMLElement {
  const numeric = (head: string, of: (row: Remedy) => number | null | undefined, digits: number) => ({
    head,
    numeric: true,
    key: (row: Remedy) => of(row) ?? undefined,
    cell: (row: Remedy) => {
      const value = of(row);
      return typeof value === "number" ? number(value, digits) : kNone;
    },
  });
  return table<Remedy>({
    id: "table-remedies",
    title: "Remedies",
    caption: "Tokens are generated and trained ones, in thousands. Differences are against the baseline in brackets.",
    rows: remedies,
    wide: true,
    columns: [
      {
        head: "Remedy",
        key: ({ remedy }) => remedy,
        cell: ({ remedy, reason }) => h("span", {}, remedy, reason ? h("small", {}, ` not measured: ${reason}`) : undefined),
      },
      numeric("Tokens", ({ tokens }) => (tokens === undefined ? undefined : tokens / 1000), 0),
      numeric("Step", ({ step }) => step, 0),
      numeric("KL", ({ kl }) => kl, 2),
      {
        head: "Gold",
        numeric: true,
        key: ({ gold }) => gold,
        cell: (row) => measureCell(row.gold, row.gold_ci, undefined, (x) => number(x, 2)),
      },
      numeric("Group", ({ group }) => group, 0),
      {
        head: "Difference",
        numeric: true,
        key: ({ difference }) => difference ?? undefined,
        cell: (row) =>
          h(
            "span",
            {},
            measureCell(row.difference, row.difference_ci, undefined, (x) => signed(x, 2)),
            row.baseline ? h("small", {}, ` (${row.baseline})`) : undefined,
          ),
      },
      numeric("p, corrected", (row) => row.adjusted_p, 3),
      { head: "", key: ({ words }) => words ?? "", cell: (row) => (row.words ? h("span", { class: `tag ${lookOf(row)}` }, row.words) : "") },
      numeric("At the end", (row) => row.end_gold, 2),
    ],
  });
}

export function remediesParts(remedies: Remedies): Node[] {
  return [remediesFigure(remedies), remediesTable(remedies)];
}
