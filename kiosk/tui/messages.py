"""What other threads tell the app. A visit's news carry the visit they are about.

None carries a secret: they may be logged by type, and Textual may show their repr.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from kiosk.authority.values import StationFault
    from kiosk.cards.ports import ReaderEvent
    from kiosk.core.errors import Message as Sentence
    from kiosk.faces.error_pages import ErrorPage
    from kiosk.tui.conversation import Conversation
    from kiosk.visit.views import Form, Home, Progress, Result


class Told(Message):
    """Base of everything that the controller hears, from screens, too."""


class ReaderNews(Told):
    """The monitor saw something. From the monitor's thread."""

    def __init__(self, event: ReaderEvent) -> None:
        super().__init__()
        self.event = event


class HealthKnown(Told):
    """What is missing. From the authority worker's thread."""

    def __init__(self, faults: tuple[StationFault, ...]) -> None:
        super().__init__()
        self.faults = faults


class Printed(Told):
    """What came of printing. From the authority worker's thread."""

    def __init__(self, outcome: Sentence) -> None:
        super().__init__()
        self.outcome = outcome


class About(Told):
    """Base of what a visit's job reports. From the card worker's thread.

    `visit` tells a late report of an earlier visit, even of the same insertion.
    """

    def __init__(self, visit: Conversation) -> None:
        super().__init__()
        self.visit = visit


class Recognised(About):
    """The card was recognised and judged."""

    def __init__(self, visit: Conversation, home: Home) -> None:
        super().__init__(visit)
        self.home = home


class FormReady(About):
    """An action says what it asks for; with the card judged anew, if it was."""

    def __init__(
        self, visit: Conversation, form: Form, home: Home | None = None
    ) -> None:
        super().__init__(visit)
        self.form = form
        self.home = home


class Stepped(About):
    """A step began or ended."""

    def __init__(self, visit: Conversation, progress: Progress) -> None:
        super().__init__(visit)
        self.progress = progress


class Ended(About):
    """An operation ended."""

    def __init__(self, visit: Conversation, result: Result) -> None:
        super().__init__(visit)
        self.result = result


class Failed(About):
    """A job ended with an error instead."""

    def __init__(self, visit: Conversation, trouble: ErrorPage) -> None:
        super().__init__(visit)
        self.trouble = trouble
