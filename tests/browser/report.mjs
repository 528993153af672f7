// Opens an HTML report in headless Chromium and checks what a reader would see:
//   node tests/browser/report.mjs FILE.html     a finished report
//   node tests/browser/report.mjs --sample TEMPLATE.html     the built page, filled with sample data, and the
//                                                            figures of data that are seldom
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { figureChecks } from "./figures.mjs";
import { kOdd } from "./odd.mjs";
import { fill, sample, written } from "./sample.mjs";
import { kUnusual } from "./unusual.mjs";

const { chromium } = createRequire(new URL("../../web/package.json", import.meta.url))(
  "playwright-core",
);

const kBrowser = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

const boardChecks = {
  async "the three figures hold a mark for each row"(page, data) {
    const marks = (figure, look) =>
      page.locator(`#figure-${figure} svg[role=img] g.${look} > *`).count();
    const scored = data.leaderboard.rows.filter((row) => typeof row.score === "number");
    assert.equal(await marks("leaderboard", "score"), scored.length);
    const subsets = data.gap.subsets.filter((row) => typeof row.human === "number");
    assert.equal(await marks("subsets", "human"), subsets.length);
    const dots = data.gap.subsets
      .flatMap((row) => row.models ?? [])
      .filter((model) => typeof model.score === "number");
    assert.equal(await marks("subsets", "models"), dots.length);
    const ranked = data.audit.rows.filter((row) => typeof row.human_rank === "number");
    assert.equal(await marks("sensitivity", "rank"), ranked.length);
  },

  async "the tables hold every row of the data"(page, data) {
    const rows = (id) => page.locator(`#table-${id} tbody tr`).count();
    assert.equal(await rows("leaderboard"), data.leaderboard.rows.length);
    assert.equal(await rows("subsets"), data.gap.subsets.length);
    assert.equal(await rows("views"), data.audit.rows.length);
    assert.equal(await page.locator(".findings > li").count(), data.audit.findings.length);
  },

  async "a click sorts a column, and Enter turns it round"(page) {
    const head = page.locator("#table-subsets th", { hasText: "Human" }).first();
    const column = () =>
      page
        .locator("#table-subsets tbody tr td:nth-child(3)")
        .evaluateAll((cells) =>
          cells.map((cell) => Number.parseFloat(cell.textContent)).filter(Number.isFinite),
        );
    const sorted = (values) => [...values].sort((a, b) => a - b);
    assert.equal(await head.getAttribute("aria-sort"), "none");
    await head.locator("button").click();
    assert.equal(await head.getAttribute("aria-sort"), "descending");
    assert.deepEqual(await column(), sorted(await column()).reverse());
    await page.keyboard.press("Enter");
    assert.equal(await head.getAttribute("aria-sort"), "ascending");
    assert.deepEqual(await column(), sorted(await column()));
    assert.equal(await page.locator("#table-subsets [aria-sort]:not([aria-sort=none])").count(), 1);
  },
};

const itemChecks = {
  async "the figure holds a mark for each rater with a score"(page, { results }) {
    const scored = results.rows.filter((row) => typeof row.score === "number");
    assert.equal(await page.locator("#figure-raters g.score > *").count(), scored.length);
    assert.equal(await page.locator("#table-raters tbody tr").count(), results.rows.length);
  },

  async "every list holds its items, in their order, with the texts in their own direction"(
    page,
    { results, items },
  ) {
    const ids = results.diagnostics.disagreements;
    const rows = page.locator("#table-disagreements tbody tr th");
    assert.deepEqual(await rows.allInnerTexts(), ids);
    const texts = page.locator("#table-disagreements .texts").first().locator("p");
    assert.equal(await texts.first().getAttribute("dir"), "auto");
    const first = items.find((item) => item.item === ids[0]);
    assert.deepEqual(await texts.allTextContents(), first.texts);
  },

  async "a confusion table has a row and a column a label"(page, { results }) {
    for (const { labels } of results.diagnostics.confusions) {
      const table = page.locator(".confusion table").first();
      assert.equal(await table.locator("tbody tr").count(), labels.length);
      assert.equal(await table.locator("thead th").count(), labels.length);
    }
  },

  async "a text that looks like a script is a text"(page) {
    assert.equal(await page.evaluate(() => globalThis.injected), undefined);
    assert.equal(await page.locator("main script").count(), 0);
  },
};

/** Checks of numbers and signs that depend on the size and the number of runs. */
const sizeChecks = {
  async "the legend of a figure of curves names those that are drawn, and no other"(page, data) {
    for (const [at, { trajectories }] of data.measure.runs.entries()) {
      const drawn = trajectories.flatMap(({ kind, curves }) =>
        curves.map(({ name }) => `${name}, ${kind === "run" ? "of the run" : kind}`),
      );
      const legend = page.locator(`#figure-curves-${at} .legend li`);
      assert.deepEqual(await legend.allInnerTexts(), drawn);
    }
  },

  async "no gain that is measured reads as nothing"(page, data) {
    const none = /^[+−]?0(\.0+)?(?![.\d])/;
    for (const [at, { trajectories }] of data.measure.runs.entries()) {
      for (const [i, { points }] of trajectories.entries()) {
        const rows = await page.locator(`#table-points-${at}-${i} tbody tr`).all();
        const large = Math.max(...points.map(({ gold }) => Math.abs(gold ?? 0)));
        for (const [row, { gold }] of points.entries()) {
          if (!gold || Math.abs(gold) < large / 10) continue;
          const cells = await rows[row].locator("th, td").allInnerTexts();
          assert.doesNotMatch(cells[4].trim(), none);
        }
      }
    }
    for (const scores of await page.locator(".example .scores").allInnerTexts()) {
      assert.doesNotMatch(scores.replace(/^\D*/, ""), /^0\.0+,/);
    }
  },
};

const mismatchChecks = {
  ...sizeChecks,

  async "the curves hold a mark for each point, and the ceiling where one was detected"(page, data) {
    for (const [at, run] of data.measure.runs.entries()) {
      const curves = run.trajectories.flatMap((trajectory) => trajectory.curves);
      const count = (selector) => page.locator(`#figure-curves-${at} svg ${selector}`).count();
      assert.equal(
        await count("g.points > *"),
        curves.reduce((sum, curve) => sum + curve.points.length, 0),
      );
      const ceilings = curves.filter((curve) => curve.name === "gold" && curve.detected);
      assert.equal(await count(".ceiling > *"), ceilings.length);
    }
  },

  async "the tables hold every curve, point and rule"(page, data) {
    const rows = (id) => page.locator(`#table-${id} tbody tr`).count();
    const trajectories = data.measure.runs.flatMap((run) => run.trajectories);
    assert.equal(await rows("ceilings"), trajectories.flatMap(({ curves }) => curves).length);
    for (const [at, run] of data.measure.runs.entries()) {
      for (const [i, trajectory] of run.trajectories.entries()) {
        assert.equal(await rows(`points-${at}-${i}`), trajectory.points.length);
        const rules = trajectory.stopping?.rules;
        if (rules) assert.equal(await rows(`rules-${at}`), rules.length);
      }
    }
  },

  async "completions stand stage by stage, in their own direction, with what is data as text"(
    page,
    data,
  ) {
    const blocks = await page.locator(".example").all();
    const prompts = data.details.flatMap(({ examples }) => examples.prompts);
    assert.equal(blocks.length, prompts.length);
    for (const [i, block] of blocks.entries()) {
      assert.equal(await block.locator(".prompt").textContent(), prompts[i].prompt);
      assert.equal(await block.locator(".stage").count(), prompts[i].samples.length);
      assert.equal(await block.locator(".completion").first().getAttribute("dir"), "auto");
    }
    assert.equal(await page.evaluate(() => globalThis.injected), undefined);
    assert.equal(await page.locator("main script").count(), 0);
  },

  async "every run has its meters, a chart each"(page, data) {
    for (const [at, { meters }] of data.details.entries()) {
      assert.equal(
        await page.locator(`#figure-meters-${at} svg.meter`).count(),
        meters.length,
      );
    }
  },
};

const linksChecks = {
  async "the drawing has the three links, each leading to its card"(page, data) {
    assert.equal(await page.locator(".links-diagram .edge").count(), 3);
    for (const link of ["A", "B", "C"]) {
      const card = page.locator(`#link-${link}`);
      await card.evaluate((one) => one.removeAttribute("open"));
      await page.locator(`.links-diagram .edge[href="#link-${link}"] .letter`).click();
      assert.notEqual(await card.getAttribute("open"), null);
      const verdicts = new Set(
        data.links.runs.flatMap(({ verdicts: all }) => (all ? [all[link]] : [])),
      );
      const said = await card.locator("summary .tag").allInnerTexts();
      assert.deepEqual(new Set(said), verdicts);
    }
  },

  async "a card opens by the keyboard"(page) {
    const card = page.locator("#link-B");
    await card.evaluate((one) => one.removeAttribute("open"));
    await card.locator("summary").focus();
    await page.keyboard.press("Enter");
    assert.notEqual(await card.getAttribute("open"), null);
  },

  async "the tables hold every row, and the figures a mark for each judged one"(page, data) {
    for (const link of ["A", "B", "C"]) {
      const own = data.links.links.filter((row) => row.link === link);
      assert.equal(await page.locator(`#table-link-${link} tbody tr`).count(), own.length);
      const judged = own.filter((row) => row.ci && row.resolution && row.estimate !== null);
      const marks = page.locator(`#figure-verdicts-${link} g.verdicts > *`);
      assert.equal(await marks.count(), judged.length);
    }
    assert.equal(await page.locator("#table-swap tbody tr").count(), data.links.swap.length);
  },

  async "curves stand in their card with a mark for each checkpoint"(page, data) {
    for (const [at, { points }] of data.details.entries()) {
      const marks = page.locator(`#link-A #figure-gains-${at} g.points > *`);
      const measured = points.flatMap(({ proxy, gold }) => [proxy, gold]);
      assert.equal(await marks.count(), measured.filter((value) => value !== null).length);
    }
  },

  async "completions are text"(page, data) {
    const prompts = data.details.flatMap(({ examples }) => examples.prompts);
    assert.equal(await page.locator("#link-A .example").count(), prompts.length);
    assert.equal(await page.evaluate(() => globalThis.injected), undefined);
    assert.equal(await page.locator("main script").count(), 0);
  },
};

/** The same of the links inside a report of everything; its swap tests have tables of their own. */
const insideFull = Object.fromEntries(
  Object.entries(linksChecks).map(([name, check]) => [
    name,
    (page, data) => check(page, { ...data.links, links: { ...data.links.links, swap: [] } }),
  ]),
);

const fullChecks = {
  ...insideFull,

  async "every metric, reward model, remedy and round has its row and its mark"(page, data) {
    const { population, remedies, rounds, swaps } = data;
    const rows = (id) => page.locator(`#table-${id} tbody tr`).count();
    const marks = (id) => page.locator(`#figure-${id} g.points > *`).count();
    assert.equal(await rows("correlations"), population.correlations.length);
    assert.equal(
      await rows("reward-models"),
      population.reward_models.length + population.attacks.length,
    );
    assert.equal(await rows("remedies"), remedies.remedies.length);
    assert.equal(await rows("rounds"), rounds.rounds.length);
    const known = population.correlations.filter(
      ({ target, spearman }) => target === "best of n" && spearman !== null,
    );
    assert.equal(await marks("correlations"), known.length);
    const accuracies = population.reward_models.flatMap((one) => [
      one.people_accuracy ?? [],
      one.best_accuracy ?? [],
    ]);
    assert.equal(await marks("population"), accuracies.flat().length);
    const measured = remedies.remedies.filter(({ gold_ci: ci }) => ci);
    assert.equal(await marks("remedies"), measured.length);
    for (const { run, swap } of swaps) assert.equal(await rows(`swap-${run}`), swap.length);
  },
};

const commonChecks = {
  ...figureChecks,

  async "every figure has a title and a description"(page) {
    for (const figure of await page.locator("figure").all()) {
      assert.match(await figure.locator("h3").innerText(), /^Figure \d+\. \w/);
      assert.ok((await figure.locator("svg[role=img]").getAttribute("aria-label")).length > 40);
    }
  },

  async "nothing undefined is on the screen but in the words of the data"(page, data) {
    const seen = await page.evaluate(() =>
      [
        document.body.innerText,
        ...[...document.querySelectorAll("svg")].map((svg) => svg.outerHTML),
      ].join("\n"),
    );
    const holes = /\bNaN\b|\bundefined\b|\bnull\b|\bInfinity\b|\[object /;
    const own = strings(data).filter((text) => text.includes(" ") && holes.test(text));
    assert.doesNotMatch(
      own.reduce((left, text) => left.replaceAll(text, ""), seen),
      holes,
    );
  },

  async "the page fits 360 pixels"(page) {
    await page.setViewportSize({ width: 360, height: 800 });
    await page.waitForFunction(() =>
      [...document.querySelectorAll(".chart svg")].every((svg) => svg.clientWidth < 360),
    );
    const width = () => page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(await width(), 360);
  },

  async "dark differs from light, by the system and by the button"(page, data) {
    const colors = () =>
      page.evaluate(
        (mark) => [
          getComputedStyle(document.body).backgroundColor,
          getComputedStyle(document.body).color,
          getComputedStyle(document.querySelector(mark)).fill,
        ],
        kPages[data.schema].mark,
      );
    await page.emulateMedia({ colorScheme: "light" });
    const light = await colors();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await colors();
    light.forEach((color, i) => assert.notEqual(color, dark[i]));
    await page.locator("button.theme").click();
    assert.deepEqual(await colors(), light);
  },

  async "paper is light, without the button, and no wider than a page"(page) {
    await page.emulateMedia({ colorScheme: "dark", media: "print" });
    await page.setViewportSize({ width: 688, height: 1000 });
    assert.equal(await page.locator("button.theme").isVisible(), false);
    const [paper, wide] = await page.evaluate(() => [
      getComputedStyle(document.body).backgroundColor,
      document.documentElement.scrollWidth,
    ]);
    assert.equal(paper, "rgb(255, 255, 255)");
    assert.equal(wide, 688);
  },
};

/** What a page of each kind must pass, its last figure, and a mark whose color is the theme's. */
const kPages = {
  "plumb.gap-report/1": {
    checks: { ...boardChecks, ...commonChecks },
    ready: "#figure-sensitivity svg[role=img]",
    mark: "#figure-subsets g.models",
  },
  "plumb.items-report/1": {
    checks: { ...itemChecks, ...commonChecks },
    ready: "#figure-raters svg[role=img]",
    mark: "#figure-raters g.score > *",
  },
  "plumb.mismatch-report/1": {
    checks: { ...mismatchChecks, ...commonChecks },
    ready: "#figure-meters-0 svg[role=img]",
    mark: "#figure-curves-0 g.points",
  },
  "plumb.links-report/1": {
    checks: { ...linksChecks, ...commonChecks },
    open: "details.link-card",
    ready: "#figure-verdicts-C svg[role=img]",
    mark: "#figure-verdicts-A g.verdicts > *",
  },
  "plumb.full-report/1": {
    checks: { ...fullChecks, ...commonChecks },
    open: "details.link-card",
    ready: "#figure-rounds svg[role=img]",
    mark: "#figure-remedies g.points > *",
  },
};

/** Every text in the data, however deep. */
function strings(value) {
  if (typeof value === "string") return [value];
  return value && typeof value === "object" ? Object.values(value).flatMap(strings) : [];
}

const kData = /(<script type="application\/json" id="plumb-data">)([^]*?)(<\/script>)/;

async function runChecks(browser, file, data, checks) {
  const { open, ready } = kPages[data.schema];
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const trouble = [];
    page.setDefaultTimeout(20_000);
    page.on("console", (message) => trouble.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
    page.on("request", (request) => {
      if (!/^(file|data):/.test(request.url())) trouble.push(`request: ${request.url()}`);
    });
    try {
      await page.goto(pathToFileURL(file).href);
      if (open) {
        const all = await page.locator(open).all();
        for (const one of all) await one.evaluate((element) => element.setAttribute("open", ""));
      }
      await page.locator(ready).waitFor();
      await check(page, data);
      assert.deepEqual(trouble, []);
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.message}`);
    }
    await page.close();
  }
  return failed;
}

/** Checks the page, then the same page with unusual data. */
async function run(file) {
  const text = readFileSync(file, "utf8");
  const data = JSON.parse(text.match(kData)[2]);
  const { checks } = kPages[data.schema];
  const unusual = kUnusual[data.schema];
  const browser = await chromium.launch(kBrowser);
  const changed = unusual.change(structuredClone(data));
  const page = inFolder(text.replace(kData, (_, begin, old, end) => begin + written(changed) + end));
  const failed =
    (await runChecks(browser, file, data, checks)) + (await runChecks(browser, page, changed, unusual.checks));
  await browser.close();
  const all = Object.keys(checks).length + Object.keys(unusual.checks).length;
  console.log(`${all - failed} passed, ${failed} failed`);
  return failed;
}

const kFolder = mkdtempSync(join(tmpdir(), "plumb-report-"));
process.on("exit", () => rmSync(kFolder, { recursive: true }));
let files = 0;

/** A file with this page, until the checks end. */
function inFolder(page) {
  files += 1;
  const file = join(kFolder, `page-${files}.html`);
  writeFileSync(file, page);
  return file;
}

/** Checks the built page filled with sample data, then its figures of each of those that are seldom. */
async function runSamples(template) {
  const filled = (data) => inFolder(fill(readFileSync(template, "utf8"), data));
  let failed = await run(filled(sample()));
  const browser = await chromium.launch(kBrowser);
  for (const [name, data] of Object.entries(kOdd)) {
    console.log(`${name}:`);
    const checks = { ...(data.measure && sizeChecks), ...figureChecks };
    failed += await runChecks(browser, filled(data), data, checks);
  }
  await browser.close();
  return failed;
}

const [first, second] = process.argv.slice(2);
if (!first || (first === "--sample" && !second)) {
  console.error("usage: node tests/browser/report.mjs FILE.html | --sample TEMPLATE.html");
  process.exit(2);
}
const failed = first === "--sample" ? await runSamples(second) : await run(resolve(first));
process.exitCode = failed > 0 ? 1 : 0;
