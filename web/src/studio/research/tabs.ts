/** The researcher's views of a study, and who sees which. */
import type { Role } from "../api";

export const kManagers: readonly Role[] = ["owner", "manager"];
export const kDeciders: readonly Role[] = [...kManagers, "adjudicator"];
export const kResearchers: readonly Role[] = [...kDeciders, "viewer"];

export interface Tab {
  title: string;
  /** Behind the study's own path. */
  path: string;
  roles: readonly Role[];
}

export const kTabs: readonly Tab[] = [
  { title: "Overview", path: "", roles: kResearchers },
  { title: "Adjudicate", path: "/adjudicate", roles: kDeciders },
  { title: "Guidelines", path: "/guidelines", roles: kResearchers },
  { title: "Data", path: "/data", roles: kManagers },
  { title: "People", path: "/people", roles: kManagers },
];
