/** The tables of a page about single answers. */
import { known } from "../data";
import { breakable, h } from "../dom";
import { cut, kNone, number, percent, signed, visible, words } from "../format";
import { absentCell, measureCell, table, type Table } from "../table";
import type { Item, Rater, RatersOf } from "./data";

const three = (value: number) => number(value, 3);
const reason = (row: Rater) => (row.score_reason === undefined ? {} : { reason: row.score_reason });

function ofDifferences({ level, gap_level }: RatersOf): string {
  if (gap_level === undefined || gap_level === level) return "";
  return `, of differences ${percent(gap_level)} because the best model is chosen after the fact`;
}

export function ratersTable(results: RatersOf): HTMLElement {
  return table(ratersRows(results, "table-raters", "Table 1. Raters"));
}

export function ratersRows(results: RatersOf, id: string, title: string): Table<Rater> {
  return {
    id,
    wide: true,
    title,
    caption: `${words(results.metric)} with ${percent(results.level)} intervals${ofDifferences(results)}. Chance is what the same answers earn when they are dealt at random.`,
    rows: results.rows,
    look: (row) => row.kind,
    columns: [
      { head: "Rater", key: (row) => row.name, cell: (row) => h("span", {}, ...breakable(row.name)) },
      { head: "Kind", key: (row) => row.kind, cell: (row) => row.kind },
      { head: "n", hint: "Items", numeric: true, key: (row) => row.n, cell: (row) => `${row.n}` },
      {
        head: "Score",
        numeric: true,
        key: (row) => known(row.score),
        cell: (row) => measureCell(row.score, row.ci, reason(row), three),
      },
      {
        head: "Above chance",
        hint: "(score − chance) / (1 − chance)",
        numeric: true,
        key: (row) => known(row.normalised),
        cell: (row) => measureCell(row.normalised, null, {}, three),
      },
      {
        head: "Human − rater",
        numeric: true,
        key: (row) => known(row.gap),
        cell: (row) =>
          known(row.gap) === undefined
            ? absentCell(row.gap)
            : measureCell(row.gap, row.gap_ci, {}, (x) => signed(x, 3)),
      },
      {
        head: "Detectable",
        hint: "The least difference that would be found with power 0.8",
        numeric: true,
        key: (row) => known(row.detectable),
        cell: (row) => measureCell(row.detectable, null, {}, three),
      },
      { head: "Verdict", key: (row) => row.verdict, cell: (row) => row.verdict ?? kNone },
    ],
  };
}

const kLongest = 280;

/** The texts of an item, each in its own direction; long ones are cut. */
function texts(item: Item): Node {
  return h(
    "div",
    { class: "texts" },
    ...item.texts.map((text) => h("p", { dir: "auto" }, cut(visible(text), kLongest))),
  );
}

/** "joy" of {"label":"joy"}; of several runs the answers one after the other. */
function answer(value: unknown): string {
  if (value === null || value === undefined) return kNone;
  if (Array.isArray(value)) return [...new Set(value.map(answer))].join(" | ");
  if (typeof value !== "object") return plain(value);
  const parts = Object.entries(value).filter(([key, part]) => key !== "strength" || part !== 0);
  return parts.map(([, part]) => plain(part)).join(", ");
}

function plain(part: unknown): string {
  if (Array.isArray(part)) return part.map(plain).join(" ");
  if (typeof part === "string") return visible(part);
  return typeof part === "number" && !Number.isInteger(part) ? number(part, 2) : `${part}`;
}

function answers(item: Item): Node {
  const entries = Object.entries(item.answers);
  return h(
    "dl",
    { class: "answers" },
    h("dt", {}, "gold"),
    h("dd", { dir: "auto" }, answer(item.gold)),
    ...entries.flatMap(([rater, value]) => [
      h("dt", {}, rater),
      h("dd", { dir: "auto" }, answer(value)),
    ]),
  );
}

export function itemsTable(id: string, title: string, caption: string, rows: Item[]): HTMLElement {
  const share = (value: Item["people"]) => measureCell(value, null, {}, (x) => number(x, 2));
  return table<Item>({
    id: `table-${id}`,
    wide: true,
    title,
    caption,
    rows,
    columns: [
      { head: "Item", key: ({ item }) => item, cell: ({ item }) => item },
      {
        head: "Disagreement",
        numeric: true,
        key: (item) => known(item.disagreement),
        cell: (item) => share(item.disagreement),
      },
      {
        head: "People",
        hint: "How close people come to the gold, 0 to 1",
        numeric: true,
        key: (item) => known(item.people),
        cell: (item) => share(item.people),
      },
      {
        head: "Models",
        hint: "How close good models come to the gold, 0 to 1",
        numeric: true,
        key: (item) => known(item.models),
        cell: (item) => share(item.models),
      },
      { head: "Answers", key: (item) => answer(item.gold), cell: answers },
      { head: "Texts", key: (item) => item.texts[0], cell: texts },
    ],
  });
}
