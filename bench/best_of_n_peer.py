"""Best-of-n curves in vectorised NumPy: sort, one matrix product for every n, one for the resamples.

    python3 bench/best_of_n_peer.py scores.f64     # as bench_best_of_n wrote them
"""

import json
import sys
import time

import numpy as np
from scipy.special import gammaln

PROMPTS, SAMPLES, RESAMPLES = 1000, 1024, 1000


def log_choose(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def main():
    scores = np.fromfile(sys.argv[1]).reshape(2, PROMPTS, SAMPLES)
    proxy, gold = scores
    start = time.perf_counter()
    n = np.arange(1, SAMPLES + 1)
    rank = n[:, None]
    with np.errstate(invalid="ignore"):
        weights = np.where(rank >= n, np.exp(log_choose(rank - 1, n - 1) - log_choose(SAMPLES, n)), 0)
    curves = np.take_along_axis(gold, np.argsort(proxy, axis=1), axis=1) @ weights
    counts = np.random.default_rng(1).multinomial(PROMPTS, np.full(PROMPTS, 1 / PROMPTS), size=RESAMPLES)
    resampled = counts @ curves / PROMPTS
    seconds = time.perf_counter() - start
    assert resampled.shape == (RESAMPLES, SAMPLES)
    print(json.dumps({"seconds": seconds, "sum": float(curves.mean(axis=0).sum())}))


if __name__ == "__main__":
    main()
