"""Rewards on features by scikit-learn 1.2.1: Bradley-Terry over features is logistic regression without an intercept on
the differences of both sides; shares of votes are sample weights. Rankings (Plackett-Luce) and ties (Davidson,
Rao-Kupper) by SciPy 1.10.1's BFGS on the likelihood as it is written in the papers:
/usr/bin/python3 tests/golden/feature_rewards.py > tests/golden/feature_rewards.json"""
import json

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from sklearn.linear_model import LogisticRegression

generator = np.random.default_rng(5)


def rounded(values, digits=4):
    return np.round(values, digits)


def pairs(n, d, noise):
    truth = generator.normal(size=d)
    first, second = rounded(generator.normal(size=(n, d))), rounded(generator.normal(size=(n, d)))
    margin = (first - second) @ truth + noise * generator.logistic(size=n)
    return first, second, margin


bradley_terry = []
for n, d, l2 in [(60, 4, 1.0), (40, 12, 0.1), (200, 3, 10.0)]:
    first, second, margin = pairs(n, d, 1.5)
    # Of three annotators so many preferred the first.
    wins = np.clip(np.round(3 * expit(margin) + generator.normal(0, 0.5, n)), 0, 3)
    difference = first - second
    model = LogisticRegression(C=1 / l2, fit_intercept=False, solver="newton-cg", tol=1e-9, max_iter=100000)
    model.fit(np.vstack([difference, difference]), [1] * n + [0] * n,
              sample_weight=np.concatenate([wins / 3, 1 - wins / 3]))
    bradley_terry.append({"first": first.tolist(), "second": second.tolist(), "wins_of_three": wins.tolist(), "l2": l2,
                          "weights": model.coef_[0].tolist()})


def fitted(loss, start):
    best = min((minimize(loss, start, method=m, options={"gtol": 1e-10, "maxiter": 100000}) for m in ["BFGS"]),
               key=lambda found: found.fun)
    return best.x


# Four texts a ranking, the best first.
n, k, d, l2 = 50, 4, 3, 0.5
texts = rounded(generator.normal(size=(n, k, d)))
order = np.argsort(-(texts @ generator.normal(size=d) + generator.gumbel(size=(n, k))), axis=1)
ranked = np.take_along_axis(texts, order[:, :, None], axis=1)


def plackett_luce(w):
    scores = ranked @ w
    return sum(logsumexp(s[i:]) - s[i] for s in scores for i in range(k)) + l2 / 2 * w @ w


rankings = {"texts": ranked.tolist(), "l2": l2, "weights": fitted(plackett_luce, np.zeros(d)).tolist()}

n, d, l2 = 80, 3, 0.5
first, second, margin = pairs(n, d, 1.0)
outcome = np.where(margin > 0.7, 0, np.where(margin < -0.7, 2, 1))  # win, tie, loss


def with_ties(probabilities):
    def loss(point):
        delta = (first - second) @ point[:d]
        log_p = np.stack(probabilities(delta, point[d]))
        return -log_p[outcome, np.arange(n)].sum() + l2 / 2 * point[:d] @ point[:d]
    return fitted(loss, np.append(np.zeros(d), 0.5))


def davidson(delta, log_nu):
    all_three = np.stack([delta / 2, np.full(n, log_nu), -delta / 2])
    return all_three - logsumexp(all_three, axis=0)


def rao_kupper(delta, log_theta):
    win, loss = expit(delta - log_theta), expit(-delta - log_theta)
    return np.log([win, np.maximum(1 - win - loss, 1e-300), loss])


ties = {"first": first.tolist(), "second": second.tolist(), "outcome": outcome.tolist(), "l2": l2}
for name, model in [("davidson", davidson), ("rao_kupper", rao_kupper)]:
    found = with_ties(model)
    ties[name] = {"weights": found[:d].tolist(), "log_tie_parameter": float(found[d])}

print(json.dumps({"bradley_terry": bradley_terry, "plackett_luce": rankings, "ties": ties}))
