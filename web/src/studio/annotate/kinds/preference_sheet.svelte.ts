/** A prompt and two replies: which is better, and by how much. */
import type { Answer, Served, Task } from "../../api";
import { levelKeys, type Action } from "../keys";
import { isNumber, levelsOf, type Sheet } from "../sheet";

export const kChoices = [
  { value: "A", label: "A is better", letter: "a" },
  { value: "B", label: "B is better", letter: "b" },
  { value: "tie", label: "Equally good", letter: "t" },
  { value: "both bad", label: "Both are bad", letter: "x" },
] as const;

export class PreferenceSheet implements Sheet {
  choice = $state<string | null>(null);
  strength = $state<number | null>(null);
  /** Of the strength; empty where the task asks for none. */
  readonly levels: number[];
  readonly levelKeys: string[];

  constructor(_served: Served, task: Task, draft: Answer | null) {
    this.levels = task.scale ? levelsOf(task.scale) : [];
    this.levelKeys = levelKeys(this.levels);
    if (kChoices.some(({ value }) => value === draft?.choice)) this.choice = String(draft?.choice);
    if (isNumber(draft?.strength) && this.levels.includes(draft.strength)) this.strength = draft.strength;
  }

  get single(): boolean {
    return this.levels.length === 0;
  }
  /** Whether a strength is asked for now: only one of the two being better has one. */
  get asksStrength(): boolean {
    return this.levels.length > 0 && (this.choice === "A" || this.choice === "B");
  }
  keysOf(index: number): string[] {
    const letter = kChoices[index]?.letter ?? "";
    return this.single ? [letter, `${index + 1}`] : [letter];
  }
  strengthAnchor(index: number): string {
    if (index === 0) return "slightly";
    return index === this.levels.length - 1 ? "by far" : "";
  }

  get answer(): Answer | null {
    if (this.missing || this.choice === null) return null;
    return this.asksStrength ? { choice: this.choice, strength: this.strength } : { choice: this.choice };
  }
  get missing(): string {
    if (this.choice === null) return "Choose one of the four.";
    return this.asksStrength && this.strength === null ? "Say by how much." : "";
  }
  get draft(): Answer {
    return {
      ...(this.choice === null ? {} : { choice: this.choice }),
      ...(this.strength === null ? {} : { strength: this.strength }),
    };
  }
  get actions(): readonly Action[] {
    const choices = kChoices.map(({ value, label }, i) => ({
      keys: this.keysOf(i),
      label,
      run: () => (this.choice = value),
      chooses: true,
    }));
    const strengths = this.levels.map((level, i) => ({
      keys: this.levelKeys[i] === undefined ? [] : [this.levelKeys[i]],
      label: ["By how much:", level, this.strengthAnchor(i)].join(" ").trim(),
      run: () => (this.strength = level),
      enabled: this.asksStrength,
    }));
    return [...choices, ...strengths];
  }
}
