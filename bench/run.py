"""Times plumb against what people would use instead, side by side, and prints ratios.

Each comparison is run three times in turn (plumb, peer, plumb, peer, ...) on this machine, in the same
minutes; the table shows medians. A ratio means something only beside its peer: absolute times differ from
machine to machine.

    ./dev bench                  all of them
    ./dev bench results --json   one of them, as JSON
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "build" / "bench" / "bench"
REPEATS = 3


def run(command):
    """The one JSON object that a bench program or a peer prints."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def program(name, *arguments):
    return run([PROGRAMS / f"bench_{name}", *arguments])


def peer(name, *arguments):
    return run([sys.executable, ROOT / "bench" / f"{name}_peer.py", *arguments])


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


def bootstrap(folder):
    """10,000 paired resamples of Spearman on 1,379 pairs, 10 models."""
    data = folder / "pairs.csv"
    ours, theirs = [], []
    for _ in range(REPEATS):
        ours.append(program("bootstrap", data))
        theirs.append(peer("bootstrap", data))
    seconds = median(ours, "seconds")
    what = "paired bootstrap of Spearman"
    return [
        row(what, seconds, "s", median(theirs, "scipy_seconds"), "loop over scipy.stats.spearmanr", 100),
        row(what, seconds, "s", median(theirs, "numpy_seconds"), "vectorised NumPy", 10),
        row(what + ", one thread", median(ours, "seconds_one_thread"), "s",
            median(theirs, "numpy_seconds"), "vectorised NumPy"),
    ]


def krippendorff(_):
    """Alpha (ordinal), 1,000 resamples, 100,000 items x 5 raters."""
    ours = [program("krippendorff") for _ in range(REPEATS)]
    what = "Krippendorff alpha, 1,000 resamples"
    return [row(what, median(ours, "seconds"), "s"),
            row(what + ", peak memory", median(ours, "peak_megabytes"), "MB", target=300, at_most=True)]


def results(folder):
    """A tree of 100,000 result files."""
    tree = folder / "tree"
    program("results", tree, 100000)  # makes the tree, and warms the page cache
    ours, theirs = [], []
    for _ in range(REPEATS):
        ours.append(program("results", tree, 100000))
        theirs.append(peer("results", tree))
    return [row("reading 100,000 result files", median(ours, "seconds"), "s", median(theirs, "seconds"),
                "json.load in a loop", 20)]


PEERS = ROOT.parent / "shared" / "peers"
STORIES = ROOT.parent / "shared" / "data" / "models" / "stories260k"


def torch_training(shape, threads):
    """tokens/s of a training step in plain PyTorch; nothing where it is absent."""
    script = PEERS / "torch-llama" / "llama.py"
    done = subprocess.run(["/usr/bin/python3", script, "time", shape, str(threads), "6"], capture_output=True, text=True,
                          env=dict(os.environ, OMP_WAIT_POLICY="PASSIVE")) if script.exists() else None
    return json.loads(done.stdout)["best_tokens_per_s"] if done and done.returncode == 0 else None


def llama2c(folder):
    """tokens/s of llama2.c, one text at a time; nothing where it is absent."""
    source, binary = PEERS / "llama2.c" / "run.c", folder / "llama2c"
    if not (source.exists() and STORIES.exists()):
        return None
    subprocess.run(["gcc", "-Ofast", "-march=native", source, "-o", binary, "-lm"], check=True, capture_output=True)
    done = subprocess.run([binary, STORIES / "stories260K.bin", "-z", STORIES / "tok512.bin", "-t", "1", "-p", "1",
                           "-n", "257"], capture_output=True, text=True)
    return float(done.stderr.split("achieved tok/s:")[1])


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


def lm(folder):
    """The engine: training steps (8 x 256), generation (256 tokens), and the middle of an encoder."""
    threads = os.cpu_count()
    rows = []
    for shape, target, times in (("260k", 0.27, 4), ("15m", 0.60, 2.5)):
        for count in (1, threads):
            ours = max((program("lm", "train", shape, count) for _ in range(REPEATS)), key=lambda one: one["share"])
            what = f"train {shape}, {count} threads"
            rows.append(share(what, ours, target))
            rows.append(faster(what, ours["tokens_per_s"], torch_training(shape, count), "PyTorch", times))
    for samples, count, times in ((1, 1, 3), (64, threads, 15)):
        ours = max(program("lm", "generate", samples, count)["tokens_per_s"] for _ in range(REPEATS))
        rows.append(faster(f"generate, {samples} at once", ours, llama2c(folder), "llama2.c, one at once", times))
    for texts, length in ((32, 128), (64, 16)):
        for count in (1, threads):
            ours = max((program("lm", "encode", texts, length, count) for _ in range(REPEATS)),
                       key=lambda one: one["share"])
            rows.append(share(f"encode {texts} x {length}, MiniLM-L6's shape, {count} threads", ours, 0.78))
    return rows


BENCHES = {"lm": lm, "bootstrap": bootstrap, "krippendorff": krippendorff, "results": results}


def table(rows):
    line = "{:<44} {:>10} {:>11} {:>8} {:>9} {:>8}  {}"
    print(line.format("", "plumb", "peer", "ratio", "target", "reached", "peer is"))
    for one in rows:
        target = "" if one["target"] is None else ("<= " if one["at_most"] else ">= ") + f"{one['target']:g}"
        print(line.format(
            one["what"], f"{one['plumb']:.3f} {one['unit']}",
            f"{one['peer']:.2f} {one['unit']}" if one["peer"] else "",
            f"{one['ratio']:.1f}" if one["ratio"] else "", target,
            "" if one["reached"] is None else "yes" if one["reached"] else "no", one["peer_name"]))


def main():
    names = [name for name in sys.argv[1:] if not name.startswith("-")] or list(BENCHES)
    for name in names:
        if name not in BENCHES:
            sys.exit(f"no bench '{name}'; there are {', '.join(BENCHES)}")
    machine = {"processor": platform.processor() or platform.machine(), "threads": os.cpu_count(),
               "python": platform.python_version()}
    rows = []
    with tempfile.TemporaryDirectory(prefix="plumb-bench-") as folder:
        for name in names:
            print(f"{name}: {BENCHES[name].__doc__}", file=sys.stderr)
            rows += BENCHES[name](Path(folder))
    if "--json" in sys.argv:
        print(json.dumps({"schema": "plumb.bench/1", "machine": machine, "rows": rows}, indent=2))
    else:
        print(f"{machine['threads']} threads, {machine['processor']}, Python {machine['python']}; "
              f"medians of {REPEATS} runs in turn\n")
        table(rows)


if __name__ == "__main__":
    main()
