"""A page whose successor comes before it is drawn, as on a machine that is busy."""

from __future__ import annotations

import dataclasses

from lab.desk.desk_screens import HANNA, desk

from kiosk.core.errors import Message
from kiosk.desk.tables import PageLine
from kiosk.tui.desk_app import Working
from kiosk.tui.screens.page import PageScreen


async def test_it_is_drawn_as_its_successor_says() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        menu = shown.app.screen
        assert isinstance(menu, PageScreen)
        other = dataclasses.replace(menu.page, name="another")
        more = PageLine(Message("desk.working"))
        renewed = dataclasses.replace(other, lines=(more,), below=(more,))

        shown.app._asked = 1  # what the session says by itself comes too late

        def come_at_once() -> None:
            shown.app._show(other, is_quiet=False)
            shown.app._working(Working(Message("desk.working")))
            shown.app._show(renewed, is_quiet=True)

        shown.app.call_later(come_at_once)
        await shown.until_page("another")
        await shown.pilot.pause()
        assert shown.text().count("One moment") == 3, shown.text()


async def test_what_waits_until_it_is_drawn_is_not_done_to_one_that_has_been_left() -> (
    None
):
    """It is being taken away by then, the innermost first."""
    async with desk() as shown:
        await shown.sign_in(HANNA)
        menu = shown.app.screen
        assert isinstance(menu, PageScreen)
        left = dataclasses.replace(menu.page, name="left")
        follows = dataclasses.replace(menu.page, name="follows")
        shown.app._asked = 1  # what the session says by itself comes too late
        done: list[str] = []

        def come_at_once() -> None:
            for page in (left, follows):
                shown.app._show(page, is_quiet=False)
                screen = shown.app._stage.screen
                assert screen is not None
                screen.once_drawn(lambda name=page.name: done.append(name))  # type: ignore[misc]  # mypy cannot infer a lambda's default

        shown.app.call_later(come_at_once)
        await shown.until_page("follows")
        await shown.pilot.pause()
        assert done == ["follows"]
