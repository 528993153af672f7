// Each kind of task answered by keyboard alone and by mouse, and what arrived:
//   node tests/browser/studio/kinds.mjs build/plumb
import assert from "node:assert/strict";
import { Browser, Studio, annotator, open, quiet, runChecks, yours } from "./harness.mjs";
import * as tasks from "./tasks.mjs";

const twice = (task, more = {}) => ({ tasks: [task], annotators: 2, options: ["--overlap", "2"], ...more });
const studio = await Studio.open(process.argv[2], {
  sts: twice(tasks.sts, { guidelines: tasks.guidelines, training: [tasks.training] }),
  topics: twice(tasks.topics),
  intents: twice(tasks.intents),
  pool: twice(tasks.pool),
  ranking: twice(tasks.ranking),
  preferences: twice(tasks.preferences),
  plain: twice(tasks.plainPreferences),
  closing: twice(tasks.plainPreferences),
  arabic: twice(tasks.arabic),
});
const browser = await Browser.open();

const changed = (list, at, value) => list.map((one, i) => (i === at ? value : one));
const items = (task) => task.trim().split("\n").slice(1).map((line) => JSON.parse(line));
const finished = (page) => page.locator("h1", { hasText: "You have answered everything there is" }).waitFor();
const shown = (page, at = 0) => page.locator(".words").nth(at).textContent();
const submit = (page, mouse) => (mouse ? page.locator("button.submit").click() : page.keyboard.press("Enter"));
/** Until the item that shows `before` is gone. */
const gone = (page, before) =>
  page.waitForFunction((text) => document.querySelector("section .words")?.textContent !== text, before);

/** Rows of the study's export by item, of one annotator: "R1" or "R2". */
const rows = (study, rater) => new Map(studio.answers(study).filter((row) => row.rater === rater).map((row) => [row.item, row]));

async function each(page, count, answer) {
  for (let i = 0; i < count; ++i) {
    const text = await shown(page);
    await answer(text, i);
    if (i + 1 < count) await gone(page, text);
  }
  await finished(page);
}

async function rate(page, mouse) {
  const given = new Map();
  const grade = page.locator("[role=radio]");
  await (mouse ? grade.nth(3).click() : page.keyboard.press("3"));
  await submit(page, mouse);
  await page.getByText("60 % of the way to the reference answer.").waitFor();
  assert.match(await grade.nth(5).textContent(), /reference/);
  await (mouse ? page.getByRole("button", { name: "Go on" }).click() : page.keyboard.press("Enter"));
  await gone(page, "The door is open.");
  await each(page, 6, async (text, i) => {
    given.set(text, i);
    await (mouse ? grade.nth(i).click() : page.keyboard.press(`${i}`));
    assert.equal(await grade.nth(i).getAttribute("aria-checked"), "true");
    await submit(page, mouse);
  });
  return given;
}

async function checkRatings(mouse, rater) {
  const page = await annotator(browser, studio, "sts");
  await open(page);
  await page.getByText("nothing differs").waitFor();
  const given = await rate(page, mouse);
  await yours(page, 6);
  const stored = rows("sts", rater);
  for (const { id, text1 } of items(tasks.sts)) assert.equal(stored.get(id).rating, given.get(text1), text1);
  assert.ok([...stored.values()].every((row) => row.active_ms > 0 && row.active_ms < 60_000 && row.idle_ms >= 0));
  quiet(page);
  await page.context().close();
}

async function checkLabels(study, task, choose, mouse, rater) {
  const page = await annotator(browser, studio, study);
  await open(page);
  const given = new Map();
  await each(page, items(task).length, async (text, i) => {
    given.set(text, await choose(page, i, mouse));
    await submit(page, mouse);
  });
  const stored = rows(study, rater);
  for (const { id, text } of items(task)) assert.equal(stored.get(id).label, given.get(text));
  quiet(page);
  await page.context().close();
}

async function fromThree(page, i, mouse) {
  const option = page.locator("[role=radio]").nth(i);
  await (mouse ? option.click() : page.keyboard.press(`${i + 1}`));
  return option.locator(".label").textContent();
}

async function fromMany(page, i, mouse) {
  if (mouse) {
    await page.getByLabel("Look for a label").fill("transfer");
    assert.equal(await page.locator("[role=radio]").count(), 2);
    await page.getByRole("radio", { name: "transfer refused" }).click();
    return "transfer refused";
  }
  if (i === 0) {
    await page.keyboard.press("t");
    return "top-up failed";
  }
  await page.keyboard.press("/");
  await page.keyboard.type("stol");
  await page.keyboard.press("Enter");
  return "stolen card";
}

const kSubjects = [/Moss|Ferns|Lichen/, /tuning|Drums/, /Storms|dew/];
const subject = (text) => kSubjects.findIndex((pattern) => pattern.test(text));
const groupOf = (page, at) => page.locator("section[data-group]").nth(at + 1);

function checkGroups(rater, names) {
  const stored = rows("pool", rater);
  for (const { id, text } of items(tasks.pool)) {
    const row = stored.get(id) ?? stored.get("pool");
    assert.equal(row.group ?? row.groups[id], names[subject(text)], text);
  }
}

async function checkPoolByKeys() {
  const page = await annotator(browser, studio, "pool");
  await open(page);
  for (let left = 7; left > 0; --left) {
    const text = await page.locator("li.at").textContent();
    await page.keyboard.press(`${subject(text) + 1}`);
    await page.locator(".pool .count", { hasText: `${left - 1}` }).waitFor();
  }
  // The focus is on a card of the last group: name it, take a card out and back, split and merge.
  await page.keyboard.press("r");
  const named = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
  assert.match(named, /^Name of group/);
  await page.keyboard.type("Last");
  await page.keyboard.press("Enter");
  const last = Number(named.match(/\d+/)[0]) - 1;
  const before = await groupOf(page, last).locator("li").count();
  await page.keyboard.press("Space");
  await page.keyboard.press("x");
  await page.locator("section[data-group]").nth(4).waitFor();
  assert.equal(await groupOf(page, 3).locator("li").count(), 1);
  assert.equal(await groupOf(page, last).locator("li").count(), before - 1);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("m");
  await page.getByText("into which group?").waitFor();
  await page.keyboard.press(`${last + 1}`);
  await page.waitForFunction(() => document.querySelectorAll("section[data-group]").length === 4);
  await page.keyboard.press("Enter");
  await finished(page);
  checkGroups("R1", changed(["Group 1", "Group 2", "Group 3"], last, "Last"));
  quiet(page);
  await page.context().close();
}

async function drag(page, from, to) {
  const [a, b] = [await from.boundingBox(), await to.boundingBox()];
  await page.mouse.move(a.x + 12, a.y + a.height / 2);
  await page.mouse.down();
  await page.mouse.move(b.x + b.width / 2, b.y + 8, { steps: 4 });
  await page.mouse.up();
}

async function checkPoolByMouse() {
  const page = await annotator(browser, studio, "pool");
  await open(page);
  const inPool = (pattern) => page.locator(".pool li", { hasText: pattern });
  await drag(page, inPool(/Moss/), groupOf(page, 0));
  await groupOf(page, 0).locator("li", { hasText: "Moss" }).waitFor();
  for (const pattern of [/Ferns/, /Lichen/]) await inPool(pattern).click();
  await drag(page, inPool(/Ferns/), groupOf(page, 0));
  await page.waitForFunction(() => document.querySelectorAll(".pool li").length === 4);
  for (const pattern of [/tuning/, /Drums/]) {
    await inPool(pattern).click();
    await groupOf(page, pattern.source === "Drums" ? 2 : 1).getByRole("button", { name: "Move here" }).click();
  }
  for (const pattern of [/Storms/, /dew/]) await inPool(pattern).click();
  await page.getByRole("button", { name: "Into a new group" }).click();
  await groupOf(page, 3).locator("li").nth(1).waitFor();
  await groupOf(page, 2).getByRole("button", { name: "Merge" }).click();
  await groupOf(page, 1).getByRole("button", { name: "Merge here" }).click();
  await page.waitForFunction(() => document.querySelectorAll("section[data-group]").length === 4);
  await groupOf(page, 1).locator("input").fill("strings and skins");
  await page.locator("button.submit").click();
  await finished(page);
  checkGroups("R2", ["Group 1", "strings and skins", "Group 4"]);
  quiet(page);
  await page.context().close();
}

/** Which of the candidates as they are shown answers the query. */
async function right(page) {
  const query = await shown(page);
  const wanted = query.includes("chisel") ? /flat on the stone/ : query.includes("sky") ? /Short waves/ : /first days of May/;
  const texts = await page.locator("li .words").allTextContents();
  return texts.findIndex((text) => wanted.test(text));
}

function checkRanking(rater, orders) {
  const stored = rows("ranking", rater);
  for (const { id, query, candidates } of items(tasks.ranking)) {
    const row = stored.get(id);
    const values = row.scores ?? row.grades;
    const best = candidates.findIndex((text) =>
      (query.includes("chisel") ? /flat on/ : query.includes("sky") ? /Short/ : /days of May/).test(text),
    );
    const expected = orders.get(query);
    if (expected === "none") assert.deepEqual(values, [0, 0, 0, 0]);
    if (expected === "marks") assert.deepEqual(values, changed([0, 0, 0, 0], best, 1));
    if (expected === "order") {
      assert.ok(values.every((value, i) => i === best || value < values[best]), `${values} ${best}`);
      assert.equal(new Set(values).size, 3, "two are equal");
    }
  }
}

async function checkRankingBy(mouse, rater) {
  const page = await annotator(browser, studio, "ranking");
  await open(page);
  const orders = new Map();
  const ways = ["marks", "none", "order"];
  await each(page, 3, async (query, i) => {
    orders.set(query, ways[i]);
    const at = await right(page);
    const row = (place) => page.locator("ol li").nth(place);
    if (ways[i] === "marks" && mouse) await row(at).locator("[role=radio]").nth(1).click();
    if (ways[i] === "marks" && !mouse) {
      for (let step = 0; step < at; ++step) await page.keyboard.press("ArrowDown");
      await page.keyboard.press("1");
    }
    if (ways[i] === "none") await (mouse ? page.getByRole("button", { name: "None is relevant" }).click() : page.keyboard.press("z"));
    if (ways[i] === "order" && mouse) {
      await page.getByRole("button", { name: "Order" }).click();
      if (at > 0) await drag(page, row(at), row(0));
      else await row(0).getByRole("button", { name: "Move down" }).click();
      if (at === 0) await row(1).getByRole("button", { name: "Move up" }).click();
      await row(3).getByRole("button", { name: "Equal to the one above" }).click();
    }
    if (ways[i] === "order" && !mouse) {
      await page.keyboard.press("o");
      for (let step = 0; step < at; ++step) await page.keyboard.press("ArrowDown");
      for (let step = 0; step < at; ++step) await page.keyboard.press("Alt+ArrowUp");
      for (let step = 0; step < 3; ++step) await page.keyboard.press("ArrowDown");
      await page.keyboard.press("=");
    }
    await submit(page, mouse);
  });
  checkRanking(rater, orders);
  quiet(page);
  await page.context().close();
}

async function checkPreferences(mouse, rater) {
  const page = await annotator(browser, studio, "preferences");
  await open(page);
  const given = new Map();
  const option = (name) => page.getByRole("radio", { name });
  await each(page, 4, async (prompt, i) => {
    const helpful = /vinegar/.test(await shown(page, 1)) ? "A" : "B";
    if (i < 2) {
      await (mouse ? option(`${helpful} is better`).click() : page.keyboard.press(helpful.toLowerCase()));
      assert.ok(await page.locator("button.submit").isDisabled(), "a strength is missing");
      await (mouse ? page.getByRole("radiogroup", { name: "By how much" }).getByRole("radio").nth(i + 1).click() : page.keyboard.press(`${i + 2}`));
    } else if (i === 2) await (mouse ? option("Equally good").click() : page.keyboard.press("t"));
    else await (mouse ? option("Both are bad").click() : page.keyboard.press("x"));
    given.set(prompt, i < 2 ? ["A", i + 2] : [i === 2 ? "tie" : "both bad", undefined]);
    await submit(page, mouse);
  });
  const stored = rows("preferences", rater);
  for (const { id, prompt } of items(tasks.preferences)) {
    const { choice, strength, presented } = stored.get(id);
    assert.deepEqual([choice, strength || undefined], given.get(prompt), `${prompt}: as the item has its sides`);
    assert.match(presented, /^[01] [01]$/);
  }
  quiet(page);
  await page.context().close();
}

/** By keyboard first, then by mouse: the pseudonyms are given in that order. */
const both = (check) => async () => {
  await check(false, "R1");
  await check(true, "R2");
};

process.exitCode = await runChecks({
  "ratings with training": both(checkRatings),
  "a few labels": both((mouse, rater) => checkLabels("topics", tasks.topics, fromThree, mouse, rater)),
  "many labels": both((mouse, rater) => checkLabels("intents", tasks.intents, fromMany, mouse, rater)),
  groups: both((mouse) => (mouse ? checkPoolByMouse() : checkPoolByKeys())),
  "a ranking": both(checkRankingBy),
  "preferences with strength": both(checkPreferences),

  async "one key answers and goes on where that is wished"() {
    const page = await annotator(browser, studio, "plain");
    await open(page);
    await page.getByLabel("Submit on choice").check();
    await page.locator("section[tabindex]").focus();
    await each(page, 4, (_, i) => page.keyboard.press(["a", "2", "t", "x"][i]));
    assert.equal(rows("plain", "R1").size, 4);
    quiet(page);
  },

  async "the key after the one that closes a dialog counts"() {
    const page = await annotator(browser, studio, "closing");
    await open(page);
    const chosen = (label) => page.locator("[role=radio][aria-checked=true]", { hasText: label });
    for (const [opens, closes, name] of [["?", "Escape", "Keys"], ["?", "?", "Keys"], ["s", "Escape", "Skip this item"]]) {
      await page.keyboard.press("t");
      await chosen("Equally good").waitFor();
      await page.keyboard.press(opens);
      await page.getByRole("dialog", { name }).waitFor();
      if (closes === "Escape") {
        // In one turn of the page, before it hears that the dialog is closed.
        await page.getByRole("dialog", { name }).evaluate((dialog) => {
          dialog.dispatchEvent(new Event("cancel", { cancelable: true }));
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", code: "KeyA", bubbles: true, cancelable: true }));
        });
      } else {
        await page.keyboard.press(closes);
        await page.keyboard.press("a");
      }
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await chosen("A is better").waitFor();
    }
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("b");
    await chosen("B is better").waitFor();
    quiet(page);
  },

  async "keys work under an Arabic layout"() {
    const page = await annotator(browser, studio, "arabic");
    await open(page);
    const press = (key, code) =>
      page.evaluate((init) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { ...init, bubbles: true, cancelable: true })), { key, code });
    await press("٣", "Digit3");
    assert.equal(await page.locator("[role=radio]").nth(2).getAttribute("aria-checked"), "true");
    await press("ب", "KeyF");
    await page.locator("button[aria-pressed=true]", { hasText: "Flag" }).waitFor();
    quiet(page);
  },
}) > 0 ? 1 : 0;
await browser.close();
await studio.stop();
