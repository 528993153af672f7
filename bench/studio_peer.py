"""What a plain program does: one commit an answer with Python's sqlite3, as durable as plumb's.

    studio_peer.py FOLDER ANNOTATORS SECONDS

Each annotator takes the next open slot and answers it, in a transaction of its own; prints the
milliseconds of both together as JSON.
"""

import json
import sqlite3
import sys
import threading
import time
from pathlib import Path


def connect(path):
    connection = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def annotate(path, number, end, times):
    connection = connect(path)
    while time.monotonic() < end:
        start = time.monotonic()
        connection.execute("BEGIN IMMEDIATE")
        slot = connection.execute("SELECT id FROM slots WHERE annotator IS NULL LIMIT 1").fetchone()[0]
        connection.execute("UPDATE slots SET annotator = ? WHERE id = ?", (number, slot))
        connection.execute("INSERT INTO answers(slot, body) VALUES(?, ?)", (slot, '{"rating":3.0}'))
        connection.execute("COMMIT")
        times.append(1000 * (time.monotonic() - start))


def main():
    folder, annotators, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    path = folder / "peer.db"
    path.unlink(missing_ok=True)
    connection = connect(path)
    connection.executescript("CREATE TABLE slots(id INTEGER PRIMARY KEY, annotator INTEGER);"
                             "CREATE INDEX open ON slots(id) WHERE annotator IS NULL;"
                             "CREATE TABLE answers(id INTEGER PRIMARY KEY, slot INTEGER UNIQUE, body TEXT);")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO slots(annotator) VALUES(NULL)", [()] * 100_000)
    connection.execute("COMMIT")
    times, end = [], time.monotonic() + seconds
    threads = [threading.Thread(target=annotate, args=(path, n, end, times)) for n in range(annotators)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    at = lambda share: times[int(share * (len(times) - 1))]
    print(json.dumps({"n": len(times), "median_ms": at(0.5), "p95_ms": at(0.95), "answers_per_second": len(times) / seconds}))


main()
