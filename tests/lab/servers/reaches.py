"""How a station reaches its authority: in its own process, as bytes, over HTTPS."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from kiosk.authority.local import LocalAuthority
from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import Prepared
from kiosk.authority.wire.calls import CALLS
from kiosk.authority.wire.messages import Question, Served
from kiosk.core.secret import Secret
from lab.servers.served import over_https, worlds

Reach = Callable[[RequiredPorts, str], Authority]


class Remote:
    """A station's half: every call becomes bytes, and so does what comes of it."""

    def __init__(self, served: Served, name: str) -> None:
        self._served = served
        self._keys = (f"{name}-{number}" for number in itertools.count())
        self._sealing_keys: dict[str, bytes] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in CALLS:
            raise AttributeError(name)

        def call(*args: object, **named: object) -> object:
            request = CALLS[name].bound(args, named)
            operation = getattr(request, "operation", "")
            question = Question(
                name,
                request,
                key=next(self._keys),
                sealing_key=self._sealing_keys.get(operation, b""),
            )
            answer = question.answer(self._served.answer(name, question.body))
            if isinstance(answer, Prepared):
                self._sealing_keys[answer.operation] = answer.sealing_key
            return answer

        return call


def over_bytes(parts: RequiredPorts, station: str) -> Authority:
    served = Served(lambda key: LocalAuthority(parts, station, key), parts.sealed_for)
    name = parts.entropy.bytes(8).hex()
    return cast("Authority", Remote(served, name))


REACHES: dict[str, Reach] = {
    "in process": LocalAuthority,
    "over bytes": over_bytes,
    "over HTTPS": over_https,
}


@pytest.fixture(autouse=True)
def lines_closed() -> Iterator[None]:
    """Close what a test has opened to a service."""
    yield
    if worlds.cache_info().currsize:
        worlds().let_go()


def reached_by(patch: pytest.MonkeyPatch, reach: Reach) -> None:
    """Let the stations of every world reach their authority that way."""
    patch.setattr("kiosk.simulation.world.LocalAuthority", reach)


def secrets_in(answer: object) -> list[Secret]:
    """Every secret in what the authority has handed out."""
    if isinstance(answer, Secret):
        return [answer]
    fields = getattr(answer, "__struct_fields__", ())
    return [it for name in fields for it in secrets_in(getattr(answer, name))]
