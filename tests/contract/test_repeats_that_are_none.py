"""Keys used for something else, at another station, and calls that were cut off."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace as remade
from pathlib import Path

import msgspec
import pytest
from lab.histories import History
from lab.liar import LIMITS, Liar, named
from lab.registries import IMPLEMENTATIONS, SHARED
from lab.servers.reaches import reached_by, secrets_in
from lab.servers.repeated_visits import VISITS, due
from lab.servers.repeating import AGAIN, came_of, reaching
from lab.together import at_once
from msgspec.structs import replace

from kiosk.authority.errors import KeyReused, Refused, SealedSecretUnreadable
from kiosk.authority.local import LocalAuthority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import PrepareRequest, Release, Verdict
from kiosk.core.clock import ManualClock
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.directory.values import Account, BindResult
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.simulation.interference import ProcessDied
from statemachine.operation import Kind, Phase
from storage.memory_registry import MemoryRegistry
from storage.records import ApprovalKind, Repeat, Sync
from storage.registry import Registry
from storage.vault import KeyRing, Vault

CHANGE, UNBLOCK = named("change"), named("unblock")


def keyed(history: History, key: str, station: str = "kiosk-1") -> LocalAuthority:
    return LocalAuthority(history.world.parts, station, key)


class Keeping(MemoryRegistry):
    """One whose kept answers can be looked at."""

    def kept(self) -> list[Repeat]:
        return list(self._tables.repeats.values())


# --- another request -----------------------------------------------------------------


class Reusing:
    """A port that asks for something else with the same key, after every call."""

    def __init__(self, parts: RequiredPorts, station: str) -> None:
        self._parts, self._station, self.refused = parts, station, 0
        self._number = 0

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*args: object, **named: object) -> object:
            self._number += 1
            key = f"{self._parts.entropy.bytes(8).hex()}-{self._number}"
            port = LocalAuthority(self._parts, self._station, key)
            answer, error = came_of(port, name, args, named)
            if self._parts.registry.read(lambda view: view.repeat(self._station, key)):
                before = _size(self._parts.registry)
                for other in _others(args, named):
                    with pytest.raises(KeyReused):
                        getattr(port, name)(*other[0], **other[1])
                with pytest.raises(KeyReused):
                    port.challenge_presence("another")
                assert _size(self._parts.registry) == before
                USED.add(name)
            if error is not None:
                raise error
            return answer

        return call


USED: set[str] = set()


def _size(registry: Registry) -> int:
    return len(list(registry.audit_events()))


def _others(
    args: tuple[object, ...], named: dict[str, object]
) -> Iterator[tuple[tuple[object, ...], dict[str, object]]]:
    """The same call with one argument changed, one after the other."""
    for at, argument in enumerate(args):
        yield (*args[:at], _another(argument), *args[at + 1 :]), named
    for name, argument in named.items():
        yield args, {**named, name: not argument}


def _another(argument: object) -> object:
    match argument:
        case ApprovalKind():
            return next(each for each in ApprovalKind if each is not argument)
        case str():
            return f"{argument}x"
        case bytes():
            return argument + b"x"
        case int():
            return argument + 1
        case None:
            return 3
        case tuple():
            return (*argument, "pending")
        case Secret():
            return Secret(bytes(argument.reveal()) + b"1")
        case PrepareRequest():
            return replace(argument, credential="another")
        case Message():
            return Message("reason.another")
        case _:
            return replace(argument, seen=replace(argument.seen, tries_left=1))  # type: ignore[type-var,attr-defined]  # a request with a card


def test_a_key_that_was_used_for_something_else_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached_by(monkeypatch, Reusing)  # type: ignore[arg-type]  # every call of the port
    for name in ("change", "unblock", "activate by code", "unblock, holder's PUK"):
        history = History(named(name))
        history.attempt()
        assert history.is_in_step()
    for visit in VISITS.values():
        visit()
    assert len(USED) == 25, sorted(USED)


# --- another station -----------------------------------------------------------------


def test_a_key_is_its_stations_own() -> None:
    history = History(CHANGE)
    liar = Liar(history, Kind.CHANGE)
    keyed(history, "k").refuse(liar.id, Message("reason.cancelled"))
    with pytest.raises(Refused) as why:
        keyed(history, "k", "kiosk-2").refuse(liar.id, Message("reason.cancelled"))
    assert why.value.reason.key == "stop.operation_elsewhere"


def test_the_same_key_prepares_at_each_station() -> None:
    history = History(CHANGE)
    history.home_screen()
    request = PrepareRequest(
        credential=history.holder.credential,
        kind=Kind.CHANGE,
        seen=history.seen(LIMITS),
        announced=history.announced(LIMITS),
    )
    here = keyed(history, "k").prepare(request)
    history.world.clock.sleep(200.0)
    there = keyed(history, "k", "kiosk-2").prepare(request)
    assert here.operation != there.operation
    assert keyed(history, "k").prepare(request) == here


# --- what is kept --------------------------------------------------------------------


def test_no_secret_is_kept_bare(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Keeping()
    reached_by(monkeypatch, reaching(AGAIN["at once"], lambda: registry))
    history = due(History(UNBLOCK, registry))
    code = history.world.release_code("alice")
    liar = Liar(history, Kind.UNBLOCK)
    liar.redeem(ApprovalKind.RELEASE, code)
    release = liar.port.release(liar.id, *liar.presence(), None)
    plan = liar.port.puk_plan(liar.id, 3)
    bare = [bytes(each.reveal()) for each in (*secrets_in(release), *secrets_in(plan))]
    bare.append(bytes(code.reveal()))
    assert len(bare) == 4
    kept = registry.kept()
    everything = b"".join(msgspec.json.encode(each) for each in kept)
    for secret in bare:
        assert secret not in everything
        assert hashlib.sha256(secret).digest() not in [each.request for each in kept]
    assert {len(each.request) for each in kept} == {32}


def test_what_was_asked_is_told_by_nobody_without_the_vaults_key() -> None:
    digests: list[bytes] = []
    for key in (b"1", b"2"):
        registry = Keeping()
        history = History(UNBLOCK, registry)
        vault = Vault(KeyRing({"k": key * 32}), "world")
        parts = remade(history.world.parts, vault=vault)
        liar = Liar(history, Kind.UNBLOCK)
        LocalAuthority(parts, "kiosk-1", "k").refuse(liar.id, Message("reason.x"))
        digests.extend(each.request for each in registry.kept())
    assert len(set(digests)) == 2


class Released:
    """An unblock whose PUK is handed out, by key."""

    def __init__(self) -> None:
        self.registry = Keeping()
        self.history = History(UNBLOCK, self.registry)
        liar = Liar(self.history, Kind.UNBLOCK)
        liar.redeem(ApprovalKind.RELEASE, self.history.world.release_code("alice"))
        self.id = liar.id
        self.nonce, self.signature = liar.presence()
        with secrets_in(self.ask("k"))[0] as puk:
            assert puk.matches(self.history.puk)

    def ask(
        self, key: str, parts: RequiredPorts | None = None, station: str = "kiosk-1"
    ) -> Release:
        port = LocalAuthority(parts or self.history.world.parts, station, key)
        return port.release(self.id, self.nonce, self.signature, None)


def test_a_kept_secret_whose_key_is_gone_is_not_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = Released()
    parts = released.history.world.parts
    other = Vault(KeyRing({"other": bytes(32)}), "world")
    monkeypatch.setattr(other, "derive", parts.vault.derive)  # of the oldest key
    with pytest.raises(SealedSecretUnreadable):
        released.ask("k", remade(parts, vault=other))


def test_a_kept_answer_that_was_put_under_another_key_is_not_answered() -> None:
    released = Released()
    (kept,) = [each for each in released.registry.kept() if each.key == "k"]
    released.registry.run(lambda tx: tx.save_repeat(replace(kept, key="other")))
    with pytest.raises(SealedSecretUnreadable):
        released.ask("other")


def test_nor_is_one_that_was_put_under_the_same_key_of_another_station() -> None:
    """Whoever can write to the registry reads no secret by a station of their own."""
    released = Released()
    (kept,) = [each for each in released.registry.kept() if each.key == "k"]
    theirs = replace(kept, station="kiosk-2")
    released.registry.run(lambda tx: tx.save_repeat(theirs))
    with pytest.raises(SealedSecretUnreadable):
        released.ask("k", station="kiosk-2")


def test_without_a_key_nothing_is_kept() -> None:
    registry = Keeping()
    history = History(UNBLOCK, registry)
    history.attempt()
    assert history.is_in_step()
    assert registry.kept() == []


# --- at once -------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHARED)
def test_one_call_that_comes_several_times_at_once_has_one_answer(
    name: str, tmp_path: Path
) -> None:
    first = IMPLEMENTATIONS[name](tmp_path)
    history = History(CHANGE, first)
    liar = Liar(history, Kind.CHANGE)
    sealed = liar.sealed()
    liar.authorise(sealed)
    liar.port.card_changing(liar.id)
    opened = [IMPLEMENTATIONS[name](tmp_path) for _ in range(3)]

    def changed(registry: Registry, _: int) -> object:
        parts = remade(history.world.parts, registry=registry)
        port = LocalAuthority(parts, "kiosk-1", "k")
        return port.card_changed(liar.id, None)

    try:
        answers = at_once(opened, changed)
    finally:
        for each in (*opened, first):
            each.close()
    assert answers[0] is not None
    assert answers[1:] == answers[:-1]


# --- a write that was cut off ------------------------------------------------------


class Written:
    """A change whose write is about to be asked for."""

    def __init__(self, story: str = "change") -> None:
        self.history = History(named(story))
        self.liar = Liar(self.history, Kind.CHANGE)
        self.sealed = self.liar.sealed()
        self.liar.authorise(self.sealed)
        self.liar.port.card_changing(self.liar.id)

    def ask(self, key: str = "k", parts: RequiredPorts | None = None) -> Verdict:
        port = LocalAuthority(parts or self.history.world.parts, "kiosk-1", key)
        return port.write(self.liar.id, self.sealed).verdict

    def dies(self, patch: pytest.MonkeyPatch, after: str) -> None:
        """Let the process die in the middle of the write."""
        world = self.history.world
        run = world.registry.run
        left = [{"marked": 2, "sent": 3}[after]]

        def commit(fn: Callable[..., object]) -> object:
            left[0] -= 1
            if left[0] == 0:
                raise ProcessDied
            return run(fn)

        patch.setattr(world.registry, "run", commit)
        with pytest.raises(ProcessDied):
            self.ask()
        patch.undo()
        world.restart()


def test_a_write_that_died_before_its_mark_is_written_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = Written()
    sealing = written.history.world.parts.sealing
    written.dies(monkeypatch, "marked")
    assert written.history.world.directory.writes == []
    parts = remade(written.history.world.parts, sealing=sealing)
    assert written.ask(parts=parts) is Verdict.DONE
    assert written.ask(parts=parts) is Verdict.DONE
    assert len(written.history.world.directory.writes) == 1


def test_a_write_that_died_after_it_was_sent_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody knows what came of it: out of step, after its deadline."""
    written = Written()
    written.dies(monkeypatch, "sent")
    assert len(written.history.world.directory.writes) == 1
    began = written.history.world.clock.monotonic()
    assert written.ask() is Verdict.OUT_OF_STEP
    waited = written.history.world.clock.monotonic() - began
    assert 0 < waited <= written.history.world.parts.write_deadline + 1
    assert written.ask() is Verdict.OUT_OF_STEP
    assert written.liar.operation.reason == "reason.interrupted"
    assert written.liar.credential.sync is Sync.OUT_OF_STEP
    assert len(written.history.world.directory.writes) == 1


def test_a_write_that_ended_otherwise_meanwhile_says_how(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The card came in again, and the visit that was cut off was ended there."""
    written = Written()
    written.dies(monkeypatch, "sent")
    written.history.look()
    assert written.liar.operation.phase is Phase.OUT_OF_STEP
    assert written.ask() is Verdict.OUT_OF_STEP


def test_a_write_that_is_asked_for_twice_at_once_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = Written()
    world = written.history.world
    sending, may_end = threading.Event(), threading.Event()

    verify = SimulatedDc.verify_password

    def slow(dc: SimulatedDc, account: Account, password: Secret) -> BindResult:
        sending.set()
        assert may_end.wait(10.0)
        return verify(dc, account, password)

    monkeypatch.setattr(SimulatedDc, "verify_password", slow)
    first: list[Verdict] = []
    thread = threading.Thread(target=lambda: first.append(written.ask()))
    thread.start()
    assert sending.wait(10.0)

    class Waiting(ManualClock):
        def sleep(self, seconds: float) -> None:
            may_end.set()
            thread.join(10.0)

    clock = Waiting(world.clock.now())
    assert written.ask(parts=remade(world.parts, clock=clock)) is Verdict.DONE
    assert first == [Verdict.DONE]
    assert len(world.directory.writes) == 1
