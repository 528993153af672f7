"""The annotation studio: `plumb serve` over HTTP, on SQLite and on PostgreSQL, every commit waited for.

A disk is slow or quick, and a machine busy or idle, in the minute in which it is asked; so the same minute's bare
write and fdatasync stand beside the figures, and the processor time of the server.
"""

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import time

import postgres
from common import PROGRAMS, peer, program, row

PLUMB = PROGRAMS.parent / "plumb"
ANNOTATORS, ITEMS, ANSWERS = 32, 100_000, 100_000
SECONDS, THINK_MS = 15, 500  # a person thinks longer: this is 64 answers a second


def figure(what, value, unit, target=None):
    """A row whose target is the most that the figure itself may be."""
    return row(what, value, unit, target=target, at_most=True)


def memory(process):
    """Megabytes: now, and at most so far."""
    status = open(f"/proc/{process.pid}/status").read()
    return [int(re.search(rf"{name}:\s+(\d+)", status)[1]) / 1024 for name in ("VmRSS", "VmHWM")]


def cpu_seconds(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(where):
    """(process, port, seconds until it serves)."""
    start = time.monotonic()
    process = subprocess.Popen([PLUMB, "serve", "--port", "0", *where], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        took = time.monotonic() - start
        found = re.search(r"serving on http://127\.0\.0\.1:(\d+)", line)
        if not found:
            sys.exit(f"plumb serve: {line}")
        yield process, int(found[1]), took
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def timed(command, output):
    """Seconds, seconds of the processor, and the most megabytes of a command."""
    start = time.monotonic()
    with open(output, "wb") as out:
        process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command} failed")
    return time.monotonic() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def under_load(name, folder, port, process, tokens):
    """32 annotators who think, then 32 who do not."""
    rows = []
    for what, think in ((f"{ANNOTATORS} annotators", THINK_MS), (f"{ANNOTATORS} annotators who never think", 0)):
        before, before_cpu = program("studio", "fsync", folder), cpu_seconds(process)
        got = program("studio", "load", port, tokens, SECONDS, think)
        after, used = program("studio", "fsync", folder), cpu_seconds(process) - before_cpu
        disk = max(before["p95_ms"], after["p95_ms"])
        if got["failed"]:
            sys.exit(f"{name}: {got['failed']} requests failed")
        aim = think > 0
        rows += [row(f"{name}, {what}: saved, p95", got["saved"]["p95_ms"], "ms", disk, "write + fdatasync alone, p95",
                     20 if aim else None, aim),
                 row(f"{name}, {what}: saved, median", got["saved"]["median_ms"], "ms",
                     (before["median_ms"] + after["median_ms"]) / 2, "write + fdatasync alone, median"),
                 row(f"{name}, {what}: next item, p95", got["next"]["p95_ms"], "ms", disk, "write + fdatasync alone, p95",
                     50 if aim else None, aim),
                 row(f"{name}, {what}: next item, median", got["next"]["median_ms"], "ms"),
                 row(f"{name}, {what}: answers a second", got["answers_per_second"], "/s"),
                 row(f"{name}, {what}: server's processor time an answer", 1000 * used / max(got["saved"]["n"], 1), "ms")]
    return rows


def backend(name, folder, database, where):
    tokens = folder / f"{name}.tokens"
    made = program("studio", "make", database, ITEMS, ANSWERS, ANNOTATORS, tokens)
    rows = [figure(f"{name}: a study of {ITEMS:,} x 3 is made", made["create_seconds"], "s")]
    with serving(where) as (process, port, took):
        rows.append(figure(f"{name}: start", took, "s", 2))
        rows += under_load(name, folder, port, process, tokens)
        before = cpu_seconds(process)
        status = program("studio", "get", port, tokens, 9, "/api/studies/1/status")
        used = (cpu_seconds(process) - before) / 9
        rows += [figure(f"{name}: status at {ANSWERS:,} answers, median of 9", status["median_ms"], "ms", 300),
                 figure(f"{name}: status, the server's processor time", 1000 * used, "ms"),
                 figure(f"{name}: server's memory at {ITEMS:,} items, at most", memory(process)[1], "MB", 150)]
        if "--database" in where:
            timed([PLUMB, "study", "export", "bench", *where], folder / "export.jsonl")
            rows += during_import(folder, where[1], port, tokens)
        seconds, cpu, peak = timed([PLUMB, "study", "export", "bench", *where], folder / "export.jsonl")
        rows += [figure(f"{name}: export of {ANSWERS:,} answers", seconds, "s", 5),
                 figure(f"{name}: export, processor time", cpu, "s"), figure(f"{name}: export, peak memory", peak, "MB")]
    return rows


def round_trips(folder, url):
    """Of one annotator, one after another: what an item asked for and an answer saved cost in exchanges with the database."""
    tokens = folder / "PostgreSQL.tokens"
    lonely = folder / "one.tokens"
    lonely.write_text("".join(line + "\n" for line in tokens.read_text().split()[:2]))
    with postgres.counted(url) as (door, counter), serving(["--database", door]) as (_, port, _):
        program("studio", "load", port, lonely, 1, 0)
        before = counter.trips
        got = program("studio", "load", port, lonely, 3, 0)
    each = (counter.trips - before) / max(got["saved"]["n"], 1)
    return [figure("PostgreSQL: round trips an answer, its item asked for and sent", each, "")]


def during_import(folder, url, port, tokens):
    """How long annotators wait at most while as many answers come from a file into another study of the database."""
    program("studio", "again", url, ITEMS, "second")
    command = [PLUMB, "study", "import", "second", folder / "export.jsonl", "--database", url]
    start = time.monotonic()
    importing = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took, longest = None, []
    while took is None:
        longest.append(program("studio", "load", port, tokens, 5, THINK_MS)["saved"]["most_ms"])
        took = time.monotonic() - start if importing.poll() is not None else None
    if importing.returncode != 0:
        sys.exit(f"{command} failed")
    calm = program("studio", "load", port, tokens, 5, THINK_MS)["saved"]["most_ms"]
    return [figure(f"PostgreSQL: import of {ANSWERS:,} answers beside {ANNOTATORS} annotators, at most", took, "s"),
            row("PostgreSQL: saved meanwhile, the longest", max(longest), "ms", calm, "the longest without an import")]


def peers(folder):
    """A plain loop over sqlite3, a commit an answer."""
    rows = []
    for annotators in (1, ANNOTATORS):
        got = peer("studio", folder, annotators, 8)
        what = f"plain sqlite3, {annotators} annotator{'s' if annotators > 1 else ''} who never think"
        rows += [row(f"{what}: saved, p95", got["p95_ms"], "ms"), row(f"{what}: saved, median", got["median_ms"], "ms"),
                 row(f"{what}: answers a second", got["answers_per_second"], "/s")]
    return rows


def studio(folder):
    """32 annotators and a researcher on a study of 100,000 items x 3 with 100,000 answers."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    data = folder / "studio.db"
    rows = backend("SQLite", folder, data, ["--data", data]) + peers(folder)
    if postgres.programs() is None:
        print("  skipped: PostgreSQL is not installed", file=sys.stderr)
        return rows
    with postgres.server() as url:
        rows += backend("PostgreSQL", folder, url, ["--database", url]) + round_trips(folder, url)
    return rows
