// The report of the three links in the studio: attached on the command line and in the page, seen by researchers, as the page
// of `plumb report links` shows it, and by no annotator.
//   node tests/browser/studio/links.mjs build/plumb [FOLDER]     with pictures of the view in FOLDER
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Browser, Studio, quiet, runChecks } from "./harness.mjs";
import { Person } from "./people.mjs";
import { cells, everyLook, gold, makeStudy, signedIn, visit } from "./researcher.mjs";

const [program, pictures] = process.argv.slice(2);
if (pictures) mkdirSync(pictures, { recursive: true });
const studio = new Studio(program);
const at = (name) => join(studio.folder, name);

execFileSync("python3", [fileURLToPath(new URL("../make_runs.py", import.meta.url)), at("runs")], { stdio: "ignore" });
const kTitle = 'Links of <img src=x onerror="plumbTrouble(1)"> both';
function report(name, title, ...runs) {
  execFileSync(program, ["report", "links", ...runs.map((run) => at(`runs/${run}`)), "--evals", at("runs/evals.jsonl"), "--title", title, "--json", "-o", at(name)], { stdio: "pipe" });
  return JSON.parse(readFileSync(at(name), "utf8"));
}
const both = report("both.json", kTitle, "long", "short.jsonl");
const short = report("short.json", "Another report", "short.jsonl");

const study = makeStudy(studio, "with links", [gold.replies], ["--overlap", "2"], 1);
const plain = makeStudy(studio, "without", [gold.replies], ["--overlap", "2"], 0);
studio.run("study", "links", "with links", at("both.json"));
const listed = JSON.parse(studio.run("study", "links", "with links", "--json"));
assert.deepEqual([listed.attached, listed.title], [true, kTitle]);
assert.equal(listed.sha256, createHash("sha256").update(readFileSync(at("both.json"))).digest("hex"));
await studio.start();
const people = {};
for (const [role, name] of [["manager", "Mira"], ["adjudicator", "Judith"], ["viewer", "Vera"]]) {
  people[role] = await Person.by(studio, study.invitation[role], name);
}
const annotator = await Person.by(studio, study.annotators[0], "Ada");
const browser = await Browser.open();
const linksTab = (page) => page.getByRole("navigation", { name: "Of the study" }).getByRole("link", { name: "Links" });
const shown = (page) => visit(page, studio, `study/${study.number}/links`, ".links-report .links-diagram");

process.exitCode = (await runChecks({
  async "researchers see what was attached: sentence, rows, curves, completions"() {
    for (const name of ["Vera", "Judith", "Mira"]) {
      const page = await signedIn(browser, studio, name);
      await visit(page, studio, `study/${study.number}`, "h1");
      await linksTab(page).click();
      await page.locator(".links-report .links-diagram").waitFor();
      assert.equal(await page.locator("p.lead").innerText(), both.links.sentence);
      await page.locator("bdi", { hasText: kTitle }).waitFor();
      for (const link of ["A", "B", "C"]) {
        const card = page.locator(`#link-${link}`);
        const own = both.links.links.filter((row) => row.link === link);
        await page.locator(`.links-diagram .edge[href="#link-${link}"] .letter`).click();
        assert.notEqual(await card.getAttribute("open"), null);
        assert.ok(page.url().endsWith(`#/study/${study.number}/links`), "the address stays");
        assert.deepEqual((await cells(page, `table-link-${link}`)).length, own.length);
        const judged = own.filter((row) => row.ci && row.resolution && row.estimate !== null);
        if (judged.length > 0) await page.locator(`#figure-verdicts-${link} .chart svg`).waitFor();
        assert.equal(await page.locator(`#figure-verdicts-${link} g.verdicts > *`).count(), judged.length);
      }
      assert.equal(await page.locator("#table-swap tbody tr").count(), both.links.swap.length);
      assert.equal(await page.locator("#link-A .example").count(), both.details.flatMap(({ examples }) => examples.prompts).length);
      quiet(page);
      await page.context().close();
    }
  },

  async "no annotator sees it, nor that there is one"() {
    const page = await signedIn(browser, studio, "Ada");
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${studio.url}/#/study/${study.number}/links`);
    await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
    await page.goto(`${studio.url}/#/study/${study.number}`);
    await page.locator("section[aria-busy=false]").waitFor();
    assert.ok(!asked.some((path) => path.endsWith("/links")));
    assert.ok(!("links" in (await annotator.ask("GET", `/api/studies/${study.number}`))));
    const base = `/api/studies/${study.number}/links`;
    for (const [method, path] of [["GET", base], ["POST", base], ["POST", `${base}/remove`]]) {
      assert.equal(await annotator.status(method, path, {}), 403, `${method} ${path}`);
      assert.equal(await people.viewer.status(method, path, {}), method === "GET" ? 200 : 403, `${method} ${path}`);
    }
    quiet(page);
    await page.context().close();
  },

  async "a manager attaches another study's report in the page, and takes it away; what is no report is refused in words"() {
    const page = await signedIn(browser, studio, "Mira");
    await visit(page, studio, `study/${plain.number}/data`, "label.file");
    assert.equal(await linksTab(page).count(), 0);
    const input = page.getByLabel("A report of links");
    writeFileSync(at("wrong.json"), JSON.stringify({ ...short, links: { ...short.links, sentence: 3 } }));
    await input.setInputFiles(at("wrong.json"));
    await page.getByRole("alert").filter({ hasText: '"sentence" of "links" is of another kind' }).waitFor();
    writeFileSync(at("none.json"), "[]");
    await input.setInputFiles(at("none.json"));
    await page.getByRole("alert").filter({ hasText: "plumb report links RUN --json -o links.json" }).waitFor();
    await input.setInputFiles(at("short.json"));
    await page.locator(".links-report .links-diagram").waitFor();
    assert.equal(await page.locator("p.lead").innerText(), short.links.sentence);
    await linksTab(page).waitFor();
    const kept = await people.viewer.ask("GET", `/api/studies/${plain.number}/links`);
    assert.equal(kept.report, readFileSync(at("short.json"), "utf8"), "byte for byte");
    assert.equal(kept.attached_by, "Mira");
    await visit(page, studio, `study/${plain.number}/data`, ".attached");
    await page.getByRole("button", { name: "Remove the report" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await page.locator(".attached").count(), 0);
    await page.goto(`${studio.url}/#/study/${plain.number}/links`);
    await page.getByText("No report of links is attached to this study.").waitFor();
    quiet(page);
    await page.context().close();
  },

  async "the view is for everybody: names, contrast, 360 px, light and dark"() {
    const page = await signedIn(browser, studio, "Vera");
    await shown(page);
    await everyLook(page, "links", pictures);
    for (const link of ["A", "B", "C"]) await page.locator(`#link-${link} > summary`).click();
    await page.locator("#figure-verdicts-A .chart svg").waitFor();
    await everyLook(page, "links-open", pictures);
    quiet(page);
    await page.context().close();
  },
})) > 0 ? 1 : 0;
await browser.close();
await studio.stop();
