"""Quantiles by NumPy 1.24.2, and the bootstrap of a mean and of a skewed statistic by SciPy 1.10.1's
private _bca_interval fed with our own draws:
python3 tests/golden/bootstrap.py > tests/golden/bootstrap.json"""
import json

import numpy as np
from scipy.stats import _resampling

generator = np.random.default_rng(21)


def variance(sample, axis=-1):
    return np.var(sample, axis=axis)


cases = []
for statistic, data in [(np.mean, generator.exponential(size=15)), (variance, generator.normal(size=12)),
                        (np.mean, generator.integers(0, 2, 30).astype(float))]:
    draws = statistic(data[generator.integers(0, len(data), (200, len(data)))], axis=-1)
    left_out = np.array([statistic(np.delete(data, i)) for i in range(len(data))])
    low, high, _ = _resampling._bca_interval((data,), statistic, -1, 0.05, draws, None)
    cases.append({
        "point": float(statistic(data)), "draws": draws.tolist(), "jackknife": left_out.tolist(), "level": 0.9,
        "percentile": np.quantile(draws, [0.05, 0.95]).tolist(),
        "bca": np.quantile(draws, [float(low), float(high)]).tolist(),
    })
print(json.dumps(cases))
