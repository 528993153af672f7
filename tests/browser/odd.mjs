// Data that are as real as others but seldom: names without a blank, scores that are all alike or absent,
// gains in millions or thousandths. Each by its name, for the checks of figures.
import { sample } from "./sample.mjs";

const kWord = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(3);
const kNames = [
  "sentence-transformers/paraphrase-multilingual-mpnet-base-v2",
  "http://localhost:8080/v1#meta-llama/Llama-3.3-70B-Instruct",
  "some_organisation/a_very_long_name_of_a_model_that_has_no_blank_at_all_29_instruct_v29_q8",
  "多语言句子嵌入模型的名称里没有任何空格也没有连字符所以必须在任意位置换行",
  kWord,
];
const kPage = { version: "0.1.0", command: "plumb report", inputs: [], notes: [] };
const around = (x, reach) => [x - reach, x + reach];

/** A human below every model, and models whose names do not break. */
function board() {
  const report = sample();
  const [odd, ...rest] = report.gap.subsets.reverse();
  Object.assign(odd, { human: -78.2, human_ci: [-104, -51], annotators: [-81, -66] });
  Object.assign(rest[0], { type: kWord, task: kWord, human: null, human_ci: null, models: [], model: null, annotators: [], reason: `${kNames[2]} is gone` });
  report.leaderboard.rows.filter(({ kind }) => kind === "model").forEach((row, at) => (row.name = kNames[at] ?? row.name));
  Object.assign(report.audit.rows[3], { view: `without ${kWord}` });
  return report;
}

function rater(name, kind, score, ci) {
  const gap = kind === "human" || score === null ? {} : { gap: 0.1, gap_ci: [-0.027, 0.171] };
  const reason = score === null ? { score_reason: "one of the two sides is constant" } : {};
  return { name, kind, sheets: 1, n: 12, score, ci, verdict: kind === "model" ? "not interpretable" : undefined, ...gap, ...reason };
}

function raters(score, ci = null) {
  return {
    ...kPage,
    schema: "plumb.items-report/1",
    title: "Raters",
    results: {
      task: "odd",
      kind: "sts",
      metric: "spearman",
      level: 0.95,
      human_ceiling: null,
      noise_ceiling: null,
      agreement: null,
      rows: [
        rater("human", "human", score, ci),
        rater("consensus", "consensus", score, ci),
        ...kNames.map((name) => rater(name, "model", score, ci)),
        rater("baseline/random", "baseline", score === null ? null : score === 1 ? 1 : 0.064, ci),
        rater("baseline/constant", "baseline", null, null),
      ],
      calibration: [],
      warnings: [],
      diagnostics: { good_models: [], disagreements: [], likely_gold_errors: [], people_ahead: [], models_ahead: [], confusions: [] },
    },
    items: [],
  };
}

/** Along the form of Gao et al. for policies, a = 1 and b = 0.6, at d = 0.5, 1.5, ... */
const kGains = [0.71, 1.13, 1.13, 0.87, 0.44];

function curve(name, form, size) {
  const points = kGains.map((gain, at) => ({ d: at + 0.5, mean: size * gain, ci: around(size * gain, 0.2 * size), fitted: null }));
  const fitted = { form, a: size, b: (form === "rl" ? 0.6 : 0.2) * size, d_star: 1.9, d_star_ci: [1.7, 2.2], r_star: size, r_star_ci: around(size, size / 5) };
  return { name, ...fitted, detected: true, d_max: 4.5, slope_end: -size, slope_end_ci: around(-size, size / 3), verdict: "inverted", points };
}

function trajectory(kind, size, deviation) {
  const form = kind === "run" ? "rl" : "bon";
  return {
    kind,
    prompts: 20,
    start: { step: 0, samples: 40, proxy_deviation: deviation, gold_deviation: deviation, correlation: null, correlation_ci: null },
    curves: [curve("gold", form, size), curve("proxy", form, 2 * size)],
    points: kGains.map((gain, at) => ({
      step: 10 * at,
      d: at + 0.5,
      kl: (at + 0.5) ** 2,
      kl_is: "sampled",
      proxy: 2 * size * gain,
      proxy_ci: around(2 * size * gain, size / 4),
      gold: size * gain,
      gold_ci: around(size * gain, size / 4),
      gap: gain,
      gap_ci: around(gain, 0.2),
    })),
    warnings: [],
  };
}

function examples(size) {
  const sample = { completion: "She found it.", proxy: 2 * size, gold: size };
  return { stages: [{ name: "start", step: 0, note: "" }], prompts: [{ prompt: "A kite was lost.", samples: [sample] }] };
}

const kRun = { file: "runs/odd.jsonl", sha256: "0".repeat(64), samples: 200, prompts: 20, steps: 5, missing: [] };

function mismatch(names, size, deviation, kinds = ["best of n", "run"]) {
  const every = size > 1 ? 250_000 : 1;
  const points = kGains.slice(0, size > 1 ? 5 : 2).map((gain, at) => ({ step: every * at, value: 20 + gain, ci: around(20 + gain, 1) }));
  return {
    ...kPage,
    schema: "plumb.mismatch-report/1",
    title: "Proxy and gold",
    measure: {
      level: 0.95,
      resamples: 100,
      seed: 0,
      runs: names.map((name) => ({ ...kRun, name, trajectories: kinds.map((kind) => trajectory(kind, size, deviation)) })),
    },
    details: names.map(() => ({ meters: [{ name: "kl", points }, { name: "length", points }], examples: examples(size) })),
  };
}

function links(size) {
  const row = (link, run) => ({ link, run, measure: "pairs ordered right at the end of the run", estimate: 0.3 * size, ci: [0.1 * size, 0.5 * size],
    verdict: "aligned", detectable: 0.2 * size, n: 20, of: "prompts", headline: true, null: 0, resolution: 0.1 });
  const points = kGains.map((gain, at) => ({ at, d: at, proxy: 2 * size * gain, proxy_ci: null, gold: size * gain, gold_ci: around(size * gain, size / 4),
    accuracy: 0.5, accuracy_ci: null, overconfidence: null, overconfidence_ci: null }));
  const verdicts = { A: "aligned", B: "aligned", C: "aligned" };
  return {
    ...kPage,
    schema: "plumb.links-report/1",
    title: "The three links",
    links: {
      level: 0.95,
      resamples: 100,
      seed: 0,
      inputs: [],
      runs: kNames.map((name) => ({ ...kRun, name, seeds: 1, warnings: [], verdicts })),
      links: kNames.flatMap((name) => ["A", "B", "C"].map((link) => row(link, name))),
      swap: [{ stage: "total", loss: size, ci: around(size, size / 3) }],
      sentence: "All links are aligned.",
    },
    details: kNames.map((name) => ({ name, kind: "run", proxy_deviation: null, gold_deviation: null, points, ceiling: null, evaluations: [], examples: examples(size) })),
  };
}

export const kOdd = {
  "a human below all models": board(),
  "raters with long names": raters(0.915, [0.811, 0.961]),
  "raters who are all right": raters(1, [1, 1]),
  "raters who are all wrong": raters(0, [0, 0]),
  "raters without a score": raters(null),
  "runs, eight": mismatch(Array.from({ length: 8 }, (_, at) => `grpo ${at}`), 1, 1),
  "a run of long name": mismatch([kNames[2]], 1, 1),
  "a run of large rewards": mismatch(["large"], 5e6, null),
  "a run of small rewards": mismatch(["small"], 0.004, 0.004),
  "a run of the smallest rewards": mismatch(["smallest"], 2e-9, null),
  "a best of n alone": mismatch(["best"], 1, 1, ["best of n"]),
  "links of long names": links(1),
  "links of large rewards": links(5e6),
};
