"""Golden values of plumb/mismatch/perturbations: NumPy on made-up scores.

    /usr/bin/python3 tests/golden/perturbations.py > tests/golden/perturbations.json      (python3-numpy)

Each measure is written anew from its definition in docs/reward.md, with a loop a pair and not from plumb's code.
"""

import json
import math

import numpy as np

Z = 1.959963984540054
rng = np.random.default_rng(11)


def wilson_by_prompt(values, prompts):
    n, p = len(values), float(np.mean(values))
    residuals = {}
    for value, prompt in zip(values, prompts):
        residuals[prompt] = residuals.get(prompt, 0.0) + value - p
    k = len(residuals)
    if k == n or p in (0.0, 1.0):
        m = k
    else:
        between = k / (k - 1) * sum(r * r for r in residuals.values()) / n**2
        m = n / max(1.0, between / (p * (1 - p) / n))
    centre, reach = p + Z * Z / (2 * m), Z * math.sqrt(p * (1 - p) / m + Z * Z / (4 * m * m))
    return [p, (centre - reach) / (1 + Z * Z / m), (centre + reach) / (1 + Z * Z / m)]


def above(a, b):
    return 0.5 if a == b else float(a > b)


def case(prompts, most, effect, share):
    pairs = []
    for prompt in range(prompts):
        for _ in range(int(rng.integers(1, most + 1))):
            a, b = (float(x) for x in np.round(rng.normal(rng.normal(), 1, 2), 1))
            change = lambda x: float(np.round(x + effect + rng.normal(0, 0.3), 1)) if rng.random() < share else None
            pairs.append({"prompt": prompt, "chosen": a, "rejected": b, "chosen_changed": change(a),
                          "rejected_changed": change(b)})
    by_prompt = [[s for q in pairs if q["prompt"] == p for s in (q["chosen"], q["rejected"])] for p in range(prompts)]
    residuals = np.concatenate([np.array(s) - np.mean(s) for s in by_prompt])
    deviation = math.sqrt(float(np.sum(residuals**2)) / (len(residuals) - prompts))
    shifts, turned, overtaken, ordered, before = [], [], [], [], []
    for q in pairs:
        a, b, x, y, p = q["chosen"], q["rejected"], q["chosen_changed"], q["rejected_changed"], q["prompt"]
        shifts += [v - s for v, s in ((x, a), (y, b)) if v is not None]
        if y is not None:
            ordered.append((above(a, y), p))
            before.append((above(a, b), p))
        if a == b:
            continue
        lower, other = (y, a) if a > b else (x, b)
        if lower is not None:
            overtaken.append((above(lower, other), p))
        if x is not None or y is not None:
            now = np.sign((a if x is None else x) - (b if y is None else y))
            turned.append((0.5 if now == 0 else float(now != np.sign(a - b)), p))
    near = [(float(abs(q["chosen"] - q["rejected"]) <= 0.1 * deviation), q["prompt"]) for q in pairs]
    return {"pairs": pairs, "deviation": deviation, "texts": len(shifts), "shift": float(np.mean(shifts)) / deviation,
            "turned": wilson_by_prompt(*zip(*turned)), "overtaken": wilson_by_prompt(*zip(*overtaken)),
            "ordered": wilson_by_prompt(*zip(*ordered)), "before": wilson_by_prompt(*zip(*before)),
            "near": wilson_by_prompt(*zip(*near))}


def triads():
    """Circular triads by looking at all of them, and Kendall and Babington Smith's zeta (1940)."""
    cases = []
    for n in (3, 4, 5, 6, 7, 9):
        for _ in range(4):
            wins = np.zeros((n, n), int)
            for i in range(n):
                for j in range(i):
                    first = bool(rng.random() < 0.5)
                    wins[i, j], wins[j, i] = int(first), int(not first)
            circles = sum(1 for i in range(n) for j in range(i) for k in range(j)
                          if len({int(wins[i, j] + wins[i, k]), int(wins[j, i] + wins[j, k]),
                                  int(wins[k, i] + wins[k, j])}) == 1)
            most = (n**3 - n) / 24 if n % 2 else (n**3 - 4 * n) / 24
            cases.append({"n": n, "wins": wins.ravel().tolist(), "cyclic": circles,
                          "triads": math.comb(n, 3), "zeta": 1 - circles / most,
                          "chance": 1 - math.comb(n, 3) / 4 / most})
    return cases


print(json.dumps({"perturbations": [case(12, 4, 0.5, 0.8), case(30, 1, 0.0, 1.0), case(14, 6, 2.0, 0.5)], "triads": triads()},
                 separators=(",", ":")))
