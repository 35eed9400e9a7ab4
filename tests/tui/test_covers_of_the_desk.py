"""Help and palette cover an operator's page, which keeps what is typed on it."""

from __future__ import annotations

import pytest
from lab.desk.desk_screens import ADA, HANNA, Desk, desk
from lab.terminal.screens import kiosk

from kiosk.tui.screens.help import HelpScreen
from kiosk.tui.screens.page import PageScreen
from kiosk.tui.screens.palette import PaletteScreen


async def carol(shown: Desk) -> None:
    await shown.sign_in(HANNA)
    await shown.pilot.press(*"carol", "enter")
    await shown.until_page("credential")


async def covered(shown: Desk, cover: type) -> None:
    await shown.until(lambda: isinstance(shown.app.screen, cover), cover.__name__)


async def test_help_shows_every_letter_and_why_the_rest_is_refused() -> None:
    async with desk() as shown:
        await carol(shown)
        await shown.pilot.press("f1")
        await covered(shown, HelpScreen)
        text = shown.text()
        assert "U           Give an unblock code" in text
        assert "Why not …?" in text
        assert "This card has its first PIN already" in text
        await shown.pilot.press("escape")
        await covered(shown, PageScreen)
        assert shown.page() == "credential"


async def test_a_question_mark_is_typed_where_one_types() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.press("a", "question_mark")
        await shown.pilot.pause(0.2)
        assert "a?" in shown.text()
        assert not isinstance(shown.app.screen, HelpScreen)


async def test_a_few_letters_lead_anywhere() -> None:
    async with desk() as shown:
        await carol(shown)
        await shown.pilot.press("ctrl+p")
        await covered(shown, PaletteScreen)
        await shown.pilot.press(*"bloc tod")
        await shown.until_said("▸ Blocked today")
        await shown.pilot.press("enter")
        await shown.until_page("found_blocked_today")
        await shown.pilot.press("escape")
        await shown.until_page("menu")


async def test_a_choice_of_the_page_is_found_by_its_name() -> None:
    async with desk() as shown:
        await carol(shown)
        await shown.pilot.press("ctrl+p")
        await covered(shown, PaletteScreen)
        await shown.pilot.press(*"unb cod", "enter")
        await shown.until_page("release_release")


async def test_nothing_unsaved_is_left_by_the_palette() -> None:
    async with desk() as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press("tab", "t")
        await shown.until_page("templates")
        await shown.pilot.press("2")
        await shown.until_page("template_edit")
        await shown.pilot.press("pagedown", "pagedown", "down", "down")
        await shown.pilot.press("backspace", "7")
        await shown.until_said("was 6")
        await shown.pilot.press("ctrl+p")
        await covered(shown, PaletteScreen)
        await shown.pilot.press(*"risk", "enter")
        await shown.until_said("not saved")
        assert "was 6" in shown.text()


@pytest.mark.parametrize("key", ["f1", "ctrl+p"])
async def test_leaning_on_the_key_that_opens_does_no_more(key: str) -> None:
    async with desk() as shown:
        await carol(shown)
        cover = HelpScreen if key == "f1" else PaletteScreen
        await shown.pilot.press(*(key,) * 30)
        await covered(shown, cover)


async def test_enter_that_is_held_in_the_palette_goes_no_further() -> None:
    async with desk() as shown:
        await carol(shown)
        await shown.pilot.press("ctrl+p")
        await covered(shown, PaletteScreen)
        await shown.pilot.press(*"suspend", *("enter",) * 30)
        await shown.until_page("act_suspend")
        assert "Suspend the card of Carol Clark" in shown.text()


async def test_signing_out_leaves_nothing_of_the_caller() -> None:
    async with desk() as shown:
        await carol(shown)
        await shown.pilot.press("f1")
        await covered(shown, HelpScreen)
        await shown.pilot.press("f12")
        await shown.until_page("sign_in")
        assert "Carol" not in shown.text()
        below = [s for s in shown.app.screen_stack if isinstance(s, PageScreen)]
        assert len(below) == 1, "the caller's page is still under it"


@pytest.mark.parametrize("key", ["f1", "ctrl+p"])
async def test_the_kiosk_has_neither(key: str) -> None:
    async with kiosk() as shown:
        await shown.insert("everyday")
        await shown.until("Home")
        await shown.pilot.press(key)
        await shown.pilot.pause(0.2)
        assert shown.screen() == "Home"
