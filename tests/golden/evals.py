"""Golden values of plumb/evals and plumb/stats/prevalence: NumPy, SciPy and Python's own re module.

    /usr/bin/python3 tests/golden/evals.py > tests/golden/evals.json      (python3-numpy, python3-scipy)

Every formula is written anew from its source, not from plumb's code.
"""

import json
import math
import re

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

rng = np.random.default_rng(8)


def choices():
    """lm-evaluation-harness' multiple choice: acc, acc_norm, acc_bytes, acc_mutual_info, Brier."""
    words = [" yes", " no", " caf\u00e9", " a longer answer", " 42", " \u4e2d\u6587", " the red kite"]
    cases = []
    for _ in range(40):
        k = int(rng.integers(2, 5))
        texts = [words[i].strip() for i in rng.choice(len(words), k, replace=False)]
        ll = -rng.gamma(4, 2, k)
        unconditional = -rng.gamma(4, 2, k)
        gold = int(rng.integers(k))
        p = np.exp(ll - ll.max())
        p /= p.sum()
        one_hot = np.eye(k)[gold]
        cases.append({
            "choices": texts, "gold": gold, "ll": ll.tolist(), "unconditional": unconditional.tolist(),
            "acc": float(np.argmax(ll) == gold),
            "acc_norm": float(np.argmax(ll / [len(t) for t in texts]) == gold),
            "acc_bytes": float(np.argmax(ll / [len(t.encode()) for t in texts]) == gold),
            "acc_mutual_info": float(np.argmax(ll - unconditional) == gold),
            "brier": float(np.sum((p - one_hot) ** 2)),
        })
    return cases


STRICT, FLEXIBLE = r"#### (\-?[0-9\.\,]+)", r"(-?[$0-9.,]{2,})|(-?[0-9]+)"
IGNORED = [",", r"\$", r"(?s).*#### ", r"\.$"]


def solutions():
    """The filters of lm_eval/tasks/gsm8k/gsm8k.yaml with Python's re."""
    parts = ["7", "-3", "$1,234.50", "#### ", "####", " in 3 days.", "A: 18", "\n", "...", "$", ",", "- 4", "--5",
             "x", "3.", ".5", "Answer ", "12,", "-$5", "#### -1,000.", "#### x"]
    cases = []
    for _ in range(300):
        text = "".join(parts[i] for i in rng.integers(len(parts), size=rng.integers(1, 7)))
        strict = re.findall(STRICT, text)
        flexible = [next(g for g in m if g) for m in re.findall(FLEXIBLE, text)]
        normal = text.replace("\n", " ")
        for pattern in IGNORED:
            normal = re.sub(pattern, "", normal)
        cases.append({"text": text, "strict": strict[0].strip() if strict else None,
                      "flexible": flexible[-1].strip() if flexible else None,
                      "one_line": text.replace("\n", " "), "normalised": normal.lower()})
    return cases


def prevalence():
    """Rogan and Gladen 1978; the interval of Lang and Reiczigel 2014."""
    cases = []
    for pos, n, tp, np_, tn, nn, level in [(121, 250, 148, 149, 89, 101, 0.95), (30, 200, 45, 50, 90, 100, 0.95),
                                           (5, 60, 18, 20, 29, 30, 0.9), (0, 100, 40, 50, 99, 100, 0.95),
                                           (70, 80, 9, 10, 19, 20, 0.99)]:
        se, sp, q = tp / np_, tn / nn, pos / n
        point = min(max((q + sp - 1) / (se + sp - 1), 0), 1)
        z = norm.ppf((1 + level) / 2)
        n1, q1 = n + z**2, (pos + z**2 / 2) / (n + z**2)
        se1, np1 = (tp + 1) / (np_ + 2), np_ + 2
        sp1, nn1 = (tn + 1) / (nn + 2), nn + 2
        p1 = (q1 + sp1 - 1) / (se1 + sp1 - 1)
        dp = 2 * z**2 * (p1 * se1 * (1 - se1) / np1 - (1 - p1) * sp1 * (1 - sp1) / nn1)
        error = math.sqrt(q1 * (1 - q1) / n1 + p1**2 * se1 * (1 - se1) / np1 + (1 - p1)**2 * sp1 * (1 - sp1) / nn1)
        error /= se1 + sp1 - 1
        low, high = (min(max(p1 + dp + s * z * error, 0), 1) for s in (-1, 1))
        cases.append({"counts": [pos, n, tp, np_, tn, nn], "level": level, "value": point,
                      "low": min(low, point), "high": max(high, point)})
    return cases


def length_controlled():
    """AlpacaEval's model by maximum likelihood with a normal prior of variance 100, by BFGS."""
    cases = []
    for n, with_difficulty in [(60, False), (60, True), (25, True)]:
        length, reference = rng.integers(50, 3000, n), rng.integers(50, 2500, n)
        difficulty = rng.normal(-0.15, 1.6, n) if with_difficulty else np.zeros(n)
        z = np.tanh((length - reference) / np.std(length - reference, ddof=1))
        preference = np.round(expit(0.3 + 1.1 * z + 0.5 * difficulty + rng.normal(0, 1, n)), 3)
        x = np.stack([np.ones(n), z, difficulty], 1)

        def loss(beta):
            eta = x @ beta
            return np.sum(np.logaddexp(0, eta) - preference * eta) + beta @ beta / 200

        def gradient(beta):
            return x.T @ (expit(x @ beta) - preference) + beta / 100

        beta = minimize(loss, np.zeros(3), jac=gradient, method="BFGS", options={"gtol": 1e-10}).x
        cases.append({"length": length.tolist(), "reference": reference.tolist(),
                      "difficulty": difficulty.tolist() if with_difficulty else None,
                      "preference": preference.tolist(), "beta": beta.tolist(),
                      "value": float(np.mean(expit(beta[0] + beta[2] * difficulty)))})
    return cases


def ratings():
    """Bradley-Terry on the Elo scale, ties half a win each, mean 1000, by BFGS."""
    battles = [("a", "b", 7, 3, 1), ("b", "c", 5, 4, 2), ("a", "c", 6, 1, 0), ("c", "d", 4, 4, 1), ("d", "a", 2, 5, 0)]
    names = ["a", "b", "c", "d"]

    def loss(r):
        total = 0
        for x, y, wins, losses, ties in battles:
            d = r[names.index(x)] - r[names.index(y)]
            total += (wins + ties / 2) * np.logaddexp(0, -d) + (losses + ties / 2) * np.logaddexp(0, d)
        return total + 1e-3 * np.sum(r) ** 2

    r = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-9}).x
    r = 1000 + 400 / math.log(10) * (r - r.mean())
    return {"battles": battles, "ratings": dict(zip(names, r.tolist()))}


def repetition():
    """1 - distinct-n over words between blanks, in lower case."""
    texts = ["the cat saw the cat and The cat ran", "one", "", "a a a a a", "to be or not to be, that is to be",
             "no words twice here"]
    cases = []
    for text in texts:
        words = text.lower().split()
        values = []
        for n in (1, 2, 3):
            runs = [tuple(words[i:i + n]) for i in range(len(words) - n + 1)]
            values.append(1 - len(set(runs)) / len(runs) if len(runs) > 1 else 0)
        cases.append({"text": text, "repetition": values})
    return cases


print(json.dumps({"choices": choices(), "solutions": solutions(), "prevalence": prevalence(),
                  "length_controlled": length_controlled(), "ratings": ratings(), "repetition": repetition()},
                 indent=None, separators=(",", ":")))
