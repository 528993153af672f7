// A studio of its own for a browser test: tasks, studies, accounts, `plumb serve` on a free port of this machine, and
// Debian's Chromium to look at it.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve as resolvePath } from "node:path";

export const fromWeb = createRequire(new URL("../../../web/package.json", import.meta.url));
const { chromium } = fromWeb("playwright-core");

const kPassword = "a password of tests";
const kOwn = { "X-Plumb": "1" };

/** The header and the items of a task as a file of the format plumb.task/1. */
export const taskFile = (header, items) =>
  [{ schema: "plumb.task/1", ...header }, ...items].map((line) => JSON.stringify(line)).join("\n") + "\n";

export class Studio {
  #server = null;
  #port = 0;

  /** studies: {name: {tasks: [text], guidelines?, training?: [text], options?: [..], annotators}} */
  static async open(program, studies) {
    const studio = new Studio(program);
    for (const [name, study] of Object.entries(studies)) studio.#make(name, study);
    await studio.start();
    return studio;
  }

  constructor(program) {
    this.program = program;
    this.folder = mkdtempSync(join(tmpdir(), "plumb-studio-"));
    this.data = join(this.folder, "studio.db");
    this.invitations = {};
    /** What the server said on stdout since it was started. */
    this.said = "";
    process.on("exit", () => {
      this.#server?.kill("SIGKILL");
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  run(...args) {
    return execFileSync(this.program, [...args, "--data", this.data], { encoding: "utf8", stdio: "pipe" });
  }

  /** A command line as a user copies it, in the studio's folder; what it wrote, {out, error}. */
  sh(line) {
    const done = spawnSync("sh", ["-c", line], { encoding: "utf8", maxBuffer: 1 << 26, ...this.#shell });
    assert.equal(done.status, 0, `${line}\n${done.stderr}`);
    return { out: done.stdout, error: done.stderr };
  }
  get #shell() {
    return { cwd: this.folder, env: { ...process.env, PATH: `${dirname(resolvePath(this.program))}:${process.env.PATH}` } };
  }

  #file(name, text) {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  #make(name, { tasks, guidelines, training = [], options = [], annotators = 1 }) {
    const key = Object.keys(this.invitations).length;
    const files = (kind, texts) => texts.map((text, i) => this.#file(`${key}-${kind}-${i}.jsonl`, text));
    const more = training.length > 0 ? ["--training", ...files("training", training)] : [];
    if (guidelines) more.push("--guidelines", this.#file(`${key}.md`, guidelines));
    this.run("study", "new", name, ...options, "--task", ...files("task", tasks), ...more);
    const links = this.run("study", "invite", name, "--count", String(annotators)).trim().split("\n");
    this.invitations[name] = links.map((link) => link.split("#invitation=")[1]);
  }

  /** `line`: another command line that serves, as a shell would run it in the studio's folder. */
  start(line = null) {
    return new Promise((resolve, reject) => {
      const port = ["--port", String(this.#port)];
      this.#server = line
        ? spawn("sh", ["-c", `exec ${line} ${port.join(" ")}`], { stdio: ["ignore", "pipe", "pipe"], ...this.#shell })
        : spawn(this.program, ["serve", "--data", this.data, ...port], { stdio: ["ignore", "pipe", "pipe"] });
      let heard = "";
      this.said = "";
      this.#server.stdout.on("data", (bytes) => (this.said += bytes));
      this.#server.on("exit", () => reject(new Error(`the server ended: ${heard}`)));
      this.#server.stderr.on("data", (bytes) => {
        heard += bytes;
        const port = heard.match(/serving on http:\/\/127\.0\.0\.1:(\d+)/)?.[1];
        if (!port) return;
        this.#port = Number(port);
        resolve();
      });
    });
  }

  stop(signal = "SIGTERM") {
    const server = this.#server;
    this.#server = null;
    if (!server || server.exitCode !== null || server.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      server.removeAllListeners("exit");
      server.on("exit", resolve);
      server.kill(signal);
    });
  }

  /** Rows of the history, as the export has them: one object an answer that counts. */
  answers(study, task = "") {
    const file = join(this.folder, `${study}-export.jsonl`);
    this.run("study", "export", study, "-o", file, ...(task ? ["--task", task] : []));
    return readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter((row) => row.rater);
  }
}

/** Chromium, and all that a page said or tried that it should not have. */
export class Browser {
  static async open() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"].concat([
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ]),
    });
    return browser;
  }

  /** A page of its own session. Violations of the page's policy are written down by the page itself. */
  async page(studio, options = {}) {
    const context = await this.chromium.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    // Chromium may say that it intercepts before a busy page has heard of it, and what the page asks for just then
    // slips past a route that a check set: a page that is intercepted from its beginning to its end has no such moment.
    await page.route("**/*", (route) => route.fallback());
    page.trouble = [];
    const trouble = (words) => page.trouble.push(words);
    await page.exposeFunction("plumbTrouble", trouble);
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) =>
        window.plumbTrouble(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
      );
    });
    page.on("pageerror", (error) => trouble(`error: ${error.message}`));
    page.asked = 0;  // how often it asked before it was left
    page.on("dialog", (dialog) => {
      if (dialog.type() === "beforeunload") page.asked += 1;
      else trouble(`dialog: ${dialog.message()}`);
      void dialog.accept();
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(studio.url) && !request.url().startsWith("data:")) trouble(`request: ${request.url()}`);
    });
    return page;
  }

  close() {
    return this.chromium.close();
  }
}

/** A page of a new annotator of the study, signed in. */
export async function annotator(browser, studio, study, { name, ...options } = {}) {
  const page = await browser.page(studio, options);
  const token = studio.invitations[study].shift();
  assert.ok(token, `no invitation to ${study} is left`);
  page.account = name ?? `${study} ${studio.invitations[study].length}`;
  const reply = await page.context().request.post(`${studio.url}/api/invitations/accept`, {
    headers: kOwn,
    data: { token, name: page.account, password: kPassword },
  });
  assert.equal(reply.status(), 200, await reply.text());
  const studies = await (await page.context().request.get(`${studio.url}/api/studies`)).json();
  page.study = studies.studies[0].study;
  page.home = `${studio.url}/#/study/${page.study}`;
  return page;
}

export async function open(page) {
  await page.goto(page.home);
  await ready(page);
}

/** Until an item is there to be answered, or there is none any more. */
export const ready = (page) =>
  page.locator("section[aria-busy=false], h1:has-text('You have answered'), h1:has-text('Nothing for you')").first().waitFor();

/** Until the status line says so; where it never does, the error says what the page says instead. */
export const status = (page, state) =>
  page.locator(`.status[data-state=${state}]`).waitFor().catch(async (error) => {
    throw new Error(`${error.message}\ninstead of ${state}: ${await page.locator("body").innerText()}`);
  });

/** What was done so far: the number before "yours". */
export const yours = (page, count) => page.locator(".count b", { hasText: new RegExp(`^${count}$`) }).waitFor();

/** Runs them, a few at a time: most of a check is waiting. */
export async function runChecks(checks, atOnce = 4) {
  let failed = 0;
  const left = Object.entries(checks);
  const run = async ([name, check]) => {
    const begin = performance.now();
    try {
      await check();
      console.log(`ok      ${name} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  };
  const worker = async () => {
    for (let next = left.shift(); next; next = left.shift()) await run(next);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
  return failed;
}

export function quiet(page) {
  assert.deepEqual(page.trouble, []);
}
