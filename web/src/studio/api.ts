/** The server's API (docs/openapi.json), typed. Every call is refused by a status with words, or not answered at all. */
import type { MarkdownNode } from "./markdown";

export type Role = "owner" | "manager" | "adjudicator" | "annotator" | "viewer";
export type Kind = "sts" | "classification" | "clustering" | "reranking" | "preference";

export interface Account {
  account: number;
  name: string;
  role: Role;
}

export interface StudyLine {
  study: number;
  name: string;
  enrolled: boolean;
}

export interface Task {
  task: string;
  kind: Kind;
  instruction: string;
  language: string;
  labels: string[];
  scale: [number, number] | null;
  groups: number | null;
  items: number;
}

export interface Study {
  study: number;
  name: string;
  tasks: Task[];
  /** Whether a report of links is attached; annotators are not told. */
  links?: boolean;
}

/** Of the kinds of task, an object each: docs/formats.md. */
export type Answer = Record<string, unknown>;

export interface Served {
  slot: number;
  task: string;
  kind: Kind;
  instruction: string;
  item: Record<string, unknown>;
  training: boolean;
  guideline: number;
  lease_until_ms: number;
  revision: number;
  draft: Answer | null;
  answer: Answer | null;
}

export interface Next {
  state: "item" | "wait" | "finished";
  served?: Served;
}

export interface Receipt {
  saved: true;
  revision: number;
  late: boolean;
  surplus: boolean;
  again: boolean;
  feedback?: { gold: Answer; closeness: number };
}

export interface Progress {
  answered: number;
  others: number;
  slots: number;
  recent: number[];
  state: "open" | "frozen";
}

export interface Timing {
  shown_ms: number;
  first_input_ms?: number;
  submitted_ms: number;
  active_ms: number;
  idle_ms: number;
  blurs: number;
}

export const kSkipReasons = ["unclear", "wrong language", "offensive", "other"] as const;
export type SkipReason = (typeof kSkipReasons)[number];

/** The server answered, and refused. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    words: string,
  ) {
    super(words);
  }

  /** Whether the same request may be taken later: the server is ill, full or asks to wait. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** Nobody answered: the network or the server is away, and nobody knows whether the request arrived. */
export class Unreachable extends Error {}

interface Sent {
  body?: unknown;
  key?: string;
  revision?: number | undefined;
  keepalive?: boolean;
}

const kPatienceMs = 30_000;

/** The account for which this page works: another tab may sign somebody else in, and the cookie is theirs then. */
export const worksFor: { account: number | null } = { account: null };

async function call<T>(method: string, path: string, sent: Sent = {}): Promise<T> {
  const headers: Record<string, string> = {};
  if (method !== "GET") headers["X-Plumb"] = "1";
  if (worksFor.account !== null) headers["X-Plumb-Account"] = String(worksFor.account);
  if (sent.body !== undefined) headers["Content-Type"] = "application/json";
  if (sent.key !== undefined) headers["Idempotency-Key"] = sent.key;
  if (sent.revision !== undefined) headers["If-Match"] = String(sent.revision);
  let reply: Response;
  let body: unknown;
  try {
    reply = await fetch(path, {
      method,
      headers,
      body: sent.body === undefined ? null : JSON.stringify(sent.body),
      keepalive: sent.keepalive ?? false,
      signal: AbortSignal.timeout(kPatienceMs),
    });
    body = await reply.json().catch((error: unknown) => {
      // A page with a good status is of a proxy or a portal, not of the server.
      if (error instanceof SyntaxError && !reply.ok) return {};
      throw error;
    });
  } catch {
    throw new Unreachable("the server does not answer");
  }
  if (reply.ok) return body as T;
  const words = (body as { error?: unknown } | null)?.error;
  throw new Refused(reply.status, typeof words === "string" ? words : `the server answered ${reply.status}`);
}

const ofStudy = (study: number) => `/api/studies/${study}`;
const ofSlot = (study: number, slot: number) => `${ofStudy(study)}/slots/${slot}`;

export const api = {
  call,
  me: () => call<Account>("GET", "/api/me"),
  signIn: (name: string, password: string) => call<Account>("POST", "/api/login", { body: { name, password } }),
  signOut: () => call<unknown>("POST", "/api/logout"),
  accept: (token: string, name: string, password: string) =>
    call<Account>("POST", "/api/invitations/accept", { body: { token, name, password } }),
  studies: async () => (await call<{ studies: StudyLine[] }>("GET", "/api/studies")).studies,
  study: (study: number) => call<Study>("GET", ofStudy(study)),
  guidelines: (study: number) =>
    call<{ version: number; markdown: string; blocks: MarkdownNode[] }>("GET", `${ofStudy(study)}/guidelines`),
  progress: (study: number) => call<Progress>("GET", `${ofStudy(study)}/progress`),
  next: (study: number) => call<Next>("POST", `${ofStudy(study)}/next`),
  show: (study: number, slot: number) => call<Served>("GET", ofSlot(study, slot)),
  answer: (study: number, slot: number, body: unknown, key: string, revision: number | undefined) =>
    call<Receipt>("PUT", `${ofSlot(study, slot)}/answer`, { body, key, revision }),
  draft: (study: number, slot: number, answer: Answer, keepalive = false) =>
    call<{ held: boolean }>("PUT", `${ofSlot(study, slot)}/draft`, { body: { answer }, keepalive }),
  renew: (study: number, slot: number) => call<{ held: boolean }>("POST", `${ofSlot(study, slot)}/renew`),
  skip: (study: number, slot: number, body: unknown, key: string) =>
    call<Receipt>("POST", `${ofSlot(study, slot)}/skip`, { body, key }),
  undo: async (study: number, key: string) =>
    (await call<{ served: Served }>("POST", `${ofStudy(study)}/undo`, { key })).served,
};

/** Words for people of whatever a call threw. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
