"""The operators' terminal, as keys and what can be read."""

from __future__ import annotations

import pytest
from lab.desk_screens import ADA, BOB, HANNA, OLGA, desk

from kiosk.simulation.demo_desk import OPERATORS_READER
from kiosk.tui.screens.page import PageScreen


async def test_a_helpdesk_operator_releases_an_unblock() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"carol")
        await shown.until_said("Carol Clark")
        await shown.pilot.press("enter")
        await shown.until_page("credential")
        assert "Carol Clark" in shown.text()
        await shown.pilot.press("u")
        await shown.until_page("release_release")
        assert "employee number" in shown.text()
        await shown.pilot.press("f2")
        await shown.until_page("read_out")
        await shown.pilot.press("escape")
        await shown.until_page("credential")


async def test_taking_the_operators_card_out_ends_everything() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"carol")
        await shown.until_said("Carol Clark")
        shown.demo.readers.pull(OPERATORS_READER)
        await shown.until_page("sign_in")
        assert "Carol" not in shown.text()
        assert "signed out" in shown.text()


async def test_a_pin_is_never_on_the_screen() -> None:
    async with desk() as shown:
        shown.demo.insert(HANNA)
        await shown.until_said("Type the PIN of your card")
        await shown.pilot.press(*"271828")
        assert "271828" not in shown.text()
        assert "●●●●●●" in shown.text()


async def test_what_is_being_typed_stays_when_nothing_changes_on_the_page() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"car")
        shown.demo.insert(BOB)
        await shown.pilot.pause(0.3)
        await shown.pilot.press(*"ol")
        await shown.until_said("carol")


async def test_an_officer_issues_a_card_and_sees_each_step() -> None:
    async with desk() as shown:
        await shown.sign_in(OLGA)
        await shown.pilot.press("tab", "i")
        await shown.until_page("person")
        await shown.pilot.press(*"alice", "enter")
        await shown.until_said("Alice Arnold")
        await shown.pilot.press("tab", "enter")
        await shown.until_page("template")
        await shown.pilot.press("2")
        await shown.until_page("card")
        shown.demo.insert(len(shown.demo.cards) - 1)
        await shown.until_said("A card is in the reader")
        await shown.pilot.press("f2")
        await shown.until_page("issued")
        assert "transport PIN" in shown.text()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_field_of_a_template_can_be_reached(size: tuple[int, int]) -> None:
    async with desk(size) as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press("tab", "t")
        await shown.until_page("templates")
        await shown.pilot.press("2")
        await shown.until_page("template_edit")
        screen = shown.app.screen
        assert isinstance(screen, PageScreen)
        for _ in screen.page.fields:
            await shown.pilot.press("down")
        await shown.pilot.press("f2")
        await shown.until_said("can be satisfied")


async def test_a_terminal_that_is_too_small_takes_no_key_and_comes_back() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.resize_terminal(20, 5)
        await shown.pilot.pause()
        await shown.pilot.press(*"xyz")
        await shown.pilot.resize_terminal(80, 24)
        await shown.pilot.pause()
        assert "xyz" not in shown.text()
        shown.hands.rest()
        await shown.pilot.press("enter")
        assert "came too early" in shown.text()
        shown.hands.rest()
        await shown.pilot.press(*"carol", "enter")
        await shown.until_page("credential")
