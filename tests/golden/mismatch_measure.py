"""Gains, gap and its parts by NumPy's least squares with a column a prompt (fixed effects), on samples written out here:
/usr/bin/python3 tests/golden/mismatch_measure.py > tests/golden/mismatch_measure.json"""
import json

import numpy as np

random = np.random.default_rng(7)
PROMPTS, EACH, STEPS = 4, 6, [0, 10, 20]
samples = []
for step in STEPS:
    for p in range(PROMPTS):
        for _ in range(EACH):
            tokens = int(random.integers(5, 12) + step // 5)
            gold = float(random.normal(p + 0.05 * step, 1))
            samples.append({"step": step, "prompt": f"p{p}", "completion": "x", "tokens": tokens, "gold": gold,
                            "proxy": float(2 * gold + 0.3 * tokens + random.normal(0, 0.5)),
                            "kl": float(random.uniform(0.01, 0.02) * step * step)})


def column(name, rows):
    return np.array([row[name] for row in rows], float)


def gain(name, step):
    means = [[column(name, [r for r in samples if r["step"] == s and r["prompt"] == f"p{p}"]).mean() for p in range(PROMPTS)]
             for s in (step, 0)]
    return float(np.mean(np.array(means[0]) - np.array(means[1])))


start = [row for row in samples if row["step"] == 0]
dummies = np.array([[row["prompt"] == f"p{p}" for p in range(PROMPTS)] for row in start], float)


def slopes(y, *xs):
    design = np.column_stack([*[column(x, start) for x in xs], dummies])
    return np.linalg.lstsq(design, column(y, start), rcond=None)[0][:len(xs)]


def deviation(name):
    values = column(name, start)
    residual = values - dummies @ np.linalg.lstsq(dummies, values, rcond=None)[0]
    return float(np.sqrt(residual @ residual / (len(values) - PROMPTS)))


sp, sg = deviation("proxy"), deviation("gold")
correlation = float(slopes("gold", "proxy")[0] * sp / sg)
by_proxy, by_tokens = slopes("gold", "proxy", "tokens")
points = []
for step in STEPS[1:]:
    proxy, gold, tokens = gain("proxy", step), gain("gold", step), gain("tokens", step)
    zp, zg, both = proxy / sp, gold / sg, (by_proxy * proxy + by_tokens * tokens) / sg
    points.append({"at": step, "proxy": proxy, "gold": gold, "kl": float(column("kl", [r for r in samples if r["step"] == step]).mean()),
                   "gap": zp - zg, "regressional": zp - correlation * zp, "length": float(correlation * zp - both),
                   "rest": float(both - zg)})
print(json.dumps({"samples": samples, "proxy_deviation": sp, "gold_deviation": sg, "correlation": correlation,
                  "proxy_per_token": float(slopes("proxy", "gold", "tokens")[1]), "gold_per_token": float(by_tokens),
                  "points": points}, indent=1))
