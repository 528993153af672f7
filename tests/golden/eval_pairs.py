"""Golden values of plumb/evals/pairs on published outputs, read with Python's json and csv alone.

    /usr/bin/python3 tests/golden/eval_pairs.py ../shared/data/extrinsic > tests/golden/eval_pairs.json

Right and wrong solutions are told apart by the flags that the file has (plumb goes by its strict filter). Only
counts and shares are kept of the data, which are not part of the repository.
"""

import csv
import json
import math
import sys
from pathlib import Path

root = Path(sys.argv[1])
Z = 1.959963984540054


def wilson_by_prompt(values, prompts):
    """Wilson's interval with n / deff trials; deff by the linearised variance between clusters, 1 for single items."""
    n, p = len(values), sum(values) / len(values)
    residuals = {}
    for value, prompt in zip(values, prompts):
        residuals[prompt] = residuals.get(prompt, 0) + value - p
    k = len(residuals)
    between = k / (k - 1) * sum(r * r for r in residuals.values()) / n**2
    m = n if k == n else n / max(1, between / (p * (1 - p) / n))
    centre, reach = p + Z * Z / (2 * m), Z * math.sqrt(p * (1 - p) / m + Z * Z / (4 * m * m))
    return [(centre - reach) / (1 + Z * Z / m), (centre + reach) / (1 + Z * Z / m)]


def measured(answers):
    """answers: [(prompt, text, right, model)], right: True, False, None."""
    sides = {}
    for prompt, text, right, model in answers:
        own = sides.setdefault(prompt.strip(), ({}, {}))
        if right is not None:
            own[0 if right else 1].setdefault(text, model)
    pairs = [(p, a, b) for p, (good, bad) in sides.items() for a in good for b in bad if a != b]
    longer = [0.5 if len(a) == len(b) else float(len(a) > len(b)) for _, a, b in pairs]
    prompts = [p for p, _, _ in pairs]
    models = [(sides[p][0][a], sides[p][1][b]) for p, a, b in pairs]
    share = {m: sum(a == m for a, _ in models) / sum(m in pair for pair in models) for m in {m for p in models for m in p}}
    by_model = [0.5 if share[a] == share[b] else float(share[a] > share[b]) for a, b in models]
    return {
        "answers": len(answers), "right": sum(r is True for _, _, r, _ in answers),
        "neither": sum(r is None for _, _, r, _ in answers), "prompts": len(sides),
        "both": len(set(prompts)), "only_right": sum(bool(g) and not b for g, b in sides.values()),
        "only_wrong": sum(bool(b) and not g for g, b in sides.values()), "pairs": len(pairs),
        "longest": sum(longer) / len(longer), "longest_ci": wilson_by_prompt(longer, prompts),
        "model": sum(by_model) / len(by_model),
    }


solutions = []
with open(root / "gsm8k" / "example_model_solutions.jsonl") as file:
    for line in file:
        record = json.loads(line)
        for model, value in sorted(record.items()):
            if isinstance(value, dict):
                solutions.append((record["question"], value["solution"], value["is_correct"], model))

completions = {"xstest-safe": [], "xstest-unsafe": []}
for model in ("llama2orig", "mistralinstruct"):
    with open(root / "xstest" / "completions" / f"xstest_v2_completions_{model}.csv", newline="") as file:
        for record in csv.DictReader(file):
            safe = not record["type"].startswith("contrast_")
            label = record["final_label"]
            right = None if label == "3_partial_refusal" else (label == "1_full_compliance") == safe
            completions["xstest-safe" if safe else "xstest-unsafe"].append(
                (record["prompt"], record["completion"], right, model))

print(json.dumps({"gsm8k": measured(solutions)} | {k: measured(v) for k, v in completions.items()}, indent=1))
