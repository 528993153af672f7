"""A PostgreSQL for a bench, in a folder of its own; ends with the block that asked for it."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path


def programs():
    """Where initdb and postgres are; nothing where they are not."""
    found = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


@contextlib.contextmanager
def server():
    """The URL of an empty database. PostgreSQL refuses to run as root, and runs as postgres then."""
    folder = Path(tempfile.mkdtemp(prefix="plumb-pg-"))
    as_whom = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_whom = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data, log = folder / "data", open(folder / "log", "w")
    quiet = {"stdout": log, "stderr": log, "cwd": folder, **as_whom}
    subprocess.run([programs() / "initdb", "-D", data, "-A", "trust", "-U", "plumb", "--no-locale", "-E", "UTF8"], check=True, **quiet)
    process = subprocess.Popen([programs() / "postgres", "-D", data, "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"],
                               **quiet)
    try:
        for _ in range(600):
            if subprocess.run([programs() / "pg_isready", "-q", "-h", folder], check=False).returncode == 0:
                break
            time.sleep(0.05)
        yield f"postgresql://plumb@/postgres?host={folder}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        log.close()
        shutil.rmtree(folder)
