"""Compares what plumb says of a study with its raw answers (end_to_end.mjs), by Python's standard library alone.

    python3 tests/browser/studio/check_gap.py FOLDER

FOLDER holds raw.json {people: [{item: rating}], decisions: {item: rating}, gold: {item: rating}}, the exports people.jsonl
and decisions.jsonl, and what `plumb gap` made of them: gap.json, items.jsonl. Exits with 1 at the first difference.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "end_to_end"))
import studio  # noqa: E402


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main():
    folder = Path(sys.argv[1])
    raw = json.loads((folder / "raw.json").read_text())
    people, decisions, gold = raw["people"], raw["decisions"], raw["gold"]

    answers = [line for line in lines(folder / "people.jsonl") if "rater" in line]
    studio.same("exported answers", len(answers), sum(map(len, people)))
    for line in answers:
        studio.same(f"{line['rater']} on {line['item']}", float(line["rating"]),
                    float(people[int(line["rater"][1:]) - 1][line["item"]]))
        studio.same("the guideline of an answer", "guideline" in line and "at" in line, True)

    decided = {line["item"]: line for line in lines(folder / "decisions.jsonl") if "rater" in line}
    studio.same("decided items", sorted(decided), sorted(decisions))
    disputed = [item for item in gold if len({person[item] for person in people}) > 1]
    studio.same("every dispute is decided", sorted(decided), sorted(disputed))
    for item, line in decided.items():
        studio.same(f"the decision on {item}", float(line["rating"]), float(decisions[item]))
        studio.same("who decided", line["adjudicator"], "J1")

    report = json.loads((folder / "gap.json").read_text())
    studio.check_gap(report, folder / "items.jsonl", people, decisions, gold)
    print(f"{studio.compared} numbers are the same")


if __name__ == "__main__":
    main()
