"""An authority that goes away at one call of a visit, before it heard it or after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.client.lines import Lines
from kiosk.authority.errors import AuthorityAway
from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from lab.servers.served import worlds


@dataclass
class Away:
    """When the authority is away. Nothing is, until a test says so."""

    at: int = -1
    """The call, counted from 0 since `begin`."""
    is_heard: bool = False
    """The call is carried out, and its answer is lost."""
    is_back: bool = False
    """It is there again at the next call."""
    asked: int = 0
    is_watching: bool = False

    def begin(self, *_: object) -> None:
        self.is_watching, self.asked = True, 0

    def end(self) -> None:
        self.is_watching = False

    def now(self) -> tuple[bool, bool]:
        """Say of this call whether it is lost, and whether it was heard."""
        number, self.asked = self.asked, self.asked + 1
        if not self.is_watching or number < self.at or self.at < 0:
            return False, True
        is_this = number == self.at
        return is_this or not self.is_back, is_this and self.is_heard

    def reach(self, parts: RequiredPorts, station: str) -> Authority:
        """`reaches.Reach` over HTTPS, with this between."""
        away = self

        class Cut(Lines):
            def ask(
                self,
                path: str,
                headers: Mapping[str, str],
                body: bytes,
                **seconds: Any,
            ) -> HttpAnswer:
                is_lost, is_heard = away.now()
                if is_heard:
                    answer = super().ask(path, headers, body, **seconds)
                    if not is_lost:
                        return answer
                raise AuthorityAway

        return worlds().reach(parts, station, Cut)
