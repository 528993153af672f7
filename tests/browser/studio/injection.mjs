// Over 250 texts that want to run as a script, in every place where the page shows a text: none runs, none reaches the
// network, none becomes an element, and each can be read as it is.
//   node tests/browser/studio/injection.mjs build/plumb
import assert from "node:assert/strict";
import { Browser, Studio, annotator, open, quiet, ready, runChecks, taskFile, yours } from "./harness.mjs";
import { payloads } from "./payloads.mjs";

const kTexts = payloads();
assert.ok(kTexts.length >= 250, `${kTexts.length} texts`);
const half = Math.ceil(kTexts.length / 2);
const [first, second] = [kTexts.slice(0, half).join("\n"), kTexts.slice(half).join("\n")];
const all = kTexts.join("\n\n");
const header = (kind, more = {}) => ({ kind, name: kTexts[0], instruction: first, language: "en", ...more });

const kStudies = {
  sts: taskFile(header("sts", { scale: [0, 5] }), [{ id: kTexts[1], text1: first, text2: second }, { id: "next", text1: second, text2: first }]),
  classification: taskFile(header("classification", { labels: kTexts }), [{ id: "1", text: all }]),
  clustering: taskFile(header("clustering"), kTexts.map((text, i) => ({ id: ["__proto__", "constructor"][i] ?? (i % 2 ? `c${i}` : text.slice(0, 100) + i), text }))),
  reranking: taskFile(header("reranking"), [{ id: "1", query: first, candidates: kTexts }]),
  preference: taskFile(header("preference", { scale: [1, 4] }), [{ id: "1", prompt: all, a: first, b: second }]),
};
const names = Object.keys(kStudies).map((kind, i) => `${kTexts[i]} ${kind}`);
const studio = await Studio.open(
  process.argv[2],
  Object.fromEntries(Object.values(kStudies).map((task, i) => [names[i], { tasks: [task], guidelines: all }])),
);
const browser = await Browser.open();

/** Every text can be read in what the selector finds, and nothing of it became an element. */
async function harmless(page, selector, texts) {
  const found = await page.evaluate(
    ([where, wanted]) => {
      const shown = [...document.querySelectorAll(where)].map((element) => element.value || element.textContent).join("\n");
      return {
        missing: wanted.filter((text) => !shown.includes(text)),
        elements: document.querySelectorAll(
          "#studio :is(script, iframe, object, embed, img, svg, math, video, audio, style, link, meta, base, template, marquee, [onerror], [onload], [onfocus], [href^='javascript' i])",
        ).length,
      };
    },
    [selector, texts],
  );
  assert.deepEqual(found.missing, []);
  assert.equal(found.elements, 0);
  quiet(page);
}

async function openAs(index, account) {
  const page = await annotator(browser, studio, names[index], { name: account });
  await open(page);
  await page.locator("aside .words").waitFor();
  await harmless(page, "section h1", kTexts.slice(0, half));
  // Markdown has marks of its own; HTML in it stays a text.
  await harmless(page, "aside", kTexts.slice(0, 1));
  const links = await page.locator("aside a").evaluateAll((all) => all.map(({ protocol }) => protocol));
  assert.deepEqual(links.filter((protocol) => !/^(https?|mailto):$/.test(protocol)), []);
  await page.keyboard.press("g");
  return page;
}

process.exitCode = (await runChecks({
  async "the check itself sees a text that runs"() {
    const page = await browser.page(studio);
    await page.goto(studio.url);
    await page.locator("form").waitFor();
    const blocked = page.waitForEvent("console", (message) => message.text().includes("Content Security Policy"));
    await page.evaluate((html) => {
      const place = document.createElement("div");
      place.innerHTML = html;
      document.querySelector("main").append(place);
    }, `<img src="//elsewhere.example/pixel.png" onerror="plumbTrouble('a text ran')">`);
    await blocked;
    await page.waitForFunction(() => true);
    assert.ok(page.trouble.some((words) => words.startsWith("policy:")), page.trouble.join("\n"));
  },

  async "pairs, comments, flags, the account, messages of the server"() {
    const page = await openAs(0, kTexts[7]);
    await harmless(page, ".words", kTexts);
    await harmless(page, ".who", [kTexts[7]]);
    await harmless(page, ".study", [names[0]]);
    assert.equal(await page.title(), `${names[0]} · plumb studio`);
    await page.keyboard.press("c");
    const comment = kTexts.slice(0, 8).join(" ").slice(0, 900);
    await page.keyboard.insertText(comment);
    await harmless(page, "textarea", [comment]);
    await page.keyboard.press("Escape");
    await page.locator(".status[data-state=saved]").waitFor();
    await page.reload();
    await ready(page);
    await harmless(page, "textarea", [comment]);
    await page.route("**/answer", (route) => route.fulfill({ status: 422, json: { error: all } }));
    await page.keyboard.press("2");
    await page.keyboard.press("Enter");
    await page.getByText("Not saved:").waitFor();
    await harmless(page, ".note", kTexts);
    await page.unroute("**/answer");
    await page.keyboard.press("Enter");
    await yours(page, 1);
    quiet(page);
  },

  async "labels, their filter, and the overlay of keys"() {
    const page = await openAs(1);
    await harmless(page, ".item .words", kTexts);
    await harmless(page, "[role=radiogroup]", kTexts);
    await page.keyboard.press("?");
    await harmless(page, "dialog", kTexts.slice(0, 20));
    await page.keyboard.press("Escape");
    await page.locator("#filter").fill(kTexts[3]);
    await page.keyboard.press("Enter");
    await harmless(page, "[aria-checked=true]", [kTexts[3]]);
    await page.keyboard.press("Enter");
    await yours(page, 1);
    quiet(page);
  },

  async "a pool, names of groups"() {
    const page = await openAs(2);
    await harmless(page, ".pool", kTexts);
    for (const id of ["__proto__", "constructor"]) {
      await page.locator(`[data-card="${id}"]`).click();
      await page.getByRole("button", { name: "Move here" }).nth(1).click();
      await page.locator(`[data-group="1"] [data-card="${id}"]`).waitFor();
    }
    const named = kTexts.filter((text) => text.length <= 60 && !text.includes("\n")).slice(0, 30);
    for (const [i, name] of named.entries()) {
      await page.keyboard.press("n");
      await page.locator("section[data-group] input").nth(i + 2).fill(name);
      await page.locator("li.at").focus();
    }
    await harmless(page, "section[data-group] input", named);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("m");
    await page.locator(".merging").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await harmless(page, "dialog", named.slice(0, 5));
    quiet(page);
  },

  async "candidates, in marks and in order"() {
    const page = await openAs(3);
    await harmless(page, ".query .words", kTexts.slice(0, half));
    await harmless(page, "ol .words", kTexts);
    await page.keyboard.press("o");
    await harmless(page, "ol.order .words", kTexts);
    await page.keyboard.press("Alt+ArrowDown");
    await page.keyboard.press("Enter");
    await yours(page, 1);
    quiet(page);
  },

  async "a prompt and two replies"() {
    const page = await openAs(4);
    await harmless(page, ".prompt .words", kTexts);
    await harmless(page, ".sides .words", kTexts);
    quiet(page);
  },

  async "names of studies, words of a failed sign-in, an invitation"() {
    const page = await browser.page(studio);
    await page.route("**/api/studies", (route) =>
      route.fulfill({ json: { studies: kTexts.map((name, study) => ({ study, name, enrolled: true })) } }),
    );
    await page.route("**/progress", (route) => route.fulfill({ json: { answered: 1, others: 2, slots: 9, recent: [], state: "open" } }));
    await page.route("**/api/me", (route) => route.fulfill({ json: { name: first, role: "annotator" } }));
    await page.goto(studio.url);
    await page.locator(".studies li").nth(kTexts.length - 1).waitFor();
    await harmless(page, ".studies", kTexts);
    await page.unroute("**/api/me");
    await page.route("**/api/login", (route) => route.fulfill({ status: 400, json: { error: all } }));
    await page.reload();
    await page.getByLabel("Name").fill(kTexts[5]);
    await page.getByLabel("Password").fill(kTexts[6]);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator(".error").waitFor();
    await harmless(page, ".error", kTexts);
    for (const text of kTexts.filter((one) => !/[\r\n\t]/.test(one)).slice(0, 40)) {
      await page.evaluate((hash) => (location.hash = `invitation=${encodeURI(hash)}`), text);
    }
    await page.getByRole("heading", { name: "You are invited" }).waitFor();
    quiet(page);
  },
})) > 0 ? 1 : 0;
console.log(`${kTexts.length} texts`);
await browser.close();
await studio.stop();
