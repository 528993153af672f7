"""Least squares by NumPy 1.24.2 (numpy.linalg.lstsq) of both over-optimisation forms, and t intervals of the
coefficients by SciPy 1.10.1: /usr/bin/python3 tests/golden/over_optimisation.py > tests/golden/over_optimisation.json"""
import json

import numpy as np
from scipy.stats import t as student


def kl(n):
    return np.log(n) - (n - 1) / n


def design(form, d):
    return np.stack([d, -d * d if form == "bon" else -d * np.log(d)], axis=1)


def fit(form, d, reward):
    x = design(form, d)
    (a, b), *_ = np.linalg.lstsq(x, reward, rcond=None)
    residual = reward - x @ [a, b]
    rss = float(residual @ residual)
    freedom = len(d) - 2
    covariance = np.linalg.inv(x.T @ x) * rss / freedom
    half = student.ppf(0.975, freedom) * np.sqrt(np.diag(covariance))
    slope = np.array([1, -2 * d[-1]]) if form == "bon" else np.array([1, -1 - np.log(d[-1])])
    half_slope = student.ppf(0.975, freedom) * np.sqrt(slope @ covariance @ slope)
    end = float(slope @ [a, b])
    return {"a": a, "b": b, "rss": rss, "a_ci": [a - half[0], a + half[0]], "b_ci": [b - half[1], b + half[1]],
            "slope_end": end, "slope_end_ci": [end - half_slope, end + half_slope]}


bon_d = np.sqrt(kl(np.array([2., 4, 8, 16, 32, 64, 128, 256, 512, 1000])))
rl_d = np.array([.5, 1, 2, 3, 4, 6, 8, 10, 12])
truth = {"bon": bon_d * (1 - .3 * bon_d), "rl": rl_d * (1 - .3 * np.log(rl_d))}
distance = {"bon": bon_d, "rl": rl_d}
n = np.array([1., 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000])
proxy = np.array([-.1922, .0322, .2336, .6534, .8968, .8968, .8968, .9003, .9003, .9527])
gold = np.array([-.5225, -.0165, .4828, -.1543, -.3367, -.3367, -.3367, .2733, .2733, .5490])

cases = []
for name, data in truth.items():
    d = distance[name]
    wobble = np.where(np.arange(len(d)) % 2 == 0, .02, -.02)
    for form in ["bon", "rl"]:
        cases.append({"name": f"{form} on clean {name}", "form": form, "d": d.tolist(), "reward": data.tolist(),
                      **fit(form, d, data)})
    cases.append({"name": f"{name} perturbed", "form": name, "d": d.tolist(), "reward": (data + wobble).tolist(),
                  **fit(name, d, data + wobble)})
small = np.sqrt(kl(n))[1:]
for name, reward in [("gold", gold), ("proxy", proxy)]:
    cases.append({"name": f"small sample, {name}", "form": "bon", "d": small.tolist(),
                  "reward": (reward - reward[0])[1:].tolist(), **fit("bon", small, (reward - reward[0])[1:])})
print(json.dumps(cases))
