"""Gini, two one-sided t tests, broken lines, series and noncentral t by NumPy and SciPy 1.10.1:
/usr/bin/python3 tests/golden/links.py > tests/golden/links.json"""
import json

import numpy as np
from scipy import integrate, optimize, stats

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


NORMAL = np.linspace(-9, 9, 4001)


def noncentral_above(t, f, d):
    """Over the normal part; SciPy's own noncentral t fails where t and d are large."""
    if abs(t) < 1e-9:
        return stats.norm.cdf(d)
    below = stats.chi2.cdf(f * ((NORMAL + d) / t) ** 2, f)
    if t > 0:
        return integrate.simpson(np.where(NORMAL > -d, stats.norm.pdf(NORMAL) * below, 0), NORMAL)
    return stats.norm.cdf(d) + integrate.simpson(np.where(NORMAL < -d, stats.norm.pdf(NORMAL) * (1 - below), 0), NORMAL)


def series_link(x, y, level=0.95):
    """By dense matrices on a fine grid: nothing is whitened, and no root is found but by SciPy."""
    n, f = len(x), len(x) - 2
    design, lags = np.column_stack([np.ones(n), x]), np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    xx = np.sum((x - x.mean()) ** 2)
    centre = np.eye(n) - 1 / n
    slopes, errors, scales, logs, rs = [], [], [], [], np.sin(((np.arange(400) + 0.5) / 200 - 1) * np.arcsin(0.95))
    for r in rs:
        v = r ** lags / (1 - r * r)
        inverse = np.linalg.inv(v)
        information = design.T @ inverse @ design
        b = np.linalg.solve(information, design.T @ inverse @ y)
        e = y - design @ b
        rss = e @ inverse @ e
        slopes.append(b[1])
        errors.append(np.sqrt(rss / f * np.linalg.inv(information)[1, 1]))
        scales.append(np.sqrt(np.trace(centre @ v) / np.linalg.inv(information)[1, 1] / xx))
        logs.append(-np.linalg.slogdet(v)[1] / 2 - np.linalg.slogdet(information)[1] / 2 - f / 2 * np.log(rss))
    slopes, errors, scales = map(np.array, (slopes, errors, scales))
    weights = np.exp(np.array(logs) - max(logs))
    weights /= weights.sum()

    def slope_below(b):
        return weights @ stats.t.cdf((b - slopes) / errors, f)

    def correlation_below(c):
        d = c / np.sqrt(1 - c * c) * scales
        return sum(w * noncentral_above(t, f, one) for w, t, one in zip(weights, slopes / errors, d) if w > 1e-12)

    def roots(below, low, high):
        return [optimize.brentq(lambda at: below(at) - p, low, high, xtol=1e-12)
                for p in ((1 - level) / 2, 0.5, (1 + level) / 2)]

    spread = 50 * errors.max()
    return {"slope": roots(slope_below, slopes.min() - spread, slopes.max() + spread),
            "correlation": roots(correlation_below, -0.999, 0.999), "autocorrelation": float(weights @ rs),
            "p": float(2 * min(slope_below(0), 1 - slope_below(0))), "pearson": float(np.corrcoef(x, y)[0, 1])}


series = []
for length in (8, 20):
    x = np.sqrt(np.arange(length)) + random.normal(0, 0.1, length)
    y = 0.4 * x + random.normal(0, 0.3, length)
    series.append({"x": x.tolist(), "y": y.tolist(), **series_link(x, y)})
for length, slope in ((12, 0.5), (40, 0.0)):
    x = np.sqrt(np.arange(length)) + random.normal(0, 0.2, length)
    e = [random.normal()]
    for t in range(1, length):
        e.append(0.6 * e[-1] + 0.8 * random.normal())
    y = slope * x + 0.5 * np.array(e)
    series.append({"x": x.tolist(), "y": y.tolist(), **series_link(x, y)})
x, y = np.arange(8.0), np.array([1, 2, 3, 4, 4, 3, 2, 1.0])  # no slope, whatever the autocorrelation
series.append({"x": x.tolist(), "y": y.tolist(), **series_link(x, y)})


def largest_f(x, y):
    """Of two lines that meet at any x but the two lowest and highest, over one; y holds a series a row."""
    line = np.column_stack([np.ones_like(x), x])
    rss = [np.sum((y.T - d @ np.linalg.lstsq(d, y.T, rcond=None)[0]) ** 2, axis=0)
           for d in [line] + [np.column_stack([line, np.maximum(0, x - at)]) for at in x[2:-2]]]
    best = np.min(rss[1:], axis=0)
    return (rss[0] - best) / (best / (len(x) - 3))


def change_point_p(x, y, draws=20000):
    """Its p-value where the errors' autocorrelation is weighed by dense matrices and errors are drawn by Cholesky."""
    n, lags = len(x), np.abs(np.subtract.outer(np.arange(len(x)), np.arange(len(x))))
    line = np.column_stack([np.ones(n), x])
    project = np.eye(n) - line @ np.linalg.pinv(line)
    rs = np.sin(((np.arange(80) + 0.5) / 40 - 1) * np.arcsin(0.95))
    covariances, logs = [r ** lags / (1 - r * r) for r in rs], []
    for v in covariances:
        inverse, own = np.linalg.inv(v), []
        for at in x[2:-2]:
            hinge = project @ np.maximum(0, x - at)
            design = np.column_stack([line, hinge / np.linalg.norm(hinge)])
            information = design.T @ inverse @ design
            e = y - design @ np.linalg.solve(information, design.T @ inverse @ y)
            own.append(-np.linalg.slogdet(v)[1] / 2 - np.linalg.slogdet(information)[1] / 2 - (n - 3) / 2 * np.log(e @ inverse @ e))
        logs.append(np.logaddexp.reduce(own))
    weights = np.exp(np.array(logs) - max(logs))
    counts = random.multinomial(draws, weights / weights.sum())
    drawn = np.vstack([random.normal(size=(k, n)) @ np.linalg.cholesky(v).T for k, v in zip(counts, covariances)])
    return float(np.mean(largest_f(x, drawn) >= largest_f(x, y[None])[0]))


changes = []
for length, bend, r in ((12, 0.0, 0.6), (20, 0.5, 0.3), (20, -0.2, 0.0)):
    x = np.cumsum(random.integers(1, 4, length)).astype(float)
    e = [random.normal()]
    for t in range(1, length):
        e.append(r * e[-1] + np.sqrt(1 - r * r) * random.normal())
    y = 0.3 * x + bend * np.maximum(0, x - x[length // 2]) + np.array(e)
    changes.append({"x": x.tolist(), "y": y.tolist(), "p": change_point_p(x, y)})

above = [{"t": t, "freedom": f, "noncentrality": d, "p": float(stats.nct.sf(t, f, d))}
         for t, f, d in [(2, 6, 0), (2, 6, 3), (-1.5, 10, 0.5), (0, 4, -1), (12, 18, 9), (-7, 38, -8.5),
                        (1e-16, 6, 0.5), (-1e-16, 6, 0.5), (0, 6, 10), (0, 6, -10), (1e-12, 9, -2), (-1e-10, 9, 2)]]
above += [{"t": t, "freedom": f, "noncentrality": d, "p": float(noncentral_above(t, f, d))}
          for t, f, d in [(400.0, 6, 380.0), (3000.0, 20, 3100.0)]]

print(json.dumps({"gini": ginis, "equivalence": tests, "broken": broken, "series": series, "changes": changes, "above": above}, indent=1))
