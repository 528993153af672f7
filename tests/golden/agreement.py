"""Writes agreement.json: Cohen's and Fleiss' kappa of random ratings, by statsmodels.

    python3 tests/golden/agreement.py > tests/golden/agreement.json
"""
import json
import random

import numpy as np
import statsmodels
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

random.seed(11)
cases = []
for case in range(20):
    n, raters, k = random.randint(5, 60), random.randint(2, 5), random.randint(2, 6)
    noise = random.random()
    truth = [random.randrange(k) for _ in range(n)]
    codes = [[t if random.random() > noise else random.randrange(k) for _ in range(raters)] for t in truth]
    for i in range(k):  # every category occurs, so that all sides count the same ones
        codes[i % n][0] = codes[i % n][1] = i
    table = np.zeros((k, k))
    for row in codes:
        table[row[0], row[1]] += 1
    cohen = {}
    for name, wt in (("none", None), ("linear", "linear"), ("quadratic", "quadratic")):
        result = cohens_kappa(table, wt=wt)
        cohen[name] = [float(result.kappa), float(result.std_kappa)]
    cases.append({"raters": raters, "categories": k, "codes": sum(codes, []), "cohen": cohen,
                  "fleiss": float(fleiss_kappa(aggregate_raters(np.array(codes))[0]))})
print(json.dumps({"origin": f"statsmodels {statsmodels.__version__}", "cases": cases}, separators=(",", ":")))
