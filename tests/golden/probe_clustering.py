"""Writes probe_clustering.json: MTEB's clustering protocol by scikit-learn's MiniBatchKMeans and V-measure on generated
vectors, with one thread and the reference BLAS.

    OMP_NUM_THREADS=1 python3 tests/golden/probe_clustering.py > tests/golden/probe_clustering.json
"""
import json
import os
import warnings

import numpy as np
import sklearn
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.metrics import (adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score,
                             silhouette_score, v_measure_score)

assert os.environ.get("OMP_NUM_THREADS") == "1", "threads add the inertia up in another order"
warnings.simplefilter("ignore")
generator = np.random.default_rng(4)
cases = []
for number in range(26):
    items, groups = int(generator.integers(20, 70)), int(generator.integers(2, 9))
    dimension = int(generator.integers(2, 10))
    spread = float(generator.choice([0.3, 0.8, 1.5]))
    if number >= 24:  # more items than a batch and its start hold
        items, groups, dimension = 1700, 12, 3
    labels = generator.integers(0, groups, items)
    labels[:groups] = np.arange(groups)
    centres = generator.normal(size=(groups, dimension))
    vectors = np.round(centres[labels] + generator.normal(scale=spread, size=(items, dimension)), 1)
    if number % 6 == 0:  # many equal rows: empty groups
        vectors[groups:] = vectors[:groups][labels[groups:]]
        vectors[1] = vectors[0]
    vectors = vectors.astype(np.float32)
    model = MiniBatchKMeans(n_clusters=groups, batch_size=500, n_init="auto", random_state=42).fit(vectors)
    case = {"dimension": dimension, "groups": groups, "labels": labels.tolist(),
            "vectors": [round(float(v) * 10) for v in vectors.ravel()],  # tenths
            "steps": model.n_steps_, "inertia": float(model.inertia_), "answers": model.labels_.tolist(),
            "centres": [float(c) for c in model.cluster_centers_.ravel()],
            "v_measure": v_measure_score(labels, model.labels_), "ari": adjusted_rand_score(labels, model.labels_),
            "nmi": normalized_mutual_info_score(labels, model.labels_),
            "ami": adjusted_mutual_info_score(labels, model.labels_)}
    if items < 100:
        case["full_inertia"] = min(KMeans(groups, n_init=50, random_state=r, tol=0).fit(vectors.astype(float)).inertia_
                                   for r in range(2))
        case["silhouette"] = silhouette_score(vectors.astype(float), labels)
    cases.append(case)
print(json.dumps({"origin": f"scikit-learn {sklearn.__version__}", "cases": cases}, separators=(",", ":")))
