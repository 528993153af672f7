// Nothing that is entered is lost: the server away and back, a reload in the middle, a session that ends, two people at
// once, undo and the ways back.
//   node tests/browser/studio/durability.mjs build/plumb
import assert from "node:assert/strict";
import { Browser, Studio, annotator, open, quiet, ready, runChecks, status, yours } from "./harness.mjs";
import * as tasks from "./tasks.mjs";

const program = process.argv[2];
const browser = await Browser.open();
const studio = await Studio.open(program, {
  sts: { tasks: [tasks.sts], annotators: 1 },
  walk: { tasks: [tasks.sts], annotators: 1 },
  crowd: { tasks: [tasks.sts], annotators: 2, options: ["--overlap", "1"] },
  away: { tasks: [tasks.topics], annotators: 2, options: ["--overlap", "2"] },
  ended: { tasks: [tasks.topics], annotators: 1 },
  elsewhere: { tasks: [tasks.topics], annotators: 1 },
  time: { tasks: [tasks.topics], annotators: 1 },
  shared: { tasks: [tasks.topics], annotators: 2, options: ["--overlap", "2"] },
  hanging: { tasks: [tasks.topics], annotators: 1 },
  refused: { tasks: [tasks.topics], annotators: 1 },
  portal: { tasks: [tasks.topics], annotators: 1 },
  alike: { tasks: [tasks.topics], annotators: 1 },
});

const shown = (page) => page.locator(".words").first().textContent();
const checked = (page) => page.locator("[role=radio][aria-checked=true]");
const another = (page, before) =>
  page.waitForFunction((text) => document.querySelector("section .words")?.textContent !== text, before);
const outbox = (page) =>
  page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith("plumb.outbox.")).length);
const byText = (rows, task, text) => {
  const item = task.trim().split("\n").slice(1).map((line) => JSON.parse(line)).find((one) => (one.text ?? one.text1) === text);
  return rows.filter((row) => row.item === item.id);
};

/** Every request for an answer arrives, and its reply is lost: the case in which nobody knows. */
const loseReplies = async (route) => {
  await route.fetch();
  await route.abort();
};

process.exitCode = await runChecks({
  async "a reply that is lost: the answer is kept, sent again under its key, and stored once"() {
    const page = await annotator(browser, studio, "away");
    await open(page);
    const text = await shown(page);
    const keys = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/answer")) keys.push(request.headers()["idempotency-key"]);
    });
    await page.route("**/answer", loseReplies);
    await page.keyboard.press("2");
    await page.keyboard.press("Enter");
    await status(page, "kept");
    assert.equal(await page.locator(".status").textContent(), "Kept here, will resend");
    assert.equal(await outbox(page), 1);
    // A crash of the page in this state: a new page finds the letter and sends it.
    await page.reload();
    assert.equal(page.asked, 1, "leaving asks first");
    await page.waitForFunction(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/answer")));
    await page.unroute("**/answer");
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await ready(page);
    await yours(page, 1);
    assert.notEqual(await shown(page), text, "the next item");
    assert.equal(await outbox(page), 0);
    assert.ok(keys.length >= 3 && new Set(keys).size === 1, `one key: ${keys}`);
    const rows = byText(studio.answers("away"), tasks.topics, text);
    assert.equal(rows.length, 1);
    assert.equal(rows[0].revision, 1);
    quiet(page);
  },

  async "a draft that hangs: the answer behind it is said to be kept here, and follows"() {
    const page = await annotator(browser, studio, "hanging");
    await open(page);
    const text = await shown(page);
    let held = 0;
    let release;
    const gate = new Promise((open) => (release = open));
    await page.route("**/draft", async (route) => {
      held += 1;
      await gate;
      await route.continue();
    });
    await page.keyboard.press("2");
    await status(page, "kept");
    assert.equal(await page.locator(".status").textContent(), "Draft kept here, will resend");
    assert.equal(held, 1, "the draft is on its way");
    await page.keyboard.press("Enter");
    await page.locator(".status", { hasText: /^Kept here, will resend$/ }).waitFor();
    assert.equal(await outbox(page), 1);
    release();
    await yours(page, 1);
    await another(page, text);
    assert.equal(await outbox(page), 0);
    assert.equal(byText(studio.answers("hanging"), tasks.topics, text)[0].label, "weather");
    quiet(page);
  },

  async "a page that a portal answers with is no receipt: the answer waits, and follows"() {
    const page = await annotator(browser, studio, "portal");
    await open(page);
    const text = await shown(page);
    const replies = [
      { status: 200, contentType: "text/html", body: "<!doctype html><title>Sign in to the network</title>" },
      { status: 200, json: {} },
      { status: 200, contentType: "application/json", body: "null" },
    ];
    let sent = 0;
    await page.route("**/answer", (route) => {
      sent += 1;
      return route.fulfill(replies[Math.min(sent, replies.length) - 1]);
    });
    await page.keyboard.press("2");
    await page.keyboard.press("Enter");
    await status(page, "kept");
    for (let tries = 2; tries <= replies.length; ++tries) {
      const next = page.waitForResponse("**/answer");
      await page.evaluate(() => dispatchEvent(new Event("online")));
      await next;
      assert.equal(await page.locator(".status").textContent(), "Kept here, will resend");
      assert.equal(await outbox(page), 1);
    }
    assert.equal(byText(studio.answers("portal"), tasks.topics, text).length, 0);
    await page.unroute("**/answer");
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await yours(page, 1);
    assert.equal(await outbox(page), 0);
    assert.equal(byText(studio.answers("portal"), tasks.topics, text)[0].label, "weather");
    quiet(page);
  },

  async "a reload in the middle: the slot and what was entered are there"() {
    const page = await annotator(browser, studio, "sts");
    await open(page);
    const text = await shown(page);
    await page.keyboard.press("4");
    await page.getByRole("button", { name: "Flag" }).click();
    await page.keyboard.press("c");
    await page.keyboard.type("ambiguous: which heron?");
    await page.keyboard.press("Escape");
    await status(page, "saved");
    assert.match(await page.locator(".status").textContent(), /^Draft saved \d\d:\d\d:\d\d$/);
    await page.reload();
    await ready(page);
    assert.equal(await shown(page), text);
    assert.equal(await checked(page).locator(".label").textContent(), "4");
    // Without the server the draft stays in the browser, and a reload finds it there.
    await page.route("**/draft", (route) => route.abort());
    await page.keyboard.press("1");
    await status(page, "kept");
    await page.reload();
    await ready(page);
    assert.equal(await checked(page).locator(".label").textContent(), "1");
    await page.unroute("**/draft");
    await page.keyboard.press("Enter");
    await yours(page, 1);
    const [row] = byText(studio.answers("sts"), tasks.sts, text);
    assert.deepEqual([row.rating, row.flagged, row.comment], [1, true, "ambiguous: which heron?"]);
    quiet(page);
  },

  async "back, correct, forward, skip, undo"() {
    const page = await annotator(browser, studio, "walk");
    await open(page);
    const texts = [];
    for (const key of ["1", "2", "3"]) {
      texts.push(await shown(page));
      await page.keyboard.press(key);
      await page.keyboard.press("Enter");
      await yours(page, texts.length);
      await another(page, texts.at(-1));
    }
    const fourth = await shown(page);
    await page.keyboard.press("ArrowLeft");
    await page.waitForFunction((text) => document.querySelector("section .words")?.textContent === text, texts[2]);
    await page.getByRole("button", { name: "Previous" }).click();
    await page.waitForFunction((text) => document.querySelector("section .words")?.textContent === text, texts[1]);
    await page.getByText("answered before").waitFor();
    assert.equal(await checked(page).locator(".label").textContent(), "2");
    await page.keyboard.press("5");
    await page.getByRole("button", { name: "Correct" }).click();
    await page.waitForFunction((text) => document.querySelector("section .words")?.textContent === text, texts[2]);
    await page.keyboard.press("]");
    await page.waitForFunction((text) => document.querySelector("section .words")?.textContent === text, fourth);
    await page.keyboard.press("s");
    await page.getByRole("dialog", { name: "Skip this item" }).waitFor();
    await page.keyboard.press("1");
    await another(page, fourth);
    await page.keyboard.press("u");
    await page.waitForFunction((text) => document.querySelector("section .words")?.textContent === text, fourth);
    await page.keyboard.press("u");
    await page.getByText("Taken back.").waitFor();
    await page.waitForFunction((text) => document.querySelector("section .words")?.textContent === text, texts[1]);
    assert.equal(await checked(page).locator(".label").textContent(), "5", "what was answered last is the draft");
    assert.equal(byText(studio.answers("walk"), tasks.sts, texts[1]).length, 0, "taken back");
    await page.keyboard.press("Enter");
    await page.waitForFunction((text) => document.querySelector("section .words")?.textContent === text, fourth);
    const [row] = byText(studio.answers("walk"), tasks.sts, texts[1]);
    assert.deepEqual([row.rating, row.revision], [5, 4], "answer, correction, withdrawal, answer");
    quiet(page);
  },

  async "two people at once never have the same item"() {
    const pages = [await annotator(browser, studio, "crowd"), await annotator(browser, studio, "crowd")];
    await Promise.all(pages.map(open));
    const seen = [];
    await Promise.all(
      pages.map(async (page) => {
        for (let count = 1; ; ++count) {
          if ((await page.locator("section .words").count()) === 0) return;
          const text = await shown(page);
          seen.push(text);
          await page.keyboard.press("2");
          await page.keyboard.press("Enter");
          await page.waitForFunction(
            (before) => {
              const words = document.querySelector("section .words");
              const heading = document.querySelector("section h1")?.textContent ?? "";
              return words ? words.textContent !== before : /You have answered|Nothing for you/.test(heading);
            },
            text,
          );
        }
      }),
    );
    assert.equal(seen.length, 6);
    assert.equal(new Set(seen).size, 6);
    assert.equal(studio.answers("crowd").length, 6);
    pages.forEach(quiet);
  },

  async "a session that ends: one signs in where one is, and nothing is lost"() {
    const page = await annotator(browser, studio, "ended");
    await open(page);
    const text = await shown(page);
    await page.context().clearCookies();
    await page.keyboard.press("3");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Your session has ended" });
    await dialog.getByLabel("Password").fill("a password of tests");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await another(page, text);
    await yours(page, 1);
    assert.equal(byText(studio.answers("ended"), tasks.topics, text)[0].label, "music");
    quiet(page);
  },

  async "what waits for one person is not sent in the name of another"() {
    const page = await annotator(browser, studio, "shared", { name: "first" });
    await open(page);
    const text = await shown(page);
    await page.route("**/answer", (route) => route.abort());
    await page.keyboard.press("1");
    await page.keyboard.press("Enter");
    await status(page, "kept");
    const reply = await page.context().request.post(`${studio.url}/api/invitations/accept`, {
      headers: { "X-Plumb": "1" },
      data: { token: studio.invitations.shared.shift(), name: "second", password: "a password of tests" },
    });
    assert.equal(reply.status(), 200);
    await page.unroute("**/answer");
    await page.getByRole("dialog", { name: "Your session has ended" }).waitFor();
    await page.reload();
    await ready(page);
    await page.locator(".who", { hasText: "second" }).waitFor();
    await page.keyboard.press("2");
    await page.keyboard.press("Enter");
    await yours(page, 1);
    assert.equal(await outbox(page), 1, "still there");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Name").fill("first");
    await page.getByLabel("Password").fill("a password of tests");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "shared" }).click();
    await yours(page, 1);
    assert.equal(await outbox(page), 0);
    const rows = studio.answers("shared");
    assert.deepEqual(rows.map(({ rater, label }) => `${rater} ${label}`).sort(), ["R1 garden", "R2 weather"]);
    assert.equal(byText(rows, tasks.topics, text).filter(({ rater }) => rater === "R1").length, 1);
    quiet(page);
  },

  async "an item answered elsewhere is not overwritten"() {
    const page = await annotator(browser, studio, "elsewhere");
    await open(page);
    const text = await shown(page);
    const other = await page.context().newPage();
    await other.goto(page.home);
    await ready(other);
    await other.keyboard.press("1");
    await other.keyboard.press("Enter");
    await yours(other, 1);
    await page.bringToFront();
    await page.keyboard.press("2");
    await page.keyboard.press("Enter");
    await page.getByText(/^Not saved: .*answered elsewhere/).waitFor();
    await page.getByRole("button", { name: "Load the item again" }).click();
    await page.getByText("answered before").waitFor();
    assert.equal(await page.getByRole("radio", { checked: true }).textContent().then((label) => /garden/.test(label)), true);
    assert.equal(byText(studio.answers("elsewhere"), tasks.topics, text)[0].label, "garden");
    quiet(page);
  },

  async "time in view with input is active, the rest is idle"() {
    const page = await annotator(browser, studio, "time");
    await page.clock.install();
    await page.goto(page.home);
    await page.locator("section[tabindex]").waitFor();
    const text = await shown(page);
    await page.keyboard.press("1");
    await page.clock.fastForward(10_000);
    await page.keyboard.press("2");
    await page.clock.fastForward(90_000);
    await page.keyboard.press("3");
    await page.keyboard.press("Enter");
    await yours(page, 1);
    const [row] = byText(studio.answers("time"), tasks.topics, text);
    assert.ok(row.active_ms >= 10_000 && row.active_ms < 20_000, `active ${row.active_ms}`);
    assert.ok(row.idle_ms >= 90_000 && row.idle_ms < 100_000, `idle ${row.idle_ms}`);
    quiet(page);
  },

  async "answers from before that are refused in the same words are all named"() {
    const page = await annotator(browser, studio, "alike");
    await open(page);
    await page.route("**/answer", (route) => route.abort());
    await page.keyboard.press("1");
    await page.keyboard.press("Enter");
    await status(page, "kept");
    await page.evaluate(() => {
      const [name] = Object.keys(localStorage).filter((one) => one.startsWith("plumb.outbox."));
      const letter = JSON.parse(localStorage.getItem(name));
      localStorage.setItem(`${name}2`, JSON.stringify({ ...letter, key: `${letter.key}2`, written: letter.written + 1 }));
    });
    await page.unroute("**/answer");
    await page.route("**/answer", (route) => route.fulfill({ status: 422, json: { error: "it does not fit" } }));
    await page.reload();
    await ready(page);
    assert.equal(await page.locator("[role=alert]", { hasText: "it does not fit" }).count(), 2);
    assert.equal(await outbox(page), 0);
    quiet(page);
  },

  async "a held key submits once, and what is refused stays on the page"() {
    const page = await annotator(browser, studio, "refused");
    await open(page);
    let sent = 0;
    await page.route("**/answer", (route) => {
      sent += 1;
      return route.fulfill({ status: 422, json: { error: "it does not fit" } });
    });
    await page.keyboard.press("1");
    for (let i = 0; i < 20; ++i) {
      await page.evaluate(
        (repeat) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", repeat, bubbles: true, cancelable: true })),
        i > 0,
      );
    }
    await page.getByText("Not saved: it does not fit").waitFor();
    assert.equal(sent, 1);
    assert.equal(await checked(page).locator(".label").textContent(), "garden");
    assert.equal(await outbox(page), 0);
    quiet(page);
  },
});

// Alone, because the server goes: it is killed with an answer on its way, and comes back on the same file.
const page = await annotator(browser, studio, "away");
process.exitCode += await runChecks({
  async "the server is killed and comes back: the answer follows by itself"() {
    await open(page);
    const text = await shown(page);
    await studio.stop("SIGKILL");
    await page.keyboard.press("1");
    await page.keyboard.press("Enter");
    await status(page, "kept");
    await studio.start();
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await yours(page, 1);
    await another(page, text);
    const rows = byText(studio.answers("away"), tasks.topics, text).filter((row) => row.rater === "R2");
    assert.deepEqual(rows.map(({ label, revision }) => [label, revision]), [["garden", 1]]);
    quiet(page);
  },
});
process.exitCode = Math.min(1, process.exitCode);
await browser.close();
await studio.stop();
