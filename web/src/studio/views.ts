/**
 * The views of the studio: which path shows what, to whom. A view is a component with the properties `account` and
 * `params`, loaded when it is first shown. A role's first view with one parameter is where its studies link to.
 */
import type { Component } from "svelte";
import type { Account, Role } from "./api";
import { match } from "./place.svelte";
import { kDeciders, kManagers, kResearchers } from "./research/tabs";

export interface ViewProps {
  account: Account;
  params: Record<string, string>;
}

export interface View {
  path: string;
  roles: readonly Role[];
  load: () => Promise<{ default: Component<ViewProps> }>;
}

const kEverybody: readonly Role[] = ["owner", "manager", "adjudicator", "annotator", "viewer"];

export const kViews: readonly View[] = [
  { path: "", roles: kEverybody, load: () => import("./Studies.svelte") },
  { path: "study/:study", roles: ["annotator"], load: () => import("./annotate/Annotate.svelte") },
  { path: "people", roles: kManagers, load: () => import("./research/Everybody.svelte") },
  { path: "standing", roles: ["annotator"], load: () => import("./research/Standing.svelte") },
  { path: "study/:study", roles: kResearchers, load: () => import("./research/Overview.svelte") },
  { path: "study/:study/adjudicate", roles: kDeciders, load: () => import("./research/Adjudicate.svelte") },
  { path: "study/:study/links", roles: kResearchers, load: () => import("./research/Links.svelte") },
  { path: "study/:study/guidelines", roles: kResearchers, load: () => import("./research/Guidelines.svelte") },
  { path: "study/:study/data", roles: kManagers, load: () => import("./research/Data.svelte") },
  { path: "study/:study/people", roles: kManagers, load: () => import("./research/People.svelte") },
];

export interface Found {
  view: View;
  params: Record<string, string>;
}

export function findView(path: string, role: Role): Found | null {
  for (const view of kViews) {
    const params = match(view.path, path);
    if (params && view.roles.includes(role)) return { view, params };
  }
  return null;
}

/** Where a study is opened by this role; null where it has no view of one. */
export function studyPath(study: number, role: Role): string | null {
  const path = `study/${study}`;
  return findView(path, role) ? path : null;
}
