"""Asking the domain a question, whichever of its controllers can answer it.

A controller may let us sign in and then fail. Who asks wants an answer, so the next one
is asked, in the same visit; the directory remembers who failed (`ports.Directory`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kiosk.directory.ports import Directory, DomainController, ReadFailed

MOST = 3
"""Controllers that one question is put to: somebody stands there."""

Answer = TypeVar("Answer")


def ask(directory: Directory, question: Callable[[DomainController], Answer]) -> Answer:
    """Return the answer of the first controller that has one.

    The question is put anew, from its beginning, to another controller: what it reads
    comes from one of them. It must not let a ReadFailed out after it has written.
    Whatever `connect` and the question raise.
    """
    asked: set[str] = set()
    trouble: ReadFailed | None = None
    while True:
        try:
            with directory.connect() as dc:
                if trouble is not None and dc.name in asked:
                    raise trouble
                asked.add(dc.name)
                return question(dc)
        except ReadFailed as error:
            if error is trouble or not error.is_of_the_controller or len(asked) >= MOST:
                raise
            trouble = error
