/** Who is signed in. `undefined`: not asked yet; `null`: nobody. */
import { api, Refused, worksFor, type Account } from "./api";

let account = $state<Account | null | undefined>(undefined);
let ended = $state(false);

function become(who: Account | null): void {
  account = who;
  worksFor.account = who?.account ?? null;
  ended = false;
}

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
      become(await api.me());
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      become(null);
    }
  },
  enter: become,
  /** After a call was refused with 401. */
  expire(): void {
    if (account) ended = true;
    else account = null;
  },
  async leave(): Promise<void> {
    try {
      await api.signOut();
    } catch (error) {
      if (!(error instanceof Refused && error.status === 401)) throw error;
    }
    become(null);
  },
};
