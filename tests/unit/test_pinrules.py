"""What a new PIN must be, rule by rule."""

from __future__ import annotations

import pytest

from kiosk.pinrules import (
    Alphabet,
    PinRules,
    Rule,
    check,
    contradiction,
    is_satisfied,
)
from kiosk.secret import Secret
from kiosk.weakpins import is_weak

PIV = PinRules(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)


def broken(rules: PinRules, pin: bytes, old: bytes | None = None) -> set[Rule]:
    with Secret(pin) as new:
        verdicts = check(rules, new, None if old is None else Secret(old))
    return {verdict.rule for verdict in verdicts if not verdict.holds}


def rules(**other: object) -> PinRules:
    fields = {
        "minimum": 6,
        "maximum": 12,
        "alphabet": Alphabet.PRINTABLE,
        "refuse_weak": False,
        **other,
    }
    return PinRules(**fields)  # type: ignore[arg-type]  # fields of PinRules, checked by it


@pytest.mark.parametrize(
    ("pin", "expected"),
    [
        (b"27182", {Rule.LENGTH}),
        (b"271828", set()),
        (b"27182845", set()),
        (b"271828459", {Rule.LENGTH}),
        (b"27182a", {Rule.ALPHABET}),
        (b"123456", {Rule.NOT_WEAK}),
    ],
)
def test_a_piv_pin(pin: bytes, expected: set[Rule]) -> None:
    assert broken(PIV, pin) == expected


def test_nothing_typed_satisfies_nothing() -> None:
    everything = rules(names=("alice",), required_classes=1, complexity=True)
    assert broken(everything, b"") == {
        Rule.LENGTH,
        Rule.ALPHABET,
        Rule.NO_NAME,
        Rule.CLASSES,
        Rule.COMPLEXITY,
    }


def test_the_new_pin_differs_from_the_old_where_that_is_known() -> None:
    assert broken(PIV, b"271828", b"271828") == {Rule.DIFFERENT}
    assert broken(PIV, b"271828", b"314159") == set()


@pytest.mark.parametrize("pin", [b"xAlice42", b"ALICE-x1", b"malice99"])
def test_a_name_may_not_occur_whatever_its_case(pin: bytes) -> None:
    assert broken(rules(names=("alice",)), pin) == {Rule.NO_NAME}


@pytest.mark.parametrize(
    ("pin", "complex_enough"),
    [
        (b"abcdefgh", False),
        (b"abcdefg1", False),
        (b"Abcdefg1", True),
        (b"abcdef1!", True),
        (b"27182818", False),
    ],
)
def test_complexity_is_three_kinds_of_characters(
    pin: bytes, *, complex_enough: bool
) -> None:
    assert (broken(rules(complexity=True), pin) == set()) is complex_enough


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (rules(), None),
        (rules(minimum=9, maximum=8), Rule.LENGTH),
        (rules(alphabet=Alphabet.DIGITS, complexity=True), Rule.COMPLEXITY),
        (rules(alphabet=Alphabet.DIGITS, required_classes=2), Rule.CLASSES),
        (rules(complexity=True), None),
    ],
)
def test_rules_that_no_pin_can_satisfy_are_named(
    given: PinRules, expected: Rule | None
) -> None:
    assert contradiction(given) is expected


@pytest.mark.parametrize(
    "pin",
    [
        *(b"000000", b"1111111", b"123456", b"654321", b"890123", b"210987"),
        *(b"121212", b"123123", b"12341234", b"112233", b"123321", b"147258"),
        *(b"159753", b"010190", b"19870412", b"199012", b"041287", b"password"),
    ],
)
def test_what_thieves_try_first_is_weak(pin: bytes) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", [b"271828", b"926535", b"846257", b"90210473"])
def test_other_pins_are_not_weak(pin: bytes) -> None:
    assert not is_weak(pin)


def test_judging_leaves_the_typed_value_as_it_was() -> None:
    with Secret(b"271828") as pin:
        assert is_satisfied(PIV, pin)
        assert pin.reveal() == b"271828"
