"""What other threads tell the app. Each carries the insertion it is about.

None carries a secret: they may be logged by type, and Textual may show their repr.
"""

from __future__ import annotations

from textual.message import Message

from kiosk.authority.ports import Fault
from kiosk.cards.ports import ReaderEvent
from kiosk.visit.views import Form, Home, Progress, Result


class ReaderNews(Message):
    """The monitor saw something. From the monitor's thread."""

    def __init__(self, event: ReaderEvent) -> None:
        super().__init__()
        self.event = event


class About(Message):
    """Base of what a visit's job reports. From the card worker's thread."""

    def __init__(self, insertion: int) -> None:
        super().__init__()
        self.insertion = insertion


class Recognised(About):
    """The card was recognised and judged."""

    def __init__(self, insertion: int, home: Home) -> None:
        super().__init__(insertion)
        self.home = home


class FormReady(About):
    """An action says what it asks for."""

    def __init__(self, insertion: int, form: Form) -> None:
        super().__init__(insertion)
        self.form = form


class Stepped(About):
    """A step began or ended."""

    def __init__(self, insertion: int, progress: Progress) -> None:
        super().__init__(insertion)
        self.progress = progress


class Ended(About):
    """An operation ended."""

    def __init__(self, insertion: int, result: Result) -> None:
        super().__init__(insertion)
        self.result = result


class Failed(About):
    """A job ended with an error instead."""

    def __init__(self, insertion: int, error: Exception) -> None:
        super().__init__(insertion)
        self.error = error


class HealthKnown(Message):
    """What is missing. From the authority worker's thread."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__()
        self.faults = faults
