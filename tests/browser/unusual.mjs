// What a report says of data that are real but rare: names wider than a page, code, emoji, empty labels, more labels
// than paper holds, one annotator, a run without a distance. Of each kind of page: how its data are changed, and what
// is then to be seen; report.mjs runs these on every page that it is given.
import assert from "node:assert/strict";
import { settled } from "./settled.mjs";

const kLong = "a_name_without_any_blank_that_is_wider_than_the_narrowest_screen_beta_0.05_lr_3e-6_seed_7";
const kCode = "def least(values):\n    if not values:\n\treturn None\n    return min(values)\n";
const kBegun = "a".repeat(279);

/** The data with each of the names followed by a long one, wherever it stands for itself. */
function renamed(value, names) {
  if (typeof value === "string") return names.has(value) ? `${value}_${kLong}` : value;
  if (Array.isArray(value)) return value.map((one) => renamed(one, names));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, renamed(one, names)]));
}

const firstSample = ({ details }) => details.flatMap(({ examples }) => examples.prompts)[0].samples.find((one) => one);

function withCode(data) {
  for (const { examples } of data.details) {
    for (const one of examples.prompts) one.prompt = kCode;
    for (const { samples } of examples.prompts) for (const sample of samples) if (sample) sample.completion = ` ${kCode}\n`;
  }
  assert.ok(firstSample(data));
  return data;
}

async function codeIsIndented(page) {
  for (const part of [".prompt", ".completion"]) {
    const text = await page.locator(part).first().innerText();
    assert.ok(text.includes("\n    if not values:\n\treturn None\n    return min"), `${part}: ${JSON.stringify(text)}`);
    assert.ok(text.startsWith("def least"), text);
  }
}

async function widthAt(page, width, media) {
  await page.emulateMedia({ media });
  await page.setViewportSize({ width, height: 900 });
  await settled(page);
  return page.evaluate(() => document.documentElement.scrollWidth);
}

const kWidths = {
  async "long names make no page scroll sideways"(page) {
    for (const width of [360, 768, 1280]) assert.ok((await widthAt(page, width, "screen")) <= width, `${width}`);
  },
  async "long names and many labels fit on paper"(page) {
    assert.ok((await widthAt(page, 688, "print")) <= 688);
  },
};

/** Labels of a confusion with one right and one wrong answer each. */
const matrix = (labels) => ({
  labels,
  counts: labels.map((_, gold) => labels.map((_, answer) => (answer === gold ? 7 : answer === (gold + 1) % labels.length ? 1 : 0))),
});

function unusualItems(data) {
  const { results, items } = data;
  const person = results.rows.find(({ kind }) => kind === "annotator");
  results.rows = results.rows.filter(({ kind }) => kind !== "annotator").concat(person);
  const [item] = items;
  Object.assign(item, {
    texts: [`${kBegun}😀😀`, kCode],
    gold: { label: "" },
    answers: { [`金_${kLong}`]: { label: `${kLong}_${kLong}` }, 山: { label: "" } },
  });
  results.diagnostics = {
    ...results.diagnostics,
    disagreements: [],
    likely_gold_errors: [{ item: item.item, says: { label: "" } }],
    people_ahead: [],
    models_ahead: [],
    confusions: [
      { rater: "金", ...matrix(["", `${kLong}_${kLong}`, "c"]) },
      { rater: "山", ...matrix(Array.from({ length: 60 }, (_, i) => `${i}_${kLong}`)) },
      { rater: kLong, ...matrix(Array.from({ length: 16 }, (_, i) => `${kLong}_${i}`)) },
    ],
  };
  return data;
}

const itemChecks = {
  ...kWidths,

  async "a text is cut between letters, and code keeps its lines"(page) {
    const [cut, code] = await page.locator("#table-gold .texts p").allInnerTexts();
    assert.equal(cut, `${kBegun}😀…`);
    assert.ok(code.includes("\n    if not values:\n\treturn None"), code);
  },

  async "an empty label is said"(page) {
    assert.deepEqual(await page.locator("#table-gold dl.answers dd").allInnerTexts(), ["(empty)", `${kLong}_${kLong}`, "(empty)"]);
    const confusion = page.locator(".confusion").first();
    assert.equal(await confusion.locator("thead th").first().innerText(), "(empty)");
    assert.equal(await confusion.locator("tbody th").first().innerText(), "(empty)");
  },

  async "no two parts of the page have one id"(page) {
    const ids = await page.locator("[id]").evaluateAll((all) => all.map(({ id }) => id));
    assert.deepEqual(ids.filter((id, at) => ids.indexOf(id) !== at), []);
  },

  async "one annotator does not disagree"(page) {
    const list = page.locator("#items section", { hasText: "Where annotators disagree" });
    assert.equal(await list.locator("p").innerText(), "None: one annotator alone cannot disagree.");
  },

  async "of more labels than paper holds the largest confusions are printed"(page) {
    const many = page.locator(".confusion").nth(1);
    assert.equal(await many.locator(".scroll").isVisible(), true);
    assert.equal(await many.locator(".on-paper").isVisible(), false);
    await page.emulateMedia({ media: "print" });
    assert.equal(await many.locator(".scroll").isVisible(), false);
    assert.match(await many.innerText(), /20 largest confusions of 60/);
    const cells = await many.locator(".on-paper tbody tr").first().locator("th, td").allInnerTexts();
    assert.deepEqual(cells, [`0_${kLong}`, `1_${kLong}`, "1", "13%"]);
    assert.equal(await many.locator(".on-paper tbody tr").count(), 20);
    assert.equal(await page.locator(".confusion .scroll").first().isVisible(), true);
  },
};

function unusualRuns(data) {
  const [run] = data.measure.runs;
  const trajectory = run.trajectories.find(({ kind }) => kind === "run");
  trajectory.curves = [];
  for (const point of trajectory.points) Object.assign(point, { d: null, kl: null, kl_is: "none" });
  return withCode(renamed(data, new Set(data.measure.runs.map(({ name }) => name))));
}

const runChecks = {
  ...kWidths,
  "code keeps its lines": codeIsIndented,

  async "a run without a distance is not said to be without gold"(page) {
    const said = await page.locator(".lead").innerText();
    assert.match(said, /no distance \(KL\) of the run is known/);
    assert.doesNotMatch(said, /not measured/);
  },
};

const namesOf = ({ runs }) => new Set(runs.map(({ name }) => name));

function unusualLinks(data) {
  const [first] = data.links.runs;
  if (first.verdicts) first.verdicts.A = first.verdicts.A === "aligned" ? "inverted" : "aligned";
  return withCode(renamed(data, namesOf(data.links)));
}

/** {schema: {change: what its data become, checks}} */
export const kUnusual = {
  "plumb.gap-report/1": {
    change(data) {
      const name = `some-owner/${kLong}`;
      const [model] = data.leaderboard.rows.filter(({ kind }) => kind === "model");
      data.gap.subsets[0].task = "Emotion and/or mood";
      data.gap.note = name;
      return renamed(data, new Set([model.name]));
    },
    checks: {
      ...kWidths,
      async "a task and a view whose name has a stroke stand under all of it"(page, data) {
        const names = (id) => page.locator(`#table-${id} tbody th [title]`).allInnerTexts();
        assert.equal((await names("subsets"))[0], "Emotion and/or mood");
        assert.deepEqual(await names("views"), data.audit.rows.map(({ view }) => view));
      },
    },
  },
  "plumb.items-report/1": { change: unusualItems, checks: itemChecks },
  "plumb.mismatch-report/1": { change: unusualRuns, checks: runChecks },
  "plumb.links-report/1": { change: unusualLinks, checks: { ...kWidths, "code keeps its lines": codeIsIndented } },
  "plumb.full-report/1": {
    change: (data) => renamed(data, namesOf(data.links.links)),
    checks: kWidths,
  },
};
