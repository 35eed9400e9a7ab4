"""One station of a scenario: its reader, the visit there, and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.cards.errors import CardError
from kiosk.core.errors import KioskError, Message, said_of
from kiosk.directory.errors import DirectoryError
from kiosk.simulation.interference import ProcessDied
from kiosk.simulation.rehearsal.backends import RehearsalReaders
from kiosk.visit.views import Form, Home, Progress, Result
from kiosk.visit.visit import Visit
from storage.errors import RegistryError


@dataclass(slots=True)
class RehearsedState:
    """`home`, `form`, `result` are the last ones shown there."""

    station: str
    readers: RehearsalReaders
    visit: Visit | None = None
    home: Home | None = None
    form: Form | None = None
    result: Result | None = None
    error: Message | None = None
    """What was shown instead of a home screen."""
    progress: list[Progress] = field(default_factory=list)
    last: str = ""
    """The name of the card that was inserted last."""

    def clear(self) -> None:
        """The card has left."""
        self.home = self.form = None

    def guard(self, act: Callable[[], None]) -> None:
        """Keep what a face would show instead; a dead process shows nothing."""
        try:
            act()
        except (KioskError, CardError, DirectoryError, RegistryError) as error:
            self.error = said_of(error)
        except ProcessDied:
            self.home = self.form = self.result = None
