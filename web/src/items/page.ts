/** Lays out a page about single answers. */
import { known } from "../data";
import { h } from "../dom";
import { count, interval, number, percent, signed, words } from "../format";
import { ratersFigure } from "../figures/raters";
import { contents, entry, hash, header, provenance, section } from "../layout";
import { confusionTable } from "./confusion";
import type { Item, ItemsReport, Results } from "./data";
import { itemsTable, ratersTable } from "./tables";

const three = (value: number) => number(value, 3);

export function itemsPage(report: ItemsReport): Node[] {
  const { results } = report;
  const lists = itemLists(report);
  const confusions = results.diagnostics.confusions.map(confusionTable);
  const sections: [string, string, string, Node[]][] = [
    ["raters", "Raters", "People and models", [ratersFigure(results), ratersTable(results)]],
    ["people", "People", "How far people agree", [people(results)]],
    ["items", "Items", "Which items", lists],
  ];
  if (confusions.length > 0) {
    sections.push(["confusion", "Confusion", "What is taken for what", confusions]);
  }
  const links = sections.map(([id, link]): [string, string] => [id, link]);
  return [
    header(report.title, headline(results), [...links, ["provenance", "Provenance"]]),
    ...sections.map(([id, , title, children]) => section(id, title, ...children)),
    sources(report),
  ];
}

/** What the data say, a sentence or two a paragraph. */
function headline(results: Results): string[] {
  const human = results.rows.find((row) => row.kind === "human");
  const score = known(human?.score);
  if (!human || score === undefined) return ["People have no score here."];
  const ci = known(human.ci);
  const verdicts = results.rows.filter((row) => row.verdict);
  const found = ["human ahead", "model ahead", "not separable", "not interpretable"].flatMap(
    (verdict) => {
      const n = verdicts.filter((row) => row.verdict === verdict).length;
      return n > 0 ? [`${verdict} (${n})`] : [];
    },
  );
  const said =
    found.length > 0 ? ` Against ${count(verdicts.length, "model")}: ${found.join(", ")}.` : "";
  return [
    `One annotator scores ${three(score)}${ci ? ` ${interval(ci, three)}` : ""} on average (${words(results.metric)}, ${count(human.n, "item")}, ${count(human.sheets, "annotator")}).${said}`,
    ...results.warnings.map((warning) => `Note: ${warning}.`),
  ];
}

const annotators = ({ rows }: Results) => rows.filter(({ kind }) => kind === "annotator").length;

function people(results: Results): HTMLElement {
  const entries: [string, string][] = [];
  const { agreement, calibration } = results;
  if (agreement) {
    const ci = known(agreement.ci);
    const bounds = ci ? ` ${interval(ci, three)}` : "";
    entries.push(["Agreement", `${agreement.metric} ${three(agreement.value)}${bounds}`]);
  }
  const ceiling = known(results.human_ceiling);
  if (ceiling !== undefined) entries.push(["Annotators against the others", three(ceiling)]);
  const noise = known(results.noise_ceiling);
  if (noise !== undefined) {
    entries.push([
      "Noise ceiling",
      `no rater can correlate with their mean by more than ${three(noise)} (Spearman-Brown)`,
    ]);
  }
  for (const { name, bias, slope, mse } of calibration) {
    const line = slope === null ? "" : `, slope ${number(slope, 2)}`;
    entries.push([
      `Calibration, ${name}`,
      `bias ${signed(bias, 2)}${line}, mean squared error ${number(mse, 2)}`,
    ]);
  }
  if (entries.length === 0) {
    const alone = annotators(results) < 2;
    return h("p", {}, alone ? "One annotator alone cannot agree or disagree." : "Too little was answered twice to say.");
  }
  return h("dl", {}, ...entries.flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]));
}

function itemLists({ results, items }: ItemsReport): Node[] {
  const { diagnostics } = results;
  const byId = new Map(items.map((item) => [item.item, item]));
  const list = (id: string, title: string, what: string, none: string, ids: string[]): Node => {
    const rows: Item[] = ids.flatMap((item) => byId.get(item) ?? []);
    if (rows.length === 0) return contents(title, `None: ${none}`);
    const shown = rows.length < ids.length ? ` The first ${rows.length} of ${ids.length}.` : "";
    return itemsTable(id, title, what + shown, rows);
  };
  const ahead = (who: string) => `${who} come closer to the gold by half of the range and more.`;
  return [
    list(
      "disagreements",
      "Where annotators disagree",
      "The most disputed items first.",
      annotators(results) < 2
        ? "one annotator alone cannot disagree."
        : "those who answered the same items agree.",
      diagnostics.disagreements,
    ),
    list(
      "gold",
      "Likely gold errors",
      "People and every good model say the same, and the gold says otherwise.",
      "on no item do people and every good model say the same, and the gold otherwise.",
      diagnostics.likely_gold_errors.map(({ item }) => item),
    ),
    list(
      "people-ahead",
      "People succeed, models fail",
      ahead("People"),
      `on no item do ${ahead("people")}`,
      diagnostics.people_ahead,
    ),
    list(
      "models-ahead",
      "Models succeed, people fail",
      ahead("Models"),
      `on no item do ${ahead("models")}`,
      diagnostics.models_ahead,
    ),
  ];
}

function sources({ version, command, inputs, results }: ItemsReport): HTMLElement {
  return provenance(
    version,
    command,
    ...entry(
      "Intervals",
      `${percent(results.level)}${results.gap_level === undefined || results.gap_level === results.level ? "" : ` (of differences ${percent(results.gap_level)})`}, ${results.resamples} resamples of items and annotators, seed ${results.seed}`,
    ),
    ...entry("Human", `rule “${results.human}”`),
    ...entry("Items", hash(results.items)),
    ...inputs.flatMap(({ name, sha256 }) => entry(`Answers ${name}`, hash(sha256))),
  );
}
