"""A station whose clock jumps just before one of its calls, and stays wrong."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from lab.servers.counted import Counted
from lab.servers.served import worlds


@dataclass
class Jumping(Counted):
    """Its clock jumps at the call `at`; somebody sets it right at the end."""

    by: float = 0.0
    """Seconds."""

    def off(self) -> float:
        """Return by how many seconds it is wrong now."""
        return self.by if self.is_watching and self.asked > self.at else 0.0

    def reach(self, parts: RequiredPorts, station: str) -> Authority:
        """`reaches.Reach` over HTTPS."""
        return worlds().reach(parts, station, self.lines(), off=self.off)
