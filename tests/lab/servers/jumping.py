"""A station whose clock jumps just before one of its calls, and stays wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.client.lines import Lines
from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from lab.servers.served import worlds


@dataclass
class Jumping:
    """When its clock jumps, and by how much. It never does, until a test says so."""

    at: int
    """The call, counted from 0 since `begin`."""
    by: float
    """Seconds."""
    asked: int = 0
    is_watching: bool = False

    def begin(self, *_: object) -> None:
        self.is_watching, self.asked = True, 0

    def end(self) -> None:
        """Somebody sets it right."""
        self.is_watching = False

    def off(self) -> float:
        """Return by how many seconds it is wrong now."""
        return self.by if self.is_watching and self.asked > self.at else 0.0

    def reach(self, parts: RequiredPorts, station: str) -> Authority:
        """`reaches.Reach` over HTTPS."""
        jumping = self

        class Watched(Lines):
            def ask(
                self,
                path: str,
                headers: Mapping[str, str],
                body: bytes,
                **seconds: Any,
            ) -> HttpAnswer:
                jumping.asked += 1
                return super().ask(path, headers, body, **seconds)

        return worlds().reach(parts, station, Watched, off=self.off)
