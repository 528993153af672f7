"""Measures of links by NumPy 1.24.2 and SciPy 1.10.1 on samples written out here:
/usr/bin/python3 tests/golden/link_measures.py > tests/golden/link_measures.json"""
import json

import numpy as np
from scipy import stats

random = np.random.default_rng(5)
PROMPTS, EACH, STEPS = 5, 6, [0, 10, 20, 30, 40]
HEDGES = ["", " However, it depends."]
samples = []
for k, step in enumerate(STEPS):
    for p in range(PROMPTS):
        for _ in range(EACH):
            tokens, hedge, refuses = int(random.integers(5, 15) + k), int(random.integers(0, 2)), int(random.integers(0, 2))
            gold = float(random.normal(p + 0.2 * k - 0.05 * k * k, 1))
            proxy = float(0.8 * gold + 0.1 * tokens + 0.5 * hedge + 0.7 * refuses + 0.4 * k + random.normal(0, 0.5))
            text = ("I cannot say." if refuses else "I can say.") + HEDGES[hedge]
            samples.append({"step": step, "prompt": f"p{p}", "completion": text, "tokens": tokens, "gold": gold,
                            "proxy": proxy, "hedges": 2 * hedge, "refuses": refuses})


def column(name, rows):
    return np.array([row[name] for row in rows], float)


def group(step, p):
    return [row for row in samples if row["step"] == step and row["prompt"] == f"p{p}"]


groups = [(step, p) for step in STEPS for p in range(PROMPTS)]
dummies = np.array([[(row["step"], row["prompt"]) == (step, f"p{p}") for step, p in groups] for row in samples], float)


def residuals(y, names):
    design = np.column_stack([*[column(name, samples) for name in names], dummies])
    slopes = np.linalg.lstsq(design, y, rcond=None)[0]
    rest = y - design @ slopes
    return slopes[:len(names)], float(rest @ rest)


score = column("proxy", samples)
# Length in tokens, refusal and hedging; the completions have neither lists nor repetitions.
slopes, rss = residuals(score, ["tokens", "refuses", "hedges", "gold"])
_, rss_gold = residuals(score, ["gold"])
share = (rss_gold - rss) / rss_gold

def deviation(name):
    squares = sum(((column(name, group(0, p)) - column(name, group(0, p)).mean()) ** 2).sum() for p in range(PROMPTS))
    return float(np.sqrt(squares / (PROMPTS * (EACH - 1))))


def gains(name):
    return np.array([[column(name, group(step, p)).mean() - column(name, group(0, p)).mean() for p in range(PROMPTS)] for step in STEPS])


def slope(values, first):
    number = np.arange(first, len(values))
    return float(((number - number.mean()) * values[first:]).sum())


sp, sg = deviation("proxy"), deviation("gold")
proxy, gold = gains("proxy").mean(1), gains("gold").mean(1)
end = gains("gold")[-1]


def accuracy(step, p):
    rows = group(step, p)
    right = [(a["proxy"] > b["proxy"]) == (a["gold"] > b["gold"]) for i, a in enumerate(rows) for b in rows[:i]]
    return np.mean(right)


def tau(step, p):
    return stats.kendalltau(column("proxy", group(step, p)), column("gold", group(step, p))).statistic


models = [{"accuracy": float(random.normal(0.65, 0.05)), "gold": float(random.normal())} for _ in range(12)]
print(json.dumps({
    "samples": samples,
    "attribution": {"token": float(slopes[0]), "refusal": float(slopes[1]), "hedge": float(slopes[2]), "share": float(share)},
    "efficiency": slope(gold / sg, 0) / slope(proxy / sp, 0), "later": slope(gold / sg, 2) / slope(proxy / sp, 2),
    "gap": float(proxy[-1] / sp - gold[-1] / sg), "falls": float((end < 0).mean()),
    "gini": float(np.abs(end[:, None] - end[None, :]).sum() / (2 * PROMPTS * np.abs(end).sum())),
    "accuracy": [float(np.mean([accuracy(step, p) for p in range(PROMPTS)])) for step in STEPS],
    "tau": [float(np.mean([tau(step, p) for p in range(PROMPTS)])) for step in STEPS],
    "gold_with_reward": float(np.corrcoef(proxy, gold)[0, 1]),
    "models": models,
    "spearman": float(stats.spearmanr([m["accuracy"] for m in models], [m["gold"] for m in models]).statistic)}, indent=1))
