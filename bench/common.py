"""What the benches share: programs that print one JSON object, and rows of the table."""

import csv
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "build" / "bench" / "bench"
REPEATS = 3


def run(command, environment=None):
    """The one JSON object that a bench program or a peer prints."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def program(name, *arguments):
    return run([PROGRAMS / f"bench_{name}", *arguments])


def peer(name, *arguments, environment=None):
    return run([sys.executable, ROOT / "bench" / f"{name}_peer.py", *arguments], environment)


def median(runs, key):
    return statistics.median(one[key] for one in runs)


def row(what, plumb, unit, other=None, peer_name="", target=None, at_most=False):
    """One line of the table. target: the least ratio, or the greatest figure where at_most."""
    ratio = other / plumb if other else None
    reached = None
    if target is not None:
        reached = plumb <= target if at_most else ratio >= target
    return {"what": what, "plumb": plumb, "unit": unit, "peer": other, "peer_name": peer_name,
            "ratio": ratio, "target": target, "at_most": at_most, "reached": reached}


def peak_megabytes(command):
    """The most memory that a command held."""
    done = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(done.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} failed")
    return used.ru_maxrss / 1024


def faster(what, ours, theirs, peer_name, target):
    """A row of speeds, where more is better, beside a peer that may be absent."""
    ratio = ours / theirs if theirs else None
    return {"what": what, "plumb": ours, "unit": "tokens/s", "peer": theirs, "peer_name": peer_name, "ratio": ratio,
            "target": target, "at_most": False, "reached": None if ratio is None else ratio >= target}


def share(what, run_of_ours, target):
    """A row of the share of this machine's ceiling: products of 2,048 x 2,048 x 2,048 in the same process."""
    return {"what": what, "plumb": run_of_ours["gflops"], "unit": "GFLOP/s", "peer": run_of_ours["ceiling"],
            "peer_name": "oneDNN's large product, the ceiling", "ratio": run_of_ours["share"], "target": target,
            "at_most": False, "reached": run_of_ours["share"] >= target}


def sts_lines(folder, part):
    found = sorted(folder.glob(f"*{part}*"))
    if not found:
        return []
    rows = csv.reader(found[0].open(newline=""), delimiter="\t" if found[0].suffix == ".tsv" else ",")
    return ["\t".join(text.replace("\t", " ").replace("\n", " ") for text in row[:2]) for row in rows if len(row) >= 2]


def table(rows):
    line = "{:<52} {:>10} {:>11} {:>8} {:>9} {:>8}  {}"
    print(line.format("", "plumb", "peer", "ratio", "target", "reached", "peer is"))
    for one in rows:
        target = "" if one["target"] is None else ("<= " if one["at_most"] else ">= ") + f"{one['target']:g}"
        print(line.format(
            one["what"], f"{one['plumb']:.3f} {one['unit']}",
            f"{one['peer']:.2f} {one['unit']}" if one["peer"] else "",
            f"{one['ratio']:.1f}" if one["ratio"] else "", target,
            "" if one["reached"] is None else "yes" if one["reached"] else "no", one["peer_name"]))
