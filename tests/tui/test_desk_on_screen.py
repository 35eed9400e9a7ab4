"""The operators' terminal, as keys and what can be read."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from lab.desk.desk_screens import AARON, ADA, BOB, HANNA, OLGA, Desk, desk
from msgspec.structs import replace
from textual import events

from kiosk.core.secret import Secret
from kiosk.faces.turn import BREATH, HELD
from kiosk.simulation.demo_desk import OPERATORS_READER, PASSWORD
from kiosk.tui.screens.page import PageScreen
from kiosk.tui.screens.palette import PaletteScreen
from kiosk.tui.widgets.choice_list import ChoiceList
from kiosk.tui.widgets.entry_field import OptionField
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.views import Answers, FieldName, Result
from statemachine.operation import Kind

pytestmark = pytest.mark.long


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
        await shown.sign_in(OLGA)
        await shown.pilot.press("tab", "i")
        await shown.until_page("person")
        await shown.pilot.press(*"car")
        shown.demo.insert(BOB)
        await shown.pilot.pause(0.3)
        await shown.pilot.press(*"ol")
        await shown.until_said("carol")


async def test_a_card_that_is_put_in_opens_its_own_page() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"carol")
        shown.demo.insert(BOB)
        await shown.until_page("credential")
        assert "Bob Baker" in shown.text()


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
        assert "✓ Card   ▸ Handing over" in shown.text()


async def test_a_transport_pin_is_not_lost_by_escape() -> None:
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
        await shown.pilot.press("escape")
        await shown.until_said("not handed over yet")
        assert shown.page() == "issued"
        await shown.pilot.press("escape")
        await shown.until(lambda: shown.page() != "issued", "another page")
        shown.demo.pull()
        await shown.pilot.press("f12")
        await shown.until_page("sign_in")
        await shown.until(shown.asks_pin, "the PIN")
        await shown.pilot.press(*"271828", "enter")
        await shown.until_page("menu")
        await shown.until_said("not handed over yet")
        await shown.pilot.press("tab", "w")
        await shown.until_page("issued")
        assert "transport PIN" in shown.text()
        await shown.pilot.press("f2")
        await shown.until_page("menu")
        assert "not handed over yet" not in shown.text()


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


async def test_what_a_change_means_is_seen_while_it_is_made() -> None:
    async with desk() as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press("tab", "t")
        await shown.until_page("templates")
        await shown.pilot.press("2")
        await shown.until_page("template_edit")
        while not isinstance(shown.app.focused, OptionField):
            await shown.pilot.press("down")
        await shown.pilot.press("down", "right")
        await shown.until_said("could no longer change the password")
        await shown.pilot.press("ctrl+z")
        await shown.until(lambda: "no longer" not in shown.text(), "no change")


async def receipt(shown: Desk) -> Result:
    """Open the receipt of a PIN that was changed."""
    world = shown.demo.world
    visit = world.visit(world.readers.insert(world.holders["everyday"].made.card))
    visit.recognise()
    typed = {
        FieldName.OLD_PIN: Secret(b"271828"),
        FieldName.NEW_PIN: Secret(b"864209"),
    }
    form = visit.begin(Kind.CHANGE)
    result = visit.submit(form, Answers(typed, confirmed=True), lambda _: None)
    await shown.sign_in(AARON)
    await shown.pilot.press("tab", "d")
    await shown.until_page("evidence")
    await shown.pilot.press("ctrl+r")
    await shown.until_said("belongs to no operation")
    await shown.pilot.press(*"writing")
    await shown.until_said("1 of 1")
    await shown.pilot.press("ctrl+r")
    await shown.until_page("receipt")
    return result


async def test_a_receipt_is_printed_by_the_sites_command(tmp_path: Path) -> None:
    async with desk() as shown:
        paper = tmp_path / "paper"
        world = shown.demo.world
        world.settings = dataclasses.replace(
            world.settings, print_with=("sh", "-c", f"cat > {paper}")
        )
        result = await receipt(shown)
        await shown.pilot.press("p")
        await shown.until_said("It is being printed")
        printed = paper.read_text("utf-8")
        assert result.event in printed
        assert "written only after this card" in " ".join(printed.split())
        assert "864209" not in printed


async def test_without_a_printer_nothing_offers_to_print_and_nothing_is_noted() -> None:
    async with desk() as shown:
        await receipt(shown)
        assert "Print it" not in shown.text()
        for key in ("f1", "ctrl+p"):
            await shown.pilot.press(key)
            await shown.until(
                lambda: not isinstance(shown.app.screen, PageScreen), "the cover"
            )
            assert "Print it" not in shown.text()
            await shown.pilot.press("escape")
            await shown.until_page("receipt")
        await shown.pilot.press("p", "ctrl+p")
        await shown.until(
            lambda: isinstance(shown.app.screen, PaletteScreen), "the palette"
        )
        await shown.pilot.press(*"print", "enter", "escape")
        await shown.until_page("receipt")
        events_ = shown.demo.world.registry.audit_events()
        assert all(event.kind != "audit.exported" for event in events_)


async def by_card(shown: Desk) -> None:
    """Hanna is called away before Enter."""
    shown.demo.insert(HANNA)
    await shown.until(lambda: shown.asks_pin(), "the PIN")
    await shown.pilot.press(*"271828")


async def by_account(shown: Desk) -> None:
    await shown.pilot.press("1")
    await shown.until_page("sign_in_account")
    await shown.pilot.press(*"hanna", "enter", *PASSWORD.decode())


@pytest.mark.parametrize("begun", [by_card, by_account])
async def test_whoever_comes_by_is_not_the_operator_who_has_begun_to_sign_in(
    begun: Callable[[Desk], Awaitable[None]],
) -> None:
    async with desk() as shown:
        await begun(shown)
        screen = shown.app.screen
        assert isinstance(screen, PageScreen)
        secret = screen._fields[-1]
        assert isinstance(secret, SecretField)
        shown.hands.rest(50)
        await shown.pilot.pause(2.5)  # the clock is looked at every second
        assert len(secret), "somebody looks at their keys"
        shown.hands.rest(11)
        await shown.until_said("no key was pressed for 60 s")
        assert not len(secret)
        assert shown.page() == "sign_in"
        assert not any(secret.typed._buffer)
        assert "hanna" not in shown.text()
        if begun is by_card:
            await shown.pilot.press("enter")
            await shown.until_said("Nothing is typed here yet")
            await shown.pilot.press(*"271828", "enter")
            await shown.until_page("menu")


async def test_a_page_into_which_nothing_is_typed_waits() -> None:
    async with desk() as shown:
        shown.demo.insert(HANNA)
        await shown.until(lambda: shown.asks_pin(), "the PIN")
        before = shown.app.screen
        shown.hands.rest(36_000)
        await shown.pilot.pause(2.5)
        assert shown.app.screen is before
        assert "no key" not in shown.text()


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


def crowd(shown: Desk) -> None:
    """Put eighty people on record."""
    registry = shown.demo.world.registry
    like = registry.run(lambda tx: tx.credential("credential-everyday"))
    for number in range(80):
        person = replace(
            like,
            id=f"crowd-{number}",
            card=f"piv:guid:{number:032x}",
            holder=f"Person {number:02}",
            version=0,
        )
        registry.run(lambda tx, person=person: tx.save_credential(person))  # type: ignore[misc]


def under_cursor(shown: Desk) -> str:
    """Return the line that the cursor points at, and that is seen."""
    pointed = [line for line in shown.text().splitlines() if " ▸" in line]
    assert len(pointed) == 1, shown.text()
    return pointed[0]


async def test_pagedown_takes_the_cursor_along_and_escape_comes_back_to_it() -> None:
    async with desk() as shown:
        crowd(shown)
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"person")
        await shown.until_said("Person 00")
        await shown.pilot.press("pagedown")
        shown.hands.rest()
        await shown.pilot.press("pagedown")
        shown.hands.rest()
        name = under_cursor(shown).split("▸")[1].strip()[: len("Person 00")]
        assert name > "Person 10"
        await shown.pilot.press("enter")
        await shown.until_page("credential")
        assert name in shown.text()
        await shown.pilot.press("escape")
        await shown.until_page("menu")
        assert name in under_cursor(shown)


async def test_the_end_of_a_list_is_reached_although_it_comes_in_pieces() -> None:
    async with desk() as shown:
        crowd(shown)
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"person")
        await shown.until_said("Person 00")
        await shown.pilot.press("end")
        await shown.until_said("of 80")
        shown.hands.rest()
        await shown.pilot.press("end")
        await shown.until_said("80 of 80")
        assert "Person 79" in under_cursor(shown)


async def test_enter_opens_what_was_typed_whatever_is_still_shown() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"a")
        await shown.until_said("Aaron Adler")
        for key in (*"lice", "enter"):  # in one breath: nothing new is shown yet
            shown.app.post_message(events.Key(key, key if len(key) == 1 else "\r"))
        await shown.until_page("credential")
        assert "Alice Arnold" in shown.text()


async def test_escape_clears_what_is_looked_for() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"carol")
        await shown.until_said("Carol Clark")
        await shown.pilot.press("escape")
        await shown.until_said("Without a key")
        assert "Carol" not in shown.text()


async def test_after_a_search_and_a_card_a_choice_is_marked_again() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"carol")
        await shown.until_said("Carol Clark")
        await shown.pilot.press("enter")
        await shown.until_page("credential")
        await shown.pilot.pause(1.1 * BREATH)
        await shown.pilot.press("escape")
        await shown.until_said("Carol Clark")
        await shown.pilot.pause(1.1 * HELD)
        await shown.pilot.press("escape")
        await shown.until_said("Without a key")
        choices = shown.app.screen.query_one(ChoiceList)
        assert choices.at >= 0


async def test_one_key_signs_out_and_leaves_nothing_of_the_caller() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"carol", "enter")
        await shown.until_page("credential")
        await shown.pilot.press("f12")
        await shown.until_page("sign_in")
        assert "Carol" not in shown.text()
        assert "hanna" not in shown.text()


async def test_a_template_that_is_being_edited_is_not_lost_by_escape() -> None:
    async with desk() as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press("tab", "t")
        await shown.until_page("templates")
        await shown.pilot.press("2")
        await shown.until_page("template_edit")
        await shown.pilot.press(
            "pagedown", "pagedown", "down", "down", "backspace", "7"
        )
        await shown.until_said("was 6")
        for _ in range(2):  # in one breath, as from a key that is held
            shown.app.post_message(events.Key("escape", None))
        await shown.until_said("not saved")
        assert shown.page() == "template_edit"
        await shown.pilot.press("ctrl+z")
        await shown.until(lambda: "was 6" not in shown.text(), "the value before")
        await shown.pilot.press("escape")
        await shown.until_page("templates")


async def test_what_a_field_of_a_template_means_stands_beside_it() -> None:
    async with desk() as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press("tab", "t")
        await shown.until_page("templates")
        await shown.pilot.press("2")
        await shown.until_page("template_edit")
        await shown.pilot.press("pagedown", "pagedown", "down", "down")
        await shown.until_said("The fewest characters a PIN may have")


@pytest.mark.parametrize("key", ["escape", "f12", "the card"])
async def test_what_only_looks_and_takes_long_is_ended_with_one_key(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    begun, pace = threading.Event(), threading.Event()

    def endless(_parts: object, told: Callable[[int, int], None]) -> None:
        begun.set()
        while True:
            told(1, 1000)
            pace.wait(0.001)

    monkeypatch.setattr("kiosk.desk.how_far.ASKED_SECONDS", 0.0)
    monkeypatch.setattr("kiosk.authority.office.risk.report", endless)
    async with desk() as shown:
        await shown.sign_in(AARON)
        await shown.pilot.press("tab", "r")
        await shown.until(begun.is_set, "the report")
        if key == "the card":
            shown.demo.readers.pull(OPERATORS_READER)
            await shown.until_page("sign_in")
        else:
            await shown.pilot.press(key)
            await shown.until_said("ended before it was done")
            assert shown.page() == "menu"


async def test_what_a_field_was_is_cut_at_its_line_and_the_cursor_never_is() -> None:
    async with desk() as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press("tab", "t")
        await shown.until_page("templates")
        await shown.pilot.press("2")
        await shown.until_page("template_edit")
        await shown.pilot.press("pagedown", "pagedown", *"xyzz")
        await shown.until_said("defaultxyzz▏   was de…")
        await shown.pilot.press(*"longer than there is room")
        await shown.until_said("er than there is room▏\n")
