/**
 * How long someone worked at an item: active while it is in view and inputs are less than half a minute apart, idle
 * the rest. Nothing is noted but these sums.
 */
import type { Timing } from "../api";

const kPauseMs = 30_000;

export interface Times {
  shown: number;
  firstInput?: number;
  active: number;
  idle: number;
  blurs: number;
}

export class Clock {
  #times: Times;
  #mark: number;
  #visible = true;

  /** `before`: what was measured of the same item, in a page that is gone. */
  constructor(
    now: number,
    readonly read: () => number = Date.now,
    before?: Times,
  ) {
    this.#times = before ?? { shown: now, active: 0, idle: 0, blurs: 0 };
    this.#mark = now;
  }

  /** With what passed since the last input. */
  get times(): Times {
    const gap = Math.max(0, this.read() - this.#mark);
    const part = this.#visible && gap < kPauseMs ? "active" : "idle";
    return { ...this.#times, [part]: this.#times[part] + gap };
  }

  #pass(): void {
    this.#times = this.times;
    this.#mark = this.read();
  }

  input(): void {
    this.#pass();
    this.#times.firstInput ??= this.#mark;
  }

  hide(): void {
    this.#pass();
    this.#visible = false;
    this.#times.blurs += 1;
  }

  show(): void {
    this.#pass();
    this.#visible = true;
  }

  /** Milliseconds since the last input or change of view. */
  get quiet(): number {
    return this.read() - this.#mark;
  }

  get timing(): Timing {
    const { shown, firstInput, active, idle, blurs } = this.times;
    return {
      shown_ms: shown,
      ...(firstInput === undefined ? {} : { first_input_ms: firstInput }),
      submitted_ms: this.read(),
      active_ms: active,
      idle_ms: idle,
      blurs,
    };
  }
}
