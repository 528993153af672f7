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
import sysconfig
import tempfile
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


def best_of_n(folder):
    """Best-of-n curves of 1,000 prompts x 1,024 samples, every n, 1,000 resamples."""
    data = folder / "scores.f64"
    ours, theirs = [], []
    for _ in range(REPEATS):
        ours.append(program("best_of_n", data))
        theirs.append(peer("best_of_n", data))
    if abs(ours[0]["sum"] - theirs[0]["sum"]) > 1e-6:
        sys.exit(f"best of n: the curves differ: {ours[0]['sum']} and {theirs[0]['sum']}")
    what = "best of n, 1,000 x 1,024, 1,000 resamples"
    seconds = median(ours, "seconds")
    return [row(what, seconds, "s", target=2, at_most=True),
            row(what, seconds, "s", median(theirs, "seconds"), "vectorised NumPy and SciPy")]


PROBES = {"classification": ("MTEB's classification: 10 draws, 2,000 texts", "scikit-learn", 20),
          "clustering": ("mini-batch k-means and V, 2,000 x 384, k = 40", "scikit-learn", 10),
          "reranking": ("reranking 10,000 queries x 100 documents", "NumPy", 50)}
# What stands behind NumPy and SciPy: Debian's default, and the alternative where it is installed.
BLAS = {"reference BLAS": "blas", "OpenBLAS": "openblas-pthread"}


def blas_folders():
    libraries = Path("/usr/lib") / sysconfig.get_config_var("MULTIARCH")
    return {name: libraries / folder for name, folder in BLAS.items() if (libraries / folder).is_dir()}


def probes(folder):
    """MTEB's probes on 384 dimensions, and reranking by cosine; the peers have one thread, which is their best."""
    rows = []
    for name, (what, peer_name, target) in PROBES.items():
        data = folder / f"{name}.vectors"
        subprocess.run([sys.executable, ROOT / "bench" / "probe_peer.py", "make", name, data], check=True)
        ours, theirs = [], {}
        for _ in range(REPEATS):
            ours.append(program("probe", name, data))
            for blas, libraries in blas_folders().items():
                theirs.setdefault(blas, []).append(
                    peer("probe", name, data, environment={"LD_LIBRARY_PATH": str(libraries)}))
        for blas, runs in theirs.items():
            worst = max(abs(a - b) for a, b in zip(ours[0]["scores"], runs[0]["scores"], strict=True))
            if worst > 1e-6:
                sys.exit(f"{what}: the scores differ by {worst:g}")
            goal = target if blas == "reference BLAS" and name != "reranking" else None
            rows.append(row(what, median(ours, "seconds"), "s", median(runs, "seconds"), f"{peer_name}, {blas}", goal))
            if "seconds_by_pairs" in runs[0]:
                rows.append(row(what, median(ours, "seconds"), "s", median(runs, "seconds_by_pairs"),
                                f"{peer_name} pair by pair, {blas}", target if blas == "reference BLAS" else None))
    return rows


BENCHES = {"bootstrap": bootstrap, "krippendorff": krippendorff, "results": results, "probes": probes,
           "best_of_n": best_of_n}


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
