"""Which of many signatures are valid: found out here, or in processes beside this.

To verify one takes as long as to read ten events of evidence, and which comes first
makes no difference. What waits is bounded, so memory stays the same however many there
are. A process that ends, or that answers what makes no sense, has found nothing out:
what it was asked is then looked at here.
"""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, NamedTuple, Protocol

import msgspec

from kiosk.authority.proof import signature

BATCH = 64
"""Claims that are handed over at once."""
FIRST = 250
"""Claims that are looked at here before a process is started: it takes longer to be
ready than to look at as many."""
LARGEST = 2_000
"""Bytes of a claim that is handed over; no card's is as large."""
_MOST_PROCESSES = 7
_AHEAD = 3
"""Batches that a process has: one that it looks at, and the next ones."""
_PIPE_BYTES = 1 << 18
"""What it may be asked before it reads: more than cards sign, so nobody waits."""
_MEANWHILE = BATCH // 2
"""Claims that are looked at here while all processes have as many: so few that none of
them has nothing to do before it is thought of again."""
LENGTH_BYTES = 4


class Claim(NamedTuple):
    """That a key signed a message."""

    spki: bytes
    """DER SubjectPublicKeyInfo."""
    message: bytes
    signature: bytes

    def is_true(self) -> bool:
        """Verify it."""
        return signature.is_signed(self.spki, self.message, self.signature)


Wrong = Callable[[], None]
"""Hears that a claim is wrong."""
Batch = Sequence[tuple[Claim, Wrong]]


class SignatureChecks(Protocol):
    """Finds out which claims are wrong, by the end. One thread."""

    def check(self, claim: Claim, wrong: Wrong) -> None:
        """Take a claim."""

    def finish(self) -> None:
        """Return when every claim that was taken has been looked at."""


class InTurn:
    """Looks at each claim as it comes."""

    def check(self, claim: Claim, wrong: Wrong) -> None:
        if not claim.is_true():
            wrong()

    def finish(self) -> None:
        """Nothing waits."""


class SharedOut:
    """Looks at claims here and, where there are many, in other processes, too.

    `close` ends those; they also end when this process does.
    """

    def __init__(self, processes: int | None = None, first: int = FIRST) -> None:
        """`processes`: how many besides this one; None: as many as processors."""
        free = len(os.sched_getaffinity(0)) - 1
        self._most = min(free if processes is None else processes, _MOST_PROCESSES)
        self._first = first
        self._taken = 0
        self._waiting: list[tuple[Claim, Wrong]] = []
        self._processes: list[_Process] = []
        self._has_begun = False

    def check(self, claim: Claim, wrong: Wrong) -> None:
        self._taken += 1
        spki, message, signed = claim
        if len(spki) + len(message) + len(signed) > LARGEST:
            _look((claim, wrong))
            return
        self._waiting.append((claim, wrong))
        if len(self._waiting) == BATCH:
            self._pass_on()

    def _pass_on(self) -> None:
        """Give what waits to a process that has little to do, or look at it here."""
        if not self._has_begun and self._taken > self._first:
            self._has_begun = True
            self._processes = [_Process() for _ in range(self._most)]
        for process in self._processes:
            process.collect()
        free = min(self._processes, key=lambda it: it.load, default=None)
        batch, self._waiting = self._waiting, []
        if free is not None and free.load >= _AHEAD:
            batch, self._waiting = batch[:_MEANWHILE], batch[_MEANWHILE:]
            _look(*batch)
        elif free is None or not free.take(batch):
            _look(*batch)

    def finish(self) -> None:
        batch, self._waiting = self._waiting, []
        _look(*batch)
        for process in self._processes:
            process.collect(wait=True)

    def close(self) -> None:
        """End the processes. Safe to call twice."""
        for process in self._processes:
            process.end()


def _look(*batch: tuple[Claim, Wrong]) -> None:
    for claim, wrong in batch:
        if not claim.is_true():
            wrong()


class _Process:
    """One process, and what it has been asked."""

    def __init__(self) -> None:
        self._asked: deque[Batch] = deque()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "kiosk.authority.proof.checking_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                start_new_session=True,  # a Ctrl+C is for us, and we end it
            )
        except OSError:
            self.end()
            return
        if sys.platform == "linux" and self._process.stdin is not None:
            with suppress(OSError):  # a smaller one will do
                fcntl.fcntl(self._process.stdin, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    @property
    def load(self) -> int:
        """How many batches it has; as many as it may when it has ended."""
        return len(self._asked) if self._process else _AHEAD

    def take(self, batch: Batch) -> bool:
        """Ask it; False: it has ended."""
        asked = msgspec.msgpack.encode([claim for claim, _ in batch])
        process = self._process
        if process is None or process.stdin is None:
            return False
        try:
            process.stdin.write(len(asked).to_bytes(LENGTH_BYTES, "big") + asked)
            process.stdin.flush()
        except OSError:
            self._failed()
            return False
        self._asked.append(batch)
        return True

    def collect(self, *, wait: bool = False) -> None:
        """Take the answers that have come; or wait for all of them."""
        while self._asked and self._process and self._process.stdout:
            stream = self._process.stdout
            if not wait and not select.select([stream], [], [], 0)[0]:
                return
            answer = _answer(stream, len(self._asked[0]))
            if answer is None:
                self._failed()
                return
            for (_, wrong), is_true in zip(self._asked.popleft(), answer, strict=True):
                if not is_true:
                    wrong()

    def _failed(self) -> None:
        """End it, and look at what it was asked here."""
        self.end()
        while self._asked:
            _look(*self._asked.popleft())

    def end(self) -> None:
        """End it, whatever it does. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                _close(stream)


def _close(stream: IO[bytes]) -> None:
    with suppress(OSError):  # what was not sent any more is of no use to anybody
        stream.close()


def _answer(stream: IO[bytes], count: int) -> Sequence[bool] | None:
    """Read what is said of that many claims; None: nothing that makes sense."""
    try:
        said = stream.read(count)
    except OSError:
        return None
    if len(said) != count or not set(said) <= {0, 1}:
        return None
    return [bool(each) for each in said]
