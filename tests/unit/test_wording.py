"""What people read: each thing once, with whom to call and what to choose."""

from __future__ import annotations

import dataclasses
import re

import pytest
from lab.terminal.fake_station import HOME, form

from kiosk.core.errors import Message
from kiosk.faces import visit_wording, wording
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import PinRules, Rule, RuleVerdict
from kiosk.pin.weak import Weakness, weakness
from kiosk.texts import LANGUAGES, english, sentence, text
from kiosk.visit.station import Helpdesk
from kiosk.visit.views import FROM_ELSEWHERE, ActionOffer, FieldName, Home
from statemachine.operation import Kind

DESK = Helpdesk(contact="Helpdesk, extension 4711", hours="Mon–Fri 7–18")
RULES = PinRules(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)
QUOTED = re.compile(r"[“„«]\s?(.+?)\s?[”“»]")
AREAS = ("tui", "plain", "home", "refusal", "reason", "notice", "result", "stop")
CALLED = (FieldName.RELEASE_CODE, FieldName.ACTIVATION_CODE, FieldName.ADMIN_RESPONSE)


def home(**changes: object) -> Home:
    return dataclasses.replace(HOME, **changes)  # type: ignore[arg-type]  # a test's own


def offer(kind: Kind, reason: str = "", needs: FieldName | None = None) -> ActionOffer:
    why = Message(reason) if reason else None
    return ActionOffer(kind, not reason, why, recommended=False, needs=needs)


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    wording.speak(request.param)
    request.addfinalizer(lambda: wording.speak("en"))  # noqa: PT021 - beside its use
    return str(request.param)


def test_a_screen_tells_nobody_what_to_type_at_a_command_line() -> None:
    told = Message("enrollment.several_cards", {"readers": "A, B"})
    assert sentence(told).endswith("or name one with --reader.")
    assert wording.said(told).endswith("A, B. Take the others out.")


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("needs", CALLED)
def test_what_an_action_needs_says_whom_to_call(needs: FieldName) -> None:
    said = visit_wording.of_help(offer(Kind.UNBLOCK, needs=needs), DESK)
    assert "extension 4711 (Mon–Fri 7–18)" in said


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("name", sorted(FROM_ELSEWHERE))
def test_every_form_with_something_from_elsewhere_says_whom_to_call(
    name: FieldName,
) -> None:
    said = visit_wording.of_call(form(fields=(name,)), DESK)
    assert "extension 4711 (Mon–Fri 7–18)" in said
    assert said != wording.whom_to_call(DESK), "and what they give"


def test_what_a_sentence_names_is_the_label_of_an_action(language: str) -> None:
    """It is written as a reference: no sentence spells a label out by itself."""
    named = 0
    for key in english():
        if key.partition(".")[0] in AREAS:
            for name in QUOTED.findall(text(key, language)):
                assert re.fullmatch(r"\{label\[tui\.action\.\w+\]\}", name), key
                named += 1
    assert named


def test_one_reason_is_said_once_and_in_place_of_the_headline() -> None:
    held = tuple(offer(kind, "refusal.suspended") for kind in Kind)
    grace = home(headline=Message("home.headline.suspended"), actions=held)
    assert visit_wording.of_standing(grace) == (english()["refusal.suspended"],)
    assert visit_wording.of_refusals(grace) == ()


def test_why_card_and_password_differ_is_said_once() -> None:
    erin = home(
        headline=Message("home.headline.out_of_step"),
        notices=(Message("reason.changed_elsewhere"),),
    )
    assert visit_wording.of_standing(erin) == (english()["reason.changed_elsewhere"],)


def test_what_nobody_would_ask_for_is_not_refused() -> None:
    actions = (
        offer(Kind.CHANGE),
        offer(Kind.FINISH, "refusal.in_step"),
        offer(Kind.ACTIVATE, "refusal.already_activated"),
        offer(Kind.UNBLOCK, "refusal.no_unblock_way"),
    )
    (said,) = visit_wording.of_refusals(home(actions=actions))
    assert said.startswith("Set a new PIN: ")


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        (b"111111", Weakness.SAME),
        (b"123456", Weakness.UP),
        (b"789012", Weakness.UP),
        (b"987654", Weakness.DOWN),
        (b"210987", Weakness.DOWN),
        (b"271271", Weakness.REPEATED),
        (b"112233", Weakness.DOUBLED),
        (b"123321", Weakness.MIRRORED),
        (b"520520", Weakness.REPEATED),
        (b"5201314", Weakness.COMMON),
        (b"147258", Weakness.PAD),
        (b"311299", Weakness.DATE),
        (b"271828", None),
    ],
)
def test_a_pin_that_is_easy_to_guess_says_why(pin: bytes, why: Weakness | None) -> None:
    assert weakness(pin) is why


def test_a_broken_rule_names_itself_and_why() -> None:
    verdict = RuleVerdict(Rule.NOT_WEAK, holds=False, why=Weakness.UP)
    said = visit_wording.of_broken(verdict, RULES)
    assert said == "not easy to guess (it counts upwards)"


def test_which_digits_and_how_many_are_one_rule() -> None:
    verdicts = (
        RuleVerdict(Rule.LENGTH, holds=True),
        RuleVerdict(Rule.ALPHABET, holds=False),
    )
    (shown,) = visit_wording.merged(RULES, verdicts)
    assert not shown.holds
    assert visit_wording.of_rule(shown.rule, RULES) == "6 to 8 digits"


def test_tries_are_named_only_where_they_are_at_stake() -> None:
    assert visit_wording.is_at_stake(
        form(fields=(FieldName.OLD_PIN, FieldName.NEW_PIN))
    )
    code = (FieldName.RELEASE_CODE, FieldName.NEW_PIN)
    assert not visit_wording.is_at_stake(form(fields=code))
