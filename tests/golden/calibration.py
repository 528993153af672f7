"""Brier score and log loss by scikit-learn 1.2.1, reliability and expected calibration error by NumPy 1.24.2, the
temperature by SciPy 1.10.1's bounded minimiser:
/usr/bin/python3 tests/golden/calibration.py > tests/golden/calibration.json"""
import json

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit
from sklearn.metrics import brier_score_loss, log_loss

generator = np.random.default_rng(8)


def rounded(values, digits=4):
    return [round(float(value), digits) for value in values]


cases = []
for n, spread, truth, bins in [(60, 2.0, 0.6, 5), (101, 1.0, 2.5, 10), (37, 0.3, 1.0, 7)]:
    logits = np.array(rounded(generator.normal(0, spread, n)))
    outcomes = (generator.random(n) < expit(logits * truth)).astype(float)
    confidence = expit(np.abs(logits))
    right = np.where(logits > 0, outcomes, 1 - outcomes)
    order = np.argsort(confidence)
    groups = [order[np.arange(n) * bins // n == b] for b in range(bins)]
    ece = sum(len(g) / n * abs(right[g].mean() - confidence[g].mean()) for g in groups)
    places = np.floor(np.abs(logits) / 0.5).astype(int)
    best = minimize_scalar(
        lambda s: -np.mean(outcomes * log_expit(s * logits) + (1 - outcomes) * log_expit(-s * logits)),
        bounds=(1e-3, 20), method="bounded", options={"xatol": 1e-12})
    cases.append({
        "logits": logits.tolist(), "outcomes": outcomes.tolist(), "bins": bins,
        "brier": float(brier_score_loss(outcomes, expit(logits))),
        "log_loss": float(log_loss(outcomes, expit(logits))),
        "ece": float(ece),
        "margin_bins": [{"low": 0.5 * int(p), "n": int((places == p).sum()),
                         "confidence": float(confidence[places == p].mean()),
                         "accuracy": float(right[places == p].mean())} for p in sorted(set(places))],
        "temperature": float(1 / best.x),
    })
print(json.dumps(cases))
