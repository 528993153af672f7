"""Writes labels.json: pairs of label vectors scored by scikit-learn, as answers and as partitions.

    python3 tests/golden/labels.py > tests/golden/labels.json
"""
import json
import random
import warnings

import sklearn
from sklearn import metrics as m

warnings.simplefilter("ignore")
random.seed(7)

pairs = []
for _ in range(24):
    n, k, c = random.randint(2, 60), random.randint(1, 7), random.randint(1, 12)
    gold = [random.randrange(k) for _ in range(n)]
    noise = random.random()
    answers = [g if random.random() > noise else random.randrange(c) for g in gold]
    pairs.append((gold, answers))
six_by_five = [i // 5 for i in range(30)]
# Equal partitions into singletons are left out: there scikit-learn's AMI is 0/0 up to rounding.
degenerate = [
    ([0], [0]), ([0], [3]), ([0, 0, 0], [0, 0, 0]), ([0, 0, 0], [0, 1, 2]), ([0, 1, 2], [0, 0, 0]),
    (six_by_five, [0] * 30), (six_by_five, list(range(30))), ([0] * 30, list(range(30))),
    (six_by_five, [(g + 1) % 6 for g in six_by_five]), ([0, 0, 1, 1], [0, 1, 0, 1]), ([0, 0, 5, 5], [9, 9, 2, 2]),
]
cases = []
for gold, answers in pairs + degenerate:
    case = {"gold": gold, "answers": answers, "accuracy": m.accuracy_score(gold, answers)}
    for average in ("macro", "weighted"):
        p, r, f, _ = m.precision_recall_fscore_support(gold, answers, average=average, zero_division=0)
        case[average] = [p, r, f]
    case["confusion"] = m.confusion_matrix(gold, answers).ravel().tolist()
    case["hcv"] = m.homogeneity_completeness_v_measure(gold, answers)
    case["nmi"] = m.normalized_mutual_info_score(gold, answers)
    case["ari"] = m.adjusted_rand_score(gold, answers)
    case["ami"] = m.adjusted_mutual_info_score(gold, answers)
    cases.append(case)
print(json.dumps({"origin": f"scikit-learn {sklearn.__version__}", "cases": cases}, separators=(",", ":")))
