#!/usr/bin/env python3
"""Runs clang-tidy over files, a process a core, and remembers what was clean.

  tools/tidy.py build/dev FILE...

A file is clean as long as neither it, nor what it includes, nor .clang-tidy, nor clang-tidy itself changes: the key is
a hash of the preprocessed text with its comments. Keys are empty files in ~/.cache/plumb-tidy; removing them is safe.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "plumb-tidy"


def key_of(entry, common):
    words = shlex.split(entry["command"])
    compiler = next(i for i, word in enumerate(words) if word.startswith("-")) - 1  # behind ccache
    run = [*words[compiler:words.index("-o")], "-E", "-P", "-C", entry["file"]]
    text = subprocess.run(run, cwd=entry["directory"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return hashlib.sha256(common + text.stdout).hexdigest() if text.returncode == 0 else None


def check(build, entry, common):
    """What clang-tidy says; nothing: the file is clean."""
    key = key_of(entry, common)
    if key and (CACHE / key).exists():
        return ""
    run = ["clang-tidy", "--quiet", "-p", build, "--extra-arg=-Wno-unknown-warning-option", entry["file"]]
    done = subprocess.run(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        return done.stdout + done.stderr
    if key:
        (CACHE / key).touch()
    return ""


def main(build, files):
    CACHE.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, check=True).stdout
    common = version + pathlib.Path(".clang-tidy").read_bytes()
    entries = {os.path.realpath(entry["file"]): entry
               for entry in json.loads((pathlib.Path(build) / "compile_commands.json").read_text())}
    wanted = [entries[os.path.realpath(file)] for file in files]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [said for said in pool.map(lambda entry: check(build, entry, common), wanted) if said]
    print("".join(found), end="", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
