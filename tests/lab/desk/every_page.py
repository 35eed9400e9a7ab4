"""Every page of the operators' terminal, each on a screen of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from kiosk.tui.screens.page import PageScreen
from lab.desk.desk_screens import Desk, desk
from lab.matrix.desk_pages import CARDS, OPERATORS, PAGES, PEOPLE, opened

_IN_THE_TRAY = {**{name: at for at, name in enumerate(OPERATORS)}, **PEOPLE}


async def pages(
    language: str = "en", size: tuple[int, int] = (80, 24), *, only: str = ""
) -> AsyncIterator[tuple[str, Desk]]:
    """Yield each page's name, and the desk while it shows it."""
    for name, (who, make) in PAGES.items():
        if only not in name:
            continue
        async with desk(size, language) as shown:
            app: Any = shown.app
            for each in CARDS.get(name, ()):
                shown.demo.insert(_IN_THE_TRAY[each])
            await shown.until(lambda app=app: not app._asked, "the cards")  # type: ignore[misc]  # mypy cannot infer a lambda's default
            shown.demo.ask(lambda: opened(shown.demo, who, make))  # noqa: B023 - it is asked at once
            app._ask(lambda session: session.page())
            await shown.until(
                lambda app=app: not app._asked and isinstance(app.screen, PageScreen),  # type: ignore[misc]  # mypy cannot infer a lambda's default
                name,
            )
            yield name, shown
