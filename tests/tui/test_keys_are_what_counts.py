"""What is typed is what counts: in order, whole or refused, and never twice."""

from __future__ import annotations

import dataclasses

import pytest
from lab.desk.desk_screens import ADA, BOB, HANNA, Desk, desk
from lab.terminal.screens import Kiosk, kiosk
from lab.terminal.watch import Watch
from textual import events

from kiosk.core.secret import Secret
from kiosk.faces.turn import BREATH
from kiosk.simulation.demo_desk import PASSWORD
from kiosk.simulation.face_settings import SETTINGS
from kiosk.tui.screens.page import PageScreen
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.station import FaceSettings

pytestmark = pytest.mark.long

ENTER, TAB, F2 = "enter", "tab", "f2"


async def at_once(shown: Desk | Kiosk, *keys: str) -> None:
    """Press keys faster than anything can come of the first."""
    for key in keys:
        character = key if len(key) == 1 else None
        shown.app.post_message(events.Key(key, character))
    await shown.pilot.pause()


async def hold(shown: Desk | Kiosk, key: str) -> None:
    """Lean on a key: 40 repeats at 25 Hz, by the clock of the hands."""
    with shown.hands.leaning():
        await at_once(shown, key)
        shown.hands.rest(0.5)
        for _ in range(40):
            await at_once(shown, key)
            shown.hands.rest(0.04)


def fields(shown: Desk) -> list[str]:
    """What each field of the page has: text, or how long a secret is."""
    screen = shown.app.screen
    assert isinstance(screen, PageScreen)
    told: list[str] = []
    for field in screen._fields:
        if isinstance(field, SecretField):
            told.append("*" * len(field))
        else:
            told.append(field.value)
    return told


def focused(shown: Desk) -> int:
    screen = shown.app.screen
    assert isinstance(screen, PageScreen)
    return [field is screen.focused for field in screen._fields].index(True)


# --- the fields of one page -----------------------------------------------------


async def by_account(shown: Desk) -> None:
    await shown.pilot.press("1")
    await shown.until_page("sign_in_account")


@pytest.mark.parametrize("between", [ENTER, TAB])
@pytest.mark.parametrize("is_burst", [True, False])
async def test_an_operator_signs_in_with_account_and_password(
    between: str, *, is_burst: bool
) -> None:
    keys = [*"hanna", between, *PASSWORD.decode(), ENTER]
    async with desk() as shown:
        await by_account(shown)
        if is_burst:
            await at_once(shown, *keys)
        else:
            await shown.pilot.press(*keys)
        await shown.until_page("menu")


async def test_enter_goes_from_field_to_field() -> None:
    async with desk() as shown:
        await by_account(shown)
        await shown.pilot.press(*"hanna", ENTER, *"secret")
        assert fields(shown) == ["hanna", "******"]


async def open_page(shown: Desk, operator: int, *choices: str) -> None:
    await shown.sign_in(operator)
    await shown.pilot.press(*"alice", ENTER)
    await shown.until_page("credential")
    screen = shown.app.screen
    assert isinstance(screen, PageScreen)
    for key in choices:
        letters = {each.key: each.letter for each in screen.page.choices}
        await shown.pilot.press(letters[key])


async def test_a_second_operator_is_asked_field_by_field() -> None:
    async with desk() as shown:
        await open_page(shown, HANNA, "revoke")
        await shown.until_page("act_revoke")
        await at_once(shown, *"lost", ENTER, *"ada", ENTER, *PASSWORD.decode(), ENTER)
        assert fields(shown) == ["lost", "ada", "*" * len(PASSWORD)]
        assert "Press F2: Revoke" in shown.text()
        await shown.pilot.press(F2)
        await shown.until_page("credential")
        assert "revoked" in shown.text()


async def test_no_field_of_a_template_is_skipped() -> None:
    async with desk() as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press(TAB, "t")
        await shown.until_page("templates")
        await shown.pilot.press("2")
        await shown.until_page("template_edit")
        for number in range(len(fields(shown)) - 1):
            assert focused(shown) == number
            await shown.pilot.press(ENTER)


async def test_the_number_of_a_receipt_is_not_all_evidence() -> None:
    async with desk() as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press(TAB, "v")
        await shown.until_page("audit")
        await shown.pilot.press(*"1234-5678", ENTER, ENTER)
        await shown.until_said("Nothing was found for")


# --- whole, or refused ------------------------------------------------------------


async def test_a_pin_with_another_key_in_it_signs_nobody_in() -> None:
    async with desk() as shown:
        shown.demo.insert(HANNA)
        await shown.until(lambda: shown.asks_pin(), "the PIN")
        await shown.pilot.press(*"27\xe41828", ENTER)
        assert "Keys that cannot be used here: 1." in shown.text()
        shown.hands.rest()
        await shown.pilot.press(*"271828", ENTER)
        await shown.until_page("menu")


@pytest.mark.parametrize(
    "password", ["Gr\xfc\xdfe-99\u20ac", "\u043f\u0430\u0440\u043e\u043b\u044c-2026"]
)
async def test_a_password_of_any_language_signs_in(password: str) -> None:
    async with desk() as shown:
        guid = shown.demo.world.holders["hanna"].account_guid
        shown.demo._domain.change_elsewhere(guid, Secret(password.encode()))
        await by_account(shown)
        await at_once(shown, *"hanna", TAB, *password, "x", "backspace", ENTER)
        await shown.until_page("menu")


async def test_a_pin_of_digits_with_letters_is_refused_and_no_try_is_spent() -> None:
    async with kiosk() as shown:
        await shown.insert("everyday")
        await shown.until("Home")
        await shown.pilot.press(ENTER)
        await shown.until("Form")
        await shown.type("271828")
        await shown.pilot.press(*"Ab31")
        assert "All are met." not in shown.text()
        assert "Keys that were not digits: 2." in shown.text()
        await shown.pilot.press(*"4159", ENTER)
        assert shown.screen() == "Form"
        assert "Keys that were not digits: 2." in shown.text()
        shown.hands.rest()
        await shown.type("314159", "314159")
        await shown.until("Result")
        assert "are changed" in shown.text()


async def test_text_that_is_too_long_is_not_cut() -> None:
    async with desk() as shown:
        await by_account(shown)
        await at_once(shown, *("a" * 257), ENTER)
        assert focused(shown) == 0
        assert "more than 256 characters" in shown.text()


@pytest.mark.parametrize("key", ["left", "delete", "home", "ctrl+a", "alt+b"])
async def test_a_key_that_edits_elsewhere_refuses_the_entry(key: str) -> None:
    async with desk() as shown:
        await by_account(shown)
        await shown.pilot.press(*"han", key, *"na", ENTER)
        assert focused(shown) == 0
        assert "Keys that cannot be used here: 1." in shown.text()


async def test_a_code_that_was_misheard_is_typed_anew_after_enter() -> None:
    async with kiosk() as shown:
        await shown.insert("blocked")
        await shown.until("Home")
        code = "".join(filter(str.isdigit, shown.demo.release_code()))
        wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
        await shown.pilot.press("1")
        await shown.until("Form")
        await shown.type(wrong)
        await shown.pilot.pause(0.2)
        assert "This is not the code" in shown.text()
        await shown.pilot.pause(1.1 * BREATH)
        await shown.type(code, "314159", "314159")
        await shown.until("Result")


async def test_a_code_may_be_typed_in_its_groups() -> None:
    async with kiosk() as shown:
        await shown.insert("blocked")
        await shown.until("Home")
        code = "".join(filter(str.isdigit, shown.demo.release_code()))
        await shown.pilot.press("1")
        await shown.until("Form")
        await shown.type(f"{code[:3]} {code[3:6]}-{code[6:]}", "314159", "314159")
        await shown.until("Result")


async def test_what_is_long_can_be_read_to_its_end() -> None:
    async with desk() as shown:
        await open_page(shown, ADA)
        body = shown.app.screen.query_one("#body")
        assert body.max_scroll_y > 0
        await shown.pilot.press("pagedown", "pagedown")
        await shown.until(lambda: body.scroll_y == body.max_scroll_y, "the end")
        await shown.pilot.press("pageup", "pageup")
        await shown.until(lambda: body.scroll_y == 0, "the beginning")


# --- before and after a page ------------------------------------------------------


async def test_what_is_typed_before_its_page_reaches_no_field() -> None:
    async with desk() as shown:
        keys = ["1", *"hanna", TAB, *PASSWORD.decode(), ENTER]
        await at_once(shown, *keys)
        await shown.until_page("sign_in_account")
        assert not any(each.strip("?*") for each in fields(shown))
        await shown.pilot.press(*"hanna", ENTER)
        assert "came too early" in shown.text()
        shown.hands.rest()
        await shown.pilot.press(*"hanna", ENTER, *PASSWORD.decode(), ENTER)
        await shown.until_page("menu")


@pytest.mark.parametrize("early", range(1, 16, 2))
async def test_a_secret_whose_page_comes_late_is_never_text(early: int) -> None:
    keys = [*"hanna", TAB, *PASSWORD.decode(), ENTER]
    async with desk() as shown:
        await at_once(shown, "1", *keys[:early])
        await shown.until_page("sign_in_account")
        await shown.pilot.press(*keys[early:])
        await shown.pilot.pause()
        assert shown.page() == "sign_in_account"
        texts = [each for each in fields(shown) if each.strip("?*")]
        assert not texts


async def test_a_page_that_changes_under_the_hands_shows_no_secret() -> None:
    async with desk() as shown:
        await open_page(shown, HANNA, "revoke")
        await shown.until_page("act_revoke")
        await shown.pilot.press(*"lost", ENTER, *"ada", ENTER, *"Oper")
        shown.demo.insert(BOB)
        await shown.until(lambda: len(fields(shown)) == 2, "the PIN of a card")
        await shown.pilot.press(*"ator-2026")
        assert "2026" not in shown.text()
        assert set(fields(shown)[0]) == {"?"}


async def test_a_secret_that_would_begin_on_a_changed_page_is_no_text() -> None:
    async with desk() as shown:
        await open_page(shown, HANNA, "revoke")
        await shown.until_page("act_revoke")
        await shown.pilot.press(*"lost", ENTER, *"ada", ENTER)
        shown.demo.insert(BOB)
        await shown.until(lambda: len(fields(shown)) == 2, "the PIN of a card")
        await shown.pilot.press(*"Operator-2026")
        assert "2026" not in shown.text()
        assert set(fields(shown)[0]) == {"?"}


async def test_a_card_that_comes_takes_no_text_away() -> None:
    async with desk() as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press(TAB, "m")
        await shown.until_page("import")
        await shown.pilot.press(*"alice")
        shown.demo.insert(BOB)
        await shown.until_said("A card is in the reader")
        await shown.pilot.press("x", "backspace", *"@ad")
        assert fields(shown)[0] == "alice@ad"


async def test_texts_that_were_refused_can_be_put_right_and_a_secret_is_gone() -> None:
    async with desk() as shown:
        await open_page(shown, HANNA, "revoke")
        await shown.until_page("act_revoke")
        await shown.pilot.press(*"lost", ENTER, *"ada", ENTER, *"wrong", F2)
        await shown.until_said("!")
        await shown.until(lambda: fields(shown)[2] == "", "the page again")
        assert fields(shown) == ["lost", "ada", ""]
        assert focused(shown) == 2
        await shown.pilot.press(*PASSWORD.decode(), F2)
        await shown.until_page("credential")


async def test_of_the_text_that_was_refused_the_next_character_begins_another() -> None:
    async with desk() as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press(TAB, "t")
        await shown.until_page("templates")
        await shown.pilot.press("2")
        await shown.until_page("template_edit")
        await shown.pilot.press(ENTER, "right", *(ENTER,) * 3, "ctrl+u", *"2x", F2)
        await shown.until_said("whole number")
        assert (fields(shown)[1], fields(shown)[4]) == ("no", "2x")
        assert focused(shown) == 4
        await shown.pilot.press(*"21")
        assert fields(shown)[4] == "21"


async def test_a_sign_in_that_was_refused_begins_anew() -> None:
    async with desk() as shown:
        await by_account(shown)
        await shown.pilot.press(*"hanna", ENTER, *"wrong", ENTER)
        await shown.until(lambda: fields(shown) == ["", ""], "an empty page")


async def test_a_pin_is_not_kept_for_another_card() -> None:
    async with desk() as shown:
        await shown.sign_in(ADA)
        await shown.pilot.press(TAB, "m")
        await shown.until_page("import")
        await shown.pilot.press(*"alice", ENTER, ENTER, ENTER, *"1234")
        shown.demo.insert(BOB)
        await shown.until_said("A card is in the reader")
        await shown.pilot.press("5")
        assert fields(shown)[0] == "alice"
        assert focused(shown) == 3
        assert "came too early" in shown.text()


async def test_a_whole_visit_in_one_write_uses_nothing_that_came_too_early() -> None:
    async with kiosk() as shown:
        await shown.insert("everyday")
        await shown.until("Home")
        await at_once(shown, "1", *"271828", ENTER, *"314159", ENTER, *"314159", ENTER)
        await shown.until("Form")
        assert "Keys that came too early" in shown.text()
        await shown.pilot.press(ENTER)
        shown.hands.rest()
        await at_once(shown, *"271828", ENTER, *"314159", ENTER, *"314159", ENTER)
        await shown.until("Result")
        assert "are changed" in shown.text()


# --- while the kiosk asks who is there --------------------------------------------


async def asked(shown: Kiosk, watch: Watch, *typed: str) -> None:
    """Type this where a PIN is asked, and then nothing until the kiosk asks."""
    await shown.insert("everyday")
    await shown.until("Home")
    await shown.pilot.press(ENTER)
    await shown.until("Form")
    await shown.pilot.press(*typed)
    watch.ahead += 400
    await shown.until("IdleWarning")


def patient(pause: float) -> FaceSettings:
    return dataclasses.replace(
        SETTINGS, idle_warning_after=300.0, idle_wipe_after=3000.0, pause=pause
    )


@pytest.mark.parametrize("key", ["p", "P", "1"])
@pytest.mark.parametrize("pause", [0.0, 600.0])
async def test_an_entry_that_lacks_the_key_which_answered_is_refused(
    monkeypatch: pytest.MonkeyPatch, pause: float, key: str
) -> None:
    watch = Watch.of_idleness(monkeypatch)
    async with kiosk(settings=patient(pause)) as shown:
        await asked(shown, watch, *"27")
        assert ("Press P" in shown.text()) == bool(pause)
        await shown.pilot.press(key)
        await shown.until("Form")
        await shown.pilot.press(*"1828", ENTER)
        assert "Keys that came too early" in shown.text()
        shown.hands.rest()
        await shown.type("271828", "314159", "314159")
        await shown.until("Result")
        assert "are changed" in shown.text()


@pytest.mark.parametrize("key", ["p", "P"])
@pytest.mark.parametrize("is_burst", [True, False])
async def test_more_time_costs_nothing_but_what_follows_in_one_breath(
    monkeypatch: pytest.MonkeyPatch, key: str, *, is_burst: bool
) -> None:
    """A word may have begun with it."""
    watch = Watch.of_idleness(monkeypatch)
    async with kiosk(settings=patient(600.0)) as shown:
        await asked(shown, watch)
        with shown.hands.leaning():
            await at_once(shown, key, *("uk1" if is_burst else ""))
            await shown.until("Form")
            await at_once(shown, *"271828", ENTER)
        assert ("Keys that came too early" in shown.text()) == is_burst


async def test_p_is_any_key_where_nobody_gets_more_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch = Watch.of_idleness(monkeypatch)
    async with kiosk(settings=patient(0.0)) as shown:
        await asked(shown, watch)
        await shown.pilot.press("p")
        await shown.until("Form")
        await shown.pilot.press(*"271828", ENTER)
        assert "Keys that came too early" in shown.text()


# --- once -------------------------------------------------------------------------


def codes_given(shown: Desk) -> int:
    events_ = shown.demo.world.registry.audit_events()
    return sum(event.kind.startswith("approval") for event in events_)


@pytest.mark.parametrize("key", [ENTER, "u", "space", "y", "down"])
async def test_leaning_on_a_key_gives_nothing_away(key: str) -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"carol", ENTER)
        await shown.until_page("credential")
        before = codes_given(shown)
        for _ in range(4):
            await hold(shown, key)
            await shown.pilot.pause(0.2)
        assert shown.page() != "read_out"
        assert codes_given(shown) == before


async def test_the_key_of_an_action_counts_once_however_long_it_is_held() -> None:
    async with desk() as shown:
        await shown.sign_in(HANNA)
        await shown.pilot.press(*"carol", ENTER)
        await shown.until_page("credential")
        await shown.pilot.press("u")
        await shown.until_page("release_release")
        before = codes_given(shown)
        await hold(shown, F2)
        await shown.until_page("read_out")
        assert codes_given(shown) == before + 1


async def test_leaning_on_a_key_confirms_nothing_at_the_kiosk() -> None:
    async with kiosk() as shown:
        await shown.insert("administrator")
        await shown.until("Home")
        for key in ("1", ENTER):
            await hold(shown, key)
            await shown.pilot.pause(0.2)
            assert shown.screen() == "Confirm"
