"""Bradley-Terry with ties by SciPy, written from the papers' probabilities and independent of
plumb's code: BFGS on the abilities and the tie parameter, standard errors from a numeric Hessian.
The games are our own: counts of wins and ties drawn from a Davidson model with a fixed seed.

    /usr/bin/python3 tests/golden/bradley_terry.py > tests/golden/bradley_terry.json
"""
import json

import numpy as np
from scipy.optimize import minimize

N = 6


def draw_games():
    rng = np.random.default_rng(2024)
    strength = np.exp(np.linspace(1.2, -1.0, N))
    wins, ties = np.zeros((N, N), int), np.zeros((N, N), int)
    for i in range(N):
        for j in range(i + 1, N):
            weights = np.array([strength[i], strength[j], 0.6 * np.sqrt(strength[i] * strength[j])])
            won, lost, tied = rng.multinomial(5 + 3 * ((i + j) % 4), weights / weights.sum())
            wins[i, j], wins[j, i], ties[i, j], ties[j, i] = won, lost, tied, tied
    return wins, ties


def davidson(p, q, nu):
    total = p + q + nu * np.sqrt(p * q)
    return p / total, nu * np.sqrt(p * q) / total


def rao_kupper(p, q, theta):
    tie = p * q * (theta**2 - 1) / ((p + theta * q) * (theta * p + q))
    return p / (p + theta * q), tie


def half_wins(p, q, _):
    return p / (p + q), 1.0


def negative_log_likelihood(x, model, wins, ties):
    """x: abilities of all but the last, whose ability is 0, then the tie parameter."""
    strength = np.exp(np.append(x[: N - 1], 0))
    tie_parameter = x[N - 1] if len(x) == N else None
    total = 0.0
    for i in range(N):
        for j in range(i + 1, N):
            win, tie = model(strength[i], strength[j], tie_parameter)
            loss, _ = model(strength[j], strength[i], tie_parameter)
            total += wins[i, j] * np.log(win) + wins[j, i] * np.log(loss)
            total += ties[i, j] * np.log(tie)
    return -total


def hessian(f, x, h):
    n = len(x)
    out = np.empty((n, n))
    e = np.eye(n) * h
    for i in range(n):
        for j in range(n):
            out[i, j] = (f(x + e[i] + e[j]) - f(x + e[i] - e[j]) - f(x - e[i] + e[j])
                         + f(x - e[i] - e[j])) / (4 * h * h)
    return out


def fit(model, start, wins, ties):
    def f(x):
        return negative_log_likelihood(x, model, wins, ties)

    x = np.append(np.zeros(N - 1), start)
    for _ in range(3):
        x = minimize(f, x, method="BFGS", options={"gtol": 1e-9}).x
    # Richardson's extrapolation of two step widths.
    covariance = np.linalg.inv((4 * hessian(f, x, 2e-3) - hessian(f, x, 4e-3)) / 3)
    abilities = np.append(x[: N - 1], 0)
    centre = np.zeros((N, len(x)))
    centre[: N - 1, : N - 1] = np.eye(N - 1)
    centre[:, : N - 1] -= 1 / N
    answer = {
        "abilities": list(abilities),
        "standard_errors": list(np.append(np.sqrt(np.diag(covariance)[: N - 1]), 0)),
        "centred_abilities": list(abilities - abilities.mean()),
        "centred_standard_errors": list(np.sqrt(np.diag(centre @ covariance @ centre.T))),
        "log_likelihood": -f(x),
    }
    if len(x) == N:
        answer["tie_parameter"] = x[-1]
        answer["tie_standard_error"] = np.sqrt(covariance[-1, -1])
    return answer


def main():
    wins, ties = draw_games()
    print(json.dumps({
        "competitors": N,
        "wins": wins.ravel().tolist(),
        "ties": ties.ravel().tolist(),
        "davidson": fit(davidson, [0.5], wins, ties),
        "rao_kupper": fit(rao_kupper, [1.5], wins, ties),
        "half_wins": fit(half_wins, [], wins + ties / 2, 0 * ties),
    }, indent=1))


main()
