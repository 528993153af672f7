// What those need who do not see the page, or see it small, dark or from right to left: names, roles and contrast by
// axe-core, the order of the focus, keys that do not clash, no scrolling sideways at 360 px, directions of scripts.
//   node tests/browser/studio/accessibility.mjs build/plumb [FOLDER]     with pictures of each view in FOLDER
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Browser, Studio, annotator, fromWeb, open, quiet, ready, runChecks } from "./harness.mjs";
import * as tasks from "./tasks.mjs";

const [program, pictures] = process.argv.slice(2);
const kKinds = {
  sts: tasks.sts,
  fractions: tasks.fractions,
  topics: tasks.topics,
  intents: tasks.intents,
  pool: tasks.pool,
  ranking: tasks.ranking,
  graded: tasks.graded,
  preferences: tasks.preferences,
  arabic: tasks.arabic,
  hebrew: tasks.hebrew,
};
const studio = await Studio.open(program, {
  ...Object.fromEntries(Object.entries(kKinds).map(([name, task]) => [name, { tasks: [task] }])),
  training: { tasks: [tasks.sts], training: [tasks.training], guidelines: tasks.guidelines },
});
const browser = await Browser.open();
const axe = readFileSync(fromWeb.resolve("axe-core/axe.min.js"), "utf8");
if (pictures) mkdirSync(pictures, { recursive: true });

async function clean(page, view) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  const words = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(words, [], view);
}

/** In light and dark, wide and narrow nothing sticks out; wide and light, narrow and dark axe finds nothing. */
async function everyLook(page, view) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: width === 360 ? 740 : 820 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${view} is ${wide} px wide at ${width}`);
      if ((width === 360) === (colorScheme === "dark")) await clean(page, `${view}, ${colorScheme}, ${width}`);
      if (pictures) await page.screenshot({ path: join(pictures, `${view}-${width}-${colorScheme}.png`) });
    }
  }
  await page.setViewportSize({ width: 1280, height: 820 });
}

/** Names of what Tab reaches, from the start of the page until it comes round. */
async function tabStops(page) {
  const stops = [];
  await page.locator("section[tabindex]").focus();
  for (let i = 0; i < 60; ++i) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      return element === document.body ? null : (element.closest("[role]")?.role ?? element.localName) + " " + element.textContent.replace(/\s+/g, " ").trim().slice(0, 24);
    });
    if (stop === null || stop.startsWith("link plumb") || stop.startsWith("a plumb")) break;
    stops.push(stop);
  }
  return stops;
}

/** Every printed key of the overlay stands for one thing. */
async function uniqueKeys(page) {
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  const keys = await page.locator("dialog kbd").allTextContents();
  assert.deepEqual(keys.filter((key, i) => keys.indexOf(key) !== i && key !== "Esc"), []);
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
}

/** Each text runs as its script does, and says its language. */
async function directions(page, rightToLeft) {
  const looks = await page
    .locator(".words, section h1, [role=radio] .label, li span[dir]")
    .evaluateAll((all) => all.map((one) => [getComputedStyle(one).direction, one.closest("[lang]").lang, one.textContent]));
  for (const [direction, lang, text] of looks) {
    const right = /[\u0590-\u06ff]/.test(text);
    assert.equal(direction, right ? "rtl" : "ltr", text);
    if (right) assert.equal(lang, rightToLeft, text);
  }
  assert.equal(looks.filter(([direction]) => direction === "rtl").length >= 2, rightToLeft !== undefined);
}

const kindChecks = Object.fromEntries(
  Object.keys(kKinds).map((name) => [
    `the view of ${name}`,
    async () => {
      const page = await annotator(browser, studio, name);
      await open(page);
      assert.equal(await page.evaluate(() => document.activeElement.localName), "section", "the focus is on the item");
      await directions(page, { arabic: "ar", hebrew: "he" }[name]);
      await everyLook(page, name);
      await uniqueKeys(page);
      const stops = await tabStops(page);
      assert.ok(stops.some((stop) => stop.includes("Skip")) && stops.length < 40, stops.join("\n"));
      assert.equal(await page.evaluate(() => document.getAnimations().length), 0, "nothing moves");
      quiet(page);
      await page.context().close();
    },
  ]),
);

process.exitCode = (await runChecks({
  ...kindChecks,

  async "signing in, an invitation, the list of studies, feedback, skipping, the end"() {
    const page = await browser.page(studio);
    await page.goto(studio.url);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await everyLook(page, "signin");
    await page.goto(`${studio.url}/#invitation=${studio.invitations.training[0]}`);
    await page.getByLabel("Name").fill("Nadia");
    await everyLook(page, "invitation");
    await page.getByLabel("Password").fill("a password of tests");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your studies" }).waitFor();
    await everyLook(page, "studies");
    await page.getByRole("link", { name: "training" }).click();
    await ready(page);
    await page.getByText("nothing differs").waitFor();
    await everyLook(page, "training");
    await page.keyboard.press("3");
    await page.keyboard.press("Enter");
    await page.locator(".feedback").waitFor();
    await everyLook(page, "feedback");
    await page.keyboard.press("Enter");
    await page.locator(".feedback").waitFor({ state: "detached" });
    await page.keyboard.press("s");
    await everyLook(page, "skip");
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("?");
    await everyLook(page, "keys");
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    for (let left = 6; left > 0; --left) {
      const text = await page.locator(".words").first().textContent();
      await page.keyboard.press("2");
      await page.keyboard.press("Enter");
      await page.waitForFunction((before) => document.querySelector("section .words")?.textContent !== before, text);
    }
    await page.getByRole("heading", { name: "You have answered everything there is" }).waitFor();
    await everyLook(page, "finished");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Name").fill("Nadia");
    await page.getByLabel("Password").fill("not the password");
    await page.keyboard.press("Enter");
    await page.getByText("The name or the password is wrong.").waitFor();
    await page.getByRole("button", { name: "Light" }).click();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light", "remembered");
    quiet(page);
  },
})) > 0 ? 1 : 0;
await browser.close();
await studio.stop();
