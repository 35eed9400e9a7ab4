"""Canaries of every family: administrator keys, the vault's key, PUKs, codes.

All that a station writes, shows, raises or logs is searched after an operation of each
kind, way and family, in the station and behind a line, with an act now and then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.canaries import found
from lab.histories import Story
from lab.hostile import acts
from lab.hostile.explore import Planned, singles
from lab.hostile.families import ADMIN_KEY, EVERY
from lab.hostile.points import Act
from lab.hostile.town import Town

from kiosk.core.secret import Secret
from kiosk.texts import sentence
from storage import evidence_file
from storage.records import ApprovalKind
from storage.tinydb_registry import TinyDbRegistry

pytestmark = pytest.mark.slow

ACTS = 6
"""So many acts of each operation, taken evenly from all."""
by_story = pytest.mark.parametrize("story", EVERY, ids=lambda story: story.name)


class Watched:
    """A town on a journal, everything secret in it remembered."""

    def __init__(self, story: Story, folder: Path, *, is_apart: bool) -> None:
        folder.mkdir()
        self._folder = folder
        self._story = story
        self._registry = TinyDbRegistry(folder / "registry.journal")
        self.town = Town(story, registry=self._registry, is_apart=is_apart)
        person = self.town.people[0]
        vault = self.town.world.parts.vault
        self.secrets = {
            "administrator key": ADMIN_KEY,
            "vault's key": vault._ring.key(vault._ring.current),
            "PUK": bytes(person.puk.reveal()),
        }
        given = self.town.office.code

        def gives(person: object, kind: ApprovalKind) -> Secret:
            code = given(self.town.people[0], kind)
            self.secrets[f"{kind} code"] = bytes(code.reveal())
            return code

        self.town.office.code = gives  # type: ignore[method-assign]  # who listens at the desk

    def happens(self, one: Planned | None) -> None:
        town, person = self.town, self.town.people[0]

        class Plan(dict[int, tuple[str, Act]]):
            """What happens at a point is known when it is there."""

            def __contains__(self, number: object) -> bool:
                return one is not None and number == one.point

            def __getitem__(self, number: int) -> tuple[str, Act]:
                assert one is not None
                possible = acts.possible(town, person, town.points.seen[-1])
                return possible[one.choice % len(possible)]

        town.points.arm(Plan())
        town.visit(person, self._story.kind)
        town.points.armed = False

    def places(self, logged: str) -> Iterator[tuple[str, bytes]]:
        """Everything that was written, shown, raised or could be exported."""
        yield "the log", logged.encode()
        for result in self.town.people[0].shown:
            yield "a result", repr(result).encode()
            for message in (result.headline, *result.facts, *result.advice):
                yield "the screen", sentence(message).encode()
        yield "a repr", repr(self.town.world.parts).encode()
        if self.town.line is not None:
            for sent in self.town.line.sent:
                yield f"the line: {sent.call}", sent.body
        export = self._folder / "export"
        with export.open("wb") as stream:
            evidence_file.write(self._registry.audit_events(), stream)
        self._registry.close()
        for file in self._folder.rglob("*"):
            if file.is_file():
                yield file.name, file.read_bytes()


@pytest.mark.parametrize("is_apart", [False, True], ids=["in the station", "apart"])
@by_story
def test_no_key_puk_or_code_of_any_family_is_anywhere(
    story: Story,
    is_apart: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    every = list(singles(story, is_apart=is_apart))
    some = [every[number * len(every) // ACTS] for number in range(ACTS)]
    for number, one in enumerate((None, *some)):
        watched = Watched(story, tmp_path / str(number), is_apart=is_apart)
        watched.happens(one)
        shown = "".join(capfd.readouterr())
        logged = caplog.text + shown + repr([r.args for r in caplog.records])
        assert found(watched.secrets, watched.places(logged)) == [], one
