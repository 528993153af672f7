"""Ends `plumb serve --demo` while a client asks for much and reads nothing, so that its request outlives the server's patience.

    slow_reader.py PROGRAM FOLDER     the demonstration's own folder is made in FOLDER; prints how the program ended
"""
import os
import re
import select
import signal
import socket
import subprocess
import sys

QUIET_SECONDS = 1.5  # without room for another byte: the server's thread waits for the reader


def start(program, folder):
    server = subprocess.Popen(
        [program, "serve", "--demo", "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": folder},
    )
    for line in server.stderr:
        found = re.search(r"serving on http://127\.0\.0\.1:(\d+)", line)
        if found:
            return server, int(found.group(1))
    raise SystemExit("the server ended by itself")


def ask_without_reading(port):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    requests = f"GET /api/openapi.json HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode() * 50
    while select.select([], [client], [], QUIET_SECONDS)[1]:
        client.send(requests)
    return client


server, port = start(sys.argv[1], sys.argv[2])
assert os.listdir(sys.argv[2]), "a demonstration has a folder of its own"
client = ask_without_reading(port)
server.send_signal(signal.SIGTERM)
code = server.wait()
print("ended", "by SIGTERM" if code == -signal.SIGTERM else code)
