"""An authority on several threads, a registry each: what two do at the same moment."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace as remade
from pathlib import Path
from typing import TypeVar

import pytest
from lab.histories import History
from lab.liar import LIMITS, Liar, named
from lab.registries import IMPLEMENTATIONS, SHARED
from lab.servers.reaches import secrets_in
from lab.servers.repeated_visits import another_code
from lab.together import at_once

from kiosk.authority.local import LocalAuthority
from kiosk.authority.operation.deadlines import Deadlines
from kiosk.authority.ports import Authority
from kiosk.authority.proof import seal, statement
from kiosk.authority.values import PrepareRequest, Verdict
from kiosk.core.errors import KioskError
from statemachine.operation import Kind, Phase
from storage import audit
from storage.memory_registry import MemoryRegistry
from storage.records import ApprovalKind
from storage.registry import Registry

T = TypeVar("T")
HANDS = 4
CHANGE, UNBLOCK = named("change"), named("unblock")


class Threads:
    """A registry, and one for each of several threads of its authority."""

    def __init__(self, name: str, folder: Path) -> None:
        opened = [IMPLEMENTATIONS[name](folder) for _ in range(HANDS + 1)]
        self.registry, self.each = opened[0], opened[1:]
        self.history = History(CHANGE, MemoryRegistry())

    def begin(self, story: str) -> History:
        self.history = History(named(story), self.registry)
        return self.history

    def all(
        self, ask: Callable[[Authority], T], stations: tuple[str, ...] = ("kiosk-1",)
    ) -> list[T | str]:
        """Let each ask at once; return the answers, or what they were refused with."""
        parts = self.history.world.parts

        def go(registry: Registry, number: int) -> T | str:
            station = stations[number % len(stations)]
            own = remade(parts, registry=registry)
            try:
                return ask(LocalAuthority(own, station))
            except KioskError as error:
                return error.message.key

        return at_once(self.each, go)

    def close(self) -> None:
        for each in (self.registry, *self.each):
            each.close()


@pytest.fixture(params=SHARED)
def threads(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Threads]:
    opened = Threads(request.param, tmp_path)
    yield opened
    assert audit.verify(list(opened.registry.audit_events())).is_sound
    opened.close()


def audited(threads: Threads, kind: str) -> int:
    return [each.kind for each in threads.registry.audit_events()].count(kind)


def prepare_request(history: History) -> PrepareRequest:
    history.home_screen()
    return PrepareRequest(
        credential=history.holder.credential,
        kind=Kind.CHANGE,
        seen=history.seen(LIMITS),
        announced=history.announced(LIMITS),
    )


def live(history: History) -> int:
    credential = history.holder.credential
    registry = history.world.registry
    return len(registry.read(lambda view: view.live_operations(credential)))


@pytest.mark.parametrize("round", range(3))
def test_of_several_who_prepare_at_one_station_one_goes_on(
    threads: Threads, round: int
) -> None:
    history = threads.begin("change")
    request = prepare_request(history)
    answers = threads.all(lambda it: it.prepare(request).operation)
    assert live(history) == 1
    assert len(set(answers)) == HANDS
    assert audited(threads, "operation.prepared") == HANDS
    assert audited(threads, "operation.refused") == HANDS - 1


@pytest.mark.parametrize("round", range(3))
def test_of_several_stations_that_prepare_one_may(threads: Threads, round: int) -> None:
    history = threads.begin("change")
    request = prepare_request(history)
    stations = tuple(f"kiosk-{number}" for number in range(HANDS))
    answers = Counter(
        threads.all(lambda it: it.prepare(request).operation and "yes", stations)
    )
    assert answers == {"yes": 1, "stop.another_is_writing": HANDS - 1}
    assert live(history) == 1


@pytest.mark.parametrize("round", range(3))
def test_a_proof_is_taken_once(threads: Threads, round: int) -> None:
    history = threads.begin("change")
    liar = Liar(history, Kind.CHANGE)
    sealed = liar.sealed()
    challenge = liar.prepared.challenge
    assert challenge is not None
    message = statement.authorisation(challenge, seal.digest(sealed))
    signed = liar.signed(0x9A, message)

    def authorise(port: Authority) -> str:
        port.authorise(liar.id, challenge.nonce, signed, sealed, going_on=False)
        return "yes"

    answers = threads.all(authorise)
    assert answers.count("yes") == 1
    assert audited(threads, "operation.authorised") == 1
    assert set(answers) <= {
        "yes",
        "authority.proof_failed",
        "refusal.operation_order",
    }


def test_an_authorisation_writes_once(threads: Threads) -> None:
    history = threads.begin("change")
    liar = Liar(history, Kind.CHANGE)
    sealed = liar.sealed()
    liar.authorise(sealed)
    liar.port.card_changing(liar.id)
    answers = threads.all(lambda it: it.write(liar.id, sealed).verdict)
    assert answers.count(Verdict.DONE) == 1
    assert len(history.world.directory.writes) == 1
    assert liar.operation.phase is Phase.DONE


@pytest.mark.parametrize("round", range(3))
def test_a_puk_is_handed_out_once(threads: Threads, round: int) -> None:
    history = threads.begin("unblock")
    liar = Liar(history, Kind.UNBLOCK)
    liar.redeem(ApprovalKind.RELEASE, history.world.release_code("alice"))
    nonce, signature = liar.presence()

    def release(port: Authority) -> int:
        answer = port.release(liar.id, nonce, signature, None)
        for secret in secrets_in(answer):
            secret.wipe()
        return len(secrets_in(answer))

    answers = threads.all(release)
    assert answers.count(1) == 1
    assert audited(threads, "escrow.puk_sent") == 1


def test_a_code_is_bound_to_its_operation_whoever_types_it(threads: Threads) -> None:
    history = threads.begin("unblock")
    liar = Liar(history, Kind.UNBLOCK)
    liar.prove_card()
    code = history.world.release_code("alice")

    def redeem(port: Authority) -> str:
        port.redeem(liar.id, ApprovalKind.RELEASE, code)
        return "yes"

    answers = threads.all(redeem)
    assert "yes" in answers
    (approval,) = history.world.registry.read(
        lambda view: view.approvals(history.holder.credential, limit=9)
    )
    assert approval.redeemed_by == liar.id
    assert set(liar.operation.approvals) == {approval.id}


def test_every_wrong_code_counts(threads: Threads) -> None:
    history = threads.begin("unblock")
    liar = Liar(history, Kind.UNBLOCK)
    liar.prove_card()
    wrong = another_code(history.world.release_code("alice"))

    def redeem(port: Authority) -> None:
        port.redeem(liar.id, ApprovalKind.RELEASE, wrong)

    answers = threads.all(redeem)
    assert answers == ["authority.code_refused"] * HANDS
    (approval,) = history.world.registry.read(
        lambda view: view.approvals(history.holder.credential, limit=9)
    )
    assert approval.wrong_entries == HANDS


# --- what the threads of a process share -------------------------------------------


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_what_is_forgotten_of_deadlines_hurts_nobody(hasty: None) -> None:
    deadlines = Deadlines()

    def remember(registry: Registry, number: int) -> bool:
        for count in range(3000):
            operation = f"{number}-{count}"
            deadlines.allow(operation, 1.0)
            if deadlines.seen_for(operation, 1.0) != 0.0:
                return False
        return True

    assert all(at_once([MemoryRegistry() for _ in range(HANDS)], remember))
