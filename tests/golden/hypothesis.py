"""Permutation tests by SciPy 1.10.1, McNemar's and adjusted p-values by statsmodels 0.13.5:
python3 tests/golden/hypothesis.py > tests/golden/hypothesis.json"""
import json

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

generator = np.random.default_rng(22)


def size_of_difference(a, b, axis=-1):
    return np.abs(np.mean(a, axis=axis) - np.mean(b, axis=axis))


def permutation(kind, x, y):
    # By the size of the difference: SciPy's own two-sided p-value doubles the smaller tail instead.
    result = stats.permutation_test((x, y), size_of_difference, permutation_type=kind, vectorized=True,
                                    n_resamples=np.inf, alternative="greater")
    return {"x": x.tolist(), "y": y.tolist(), "difference": np.mean(x) - np.mean(y), "p": float(result.pvalue)}


def table(b, c):
    # statsmodels' exact test has no mid-p; this is its definition through scipy.stats.binom.
    exact = mcnemar([[10, b], [c, 10]], exact=True)
    plain = mcnemar([[10, b], [c, 10]], exact=False, correction=False)
    corrected = mcnemar([[10, b], [c, 10]], exact=False, correction=True)
    mid = 2 * stats.binom.cdf(min(b, c), b + c, 0.5) - stats.binom.pmf(min(b, c), b + c, 0.5)
    return {"b": b, "c": c, "exact": exact.pvalue, "mid": min(1.0, mid), "chi": plain.statistic,
            "chi_p": plain.pvalue, "corrected": corrected.statistic, "corrected_p": corrected.pvalue}


def family(p):
    return {"p": p.tolist(), "holm": multipletests(p, method="holm")[1].tolist(),
            "benjamini_hochberg": multipletests(p, method="fdr_bh")[1].tolist()}


print(json.dumps({
    "paired": [permutation("samples", generator.normal(0.4, size=n), generator.normal(size=n)) for n in (2, 5, 10, 12)]
    + [permutation("samples", generator.integers(0, 2, 11) * 1.0, generator.integers(0, 2, 11) * 1.0)],
    "independent": [permutation("independent", generator.normal(0.7, size=a), generator.normal(size=b))
                    for a, b in [(2, 3), (4, 6), (8, 7)]]
    + [permutation("independent", generator.integers(0, 3, 6) / 10, generator.integers(0, 3, 5) / 10)],
    "mcnemar": [table(b, c) for b, c in [(1, 0), (5, 12), (12, 5), (7, 9), (40, 22), (300, 250)]],
    "families": [family(generator.uniform(size=n) ** 3) for n in (1, 4, 10)]
    + [family(np.array([0.01, 0.04, 0.03, 0.005, 0.04, 1.0]))],
}))
