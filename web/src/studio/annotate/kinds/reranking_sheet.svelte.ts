/** A query and candidates: each is marked with a grade, or all are put in an order in which some may be equal. */
import type { Answer, Served, Task } from "../../api";
import { levelKeys, type Action } from "../keys";
import { isNumber, levelsOf, text, type Sheet } from "../sheet";

const isRanks = (value: unknown, count: number): value is number[][] =>
  Array.isArray(value) &&
  value.every((tie) => Array.isArray(tie) && tie.length > 0 && tie.every((i) => Number.isInteger(i))) &&
  value.flat().length === count &&
  new Set(value.flat()).size === count &&
  value.flat().every((i) => i >= 0 && i < count);

/** Places in order, best first, as lists of equals, of numbers where higher is better. */
function ranksOf(values: readonly number[]): number[][] {
  const distinct = [...new Set(values)].sort((a, b) => b - a);
  return distinct.map((value) => values.flatMap((one, i) => (one === value ? [i] : [])));
}

export class RerankingSheet implements Sheet {
  mode = $state<"marks" | "order">("marks");
  grades = $state<(number | null)[]>([]);
  none = $state(false);
  /** Candidates by rank, best first; those of one rank are equal. */
  ranks = $state<number[][]>([]);
  ordered = $state(false);
  /** The candidate that keys speak to. */
  at = $state(0);
  readonly query: string;
  readonly candidates: readonly string[];
  readonly levels: number[];
  readonly levelKeys: string[];
  readonly single = false;
  /** Set by the view: moves the focus to the candidate that keys speak to. */
  follow: () => void = () => {};

  constructor(served: Served, task: Task, draft: Answer | null) {
    this.query = text(served.item, "query");
    this.candidates = Array.isArray(served.item.candidates) ? served.item.candidates.map(String) : [];
    this.levels = levelsOf(task.scale ?? [0, 1]);
    this.levelKeys = levelKeys(this.levels);
    this.grades = this.candidates.map(() => null);
    this.ranks = this.candidates.map((_, i) => [i]);
    this.#restore(draft);
  }

  #restore(draft: Answer | null): void {
    const count = this.candidates.length;
    const { grades, scores, marks, ranks, mode, none } = draft ?? {};
    const given = Array.isArray(marks) ? marks : grades;
    if (Array.isArray(given) && given.length === count) {
      this.grades = given.map((grade) => (isNumber(grade) ? grade : null));
      this.none = none === true || (marks === undefined && this.grades.every((grade) => grade === this.lowest));
    }
    if (Array.isArray(scores) && scores.length === count && scores.every(isNumber)) {
      this.ranks = ranksOf(scores);
      this.ordered = true;
      this.mode = "order";
    }
    if (isRanks(ranks, count)) {
      this.ranks = ranks;
      this.ordered = true;
    }
    if (mode === "order" || mode === "marks") this.mode = mode;
  }

  get lowest(): number {
    return this.levels[0] ?? 0;
  }
  get marked(): number {
    return this.grades.filter((grade) => grade !== null).length;
  }
  /** Candidates as they stand on the page. */
  get shown(): number[] {
    return this.mode === "order" ? this.ranks.flat() : this.candidates.map((_, i) => i);
  }
  levelLabel(index: number): string {
    const top = this.levels.length - 1;
    if (index === 0) return "not relevant";
    if (top === 1) return "relevant";
    return index === top ? "highly relevant" : index === 1 ? "slightly relevant" : "";
  }
  rankOf(candidate: number): number {
    return this.ranks.findIndex((tie) => tie.includes(candidate));
  }

  mark(candidate: number, grade: number): void {
    this.at = candidate;
    this.none = false;
    this.grades[candidate] = grade;
  }
  markNone(): void {
    this.none = true;
    this.grades = this.candidates.map(() => this.lowest);
  }
  setMode(mode: "marks" | "order"): void {
    if (mode === "order" && !this.ordered && this.marked > 0) {
      this.ranks = ranksOf(this.grades.map((grade) => grade ?? this.lowest));
      this.ordered = true;
    }
    this.mode = mode;
  }
  /** One rank up (-1) or down (1); out of a tie first. */
  shift(candidate: number, step: -1 | 1): void {
    const rank = this.rankOf(candidate);
    const tie = this.ranks[rank];
    if (!tie) return;
    const next = this.ranks.map((one) => [...one]);
    if (tie.length > 1) {
      next[rank] = tie.filter((one) => one !== candidate);
      next.splice(step < 0 ? rank : rank + 1, 0, [candidate]);
    } else {
      const other = next[rank + step];
      if (!other) return;
      next[rank + step] = tie.slice();
      next[rank] = other;
    }
    this.ranks = next;
    this.ordered = true;
    this.at = candidate;
  }
  /** Equal to what stands above, or not any more. */
  tie(candidate: number): void {
    const rank = this.rankOf(candidate);
    const tie = this.ranks[rank];
    if (!tie) return;
    const next = this.ranks.map((one) => [...one]);
    if (tie.length > 1) {
      next[rank] = tie.filter((one) => one !== candidate);
      next.splice(rank + 1, 0, [candidate]);
    } else if (rank > 0) {
      next[rank - 1]?.push(candidate);
      next.splice(rank, 1);
    }
    this.ranks = next;
    this.ordered = true;
    this.at = candidate;
  }
  /** Alone on the rank before that of `before`; at the end where that is null. */
  place(candidate: number, before: number | null): void {
    if (candidate === before) return;
    const next = this.ranks.map((tie) => tie.filter((one) => one !== candidate)).filter((tie) => tie.length > 0);
    const rank = before === null ? next.length : next.findIndex((tie) => tie.includes(before));
    next.splice(rank, 0, [candidate]);
    this.ranks = next;
    this.ordered = true;
    this.at = candidate;
  }
  step(by: -1 | 1): void {
    const shown = this.shown;
    const next = shown[shown.indexOf(this.at) + by];
    if (next !== undefined) this.at = next;
    this.follow();
  }

  get answer(): Answer | null {
    if (this.missing) return null;
    if (this.mode === "marks") return { grades: this.grades.map((grade) => grade ?? this.lowest) };
    const scores = this.candidates.map((_, i) => this.ranks.length - this.rankOf(i));
    return { scores };
  }
  get missing(): string {
    if (this.mode === "order") return this.ordered ? "" : "Put them in order.";
    return this.marked > 0 || this.none ? "" : "Mark what is relevant, or say that nothing is.";
  }
  get draft(): Answer {
    return {
      mode: this.mode,
      ...(this.marked > 0 ? { marks: $state.snapshot(this.grades) } : {}),
      ...(this.none ? { none: true } : {}),
      ...(this.ordered ? { ranks: $state.snapshot(this.ranks) } : {}),
    };
  }
  get actions(): readonly Action[] {
    const inOrder = this.mode === "order";
    const after = (run: () => void) => () => {
      run();
      this.follow();
    };
    const marks = this.levels.map((level, i) => ({
      keys: this.levelKeys[i] === undefined ? [] : [this.levelKeys[i]],
      label: `Mark it ${level}${this.levelLabel(i) ? `, ${this.levelLabel(i)}` : ""}, go on to the next`,
      run: () => {
        this.mark(this.at, level);
        this.step(1);
      },
    }));
    const order: Action[] = [
      { keys: ["Alt+ArrowUp"], label: "Move it up", run: after(() => this.shift(this.at, -1)), repeats: true },
      { keys: ["Alt+ArrowDown"], label: "Move it down", run: after(() => this.shift(this.at, 1)), repeats: true },
      { keys: ["="], label: "Equal to the one above, or not", run: after(() => this.tie(this.at)) },
    ];
    return [
      { keys: ["ArrowUp", "k"], label: "The candidate above", run: () => this.step(-1), repeats: true },
      { keys: ["ArrowDown", "j"], label: "The candidate below", run: () => this.step(1), repeats: true },
      ...(inOrder ? order : marks),
      ...(inOrder ? [] : [{ keys: ["z"], label: "None is relevant", run: () => this.markNone() }]),
      { keys: ["o"], label: "Marks or order", run: after(() => this.setMode(inOrder ? "marks" : "order")) },
    ];
  }
}
