// The researcher's views in a real browser: their numbers are those of `plumb study status --json`, they keep themselves
// up to date, exports, models, invitations, accounts, guidelines and the end of a study work, and nobody sees them who
// should not.
//   node tests/browser/studio/research.mjs build/plumb [FOLDER]     with pictures of each view in FOLDER
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { Browser, Studio, quiet, runChecks } from "./harness.mjs";
import { Person, kPassword, opinion } from "./people.mjs";
import { annotateAll, cells, everyLook, file, gold, makeStudy, signedIn, visit } from "./researcher.mjs";
import * as tasks from "./tasks.mjs";

const [program, pictures] = process.argv.slice(2);
if (pictures) mkdirSync(pictures, { recursive: true });
const studio = new Studio(program);
const checks = ["--gold", file(studio, "known.jsonl", gold.known), "--gold-rate", "0.25", "--repeat-rate", "0.2"];
const kinds = makeStudy(
  studio,
  "five kinds",
  [gold.pairs, gold.topics, gold.pool, gold.ranking, gold.replies],
  ["--overlap", "3", "--guidelines", file(studio, "g.md", tasks.guidelines), ...checks],
);
const simulated = makeStudy(studio, "simulated", [gold.pairs, gold.topics], ["--overlap", "4", ...checks], 0);
studio.run("study", "simulate", "simulated", "--annotators", "4", "--accuracy", "0.8");
const growing = makeStudy(studio, "growing", [gold.pairs], ["--overlap", "2"], 1);
const ending = makeStudy(studio, "ending", [gold.topics], ["--overlap", "2"], 1);
await studio.start();
const manager = await Person.by(studio, kinds.invitation.manager, "Mira");
const adjudicator = await Person.by(studio, kinds.invitation.adjudicator, "Judith");
const viewer = await Person.by(studio, kinds.invitation.viewer, "Vera");
await annotateAll(studio, kinds);
const browser = await Browser.open();

const number = (value, digits) => {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
};
const measured = ({ value, ci, n, reason }, digits) =>
  value === null ? `– ${reason}` : `${number(value, digits)}${ci ? ` [${number(ci[0], digits)}, ${number(ci[1], digits)}]` : ""} n ${n}`;
/** As the command line says it, of the same database. */
const statusOf = ({ name }) => JSON.parse(studio.run("study", "status", name, "--json"));

async function current(page) {
  await page.waitForFunction(() => document.querySelector("[role=status].state")?.textContent.trim().startsWith("As of"));
}
async function overview(page, study) {
  await visit(page, studio, `study/${study.number}`, "#quality-annotators tbody tr");
  await current(page);
}

async function numbersAgree(page, study) {
  const status = statusOf(study);
  assert.deepEqual(
    await cells(page, "progress-tasks"),
    status.tasks.map((one) => [one.task, one.kind, `${one.answers} of ${one.slots}`, `${one.answered}`, `${one.complete}`, `${one.leased}`]),
  );
  const annotators = await cells(page, "progress-annotators");
  assert.deepEqual(
    annotators.map((row) => row.slice(0, 7)),
    status.annotators.map((one) =>
      [one.annotator, one.kind, one.answers, one.skipped, one.flagged, one.surplus, one.holding].map(String),
    ),
  );
  const words = (text) => text.replace(/\s+/g, " ");
  assert.deepEqual(
    (await cells(page, "quality-annotators")).map((row) => row.map(words)),
    status.annotators.map((one) => [
      one.annotator,
      measured(one.gold, 3),
      measured(one.repeats, 3),
      measured(one.active_seconds, 1),
      measured(one.idle_seconds, 1),
    ]),
  );
  const figure = (await page.locator("#agreement svg[aria-label]").getAttribute("aria-label")) ?? "";
  for (const { value, n, reason } of status.tasks.flatMap((one) => one.agreement.rows)) {
    const said = value === null ? `undefined because ${reason}` : ` ${number(value, 3)}`;
    assert.ok(figure.includes(said) && (value === null || figure.includes(`n ${n}`)), `${said} in ${figure}`);
  }
  return status;
}

process.exitCode = (await runChecks({
  async "the numbers of people are those of plumb study status"() {
    const page = await signedIn(browser, studio, "Vera");
    await overview(page, kinds);
    const status = await numbersAgree(page, kinds);
    assert.ok(status.tasks.some(({ agreement }) => agreement.rows.some(({ value }) => value !== null)));
    assert.ok(status.annotators.every((one) => one.active_seconds.value !== null && one.gold.value !== null));
    quiet(page);
    await page.context().close();
  },

  async "the numbers of simulated annotators are too"() {
    const page = await signedIn(browser, studio, "Vera");
    await overview(page, simulated);
    await numbersAgree(page, simulated);
    quiet(page);
    await page.context().close();
  },

  async "the overview keeps itself up to date, and stays where one looks"() {
    const page = await signedIn(browser, studio, "Vera");
    await visit(page, studio, `study/${growing.number}`, "#progress-tasks tbody tr");
    await page.locator("#progress-tasks th button", { hasText: "Kind" }).click();
    await page.setViewportSize({ width: 1000, height: 500 });
    await page.locator("#progress-tasks").scrollIntoViewIfNeeded();
    const before = await page.evaluate(() => scrollY);
    const person = await Person.by(studio, growing.annotators[0], "slow one");
    const of = await person.ask("GET", `/api/studies/${growing.number}`);
    await person.answer(growing.number, opinion(1, of), 3);
    await page.locator("#progress-tasks td", { hasText: "3 of 12" }).waitFor();
    await page.locator("#progress-annotators th", { hasText: "R1" }).waitFor();
    assert.equal(await page.evaluate(() => scrollY), before, "it did not jump");
    assert.equal(await page.locator("#progress-tasks th[aria-sort=ascending]").innerText(), "Kind");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Kind", "the focus stays");
    quiet(page);
    await page.context().close();
  },

  async "the gap so far is that of the server, with models that a manager attached"() {
    const page = await signedIn(browser, studio, "Mira");
    await visit(page, studio, `study/${kinds.number}/data`, ".attach");
    await page.getByLabel("Task").selectOption("pairs");
    await page.getByRole("button", { name: "Built-in models" }).click();
    await page.getByText("attached.").waitFor();
    await visit(page, studio, `study/${kinds.number}`, "[data-task=pairs] summary");
    await current(page);
    await page.waitForFunction(() => document.querySelector("[data-task=pairs] svg[role=img]")?.ariaLabel?.includes("tfidf"));
    await page.locator("[data-task=pairs] summary").click();
    const { gap } = await viewer.ask("GET", `/api/studies/${kinds.number}/view`);
    const rows = gap.find(({ task }) => task === "pairs").rows;
    const shown = await cells(page, "gap-table-0");
    assert.deepEqual(
      shown.map(([name, kind, n, score]) => [name, kind, n, score.split(/\s/)[0]]),
      rows.map(({ name, kind, n, score }) => [name, kind, `${n}`, score === null ? "–" : number(score, 3)]),
    );
    assert.ok(rows.some(({ name }) => name === "bm25"));
    await visit(page, studio, `study/${kinds.number}/data`, "#models tbody tr");
    await page.getByRole("button", { name: "Remove bm25" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.ok((await cells(page, "models")).every(([name]) => name !== "bm25"));
    quiet(page);
    await page.context().close();
  },

  async "every export can be fetched, and what there is none of is said in words"() {
    const page = await signedIn(browser, studio, "Mira");
    await visit(page, studio, `study/${kinds.number}/data`, "a[download]");
    const links = await page.locator("a[download]").evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
    assert.ok(links.length >= 20, links.join());
    for (const name of ["Answers: Download", "Table: Whole history", "MTEB results: Download", "Preference pairs: replies"]) {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name, exact: false }).first().click()]);
      const bytes = readFileSync(await download.path());
      assert.ok(bytes.length > 300, `${name}: ${bytes.length} bytes`);
      if (name.startsWith("Table")) assert.match(bytes.toString().split("\n")[0], /task,item,rater/);
    }
    await visit(page, studio, `study/${ending.number}/data`, "a[download]");
    await page.getByRole("link", { name: "MTEB results: Download" }).click();
    const refused = await manager.send("GET", `/api/studies/${ending.number}/export?format=mteb`);
    assert.ok(refused.status >= 400, "there are no answers");
    await page.getByRole("alert").filter({ hasText: (await refused.json()).error }).waitFor();
    quiet(page);
    await page.context().close();
  },

  async "guidelines are written beside how they look, and get a version"() {
    const page = await signedIn(browser, studio, "Mira");
    await visit(page, studio, `study/${kinds.number}/guidelines`, "textarea");
    const words = page.locator(".words");
    await words.locator("li", { hasText: "nothing differs" }).waitFor();
    await page.locator("textarea").fill("# New rules\n\nBe *kind*, see [this](https://example.org/a) and [that](javascript:alert(1)).\n\n<img src=x onerror=alert(1)>");
    await words.locator("em", { hasText: "kind" }).waitFor();
    assert.equal(await words.locator("a").count(), 1);
    assert.equal(await words.locator("img").count(), 0);
    await page.reload();
    await page.locator("textarea").waitFor();
    assert.match(await page.locator("textarea").inputValue(), /^# New rules/, "an unsaved text is kept");
    await page.getByRole("button", { name: "Save as version 2" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByText("Version 2 is saved.").waitFor();
    assert.equal((await viewer.ask("GET", `/api/studies/${kinds.number}/guidelines`)).version, 2);
    await page.getByLabel("Version").selectOption("1");
    await words.locator("li", { hasText: "nothing differs" }).waitFor();
    assert.equal(await page.locator("textarea").count(), 0, "an old version is only read");
    quiet(page);
    await page.context().close();
  },

  async "a link invites one person, and can be taken back"() {
    const page = await signedIn(browser, studio, "Mira");
    await visit(page, studio, `study/${kinds.number}/people`, "#accounts tbody tr");
    const make = async (role) => {
      const before = (await page.getByLabel("The link").count()) ? await page.getByLabel("The link").inputValue() : "";
      await page.locator(".make select").first().selectOption(role);
      await page.getByRole("button", { name: "Make a link" }).click();
      await page.waitForFunction((old) => (document.querySelector(".link input")?.value ?? "") !== old, before);
      return (await page.getByLabel("The link").inputValue()).split("#invitation=")[1];
    };
    const first = await make("viewer");
    const second = await make("adjudicator");
    const made = (await manager.ask("GET", "/api/invitations")).invitations.filter((one) => one.role === "adjudicator").length;
    const newest = page.locator("#invitations tbody tr", { hasText: "adjudicator" }).nth(made - 1); // other studies have theirs
    await newest.getByRole("button").click();
    await page.getByRole("dialog").getByRole("button", { name: "Take back" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    const late = new Person(studio, "late");
    assert.equal(await late.status("POST", "/api/invitations/accept", { token: second, name: "late", password: kPassword }), 404);
    await Person.by(studio, first, "Valentin");
    assert.equal(await late.status("POST", "/api/invitations/accept", { token: first, name: "late", password: kPassword }), 404, "used");
    await page.reload();
    await page.locator("#accounts tbody tr", { hasText: "Valentin" }).waitFor();
    quiet(page);
    await page.context().close();
  },

  async "an owner without a study invites, and sees who may sign in"() {
    const empty = new Studio(program);
    await empty.start();
    const password = empty.said.match(/"owner" has the password (\S+)/)?.[1];
    assert.ok(password, empty.said);
    const page = await browser.page(empty);
    await page.goto(empty.url);
    await page.getByLabel("Name").fill("owner");
    await page.getByLabel("Password").fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "People" }).click();
    await page.locator("#accounts tbody tr", { hasText: "owner" }).waitFor();
    assert.deepEqual(await page.locator(".make select option").allInnerTexts(), ["adjudicator", "viewer", "manager"]);
    await page.getByText("Annotators are invited once there is a study.").waitFor();
    await page.getByRole("button", { name: "Make a link" }).click();
    const link = await page.getByLabel("The link").inputValue();
    await Person.by(empty, link.split("#invitation=")[1], "Mia");
    await page.reload();
    await page.locator("#accounts tbody tr", { hasText: "Mia" }).filter({ hasText: "manager" }).waitFor();
    await everyLook(page, "everybody", pictures);
    quiet(page);
    await page.context().close();
    await empty.stop();
    const viewing = await signedIn(browser, studio, "Vera");
    assert.equal(await viewing.getByRole("link", { name: "People" }).count(), 0);
    await viewing.context().close();
  },

  async "a manager changes roles below, and disables; not above"() {
    const page = await signedIn(browser, studio, "Mira");
    const token = (await manager.ask("POST", "/api/invitations", { role: "viewer" })).token;
    const guest = await Person.by(studio, token, "Gustav");
    await visit(page, studio, `study/${kinds.number}/people`, "#accounts tbody tr");
    assert.equal(await page.getByLabel("Role of owner").count(), 0);
    await page.getByLabel("Role of Gustav").selectOption("adjudicator");
    await page.getByRole("dialog").getByRole("button", { name: "Make them adjudicator" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await guest.status("GET", "/api/me"), 401, "signed out");
    assert.equal((await guest.ask("POST", "/api/login", { name: "Gustav", password: kPassword })).role, "adjudicator");
    assert.equal(await guest.status("GET", `/api/studies/${kinds.number}/disputes`), 200);
    await page.getByRole("button", { name: "Disable Gustav" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
    await page.getByRole("button", { name: "Enable Gustav" }).waitFor();
    assert.equal(await guest.status("GET", "/api/me"), 401);
    assert.equal(await guest.status("POST", "/api/login", { name: "Gustav", password: kPassword }), 401);
    quiet(page);
    await page.context().close();
  },

  async "a study is frozen only after its name was typed"() {
    const page = await signedIn(browser, studio, "Mira");
    await visit(page, studio, `study/${ending.number}/data`, "button.danger");
    await page.getByRole("button", { name: "Freeze the study" }).click();
    const sure = page.getByRole("dialog").getByRole("button", { name: "Freeze for good" });
    assert.ok(await sure.isDisabled());
    await page.getByRole("dialog").getByRole("textbox").fill("ending");
    await sure.click();
    await page.getByText("The study is frozen").waitFor();
    const { state, frozen_sha256 } = statusOf(ending);
    assert.equal(state, "frozen");
    await page.getByText(frozen_sha256).waitFor();
    const person = await Person.by(studio, ending.annotators[0], "too late");
    const next = await person.send("POST", `/api/studies/${ending.number}/next`);
    assert.ok(next.status !== 200 || (await next.json()).state !== "item");
    quiet(page);
    await page.context().close();
  },

  async "an annotator opens none of these views, nor what is behind them"() {
    const token = (await manager.ask("POST", "/api/invitations", { role: "annotator", study: growing.number })).token;
    const person = await Person.by(studio, token, "curious");
    const page = await signedIn(browser, studio, "curious");
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    for (const path of ["adjudicate", "guidelines", "data", "people"]) {
      await page.goto(`${studio.url}/#/study/${growing.number}/${path}`);
      await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
    }
    await page.goto(`${studio.url}/#/study/${growing.number}`);
    await page.locator("section[aria-busy=false]").waitFor();
    for (const word of ["view", "status", "disputes", "models", "export", "accounts", "invitations"]) {
      assert.ok(!asked.some((path) => path.endsWith(`/${word}`)), `${word} was asked for`);
    }
    const base = `/api/studies/${growing.number}`;
    for (const path of ["view", "status", "disputes", "disputes/1", "models", "export", "export?format=mteb"]) {
      assert.equal(await person.status("GET", `${base}/${path}`), 403, path);
    }
    for (const [method, path] of [["PUT", `${base}/disputes/1/decision`], ["POST", `${base}/models`], ["PUT", `${base}/guidelines`],
      ["POST", "/api/guidelines/preview"], ["GET", "/api/accounts"], ["GET", "/api/invitations"], ["POST", "/api/invitations/revoke"],
      ["PUT", "/api/accounts/1/role"], ["POST", `${base}/freeze`]]) {
      assert.equal(await person.status(method, path, {}), 403, path);
    }
    const text = await page.locator("body").innerText();
    assert.ok(!/agreement|tfidf|gold/i.test(text), text);
    for (const [role, path] of [["Vera", "data"], ["Vera", "adjudicate"], ["Judith", "people"]]) {
      const other = await signedIn(browser, studio, role);
      await other.goto(`${studio.url}/#/study/${kinds.number}/${path}`);
      await other.getByRole("heading", { name: "There is nothing here" }).waitFor();
      await other.context().close();
    }
    assert.equal(await adjudicator.status("GET", "/api/accounts"), 403);
    quiet(page);
    await page.context().close();
  },

  async "each view is for everybody: names, contrast, 360 px, light and dark"() {
    const page = await signedIn(browser, studio, "Mira");
    await overview(page, kinds);
    await everyLook(page, "overview", pictures);
    await visit(page, studio, `study/${kinds.number}/guidelines`, "textarea");
    await everyLook(page, "guidelines", pictures);
    await visit(page, studio, `study/${kinds.number}/data`, ".attach");
    await everyLook(page, "data", pictures);
    await visit(page, studio, `study/${kinds.number}/people`, "#accounts tbody tr");
    await page.getByRole("button", { name: "Make a link" }).click();
    await page.getByLabel("The link").waitFor();
    await everyLook(page, "people", pictures);
    await page.getByRole("button", { name: /^Disable/ }).first().click();
    await everyLook(page, "confirm", pictures);
    quiet(page);
    await page.context().close();
  },
})) > 0 ? 1 : 0;
await browser.close();
await studio.stop();
