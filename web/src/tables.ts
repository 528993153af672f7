/** The three tables of the report. */
import {
  known,
  type Gap,
  type Leaderboard,
  type LeaderboardRow,
  type Subset,
  type View,
} from "./data";
import { breakable, h } from "./dom";
import { kNone, number, percent, shortName, signed, span, subsetName, words } from "./format";
import { absentCell, measureCell, table } from "./table";

const kappa = (value: number) => number(value, 2);

export function leaderboardTable(board: Leaderboard): HTMLElement {
  return table<LeaderboardRow>({
    id: "table-leaderboard",
    title: "Table 1. Leaderboard",
    caption: `Scores on 0–100, ${board.aggregate_title}; intervals at ${percent(board.level)}. Rows of one tie group cannot be told apart.`,
    rows: board.rows,
    look: (row) => row.kind,
    columns: [
      {
        head: "Name",
        key: (row) => shortName(row.name),
        cell: (row) => named(row.name, shortName(row.name), row.revision ?? undefined),
      },
      { head: "Kind", key: (row) => row.kind, cell: (row) => row.kind },
      {
        head: "Score",
        numeric: true,
        key: (row) => known(row.score),
        cell: (row) => measureCell(row.score, row.ci, row),
      },
      { head: "Rank", numeric: true, key: (row) => known(row.rank), cell: rankCell },
      {
        head: "Tie group",
        numeric: true,
        key: (row) => known(row.tie_group),
        cell: (row) => `${known(row.tie_group) ?? kNone}`,
      },
      {
        head: "Minus human",
        hint: "This row’s score minus the human’s, with interval",
        numeric: true,
        key: (row) => known(row.difference)?.value,
        cell: (row) => {
          const difference = known(row.difference);
          return difference
            ? measureCell(difference.value, difference.ci, row, signed)
            : absentCell(row.difference);
        },
      },
      {
        head: "Subsets",
        hint: "Subsets that the row covers",
        numeric: true,
        key: (row) => known(row.coverage)?.[0],
        cell: (row) => known(row.coverage)?.join(" of ") ?? kNone,
      },
    ],
  });
}

export function subsetsTable(gap: Gap): HTMLElement {
  return table<Subset>({
    id: "table-subsets",
    wide: true,
    title: "Table 2. Human and models, subset by subset",
    caption: `Scores on 0–100 with ${percent(gap.level)} intervals. ${gap.note ?? ""}`.trim(),
    rows: gap.subsets,
    columns: [
      {
        head: "Subset",
        key: subsetName,
        cell: (row) => named(row.task, subsetName(row), `${row.type}, ${words(row.metric)}`),
      },
      { head: "n", hint: "Items", numeric: true, key: ({ n }) => known(n), cell: ({ n }) => `${known(n) ?? kNone}` },
      {
        head: "Human",
        numeric: true,
        key: (row) => known(row.human),
        cell: (row) => measureCell(row.human, row.human_ci, row),
      },
      {
        head: "Annotators",
        hint: "The score of each single annotator",
        numeric: true,
        key: (row) => row.annotators?.[0],
        cell: (row) => row.annotators?.map((score) => number(score)).join(" / ") || kNone,
      },
      {
        head: "Agreement",
        hint: "Agreement between annotators, with its coefficient",
        numeric: true,
        key: (row) => known(known(row.agreement)?.value),
        cell: agreementCell,
      },
      {
        head: "Model",
        numeric: true,
        key: (row) => known(row.model),
        cell: (row) =>
          noted(
            measureCell(row.model, row.model_ci, row),
            row.model_name && shortName(row.model_name),
          ),
      },
      {
        head: "Human − model",
        numeric: true,
        key: (row) => known(row.difference),
        cell: (row) => measureCell(row.difference, row.ci, row, signed),
      },
      {
        head: "Detectable",
        hint: "The smallest difference that these items could have shown",
        numeric: true,
        key: (row) => known(row.detectable),
        cell: (row) => measureCell(row.detectable),
      },
      {
        head: "Chance",
        numeric: true,
        key: (row) => known(row.chance),
        cell: (row) => measureCell(row.chance),
      },
      {
        head: "Trivial",
        hint: "The best answer that looks at no text",
        numeric: true,
        key: (row) => known(row.trivial)?.score,
        cell: (row) => {
          const trivial = known(row.trivial);
          return trivial ? noted(number(trivial.score), trivial.name) : absentCell(row.trivial);
        },
      },
      {
        head: "Verdict",
        key: (row) => row.verdict,
        cell: (row) => noted(row.verdict, row.warnings?.map((text) => `† ${text}`).join("\n")),
      },
    ],
  });
}

export function viewsTable(views: View[], level: number): HTMLElement {
  return table<View>({
    id: "table-views",
    title: "Table 3. Ways to count",
    caption: `The human’s rank under each view, with its ${percent(level)} interval where there is one.`,
    rows: views,
    columns: [
      {
        head: "View",
        key: (row) => row.view,
        cell: (row) => named(row.view, row.view, words(row.group)),
      },
      {
        head: "Human",
        numeric: true,
        key: (row) => known(row.human),
        cell: (row) => measureCell(row.human, null, row),
      },
      {
        head: "Best",
        numeric: true,
        key: (row) => known(row.best),
        cell: (row) => noted(measureCell(row.best), row.best_name && shortName(row.best_name)),
      },
      {
        head: "Human’s rank",
        numeric: true,
        key: (row) => known(row.human_rank),
        cell: (row) => {
          const rank = known(row.human_rank);
          const ci = known(row.rank_ci);
          if (rank === undefined) return absentCell(row.human_rank, row);
          return noted(`${rank} of ${row.of}`, ci && `(${span(ci)})`, " ");
        },
      },
      {
        head: "Subsets",
        numeric: true,
        key: (row) => known(row.subsets),
        cell: (row) => `${known(row.subsets) ?? kNone}`,
      },
      {
        head: "Trivial",
        hint: "The best answer that looks at no text",
        numeric: true,
        key: (row) => known(row.trivial),
        cell: (row) => noted(measureCell(row.trivial), row.trivial_name),
      },
    ],
  });
}

/** What a row is called, in full where the mouse rests, with a quiet note under it. */
function named(full: string, name: string, note?: string): Node {
  return noted(h("span", { title: full }, ...breakable(name)), note);
}

function noted(main: Node | string, note?: string | null, gap = "\n"): Node {
  if (!note) return h("span", {}, main);
  const look: Record<string, string> = gap === " " ? { class: "interval" } : {};
  return h("span", {}, main, gap === "\n" ? h("br") : gap, h("small", look, ...breakable(note)));
}

function rankCell(row: LeaderboardRow): Node | string {
  const rank = known(row.rank);
  if (rank === undefined)
    return absentCell(row.rank, row.partial ? { reason: "partial" } : undefined);
  const ci = known(row.rank_ci);
  return noted(`${rank}`, ci && `(${span(ci)})`, " ");
}

function agreementCell(row: Subset): Node | string {
  const agreement = known(row.agreement);
  if (!agreement) return absentCell(row.agreement);
  return noted(
    measureCell(agreement.value, agreement.ci, agreement, kappa),
    words(agreement.metric),
  );
}
