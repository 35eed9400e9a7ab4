"""Every page of the operators' terminal, one after the other on one screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from kiosk.simulation.demo_desk import CARD_READER, OPERATORS_READER
from kiosk.tui.screens.page import PageScreen
from lab.desk.desk_screens import Desk, desk
from lab.matrix.desk_pages import CARDS, OPERATORS, PAGES, PEOPLE, opened

_IN_THE_TRAY = {**{name: at for at, name in enumerate(OPERATORS)}, **PEOPLE}


async def pages(
    language: str = "en", size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[str, Desk]]:
    """Yield each page's name, and the desk while it shows it."""
    async with desk(size, language) as shown:
        for name in PAGES:
            await _go(shown, name)
            yield name, shown


async def _go(shown: Desk, name: str) -> None:
    """Have what belongs to a page in the readers, and that page on the screen."""
    demo, app, (who, make) = shown.demo, _any(shown.app), PAGES[name]

    def waits() -> bool:
        return not app._asked

    for reader in (CARD_READER, OPERATORS_READER):
        if demo.readers.has_card(reader):
            demo.readers.pull(reader)
    for each in CARDS.get(name, ()):
        demo.insert(_IN_THE_TRAY[each])
    await shown.until(waits, "the cards")
    session = _any(demo.open())
    session._context.works.clear()
    session._context.drafts.clear()
    demo.ask(lambda: opened(demo, who, make))
    app._ask(lambda session: session.page())
    await shown.until(waits, name)
    assert isinstance(app.screen, PageScreen)


def _any(it: Any) -> Any:
    return it
