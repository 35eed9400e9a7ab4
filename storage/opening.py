"""How far the opening of a large registry is, for whoever waits for it.

Somebody who types a command sets what shows it, for what the same thread opens; a
station, which opens its registry on a thread of its own, shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from enum import StrEnum


class OpeningPart(StrEnum):
    """What takes long at an opening, as it is called where it is shown."""

    READING = "bytes of the registry"
    BRINGING_FORWARD = "records brought forward"


Told = Callable[[int], object]
"""Hears of so much more that is done."""
Shows = Callable[[int, OpeningPart], AbstractContextManager[Told]]
"""Shows, for as long as the block lasts, how much of so much is done."""


def _nothing(_total: int, _part: OpeningPart) -> AbstractContextManager[Told]:
    return nullcontext(lambda _more: None)


_shows: ContextVar[Shows] = ContextVar("opening", default=_nothing)


@contextmanager
def shown_by(shows: Shows) -> Iterator[None]:
    """Have that shown of the registries that this thread opens within the block."""
    before = _shows.set(shows)
    try:
        yield
    finally:
        _shows.reset(before)


def shown(total: int, part: OpeningPart) -> AbstractContextManager[Told]:
    """Return what is to hear of each more of `total` that is done."""
    return _shows.get()(total, part)
