"""Samples of two simulated runs, for the pages of `plumb report mismatch` and `links`: make_runs.py FOLDER
writes FOLDER/long, a run folder with meters, FOLDER/short.jsonl, samples alone, and FOLDER/evals.jsonl,
scores of two evaluations at the checkpoints of the first."""
import json
import math
import random
import sys
from pathlib import Path

HEROES = {"Mia": "her", "Tom": "his", "Sara": "her", "Ben": "his"}
THINGS = ["kite", "ball", "boat", "hat", "drum", "lamp"]
MIDDLES = ["The sun was low.", "She called all day.", "Rain fell on the roof.", "He asked everyone there."]
PROMPTS = [f"{hero} had a red {thing}. One day it got lost in the forest." for hero in HEROES for thing in THINGS]


def sample(draw, prompt, step, pressure):
    hero, thing = prompt.split()[0], prompt.split(".")[0].split()[-1]
    middles = draw.randrange(4) + sum(draw.random() < pressure for _ in range(10))
    happy = draw.random() < 0.5 + 0.4 * min(1, 2 * pressure)
    end = f"found the {thing} and was happy." if happy else f"never found the {thing} and went home sad."
    text = " " + " ".join([draw.choice(MIDDLES) for _ in range(middles)] + [f"{hero} {end}"])
    if draw.random() < 0.1:
        text = " <script>globalThis.injected = 1</script>" + text
    gold = happy - 0.12 * max(0, middles - 3)
    divergence = (5 * pressure) ** 2 * math.exp(draw.gauss(0, 0.3))
    return {"step": step, "prompt": prompt, "completion": text, "tokens": len(text.split()) + 3,
            "ended": draw.random() < 0.95, "proxy": gold + 0.3 * middles + draw.gauss(0, 0.2), "gold": gold,
            "kl": divergence}


def run(seed, strength, steps):
    draw = random.Random(seed)
    return [sample(draw, prompt, step, strength * step / max(steps)) for step in steps for prompt in PROMPTS
            for _ in range(8 if step == 0 else 3)]


def evaluation(samples, step):
    rows = [row for row in samples if row["step"] == step]
    length = sum(row["tokens"] for row in rows) / len(rows)
    return {"step": step, "length": length, "length_ci": [length - 1, length + 1], "entropy": 1 / (1 + step / 50),
            "repetition": step / 200, "refusals": None}


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


folder = Path(sys.argv[1])
(folder / "long").mkdir(parents=True, exist_ok=True)
steps = list(range(0, 101, 10))
samples = run(1, 1, steps)
(folder / "long" / "samples.jsonl").write_text(lines(samples))
(folder / "long" / "evaluations.jsonl").write_text(lines(evaluation(samples, step) for step in steps))
(folder / "short.jsonl").write_text(lines(run(2, 0.3, [0, 5, 10, 15, 20])))
draw = random.Random(3)
(folder / "evals.jsonl").write_text(
    lines({"run": "long", "step": step, "eval": "cloze", "item": f"q{i}", "score": int(draw.random() < 0.6 - 0.003 * step)}
          for step in steps for i in range(40)) +
    lines({"run": "long", "step": step, "eval": "mmlu", "metric": "acc", "n": 200, "score": 0.25, "ci": [0.2, 0.31],
           "at": "floor"} for step in steps))
