// `plumb serve --demo` in a real browser: somebody comes without an account, answers twenty items by keyboard, and sees
// where they stand among the built-in models.
//   node tests/browser/studio/demo.mjs build/plumb [FOLDER]     with pictures in FOLDER
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { Browser, quiet, ready, runChecks } from "./harness.mjs";
import { everyLook } from "./researcher.mjs";

const [program, pictures] = process.argv.slice(2);
if (pictures) mkdirSync(pictures, { recursive: true });

const server = spawn(program, ["serve", "--demo", "--port", "0"], { stdio: ["ignore", "ignore", "pipe"] });
process.on("exit", () => server.kill("SIGKILL"));
const url = await new Promise((resolve, reject) => {
  let heard = "";
  server.on("exit", () => reject(new Error(`the server ended: ${heard}`)));
  server.stderr.on("data", (bytes) => {
    heard += bytes;
    const found = heard.match(/serving on (http:\/\/127\.0\.0\.1:\d+)/)?.[1];
    if (found) resolve(found);
  });
});
const studio = { url };
const browser = await Browser.open();
const three = (value) => (value < 0 ? `−${(-value).toFixed(3)}` : value.toFixed(3));

/** The lowest key of whatever the item offers, in turn, until it can be submitted. */
async function answerOne(page, count) {
  const text = await page.locator("section[tabindex]").innerText();
  for (const key of [`${1 + (count % 3)}`, "1", "n", "2"]) {
    if (await page.locator("button.submit:enabled").count()) break;
    await page.keyboard.press(key);
  }
  await page.locator("button.submit:enabled").waitFor();
  await page.keyboard.press("Enter");
  await page.waitForFunction((before) => document.querySelector("section[tabindex]")?.innerText !== before, text);
}

const failed = await runChecks({
  async "twenty answers without an account, then a score with its interval among the models"() {
    const page = await browser.page(studio);
    await page.goto(url);
    await page.getByRole("heading", { name: "Be the first human" }).waitFor();
    await everyLook(page, "demo-start", pictures);
    await page.getByRole("button", { name: "Start answering" }).click();
    await ready(page);
    await page.getByRole("link", { name: "0 of 20 to your score" }).click();
    await page.getByText("You have given 0 so far").waitFor();
    await page.getByRole("link", { name: "Back to the items" }).click();
    await ready(page);
    for (let count = 0; count < 20; ++count) await answerOne(page, count);
    await page.getByRole("link", { name: "See your score" }).click();
    await page.locator("[data-task] svg").first().waitFor();
    const standing = await (await page.context().request.get(`${url}/api/demo/standing`)).json();
    assert.ok(standing.ready && standing.answers === 20, JSON.stringify(standing).slice(0, 200));
    const first = standing.tasks.find((task) => task.rows);
    const you = first.rows.find(({ kind }) => kind === "human");
    const section = page.locator(`[data-task="${first.task}"]`);
    await section.getByText(`${three(you.score)} [${three(you.ci[0])}, ${three(you.ci[1])}] on ${you.n} items`).waitFor();
    const figure = await section.locator("svg[role=img]").getAttribute("aria-label");
    for (const name of ["You", "bm25", "tfidf", "char-ngrams", "baseline/random"]) assert.ok(figure.includes(name), `${name} in ${figure}`);
    await everyLook(page, "standing", pictures);
    quiet(page);
    await page.context().close();
  },
});
process.exitCode = failed > 0 ? 1 : 0;
await browser.close();
await new Promise((resolve) => {
  server.removeAllListeners("exit");
  server.on("exit", resolve);
  server.kill("SIGTERM");
});
