// A study from beginning to end, as people do it: a task is imported, three people answer it in browsers, a fourth decides
// what they disagree on, a fifth fetches the files, and `plumb gap` compares them with two embedders. What it says is
// compared with what check_gap.py computes, by Python's standard library alone, from the keys that were pressed.
//   node tests/browser/studio/end_to_end.mjs build/plumb
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Browser, Studio, annotator, open, quiet, runChecks } from "./harness.mjs";
import { Person, invitationOf } from "./people.mjs";
import { signedIn, visit } from "./researcher.mjs";

const program = process.argv[2];
const kPairs = [
  ["A heron stands in the shallow water.", "A grey bird waits at the edge of the pond.", 3.4],
  ["The train to the coast leaves at nine.", "At nine the coastal train leaves.", 4.8],
  ["She repaired the clock by herself.", "The market opens on Saturday.", 0],
  ["Two children built a kite from paper.", "A kite of paper was built by two children.", 5],
  ["The soup needs more salt.", "There is too much salt in the soup.", 1.2],
  ["Rain is expected in the evening.", "It may rain tonight.", 4.2],
  ["The library closes early on Fridays.", "On Fridays the library closes early.", 5],
  ["He planted beans along the wall.", "The wall was painted green.", 0.8],
  ["A boat drifts on the quiet lake.", "On the lake a boat is drifting.", 4.6],
  ["The cellist tuned her lowest string.", "A musician prepares her instrument.", 2.8],
  ["Fog lay over the harbour.", "The harbour was hidden by fog.", 4],
  ["They sold the old bicycle.", "The bicycle is new.", 0.6],
];
const studio = new Studio(program);
const at = (name) => join(studio.folder, name);
const plumb = (...args) => execFileSync(program, args, { encoding: "utf8", stdio: "pipe", cwd: studio.folder });
const gold = Object.fromEntries(kPairs.map(([, , rating], i) => [`p${i}`, rating]));
const itemOf = Object.fromEntries(kPairs.map(([text1], i) => [text1, `p${i}`]));

/** Near the gold, each person in a way of their own. */
function ratingOf(person, item) {
  const number = Number(item.slice(1));
  const shift = [0, Number(number % 3 === 0) - Number(number % 5 === 0), 2 * Number(number % 4 === 1) - Number(number % 7 === 2)][person];
  return Math.max(0, Math.min(5, Math.round(gold[item]) + shift));
}

async function answerAll(page, person) {
  const answers = {};
  await open(page);
  while (Object.keys(answers).length < kPairs.length) {
    const text = await page.locator("section .pair .words").first().innerText();
    const item = itemOf[text];
    answers[item] = ratingOf(person, item);
    await page.keyboard.press(`${answers[item]}`);
    await page.keyboard.press("Enter");
    await page.waitForFunction((before) => document.querySelector("section .pair .words")?.textContent !== before, text);
  }
  await page.getByRole("heading", { name: "You have answered everything there is" }).waitFor();
  return answers;
}

/** Takes R2's answer each time, for a reason; {item: rating}. */
async function decideAll(page, people) {
  const decisions = {};
  while (await page.locator("section[data-item]").count()) {
    const item = await page.locator("section[data-item]").getAttribute("data-item");
    assert.ok(!(item in decisions), `${item} comes twice`);
    await page.locator("section[data-item]").focus();
    await page.keyboard.press("2");
    await page.keyboard.type("the second says why");
    const done = page.waitForResponse((reply) => reply.url().endsWith("/decision"));
    await page.keyboard.press("Enter");
    assert.equal((await done).status(), 200);
    decisions[item] = people[1][item];
    await page.waitForFunction((before) => document.querySelector("section[data-item]")?.dataset.item !== before, item);
  }
  return decisions;
}

async function fetchFile(page, label, name) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: label }).click()]);
  copyFileSync(await download.path(), at(name));
}

const failed = await runChecks({
  async "import, create, annotate, adjudicate, export, gap: the numbers are those of the raw answers"() {
    writeFileSync(at("pairs.csv"), ["id,text1,text2,rating", ...kPairs.map(([a, b, r], i) => `p${i},"${a}","${b}",${r}`)].join("\n") + "\n");
    plumb("task", "import", "sts", "pairs.csv", "--name", "pairs", "--scale", "0:5", "--language", "en", "--instruction", "How close are the meanings?", "-o", "pairs.task.jsonl");
    studio.run("study", "new", "whole", "--task", at("pairs.task.jsonl"), "--overlap", "3");
    const links = studio.run("study", "invite", "whole", "--count", "3").trim().split("\n");
    studio.invitations.whole = links.map((link) => link.split("#invitation=")[1]);
    const [judge, manager] = ["adjudicator", "manager"].map((role) => invitationOf(studio, "whole", role));
    await studio.start();
    const browser = await Browser.open();

    const pages = [];
    for (const name of ["Ada", "Ben", "Cleo"]) pages.push(await annotator(browser, studio, "whole", { name }));
    const people = await Promise.all(pages.map(answerAll));
    pages.forEach(quiet);

    await Person.by(studio, judge, "Judith");
    const court = await signedIn(browser, studio, "Judith");
    await visit(court, studio, "study/1/adjudicate", "section[data-item]");
    const decisions = await decideAll(court, people);
    quiet(court);

    await Person.by(studio, manager, "Mira");
    const desk = await signedIn(browser, studio, "Mira");
    await visit(desk, studio, "study/1/data", "a[download]");
    await fetchFile(desk, "Answers: Download", "people.jsonl");
    await fetchFile(desk, "Decisions: Download", "decisions.jsonl");
    quiet(desk);
    await browser.close();
    await studio.stop();

    const report = plumb("gap", "pairs.task.jsonl", "--humans", "people.jsonl", "--answers", "decisions.jsonl", "--models", "bm25", "tfidf", "--items", "items.jsonl", "--json");
    writeFileSync(at("gap.json"), report);
    writeFileSync(at("raw.json"), JSON.stringify({ people, decisions, gold }));
    const script = fileURLToPath(new URL("check_gap.py", import.meta.url));
    const said = execFileSync("python3", [script, studio.folder], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    assert.match(said, /^\d\d+ numbers are the same/);
    console.log(`        ${said.trim()}`);
  },
});
process.exitCode = failed > 0 ? 1 : 0;
