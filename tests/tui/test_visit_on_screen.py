"""What a person sees and does, from the idle screen to taking the card."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from lab.terminal.screens import Kiosk, kiosk
from textual.widgets import Static

from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.simulation.face_settings import SETTINGS
from kiosk.texts import sentence
from kiosk.tui.widgets.secret_field import SecretField


async def open_change(kiosk: Kiosk) -> None:
    await kiosk.insert("everyday")
    await kiosk.until("Home")
    await kiosk.pilot.press("enter")
    await kiosk.until("Form")


async def test_a_pin_is_changed_and_the_password_follows() -> None:
    async with kiosk() as shown:
        await open_change(shown)
        assert "Tries left for this PIN: 3" in shown.text()
        said = "Your new PIN also becomes your Windows password (alice@ad.test)."
        assert said in shown.text()
        await shown.type("271828", "314159", "314159")
        await shown.until("Result")
        assert "Your PIN and your Windows password are changed." in shown.text()
        assert "Take your card." in shown.text()
        holder = shown.demo.world.holders["everyday"]
        with Secret(b"314159") as new:
            assert shown.demo.world.directory.binds(holder.account_guid, new)
        shown.demo.pull()
        await shown.until_true(lambda: "This closes in" in shown.text(), "the end")
        assert "are changed" in shown.text()
        await shown.pilot.press("enter")
        await shown.until("Idle")


async def test_home_greets_and_greys_what_is_not_possible() -> None:
    async with kiosk() as shown:
        await shown.insert("blocked")
        await shown.until("Home")
        text = shown.text()
        assert "Carol Clark" in text
        assert "Your PIN is blocked." in text
        assert "1  I have forgotten my PIN, or it is blocked" in text
        assert "The PIN is blocked." not in text.replace("Your PIN is blocked.", "")
        await shown.pilot.press("question_mark")
        await shown.pilot.pause()
        assert "Change my PIN: The PIN is blocked." in shown.text()


async def test_the_last_try_is_not_offered() -> None:
    async with kiosk() as shown:
        await shown.insert("last try")
        await shown.until("Home")
        told = "Only one try is left for your PIN, and it is not spent here."
        assert told in shown.text()
        assert "Your card is ready" not in shown.text()
        await shown.pilot.press("question_mark")
        await shown.pilot.pause()
        assert "Change my PIN: Only one try is left" in shown.text()


async def test_a_wrong_pin_says_how_many_are_left_and_lets_try_again() -> None:
    async with kiosk() as shown:
        await open_change(shown)
        await shown.type("999111", "314159", "314159")
        await shown.until("Result")
        assert "That PIN is wrong. Tries left: 2." in shown.text()
        assert "Nothing was changed" in shown.text()
        await shown.pilot.press("enter")
        await shown.until("Form")
        assert "Tries left for this PIN: 2" in shown.text()


async def test_rules_are_judged_while_typing() -> None:
    async with kiosk() as shown:
        await open_change(shown)
        await shown.type("271828")
        await shown.pilot.press(*"12345")
        assert "○ not easy to guess" in shown.text()
        assert "○ 6 to 8 digits" in shown.text()
        await shown.pilot.press("6")
        await shown.pilot.pause()
        assert "✗ not easy to guess" in shown.text()
        assert "✓ 6 to 8 digits" in shown.text()
        assert "3 of 5 are met." in shown.text()


async def test_a_pin_that_breaks_a_rule_goes_no_further() -> None:
    async with kiosk() as shown:
        await open_change(shown)
        await shown.type("271828", "123456")
        assert "✗  Please choose another PIN." in shown.text(), "told without colours"
        said = "Not met: not easy to guess (it counts upwards)."
        assert said in " ".join(shown.text().split())
        shown.hands.rest()
        await shown.type("846257", "846257")
        await shown.until("Result")


async def test_two_different_entries_are_typed_again() -> None:
    async with kiosk() as shown:
        await open_change(shown)
        await shown.type("271828", "314159", "314158")
        assert shown.screen() == "Form"
        assert "The two entries of the new PIN differ" in shown.text()
        lengths = [len(field) for field in shown.app.screen.query(SecretField)]
        assert lengths == [6, 0, 0]


async def test_digits_are_hidden_until_asked_for() -> None:
    async with kiosk() as shown:
        await open_change(shown)
        await shown.pilot.press(*"271828")
        assert "271828" not in shown.text()
        assert "●●●●●●" in shown.text()
        await shown.pilot.press("f3")
        await shown.pilot.pause()
        assert "271828" in shown.text()
        await shown.pilot.press("f3")
        await shown.pilot.pause()
        assert "271828" not in shown.text()


async def test_escape_goes_back_home_and_wipes() -> None:
    async with kiosk() as shown:
        await open_change(shown)
        await shown.pilot.press(*"271828")
        field = shown.app.screen.query(SecretField).first()
        await shown.pilot.press("escape")
        await shown.until("Home")
        await shown.until_true(lambda: len(field) == 0, "the field to be wiped")


async def test_a_privileged_account_is_asked_before_typing() -> None:
    async with kiosk() as shown:
        await shown.insert("administrator")
        await shown.until("Home")
        await shown.pilot.press("enter")
        await shown.until("Confirm")
        assert "Only the PIN of this card will change" in shown.text()
        await shown.pilot.press("enter")
        await shown.pilot.pause()
        assert shown.screen() == "Confirm"
        await shown.pilot.press("1")
        await shown.until("Form")
        await shown.type("223606", "314159", "314159")
        await shown.until("Result")
        assert "The PIN of your card is changed." in shown.text()


async def test_an_unknown_card_is_a_dead_end_with_the_helpdesk() -> None:
    async with kiosk() as shown:
        await shown.insert("stranger")
        await shown.until("unknown_card")
        assert "not registered here" in shown.text()
        assert "extension 4711" in shown.text()
        shown.demo.pull()
        await shown.until_true(lambda: "This closes in" in shown.text(), "the end")
        assert "extension 4711" in shown.text()
        await shown.pilot.press("escape")
        await shown.until("Idle")


@pytest.mark.parametrize("where", ["Home", "Form", "Confirm", "Result"])
async def test_pulling_the_card_clears_everything(where: str) -> None:
    async with kiosk() as shown:
        await shown.insert("administrator" if where == "Confirm" else "everyday")
        await shown.until("Home")
        if where != "Home":
            await shown.pilot.press("enter")
            await shown.until("Confirm" if where == "Confirm" else "Form")
        if where == "Result":
            await shown.type("271828", "314159", "314159")
            await shown.until("Result")
        shown.demo.pull()
        if where != "Home":
            await shown.until_true(lambda: "closes in" in shown.text(), "the end")
            assert "Alice" not in shown.text()
            await shown.pilot.press("enter")
        await shown.until("Idle")
        assert "Alice" not in shown.text()


async def test_two_cards_are_one_too_many() -> None:
    async with kiosk() as shown:
        await shown.insert("everyday")
        await shown.until("Home")
        readers = shown.demo.readers
        readers.plug("Second reader")
        stranger, _ = shown.demo.world.make_card("stranger", pin=b"111222")
        readers.insert(stranger.card, "Second reader")
        await shown.until("two_cards")
        readers.pull("Second reader")
        await shown.until("Home")


async def test_out_of_service_before_insertion_and_back_by_itself() -> None:
    async with kiosk() as shown:
        readers = shown.demo.readers
        readers.stop_service()
        await shown.until("out_of_service")
        said = sentence(Message("card.service_gone"))
        assert said[:30] in shown.text()
        readers.start_service()
        await shown.until("Idle")


async def test_a_pin_that_was_half_typed_at_a_window_too_small_is_refused() -> None:
    async with kiosk() as shown:
        await open_change(shown)
        await shown.pilot.press(*"27")
        await shown.pilot.resize_terminal(20, 5)
        await shown.pilot.pause()
        await shown.pilot.press(*"1828")
        await shown.pilot.resize_terminal(80, 24)
        await shown.pilot.pause()
        shown.hands.rest()
        await shown.pilot.press(*"182818", "enter")
        assert "Please type it again" in shown.text()
        shown.hands.rest()
        await shown.pilot.press(*"271828", "enter")
        fields = list(shown.app.screen.query(SecretField))
        assert shown.app.screen.focused is fields[1]


async def test_everything_is_readable_at_the_smallest_size() -> None:
    async with kiosk() as shown:
        for name in ("everyday", "blocked", "out of step", "suspended"):
            await shown.insert(name)
            await shown.until("Home")
            body = shown.app.screen.query_one("#body")
            assert body.max_scroll_y == 0, f"{name} does not fit"
            assert shown.app.screen.query(Static)


# --- paper --------------------------------------------------------------------


async def test_what_changed_can_be_printed_and_has_no_pin_on_it(tmp_path: Path) -> None:
    paper = tmp_path / "paper"
    settings = dataclasses.replace(SETTINGS, print_with=("tee", str(paper)))
    async with kiosk(settings=settings) as shown:
        await open_change(shown)
        await shown.type("271828", "314159", "314159")
        await shown.until("Result")
        await shown.pilot.press("f4")
        await shown.until_true(lambda: "being printed" in shown.text(), "the printer")
    text = paper.read_text("utf-8")
    assert "Your PIN and your Windows password are changed." in text
    assert "enter the new one there" in text
    assert "extension 4711" in text
    assert "314159" not in text
    assert "271828" not in text


async def test_without_a_printer_no_key_prints() -> None:
    async with kiosk() as shown:
        await open_change(shown)
        await shown.type("271828", "314159", "314159")
        await shown.until("Result")
        assert "F4" not in shown.text()
