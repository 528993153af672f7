"""Writes probe_sts.json: similarities of pairs as MTEB's STS evaluator takes them from scikit-learn, and SciPy's
correlations with the gold.

    python3 tests/golden/probe_sts.py > tests/golden/probe_sts.json
"""
import json

import numpy as np
import scipy
import sklearn
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics.pairwise import paired_cosine_distances, paired_euclidean_distances

generator = np.random.default_rng(2)
cases = []
for number in range(24):
    pairs, dimension = int(generator.integers(8, 30)), int(generator.integers(1, 20))
    gold = np.round(generator.uniform(0, 5, pairs) * 5) / 5
    first = np.round(generator.normal(size=(pairs, dimension)), 3)
    noise = np.round(generator.normal(size=(pairs, dimension)), 3)
    second = np.round(first * gold[:, None] / 5 + noise * (1 - gold[:, None] / 5), 3)
    if number % 4 == 0:  # vectors of zeros, one of a pair and both; equal vectors
        first[0] = second[1] = first[2] = second[2] = 0
        second[3] = first[3]
    first, second = first.astype(np.float32), second.astype(np.float32)
    wide = first.astype(float), second.astype(float)
    figures = {"cosine": 1 - paired_cosine_distances(*wide), "euclidean": -paired_euclidean_distances(*wide),
               "dot": (wide[0] * wide[1]).sum(axis=1)}
    case = {"dimension": dimension, "gold": gold.tolist(),
            "first": [round(float(v), 3) for v in first.ravel()], "second": [round(float(v), 3) for v in second.ravel()]}
    for name, values in figures.items():
        values = np.round(values, 12)  # with zeros, 1/2 comes out as one of several neighbours
        case[name] = {"values": [round(float(v), 9) for v in values], "spearman": spearmanr(gold, values)[0],
                      "pearson": pearsonr(gold, values)[0]}
    cases.append(case)
print(json.dumps({"origin": f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}", "cases": cases},
                 separators=(",", ":")))
