/** Who is signed in. `undefined`: not asked yet; `null`: nobody. */
import { api, Refused, type Account } from "./api";

let account = $state<Account | null | undefined>(undefined);
let ended = $state(false);

export const session = {
  get account() {
    return account;
  },
  /** The session ended while someone worked: they sign in again on the page where they are. */
  get ended() {
    return ended;
  },
  async start(): Promise<void> {
    try {
      account = await api.me();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      account = null;
    }
  },
  enter(who: Account): void {
    account = who;
    ended = false;
  },
  /** After a call was refused with 401. */
  expire(): void {
    if (account) ended = true;
    else account = null;
  },
  async leave(): Promise<void> {
    await api.signOut();
    account = null;
    ended = false;
  },
};
