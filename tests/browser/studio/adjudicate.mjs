// Adjudication in a real browser, by keyboard: every kind of item side by side under pseudonyms, decisions that are
// shown as saved only when the server has said so, and over 250 texts that want to run as a script in every place.
//   node tests/browser/studio/adjudicate.mjs build/plumb [FOLDER]     with pictures of each kind in FOLDER
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { Browser, Studio, quiet, runChecks, taskFile } from "./harness.mjs";
import { payloads } from "./payloads.mjs";
import { Person } from "./people.mjs";
import { annotateAll, everyLook, file, gold, makeStudy, signedIn, visit } from "./researcher.mjs";
import * as tasks from "./tasks.mjs";

const [program, pictures] = process.argv.slice(2);
if (pictures) mkdirSync(pictures, { recursive: true });
const kTexts = payloads();
assert.ok(kTexts.length >= 250, `${kTexts.length} texts`);
const half = Math.ceil(kTexts.length / 2);
const [first, second] = [kTexts.slice(0, half).join("\n"), kTexts.slice(half).join("\n")];

const studio = new Studio(program);
const kinds = makeStudy(studio, "five kinds", [gold.pairs, gold.topics, gold.pool, gold.ranking, gold.replies, tasks.arabic], ["--overlap", "3"]);
const alone = makeStudy(studio, "alone", [gold.pairs], ["--overlap", "3"]);
const both = makeStudy(studio, "both", [gold.pairs], ["--overlap", "3"]);
const drafts = makeStudy(studio, "drafts", [gold.pairs], ["--overlap", "3"]);
const header = (kind, more = {}) => ({ kind, name: `${kTexts[1]} ${kind}`, instruction: first, language: "en", ...more });
const hostile = makeStudy(
  studio,
  kTexts[0],
  [
    taskFile(header("sts", { scale: [0, 5] }), [{ id: kTexts[2], text1: first, text2: second, rating: 1 }]),
    taskFile(header("classification", { labels: kTexts }), [{ id: kTexts[3], text: second }]),
    taskFile(header("clustering"), kTexts.map((text, i) => ({ id: i % 2 ? `c${i}` : text.slice(0, 100) + i, text }))),
    taskFile(header("reranking"), [{ id: kTexts[4], query: first, candidates: kTexts }]),
    taskFile(header("preference"), [{ id: kTexts[5], prompt: first, a: first, b: second }]),
  ],
  ["--overlap", "3", "--guidelines", file(studio, "hostile.md", kTexts.join("\n\n"))],
);
await studio.start();
await Person.by(studio, kinds.invitation.adjudicator, "Judith");
await Person.by(studio, kinds.invitation.viewer, "Vera");
const manager = await Person.by(studio, kinds.invitation.manager, "Mira");
await annotateAll(studio, kinds);
await annotateAll(studio, alone, "another");
await annotateAll(studio, both, "a third");
await annotateAll(studio, drafts, "a fourth");
const browser = await Browser.open();

const disputes = (study, query = "show=all&most=200") => manager.ask("GET", `/api/studies/${study.number}/disputes?${query}`);
const disputeOf = async (study, name, task) => (await disputes(study)).items.find((one) => one.name === name && (!task || one.task === task));
const shownItem = (page) => page.locator("section[data-item]").getAttribute("data-item");
async function court(page, study, task = "") {
  await visit(page, studio, `study/${study.number}/adjudicate`, "section[data-item]");
  if (!task) return;
  await page.locator(".task select").selectOption(task);
  await page.locator(`section .head bdi:text-is("${task}")`).last().waitFor();
  await page.locator("section[data-item][aria-busy=false]").waitFor();
}
/** Types a reason, sends it, and waits until the server has said that it is saved. */
async function settle(page, reason) {
  const saved = page.waitForResponse((reply) => reply.request().method() === "PUT" && reply.url().endsWith("/decision"));
  await page.keyboard.type(reason);
  await page.keyboard.press("Enter");
  assert.equal((await saved).status(), 200);
  await page.locator(".status[data-state=saved]").waitFor();
}
const same = (a, b) => assert.deepEqual(a, b);

process.exitCode = (await runChecks({
  async "disagreements stand by their size, under pseudonyms"() {
    const page = await signedIn(browser, studio, "Judith");
    await court(page, kinds);
    const wanted = await disputes(kinds, "most=200");
    const listed = await page.locator("nav .pick").evaluateAll((all) => all.map((one) => [one.querySelector(".name").innerText, one.querySelector(".size").innerText]));
    same(listed, wanted.items.map(({ name, disagreement }) => [name, disagreement.toFixed(2)]));
    const text = await page.locator("main").innerText();
    assert.ok(/R1/.test(text) && !/person \d/.test(text.replace(/says person \d/g, "")), "names are not told");
    quiet(page);
    await page.context().close();
  },

  ...Object.fromEntries(
    [["topics", "2"], ["pool", "1"], ["ranking", "3"], ["replies", "2"], ["pairs-ar", "1"]].map(([task, key]) => [
      `an item of ${task} is decided by keyboard, and stored`,
      async () => {
        const page = await signedIn(browser, studio, "Judith");
        await court(page, kinds, task);
        if (pictures) await everyLook(page, `adjudicate-${task}`, pictures);
        const name = await shownItem(page);
        const before = await disputeOf(kinds, name, task);
        await page.locator("section[data-item]").focus();
        await page.keyboard.press(key);
        await page.locator("button[aria-pressed=true] .name", { hasText: `R${key}` }).waitFor();
        await settle(page, `R${key} is right`);
        const { decisions, answers } = await disputeOf(kinds, name, task);
        assert.equal(before.decisions.length, 0);
        assert.equal(decisions.length, 1);
        same(decisions[0].answer, answers.find(({ annotator }) => annotator === `R${key}`).answer);
        assert.equal(decisions[0].reason, `R${key} is right`);
        assert.equal(decisions[0].adjudicator, "J1");
        quiet(page);
        await page.context().close();
      },
    ]),
  ),

  async "an answer of one's own, a skip, the last reason, a correction, and taking it back"() {
    const page = await signedIn(browser, studio, "Judith");
    await court(page, kinds, "pairs");
    const skipped = await shownItem(page);
    await page.locator("section[data-item]").focus();
    await page.keyboard.press("s");
    await page.waitForFunction((name) => document.querySelector("section[data-item]").dataset.item !== name, skipped);
    const name = await shownItem(page);
    await page.keyboard.press("o");
    await page.locator(".own").waitFor();
    await page.keyboard.press("4");
    await page.locator(".own [aria-checked=true]", { hasText: "4" }).waitFor();
    await page.keyboard.press("Enter");
    await settle(page, "rule 3 of the guidelines");
    same((await disputeOf(kinds, name)).decisions[0].answer, { rating: 4 });
    assert.equal((await disputeOf(kinds, skipped)).decisions.length, 0, "a skip decides nothing");

    await page.getByRole("button", { name: /^Decided/ }).click();
    await page.locator("nav .pick", { hasText: name }).click();
    await page.locator(".decisions", { hasText: "rule 3 of the guidelines" }).waitFor();
    await page.locator("section[data-item]").focus();
    await page.keyboard.press("1");
    await page.keyboard.press("ArrowUp");
    assert.equal(await page.getByLabel("Reason").inputValue(), "rule 3 of the guidelines");
    await settle(page, ", read again");
    const corrected = await disputeOf(kinds, name);
    assert.equal(corrected.decisions.length, 2, "a correction is a revision of its own");
    same(corrected.decisions[1].answer, corrected.answers[0].answer);

    await page.locator("nav .pick", { hasText: name }).click();
    await page.getByLabel("Reason").fill("too early");
    await page.getByRole("button", { name: "Withdraw" }).click();
    await page.locator(".status[data-state=saved]").waitFor();
    await page.waitForFunction((one) => ![...document.querySelectorAll("nav .name")].some((x) => x.innerText === one), name);
    assert.equal((await disputeOf(kinds, name)).decisions.at(-1).answer, null);
    quiet(page);
    await page.context().close();
  },

  async "what is being decided is there after a reload, of each item, until it is saved"() {
    const page = await signedIn(browser, studio, "Mira");
    await court(page, drafts);
    const name = await shownItem(page);
    await page.locator("section[data-item]").focus();
    await page.keyboard.press("2");
    await page.keyboard.type("half a reas");
    await page.reload();
    await page.locator("section[data-item]").waitFor();
    assert.equal(await shownItem(page), name);
    assert.equal(await page.getByLabel("Reason").inputValue(), "half a reas");
    await page.locator("button[aria-pressed=true] .name", { hasText: "R2" }).waitFor();
    await page.locator("section[data-item]").focus();
    await page.keyboard.press("s");
    await page.waitForFunction((before) => document.querySelector("section[data-item]").dataset.item !== before, name);
    assert.equal(await page.getByLabel("Reason").inputValue(), "");
    await page.keyboard.press("o");
    await page.locator(".own").waitFor();
    await page.keyboard.press("4");
    await page.locator(".own [aria-checked=true]", { hasText: "4" }).waitFor();
    const other = await shownItem(page);
    await page.reload();
    await page.locator("section[data-item]").waitFor();
    assert.equal(await page.getByLabel("Reason").inputValue(), "half a reas", "skipped, and kept");
    await page.locator("nav .pick", { hasText: other }).click();
    await page.locator(".own [aria-checked=true]", { hasText: "4" }).waitFor();
    await page.locator("nav .pick", { hasText: name }).click();
    await page.getByLabel("Reason").focus();
    await page.keyboard.press("End");
    await settle(page, "on");
    const decided = (await disputeOf(drafts, name)).decisions;
    same(decided.map(({ reason }) => reason), ["half a reason"]);
    const kept = await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("plumb.reason.")));
    assert.equal(kept.length, 1, `the other item's alone: ${kept}`);
    quiet(page);
    await page.context().close();
  },

  async "nothing is called saved that the server has not acknowledged, and nothing is stored twice"() {
    const page = await signedIn(browser, studio, "Mira");
    await court(page, alone);
    const name = await shownItem(page);
    let heard = 0;
    await page.route("**/decision", async (route) => {
      heard += 1;
      if (heard === 1) {
        await route.fetch();  // the server stores it, and its reply is lost
        await route.abort("connectionreset");
      } else await route.continue();
    });
    await page.locator("section[data-item]").focus();
    await page.keyboard.press("2");
    await page.keyboard.type("seen by nobody");
    await page.keyboard.press("Enter");
    await page.locator(".status[data-state=unsaved]").waitFor();
    assert.equal(await shownItem(page), name, "it stays");
    await page.getByRole("alert").filter({ hasText: "does not answer" }).waitFor();
    await page.getByLabel("Reason").press("Enter");
    await page.locator(".status[data-state=saved]").waitFor();
    assert.equal(heard, 2);
    same((await disputeOf(alone, name)).decisions.length, 1);
    quiet(page);
    await page.context().close();
  },

  async "who decides what another has decided meanwhile is told, and overwrites nothing"() {
    const page = await signedIn(browser, studio, "Mira");
    await court(page, both);
    const name = await shownItem(page);
    const { item } = await disputeOf(both, name);
    const judith = new Person(studio, "Judith");
    await judith.ask("POST", "/api/login", { name: "Judith", password: "a password of tests" });
    await judith.ask("PUT", `/api/studies/${both.number}/disputes/${item}/decision`, { answer: { rating: 3 }, reason: "first" }, { "Idempotency-Key": "other", "If-Match": "0" });
    await page.locator("section[data-item]").focus();
    await page.keyboard.press("1");
    await page.keyboard.type("second");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "Somebody else has decided" }).waitFor();
    await page.locator(".decisions", { hasText: "first" }).waitFor();
    assert.equal((await disputeOf(both, name)).decisions.length, 1);
    assert.ok(await page.getByRole("alert").isVisible(), "it is said as long as the item stands there");
    assert.equal(await page.getByLabel("Reason").inputValue(), "second", "what was typed stays");
    quiet(page);
    await page.context().close();
  },

  async "texts that want to run as a script are read, in every researcher's view"() {
    const people = await Promise.all(hostile.annotators.map((token, i) => Person.by(studio, token, `${kTexts[8 + i]} ${i}`)));
    const { tasks: of } = await manager.ask("GET", `/api/studies/${hostile.number}`);
    for (const [i, person] of people.entries()) {
      await person.answer(hostile.number, ({ kind, item, task }) =>
        kind === "sts" ? { rating: i }
        : kind === "classification" ? { label: of.find((one) => one.task === task).labels[i] }
        : kind === "clustering" ? { groups: Object.fromEntries(item.texts.map(({ id }, j) => [id, kTexts[(j + i) % 5].slice(0, 60)])) }
        : kind === "reranking" ? { grades: item.candidates.map((_, j) => (j + i) % 2) }
        : { choice: ["A", "B", "tie"][i] });
    }
    const page = await signedIn(browser, studio, "Mira");
    const harmless = async (view, wanted) => {
      const found = await page.evaluate((texts) => {
        const shown = [...document.querySelectorAll("#studio, #studio input, #studio textarea")].map((one) => one.value ?? one.textContent).join("\n");
        return {
          missing: texts.filter((text) => !shown.includes(text)),
          elements: [...document.querySelectorAll("#studio :is(script, iframe, object, embed, img, math, video, audio, style, link, meta, base, template, marquee, [onerror], [onload], [onfocus], [href^='javascript' i])")].length,
        };
      }, wanted);
      assert.deepEqual(found.missing.slice(0, 3), [], view);
      assert.equal(found.elements, 0, view);
      quiet(page);
    };
    await court(page, hostile);
    for (const { task } of of) {
      await page.locator(".task select").selectOption(task);
      await page.waitForFunction((name) => document.querySelector("section .head")?.innerText.includes(name), task);
      await harmless(task, [task, kTexts[0], ...(task.endsWith("preference") || task.endsWith("reranking") ? kTexts : kTexts.slice(half))]);
      await page.locator("section[data-item]").focus();
      await page.keyboard.press("2");
      await settle(page, kTexts[20]);
    }
    await page.getByRole("button", { name: /^Decided/ }).click();
    await page.locator(".decisions").waitFor();
    await harmless("decided", [kTexts[20]]);
    for (const [view, there, wanted] of [
      ["", "#quality-annotators tbody tr", of.map(({ task }) => task)],
      ["/guidelines", ".words p", kTexts.slice(0, 20)],
      ["/data", "a[download]", of.map(({ task }) => task)],
      ["/people", "#accounts tbody tr", [0, 1, 2].map((i) => `${kTexts[8 + i]} ${i}`)],
    ]) {
      await visit(page, studio, `study/${hostile.number}${view}`, there);
      await harmless(`view ${view}`, wanted);
    }
    await page.context().close();
  },

  async "it is for everybody: names, contrast, 360 px, light and dark, keys that do not clash"() {
    const page = await signedIn(browser, studio, "Judith");
    await court(page, kinds, "pairs");
    await everyLook(page, "adjudicate", pictures);
    await page.locator("section[data-item]").focus();
    await page.keyboard.press("o");
    await page.locator(".own").waitFor();
    await everyLook(page, "adjudicate-own", pictures);
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    const keys = await page.locator("dialog kbd").allTextContents();
    same(keys.filter((key, i) => keys.indexOf(key) !== i && key !== "Esc"), []);
    quiet(page);
    await page.context().close();
  },
}, 3)) > 0 ? 1 : 0;
await browser.close();
await studio.stop();
