// Rounds with people: a loop asks, two people answer all of a round's questions in browsers, one by keys and one by mouse, and
// the next round learns what they said. Every command is the one that the loop itself says to copy.
//   node tests/browser/studio/rounds.mjs build/plumb
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Browser, Studio, open, quiet, ready, runChecks } from "./harness.mjs";
import { kPassword } from "./people.mjs";
import { cells, signedIn, visit } from "./researcher.mjs";

const kQuestions = 8;
const studio = new Studio(process.argv[2]);
const at = (...path) => join(studio.folder, ...path);
const lines = (...path) => readFileSync(at(...path), "utf8").trim().split("\n").map((line) => JSON.parse(line));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The commands that the loop said to copy, by their first words. */
function stepsOf(said) {
  const commands = said.split("\n").filter((line) => line.startsWith("  plumb ")).map((line) => line.trim());
  const one = (words) => {
    const found = commands.filter((line) => line.startsWith(`plumb ${words} `));
    assert.equal(found.length, 1, `${words} in ${said}`);
    return found[0];
  };
  return { invite: one("study invite"), serve: one("serve"), export: one("study export"), next: one("mismatch loop"), said };
}

function begin() {
  studio.sh("plumb lm stories -n 600 -o stories");
  const shape = "--width 32 --layers 2 --heads 4 --key-heads 2 --hidden 64 --context 96 --steps 60 --rate 6e-3 --warmup 10";
  studio.sh(`plumb lm train stories/stories.txt --tokenizer stories --run lm ${shape}`);
  const { out, error } = studio.sh(
    `plumb mismatch loop --model lm/model --run "Ada's loop" --gold length --people --overlap 2 --rounds 2 --questions ${kQuestions} ` +
      "--members 2 --epochs 1 --steps 2 --training-prompts 12 --prompts 6 --prompt-words 4 --samples 3 --max-tokens 24 --json",
  );
  assert.equal(JSON.parse(out).waiting_for, 1);
  return stepsOf(error);
}

const kSides = { a: "b", b: "a" };
/** What a person says of two continuations: {choice} in the words of the item, whose sides the page may have exchanged. */
const kOpinions = {
  Ada: ({ a, b }) => (a.length === b.length ? "tie" : a.length > b.length ? "A" : "B"),
  Ben: ({ id }) => ["B", "tie", "A", "both bad"][Number(id.match(/\d+$/)[0]) % 4],
};

/** The item that is shown, and whether its sides are exchanged. */
async function shownItem(page, items) {
  const [prompt, left, right] = await page.locator("section .words").allTextContents();
  const found = items.filter((item) => item.prompt === prompt && ((item.a === left && item.b === right) || (item.b === left && item.a === right)));
  assert.equal(found.length, 1, `one question has these texts: ${prompt} / ${left} / ${right}`);
  return { item: found[0], exchanged: found[0].a !== left };
}

async function give(page, choice, mouse) {
  const [key, label] = { A: ["a", "A is better"], B: ["b", "B is better"], tie: ["t", "Equally good"], "both bad": ["x", "Both are bad"] }[choice];
  await (mouse ? page.getByRole("radio", { name: label }).click() : page.keyboard.press(key));
  await (mouse ? page.locator("button.submit").click() : page.keyboard.press("Enter"));
}

/** Answers all that there is; {item: choice}. */
async function answerAll(page, name, items, mouse) {
  const clicked = {};
  while (Object.keys(clicked).length < items.length) {
    const { item, exchanged } = await shownItem(page, items);
    assert.ok(!(item.id in clicked), `${item.id} comes twice`);
    clicked[item.id] = kOpinions[name](item);
    const side = clicked[item.id].toLowerCase();
    await give(page, exchanged && side in kSides ? kSides[side].toUpperCase() : clicked[item.id], mouse);
    const last = Object.keys(clicked).length === items.length;
    const texts = [item.prompt, item.a, item.b].sort().join("|");
    if (last) await page.getByRole("heading", { name: "You have answered everything there is" }).waitFor();
    else {
      await page.waitForFunction(
        (before) => {
          const words = [...document.querySelectorAll("section .words")].map(({ textContent }) => textContent);
          return words.length === 3 && words.sort().join("|") !== before;
        },
        texts,
      );
    }
  }
  return clicked;
}

/** Rows {rater, item, choice}, in an order of their own. */
const sorted = (rows) => rows.map(({ rater, item, choice }) => `${rater} ${item} ${choice}`).sort();
const asRows = (clicked) => clicked.flatMap((one, i) => Object.entries(one).map(([item, choice]) => ({ rater: `R${i + 1}`, item, choice })));

/** A page of a new account, made by a person who follows the link. */
async function invited(browser, link, name) {
  const page = await browser.page(studio);
  await page.goto(`${studio.url}/#invitation=${link.split("#invitation=")[1]}`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").first().fill(kPassword);
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "tudies" }).waitFor();
  return page;
}

async function toTheStudy(page, name) {
  await page.getByRole("link", { name }).click();
  await ready(page);
}

/** Both people answer the round at once; [{item: choice}] of each. */
async function answerRound(pages, round) {
  const items = lines("Ada's loop", "rounds", `${round}`, "task.jsonl").slice(1);
  assert.equal(items.length, kQuestions);
  await Promise.all(pages.map((page) => toTheStudy(page, `round-${round}`)));
  const clicked = await Promise.all([answerAll(pages[0], "Ada", items, false), answerAll(pages[1], "Ben", items, true)]);
  pages.forEach(quiet);
  return clicked;
}

/** What the round says it learnt from is what was clicked. */
function learnt(round, clicked, report) {
  const here = ["Ada's loop", "rounds", `${round}`];
  const rows = asRows(clicked);
  assert.deepEqual(sorted(lines(...here, "export.jsonl").filter((row) => row.rater)), sorted(rows), "exported");
  assert.deepEqual(sorted(lines(...here, "answers.jsonl").filter((row) => row.rater)), sorted(rows), "learnt");
  const figures = report.rounds[round - 1];
  assert.equal(figures.answers_sha256, sha256(readFileSync(at(...here, "answers.jsonl"))));
  assert.deepEqual([figures.round, figures.questions, figures.answers, figures.annotators], [round, kQuestions, rows.length, 2]);
  assert.equal(figures.undecided, rows.filter(({ choice }) => choice === "tie" || choice === "both bad").length);
  const words = (text) => text.match(/[\p{L}\p{N}]+(?:['’][\p{L}\p{N}]+)*/gu)?.length ?? 0;
  const of = new Map(lines(...here, "task.jsonl").slice(1).map((item) => [item.id, [words(item.a), words(item.b)]]));
  const judged = rows.filter(({ item, choice }) => "AB".includes(choice) && of.get(item)[0] !== of.get(item)[1]);
  const right = judged.filter(({ item, choice }) => (of.get(item)[0] > of.get(item)[1]) === (choice === "A")).length;
  assert.ok(judged.length > 0 && Math.abs(figures.as_gold - right / judged.length) < 1e-12, `${figures.as_gold} is ${right} of ${judged.length}`);
}

/** The hashes of the reward models of a round, and of what they learnt from. */
function models(loop, round) {
  const folder = at(loop, "rounds", `${round}`, "models");
  return readdirSync(folder).sort().map((member) => ({
    data: JSON.parse(readFileSync(join(folder, member, "manifest.json"), "utf8")).data_sha256,
    weights: sha256(readFileSync(join(folder, member, "model", "model.safetensors"))),
  }));
}

/** The loop as it was before the answers were taken, with answers from elsewhere. */
function withAnswers(name, rows) {
  cpSync(at("before"), at(name), { recursive: true });
  writeFileSync(at(`${name}.jsonl`), rows.map((row) => JSON.stringify(row)).join("\n") + "\n");
  studio.sh(`plumb mismatch loop --run ${name} --answers ${name}.jsonl`);
  return models(name, 1);
}

process.exitCode = (await runChecks({
  async "people answer a round in browsers, and the next learns exactly that, twice"() {
    const first = begin();
    const links = studio.sh(first.invite).out.trim().split("\n");
    assert.equal(links.length, 2, "a link for each of the two who answer a question");
    await studio.start(first.serve);
    const password = studio.said.match(/"owner" has the password (\S+)/)?.[1];
    assert.ok(password, `the owner's password is shown: ${studio.said}`);
    const browser = await Browser.open();
    const pages = [];
    for (const [i, name] of ["Ada", "Ben"].entries()) pages.push(await invited(browser, links[i], name));
    const one = await answerRound(pages, 1);
    for (const page of pages) await page.context().close();

    studio.sh(first.export);
    await studio.stop();
    cpSync(at("Ada's loop"), at("before"), { recursive: true });
    const went = studio.sh(`${first.next} --json`);
    const report = JSON.parse(went.out);
    assert.match(went.error, /round 1: 16 answers of 2 annotators to 8 of 8 questions/);
    assert.deepEqual([report.waiting_for, report.rounds.length], [2, 1]);
    learnt(1, one, report);

    // What it learnt depends on every click: the clicks alone give the same bytes, another click gives others.
    const rows = asRows(one);
    assert.deepEqual(withAnswers("clicks", rows), models("Ada's loop", 1));
    const other = rows.map((row, i) => (i === 0 ? { ...row, choice: row.choice === "A" ? "B" : "A" } : row));
    const changed = withAnswers("another", other);
    models("Ada's loop", 1).forEach(({ data, weights }, i) => {
      assert.notEqual(changed[i].data, data);
      assert.notEqual(changed[i].weights, weights);
    });

    const asked = [1, 2].map((round) => lines("Ada's loop", "rounds", `${round}`, "task.jsonl").slice(1).map(({ prompt, a, b }) => [prompt, ...[a, b].sort()].join("|")));
    assert.ok(asked[1].every((question) => !asked[0].includes(question)), "the questions of round 2 are others");

    const second = stepsOf(went.error);
    assert.match(second.said, /Whoever answered before signs in as before/);
    await studio.start(second.serve);
    assert.equal(studio.said, "", "the owner is the one of before");
    const again = [await signedIn(browser, studio, "Ada"), await signedIn(browser, studio, "Ben")];
    const two = await answerRound(again, 2);
    for (const page of again) await page.context().close();

    const owner = await browser.page(studio);
    await owner.goto(studio.url);
    await owner.getByLabel("Name").fill("owner");
    await owner.getByLabel("Password").fill(password);
    await owner.keyboard.press("Enter");
    await owner.locator("h1", { hasText: "tudies" }).waitFor();
    await visit(owner, studio, "study/1", "#progress-tasks tbody tr");
    await owner.locator("#progress-tasks td", { hasText: "16 of 16" }).waitFor();
    assert.deepEqual((await cells(owner, "progress-annotators")).map(([name]) => name), ["R1", "R2"]);
    quiet(owner);
    await browser.close();

    studio.sh(second.export);
    await studio.stop();
    const ended = studio.sh(`${second.next} --json`);
    const whole = JSON.parse(ended.out);
    assert.deepEqual([whole.waiting_for, whole.rounds.length], [null, 2]);
    assert.deepEqual(whole.rounds[0], report.rounds[0], "what was learnt stays");
    learnt(2, two, whole);
    assert.ok(whole.rounds[1].trained_on > whole.rounds[0].trained_on, "all answers so far");
    assert.equal(whole.rounds[1].chosen_by, "variance");
    assert.ok(!existsSync(at("Ada's loop", "rounds", "3")));
  },
})) > 0 ? 1 : 0;
