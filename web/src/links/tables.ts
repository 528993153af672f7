/** The rows of the links, and the swap tests. */
import { h } from "../dom";
import { interval, kNone, number, percent, signed, sized } from "../format";
import { table } from "../table";
import { finite, kSides, lookOf, type LinkName, type LinkRow, type Links, type SwapStage } from "./data";

/** "0.81 [0.79, 0.82]", or undefined. */
export function estimateOf(row: LinkRow): string | undefined {
  if (!finite(row.estimate)) return undefined;
  const said = sized([row.estimate]);
  return row.ci ? `${said(row.estimate)} ${interval(row.ci, said)}` : said(row.estimate);
}

function estimateCell(row: LinkRow): Node | string {
  const said = estimateOf(row);
  if (said === undefined) return h("span", { class: "absent" }, `${kNone} ${row.reason ?? ""}`);
  return row.ci ? said : `${said} (${row.reason ?? "no interval"})`;
}

export function verdictTag(verdict: string | null): HTMLElement {
  return h("span", { class: `tag ${lookOf(verdict as LinkRow["verdict"])}` }, verdict ?? "");
}

export function linkTable(links: Links, link: LinkName): HTMLElement {
  const several = links.runs.length > 1;
  return table<LinkRow>({
    id: `table-link-${link}`,
    title: `Link ${link}: ${kSides[link].join(" and ").toLowerCase()}`,
    caption:
      `Intervals are ${percent(links.level)}. Detectable is the difference that would have been found with power 0.8; ` +
      "rows without a verdict describe. Bold rows decide the link.",
    rows: links.links.filter((row) => row.link === link),
    wide: true,
    look: (row) => (row.headline ? "headline" : ""),
    columns: [
      ...(several ? [{ head: "Run", key: (row: LinkRow) => row.run ?? "", cell: (row: LinkRow) => row.run ?? kNone }] : []),
      {
        head: "Measure",
        key: (row) => row.measure,
        cell: (row) => h("span", {}, row.measure, row.note ? h("small", {}, ` ${row.note}`) : undefined),
      },
      { head: "Estimate", numeric: true, key: (row) => row.estimate ?? undefined, cell: estimateCell },
      { head: "Verdict", key: (row) => row.verdict ?? "", cell: (row) => (row.verdict ? verdictTag(row.verdict) : kNone) },
      {
        head: "Detectable",
        numeric: true,
        key: (row) => row.detectable ?? undefined,
        cell: (row) => (finite(row.detectable) ? sized([row.estimate ?? row.detectable])(row.detectable) : kNone),
      },
      { head: "n", numeric: true, key: (row) => row.n, cell: (row) => (row.n > 0 ? `${row.n} ${row.of}` : kNone) },
    ],
  });
}

export function swapTable(links: Pick<Links, "swap" | "swap_at">, run = ""): HTMLElement | undefined {
  if (links.swap.length === 0) return undefined;
  const at = links.swap_at;
  const lost = sized(links.swap.map(({ loss }) => loss), signed);
  return table<SwapStage>({
    id: run ? `table-swap-${run}` : "table-swap",
    title: run ? `${run}: where gold is lost` : "Where gold is lost",
    caption:
      "One stage at a time is replaced by the best there is: the gold for the reward model, best of n for the optimiser at equal gain of the proxy, new labels " +
      `for the evaluation.${at ? ` Compared at a proxy gain of ${sized([at.proxy_gain])(at.proxy_gain)} (step ${number(at.step, 0)}, n = ${number(at.n, 1)}), over ${at.prompts} prompts.` : ""}`,
    rows: links.swap,
    look: (row) => (row.stage === "total" ? "headline" : ""),
    columns: [
      { head: "Stage", key: (row) => row.stage, cell: (row) => row.stage },
      {
        head: "Gold lost",
        numeric: true,
        key: (row) => row.loss ?? undefined,
        cell: (row) => {
          if (!finite(row.loss)) return h("span", { class: "absent" }, `${kNone} ${row.reason ?? ""}`);
          return row.ci ? `${lost(row.loss)} ${interval(row.ci, lost)}` : lost(row.loss);
        },
      },
    ],
  });
}
