"""A second line into the program, beside its terminal: one JSON object each way."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable
from typing import Any

Order = dict[str, Any]
_TURN_MS = 2


class Line:
    """The test's end."""

    def __init__(self) -> None:
        self._own, self._other = socket.socketpair()
        self._own.settimeout(60)
        self._read = self._own.makefile("rb")

    @property
    def descriptor(self) -> int:
        """What the program is given."""
        return self._other.fileno()

    def begun(self) -> None:
        """The program has its end: this process needs it no more."""
        self._other.close()

    def ask(
        self,
        do: str,
        meanwhile: Callable[[], object] | None = None,
        /,
        **values: object,
    ) -> Order:
        """Have something done and return what came of it; `meanwhile`, do this."""
        self._own.sendall(json.dumps({"do": do, **values}).encode() + b"\n")
        while meanwhile is not None and not self._is_answered():
            meanwhile()
        answered = self._read.readline()
        if not answered:
            raise ProgramEnded(do)
        answer: Order = json.loads(answered)
        if "error" in answer:
            raise AssertionError(f"{do}: {answer['error']}")
        return answer

    def _is_answered(self) -> bool:
        line = select.poll()
        line.register(self._own, select.POLLIN)
        return bool(line.poll(_TURN_MS))

    def close(self) -> None:
        """Let go."""
        self._read.close()
        self._own.close()


class ProgramEnded(AssertionError):
    """The program is not there any more."""


def serve(descriptor: int, obey: Callable[[Order], Order]) -> None:
    """Answer what is asked on a thread of its own, to the end of the line."""

    def loop() -> None:
        with socket.socket(fileno=descriptor) as end, end.makefile("rb") as lines:
            for line in lines:
                try:
                    answer = obey(json.loads(line))
                except Exception as error:  # noqa: BLE001 - told to the test
                    answer = {"error": f"{type(error).__name__}: {error}"}
                end.sendall(json.dumps(answer).encode() + b"\n")

    threading.Thread(target=loop, name="laboratory", daemon=True).start()
