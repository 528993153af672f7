"""Three people and an adjudicator at a running server; what plumb says of their answers against what this says.

Everybody works over HTTP as the page does: invitations, sessions, leases, idempotency keys. The raw answers stay here;
scores, agreement, gaps and decisions are computed from them alone, with nothing but Python, and compared with the
server's view, the exports, the MTEB files, and `plumb gap` on the exports with two embedders.

    python3 tests/end_to_end/studio.py URL PASSWORD_OF_OWNER STUDY TASK_FILE FOLDER PLUMB

Prints how many numbers were compared; exits with 1 at the first that differs.
"""

import http.client
import io
import json
import statistics
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from urllib.parse import urlsplit

compared = 0


def same(what, found, expected, tolerance=1e-9):
    global compared
    compared += 1
    close = found == expected or (isinstance(expected, float) and found is not None
                                  and abs(found - expected) <= tolerance)
    if not close:
        sys.exit(f"{what}: plumb says {found}, the raw answers say {expected}")


class Person:
    """A browser: a connection and a cookie."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self.cookie = None

    def ask(self, method, path, body=None, **headers):
        headers = {"X-Plumb": "1", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if method != "GET":
            headers["Content-Type"] = "application/json"
        self.connection.close()  # the server ends a connection that is idle for a while
        self.connection.request(method, path, None if method == "GET" else json.dumps(body or {}), headers)
        reply = self.connection.getresponse()
        data = reply.read()
        if reply.status != 200:
            sys.exit(f"{method} {path}: {reply.status} {data.decode()}")
        if reply.getheader("Set-Cookie"):
            self.cookie = reply.getheader("Set-Cookie").split(";")[0]
        return data

    def call(self, *arguments, **headers):
        return json.loads(self.ask(*arguments, **headers))


# ---- statistics, from their definitions

def ranks(values):
    """Ranks from 1; of equal values their mean."""
    return [sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
            for value in values]


def spearman(a, b):
    return statistics.correlation(ranks(a), ranks(b))


def interval_alpha(items):
    """Krippendorff's alpha of ratings: 1 - observed over expected disagreement, squared differences."""
    units = [ratings for ratings in items if len(ratings) > 1]
    values = [value for ratings in units for value in ratings]
    n = len(values)
    observed = sum(sum((a - b) ** 2 for a in ratings for b in ratings) / (len(ratings) - 1) for ratings in units) / n
    expected = sum((a - b) ** 2 for a in values for b in values) / (n * (n - 1))
    return 1 - observed / expected


# ---- the people

def rating_of(person, item, gold):
    """Near the gold, each person in a way of their own."""
    number = int(item[1:])
    shift = [0, (number % 3 == 0) - (number % 5 == 0), 2 * (number % 4 == 1) - (number % 7 == 2)][person]
    return max(0, min(5, round(gold) + shift))


def annotate(person, number, base, gold):
    answers = {}
    while True:
        following = person.call("POST", f"{base}/next")
        if following["state"] != "item":
            return answers
        served = following["served"]
        item = served["item"]["id"]
        answers[item] = rating_of(number, item, gold[item])
        saved = person.call("PUT", f"{base}/slots/{served['slot']}/answer",
                            {"answer": {"rating": answers[item]}, "timing": {"active_ms": 1000 + number}},
                            Idempotency_Key=f"answer {item}")
        if not saved["saved"]:
            sys.exit(f"not saved: {saved}")


def adjudicate(judge, base):
    decisions = {}
    while True:
        page = judge.call("GET", f"{base}/disputes?most=7")
        sizes = [item["disagreement"] for item in page["items"]]
        if sizes != sorted(sizes, reverse=True):
            sys.exit(f"not by disagreement: {sizes}")
        if not page["items"]:
            return decisions
        for item in page["items"]:
            ratings = [answer["answer"]["rating"] for answer in item["answers"]]
            same(f"disagreement on {item['name']}", item["disagreement"],
                 statistics.mean(abs(a - b) / 5 for i, a in enumerate(ratings) for b in ratings[:i]))
            decisions[item["name"]] = statistics.median(ratings)
            judge.call("PUT", f"{base}/disputes/{item['item']}/decision",
                       {"answer": {"rating": decisions[item["name"]]}, "reason": "the median"},
                       Idempotency_Key=f"decision {item['item']}", If_Match="0")


# ---- what plumb says

def check_view(owner, base, people, gold):
    for _ in range(200):
        view = owner.call("GET", f"{base}/view")
        if view["current"]:
            break
        time.sleep(0.05)
    task, gap = view["status"]["tasks"][0], view["gap"][0]
    items = sorted(gold)
    same("answers", task["answers"], 3 * len(items))
    same("complete items", task["complete"], len(items))
    alpha = next(row for row in task["agreement"]["rows"] if row["id"].startswith("krippendorff"))
    same("agreement so far", alpha["value"], interval_alpha([[p[i] for p in people] for i in items]))
    scores = [spearman([p[i] for i in items], [gold[i] for i in items]) for p in people]
    same("human score so far", gap["rows"][0]["score"], statistics.mean(scores))
    for number, annotator in enumerate(view["status"]["annotators"]):
        same("active seconds", annotator["active_seconds"]["value"], 1 + number / 1000)


def check_gap(report, items_file, people, decisions, gold):
    items = sorted(gold)
    golds = [gold[i] for i in items]
    rows = {row["name"]: row for row in report["rows"]}
    scores = [spearman([p[i] for i in items], golds) for p in people]
    human = statistics.mean(scores)
    same("human", report["rows"][0]["score"], human)
    same("agreement", report["agreement"]["value"], interval_alpha([[p[i] for p in people] for i in items]))
    for number, score in enumerate(scores):
        same(f"R{number + 1}", rows[f"R{number + 1}"]["score"], score)
    same("consensus", next(row for row in report["rows"] if row["kind"] == "consensus")["score"],
         spearman([statistics.mean(p[i] for p in people) for i in items], golds))
    decided = sorted(decisions)
    same("adjudicated", rows["adjudicated"]["score"],
         spearman([decisions[i] for i in decided], [gold[i] for i in decided]))
    same("adjudicated is judged", rows["adjudicated"].get("verdict"), None)
    lines = {line["item"]: line for line in map(json.loads, items_file.read_text().splitlines())}
    for model in ("bm25", "tfidf"):
        answers = [lines[i]["answers"][model] for i in items]
        answers = [answer["rating"] if isinstance(answer, dict) else answer for answer in answers]
        score = spearman(answers, golds)
        same(model, rows[model]["score"], score, 1e-7)  # the file's cosines are rounded
        same(f"gap to {model}", rows[model]["gap"], human - score, 1e-7)


def check_mteb(archive, name, people, gold):
    items = sorted(gold)
    scores = [spearman([p[i] for i in items], [gold[i] for i in items]) for p in people]
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {entry.name: json.load(tar.extractfile(entry)) for entry in tar}

    def entry(revision):
        result = files[f"results/baseline__Human/{revision}/{name}.json"]
        same("guidelines of MTEB", result["plumb_study"]["guidelines"], [1])
        return result["scores"]["test"][0]["main_score"]

    same("MTEB human", entry("expected"), statistics.mean(scores))
    for number, score in enumerate(scores):
        same(f"MTEB R{number + 1}", entry(f"annotator_R{number + 1}"), score)


def main():
    url, password, study, task_file, folder, plumb = sys.argv[1:]
    folder = Path(folder)
    lines = [json.loads(line) for line in Path(task_file).read_text(encoding="utf-8").splitlines()]
    gold = {line["id"]: line["rating"] for line in lines[1:]}
    owner = Person(url)
    owner.call("POST", "/api/login", {"name": "owner", "password": password})
    number = next(s["study"] for s in owner.call("GET", "/api/studies")["studies"] if s["name"] == study)
    base = f"/api/studies/{number}"

    def join(role, name):
        invitation = {"role": role, **({"study": number} if role == "annotator" else {})}
        token = owner.call("POST", "/api/invitations", invitation)["token"]
        person = Person(url)
        person.call("POST", "/api/invitations/accept",
                    {"token": token, "name": name, "password": "a password of some length"})
        return person

    annotators = [join("annotator", f"annotator {i}") for i in range(3)]
    people = [annotate(person, i, base, gold) for i, person in enumerate(annotators)]
    decisions = adjudicate(join("adjudicator", "judge"), base)
    disputed = [i for i in gold if len({p[i] for p in people}) > 1]
    same("disputed items", sorted(decisions), sorted(disputed))
    check_view(owner, base, people, gold)

    exported = owner.ask("GET", f"{base}/export")
    (folder / "people.jsonl").write_bytes(exported)
    answers = [json.loads(line) for line in exported.decode().splitlines()[1:]]
    for answer in answers:
        same("an exported answer", answer["rating"], float(people[int(answer["rater"][1:]) - 1][answer["item"]]))
    same("exported answers", len(answers), 3 * len(gold))
    (folder / "decisions.jsonl").write_bytes(owner.ask("GET", f"{base}/export?format=adjudicated"))
    for line in owner.ask("GET", f"{base}/export?format=gold").decode().splitlines()[1:]:
        item = json.loads(line)
        same("a gold candidate", item["rating"], float(decisions[item["id"]]))
        same("the gold before", item["gold_before"]["rating"], float(gold[item["id"]]))
    report = subprocess.run(
        [plumb, "gap", task_file, "--humans", str(folder / "people.jsonl"), "--answers", str(folder / "decisions.jsonl"),
         "--models", "bm25", "tfidf", "--items", str(folder / "items.jsonl"), "--json"],
        check=True, capture_output=True, text=True)
    check_gap(json.loads(report.stdout), folder / "items.jsonl", people, decisions, gold)
    check_mteb(owner.ask("GET", f"{base}/export?format=mteb"), lines[0]["name"], people, gold)
    print(f"{compared} numbers are the same")


if __name__ == "__main__":
    main()
