"""Reads a tree of result files as a Python user would: json.load in a loop, the main score of each subset."""

import json
import sys
import time
from pathlib import Path

start = time.perf_counter()
scores = {}
files = 0
for path in Path(sys.argv[1]).glob("*/*/*.json"):
    with open(path, encoding="utf-8") as file:
        result = json.load(file)
    files += 1
    for split, entries in result["scores"].items():
        for entry in entries:
            key = (path.parts[-3], path.parts[-2], result["task_name"], split, entry["hf_subset"])
            scores[key] = entry["main_score"]
print(json.dumps({"name": "results", "files": files, "seconds": time.perf_counter() - start}))
