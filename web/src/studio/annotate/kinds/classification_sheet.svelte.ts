/** One text, and the label that fits. */
import type { Answer, Served, Task } from "../../api";
import { optionKeys, type Action } from "../keys";
import type { Sheet } from "../sheet";

/** With more labels than this there is a field to look for one. */
const kMany = 10;

export class ClassificationSheet implements Sheet {
  label = $state<string | null>(null);
  filter = $state("");
  readonly labels: readonly string[];
  readonly keys: ReadonlyMap<string, string>;
  readonly single = true;
  /** Set by the view: puts the cursor into the field. */
  look: () => void = () => {};

  constructor(_served: Served, task: Task, draft: Answer | null) {
    this.labels = task.labels;
    const keys = optionKeys(task.labels.length);
    this.keys = new Map(keys.map((key, i) => [task.labels[i] ?? "", key]));
    if (typeof draft?.label === "string" && task.labels.includes(draft.label)) this.label = draft.label;
  }

  get many(): boolean {
    return this.labels.length > kMany;
  }
  /** Labels that contain what is looked for, those that begin with it first; in the task's order. */
  get found(): readonly string[] {
    const wanted = this.filter.trim().toLocaleLowerCase();
    if (!wanted) return this.labels;
    const lower = this.labels.map((label) => [label, label.toLocaleLowerCase()] as const);
    const begins = lower.filter(([, low]) => low.startsWith(wanted));
    const contains = lower.filter(([, low]) => !low.startsWith(wanted) && low.includes(wanted));
    return [...begins, ...contains].map(([label]) => label);
  }
  get answer(): Answer | null {
    return this.label === null ? null : { label: this.label };
  }
  get missing(): string {
    return this.label === null ? "Choose a label." : "";
  }
  get draft(): Answer {
    return this.answer ?? {};
  }
  get actions(): readonly Action[] {
    const choose = [...this.keys].map(([label, key]) => ({
      keys: [key],
      label,
      run: () => (this.label = label),
      chooses: true,
    }));
    return this.many ? [{ keys: ["/"], label: "Look for a label", run: () => this.look() }, ...choose] : choose;
  }
}
