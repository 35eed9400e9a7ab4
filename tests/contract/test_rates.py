"""How often something may be begun: one bound for all processes of an authority."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from lab.histories import STORIES, History
from lab.registries import IMPLEMENTATIONS

from kiosk.authority.errors import Refused
from kiosk.authority.local import LocalAuthority
from kiosk.authority.operation.transitions import UNDER_WAY_SECONDS
from kiosk.authority.rates import WITHIN_SECONDS, Bounds, Rates
from kiosk.authority.values import CardLimits, OpenRequest, PrepareRequest
from kiosk.core.errors import Message
from kiosk.directory.ports import Directory
from kiosk.pin.alphabet import Alphabet
from statemachine.operation import Kind
from storage.records import AuditEvent

CHANGE = next(story for story in STORIES if story.kind is Kind.CHANGE)
LIMITS = CardLimits(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)


class NoDirectory:
    """One that nobody may ask anything."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(name)


class Processes:
    """An authority of two processes that share a registry and nothing else."""

    def __init__(self, history: History, bounds: Bounds) -> None:
        self.history = history
        self.parts = [
            replace(history.world.parts, rates=Rates(bounds)) for _ in range(2)
        ]

    def begins(self, process: int, station: str = "kiosk-1") -> None:
        """Begin a change, as a kiosk does. Refused."""
        history = self.history
        LocalAuthority(self.parts[process], station).prepare(
            PrepareRequest(
                credential=history.holder.credential,
                kind=Kind.CHANGE,
                seen=history.seen(LIMITS),
                announced=history.announced(LIMITS),
            )
        )

    def refusal(self, process: int, station: str = "kiosk-1") -> Message | None:
        try:
            self.begins(process, station)
        except Refused as error:
            return error.reason
        return None

    def noted(self) -> list[AuditEvent]:
        events = self.history.world.registry.audit_events()
        return [each for each in events if each.kind == "operation.too_often"]


@pytest.fixture(params=IMPLEMENTATIONS)
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[History]:
    registry = IMPLEMENTATIONS[request.param](tmp_path)
    yield History(CHANGE, registry)
    registry.close()


@pytest.mark.parametrize("subject", ["card", "account", "station"])
def test_two_processes_keep_one_bound(history: History, subject: str) -> None:
    both = Processes(history, Bounds(**{subject: 4}))
    for turn in range(4):
        both.begins(turn % 2)
    for turn in range(4):
        refused = both.refusal(turn % 2)
        assert refused == Message(f"stop.too_often_{subject}", {"minutes": 15})
    (noted,) = both.noted()
    assert noted.result == f"stop.too_often_{subject}"
    history.world.clock.sleep(WITHIN_SECONDS + 1)
    for turn in range(4):
        both.begins(turn % 2)


def test_a_process_that_starts_knows_the_bound(history: History) -> None:
    before, bounds = Processes(history, Bounds(card=2)), Bounds(card=2)
    before.begins(0)
    before.begins(1)
    assert Processes(history, bounds).refusal(0) is not None


def test_no_other_station_is_refused_for_what_one_did(history: History) -> None:
    both = Processes(history, Bounds(station=2))
    for _ in range(4):
        both.refusal(0)
    assert both.refusal(0) is not None
    history.world.clock.sleep(UNDER_WAY_SECONDS)
    assert both.refusal(0) is not None
    assert both.refusal(1, "kiosk-2") is None


def test_what_is_refused_reaches_neither_registry_nor_directory(
    history: History,
) -> None:
    both = Processes(history, Bounds(card=1))
    both.begins(0)
    assert both.refusal(0) is not None
    before = len(list(history.world.registry.audit_events()))
    asked = history.announced(LIMITS)
    process = replace(both.parts[0], directory=cast("Directory", NoDirectory()))
    for _ in range(5):
        with pytest.raises(Refused):
            LocalAuthority(process, "kiosk-1").prepare(
                PrepareRequest(
                    credential=history.holder.credential,
                    kind=Kind.CHANGE,
                    seen=history.seen(LIMITS),
                    announced=asked,
                )
            )
    assert len(list(history.world.registry.audit_events())) == before


def test_what_was_not_begun_counts_as_well(history: History) -> None:
    """Who asks for what is refused writes evidence each time: until it is too often."""
    both = Processes(history, Bounds(card=3))
    port = LocalAuthority(both.parts[0], "kiosk-1")
    seen = history.seen(LIMITS)
    port.open(OpenRequest(card=history.holder.made.identity.key, seen=seen))
    said = []
    for _ in range(6):
        with pytest.raises(Refused) as refused:
            port.prepare(
                PrepareRequest(
                    credential=history.holder.credential,
                    kind=Kind.ACTIVATE,
                    seen=seen,
                    announced=history.announced(LIMITS),
                )
            )
        said.append(refused.value.reason.key)
    assert said[-1] == "stop.too_often_card"
    assert len(said) - said.count("stop.too_often_card") == 4
