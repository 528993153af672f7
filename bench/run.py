"""Times plumb against what people would use instead, side by side, and prints ratios.

Each comparison is run three times in turn (plumb, peer, plumb, peer, ...) on this machine, in the same
minutes; the table shows medians. A ratio means something only beside its peer: absolute times differ from
machine to machine.

    ./dev bench                  all of them
    ./dev bench results --json   one of them, as JSON
"""

import bisect
import itertools
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from common import PROGRAMS, REPEATS, ROOT, faster, median, peer, program, row, run, share, sts_lines, table
from encoder import encoder
from studio import studio


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


def items(folder):
    """One pass over a task of 1,000,000 items, every line checked."""
    file = folder / "items.jsonl"
    program("items", file, 1000000)  # makes the file
    ours, theirs = [], []
    for _ in range(REPEATS):
        ours.append(program("items", file, 1000000))
        theirs.append(peer("items", file))
    # Eight bytes an item know its id again; the rest does not grow.
    return [row("a pass over 1,000,000 items", median(ours, "seconds"), "s", median(theirs, "seconds"),
                "json.loads a line, nothing checked"),
            row("a pass over 1,000,000 items, peak memory", median(ours, "peak_megabytes"), "MB", target=100, at_most=True)]


def links(folder):
    """The three links and the swap tests of an imported log of 1,000,000 completions."""
    log = folder / "completions.jsonl"
    ours = [program("links", log, 1000000) for _ in range(REPEATS)]
    what = "links of 1,000,000 completions"
    return [row(what, median(ours, "seconds"), "s", target=60, at_most=True),
            row(what + ", reading alone", median(ours, "seconds_reading"), "s"),
            row(what + ", peak memory", median(ours, "peak_megabytes"), "MB", target=1000, at_most=True)]


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


def node_modules():
    """The folder of the peers from npm, installed where that is possible; nothing where it is not."""
    folder = ROOT / "build" / "bench" / "node"
    wanted = ["@huggingface/tokenizers", "tokenizers"]
    if not all((folder / "node_modules" / name).is_dir() for name in wanted):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["npm", "install", "--ignore-scripts", "--no-save", "--prefix", folder, *wanted], capture_output=True,
                           check=True, timeout=120)
        except (OSError, subprocess.SubprocessError):
            return None
    return folder


def tokenizer_inputs(folder):
    """(what, what plumb loads, the same as tokenizer.json, texts) of the real tokenizers beside the repository."""
    data = ROOT.parent / "shared" / "data"
    sentences, stories = folder / "sentences.txt", folder / "stories.txt"
    pairs = (line.split("\t") for part in ("train", "dev") for line in sts_lines(data / "sts" / "stsb-en", part))
    sentences.write_text("\n".join(text for pair in pairs for text in pair[:2]) + "\n")
    paragraphs = [line for line in (data / "corpus" / "tinystories.txt").read_text().split("\n") if line.strip()]
    stories.write_text("\n".join(paragraphs * 4) + "\n")
    gpt2 = data / "tokenizers" / "gpt2"
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    merges = [line for line in (gpt2 / "gpt2_merges.txt").read_text().split("\n") if line and not line.startswith("#version")]
    made = folder / "gpt2.json"
    made.write_text(json.dumps({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
                                "pre_tokenizer": level, "post_processor": level, "decoder": level,
                                "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                                          "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                                          "vocab": json.loads((gpt2 / "gpt2_vocab.json").read_text()), "merges": merges}}))
    bert, tiny = data / "tokenizers" / "bert-uncased", data / "models" / "tinystories-656k"
    return [("WordPiece (BERT), sentences", bert, bert / "tokenizer.json", sentences),
            ("byte-level BPE (GPT-2), stories", gpt2, made, stories),
            ("SentencePiece BPE, stories", tiny, tiny / "tokenizer.json", stories)]


def tokenizer(folder):
    """Texts a second of three real tokenizers, against Hugging Face's libraries."""
    if not (ROOT.parent / "shared" / "data" / "tokenizers").is_dir():
        print("  skipped: ../shared/data is absent", file=sys.stderr)
        return []
    modules = node_modules()
    if modules is None:
        print("  no peers: npm cannot install @huggingface/tokenizers and tokenizers", file=sys.stderr)
    rows = []
    for what, ours_path, theirs_path, texts in tokenizer_inputs(folder):
        ours, theirs = [], []
        for _ in range(REPEATS):
            ours.append(program("tokenizer", ours_path, texts))
            if modules:
                theirs.append(run(["node", ROOT / "bench" / "tokenizer_peer.mjs", modules, theirs_path, texts]))
        # Seconds for a thousand texts, so that a ratio above 1 is in plumb's favour, as elsewhere.
        per_thousand = lambda runs, key: 1000 / median(runs, key)
        rows.append(row(what + ", one by one", per_thousand(ours, "texts_per_second"), "s/1000",
                        per_thousand(theirs, "js_texts_per_second") if theirs else None, "@huggingface/tokenizers", 2 if theirs else None))
        rows.append(row(what + ", batch", per_thousand(ours, "threads_texts_per_second"), "s/1000",
                        per_thousand(theirs, "original_texts_per_second") if theirs else None, "tokenizers (Rust, in Node)", 1 if theirs else None))
    return rows


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


def lm(folder):
    """The engine: training steps (8 x 256) and generation (256 tokens)."""
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
    return rows


def share_outside(places):
    """The share of looks that found neither a product of matrices nor attention."""
    binary = PROGRAMS / "bench_rlhf"
    lines = subprocess.run(["nm", "-nC", "--defined-only", str(binary)], capture_output=True, text=True).stdout
    symbols = [(int(address, 16), name) for address, kind, name in
               (line.split(" ", 2) for line in lines.splitlines()) if kind in "tTwW"]
    starts = [address for address, _ in symbols]
    inside = re.compile(r"packed_product|small_product|register_tile|attention|product_n")
    products = sum(count for name, count in places["outside"].items() if name == "" or "dnnl" in name)
    products += sum(1 for at in places["own"] if inside.search(symbols[bisect.bisect_right(starts, at) - 1][1]))
    return 1 - products / (sum(places["outside"].values()) + len(places["own"]))


def rlhf(folder):
    """Completions, rewards and updates of RLOO on stories260k's shape: 16 prompts, 8 completions of 64 tokens each.
    The reward costs nothing (words of the completion), or is a reward model of the same shape."""
    rows = []
    for reward, count in itertools.product(("length", "model"), sorted({1, os.cpu_count() or 1})):
        runs = [program("rlhf", "rloo", 20, count, reward) for _ in range(REPEATS)]
        what = f"RLOO, stories260k's shape, reward {reward}, {count} threads"
        rows.append(row(what, median(runs, "tokens_per_s"), "tokens/s"))
        if count == 1:
            outside = statistics.median(share_outside(one) for one in runs)
            rows.append(row(what + ": neither product nor attention", outside, "of the time"))
    return rows


BENCHES = {"bootstrap": bootstrap, "krippendorff": krippendorff, "results": results, "items": items, "probes": probes, "links": links,
           "tokenizer": tokenizer, "lm": lm, "encoder": encoder, "best_of_n": best_of_n, "rlhf": rlhf, "studio": studio}


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
