"""A program to run on a pseudo-terminal: the plain kiosk on a fake station.

    python tests/lab/terminal/plain_on_terminal.py LOGFILE [SITUATION]

`inserted`: a card is in from the start. `pulled`: it is pulled as soon as a form was
asked for. `leaving`: it is pulled in the middle of the operation. `slow`: the operation
takes three seconds and says in the log that it ended. `two`: a second card joins when a
form was asked for. `impatient`: time is up after a second. `polite`: after half a
second it is asked who is there. `telephone`: the card waits for an answer. `languages`:
two can be chosen. `faulty`: the station lacks its directory. `noisy`: a C library
writes to standard error. `broken`: the visit has a defect that has PINs in its words.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from kiosk.authority.values import StationFault
from kiosk.cards.ports import Card, ReaderEvent
from kiosk.core.errors import Message
from kiosk.pin.challenges import in_hex, spoken
from kiosk.visit.views import Answers, CardChallenge, FieldName, Form, Progress, Result
from lab.terminal.fake_station import SETTINGS, FakeStation, FakeVisit, Script, form
from statemachine.operation import Kind

log = logging.getLogger(__name__)
NOISE = b"noise of a library\n"
_SETTINGS = {
    "impatient": {"idle_warning_after": 0.5, "idle_wipe_after": 1.0},
    "polite": {"idle_warning_after": 0.5, "idle_wipe_after": 60.0},
    "telephone": {},
    "languages": {"languages": ("en", "en-XA")},
}


class Visit(FakeVisit):
    """A visit in which things happen at the wrong moment."""

    def __init__(self, script: Script, station: Station) -> None:
        super().__init__(script)
        self._station = station

    def begin(self, kind: Kind) -> Form:
        form = super().begin(kind)
        if self._station.situation == "pulled":
            self._station.later(self._station.pull_it)
        elif self._station.situation == "two":
            self._station.later(self._station.insert)
        return form

    def close(self) -> None:
        super().close()
        log.info("visit.closed")

    def submit(
        self, form: Form, answers: Answers, emit: Callable[[Progress], None]
    ) -> Result:
        result = super().submit(form, answers, emit)
        if self._station.situation == "broken":
            raise RuntimeError(self.typed)
        if self._station.situation == "leaving":
            self._station.pull_it()
            time.sleep(0.5)
        elif self._station.situation == "slow":
            time.sleep(3.0)
            log.info("operation.ended")
        return result


class Station(FakeStation):
    """A fake station in the situation that the command line names."""

    def __init__(self, situation: str) -> None:
        changes = _SETTINGS.get(situation, {})
        super().__init__(dataclasses.replace(SETTINGS, **changes))  # type: ignore[arg-type]  # a test's own fields
        self.situation = situation
        self._card = 0
        if situation == "telephone":
            self.script.form = form(
                Kind.UNBLOCK,
                FieldName.ADMIN_RESPONSE,
                FieldName.NEW_PIN,
                challenge=CardChallenge(spoken(bytes(8)), in_hex(bytes(8))),
            )
        if situation == "faulty":
            message = Message("kiosk.unexpected")
            self.faults = (StationFault(part="directory", message=message),)

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        super().start(emit)
        if self.situation == "noisy":
            os.write(2, NOISE)
        if self.situation not in ("", "faulty", "noisy"):
            self._card = self.insert()

    def visit(self, card: Card) -> FakeVisit:
        self.visits.append(Visit(self.script, self))
        return self.visits[-1]

    def pull_it(self) -> None:
        """Pull the card that was in from the start."""
        self.pull(self._card)

    def later(self, happens: Callable[[], object]) -> None:
        """Let something happen when the person has begun to type."""
        threading.Timer(0.5, happens).start()


def main(log: str, situation: str = "") -> int:
    """Run until somebody ends it."""
    from kiosk.core.logs import set_up
    from kiosk.plain.controller import run

    set_up(Path(log))
    return run(Station(situation))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
