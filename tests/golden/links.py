"""Gini, two one-sided t tests, broken lines and slopes of series by NumPy and SciPy 1.10.1:
/usr/bin/python3 tests/golden/links.py > tests/golden/links.json"""
import json

import numpy as np
from scipy import stats

random = np.random.default_rng(8)


def gini(x):
    x = np.asarray(x, float)
    return float(np.abs(x[:, None] - x[None, :]).sum() / (2 * len(x) * np.abs(x).sum()))


ginis = [{"values": list(map(float, x)), "gini": gini(x)}
         for x in ([1, 1, 1, 1], [0, 0, 0, 1], [-1, 1], random.normal(0.3, 1, 20), random.exponential(size=15))]

tests = []
for difference, deviation, freedom, margin in [(0.01, 0.005, 49, 0.02), (-0.03, 0.01, 9, 0.02), (0.0, 0.02, 1000, 0.05)]:
    below = stats.t.sf((difference + margin) / deviation, freedom)
    over = stats.t.cdf((difference - margin) / deviation, freedom)
    low, high = stats.t.interval(0.9, freedom, difference, deviation)
    tests.append({"difference": difference, "deviation": deviation, "freedom": freedom, "margin": margin,
                  "p": float(max(below, over)), "ci": [float(low), float(high)]})

broken = []
for knot, bend, noise in [(5, -2, 0.3), (3, 0, 1.0), (8, 1.0, 0.5)]:
    x = np.arange(12, dtype=float)
    y = 0.5 * x + bend * np.maximum(0, x - knot) + random.normal(0, noise, len(x))
    fits = []
    for at in x[2:-2]:
        design = np.column_stack([np.ones_like(x), x, np.maximum(0, x - at)])
        coefficients, rss, *_ = np.linalg.lstsq(design, y, rcond=None)
        fits.append((float(rss[0]), float(at), coefficients))
    rss, at, coefficients = min(fits, key=lambda fit: fit[0])
    line = float(np.polyfit(x, y, 1, full=True)[1][0])
    broken.append({"x": x.tolist(), "y": y.tolist(), "at": at, "before": float(coefficients[1]),
                   "after": float(coefficients[1] + coefficients[2]), "rss": rss, "line_rss": line})

series = []
for length in (8, 20):
    x = np.sqrt(np.arange(length)) + random.normal(0, 0.1, length)
    y = 0.4 * x + random.normal(0, 0.3, length)
    fit = stats.linregress(x, y)
    e = y - fit.intercept - fit.slope * x
    raw = float(e[1:] @ e[:-1] / (e @ e))
    series.append({"x": x.tolist(), "y": y.tolist(), "slope": float(fit.slope), "correlation": float(fit.rvalue),
                   "autocorrelation": float(np.clip(raw + (1 + 4 * raw) / length, 0, 0.9)), "error": float(fit.stderr)})

print(json.dumps({"gini": ginis, "equivalence": tests, "broken": broken, "series": series}, indent=1))
