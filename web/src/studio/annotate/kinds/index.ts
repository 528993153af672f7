/** The kinds of task: for each what is entered, and how it looks. */
import type { Component } from "svelte";
import type { Answer, Kind, Served, Task } from "../../api";
import type { KindProps, Sheet } from "../sheet";
import Classification from "./Classification.svelte";
import { ClassificationSheet } from "./classification_sheet.svelte";
import Clustering from "./Clustering.svelte";
import { ClusteringSheet } from "./clustering_sheet.svelte";
import Preference from "./Preference.svelte";
import { PreferenceSheet } from "./preference_sheet.svelte";
import Reranking from "./Reranking.svelte";
import { RerankingSheet } from "./reranking_sheet.svelte";
import Sts from "./Sts.svelte";
import { StsSheet } from "./sts_sheet.svelte";

interface KindView {
  make: (served: Served, task: Task, draft: Answer | null) => Sheet;
  view: Component<KindProps<Sheet>>;
}

function kind<S extends Sheet>(
  Made: new (served: Served, task: Task, draft: Answer | null) => S,
  view: Component<KindProps<S>>,
): KindView {
  // The view is only ever given the sheet that `make` of the same row made.
  return { make: (...given) => new Made(...given), view: view as unknown as Component<KindProps<Sheet>> };
}

export const kKinds: Record<Kind, KindView> = {
  sts: kind(StsSheet, Sts),
  classification: kind(ClassificationSheet, Classification),
  clustering: kind(ClusteringSheet, Clustering),
  reranking: kind(RerankingSheet, Reranking),
  preference: kind(PreferenceSheet, Preference),
};
