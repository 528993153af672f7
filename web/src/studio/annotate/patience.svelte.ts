/** Calls that are made again until the server answers. */
import { Refused, Unreachable } from "../api";
import { session } from "../session.svelte";

const kFirstWaitMs = 500;
const kLongestWaitMs = 15_000;

export class Patience {
  /** Whether a call waits for the server to come back. */
  waiting = $state(false);
  #wakes = new Set<() => void>();

  /** The result of `call`, or its refusal; while nobody answers, or a session has ended, it is made again. */
  async until<T>(call: () => Promise<T>): Promise<T> {
    for (let wait = kFirstWaitMs; ; wait = Math.min(2 * wait, kLongestWaitMs)) {
      try {
        const result = await call();
        this.waiting = false;
        return result;
      } catch (error) {
        const passes = error instanceof Unreachable || (error instanceof Refused && error.passing);
        const ended = error instanceof Refused && error.status === 401;
        if (!passes && !ended) {
          this.waiting = false;
          throw error;
        }
        if (ended) session.expire();
        this.waiting = true;
        await this.#pause(wait);
      }
    }
  }

  wake(): void {
    for (const wake of this.#wakes) wake();
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#wakes.delete(end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#wakes.add(end);
    });
  }
}
