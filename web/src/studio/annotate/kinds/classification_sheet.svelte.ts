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
  /** Labels that contain what is looked for, the one that equals it first, then those that begin with it. */
  get found(): readonly string[] {
    const exact = this.filter.trim();
    if (!exact) return this.labels;
    const wanted = exact.toLocaleLowerCase();
    const rank = (label: string) => {
      const low = label.trim().toLocaleLowerCase();
      if (label.trim() === exact) return 0;
      return low === wanted ? 1 : low.startsWith(wanted) ? 2 : low.includes(wanted) ? 3 : 4;
    };
    const ranks = new Map(this.labels.map((label) => [label, rank(label)]));
    return [0, 1, 2, 3].flatMap((one) => this.labels.filter((label) => ranks.get(label) === one));
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
