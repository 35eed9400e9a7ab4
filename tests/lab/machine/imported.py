"""A program that begins where everything is imported: a child of one that waits so.

Importing takes longer than most of what is typed. A child has words, streams and a
name of its own, takes each signal as a fresh process does, and ends as Python ends.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

from lab import left_over

_ROOT = Path(__file__).resolve().parents[3]
_MOST = 1 << 16
"""Bytes of a question."""
_HERE = "from lab.machine.imported import wait; wait({control}, {modules!r})"
"""What the one that waits is told to be."""


class Running:
    """One child."""

    def __init__(self, pid: int, stderr: IO[str]) -> None:
        self.pid, self.stderr = pid, stderr
        self.returncode: int | None = None
        """As of `subprocess.Popen`."""


class Imported:
    """Waits with these modules; one child at a time."""

    def __init__(self, *modules: str) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            told = _HERE.format(control=theirs.fileno(), modules=modules)
            self._waits = subprocess.Popen(
                [sys.executable, "-c", told],
                env={**os.environ, "PYTHONPATH": f"{_ROOT}:{_ROOT / 'tests'}"},
                pass_fds=[theirs.fileno()],
            )

    @contextmanager
    def running(self, program: str, words: Sequence[str]) -> Iterator[Running]:
        """Let a child run the program with these words; it is waited for afterwards.

        Nobody sees what it prints; its complaints are the child's `stderr`.
        """
        reads, writes = os.pipe()
        with os.fdopen(reads, encoding="utf-8") as stderr:
            try:
                question = json.dumps([program, *words]).encode()
                socket.send_fds(self._control, [question], [writes])
            finally:
                os.close(writes)
            child = Running(int(self._control.recv(_MOST)), stderr)
            try:
                yield child
            finally:
                child.returncode = int(self._control.recv(_MOST))

    def close(self) -> None:
        """Let it end."""
        self._control.close()
        self._waits.wait()


@cache
def imported(*modules: str) -> Imported:
    """Return this process's own with these modules; it goes with the run."""
    waits = Imported(*modules)
    left_over.at_the_end(waits.close)
    return waits


def wait(control: int, modules: Sequence[str]) -> None:
    """Be the one that waits; this returns when nobody asks any more.

    Each child runs its program here, and ends like any other.
    """
    for name in modules:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=control) as asked:
        while True:
            question, streams, _, _ = socket.recv_fds(asked, _MOST, 1)
            if not question:
                return
            child = os.fork()
            if not child:
                break
            os.close(streams[0])
            asked.send(str(child).encode())
            _, status = os.waitpid(child, 0)
            asked.send(str(os.waitstatus_to_exitcode(status)).encode())
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(streams[0], 2)
    os.close(streams[0])
    program, *sys.argv[1:] = json.loads(question)
    exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})
