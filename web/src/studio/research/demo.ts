/** Whether this server shows a demonstration, and of which study; asked once. */
import { api, type Account } from "../api";

interface Demo {
  demo: boolean;
  study?: number;
}

let asked: Promise<Demo> | undefined;

/** The study that visitors come to; undefined where this is no demonstration, or nobody knows. */
export async function demoStudy(): Promise<number | undefined> {
  asked ??= api.call<Demo>("GET", "/api/demo").catch((error: unknown) => {
    asked = undefined;
    throw error;
  });
  return (await asked.catch((): Demo => ({ demo: false }))).study;
}

/** A session without an account of one's own; the one that there is where one came before. */
export const enterDemo = () => api.call<Account & { study: number }>("POST", "/api/demo");
