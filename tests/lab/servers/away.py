"""An authority that goes away at one call of a visit, before it heard it or after."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.client.lines import STEP_SECONDS
from kiosk.authority.errors import AuthorityAway
from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from lab.servers.counted import Asked, Counted
from lab.servers.served import worlds


@dataclass
class Away(Counted):
    """When the authority is away: at the call `at`, and from then on."""

    is_heard: bool = False
    """The call is carried out, and its answer is lost."""
    is_back: bool = False
    """It is there again at the next call."""

    def asks(self, call: Asked) -> HttpAnswer:
        if not self.is_watching or call.number < self.at or self.at < 0:
            return call.really()
        is_this = call.number == self.at
        if not is_this and self.is_back:
            return call.really()
        if is_this and self.is_heard:
            call.really()
        raise AuthorityAway

    def reach(self, parts: RequiredPorts, station: str) -> Authority:
        """`reaches.Reach` over HTTPS, with this between."""
        return worlds().reach(parts, station, self.lines())


ENDS = ("/refuse", "/leave_out_of_step")
"""Calls that end an operation: nobody waits for what becomes of them."""


@dataclass
class Silent(Away):
    """Every address takes what it is asked, and from the call `at` on says nothing."""

    waited: float = 0.0
    """Seconds that somebody would have waited for it."""
    first: str = ""
    """The path of the first call without an answer."""

    def asks(self, call: Asked) -> HttpAnswer:
        try:
            return super().asks(call)
        except AuthorityAway:
            self.first = self.first or call.path
            if not call.path.endswith(ENDS):
                self.waited += call.seconds.get("within", STEP_SECONDS)
            raise
