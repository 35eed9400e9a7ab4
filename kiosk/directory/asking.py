"""Asking the domain a question, whichever of its controllers can answer it.

A controller may let us sign in and then fail. Who asks wants an answer, so the next one
is asked, in the same visit; the directory remembers who failed (`ports.Directory`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kiosk.directory.errors import ReadFailed, TlsRefused, Unreachable
from kiosk.directory.ports import Directory, DomainController

MOST = 3
"""Controllers that one question is put to: somebody stands there."""

Answer = TypeVar("Answer")
Question = Callable[[DomainController], Answer]


def ask(directory: Directory, question: Question[Answer]) -> Answer:
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


def ask_first(directory: Directory, first: str, question: Question[Answer]) -> Answer:
    """Return the answer of one controller, or of another if that has none.

    For what one controller knows best. As `ask`.
    """
    if not directory.rests(first):
        try:
            with directory.connect(first) as dc:
                return question(dc)
        except (Unreachable, TlsRefused):
            pass  # it rests now, and whoever answers instead says who it is
        except ReadFailed as error:
            if not error.is_of_the_controller:
                raise
    return ask(directory, question)
