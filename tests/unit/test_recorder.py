"""A recorded session is a scenario that holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.cards.ports import CardInserted, ReaderEvent
from kiosk.core.secret import Secret
from kiosk.simulation.demo import CAST, Demo
from kiosk.simulation.rehearsal.recorder import NotRecorded, Recorder
from kiosk.simulation.rehearsal.runner import run
from kiosk.visit.views import Answers, FieldName, Outcome, VisitPort
from statemachine.operation import Kind


class Session:
    """Somebody at the demo, without a screen."""

    def __init__(self) -> None:
        self.recorder = Recorder(Demo())
        self.visits: list[VisitPort] = []
        self.recorder.start(self._heard)

    def _heard(self, event: ReaderEvent) -> None:
        if isinstance(event, CardInserted):
            self.visits.append(self.recorder.visit(event.card))

    def insert(self, name: str) -> VisitPort:
        self.recorder.insert([role.name for role in CAST].index(name))
        self.visits[-1].recognise()
        return self.visits[-1]

    def do(self, visit: VisitPort, kind: Kind, **typed: bytes) -> Outcome:
        form = visit.begin(kind)
        values = {FieldName(name): Secret(value) for name, value in typed.items()}
        return visit.submit(form, Answers(values), lambda step: None).outcome


def test_a_recorded_session_holds_when_it_is_played(tmp_path: Path) -> None:
    session = Session()
    visit = session.insert("everyday")
    wrong = session.do(visit, Kind.CHANGE, old_pin=b"000111", new_pin=b"314159")
    assert wrong is Outcome.REFUSED
    visit.recognise()
    session.do(visit, Kind.CHANGE, old_pin=b"271828", new_pin=b"314159")
    session.recorder.pull()
    visit = session.insert("blocked")
    said = session.recorder.release_code()
    code = "".join(
        character for character in said.split("for")[0] if character.isdigit()
    )
    done = session.do(
        visit, Kind.UNBLOCK, release_code=code.encode(), new_pin=b"926535"
    )
    assert done is Outcome.DONE
    file = tmp_path / "session.toml"
    session.recorder.write(file)
    session.recorder.stop()
    assert code not in file.read_text(), "codes are given anew when it is played"
    outcome = run(file)
    assert outcome.holds, outcome.failures


def test_nothing_is_written_over(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("mine")
    recorder = Recorder(Demo())
    with pytest.raises(NotRecorded):
        recorder.write(file)
    recorder.stop()
    assert file.read_text() == "mine"
