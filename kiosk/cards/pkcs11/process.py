"""Our side of the line to the process that has the module.

Card worker's thread. A question has a time limit; a process that does not keep it, or
ends, or answers what makes no sense is killed, and the next question starts another.
What a killed process did to the card is not known.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from kiosk.cards.errors import ModuleFailed
from kiosk.cards.pkcs11 import line
from kiosk.cards.pkcs11.messages import Answer, Request
from kiosk.cards.pkcs11.unblocking import Unblocking

SECONDS = 30.0
"""Most that one question may take; a signature may wait for a touch."""
_PASSED_ON = frozenset(
    {"HOME", "LANG", "OPENSC_CONF", "PATH", "PCSCLITE_CSOCK_NAME", "SOFTHSM2_CONF"}
)
"""What a module may know of our environment."""


class Middleware(Protocol):
    """What answers questions about one card, by a vendor's module."""

    def ask(self, request: Request) -> Answer:
        """Ask and wait for the answer, at most the time limit. ModuleFailed."""

    def failed(self, why: str) -> ModuleFailed:
        """Return the error of an answer that says the module failed; it is ended."""

    def close(self) -> None:
        """End it, whatever it does. Safe to call twice."""


class ModuleProcess:
    """One process with one module, started when it is first asked."""

    def __init__(
        self, module: Path, unblocking: Unblocking, *, seconds: float = SECONDS
    ) -> None:
        self._module = module
        self._unblocking = unblocking
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None

    def ask(self, request: Request) -> Answer:
        """Ask and wait for the answer, at most the time limit. ModuleFailed."""
        connection = self._connection or self._start()
        until = time.monotonic() + self._seconds
        connection.settimeout(self._seconds)
        try:
            line.write(connection, request)
            answer: Answer | None = _by(connection, until)
        except TimeoutError as error:
            raise self._failed("no answer in time") from error
        except (OSError, line.Garbled) as error:
            raise self._failed(type(error).__name__) from error
        if answer is None:
            raise self._failed("it ended")
        return answer

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    [
                        *(sys.executable, "-I", "-m", "kiosk.cards.pkcs11.child"),
                        *(
                            str(self._module),
                            str(self._unblocking),
                            str(theirs.fileno()),
                        ),
                    ],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={k: v for k, v in os.environ.items() if k in _PASSED_ON},
                )
        except OSError as error:
            ours.close()
            raise self._failed(type(error).__name__) from error
        self._connection = ours
        return ours

    def _failed(self, why: str) -> ModuleFailed:
        self.close()
        return ModuleFailed(module=self._module.name, why=why)

    def failed(self, why: str) -> ModuleFailed:
        """Return the error of an answer that says the module failed; it is ended."""
        return self._failed(why)

    def close(self) -> None:
        """End the process, whatever it does. Safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


def _by(connection: socket.socket, until: float) -> Answer | None:
    """Read one answer by a moment of the monotonic clock. TimeoutError."""
    connection.settimeout(max(until - time.monotonic(), 0.001))
    answer: Answer | None = line.read(connection, Answer)
    return answer
