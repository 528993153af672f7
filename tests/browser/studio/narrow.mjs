// A narrow screen and names that are wider than it: nothing of the researcher's views sticks out, and tables in the
// guidelines are read, by researchers and by annotators.
//   node tests/browser/studio/narrow.mjs build/plumb [FOLDER]     with pictures of each view in FOLDER
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { settled } from "../settled.mjs";
import { Browser, Studio, annotator, open, quiet, runChecks } from "./harness.mjs";
import { Person } from "./people.mjs";
import { annotateAll, clean, file, gold, makeStudy, signedIn, visit } from "./researcher.mjs";
import * as tasks from "./tasks.mjs";

const [program, pictures] = process.argv.slice(2);
if (pictures) mkdirSync(pictures, { recursive: true });

const kLong = "similarity_of_sentences_from_the_harbour_and_the_garden_of_the_second_collection";
const long = (task, name) => task.replace(/"name":"[^"]*"/, `"name":"${name}_${kLong}"`);
const kTables = `# Grades

| Grade | Meaning | Example |
|---|---|---|
| 0 | The two sentences are about entirely different topics and share nothing | A heron stands in the water while the train leaves. |
| 5 | They say the same thing in every important respect, whatever words they use | The clock was repaired by her after a long evening. |

| one | two | three | four | five | six | seven |
|---|---|---|---|---|---|---|
| ${"syllables".repeat(8)} | b | c | d | ${"consonants".repeat(6)} | f | g |
`;

const studio = new Studio(program);
const study = makeStudy(
  studio,
  `study_${kLong}`,
  [long(gold.pairs, "pairs"), long(tasks.topics, "topics")],
  ["--overlap", "3", "--guidelines", file(studio, "g.md", kTables)],
  4,
);
await studio.start();
await Person.by(studio, study.invitation.manager, "Mira");
studio.invitations = { [study.name]: [study.annotators.pop()] };
await annotateAll(studio, study, "somebody_whose_name_is_longer_than_a_narrow_screen");
const browser = await Browser.open();

async function fits(page, view) {
  for (const width of [360, 768, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await settled(page);
    if (pictures) await page.screenshot({ path: join(pictures, `${view}-${width}.png`), fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${view} is ${wide} px wide at ${width}`);
  }
  await page.setViewportSize({ width: 360, height: 740 });
}

/** A head of one word stands in one line. */
async function headsAreWhole(page, table) {
  const heads = await table.locator("th").evaluateAll((all) =>
    all.map((head) => {
      const range = document.createRange();
      range.selectNodeContents(head);
      return [head.innerText.trim(), new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size];
    }),
  );
  assert.deepEqual(heads.slice(0, 3), [["Grade", 1], ["Meaning", 1], ["Example", 1]]);
}

process.exitCode = (await runChecks({
  async "researchers' views fit, whatever studies, tasks and people are called"() {
    const page = await signedIn(browser, studio, "Mira");
    await fits(page, "studies");
    for (const [view, there] of [
      ["", "#quality-annotators tbody tr"],
      ["/adjudicate", "section[data-item]"],
      ["/guidelines", ".words table"],
      ["/data", ".attach select"],
      ["/people", "#accounts tbody tr"],
    ]) {
      await visit(page, studio, `study/${study.number}${view}`, there);
      await fits(page, view.slice(1) || "overview");
    }
    await page.getByRole("button", { name: "Make a link" }).click();
    await page.getByLabel("The link").waitFor();
    await fits(page, "invitation");
    quiet(page);
    await page.context().close();
  },

  async "tables of guidelines are read where they are written"() {
    const page = await signedIn(browser, studio, "Mira", { viewport: { width: 360, height: 740 } });
    await visit(page, studio, `study/${study.number}/guidelines`, ".words table");
    await headsAreWhole(page, page.locator(".words table").first());
    await fits(page, "desk");
    await clean(page, "guidelines");
    quiet(page);
    await page.context().close();
  },

  async "tables of guidelines are read where one annotates"() {
    const page = await annotator(browser, studio, study.name, { viewport: { width: 360, height: 740 } });
    await open(page);
    if ((await page.locator("aside table").count()) === 0) await page.keyboard.press("g");
    await page.locator("aside table").first().waitFor();
    await headsAreWhole(page, page.locator("aside table").first());
    await fits(page, "annotate");
    await clean(page, "annotate");
    quiet(page);
    await page.context().close();
  },
})) > 0 ? 1 : 0;
await browser.close();
await studio.stop();
