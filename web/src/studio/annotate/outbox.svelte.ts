/**
 * Answers on their way. Each is kept in this browser before it is sent and until the server has said that it is saved
 * (or refused it), so that neither a crash of the page nor an absence of the server loses it. It is sent again under
 * its key, so that the server stores it once whatever arrived before.
 */
import { api, Refused, Unreachable, words, type Receipt } from "../api";
import { forget, keep, keptJson, keptNames } from "../kept";
import { session } from "../session.svelte";

export interface Letter {
  key: string;
  what: "answer" | "skip";
  study: number;
  slot: number;
  revision?: number;
  body: Record<string, unknown>;
  written: number;
}

export type Outcome = { receipt: Receipt } | { refused: string; status: number };

const kFirstWaitMs = 500;
const kLongestWaitMs = 15_000;
/** What takes longer is no longer awaited in silence. */
export const kSlowMs = 3_000;

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  /** What waits, oldest first. */
  letters = $state<Letter[]>([]);
  /** Whether the last try failed: what waits is kept here and sent again. */
  away = $state(false);
  /** False where this browser keeps nothing: then the page must stay open. */
  durable = $state(true);
  /** Letters from before that the server refused when they came at last. */
  refused = $state<string[]>([]);
  #prefix: string;
  #closed = false;
  #readers = new Map<string, (outcome: Outcome) => void>();
  #running = false;
  #wake: (() => void) | null = null;

  constructor(readonly account: string) {
    this.#prefix = `plumb.outbox.${encodeURIComponent(account)}.`;
    this.letters = keptNames(this.#prefix)
      .map((name) => keptJson<Letter>(name))
      .filter((letter) => letter !== null)
      .sort((a, b) => a.written - b.written);
  }

  /** Keeps it, sends it after what is to arrive `before` it, and tells how it ended, however long that takes. */
  deliver(letter: Letter, before: Promise<unknown>): Promise<Outcome> {
    this.durable = keep(this.#prefix + letter.key, JSON.stringify(letter));
    this.letters.push(letter);
    // What is to arrive before it may be what takes long.
    setTimeout(() => this.letters.some(({ key }) => key === letter.key) && (this.away = true), kSlowMs);
    return new Promise((resolve) => {
      this.#readers.set(letter.key, resolve);
      void before.then(() => this.flush());
    });
  }

  /** Sends what waits, oldest first, until nothing does. */
  async flush(): Promise<void> {
    if (this.#running) return this.wake();
    this.#running = true;
    let wait = kFirstWaitMs;
    for (let letter = this.letters[0]; letter && !this.#closed; letter = this.letters[0]) {
      const outcome = await this.#send(letter);
      if (outcome) {
        wait = kFirstWaitMs;
        this.away = false;
        this.#settle(letter, outcome);
      } else {
        this.away = true;
        await this.#pause(wait);
        wait = Math.min(2 * wait, kLongestWaitMs);
      }
    }
    this.#running = false;
  }

  /** What waits is left for the next page of this account. */
  close(): void {
    this.#closed = true;
    this.wake();
  }

  /** There may be a server again: try now. */
  wake(): void {
    this.#wake?.();
  }

  async #send(letter: Letter): Promise<Outcome | null> {
    const { study, slot, body, key, revision } = letter;
    if (session.account?.name !== this.account) return null;
    const slow = setTimeout(() => (this.away = true), kSlowMs);
    try {
      const receipt: Receipt | null =
        letter.what === "answer"
          ? await api.answer(study, slot, body, key, revision)
          : await api.skip(study, slot, body, key);
      // Whatever else comes with a good status does not say that the answer is saved.
      return receipt?.saved === true ? { receipt } : null;
    } catch (error) {
      if (error instanceof Unreachable) return null;
      if (!(error instanceof Refused)) throw error;
      if (error.status === 401) session.expire();
      if (error.status === 401 || error.passing) return null;
      return { refused: words(error), status: error.status };
    } finally {
      clearTimeout(slow);
    }
  }

  #settle(letter: Letter, outcome: Outcome): void {
    forget(this.#prefix + letter.key);
    this.letters = this.letters.filter((one) => one.key !== letter.key);
    const reader = this.#readers.get(letter.key);
    if (reader) reader(outcome);
    else if ("refused" in outcome) this.refused.push(outcome.refused);
    this.#readers.delete(letter.key);
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#wake = end;
    });
  }
}
