"""A server of the laboratory ends with its block, whoever is still connected to it."""

from __future__ import annotations

import socket
import threading

from lab.servers.bad_servers import Handler, hang_up, relay, server, stay_silent

LOCAL = "127.0.0.1"


def left_by(handle: Handler) -> set[threading.Thread]:
    """Return whom a server leaves behind whose client stays and says nothing."""
    before = set(threading.enumerate())
    with server(handle) as port:
        client = socket.create_connection((LOCAL, port))
        client.sendall(b"?")
    with client:
        return set(threading.enumerate()) - before


def test_one_that_waits_for_the_next_words_leaves_no_thread() -> None:
    assert left_by(hang_up) == set()
    assert left_by(lambda line, ended: _hear(line)) == set()
    assert left_by(stay_silent) == set()


def test_one_that_passes_everything_on_leaves_no_thread() -> None:
    with server(lambda line, ended: _hear(line)) as beyond:
        assert left_by(relay(LOCAL, beyond)) == set()


def _hear(line: socket.socket) -> None:
    while line.recv(4096):
        pass
