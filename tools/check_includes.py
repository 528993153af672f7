"""The rules of the house that a search can check (docs/architecture.md).

A module may include what its line names and whatever those may include; `stats` is open to all above it; `cli`
may include everything. Some things belong to one module alone: databases, matrix products, sockets, printing.

    python3 tools/check_includes.py [ROOT]

Prints one line a violation, `file:line: ...`, and exits with 1 if there is any.
"""

import re
import sys
from pathlib import Path

USES = {
    "base": [],
    "stats": ["base"],
    "text": ["base"],
    "nn": ["base"],
    "lm": ["nn", "text", "stats"],
    "tasks": ["base", "stats", "text"],
    "raters": ["tasks", "nn", "text"],
    "rlhf": ["tasks", "lm"],
    "study": ["tasks"],
    "gap": ["tasks"],
    "evals": ["raters", "lm"],
    "mismatch": ["rlhf", "evals"],
    "report": ["gap", "mismatch"],
    "server": ["study", "gap", "report"],
    "cli": ["report", "server", "study", "mismatch", "gap", "lm"],
}

# What is searched, where it is allowed, what it is called.
RESERVED = [
    (re.compile(r'#include\s*[<"](sqlite3|pqxx|libpq|soci)'), {"study"}, "a database"),
    (re.compile(r'#include\s*[<"](oneapi/dnnl|dnnl)'), {"nn"}, "matrix products"),
    (re.compile(r'#include\s*[<"](sys/socket|netinet/|arpa/inet|httplib)'), {"server", "raters"}, "sockets"),
    (re.compile(r"\bstd::(cout|cerr|clog)\b|\b(std::)?(printf|fprintf|puts|fputs|exit|getenv)\s*\(|\bfmt::print\b"),
     {"cli"}, "printing, exit and the environment"),
]

# A loop over a part of a temporary reads what is gone, and may well read nothing: the compiler of Debian 12 is silent.
LOST = re.compile(r"\bfor \([^;]*: .*\bparse\(.*\)(\[|\.at\()")

INCLUDE = re.compile(r'#include\s*"plumb/(\w+)/')
LIBRARY = re.compile(r"plumb_module\((\w+)(?:\s+USES\s+([\w\s]*?))?(?:\s+LIBS[^)]*)?\)")


def allowed(module):
    """All modules that `module` may include."""
    reached = {module}
    for used in USES[module]:
        reached |= allowed(used)
    return reached | ({"stats", "base"} if module not in ("base", "text", "nn", "stats") else set())


def check_source(path, module):
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.search(line)
        if include and include[1] not in allowed(module):
            yield f"{path}:{number}: {module} may not include {include[1]}"
        if LOST.search(line):
            yield f"{path}:{number}: the loop is over a part of what no longer exists; give the whole a name"
        if path.name.endswith("_test.cc"):
            continue
        for pattern, modules, what in RESERVED:
            if pattern.search(line.split("//")[0]) and module not in modules:
                yield f"{path}:{number}: {what} may stand in {' and '.join(sorted(modules))} alone"


def check_libraries(cmake):
    for library in LIBRARY.finditer(cmake.read_text(encoding="utf-8")):
        for used in (library[2] or "").split():
            if library[1] in USES and used not in allowed(library[1]):
                yield f"{cmake}: library {library[1]} may not use {used}"


def violations(root):
    for folder in sorted((root / "plumb").iterdir()):
        if folder.name not in USES:
            yield f"{folder}: no such module; add it to the table in tools/check_includes.py"
            continue
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield from check_source(path, folder.name)
    if (root / "CMakeLists.txt").exists():
        yield from check_libraries(root / "CMakeLists.txt")


def main():
    found = list(violations(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
