"""Writes probe_classification.json: MTEB's classification protocol, draw for draw, and one fit on all training items,
by scikit-learn's LogisticRegression on generated vectors.

    python3 tests/golden/probe_classification.py > tests/golden/probe_classification.json
"""
import json
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, precision_score, recall_score

warnings.simplefilter("ignore")
generator = np.random.default_rng(1)


def undersample(labels, samples_per_label, order, state):
    """As AbsTaskClassification of MTEB 2: shuffle the carried list, take while a label has fewer than so many."""
    state.shuffle(order)
    taken, places = {}, []
    for place in order:
        if taken.get(labels[place], 0) < samples_per_label:
            places.append(place)
            taken[labels[place]] = taken.get(labels[place], 0) + 1
    return places


def optimum(train, labels):
    """The minimum that LogisticRegression(C=1) seeks, by Newton's method on the softmax loss (or the logistic, of two
    classes) until the gradient is below 1e-11. Returns weights [outputs, dimension] and intercepts."""
    x = np.column_stack([train.astype(float), np.ones(len(train))])
    classes = np.unique(labels)
    outputs = 1 if len(classes) == 2 else len(classes)
    right = (labels[:, None] == (classes[1:] if outputs == 1 else classes)).astype(float)
    penalty = np.tile(np.append(np.ones(x.shape[1] - 1), 0), outputs)

    def evaluate(w):
        z = x @ w.reshape(outputs, -1).T
        if outputs == 1:
            p, loss = 1 / (1 + np.exp(-z)), np.logaddexp(0, np.where(right == 1, -z, z)).sum()
        else:
            shifted = z - z.max(axis=1, keepdims=True)
            p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
            loss = (np.log(np.exp(shifted).sum(axis=1)) - (shifted * right).sum(axis=1)).sum()
        return loss + (penalty * w * w).sum() / 2, ((p - right).T @ x).ravel() + penalty * w, p

    w = np.zeros(outputs * x.shape[1])
    for _ in range(100):
        loss, gradient, p = evaluate(w)
        if np.abs(gradient).max() < 1e-11:
            break
        curvature = np.einsum("ij,jk->ijk", p, np.eye(outputs)) - (np.einsum("ij,ik->ijk", p, p))
        hessian = np.einsum("ijk,ia,ib->jakb", curvature, x, x).reshape(len(w), len(w)) + np.diag(penalty)
        step, length = np.linalg.lstsq(hessian, -gradient, rcond=1e-12)[0], 1
        while length > 1e-4 and evaluate(w + length * step)[0] > loss + 1e-12 * abs(loss):
            length /= 2
        w = w + length * step
    w = w.reshape(outputs, -1)
    shift = w[:, -1].mean() if outputs > 1 else 0  # common to all classes; the minimum does not fix it
    return w[:, :-1], w[:, -1] - shift


def fit(train, labels, test):
    """What scikit-learn predicts as MTEB calls it, and what the optimum predicts."""
    usual = LogisticRegression(max_iter=100).fit(train, labels)
    weights, intercepts = optimum(train, labels)
    score = test.astype(float) @ weights.T + intercepts
    exact = usual.classes_[(score[:, 0] > 0).astype(int) if len(intercepts) == 1 else score.argmax(axis=1)]
    return usual.predict(test).tolist(), exact.tolist(), usual, (weights, intercepts)


def scores(gold, answers):
    result = {"accuracy": accuracy_score(gold, answers), "f1": f1_score(gold, answers, average="macro"),
              "f1_weighted": f1_score(gold, answers, average="weighted")}
    for average in ("macro", "weighted"):
        options = {"average": average, "zero_division": 0}
        result[f"precision_{average}"] = precision_score(gold, answers, **options)
        result[f"recall_{average}"] = recall_score(gold, answers, **options)
    if set(gold) == {0, 1}:
        result["ap"] = average_precision_score(gold, answers)
    return result


cases = []
for number in range(27):
    k = [2, 2, 3, 6][number % 4]
    dimension = int(generator.integers(2, 9)) if number % 3 else int(generator.integers(30, 40))
    if number >= 24:  # many more dimensions than training items
        dimension = 100
    n_train, n_test = (24, 6) if number >= 24 else (24, 16) if dimension > 9 else (int(generator.integers(20, 60)), 40)
    scale = float(generator.choice([0.3, 1, 1, 2]))
    labels = generator.integers(0, k, n_train + n_test)
    labels[:k] = labels[-k:] = np.arange(k)
    centres = generator.normal(size=(k, dimension))
    vectors = np.round(scale * (centres[labels] + generator.normal(scale=1.5, size=(len(labels), dimension))), 1)
    vectors = vectors.astype(np.float32)
    train, test = vectors[:n_train], vectors[n_train:]
    gold = labels[n_train:].tolist()
    spl = int(generator.integers(2, 9))
    case = {"dimension": dimension, "classes": k, "samples_per_label": spl,
            "vectors": [round(float(v), 1) for v in vectors.ravel()], "train_labels": labels[:n_train].tolist(),
            "gold": gold, "draws": []}
    usual, exact, stopped, (weights, intercepts) = fit(train, labels[:n_train], test)
    case["all"] = {"usual": usual, "exact": exact, "weights": weights[:, 0].tolist(), "intercepts": intercepts.tolist(),
                   "usual_weights": stopped.coef_[:, 0].tolist(), "usual_intercepts": stopped.intercept_.tolist(),
                   "scores": scores(gold, exact)}
    order = list(range(n_train))
    for draw in range(10):
        places = undersample(labels, spl, order, np.random.RandomState(42))
        usual, exact, _, _ = fit(train[places], labels[places], test)
        case["draws"].append({"places": places if draw < 3 else [], "sum": int(np.dot(places, np.arange(len(places)))),
                              "usual": scores(gold, usual), "exact": scores(gold, exact)})
    cases.append(case)
state = np.random.RandomState(42)
numpy_random = {"shuffle10": state.permutation(10).tolist(), "randint": state.randint(0, 1000, 8).tolist(),
                "uniform": state.uniform(size=4).tolist(), "choice": state.choice(30, replace=False, size=5).tolist()}
print(json.dumps({"origin": f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}", "random": numpy_random,
                  "cases": cases}, separators=(",", ":")))
