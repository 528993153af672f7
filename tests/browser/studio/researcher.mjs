// What the tests of the researcher's views share: tasks of all kinds with gold, a study that people have answered, a
// page that is signed in, and looks for what those need who do not see the page, or see it small or dark.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromWeb } from "./harness.mjs";
import { Person, invitationOf, kPassword, opinion } from "./people.mjs";
import * as tasks from "./tasks.mjs";

const axe = readFileSync(fromWeb.resolve("axe-core/axe.min.js"), "utf8");

/** The task file with a gold answer for each of its items. */
export function withGold(text, gold, more = {}) {
  const [header, ...items] = text.trim().split("\n").map((line) => JSON.parse(line));
  return [{ ...header, ...more }, ...items.map((item, i) => ({ ...item, ...gold(item, i) }))].map((line) => JSON.stringify(line)).join("\n") + "\n";
}

const grades = [4, 5, 0, 5, 1, 4];
export const gold = {
  pairs: withGold(tasks.sts, (_, i) => ({ rating: grades[i] })),
  topics: withGold(tasks.topics, (_, i) => ({ label: ["garden", "weather", "music"][i] })),
  pool: withGold(tasks.pool, (_, i) => ({ group: ["plants", "plants", "music", "music", "weather", "weather", "plants"][i] }), {
    labels: ["plants", "music", "weather"],
  }),
  ranking: withGold(tasks.ranking, ({ candidates }, i) => ({ grades: candidates.map((_, j) => Number(i === j)) })),
  replies: withGold(tasks.preferences, () => ({ choice: "A", strength: 2 })),
  known: withGold(tasks.sts.replaceAll('"id":"p', '"id":"known-'), (_, i) => ({ rating: grades[i] })),
};

export function file(studio, name, text) {
  const path = join(studio.folder, name);
  writeFileSync(path, text);
  return path;
}

/** Makes a study and links to it, before the server runs: {study, annotators: [token], manager, adjudicator, viewer}. */
export function makeStudy(studio, name, taskTexts, options = [], annotators = 3) {
  const files = taskTexts.map((text, i) => file(studio, `${studio.made ?? 0}-${i}.task.jsonl`, text));
  studio.made = (studio.made ?? 0) + 1;
  studio.run("study", "new", name, "--task", ...files, ...options);
  const links = annotators > 0 ? studio.run("study", "invite", name, "--count", `${annotators}`).trim().split("\n") : [];
  return {
    number: studio.made,
    name,
    files,
    annotators: links.map((link) => link.split("#invitation=")[1]),
    invitation: Object.fromEntries(["manager", "adjudicator", "viewer"].map((role) => [role, invitationOf(studio, name, role)])),
  };
}

/** Three people answer all there is, over HTTP. */
export async function annotateAll(studio, study, prefix = "person") {
  const people = [];
  for (const [i, token] of study.annotators.entries()) {
    const person = await Person.by(studio, token, `${prefix} ${i + 1}`);
    const of = await person.ask("GET", `/api/studies/${study.number}`);
    await person.answer(study.number, opinion(i, of));
    people.push(person);
  }
  return people;
}

/** A page signed in as the account. */
export async function signedIn(browser, studio, name, options = {}) {
  const page = await browser.page(studio, options);
  await page.goto(studio.url);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(kPassword);
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "tudies" }).waitFor();
  return page;
}

export async function visit(page, studio, path, there) {
  await page.goto(`${studio.url}/#/${path}`);
  await page.locator(there).first().waitFor();
}

/** The cells of a table, a line a row, as they are read. */
export const cells = (page, table) =>
  page.locator(`#${table} tbody tr`).evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.innerText.trim())));

export async function clean(page, view) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  assert.deepEqual(
    violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 300)).join(" ")}`),
    [],
    view,
  );
}

/** In light and dark, wide and narrow, nothing sticks out and nobody is left out. */
export async function everyLook(page, view, pictures) {
  for (const [colorScheme, width] of [["light", 1280], ["dark", 1280], ["light", 360], ["dark", 360]]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: width === 360 ? 740 : 900 });
    await page.waitForFunction(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${view} is ${wide} px wide at ${width}`);
    if ((width === 360) === (colorScheme === "dark")) await clean(page, `${view}, ${colorScheme}, ${width}`);
    if (pictures) await page.screenshot({ path: join(pictures, `${view}-${width}-${colorScheme}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
}
