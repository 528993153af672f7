/**
 * One annotator at one study: the item in hand, what is entered for it, where it is on its way, and the items before.
 *
 * Everything entered is kept in this browser at once and on the server soon after; a submitted answer goes through the
 * outbox. Calls about an item follow one another, so that no draft overtakes an answer.
 */
import { api, Refused, words, type Answer, type Progress, type Receipt, type Served, type SkipReason, type Study, type Task } from "../api";
import { Clock } from "./clock";
import { kKinds } from "./kinds";
import { kSlowMs, newKey, Outbox, type Letter, type Outcome } from "./outbox.svelte";
import { Patience } from "./patience.svelte";
import { Scraps } from "./scraps";
import type { Sheet } from "./sheet";

export type Phase = "loading" | "item" | "sending" | "feedback" | "wait" | "finished" | "stopped";
export type DraftState = "none" | "saving" | "saved" | "kept";

const kDraftDelayMs = 400;
const kRenewMs = 60_000;
const kTrail = 20;

export class Desk {
  phase = $state<Phase>("loading");
  /** Why the study cannot go on here. */
  problem = $state("");
  study = $state.raw<Study | null>(null);
  progress = $state<Progress | null>(null);
  served = $state.raw<Served | null>(null);
  task = $state.raw<Task | null>(null);
  sheet = $state.raw<Sheet | null>(null);
  flagged = $state(false);
  comment = $state("");
  feedback = $state.raw<Receipt["feedback"] | null>(null);
  /** What became of the last thing done, where it is not just "saved". */
  notice = $state("");
  draftState = $state<DraftState>("none");
  /** When the server last said that an answer or a draft is saved. */
  savedAt = $state<number | null>(null);
  savedWhat = $state<"answer" | "draft" | "skip">("answer");
  /** Whether the slot went to someone else. */
  lost = $state(false);
  /** Answered slots that one can go back to, oldest first. */
  trail = $state<number[]>([]);
  readonly outbox: Outbox;
  readonly patience = new Patience();
  #scraps: Scraps;
  #clock = new Clock(Date.now());
  #draftTimer: ReturnType<typeof setTimeout> | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  /** The draft as it was when the item came, or as the server has it. */
  #known = "";
  #left = false;

  constructor(
    account: string,
    readonly id: number,
  ) {
    this.outbox = new Outbox(account);
    this.#scraps = new Scraps(account, id);
  }

  async start(): Promise<void> {
    await this.#guard(async () => {
      this.study = await this.patience.until(() => api.study(this.id));
      await this.outbox.flush();
      await this.#refresh();
      await this.#takeNext();
    });
  }

  /** Runs it; what the server refuses ends the work here, with its words. */
  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.problem = words(error);
      this.phase = "stopped";
    }
  }

  async #refresh(): Promise<void> {
    this.progress = await this.patience.until(() => api.progress(this.id));
    this.trail = this.progress.recent;
  }

  async #takeNext(): Promise<void> {
    this.phase = "loading";
    const next = await this.patience.until(() => api.next(this.id));
    if (next.state === "item" && next.served) this.#show(next.served);
    else {
      this.served = this.sheet = this.task = null;
      this.phase = next.state === "wait" ? "wait" : "finished";
    }
  }

  async look(): Promise<void> {
    await this.#guard(() => this.#takeNext());
  }

  #show(served: Served): void {
    const task = this.study?.tasks.find((one) => one.task === served.task);
    if (!task) throw new Error(`the study has no task "${served.task}"`);
    const scrap = this.#scraps.of(served.slot);
    const entered: Answer | null = scrap?.entered ?? served.draft ?? served.answer;
    this.flagged = entered?.flagged === true;
    this.comment = typeof entered?.comment === "string" ? entered.comment : "";
    this.#clock = new Clock(Date.now(), Date.now, scrap?.times);
    this.sheet = kKinds[served.kind].make(served, task, entered);
    this.task = task;
    this.served = served;
    this.feedback = null;
    this.lost = false;
    this.draftState = scrap?.entered ? "kept" : "none";
    this.#known = scrap?.entered ? "" : JSON.stringify(this.entered);
    this.phase = "item";
  }

  /** All that was entered, as a draft has it. */
  get entered(): Answer {
    return {
      ...(this.sheet?.draft ?? {}),
      ...(this.flagged ? { flagged: true } : {}),
      ...(this.comment ? { comment: this.comment } : {}),
    };
  }

  /** Where the item stands among those one can go back to; their number where it is the newest. */
  get at(): number {
    const place = this.served ? this.trail.indexOf(this.served.slot) : -1;
    return place < 0 ? this.trail.length : place;
  }
  get correcting(): boolean {
    return this.served?.answer != null;
  }
  get canSubmit(): boolean {
    return this.phase === "item" && this.sheet?.missing === "";
  }

  input(): void {
    if (this.phase === "item") this.#clock.input();
  }
  setVisible(visible: boolean): void {
    if (visible) this.#clock.show();
    else this.#clock.hide();
    if (!visible) this.#keepHere();
  }

  /** To be called after every change of what is entered. */
  changed(): void {
    if (this.phase !== "item" || JSON.stringify(this.entered) === this.#known) return;
    this.#keepHere();
    this.draftState = "saving";
    if (this.#draftTimer) clearTimeout(this.#draftTimer);
    this.#draftTimer = setTimeout(() => void this.#inTurn(() => this.#saveDraft()), kDraftDelayMs);
  }

  #keepHere(): void {
    if (this.phase !== "item" || !this.served) return;
    const changed = JSON.stringify(this.entered) !== this.#known;
    this.#scraps.keep(this.served.slot, { entered: changed ? this.entered : null, times: this.#clock.times });
  }

  async #saveDraft(): Promise<void> {
    const served = this.served;
    const text = JSON.stringify(this.entered);
    if (this.#left || this.phase !== "item" || !served || text === this.#known) return;
    const slow = setTimeout(() => this.draftState === "saving" && (this.draftState = "kept"), kSlowMs);
    try {
      const { held } = await api.draft(this.id, served.slot, this.entered);
      if (this.served?.slot !== served.slot) return;
      this.#known = text;
      this.lost = !held;
      this.#keepHere();
      this.#saved("draft");
      this.draftState = "saved";
    } catch (error) {
      if (error instanceof Refused && !error.passing && error.status !== 401) this.notice = words(error);
      this.draftState = "kept";
      this.#draftTimer = setTimeout(() => void this.#inTurn(() => this.#saveDraft()), 5000);
    } finally {
      clearTimeout(slow);
    }
    if (this.draftState === "saved") this.changed();
  }

  #saved(what: "answer" | "draft" | "skip"): void {
    this.savedAt = Date.now();
    this.savedWhat = what;
  }

  /** After what was asked before. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  #stopDraft(): void {
    if (this.#draftTimer) clearTimeout(this.#draftTimer);
    this.#draftTimer = null;
  }

  async submit(): Promise<void> {
    const answer = this.sheet?.answer;
    if (!this.canSubmit || !answer || !this.served) return;
    const timing = this.#clock.timing;
    await this.#post("answer", { answer, flagged: this.flagged, comment: this.comment, timing });
  }

  async skip(reason: SkipReason, comment: string): Promise<void> {
    if (this.phase === "item") await this.#post("skip", { reason, comment });
  }

  async #post(what: "answer" | "skip", body: Record<string, unknown>): Promise<void> {
    const served = this.served;
    if (!served) return;
    this.#keepHere();
    this.phase = "sending";
    this.notice = "";
    this.#stopDraft();
    const letter: Letter = { key: newKey(), what, study: this.id, slot: served.slot, body, written: Date.now() };
    if (what === "answer") letter.revision = served.revision;
    await this.#guard(async () => {
      const delivered = this.outbox.deliver(letter, this.#queue);
      this.#queue = delivered;
      const outcome = await delivered;
      this.draftState = "none";
      await this.#after(served, what, outcome);
    });
  }

  async #after(served: Served, what: "answer" | "skip", outcome: Outcome): Promise<void> {
    if (!("receipt" in outcome)) {
      this.notice = `Not saved: ${outcome.refused}`;
      this.phase = "item";
      this.changed();
      return;
    }
    this.#scraps.drop(served.slot);
    this.#saved(what);
    if (outcome.receipt.surplus) this.notice = "Kept, though outside the study’s counts: the item had gone to someone else.";
    else await this.#note(served, what);
    if (outcome.receipt.feedback) {
      this.feedback = outcome.receipt.feedback;
      this.phase = "feedback";
    } else await this.#goOn(served);
  }

  /** Counts what was done, and asks the server now and then. */
  async #note(served: Served, what: "answer" | "skip"): Promise<void> {
    const first = !this.trail.includes(served.slot);
    if (what === "answer" && first) {
      if (this.progress && !served.training) this.progress.answered += 1;
      this.trail = [...this.trail, served.slot].slice(-kTrail);
    }
    if (what === "skip") this.trail = this.trail.filter((slot) => slot !== served.slot);
    if ((this.progress?.answered ?? 0) % 10 === 0 && first) await this.#refresh();
  }

  /** After a correction the next of the answered items, else the next item there is. */
  async #goOn(served: Served): Promise<void> {
    const next = this.trail[this.trail.indexOf(served.slot) + 1];
    if (this.trail.includes(served.slot) && next !== undefined) await this.#open(next);
    else await this.#takeNext();
  }

  async proceed(): Promise<void> {
    const served = this.served;
    if (this.phase === "feedback" && served) await this.#guard(() => this.#goOn(served));
  }

  async #open(slot: number): Promise<void> {
    this.phase = "loading";
    this.#show(await this.patience.until(() => api.show(this.id, slot)));
  }

  /** To an answered item before or after this one; behind the last of them stands the item that is to be answered. */
  async walk(by: -1 | 1): Promise<void> {
    const idle = this.phase === "wait" || this.phase === "finished";
    if (this.phase !== "item" && !(idle && by < 0)) return;
    const place = (idle ? this.trail.length : this.at) + by;
    if (place < 0 || place > this.trail.length) return;
    await this.#guard(async () => {
      await this.#leaveItem();
      const slot = this.trail[place];
      if (slot === undefined) await this.#takeNext();
      else await this.#open(slot);
    });
  }

  async #leaveItem(): Promise<void> {
    this.#keepHere();
    this.#stopDraft();
    await this.#inTurn(() => this.#saveDraft());
    this.#stopDraft();
  }

  async undo(): Promise<void> {
    if (this.phase === "loading" || this.phase === "sending" || this.phase === "stopped") return;
    if (this.phase === "item") await this.#leaveItem();
    const before = this.phase;
    this.phase = "loading";
    this.notice = "";
    const key = newKey();
    try {
      const served = await this.patience.until(() => api.undo(this.id, key));
      await this.#refresh();
      this.#show(served);
      this.notice = "Taken back. Change it, and submit it again.";
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.notice = words(error);
      this.phase = before;
    }
  }

  /** Shows the item in hand as it was answered elsewhere. */
  async reload(): Promise<void> {
    const served = this.served;
    if (!served) return;
    this.#scraps.drop(served.slot);
    this.notice = "";
    await this.#guard(async () => {
      this.phase = "loading";
      const now = await this.patience.until(() => api.show(this.id, served.slot));
      this.#show(now.answer ? { ...now, draft: null } : now);
    });
  }

  /** Keeps the slot while someone works at it; to be called now and then. */
  async renew(): Promise<void> {
    if (this.phase !== "item" || !this.served || this.#clock.quiet > kRenewMs) return;
    try {
      this.lost = !(await api.renew(this.id, this.served.slot)).held;
    } catch {
      // The next draft or answer will tell.
    }
  }

  wake(): void {
    this.outbox.wake();
    this.patience.wake();
    if (this.draftState === "kept") void this.#inTurn(() => this.#saveDraft());
  }

  /** The view goes; what waits stays in this browser. */
  leave(): void {
    this.close();
    this.#left = true;
    this.outbox.close();
  }

  /** The page goes: the draft is sent without waiting for a reply, and stays here until one came. */
  close(): void {
    this.#keepHere();
    this.#stopDraft();
    if (this.phase === "item" && this.served && JSON.stringify(this.entered) !== this.#known) {
      api.draft(this.id, this.served.slot, this.entered, true).catch(() => {});
    }
  }

  get unsent(): boolean {
    return this.outbox.letters.length > 0;
  }
}
