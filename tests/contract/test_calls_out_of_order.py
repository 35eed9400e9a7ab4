"""The calls of a visit in another order than they were made, or with some left out.

What a station has sent is kept, and a world that is the same hears it again: in its own
order everything happens once more, and in any other one no password is written that
the order itself does not allow.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import pytest
from lab.histories import History
from lab.liar import named
from lab.servers.reaches import reached_by

from kiosk.authority.local import LocalAuthority
from kiosk.authority.ports import Authority
from kiosk.authority.proof.evidence import unproven_writes
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import Prepared
from kiosk.authority.wire.calls import CALLS
from kiosk.authority.wire.messages import Answered, Question, Served
from kiosk.visit.views import Outcome
from storage import audit

STATION = "kiosk-1"
Call = tuple[str, bytes]


@dataclass
class Recorder:
    """Keeps every call of a station as the bytes that it sent."""

    calls: list[Call] = field(default_factory=list)

    def reach(self, parts: RequiredPorts, station: str) -> Authority:
        return cast("Authority", _Kept(self, served(parts)))


class _Kept:
    def __init__(self, recorder: Recorder, served: Served) -> None:
        self._recorder, self._served = recorder, served
        self._sealing_key = b""

    def __getattr__(self, name: str) -> Any:
        if name not in CALLS:
            raise AttributeError(name)

        def call(*args: object, **named: object) -> object:
            request = CALLS[name].bound(args, named)
            calls = self._recorder.calls
            key = f"k-{len(calls)}"
            question = Question(name, request, key=key, sealing_key=self._sealing_key)
            calls.append((name, question.body))
            answer = question.answer(self._served.answer(name, question.body))
            if isinstance(answer, Prepared):
                self._sealing_key = answer.sealing_key
            return answer

        return call


def served(parts: RequiredPorts) -> Served:
    return Served(lambda key: LocalAuthority(parts, STATION, key), parts.sealed_for)


def recorded(patch: pytest.MonkeyPatch, name: str) -> Sequence[Call]:
    """Return what a station sends in a visit that goes well, from the card's coming."""
    recorder = Recorder()
    with patch.context() as during:
        reached_by(during, recorder.reach)
        result = History(named(name)).attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    return recorder.calls


def heard(name: str, calls: Sequence[Call]) -> tuple[History, list[str]]:
    """Let a world that is the same hear these; return which it carried out."""
    history = History(named(name))
    history.world.readers.insert(history.holder.made.card)
    authority = served(history.world.parts)
    done = [
        call
        for call, body in calls
        if msgspec.json.decode(authority.answer(call, body), type=Answered).error
        is None
    ]
    events = list(history.world.registry.audit_events())
    assert audit.verify(events).is_sound
    assert unproven_writes(events) == []
    return history, done


def orders(calls: Sequence[Call]) -> Iterator[tuple[Call, ...]]:
    """Yield each other order there is, and each with some left out."""
    for count in range(1, len(calls) + 1):
        for order in itertools.permutations(calls, count):
            if order != tuple(calls):
                yield order


@pytest.mark.parametrize("name", ["change", "activate", "finish"])
def test_in_another_order_no_password_is_written(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    calls = recorded(monkeypatch, name)
    names = [call for call, _ in calls]
    assert names == ["open", "prepare", "authorise", "write"]
    history, done = heard(name, calls)
    assert done == names, "the same world does the same"
    assert len(history.world.directory.writes) == 1
    needed = calls[1:]
    for order in orders(calls):
        history, _ = heard(name, order)
        may_write = [it for it in order if it in needed] == list(needed)
        writes = len(history.world.directory.writes)
        assert writes <= may_write, [it for it, _ in order]
        assert writes or order != tuple(needed), "a look before it is none of it"
