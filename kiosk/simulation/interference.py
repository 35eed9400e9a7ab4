"""An authority that lets things happen between its steps.

Whoever rehearses names a step of `authority.ports.Authority` and what shall happen
before or after it: an operator suspends the card, the process dies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from kiosk.authority.ports import Authority


class ProcessDied(BaseException):
    """The process is gone at this point; nothing after it happens."""


class Interference:
    """Wraps an authority; `port` is what the visit gets."""

    def __init__(self, authority: Authority) -> None:
        self._before: dict[str, Callable[[], None]] = {}
        self._after: dict[str, Callable[[], None]] = {}
        self.calls: list[str] = []
        """Names of the steps in the order they were called."""
        self.port = self.between(authority)

    def between(self, authority: Authority) -> Authority:
        """Return the same authority as another station has it."""
        return cast("Authority", _Interfered(authority, self))

    def before(self, step: str, act: Callable[[], None]) -> None:
        """Let `act` happen once, before `step`."""
        self._before[step] = act

    def after(self, step: str, act: Callable[[], None]) -> None:
        """Let `act` happen once, after `step`."""
        self._after[step] = act

    def around(self, step: str, call: Callable[[], Any]) -> Any:
        """Carry out one step with what shall happen around it."""
        self.calls.append(step)
        if (act := self._before.pop(step, None)) is not None:
            act()
        result = call()
        if (act := self._after.pop(step, None)) is not None:
            act()
        return result


class _Interfered:
    """Every method of the authority, with interference around it."""

    def __init__(self, authority: Authority, interference: Interference) -> None:
        self._authority = authority
        self._interference = interference

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._authority, name)

        def step(*args: Any, **named: Any) -> Any:
            return self._interference.around(name, lambda: method(*args, **named))

        return step


def die() -> None:
    """Let the process die here."""
    raise ProcessDied
