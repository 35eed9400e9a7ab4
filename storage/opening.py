"""How far the opening of a large file is, for whoever waits for it.

Somebody who types a command sets what shows it, for what the same thread opens; a
station, which opens its registry on a thread of its own, shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

Told = Callable[[int], object]
"""Hears of bytes that were read."""
Shows = Callable[[int], AbstractContextManager[Told]]
"""Shows, for as long as the block lasts, how many of so many bytes are read."""


def _nothing(_size: int) -> AbstractContextManager[Told]:
    return nullcontext(lambda _bytes: None)


_shows: ContextVar[Shows] = ContextVar("opening", default=_nothing)


@contextmanager
def shown_by(shows: Shows) -> Iterator[None]:
    """Have the files shown that this thread opens within the block."""
    before = _shows.set(shows)
    try:
        yield
    finally:
        _shows.reset(before)


def shown(size: int) -> AbstractContextManager[Told]:
    """Return what is to hear of the bytes of a file that is being opened."""
    return _shows.get()(size)
