"""What happens here, counted and timed, for whoever looks after a station or a fleet.

The rooms that tell know nobody who reads: `kiosk.figures` keeps what is told here for
Prometheus. Each word that is told is one of the program's own (a kind, a code of the
catalogue, the name of a call): never a person, a card, an account, a station or a text
from outside. So there are as many figures as the program has words, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

WELL = "ok"
"""What stands in the place of an error's code where there was none."""

UNKNOWN_CALL = "unknown"
"""Stands for whatever call somebody makes up: there are as many figures as calls."""


class Figures(Protocol):
    """Who hears of it. Any thread; cheap; raises nothing. Times in seconds."""

    def operation_ended(self, kind: str, result: str) -> None:
        """An operation of a visit came to its end: a `Kind`, and a final `Phase`."""

    def code(self, kind: str, event: str) -> None:
        """A release or activation code was `issued`, `redeemed`, typed `wrong`..."""

    def signed_in(self, result: str) -> None:
        """Somebody wanted to be an operator: WELL, or why not."""

    def asked(self, call: str, result: str, seconds: float) -> None:
        """A call of a station was answered: WELL, or the code of the problem."""

    def inside(self, count: int) -> None:
        """So many calls are worked on now, or wait for a thread."""

    def store(self, step: str, result: str, seconds: float, *, is_up: bool) -> None:
        """The registry was read or written."""

    def directory(self, step: str, result: str, seconds: float, *, is_up: bool) -> None:
        """The directory was connected to, or worked with."""

    def health(self, missing: Iterable[str]) -> None:
        """Say what is missing at this station now, by its part; the rest is there."""

    def stations(self, counts: Mapping[str, int]) -> None:
        """Say how many stations of the fleet stand how: a `FleetStanding` each."""

    def certificate_expires(self, at: float) -> None:
        """Say when the service's certificate ends: seconds since 1970 UTC."""


class Untold:
    """`Figures` where nobody wants them."""

    def operation_ended(self, kind: str, result: str) -> None:
        pass

    def code(self, kind: str, event: str) -> None:
        pass

    def signed_in(self, result: str) -> None:
        pass

    def asked(self, call: str, result: str, seconds: float) -> None:
        pass

    def inside(self, count: int) -> None:
        pass

    def store(self, step: str, result: str, seconds: float, *, is_up: bool) -> None:
        pass

    def directory(self, step: str, result: str, seconds: float, *, is_up: bool) -> None:
        pass

    def health(self, missing: Iterable[str]) -> None:
        pass

    def stations(self, counts: Mapping[str, int]) -> None:
        pass

    def certificate_expires(self, at: float) -> None:
        pass


UNTOLD: Figures = Untold()
