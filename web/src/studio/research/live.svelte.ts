/** Something that is asked for again and again while its view is open and seen. */
import { Refused, Unreachable, words } from "../api";
import { session } from "../session.svelte";

export class Live<T> {
  /** The newest, replaced only by what differs, so that what is shown stays as it is. */
  data = $state.raw<T | null>(null);
  /** Why the newest could not be had; what there was before stays. */
  problem = $state("");
  /** The server refused for good: asking again leads nowhere. */
  refused = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #text = "";
  #turn = 0;

  constructor(
    private readonly load: () => Promise<T>,
    private readonly everyMs = 4000,
  ) {}

  /** Asks at once, and then again and again until the function that it returns is called. */
  start(): () => void {
    void this.look();
    const seen = () => document.visibilityState === "visible" && void this.look();
    document.addEventListener("visibilitychange", seen);
    return () => {
      this.#turn = -1;
      clearTimeout(this.#timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }

  async look(): Promise<void> {
    if (this.#turn < 0) return;
    const turn = ++this.#turn;
    clearTimeout(this.#timer);
    await this.#ask(turn);
    if (turn !== this.#turn) return;
    this.#timer = setTimeout(() => {
      if (document.visibilityState === "visible" && !this.refused) void this.look();
    }, this.everyMs);
  }

  async #ask(turn: number): Promise<void> {
    try {
      const data = await this.load();
      if (turn !== this.#turn) return;
      const text = JSON.stringify(data);
      if (text !== this.#text) this.data = data;
      this.#text = text;
      this.problem = "";
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error instanceof Refused && error.status === 401) session.expire();
      this.refused = error instanceof Refused && !error.passing && error.status !== 401;
      this.problem = error instanceof Unreachable ? "The server does not answer; trying again." : words(error);
    }
  }
}

/** Does `what`; where that fails, the words why, and a session that ended is signed in again. */
export async function attempt(what: () => Promise<unknown>): Promise<string> {
  try {
    await what();
    return "";
  } catch (error) {
    if (error instanceof Refused && error.status === 401) session.expire();
    return words(error);
  }
}
