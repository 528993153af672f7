"""Encoders of all-MiniLM-L6-v2's shape: precision, padding, memory."""

import os
import sys

from common import PROGRAMS, REPEATS, ROOT, median, peak_megabytes, program, row, share, sts_lines

DATA = ROOT.parent / "shared" / "data"


def figure(what, value, unit, target=None, at_most=False, reached=None):
    """A row without a peer, whose target is on the figure itself."""
    if target is not None and reached is None:
        reached = value <= target if at_most else value >= target
    return {"what": what, "plumb": value, "unit": unit, "peer": None, "peer_name": "", "ratio": None, "target": target,
            "at_most": at_most, "reached": reached}


def possible(precision):
    """Whether this processor multiplies it."""
    flags = (line for line in open("/proc/cpuinfo") if line.startswith("flags"))
    return {"bf16": "avx512_bf16", "int8": "avx512_vnni", "f32": "flags"}[precision] in next(flags, "")


def products(texts, length):
    """A batch in each precision, f32 beside it in the same process."""
    rows = []
    for threads in (1, os.cpu_count()):
        for precision, factor in (("f32", None), ("bf16", 1.5), ("int8", 2.2)):
            if not possible(precision):
                print(f"  skipped: this processor does not multiply {precision}", file=sys.stderr)
                continue
            runs = [program("encoder", "precision", precision, texts, length, threads) for _ in range(REPEATS)]
            best = max(runs, key=lambda one: one["gflops"])
            what = f"{texts} x {length}, {precision}, {threads} threads"
            if precision == "f32":
                rows.append(share(what, best, 0.78))
            else:
                rows.append(row(what, best["seconds"], "s", median(runs, "factor") * best["seconds"], "f32, in turn", factor))
    return rows


def loss(folder):
    """How far rounding moves vectors, of random weights and of real ones."""
    paragraphs = folder / "paragraphs.txt"
    models = []
    if DATA.is_dir():
        texts = [line for line in (DATA / "corpus" / "tinystories.txt").read_text().split("\n") if line.strip()]
        paragraphs.write_text("\n".join(texts[:300]) + "\n")
        models = [("stories260k", DATA / "models" / "stories260k" / "stories260K.bin"), ("tinystories-656k", DATA / "models" / "tinystories-656k")]
    rows = []
    for precision in filter(possible, ("bf16", "int8")):
        for name, model in [("random MiniLM", None), *models]:
            found = program("encoder", "loss", precision, *([model, paragraphs] if model else []))
            lost, moved = 1e6 * (1 - found["least_cosine"]), 1e6 * found["most_moved"]
            rows.append(figure(f"cosine lost to f32 at most, {name}, {precision}", lost, "ppm", {"bf16": 100, "int8": 2000}[precision], True))
            rows.append(figure(f"a pair's cosine moved at most, {name}, {precision}", moved, "ppm"))
    return rows


def padding(folder):
    """The test sentences of STS Benchmark, sorted and ragged beside padded to the longest of a batch."""
    if not DATA.is_dir():
        print("  skipped: ../shared/data is absent", file=sys.stderr)
        return []
    sentences = folder / "sts.txt"
    pairs = (line.split("\t") for line in sts_lines(DATA / "sts" / "stsb-en", "test"))
    sentences.write_text("\n".join(text for pair in pairs for text in pair[:2]) + "\n")
    runs = [program("encoder", "padding", DATA / "tokenizers" / "bert-uncased", sentences, 32, os.cpu_count()) for _ in range(REPEATS)]
    what = "STS Benchmark, sorted and ragged"
    ours = median(runs, "seconds")
    return [row(what, ours, "s", median(runs, "padded_seconds"), "padded to the longest of 32, unsorted", 1.4),
            row(what, ours, "s", median(runs, "sorted_padded_seconds"), "padded to the longest of 32, sorted")]


def memory(folder):
    """`plumb embed` of 10,000 and of 100,000 short texts: its peak, and what a text adds."""
    precision = "int8" if possible("int8") else "f32"
    peaks = {}
    for texts in (10_000, 100_000):
        made = program("encoder", "make", folder, texts)
        peaks[texts] = peak_megabytes([PROGRAMS.parent / "plumb", "embed", folder / "task.jsonl", "--model", folder / "model", "-o",
                                       folder / "vectors.npy", "--cache", folder / "cache", "--precision", precision])
    vector = made["vector_bytes"] / made["texts"]
    each = (peaks[100_000] - peaks[10_000]) * 2**20 / 90_000
    return [figure("plumb embed, 100,000 texts, peak memory", peaks[100_000], "MB", 450, True),
            figure("of a text more, beside its vector", each - vector, "bytes", 500, True)]


def encoder(folder):
    """MiniLM-L6's shape: precisions, what rounding costs, sorting against padding, memory."""
    return products(32, 128) + products(64, 16) + loss(folder) + padding(folder) + memory(folder)
