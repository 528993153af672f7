"""Writes probe_reranking.json: queries with their documents ranked by similarity, scored by scikit-learn (as MTEB 1
did) and by trec_eval's conventions (as MTEB 2 does), written out here.

    python3 tests/golden/probe_reranking.py > tests/golden/probe_reranking.json
"""
import json
import math

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances

generator = np.random.default_rng(3)


def trec(grades, scores):
    """trec_eval: scores in single precision, highest first, of equals the greater id; ids are the places."""
    order = sorted(range(len(scores)), key=lambda i: (np.float32(scores[i]), i), reverse=True)
    ranked = [grades[i] for i in order]
    found, precisions, first = 0, 0.0, 0.0
    for rank, grade in enumerate(ranked, 1):
        if grade > 0:
            found += 1
            precisions += found / rank
            first = first or 1 / rank
    gains = [g / math.log2(rank + 1) for rank, g in enumerate(ranked[:10], 1)]
    best = [g / math.log2(rank + 1) for rank, g in enumerate(sorted(grades, reverse=True)[:10], 1)]
    return {"ap": precisions / found, "rr10": first if first >= 0.1 else 0.0, "ndcg10": sum(gains) / sum(best),
            "p1": float(ranked[0] > 0)}


cases = []
for number in range(24):
    queries, dimension = int(generator.integers(2, 6)), int(generator.integers(2, 12))
    case = {"dimension": dimension, "queries": [], "documents": [], "grades": []}
    totals = {}
    for _ in range(queries):
        documents = int(generator.integers(4, 16))
        grades = [1, 0] + generator.integers(0, 3, documents - 2).tolist()
        query = np.round(generator.normal(size=dimension), 2).astype(np.float32)
        query[0] += query[0] == 0
        matrix = np.round(generator.normal(size=(documents, dimension)) + np.outer(grades, query) / 2, 2)
        matrix = matrix.astype(np.float32)
        if number % 3 == 0:  # equal documents of different grades, and a document of zeros
            matrix[1] = matrix[0]
            matrix[2] = 0
        case["queries"] += [round(float(v), 2) for v in query]
        case["documents"] += [round(float(v), 2) for v in matrix.ravel()]
        case["grades"].append(grades)
        wide, row = matrix.astype(float), query.astype(float)[None]
        for name, scores in {"cosine": cosine_similarity(row, wide)[0], "dot": (wide @ row[0]),
                             "euclidean": -euclidean_distances(row, wide)[0]}.items():
            # Equal documents have equal scores; BLAS may add them up in two ways.
            scores = np.round(scores, 12)
            figures = {"sklearn_ap": average_precision_score(np.array(grades) > 0, scores), **trec(grades, scores)}
            for figure, value in figures.items():
                totals.setdefault(name, {}).setdefault(figure, []).append(value)
    for name, figures in totals.items():
        case[name] = {figure: float(np.mean(values)) for figure, values in figures.items()}
    cases.append(case)
print(json.dumps({"origin": f"scikit-learn {sklearn.__version__}", "cases": cases}, separators=(",", ":")))
