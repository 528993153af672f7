/** What researchers ask the server for: docs/openapi.json, docs/formats.md. */
import type { Interval } from "../../data";
import type { RatersOf } from "../../items/data";
import { api, type Answer, type Kind, type Role } from "../api";
import type { MarkdownNode } from "../markdown";

const { call } = api;

/** A value with its interval, or why there is none. */
export interface Measured {
  n: number;
  value: number | null;
  ci: Interval | null;
  reason?: string;
}

export interface AgreementRow extends Measured {
  id: string;
}

export interface AgreementSoFar {
  rows: AgreementRow[];
  reason?: string;
  items?: number;
  of_items?: number;
  annotators?: number;
}

export interface TaskStatus {
  task: string;
  kind: Kind;
  items: number;
  slots: number;
  open: number;
  leased: number;
  answers: number;
  answered: number;
  complete: number;
  agreement: AgreementSoFar;
}

export interface AnnotatorStatus {
  annotator: string;
  kind: string;
  answers: number;
  skipped: number;
  flagged: number;
  surplus: number;
  holding: number;
  last: string | null;
  gold: Measured;
  repeats: Measured;
  active_seconds: Measured;
  idle_seconds: Measured;
}

export interface Status {
  study: string;
  state: "open" | "frozen";
  frozen_sha256: string | null;
  overlap: number;
  assignment: string;
  guideline: number;
  tasks: TaskStatus[];
  annotators: AnnotatorStatus[];
}

export type Compared = RatersOf & { answered: number; sampled: number };
export type GapSoFar = Compared | { task: string; answered: number; reason: string };

export const isCompared = (gap: GapSoFar): gap is Compared => "rows" in gap;

export interface StudyView {
  as_of?: string;
  current: boolean;
  computing: boolean;
  seconds?: number;
  status?: Status;
  disputes?: { open: number; decided: number };
  gap?: GapSoFar[];
}

export interface Statement {
  annotator: string;
  answer: Answer;
  guideline: number;
  at: string;
  flagged: boolean;
  comment?: string;
}

export interface Decision {
  revision: number;
  adjudicator: string;
  answer: Answer | null;
  reason: string;
  guideline: number;
  at: string;
  outdated: boolean;
}

export interface Dispute {
  item: number;
  task: string;
  kind: Kind;
  name: string;
  body: Record<string, unknown>;
  disagreement: number;
  flagged: boolean;
  answers: Statement[];
  decisions: Decision[];
}

export type Shown = "open" | "decided" | "all";

export interface DisputeList {
  open: number;
  decided: number;
  items: Dispute[];
}

export interface ModelSheet {
  task: string;
  rater: string;
  kind: string;
  run: number;
  answers: number;
  attached_by: string;
  at: string;
}

/** The report of the three links beside a study; all but `attached` only where it is true. */
export interface AttachedLinks {
  attached: boolean;
  title?: string;
  attached_by?: string;
  at?: string;
  sha256?: string;
  /** plumb.links-report/1, as it was attached. */
  report?: string;
}

export interface GuidelinesText {
  version: number;
  markdown: string;
  blocks: MarkdownNode[];
}

export interface AccountLine {
  account: number;
  name: string;
  role: Role;
  disabled: boolean;
  made: string;
  seen: string | null;
}

export interface Invitation {
  invitation: string;
  role: Role;
  study: number | null;
  invited_by: string;
  made: string;
  expires: string;
}

export interface Standing {
  answers: number;
  needed: number;
  ready: boolean;
  tasks?: GapSoFar[];
}

const of = (study: number) => `/api/studies/${study}`;
const query = (fields: Record<string, string | number>) => new URLSearchParams(Object.entries(fields).map(([k, v]) => [k, `${v}`]));

export const research = {
  view: (study: number) => call<StudyView>("GET", `${of(study)}/view`),
  disputes: (study: number, shown: Shown, task: string, offset: number, most: number) =>
    call<DisputeList>("GET", `${of(study)}/disputes?${query({ show: shown, task, offset, most })}`),
  dispute: (study: number, item: number) => call<Dispute>("GET", `${of(study)}/disputes/${item}`),
  /** `answer` of null withdraws the decision. */
  decide: (study: number, item: number, answer: Answer | null, reason: string, key: string, revision: number) =>
    call<{ saved: true; revision: number }>("PUT", `${of(study)}/disputes/${item}/decision`, {
      body: { answer, reason },
      key,
      revision,
    }),
  models: async (study: number) => (await call<{ models: ModelSheet[] }>("GET", `${of(study)}/models`)).models,
  attach: (study: number, task: string, answers: string) =>
    call<{ sheets: number }>("POST", `${of(study)}/models`, { body: { task, answers } }),
  attachBuiltIn: (study: number, task: string) =>
    call<{ sheets: number }>("POST", `${of(study)}/models`, { body: { task, built_in: true } }),
  detach: (study: number, rater: string) => call<unknown>("POST", `${of(study)}/models/remove`, { body: { rater } }),
  links: (study: number) => call<AttachedLinks>("GET", `${of(study)}/links`),
  attachLinks: (study: number, report: string) =>
    call<{ title: string; sentence: string }>("POST", `${of(study)}/links`, { body: { report } }),
  detachLinks: (study: number) => call<unknown>("POST", `${of(study)}/links/remove`),
  freeze: (study: number) => call<{ sha256: string }>("POST", `${of(study)}/freeze`),
  exportPath: (study: number, format: string, more: Record<string, string> = {}) =>
    `${of(study)}/export?${query({ format, ...more })}`,

  guidelines: (study: number, version = 0) =>
    call<GuidelinesText>("GET", `${of(study)}/guidelines${version > 0 ? `?${query({ version })}` : ""}`),
  setGuidelines: (study: number, markdown: string) =>
    call<{ version: number }>("PUT", `${of(study)}/guidelines`, { body: { markdown } }),
  preview: async (markdown: string) =>
    (await call<{ blocks: MarkdownNode[] }>("POST", "/api/guidelines/preview", { body: { markdown } })).blocks,

  accounts: async () => (await call<{ accounts: AccountLine[] }>("GET", "/api/accounts")).accounts,
  setDisabled: (account: number, disabled: boolean) =>
    call<unknown>("POST", `/api/accounts/${account}/${disabled ? "disable" : "enable"}`),
  setRole: (account: number, role: Role) => call<unknown>("PUT", `/api/accounts/${account}/role`, { body: { role } }),
  invitations: async () => (await call<{ invitations: Invitation[] }>("GET", "/api/invitations")).invitations,
  invite: (role: Role, study: number | null) =>
    call<{ token: string; hours: number }>("POST", "/api/invitations", {
      body: study === null ? { role } : { role, study },
    }),
  revoke: (invitation: string) => call<unknown>("POST", "/api/invitations/revoke", { body: { invitation } }),

  standing: () => call<Standing>("GET", "/api/demo/standing"),
};

/** "Nov 29, 12:30" in the reader's own clock, of a time in UTC. */
export function moment(utc: string | null): string {
  if (utc === null) return "–";
  const time = new Date(utc);
  return Number.isNaN(time.getTime())
    ? utc
    : time.toLocaleString("en", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
}

export const whole = (n: number): string => n.toLocaleString("en");
