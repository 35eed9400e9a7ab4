"""Any process of the authority opens what was sealed to it, also after a restart."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from lab.histories import NEW, STORIES, History, Story
from lab.registries import IMPLEMENTATIONS, SHARED
from lab.servers.reaches import reached_by

from kiosk.authority.errors import ProofFailed
from kiosk.authority.local import LocalAuthority
from kiosk.authority.operation.deadlines import Deadlines
from kiosk.authority.ports import Authority
from kiosk.authority.proof import seal
from kiosk.authority.proof.kept_keys import USED_SECONDS, KeptKeys
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import Prepared
from kiosk.authority.wire.calls import CALLS
from kiosk.authority.wire.messages import Question, Served
from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.secret import Secret
from statemachine.operation import Kind
from storage.registry import SEALING_KEYS_KEPT_SECONDS, Registry
from storage.vault import KeyRing, UnknownKey, Vault

VAULT = Vault(KeyRing({"a": b"k" * 32}), "house")


@pytest.fixture(params=SHARED)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def registry(kind: str, tmp_path: Path) -> Iterator[Registry]:
    made = IMPLEMENTATIONS[kind](tmp_path)
    yield made
    made.close()


class ANewProcessEachTime:
    """`ports.Authority`: each call is heard by two processes that have just begun.

    The first one's answer is lost.
    """

    def __init__(self, parts: RequiredPorts, station: str, kind: str, at: Path) -> None:
        self._parts, self._station = parts, station
        self._kind, self._at = kind, at
        self._name = parts.entropy.bytes(8).hex()
        self._numbers = itertools.count()
        self._sealing_keys: dict[str, bytes] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in CALLS:
            raise AttributeError(name)

        def call(*args: object, **named: object) -> object:
            request = CALLS[name].bound(args, named)
            question = Question(
                name,
                request,
                key=f"{self._name}-{next(self._numbers)}",
                sealing_key=self._sealing_keys.get(
                    getattr(request, "operation", ""), b""
                ),
            )
            self._heard(name, question.body)
            answer = question.answer(self._heard(name, question.body))
            if isinstance(answer, Prepared):
                self._sealing_keys[answer.operation] = answer.sealing_key
            return answer

        return call

    def _heard(self, name: str, body: bytes) -> bytes:
        registry = IMPLEMENTATIONS[self._kind](self._at)
        begun = replace(
            self._parts,
            registry=registry,
            sealing=KeptKeys(self._parts.vault, self._parts.clock, self._parts.entropy),
            fences=Deadlines(),
        )
        try:
            served = Served(
                lambda key: LocalAuthority(begun, self._station, key), begun.sealed_for
            )
            return served.answer(name, body)
        finally:
            registry.close()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_one_visit_is_served_by_a_new_process_at_each_call_and_each_repeat(
    kind: str,
    registry: Registry,
    story: Story,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached_by(
        monkeypatch,
        lambda parts, station: cast(
            "Authority", ANewProcessEachTime(parts, station, kind, tmp_path)
        ),
    )
    history = History(story, registry)
    assert history.attempt() is not None
    assert history.is_in_step()
    assert history.card_pin() == (story.pin if story.kind is Kind.FINISH else NEW)
    assert len(history.world.directory.writes) == 1


def process(clock: ManualClock, vault: Vault = VAULT) -> KeptKeys:
    return KeptKeys(vault, clock, SystemEntropy())


def test_what_was_sealed_to_one_process_opens_in_the_next(registry: Registry) -> None:
    clock = ManualClock()
    key = process(clock).current(registry)
    with Secret(b"123456") as typed:
        sealed = seal.seal(typed, public_key=key.public, operation="op")
    again = registry.read(lambda view: process(clock).named(view, key.id))
    with again.open(sealed, operation="op") as opened:
        assert opened.reveal() == b"123456"
    with pytest.raises(ProofFailed):
        again.open(sealed, operation="another")


def test_two_processes_name_one_key_until_its_hour_is_over(registry: Registry) -> None:
    clock = ManualClock()
    one, other = process(clock), process(clock)
    first = one.current(registry)
    assert other.current(registry).id == first.id
    clock.advance(USED_SECONDS)
    second = other.current(registry)
    assert second.id != first.id
    assert one.current(registry).id == second.id
    assert (
        registry.read(lambda view: process(clock).named(view, first.id)).id == first.id
    )


def test_a_key_is_kept_long_after_its_last_operation_and_then_forgotten(
    registry: Registry,
) -> None:
    clock = ManualClock()
    first = process(clock).current(registry)
    clock.advance(USED_SECONDS + 15 * 60)
    while registry.idle(clock.now()):
        pass
    registry.read(lambda view: process(clock).named(view, first.id))
    clock.advance(SEALING_KEYS_KEPT_SECONDS)
    while registry.idle(clock.now()):
        pass
    with pytest.raises(ProofFailed):
        registry.read(lambda view: process(clock).named(view, first.id))


def test_a_clock_that_was_wrong_for_a_moment_names_no_key_for_ever(
    registry: Registry,
) -> None:
    clock = ManualClock()
    ahead = ManualClock()
    ahead.advance(10 * USED_SECONDS)
    early = process(ahead).current(registry)
    here = process(clock)
    assert here.current(registry).id != early.id
    assert here.current(registry).id == here.current(registry).id


def test_no_store_has_the_private_part_bare(registry: Registry) -> None:
    key = process(ManualClock()).current(registry)
    record = registry.read(lambda view: view.sealing_key(key.id))
    assert record.private_sealed.startswith("v1.A256GCM.")
    stranger = Vault(KeyRing({"b": b"x" * 32}), "house")
    with pytest.raises(UnknownKey):
        registry.read(lambda view: process(ManualClock(), stranger).named(view, key.id))
