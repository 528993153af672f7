/** Disputes one after another: the list, the item in hand, what is being decided of it, and whether that is saved. */
import { Refused, Unreachable, words, type Answer, type Kind, type Study, type Task } from "../api";
import { kKinds } from "../annotate/kinds";
import type { Sheet } from "../annotate/sheet";
import { forget, keep, keptJson } from "../kept";
import { session } from "../session.svelte";
import { research, type Dispute, type Shown } from "./research";

const kPage = 50;

interface Sent {
  item: number;
  answer: Answer | null;
  reason: string;
  key: string;
  revision: number;
}

/** What is being decided of an item, kept in this browser until it is saved. */
interface Draft {
  taken: string | null;
  reason: string;
  own: Answer | null;
}

export class Court {
  shown = $state<Shown>("open");
  task = $state("");
  open = $state(0);
  decided = $state(0);
  items = $state.raw<Dispute[]>([]);
  current = $state.raw<Dispute | null>(null);
  loading = $state(true);
  problem = $state("");
  /** Which annotator's answer is taken; "own": another. */
  taken = $state<string | null>(null);
  own = $state<Sheet | null>(null);
  reason = $state("");
  /** Reasons that were given here, the last first. */
  reasons = $state<string[]>([]);
  /** "saved" only after the server has said so. */
  state = $state<"" | "saving" | "saved" | "unsaved">("");
  savedAt = $state(0);
  /** What was sent and not acknowledged: it is sent again under the same key. */
  #sent: Sent | null = null;
  #turn = 0;

  constructor(
    readonly study: Study,
    readonly account: string,
  ) {}

  get total(): number {
    return { open: this.open, decided: this.decided, all: this.open + this.decided }[this.shown];
  }
  get taskOf(): Task | null {
    return this.study.tasks.find(({ task }) => task === this.current?.task) ?? null;
  }
  /** The decision that stands. */
  get standing() {
    const last = this.current?.decisions.at(-1);
    return last?.answer ? last : null;
  }
  get answer(): Answer | null {
    if (this.taken === "own") return this.own?.answer ?? null;
    return this.current?.answers.find(({ annotator }) => annotator === this.taken)?.answer ?? null;
  }
  get missing(): string {
    if (this.taken === null) return "Take an answer, or give your own.";
    if (!this.answer) return this.own?.missing ?? "";
    return this.reason.trim() ? "" : "Give a reason.";
  }

  async load(): Promise<void> {
    const turn = ++this.#turn;
    this.loading = true;
    await this.#try(async () => {
      const page = await research.disputes(this.study.study, this.shown, this.task, 0, kPage);
      if (turn !== this.#turn) return;
      this.#count(page);
      this.items = page.items;
      this.take(page.items[0] ?? null);
    });
    if (turn === this.#turn) this.loading = false;
  }
  async more(): Promise<void> {
    await this.#try(async () => {
      const page = await research.disputes(this.study.study, this.shown, this.task, this.items.length, kPage);
      this.#count(page);
      const known = new Set(this.items.map(({ item }) => item));
      this.items = [...this.items, ...page.items.filter(({ item }) => !known.has(item))];
    });
  }
  #count(page: { open: number; decided: number }): void {
    this.open = page.open;
    this.decided = page.decided;
  }

  take(dispute: Dispute | null): void {
    this.current = dispute;
    this.taken = null;
    this.own = null;
    this.reason = "";
    this.#sent = null;
    if (this.state === "unsaved") this.state = "";
    if (dispute) this.#restore(keptJson<Draft>(this.#draftOf(dispute)));
  }
  #draftOf({ item }: Dispute): string {
    return `plumb.reason.${encodeURIComponent(this.account)}.${this.study.study}.${item}`;
  }
  #restore(draft: Draft | null): void {
    if (!draft) return;
    this.reason = typeof draft.reason === "string" ? draft.reason : "";
    if (draft.taken === "own") this.takeOwn(draft.own);
    else if (this.current?.answers.some(({ annotator }) => annotator === draft.taken)) this.taken = draft.taken;
  }
  /** What is being decided, to be kept whenever it changes. */
  get draft(): Draft {
    return { taken: this.taken, reason: this.reason, own: this.own ? ($state.snapshot(this.own.draft) as Answer) : null };
  }
  keepDraft(): void {
    const { current, draft } = this;
    if (!current) return;
    if (draft.taken === null && draft.reason === "") forget(this.#draftOf(current));
    else keep(this.#draftOf(current), JSON.stringify(draft));
  }
  takeAnswer(annotator: string): void {
    this.taken = annotator;
    this.own = null;
  }
  takeOwn(draft: Answer | null = null): void {
    const { current, taskOf } = this;
    if (!current || !taskOf) return;
    const kind: Kind = current.kind;
    const served = {
      slot: 0, task: current.task, kind, instruction: taskOf.instruction, item: current.body, training: false,
      guideline: 0, lease_until_ms: 0, revision: 0, draft: null, answer: null,
    };
    this.own = kKinds[kind].make(served, taskOf, draft ?? this.answer ?? this.standing?.answer ?? null);
    this.taken = "own";
  }
  leaveOwn(): void {
    this.taken = null;
    this.own = null;
  }

  /** To the item after, or before, in the list, without a decision. */
  async walk(by: 1 | -1): Promise<void> {
    const at = this.items.findIndex(({ item }) => item === this.current?.item) + by;
    if (at >= this.items.length - 1 && this.items.length < this.total) await this.more();
    const next = this.items[at];
    if (next) this.take(next);
  }

  async decide(): Promise<void> {
    if (!this.missing && this.answer) await this.#send($state.snapshot(this.answer) as Answer);
  }
  async withdraw(): Promise<void> {
    if (this.standing && this.reason.trim()) await this.#send(null);
  }
  async #send(answer: Answer | null): Promise<void> {
    const { current } = this;
    if (!current || this.state === "saving") return;
    const reason = this.reason.trim();
    const revision = current.decisions.at(-1)?.revision ?? 0;
    const again = this.#sent;
    const sent =
      again && again.item === current.item && again.reason === reason && JSON.stringify(again.answer) === JSON.stringify(answer)
        ? again
        : { item: current.item, answer, reason, key: crypto.randomUUID(), revision };
    this.#sent = sent;
    this.state = "saving";
    this.problem = "";
    try {
      await research.decide(this.study.study, sent.item, sent.answer, sent.reason, sent.key, sent.revision);
    } catch (error) {
      return this.#unsaved(error);
    }
    forget(this.#draftOf(current));
    this.state = "saved";
    this.savedAt = Date.now();
    this.reasons = [reason, ...this.reasons.filter((one) => one !== reason)].slice(0, 8);
    this.#proceed(current, answer === null);
  }

  async #unsaved(error: unknown): Promise<void> {
    this.state = "unsaved";
    if (error instanceof Refused && error.status === 401) session.expire();
    if (error instanceof Refused && error.status === 409) {
      await this.#reload();
      this.problem = "Somebody else has decided this item meanwhile; below is what they decided.";
      return;
    }
    this.problem =
      error instanceof Unreachable
        ? "The server does not answer. What you entered is kept in this browser: Save sends it again."
        : words(error);
  }
  async #reload(): Promise<void> {
    const item = this.current?.item;
    if (item === undefined) return;
    const kept = this.reason;
    await this.#try(async () => {
      const fresh = await research.dispute(this.study.study, item);
      this.items = this.items.map((one) => (one.item === item ? fresh : one));
      this.take(fresh);
      this.leaveOwn();
      this.reason = kept;
    });
  }

  /** After a decision the next item is there at once; what the server says of the list follows. */
  #proceed(done: Dispute, withdrawn: boolean): void {
    const at = this.items.findIndex(({ item }) => item === done.item);
    const next = this.items[at + 1];
    const leaves = this.shown === (withdrawn ? "decided" : "open");
    if (leaves) this.items = this.items.filter(({ item }) => item !== done.item);
    this.take(next ?? (leaves ? (this.items[0] ?? null) : done));
    void this.#follow(done.item);
  }
  async #follow(decided: number): Promise<void> {
    const fresh = await research.dispute(this.study.study, decided).catch(() => null);
    if (fresh) {
      this.items = this.items.map((one) => (one.item === decided ? fresh : one));
      if (this.current?.item === decided) this.current = fresh;
    }
    await this.#try(async () => this.#count(await research.disputes(this.study.study, this.shown, this.task, 0, 0)));
    if (this.items.length < Math.min(this.total, 10)) await this.more();
    if (!this.current && this.items[0]) this.take(this.items[0]);
  }

  async #try(what: () => Promise<void>): Promise<void> {
    try {
      await what();
      if (this.state !== "unsaved") this.problem = "";
    } catch (error) {
      if (error instanceof Refused && error.status === 401) session.expire();
      this.problem = words(error);
    }
  }
}
