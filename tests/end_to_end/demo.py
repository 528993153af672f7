"""A visitor of `plumb serve --demo`: no account, twenty answers, a score among the built-in models.

    python3 tests/end_to_end/demo.py URL TASK_FILE

TASK_FILE is the first task of the demonstration. Checks that the visitor's score is that of the answers, that the
built-in models and trivial answers stand beside it with intervals, and that all kinds of task and three languages are
there; exits with 1 where not.
"""

import json
import sys
from pathlib import Path

from studio import Person, same, spearman

NEEDED = 20


def main():
    url, task_file = sys.argv[1:]
    lines = [json.loads(line) for line in Path(task_file).read_text(encoding="utf-8").splitlines()]
    gold = {line["id"]: line["rating"] for line in lines[1:]}
    visitor = Person(url)
    study = visitor.call("GET", "/api/demo")["study"]
    visitor.call("POST", "/api/demo")
    base = f"/api/studies/{study}"
    tasks = visitor.call("GET", base)["tasks"]
    same("kinds of task", sorted({task["kind"] for task in tasks}),
         ["classification", "clustering", "preference", "reranking", "sts"])
    same("languages", sorted({task["language"] for task in tasks}), ["ar", "de", "en"])
    answers = {}
    for count in range(NEEDED):
        same("ready", visitor.call("GET", "/api/demo/standing")["ready"], False)
        served = visitor.call("POST", f"{base}/next")["served"]
        item = served["item"]["id"]
        answers[item] = max(0, min(5, gold[item] + count % 3 - 1))
        visitor.call("PUT", f"{base}/slots/{served['slot']}/answer", {"answer": {"rating": answers[item]}},
                     Idempotency_Key=f"{served['slot']}")
    standing = visitor.call("GET", "/api/demo/standing")
    same("ready", standing["ready"], True)
    gap = standing["tasks"][0]
    rows = {row["name"]: row for row in gap["rows"]}
    items = sorted(answers)
    same("the visitor's score", gap["rows"][0]["score"],
         spearman([answers[i] for i in items], [gold[i] for i in items]))
    for name in ("bm25", "tfidf", "char-ngrams"):
        low, high = rows[name]["ci"]
        same(f"{name} lies in its interval", low <= rows[name]["score"] <= high, True)
    same("trivial answers", "baseline/random" in rows and "baseline/constant" in rows, True)
    print("the visitor stands among", len(rows) - 1, "others")


if __name__ == "__main__":
    main()
