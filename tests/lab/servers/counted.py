"""The calls of a station to its authority, counted; something happens at one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.client.lines import Lines


@dataclass(frozen=True)
class Asked:
    """One call that is about to be made."""

    number: int
    """Counted from 0 since `begin`."""
    path: str
    seconds: Mapping[str, float]
    """How long it may take, as `Lines.ask` is told."""
    really: Callable[[], HttpAnswer]
    """Asks, as if nothing were between."""


@dataclass
class Counted:
    """Counts calls; `asks` is what becomes of one. A subclass says what happens."""

    at: int = -1
    """The call at which something happens; never, until a test says so."""
    asked: int = 0
    is_watching: bool = False

    def begin(self, *_: object) -> None:
        self.is_watching, self.asked = True, 0

    def end(self) -> None:
        self.is_watching = False

    def asks(self, call: Asked) -> HttpAnswer:
        """Let a call be made; or not."""
        return call.really()

    def lines(self) -> type[Lines]:
        """Return the lines of a station whose calls are counted."""
        counted = self

        class CountedLines(Lines):
            def ask(
                self,
                path: str,
                headers: Mapping[str, str],
                body: bytes,
                **seconds: Any,
            ) -> HttpAnswer:
                def really() -> HttpAnswer:
                    return super(CountedLines, self).ask(path, headers, body, **seconds)

                number, counted.asked = counted.asked, counted.asked + 1
                return counted.asks(Asked(number, path, seconds, really))

        return CountedLines
