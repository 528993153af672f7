/** What the data say, in plain words. */
import {
  known,
  kVerdicts,
  type Interval,
  type LeaderboardRow,
  type Report,
  type Subset,
  type View,
} from "./data";
import { count, interval, measure, number, percent, shortName, signed, span } from "./format";

/** Whether the paired difference from the human excludes zero. */
export function separable(row: LeaderboardRow): boolean {
  const ci = known(known(row.difference)?.ci);
  return ci !== undefined && (ci[0] > 0 || ci[1] < 0);
}

/** How many subsets have each verdict, in a fixed order. */
export function verdicts(subsets: Subset[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const verdict of kVerdicts) {
    const n = subsets.filter((subset) => subset.verdict === verdict).length;
    if (n > 0) counts.set(verdict, n);
  }
  return counts;
}

/** The best and the worst rank over the views. */
export function rankRange(views: View[]): Interval | undefined {
  const ranks = views.flatMap((view) => known(view.human_rank) ?? []);
  return ranks.length > 0 ? [Math.min(...ranks), Math.max(...ranks)] : undefined;
}

/** The headline, one sentence or two a paragraph. */
export function headline(report: Report): string[] {
  return [leaderboardSentence(report), subsetSentence(report), auditSentence(report)].filter(
    (sentence) => sentence !== "",
  );
}

function leaderboardSentence({ leaderboard }: Report): string {
  const { rows, ranked, level } = leaderboard;
  const human = rows.find((row) => row.kind === "human");
  if (!human || known(human.score) === undefined)
    return "No human score stands on this leaderboard.";
  const ranks = known(human.rank_ci);
  const range = ranks ? ` (${span(ranks).replace("–", " to ")} at ${percent(level)})` : "";
  const rank = known(human.rank);
  const place = rank === undefined ? "" : `, rank ${rank} of ${ranked}${range}`;
  return `Human ${measure(human.score, human.ci)}${place}. ${separationSentence(rows)}${bestSentence(rows)}`;
}

function separationSentence(rows: LeaderboardRow[]): string {
  const compared = rows.filter(
    (row) => row.kind === "model" && !row.partial && known(known(row.difference)?.ci),
  );
  if (compared.length === 0) return "";
  const apart = compared.filter(separable);
  const below = apart.filter((row) => (known(row.difference)?.value ?? 0) < 0).length;
  const above = apart.length - below;
  const parts = [
    `Not separable from ${count(compared.length - apart.length, "model")}`,
    below > 0 && `ahead of ${below}`,
    above > 0 ? `behind ${above}` : "behind none",
  ];
  return `${parts.filter(Boolean).join(", ")}. `;
}

function bestSentence(rows: LeaderboardRow[]): string {
  const models = rows.filter((row) => row.kind === "model" && !row.partial);
  const score = (row: LeaderboardRow) => known(row.score) ?? -Infinity;
  const best = models.reduce<LeaderboardRow | undefined>(
    (top, row) => (top && score(top) >= score(row) ? top : row),
    undefined,
  );
  const difference = known(best?.difference);
  const ci = known(difference?.ci);
  if (!best || !difference) return "";
  const bounds = ci ? ` ${interval(ci, signed)}` : "";
  return `The highest score, ${number(score(best))} of ${shortName(best.name)}, is ${signed(difference.value)}${bounds} from the human’s.`;
}

function subsetSentence({ gap }: Report): string {
  const found = [...verdicts(gap.subsets)].map(([verdict, n]) => `${verdict} on ${n}`);
  if (found.length === 0) return "";
  const list = found.length > 1 ? `${found.slice(0, -1).join(", ")} and ${found.at(-1)}` : found[0];
  const rival = gap.against === "best" ? "the best model of each" : gap.against;
  return `Subset by subset, against ${rival}: ${list} of ${gap.subsets.length}.`;
}

function auditSentence({ audit }: Report): string {
  const range = rankRange(audit.rows);
  if (!range || audit.rows.length < 2) return "";
  const ranks =
    range[0] === range[1] ? `stays ${range[0]}` : `moves between ${range[0]} and ${range[1]}`;
  return `Counted in ${audit.rows.length} ways, the human’s rank ${ranks}.`;
}
