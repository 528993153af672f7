"""Writes embedders.json: TF-IDF and hashed n-grams by scikit-learn, BM25 and smooth inverse frequency by NumPy.

    python3 tests/golden/embedders.py > tests/golden/embedders.json
"""
import json
import math
import re
from collections import Counter

import numpy as np
import sklearn
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

texts = [
    "The ferry leaves the harbour at seven, the ferry is late.",
    "A late ferry waits in the harbour",
    "Bread, bread and more bread: the baker sells BREAD!",
    "Le bateau quitte le port à sept heures été",
    "Паром уходит из порта в семь часов",
    "x",
    "",
    "?! ...",
    "Snow 2024 fell on 31 roofs; snow_plough 7",
]
WORD = r"(?u)\b\w+\b"


def sparse(matrix):
    matrix = matrix.tocsr()
    matrix.sort_indices()
    return [[[int(c), float(v)] for c, v in zip(row.indices, row.data) if v != 0] for row in matrix]


def words(text):
    return re.findall(WORD, text.lower())


tfidf = TfidfVectorizer(token_pattern=WORD)
tfidf_rows = sparse(tfidf.fit_transform(texts))

hashed = {}
for dimension in (1 << 20, 1000):
    vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=dimension)
    hashed[str(dimension)] = sparse(vectorizer.transform(texts))


def bm25(query, document, k1=1.2, b=0.75):
    n = len(texts)
    bags = [words(t) for t in texts]
    mean = sum(map(len, bags)) / n
    counts = Counter(words(document))
    score = 0.0
    for word in words(query):  # a word that stands twice in the query counts twice
        df = sum(word in bag for bag in bags)
        if df == 0:
            continue
        idf = math.log(1 + (n - df + 0.5) / (df + 0.5))
        tf = counts[word]
        score += idf * tf / (tf + k1 * (1 - b + b * len(words(document)) / mean))
    return score


queries = ["late ferry", "bread bread baker", "the harbour at seven", "nothing known here", "snow 7"]
bm25_scores = [[bm25(q, d) for d in texts] for q in queries]

# Word vectors of two decimals, exact enough as text; not every word of the texts has one.
rng = np.random.RandomState(3)
vocabulary = sorted({w for t in texts for w in words(t)} - {"x", "baker", "seven"})
table = {w: np.round(rng.uniform(-2, 2, 6), 2) for w in vocabulary}
counts = Counter(w for t in texts for w in words(t))
total = sum(counts.values())


def pooled(weight):
    rows = []
    for t in texts:
        known = [w for w in words(t) if w in table]
        rows.append(sum((weight(w) * table[w] for w in known), np.zeros(6)) / max(len(known), 1))
    return np.array(rows)


a = 1e-3
harmonic = sum(1 / r for r in range(1, len(vocabulary) + 1))
sif = pooled(lambda w: a / (a + counts[w] / total))
order = pooled(lambda w: a / (a + 1 / ((vocabulary.index(w) + 1) * harmonic)))
component = np.linalg.svd(sif, full_matrices=False)[2][0]

print(json.dumps({
    "origin": f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}",
    "texts": texts,
    "vocabulary": sorted(tfidf.vocabulary_, key=tfidf.vocabulary_.get),
    "tfidf": tfidf_rows,
    "hashed": hashed,
    "queries": queries,
    "bm25": bm25_scores,
    "vectors": [[w, list(table[w])] for w in vocabulary],
    "mean": pooled(lambda w: 1).tolist(),
    "sif": sif.tolist(),
    "sif_order": order.tolist(),
    "sif_removed": (sif - np.outer(sif @ component, component)).tolist(),
}, ensure_ascii=False))
