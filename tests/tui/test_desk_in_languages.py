"""The operators' pages speak the station's language, and nothing of it is cut."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator

import pytest
from lab.desk.desk_screens import ADA, HANNA, Desk, desk
from lab.terminal.cutting import cut

from kiosk.core.errors import Message
from kiosk.faces import wording
from kiosk.texts import LANGUAGES
from kiosk.tui.screens.page import PageScreen
from kiosk.tui.widgets.page_lines import plain


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    wording.speak("en")


async def sign_in(shown: Desk) -> None:
    await shown.until_page("sign_in")


async def menu(shown: Desk) -> None:
    await shown.sign_in(HANNA)


async def credential(shown: Desk) -> None:
    await menu(shown)
    await shown.pilot.press(*"carol", "enter")
    await shown.until_page("credential")


async def nobody(shown: Desk) -> None:
    await menu(shown)
    await shown.pilot.press(*"zz")
    await shown.until_said("zz'")


async def caller(shown: Desk) -> None:
    await credential(shown)
    await shown.pilot.press("u")
    await shown.until_page("release_release")


async def template(shown: Desk) -> None:
    await shown.sign_in(ADA)
    await shown.pilot.press("tab", "t")
    await shown.until_page("templates")
    await shown.pilot.press("2")
    await shown.until_page("template_edit")


PAGES: list[Callable[[Desk], Awaitable[None]]] = [
    *(sign_in, menu, credential, caller, template)
]


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
@pytest.mark.parametrize("walk", PAGES, ids=lambda walk: walk.__name__)
async def test_a_page_is_in_the_stations_language_and_not_cut(
    walk: Callable[[Desk], Awaitable[None]], language: str
) -> None:
    async with desk(language=language) as shown:
        await walk(shown)
        screen = shown.app.screen
        assert isinstance(screen, PageScreen)
        assert wording.spoken() == language
        assert cut(shown.app) == []
        title = screen.page.title
        if isinstance(title, Message):
            assert wording.said(title) in shown.text()


async def test_whoever_looks_for_nobody_is_told_so() -> None:
    async with desk(language="de") as shown:
        await nobody(shown)
        assert "Nichts gefunden für 'zz'." in shown.text()
        await shown.pilot.press("backspace", "backspace", *"ca")
        await shown.until_said("Carol Clark")
        assert "Nichts gefunden" not in shown.text()


async def test_a_reason_stands_behind_what_it_is_about_as_the_language_has_it() -> None:
    async with desk(language="fr") as shown:
        await credential(shown)
        page = shown.app.screen
        assert isinstance(page, PageScreen)
        said = [plain(each) for each in page.page.below]
        assert "Changement, Déblocage : oui" in said
        assert not [each for each in said if re.search(r"\w: ", each)]
