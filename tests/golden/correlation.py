"""Correlations by SciPy 1.10.1: python3 tests/golden/correlation.py > tests/golden/correlation.json"""
import json

import numpy as np
from scipy import stats

generator = np.random.default_rng(20)
cases = []
for size, levels in [(5, 0), (7, 3), (20, 0), (20, 5), (100, 4), (100, 0), (257, 11)]:
    x = generator.normal(size=size)
    y = 0.6 * x + generator.normal(size=size)
    if levels:
        x = np.digitize(x, np.linspace(-1, 1, levels - 1)).astype(float)
        y = np.digitize(y, np.linspace(-1.2, 1, levels)).astype(float)
    counts = generator.multinomial(size, np.full(size, 1 / size))
    counted = stats.spearmanr(np.repeat(x, counts), np.repeat(y, counts))[0]
    cases.append({
        "x": x.tolist(), "y": y.tolist(), "ranks": stats.rankdata(x).tolist(),
        "pearson": stats.pearsonr(x, y)[0], "spearman": stats.spearmanr(x, y)[0],
        "kendall_tau_b": stats.kendalltau(x, y)[0], "counts": counts.tolist(),
        "counted_spearman": counted,
    })
print(json.dumps(cases))
