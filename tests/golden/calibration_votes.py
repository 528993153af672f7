"""What the calibration error of a calibrated model with several votes a pair comes to by chance, by NumPy 1.24.2:
20,000 draws of binomial(votes, p) / votes for each pair.
/usr/bin/python3 tests/golden/calibration_votes.py > tests/golden/calibration_votes.json"""
import json

import numpy as np

DRAWS = 20000
generator = np.random.default_rng(21)


def expit(x):
    return 1 / (1 + np.exp(-x))


def calibration_error(logits, shares, bins):
    """Of draws in rows, with bins of equal size in the order of confidence."""
    confidence = expit(np.abs(logits))
    right = np.where(logits > 0, shares, 1 - shares)
    order = np.argsort(confidence)
    bin_of = np.arange(len(logits)) * bins // len(logits)
    total = 0
    for b in range(bins):
        group = order[bin_of == b]
        total = total + len(group) / len(logits) * np.abs(right[..., group].mean(-1) - confidence[group].mean())
    return total


cases = []
# One vote, nine (twice too sure), and from one to seven.
for n, sure, low, high, bins in [(120, 1.0, 1, 1, 15), (400, 2.0, 9, 9, 15), (90, 1.0, 1, 7, 10)]:
    logits = np.round(generator.normal(0, 1.5, n), 4)
    votes = generator.integers(low, high + 1, n)
    shares = generator.binomial(votes, expit(logits / sure)) / votes
    null = calibration_error(logits, generator.binomial(votes, expit(logits), (DRAWS, n)) / votes, bins)
    cases.append({
        "logits": logits.tolist(), "outcomes": shares.tolist(), "votes": votes.tolist(), "bins": bins,
        "raw": float(calibration_error(logits, shares, bins)),
        "null_mean": float(null.mean()), "null_upper": float(np.quantile(null, 0.95)),
    })
print(json.dumps(cases))
