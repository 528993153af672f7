"""Writes ranking.json: random queries with ties, scored by scikit-learn and by hand-written trec_eval rules.

    python3 tests/golden/ranking.py > tests/golden/ranking.json
"""
import json
import random

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, ndcg_score

random.seed(20)


def trec(grades, scores, ids):
    """map, recip_rank and P_5 as trec_eval defines them: float score, then id, both descending."""
    order = sorted(range(len(ids)), key=lambda i: (float(np.float32(scores[i])), ids[i]), reverse=True)
    hits = [grades[i] > 0 for i in order]
    found, total, first = 0, 0.0, None
    for rank, hit in enumerate(hits, 1):
        if hit:
            found += 1
            total += found / rank
            first = first or rank
    return {"ap": total / found, "rr": 1 / first, "p5": sum(hits[:5]) / 5}


cases = []
for case in range(30):
    n = random.randint(2, 14)
    levels = random.choice([1, 2, 3, 100])
    grades = [random.choice([0, 0, 1, 2, 3]) for _ in range(n)]
    grades[random.randrange(n)] = 1
    scores = [random.randint(1, levels) / 7 for _ in range(n)]
    if case % 5 == 0:  # distinct in double, equal in single precision
        scores = [s + random.choice([0, 1e-12]) for s in scores]
    ids = [f"d{i}" for i in random.sample(range(1000), n)]
    cases.append({
        "grades": grades, "scores": scores, "ids": ids,
        "sklearn_ap": average_precision_score([g > 0 for g in grades], scores),
        "sklearn_ndcg": ndcg_score([grades], [scores]),
        "sklearn_ndcg5": ndcg_score([grades], [scores], k=5),
        "trec": trec(grades, scores, ids),
    })
print(json.dumps({"origin": f"scikit-learn {sklearn.__version__}", "cases": cases}, indent=0))
