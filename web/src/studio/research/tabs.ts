/** The researcher's views of a study, and who sees which. */
import type { Role, Study } from "../api";

export const kManagers: readonly Role[] = ["owner", "manager"];
export const kDeciders: readonly Role[] = [...kManagers, "adjudicator"];
export const kResearchers: readonly Role[] = [...kDeciders, "viewer"];

export interface Tab {
  title: string;
  /** Behind the study's own path. */
  path: string;
  roles: readonly Role[];
  /** Of studies alone that have it. */
  needs?: "links" & keyof Study;
}

export const kTabs: readonly Tab[] = [
  { title: "Overview", path: "", roles: kResearchers },
  { title: "Adjudicate", path: "/adjudicate", roles: kDeciders },
  { title: "Links", path: "/links", roles: kResearchers, needs: "links" },
  { title: "Guidelines", path: "/guidelines", roles: kResearchers },
  { title: "Data", path: "/data", roles: kManagers },
  { title: "People", path: "/people", roles: kManagers },
];
