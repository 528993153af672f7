"""The paired bootstrap of Spearman's correlation in SciPy and in NumPy, on the pairs that bootstrap_bench wrote.

    python3 bench/bootstrap_peer.py pairs.csv [numpy resamples] [scipy resamples]

Both are timed on the stated number of resamples and scaled to 10,000. Prints one JSON object.
"""
import json
import sys
import time

import numpy as np
from scipy.stats import spearmanr

RESAMPLES = 10_000
CHUNK = 100  # resamples ranked at a time: 11 MB a vector


def average_ranks(values):
    """Average ranks along the last axis; values: [resamples, pairs]."""
    rows, pairs = values.shape
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    starts = np.ones((rows, pairs), dtype=bool)  # where a block of ties begins
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.flatnonzero(starts)
    sizes = np.diff(np.append(first, rows * pairs))
    block_ranks = first % pairs + (sizes + 1) / 2
    ranks = np.empty((rows, pairs))
    np.put_along_axis(ranks, order, np.repeat(block_ranks, sizes).reshape(rows, pairs), axis=1)
    return ranks


def centred(ranks):
    ranks -= (ranks.shape[1] + 1) / 2
    return ranks


def numpy_bootstrap(gold, models, resamples, generator):
    draws = np.empty((resamples, len(models)))
    for begin in range(0, resamples, CHUNK):
        rows = min(CHUNK, resamples - begin)
        items = generator.integers(0, len(gold), (rows, len(gold)))
        x = centred(average_ranks(gold[items]))
        spread = np.einsum("ij,ij->i", x, x)
        for m, model in enumerate(models):
            y = centred(average_ranks(model[items]))
            products = np.einsum("ij,ij->i", x, y)
            draws[begin:begin + rows, m] = products / np.sqrt(spread * np.einsum("ij,ij->i", y, y))
    return draws


def scipy_bootstrap(gold, models, resamples, generator):
    draws = np.empty((resamples, len(models)))
    for r in range(resamples):
        items = generator.integers(0, len(gold), len(gold))
        for m, model in enumerate(models):
            draws[r, m] = spearmanr(gold[items], model[items])[0]
    return draws


def scaled_seconds(bootstrap, gold, models, resamples):
    start = time.perf_counter()
    draws = bootstrap(gold, models, resamples, np.random.default_rng(1))
    return (time.perf_counter() - start) * RESAMPLES / resamples, draws


def main():
    table = np.loadtxt(sys.argv[1], delimiter=",")
    gold, models = table[:, 0].copy(), np.ascontiguousarray(table[:, 1:].T)
    numpy_resamples = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    scipy_resamples = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    numpy_seconds, fast = scaled_seconds(numpy_bootstrap, gold, models, numpy_resamples)
    scipy_seconds, _ = scaled_seconds(scipy_bootstrap, gold, models, scipy_resamples)
    same = numpy_bootstrap(gold, models, 1, np.random.default_rng(1))
    assert np.allclose(same, scipy_bootstrap(gold, models, 1, np.random.default_rng(1)), atol=1e-12)
    print(json.dumps({
        "name": "paired-spearman-bootstrap",
        "numpy_seconds": round(numpy_seconds, 3), "numpy_resamples": numpy_resamples,
        "scipy_seconds": round(scipy_seconds, 3), "scipy_resamples": scipy_resamples,
        "first_model": [float(spearmanr(gold, models[0])[0]), *np.quantile(fast[:, 0], [0.025, 0.975])],
    }))


if __name__ == "__main__":
    main()
