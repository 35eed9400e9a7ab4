"""A station beside an authority of another version, or something that is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec
import pytest
from lab.histories import STORIES, History, Story
from lab.liar import LIMITS
from lab.servers.reaches import Remote, reached_by

from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.client.lines import Lines
from kiosk.authority.client.remote import JSON, remote
from kiosk.authority.errors import (
    AuthorityAway,
    NotUnderstood,
    Refused,
    UnknownAnswer,
)
from kiosk.authority.local import LocalAuthority
from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import PrepareRequest
from kiosk.authority.wire.calls import CALLS
from kiosk.authority.wire.messages import Question, Served
from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.core.errors import Message
from kiosk.visit.views import Outcome
from statemachine.operation import Kind, Phase

PROBLEM = "application/problem+json"


class Says:
    """`Lines` to somebody who says one thing."""

    def __init__(self, status: int, kind: str, body: bytes) -> None:
        self._answer = HttpAnswer(status, kind, body, "")
        self.keys: list[str] = []

    def ask(
        self, path: str, headers: Mapping[str, str], body: bytes, **_: Any
    ) -> HttpAnswer:
        self.keys.append(headers["idempotency-key"])
        return self._answer


def asking(status: int, kind: str, body: bytes) -> Authority:
    return remote(
        cast("Lines", Says(status, kind, body)), SeededEntropy(1), ManualClock()
    )


def test_what_a_newer_one_says_besides_is_not_heard() -> None:
    body = (
        b'{"answer":{"event":"1","phase":"done","reason":"","is_ended":true,"new":1}}'
    )
    assert asking(200, JSON, body).outcome("o").phase is Phase.DONE


def test_a_no_that_only_a_newer_one_knows_keeps_its_name() -> None:
    body = (
        b'{"type":"x","error":{"code":"authority.of_tomorrow","message":{"key":"x"}}}'
    )
    with pytest.raises(UnknownAnswer) as why:
        asking(409, PROBLEM, body).outcome("o")
    assert why.value.data == {"code": "authority.of_tomorrow"}


def test_a_no_is_raised_as_itself() -> None:
    body = b'{"error":{"code":"authority.refused","message":{"key":"stop.suspended"}}}'
    with pytest.raises(Refused) as why:
        asking(409, PROBLEM, body).outcome("o")
    assert why.value.reason == Message("stop.suspended")


NOT_ITS_OWN = {
    "a proxy's page": (502, "text/html", b"<h1>Bad Gateway</h1>"),
    "a page that says all is well": (200, "text/html", b"<h1>Welcome</h1>"),
    "a proxy's problem": (503, PROBLEM, b'{"title":"no upstream"}'),
    "an answer without its form": (204, "", b""),
    "another's JSON with an error": (500, JSON, b'{"error":{"code":"x"}}'),
}


@pytest.mark.parametrize("who", NOT_ITS_OWN)
def test_what_somebody_else_says_is_no_answer_of_the_authority(who: str) -> None:
    with pytest.raises(AuthorityAway):
        asking(*NOT_ITS_OWN[who]).outcome("o")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"answer":7}'])
def test_an_answer_that_is_cut_or_altered_is_not_understood(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        asking(200, JSON, body).outcome("o")


def test_health_never_raises() -> None:
    for status, kind, body in NOT_ITS_OWN.values():
        (fault,) = asking(status, kind, body).health()
        assert fault.part == "authority"


def test_each_call_has_a_key_of_its_own() -> None:
    says = Says(502, "text/html", b"")
    authority = remote(cast("Lines", says), SeededEntropy(1), ManualClock())
    for _ in range(3):
        authority.health()
    assert len(set(says.keys)) == 3


def test_what_is_no_call_of_the_port_is_none() -> None:
    with pytest.raises(AttributeError):
        asking(200, JSON, b"{}").close  # type: ignore[attr-defined]  # noqa: B018 - that is the point


class SaysMore:
    """`Served` of a newer version: it says something besides, everywhere it can."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def answer(self, name: str, body: bytes) -> bytes:
        told = msgspec.json.decode(self._served.answer(name, body))
        return msgspec.json.encode(_with_more(told))


def _with_more(told: object) -> object:
    if isinstance(told, dict):
        return {name: _with_more(it) for name, it in told.items()} | {"besides": 1}
    return [_with_more(it) for it in told] if isinstance(told, list) else told


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_every_visit_is_made_beside_a_newer_one_that_says_more(
    monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    def reach(parts: RequiredPorts, station: str) -> Authority:
        served = Served(
            lambda key: LocalAuthority(parts, station, key), parts.sealed_for
        )
        newer = cast("Served", SaysMore(served))
        return cast("Authority", Remote(newer, parts.entropy.bytes(8).hex()))

    reached_by(monkeypatch, reach)
    history = History(story)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert history.is_in_step()


# --- the other way round: a station of a newer version --------------------------------


def _asked_in_parts(told: object, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return where in a request something could be asked for besides."""
    if not isinstance(told, dict):
        return []
    inside = [
        place for name, it in told.items() for place in _asked_in_parts(it, (*at, name))
    ]
    return [at, *inside]


def _request() -> dict[str, Any]:
    history = History(STORIES[0])
    history.home_screen()
    request = PrepareRequest(
        credential=history.holder.credential,
        kind=Kind.CHANGE,
        seen=history.seen(LIMITS),
        announced=history.announced(LIMITS),
    )
    asked = CALLS["prepare"].asked({"request": request})
    told: dict[str, Any] = msgspec.json.decode(Question("prepare", asked, key="k").body)
    return told


ECHOED = {"rules"}
"""What the authority has said goes back as it was heard, and is compared."""
PLACES = [it for it in _asked_in_parts(_request()) if not ECHOED & {*it}]


@pytest.mark.parametrize("place", PLACES, ids=lambda it: ".".join(it) or "the call")
def test_what_a_newer_station_asks_for_besides_is_refused(
    place: tuple[str, ...],
) -> None:
    parts = History(STORIES[0]).world.parts
    served = Served(lambda key: LocalAuthority(parts, "kiosk-1", key), parts.sealed_for)
    body = inside = _request()
    for name in place:
        inside = inside[name]
    inside["besides"] = 1
    told = msgspec.json.decode(served.answer("prepare", msgspec.json.encode(body)))
    assert told["error"]["code"] == NotUnderstood.code


def test_a_mark_is_among_what_a_station_tells() -> None:
    assert ("request", "request", "announced", "seen", "mark") in PLACES
