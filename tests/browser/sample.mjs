// Fills a built report with sample data, as plumb does:
//   node tests/browser/sample.mjs web/dist/report.html > sample.html
//
// The scores are those of the published HUME result files (CC0 1.0), rounded to one decimal; intervals
// are drawn here by a plain bootstrap and stand for the look of the page only.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const kTasks = `EmotionClassification,Classification,default,eng,48,accuracy,fleiss_kappa .386
ToxicConversationsClassification,Classification,default,eng,45,accuracy,fleiss_kappa .550
TweetSentimentExtractionClassification,Classification,default,eng,45,accuracy,fleiss_kappa .414
MultilingualSentimentClassification,Classification,eng,eng,40,accuracy,fleiss_kappa .238
MultilingualSentimentClassification,Classification,ara,ara,40,accuracy,
MultilingualSentimentClassification,Classification,nor,nob,40,accuracy,
MultilingualSentimentClassification,Classification,rus,rus,40,accuracy,
ArxivClusteringP2P,Clustering,default,eng,30,v_measure,ari -.001
RedditClusteringP2P,Clustering,default,eng,30,v_measure,ari .420
WikiCitiesClustering,Clustering,default,eng,30,v_measure,ari .914
SIB200ClusteringS2S,Clustering,eng_Latn,eng,30,v_measure,ari .151
SIB200ClusteringS2S,Clustering,arb_Arab,ara,30,v_measure,
SIB200ClusteringS2S,Clustering,dan_Latn,dan,30,v_measure,
SIB200ClusteringS2S,Clustering,rus_Cyrl,rus,30,v_measure,
Core17InstructionReranking,Reranking,default,eng,20,map,mean_spearman .796
News21InstructionReranking,Reranking,default,eng,31,map,mean_spearman .848
Robust04InstructionReranking,Reranking,default,eng,49,map,mean_spearman .751
WikipediaRerankingMultilingual,Reranking,en,eng,30,map,mean_spearman .636
WikipediaRerankingMultilingual,Reranking,da,dan,30,map,
WikipediaRerankingMultilingual,Reranking,no,nob,30,map,
SICK-R,STS,default,eng,40,cosine_spearman,mean_spearman .629
STS12,STS,default,eng,50,cosine_spearman,mean_spearman .774
STSBenchmark,STS,default,eng,50,cosine_spearman,mean_spearman .579
STS22,STS,en,eng,30,cosine_spearman,mean_spearman .751
STS22,STS,ar,ara,30,cosine_spearman,
STS22,STS,ru,rus,30,cosine_spearman,`;

const kHuman =
  "45.8 73.3 84.4 77.5 95 85 92.5 49.2 68.8 97.6 54 76 62.7 68.1 85.2 92.7 88.5 82.4 91.4 89.8 82.6 91.2 80.4 78.4 67.5 58.7";
const kAnnotators = `47.9 73.3 71.1 72.5 - - 92.5 35.3 63.2 95.1 41.7 - - 68.1 83.6 91.3 82.2 75.6 - - 68.4 80.6 63.6 67 - 58.7
- - - - - 85 - - - - - - 62.7 - - - - - 91.4 89.8 - - - - - -
31.2 73.3 86.7 80 95 - - 63.2 74.4 100 66.3 76 - - 86.8 94.1 94.8 89.1 - - 85.5 89.5 83 77.5 67.5 -`;
const kModels = `NovaSearch/jasper_en_vision_language_v1 75.4 86.7 90.9 95.5 63.5 70.5 79.8 83.9 95.1 95.1 58.6 64.3 54.7 43.7 98.2 100 98.7 86.4 90.1 90 93.8 92 88.7 77.8 40.9 69.5
Salesforce/SFR-Embedding-Mistral 46.7 67.3 75.6 89.5 77.5 68.8 72.5 75.5 81.4 100 83.3 73.1 71.2 68.9 97.9 99.7 98.8 88.6 89.2 86.1 94.1 89.2 86.4 76.1 15.3 64
intfloat/e5-mistral-7b-instruct 47.3 68 75.8 88.8 74.5 70.5 70 77.2 74.9 100 78.6 68.5 76 77.7 98.8 99.5 98.8 88.6 90.6 86.1 93.2 89.1 85.9 75.6 16 63
Alibaba-NLP/gte-Qwen2-1.5B-instruct 56.2 78.7 79.3 91.8 75.2 70.8 74.5 70.8 88.4 73.6 70.7 73.7 67.1 72.2 97.5 99.2 98.5 86.1 84.3 87.8 93.4 86.9 80 75.9 28.8 54.2
NovaSearch/stella_en_1.5B_v5 71.9 82.9 89.1 92.2 65.8 67 79.2 84.6 100 86.4 43.5 36.8 42.6 46.7 98.6 100 98.3 87.2 91.7 88.6 92.3 89.1 87.1 78.5 37.2 62.1
Qwen/Qwen3-Embedding-0.6B 51.9 74.4 87.8 84.8 77.2 59.8 74.8 69.1 76.3 74.8 53.5 78.8 58.5 68.3 97 100 98.5 86.7 90 83.6 93.3 91.8 90.9 77.8 38 60.3
intfloat/multilingual-e5-large 38.5 63.3 65.3 92.5 77 75 80 51.1 55.4 69.2 34.4 34.6 31 46.9 95.7 97.8 97.2 90.6 95 92.3 89.4 89.9 83.6 82.3 33.8 68.8
intfloat/multilingual-e5-small 33.8 65.1 69.6 80.2 72.2 69.2 81.2 30.5 76.9 72.6 27 35.5 38 59.1 95.6 98.1 97.5 85.8 88.6 88.3 88.6 87.6 81.9 82.9 28.8 60.3
intfloat/multilingual-e5-base 36.2 66 69.1 87.5 75.8 73.8 77.2 31.9 60 66.2 24.2 35.9 40.6 36.2 96.2 98.6 96.9 85.8 92.2 87.5 91.5 86.5 82.9 80 31 62.7
mixedbread-ai/mxbai-embed-large-v1 42.1 68.7 65.8 89 57.2 52.2 59 48.3 72.1 90.8 36.5 26.5 34.2 30.5 97.2 98 98.6 84.2 90.8 82 93.4 91.1 88.9 77.1 12.7 43.7
google/embeddinggemma-300m 40.4 66.4 67.8 59.8 71 54 73.5 73 72.8 70.3 44.3 19.2 43.7 36.9 84.2 91.4 89.8 82.2 74.3 71.4 72.6 77.9 58.3 70.7 36.7 66.2
sentence-transformers/all-mpnet-base-v2 44 60.4 58.4 85 53.5 47 60.5 56 63 86.7 33.1 21.4 22.9 36.9 98.6 98.6 97.8 78.1 79 80.5 89.8 83.7 78.4 80.1 13.2 42.2
sentence-transformers/all-MiniLM-L6-v2 42.1 66.4 59.6 67.2 57.2 51.7 55.5 61.8 56.5 73.8 28.3 35.2 24.5 31.4 95.6 98.8 96.3 83.9 78.4 71.2 91.5 85.7 81.8 74.9 6.2 33.1`;

const kViews = `aggregation;mean over 26 subsets;77.64;80.14;4;1-7
aggregation;mean over 16 tasks;78.03;86.42;7;1-9
aggregation;mean of 4 type means, task first;78.03;86.42;7;
aggregation;mean of 4 type means, subset first;77.98;80.53;4;
aggregation;mean of 14 category × language cells;78.19;72.94;1;1-6
aggregation;Borda over 26 subsets;;;7;
human rule;mean over individual annotators;76.18;80.14;7;2-7
human rule;better annotator of each subset;79.95;80.14;2;1-6
human rule;worse annotator of each subset;72.41;80.14;7;
language;English subsets only;77.00;88.55;8;6-11
language;other languages only;78.67;66.69;1;1-1
training data;without tasks whose parents jasper declares as training data;82.6;80.2;1;
training data;only these tasks;69.8;80.1;6;`;

const scores = (text) => text.split(" ").map((x) => (x === "-" ? null : Number(x)));
const named = (line) => [
  line.slice(0, line.indexOf(" ")),
  scores(line.slice(line.indexOf(" ") + 1)),
];
const mean = (xs) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
const round = (x) => Math.round(100 * x) / 100;

function* draws(seed) {
  for (let state = seed; ;) yield (state = (state * 48271) % 2147483647) / 2147483647;
}
const quantiles = (xs) => {
  const sorted = [...xs].sort((a, b) => a - b);
  return [0.025, 0.975].map((p) => round(sorted[Math.floor(p * (sorted.length - 1))]));
};

function leaderboard(human, models) {
  const all = [["baseline/Human", human], ...models];
  const random = draws(7);
  const resamples = Array.from({ length: 2000 }, () => {
    const at = human.map(() => Math.floor(human.length * random.next().value));
    return all.map(([, row]) => mean(at.map((i) => row[i])));
  });
  const rankIn = (sample, i) => 1 + sample.filter((x) => x > sample[i]).length;
  const rows = all.map(([name, row], i) => ({
    name,
    revision: "2025_09_25",
    kind: i === 0 ? "human" : "model",
    score: mean(row),
    ci: quantiles(resamples.map((sample) => sample[i])),
    rank: rankIn(
      all.map(([, r]) => mean(r)),
      i,
    ),
    rank_ci: quantiles(resamples.map((sample) => rankIn(sample, i))),
    tie_group: mean(row) > 76 ? 1 : 2,
    coverage: [26, 26],
    partial: false,
    ...(i > 0 && {
      difference: {
        value: mean(row) - mean(human),
        ci: quantiles(resamples.map((sample) => sample[i] - sample[0])),
      },
    }),
  }));
  const baseline = (name, score, have) => ({
    name,
    revision: null,
    kind: "baseline",
    score,
    ci: have < 26 ? null : [score - 9, score + 9],
    rank: null,
    rank_ci: null,
    tie_group: null,
    coverage: [have, 26],
    partial: have < 26,
    difference:
      have < 26 ? { reason: "6 of 26 subsets" } : { value: score - mean(human), ci: null },
  });
  rows.push(baseline("baseline/trivial", 44.3, 26), baseline("mteb/baseline-bm25s", 92.4, 6));
  return {
    schema: "plumb.leaderboard/1",
    aggregate: "subset",
    aggregate_title: "mean over 26 subsets",
    human: "published",
    resampling: "bootstrap over 26 subsets, 2,000 resamples, seed 7",
    level: 0.95,
    ranked: all.length,
    rows: rows.sort((a, b) => b.score - a.score),
  };
}

function gapSubset(line, i, human, annotators, models) {
  const [task, type, subset, language, n, metric, agreed] = line.split(",");
  const half =
    (170 / Math.sqrt(Number(n))) * Math.sqrt((human[i] / 100) * (1 - human[i] / 100) + 0.02);
  const around = (x, reach) => [Math.max(0, x - reach), Math.min(100, x + reach)];
  const [best, all] = models.reduce(
    ([a, b], [name, row]) => (row[i] > b ? [name, row[i]] : [a, b]),
    ["", -1],
  );
  const difference = human[i] - all;
  const ci = [difference - 1.2 * half, difference + 1.2 * half];
  const [name, value] = agreed.split(" ");
  const low = agreed !== "" && Number(value) < 0.4;
  const trivial = {
    Classification: ["majority", 50],
    Clustering: ["singletons", 69],
    Reranking: ["random", 37.04],
    STS: ["constant", 0],
  }[type];
  const beaten = trivial[1] > human[i];
  const decided = ci[0] > 0 ? "human ahead" : ci[1] < 0 ? "model ahead" : "not separable";
  return {
    task: `HUME${task}`,
    type,
    subset,
    language,
    n: Number(n),
    metric,
    human: human[i],
    human_ci: around(human[i], half),
    annotators: annotators.map((row) => row[i]).filter((x) => x !== null),
    agreement: agreed
      ? { metric: name, value: Number(value), ci: null }
      : { reason: "one annotator" },
    model: all,
    model_name: best,
    model_ci: around(all, 0.8 * half),
    difference,
    ci,
    detectable: 1.7 * half,
    verdict: low || beaten ? "not interpretable" : decided,
    warnings: [
      low && "agreement under 0.4",
      beaten && `a trivial answer (${trivial[0]}) beats the human`,
    ].filter(Boolean),
    chance: type === "STS" ? 0 : type === "Clustering" ? { reason: "depends on k" } : trivial[1],
    trivial:
      type === "STS"
        ? { reason: "undefined for a constant" }
        : { name: trivial[0], score: trivial[1] },
    models: models.map(([model, row]) => ({ name: model, score: row[i] })),
  };
}

function audit(models) {
  const rows = kViews.split("\n").map((line) => {
    const [group, view, human, best, rank, ci] = line.split(";");
    return {
      group,
      view,
      human: human ? Number(human) : { reason: "points, not scores" },
      best: best ? Number(best) : null,
      best_name: best ? models[0][0] : null,
      human_rank: Number(rank),
      rank_ci: ci ? ci.split("-").map(Number) : null,
      of: 14,
      subsets: 26,
      trivial: 44.3,
      trivial_name: "majority",
    };
  });
  rows.push({
    group: "agreement",
    view: "without low-agreement tasks",
    human: null,
    best: null,
    human_rank: null,
    of: 14,
    subsets: 0,
    reason: "no agreement published for 10 subsets",
  });
  return {
    schema: "plumb.gap-audit/1",
    rows,
    findings: [
      {
        id: "tie-break",
        title: "A vote of two annotators is settled by the alphabet",
        holds: true,
        evidence:
          "Emotion 45.8 against 39.6, the mean of the two accuracies 47.9 and 31.2 (+6.2); Tweet 84.4 against 78.9 (+5.6).",
      },
      {
        id: "markup",
        title: "Text is <b>never</b> markup",
        holds: false,
        evidence: "</script><script>throw new Error('escaped badly')</script> stays text.",
      },
    ],
  };
}

export function sample() {
  const human = scores(kHuman);
  const models = kModels.split("\n").map(named);
  const annotators = kAnnotators.split("\n").map(scores);
  return {
    schema: "plumb.gap-report/1",
    title: "HUME: people and models on the same tasks",
    version: "0.1.0",
    command: "plumb report gap hume",
    inputs: [
      {
        name: "hume",
        sha256: "0".repeat(64),
        origin: "sample of the published result files",
        licence: "CC0 1.0",
      },
    ],
    leaderboard: leaderboard(human, models),
    gap: {
      schema: "plumb.gap/1",
      against: "best",
      level: 0.95,
      note: "Sample: the intervals are not those of plumb.",
      subsets: kTasks.split("\n").map((line, i) => gapSubset(line, i, human, annotators, models)),
    },
    audit: audit(models),
  };
}

/** The data as they stand in a page. */
export const written = (data) => JSON.stringify(data).replaceAll("<", "\\u003c");

/** The page with the data in the place of the placeholder. */
export function fill(template, data) {
  return template.replace("__PLUMB_DATA__", () => written(data));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(fill(readFileSync(process.argv[2], "utf8"), sample()));
}
