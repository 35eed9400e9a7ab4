"""Canaries: secrets that are looked for wherever a visit could have left them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lab import histories
from lab.canaries import encodings, found
from lab.histories import OLD, PASSWORD_BEFORE, STORIES, TRANSPORT, History, Story

from kiosk.core.secret import Secret
from kiosk.simulation.cards.faults import PullAfter, WrongStatus
from kiosk.simulation.domain_faults import BindSays, DcDown, Frozen, WriteNo
from kiosk.simulation.interference import die
from kiosk.simulation.world import World
from kiosk.texts import sentence
from kiosk.visit.views import Result
from storage import evidence_file
from storage.tinydb_registry import TinyDbRegistry

pytestmark = pytest.mark.slow

CANARY_OLD, CANARY_NEW, CANARY_TRANSPORT = b"90817264", b"83719465", b"57204916"
_FOR = {OLD: CANARY_OLD, TRANSPORT: CANARY_TRANSPORT}


def nothing(world: World) -> None:
    """All goes well."""


def dies(when: str, step: str) -> Callable[[World], None]:
    return lambda world: getattr(world.authority, when)(step, die)


def domain(fault: object) -> Callable[[World], None]:
    return lambda world: world.directory.fail(fault)  # type: ignore[arg-type]  # the simulated one


FAILURES: dict[str, Callable[[World], None]] = {
    "nothing": nothing,
    "dies before it is authorised": dies("before", "authorise"),
    "dies before the write": dies("before", "write"),
    "dies after the write": dies("after", "write"),
    "pulled early": lambda world: world.readers.faults.set(PullAfter(at=2)),
    "pulled late": lambda world: world.readers.faults.set(PullAfter(at=6)),
    "a wrong status": lambda world: world.readers.faults.set(
        WrongStatus(ins=0x24, sw=0x6F00)
    ),
    "refused by the directory": domain(WriteNo(why="policy")),
    "no answer": domain(Frozen()),
    "nobody there": domain(DcDown()),
    "the bind says no": domain(BindSays()),
}


def with_canaries(story: Story) -> Story:
    pin, password = (_FOR.get(each, each) for each in (story.pin, story.password))
    return replace(story, pin=pin, password=password)


class Watched:
    """One history on a registry of its own; everything secret in it is remembered."""

    def __init__(self, story: Story, folder: Path) -> None:
        self.folder = folder
        self.registry = TinyDbRegistry(folder / "registry.journal")
        self.history = History(with_canaries(story), self.registry)
        self.secrets = {
            "old PIN": CANARY_OLD,
            "new PIN": CANARY_NEW,
            "transport PIN": CANARY_TRANSPORT,
            "password before": PASSWORD_BEFORE,
        }
        self.results: list[Result] = []
        self._remember("PUK", self.history.puk)
        world = self.history.world
        for kind in ("release_code", "activation_code"):
            setattr(world, kind, self._listening(kind, getattr(world, kind)))

    def _remember(self, name: str, secret: Secret) -> None:
        self.secrets[name] = bytes(secret.reveal())

    def _listening(
        self, kind: str, issue: Callable[[str], Secret]
    ) -> Callable[[str], Secret]:
        def issued(name: str) -> Secret:
            code = issue(name)
            self._remember(kind, code)
            return code

        return issued

    def happens(self, spoil: Callable[[World], None]) -> None:
        result = self.history.attempt(spoil)
        if result is not None:
            self.results.append(result)
        credential = self.history.world.credential("alice")
        for field in ("current", "pending"):
            sealed = getattr(credential.escrow, f"{field}_sealed")
            if sealed:
                plain = self.history.world.parts.vault.open(
                    sealed,
                    table="credentials",
                    record=credential.id,
                    field=f"escrow.{field}",
                )
                self.secrets[f"{field} PUK"] = bytes(plain)

    def places(self, logged: str) -> Iterator[tuple[str, bytes]]:
        """Everything that was written, shown, raised or could be exported."""
        yield "the log", logged.encode()
        for result in self.results:
            yield "a result", repr(result).encode()
            for message in (result.headline, *result.facts, *result.advice):
                yield "the screen", sentence(message).encode()
        yield "a repr", repr(self.history.world.parts).encode()
        export = self.folder / "export"
        with export.open("wb") as stream:
            evidence_file.write(self.registry.audit_events(), stream)
        self.registry.close()
        for file in self.folder.rglob("*"):
            if file.is_file():
                yield file.name, file.read_bytes()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_no_secret_of_a_visit_is_anywhere(
    story: Story,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(histories, "OLD", CANARY_OLD)
    monkeypatch.setattr(histories, "NEW", CANARY_NEW)
    monkeypatch.setattr(histories, "TRANSPORT", CANARY_TRANSPORT)
    caplog.set_level(logging.DEBUG)
    for number, (name, spoil) in enumerate(FAILURES.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        watched = Watched(story, folder)
        watched.happens(spoil)
        shown = "".join(capfd.readouterr())
        logged = caplog.text + shown + repr([r.args for r in caplog.records])
        assert found(watched.secrets, watched.places(logged)) == [], name


@pytest.mark.parametrize("secret", [CANARY_NEW, b"12345678", b"7K#q"])
def test_a_secret_is_found_in_every_encoding_and_place(secret: bytes) -> None:
    """The search itself finds what it is for."""
    for called, look in encodings(secret):
        for before in (b"", b"x", b"xy"):
            hits = found({"it": secret}, [("a file", before + look + b"\n")])
            assert f"it as {called} in a file" in hits
    assert found({"it": secret}, [("a file", b"nothing of the kind")]) == []
