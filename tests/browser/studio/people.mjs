// People of a studio who work over HTTP, as the page does: three annotators who do not always agree, and whoever came by
// an invitation of another role.
import assert from "node:assert/strict";

const kOwn = { "X-Plumb": "1" };
export const kPassword = "a password of tests";

/** A session of its own: `ask` answers the body of what must succeed, `status` the status of what may fail. */
export class Person {
  #cookie = "";

  constructor(studio, name) {
    this.studio = studio;
    this.name = name;
  }

  static async by(studio, token, name) {
    const person = new Person(studio, name);
    await person.ask("POST", "/api/invitations/accept", { token, name, password: kPassword });
    return person;
  }

  async send(method, path, body, headers = {}) {
    const reply = await fetch(this.studio.url + path, {
      method,
      headers: {
        ...kOwn,
        ...(method === "GET" ? {} : { "Content-Type": "application/json" }),
        ...(this.#cookie ? { Cookie: this.#cookie } : {}),
        ...headers,
      },
      ...(method === "GET" ? {} : { body: JSON.stringify(body ?? {}) }),
    });
    const cookie = reply.headers.get("set-cookie");
    if (cookie) this.#cookie = cookie.split(";")[0];
    return reply;
  }
  async ask(method, path, body, headers) {
    const reply = await this.send(method, path, body, headers);
    const text = await reply.text();
    assert.equal(reply.status, 200, `${method} ${path}: ${text}`);
    return JSON.parse(text);
  }
  async status(method, path, body) {
    return (await this.send(method, path, body)).status;
  }

  /** Answers what the study gives, at most so many; `say(served, count)` is what. */
  async answer(study, say, most = Infinity) {
    let count = 0;
    for (; count < most; ++count) {
      const next = await this.ask("POST", `/api/studies/${study}/next`);
      if (next.state !== "item") break;
      const { slot } = next.served;
      const saved = await this.ask(
        "PUT",
        `/api/studies/${study}/slots/${slot}/answer`,
        {
          answer: say(next.served, count),
          timing: { shown_ms: 0, submitted_ms: 9000, active_ms: 2000 + 500 * count, idle_ms: 100 * count, blurs: 0 },
          ...(count % 7 === 3 ? { flagged: true, comment: `not sure, says ${this.name}` } : {}),
        },
        { "Idempotency-Key": `${slot}` },
      );
      assert.ok(saved.saved);
    }
    return count;
  }
}

const kHash = (text) => [...text].reduce((sum, c) => (31 * sum + c.codePointAt(0)) % 9973, 7);

/** What annotator `number` says of an item of any kind: mostly what all say, at times something of their own. */
export function opinion(number, study) {
  return ({ kind, task, item }) => {
    const of = study.tasks.find((one) => one.task === task);
    const base = kHash(item.id ?? item.text1 ?? item.text ?? "");
    const own = (base + number) % 3 === 0 ? number : 0;
    if (kind === "sts") {
      const [low, high] = of.scale;
      return { rating: low + ((base + own) % (high - low + 1)) };
    }
    if (kind === "classification") return { label: of.labels[(base + own) % of.labels.length] };
    if (kind === "clustering") {
      return { groups: Object.fromEntries(item.texts.map(({ id, text }) => [id, `group ${(kHash(text) + (kHash(id) % 3 === number ? 1 : 0)) % 3}`])) };
    }
    if (kind === "reranking") return { grades: item.candidates.map((text, i) => ((kHash(text) % 2) + (i === number ? 1 : 0)) % 2) };
    const choice = ["A", "B", "tie", "both bad"][(kHash(item.a) + own) % 3];
    return of.scale && (choice === "A" || choice === "B") ? { choice, strength: 1 + ((base + own) % 4) } : { choice };
  };
}

/** The token of a new invitation of the role, made on the command line before the server runs. */
export function invitationOf(studio, study, role) {
  return studio.run("study", "invite", study, "--role", role).trim().split("#invitation=")[1];
}
