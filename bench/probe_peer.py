"""The jobs of bench_probe with what people would use instead: scikit-learn as MTEB calls it, and a NumPy loop.

    python3 bench/probe_peer.py make classification|clustering|reranking DATA   writes the vectors
    python3 bench/probe_peer.py classification|clustering|reranking DATA        prints one JSON object

scikit-learn's OpenMP threads wait by spinning, which on shared cores takes several times as long as one thread: the peer
gets one thread, its best. Each job is run for a second, three times at least, and the
best is taken.
"""
import json
import os
import sys
import time
import warnings

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

warnings.simplefilter("ignore")
SHAPES = {"classification": (4000, 384, 6, 0, 0), "clustering": (2000, 384, 40, 0, 0),
          "reranking": (30000, 384, 1, 10000, 100)}


def make(what, path):
    """Unit vectors around their label's direction; for reranking 20,000 documents, a tenth of them relevant."""
    rows, dimension, labels, first, documents = SHAPES[what]
    generator = np.random.default_rng(7)
    label_of = generator.integers(0, labels, rows).astype(np.int32)
    vectors = generator.normal(size=(labels, dimension))[label_of] + generator.normal(size=(rows, dimension)) * 5
    places = generator.integers(first, rows, (first, documents)).astype(np.int32) if first else np.zeros(0, np.int32)
    grades = generator.integers(0, 10, places.shape) == 0
    if first:
        grades[:, 0] = True
        places[:, -1] = places[:, -2]  # a tie in every query
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    with open(path, "wb") as file:
        for array in (np.array(SHAPES[what], np.int32), vectors, label_of, places, grades.astype(np.int8)):
            file.write(array.tobytes())


def load(path):
    with open(path, "rb") as file:
        rows, dimension, labels, first, documents = np.frombuffer(file.read(20), np.int32)
        vectors = np.frombuffer(file.read(4 * rows * dimension), np.float32).reshape(rows, dimension)
        label_of = np.frombuffer(file.read(4 * rows), np.int32)
        places = np.frombuffer(file.read(4 * first * documents), np.int32).reshape(first, documents)
        grades = np.frombuffer(file.read(first * documents), np.int8).reshape(first, documents)
    return vectors, label_of, labels, places, grades


def classification(vectors, label_of, *_):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score
    half = len(vectors) // 2
    order, scores = list(range(half)), []
    for _ in range(10):
        np.random.RandomState(42).shuffle(order)
        taken, places = {}, []
        for place in order:
            if taken.get(label_of[place], 0) < 8:
                places.append(place)
                taken[label_of[place]] = taken.get(label_of[place], 0) + 1
        model = LogisticRegression(max_iter=100).fit(vectors[places], label_of[places])
        scores.append(accuracy_score(label_of[half:], model.predict(vectors[half:])))
    return scores


def clustering(vectors, label_of, labels, *_):
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import v_measure_score
    model = MiniBatchKMeans(n_clusters=int(labels), batch_size=500, n_init="auto", random_state=42).fit(vectors)
    return [v_measure_score(label_of, model.labels_)]


def expected_precision(grades, scores):
    """Average precision over all orders of equal scores (McSherry and Najork 2008), vectorised over a query."""
    order = np.argsort(-scores, kind="stable")
    relevant, ordered = grades[order] > 0, scores[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sizes = np.diff(np.append(starts, len(ordered)))
    found = np.add.reduceat(relevant, starts, dtype=float)
    before = np.cumsum(found) - found
    block = np.repeat(np.arange(len(starts)), sizes)
    within = np.arange(len(ordered)) - starts[block]
    others = np.maximum(sizes - 1, 1)
    precisions = (before[block] + 1 + within * (found - 1)[block] / others[block]) / np.arange(1, len(ordered) + 1)
    return (found / sizes)[block] @ precisions / found.sum()


def reranking(vectors, label_of, labels, places, grades):
    norms = np.linalg.norm(vectors, axis=1)
    values = []
    for query in range(len(places)):
        documents = places[query]
        cosines = vectors[documents] @ vectors[query] / (norms[documents] * norms[query])
        values.append(expected_precision(grades[query], cosines))
    return [float(np.mean(values))]


def cosine(a, b):
    return np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))


def reranking_by_pairs(vectors, label_of, labels, places, grades):
    """A loop over queries and documents, as scripts have it; the first hundredth of the queries."""
    values = []
    for query in range(len(places) // 100):
        cosines = np.array([cosine(vectors[query], vectors[place]) for place in places[query]])
        values.append(expected_precision(grades[query], cosines))
    return [float(np.mean(values))]


def timed(job, data):
    seconds = []
    while len(seconds) < 3 or sum(seconds) < 1:
        start = time.perf_counter()
        scores = job(*data)
        seconds.append(time.perf_counter() - start)
    return min(seconds), scores


def main():
    if sys.argv[1] == "make":
        return make(sys.argv[2], sys.argv[3])
    data = load(sys.argv[2])
    seconds, scores = timed(globals()[sys.argv[1]], data)
    result = {"name": f"probe {sys.argv[1]}", "seconds": seconds, "scores": scores}
    if sys.argv[1] == "reranking":
        result["seconds_by_pairs"] = timed(reranking_by_pairs, data)[0] * 100
    print(json.dumps(result))


if __name__ == "__main__":
    main()
