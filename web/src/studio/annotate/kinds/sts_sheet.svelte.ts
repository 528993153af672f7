/** Two texts, and how alike they are on a scale. */
import type { Answer, Served, Task } from "../../api";
import { levelKeys, type Action } from "../keys";
import { isNumber, levelsOf, type Sheet } from "../sheet";

/** What the grades of common scales mean. Other scales have words for their ends. */
const kAnchors: Record<string, readonly string[]> = {
  "0 5": [
    "Different topics",
    "Same topic, different meaning",
    "Different, with shared details",
    "Roughly alike; something important differs",
    "Nearly the same; only details differ",
    "The same meaning",
  ],
  "1 5": [
    "Different topics",
    "Same topic, different meaning",
    "Partly the same",
    "Nearly the same; only details differ",
    "The same meaning",
  ],
};

export class StsSheet implements Sheet {
  rating = $state<number | null>(null);
  readonly levels: number[];
  readonly keys: string[];
  readonly anchors: readonly string[];
  readonly single = true;

  constructor(_served: Served, task: Task, draft: Answer | null) {
    const scale = task.scale ?? [0, 5];
    this.levels = levelsOf(scale, 3);
    this.keys = levelKeys(this.levels);
    this.anchors =
      kAnchors[scale.join(" ")] ??
      this.levels.map((_, i) => (i === 0 ? "Different" : i === this.levels.length - 1 ? "The same meaning" : ""));
    if (isNumber(draft?.rating)) this.rating = draft.rating;
  }

  get answer(): Answer | null {
    return this.rating === null ? null : { rating: this.rating };
  }
  get missing(): string {
    return this.rating === null ? "Choose a grade." : "";
  }
  get draft(): Answer {
    return this.rating === null ? {} : { rating: this.rating };
  }
  get actions(): readonly Action[] {
    return this.levels.map((level, i) => ({
      keys: this.keys[i] === undefined ? [] : [this.keys[i]],
      label: this.anchors[i] ? `${level}: ${this.anchors[i]}` : `${level}`,
      run: () => (this.rating = level),
      chooses: true,
    }));
  }
}
