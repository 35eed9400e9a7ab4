"""What happened to a credential, newest first, with who did it."""

from __future__ import annotations

from kiosk.core.errors import Message
from kiosk.desk.context import Context, Plain
from kiosk.desk.pages.events import COLUMNS, row
from kiosk.desk.tables import Table
from kiosk.desk.views import Page, PageLine, Style
from storage.records import Credential


class HistoryPage(Plain):
    """The audit events of one credential."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def show(self, context: Context) -> Page:
        view = context.office.view(self._credential.id)
        newest = enumerate(reversed(view.history))
        rows = tuple(row(event, key=str(at)) for at, event in newest)
        return Page(
            name="history",
            title=Message("desk.history", {"holder": self._credential.holder}),
            lines=tuple(PageLine(each, Style.WARNING) for each in view.missing),
            table=Table(columns=COLUMNS, rows=rows, opens=False),
        )
