"""A PostgreSQL for a bench, in a folder of its own; ends with the block that asked for it."""

import contextlib
import os
import pwd
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
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


class Counter:
    """What passes between programs and a PostgreSQL: a trip is whatever a program sends after it was answered, waited for or not."""

    def __init__(self, behind, front):
        self.trips, self._behind, self._others, self._was_answered = 0, behind, {}, set()
        self._waiting = selectors.DefaultSelector()
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(front))
        self._door.listen(64)
        self._waiting.register(self._door, selectors.EVENT_READ)
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self):
        while True:
            for key, _ in self._waiting.select():
                if key.fileobj is self._door:
                    self._open()
                elif key.fileobj in self._others:  # else its other end has just ended both
                    self._pass_on(key.fileobj, *self._others[key.fileobj])

    def _open(self):
        client, server = self._door.accept()[0], socket.socket(socket.AF_UNIX)
        server.connect(str(self._behind))
        self._others[client], self._others[server] = (server, True), (client, False)
        self._was_answered.add(client)
        for one in (client, server):
            self._waiting.register(one, selectors.EVENT_READ)

    def _pass_on(self, one, other, from_client):
        try:
            got = one.recv(1 << 16)
        except ConnectionResetError:
            got = b""
        if not got:
            for end in (one, other):
                self._waiting.unregister(end)
                end.close()
                del self._others[end]
            return
        if from_client and one in self._was_answered:
            self.trips += 1
            self._was_answered.discard(one)
        if not from_client:
            self._was_answered.add(other)
        with contextlib.suppress(BrokenPipeError):
            other.sendall(got)


@contextlib.contextmanager
def counted(url):
    """(the URL of a counting door before that server's, its counter)."""
    folder = Path(tempfile.mkdtemp(prefix="plumb-door-"))
    behind = Path(url.split("host=")[1])
    try:
        yield f"postgresql://plumb@/postgres?host={folder}", Counter(behind / ".s.PGSQL.5432", folder / ".s.PGSQL.5432")
    finally:
        shutil.rmtree(folder)
