/** What was entered and measured for a slot, kept in this browser until the server has it. */
import type { Answer } from "../api";
import { forget, keep, keptJson } from "../kept";
import type { Times } from "./clock";

export interface Scrap {
  /** Not on the server yet; null: it is. */
  entered: Answer | null;
  times: Times;
}

export class Scraps {
  #prefix: string;

  constructor(account: string, study: number) {
    this.#prefix = `plumb.scrap.${encodeURIComponent(account)}.${study}.`;
  }
  of(slot: number): Scrap | null {
    return keptJson<Scrap>(`${this.#prefix}${slot}`);
  }
  keep(slot: number, scrap: Scrap): boolean {
    return keep(`${this.#prefix}${slot}`, JSON.stringify(scrap));
  }
  drop(slot: number): void {
    forget(`${this.#prefix}${slot}`);
  }
}
