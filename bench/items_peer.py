"""Reads a task file as a Python user would: json.loads a line, the mean of the ratings."""

import json
import sys
import time

start = time.perf_counter()
items, total = 0, 0.0
with open(sys.argv[1], encoding="utf-8") as file:
    next(file)
    for line in file:
        total += json.loads(line)["rating"]
        items += 1
print(json.dumps({"name": "items", "items": items, "mean": total / items, "seconds": time.perf_counter() - start}))
