"""What a new PIN must be, rule by rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.secret import Secret
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import PinRules, Rule, check, contradiction, is_satisfied

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
    ("asked", "expected"),
    [
        (rules(), None),
        (rules(minimum=9, maximum=8), Rule.LENGTH),
        (rules(minimum=0, maximum=0), Rule.LENGTH),
        (rules(minimum=1, maximum=1), None),
        (rules(minimum=1, maximum=1, refuse_weak=True), Rule.NOT_WEAK),
        (rules(minimum=1, maximum=2, complexity=True), Rule.COMPLEXITY),
        (rules(alphabet=Alphabet.DIGITS, complexity=True), Rule.COMPLEXITY),
        (rules(alphabet=Alphabet.DIGITS, required_classes=2), Rule.CLASSES),
        (rules(complexity=True), None),
    ],
)
def test_rules_that_no_pin_can_satisfy_are_named(
    asked: PinRules, expected: Rule | None
) -> None:
    assert contradiction(asked) is expected


PATTERN = {Alphabet.DIGITS: b"84629517", Alphabet.PRINTABLE: b"Kz7!q846"}
"""Values that break no rule which any value can keep, cut to every length."""


@given(
    st.integers(0, 9),
    st.integers(0, 8),
    st.sampled_from(Alphabet),
    st.booleans(),
    st.integers(0, 5),
    st.booleans(),
)
def test_rules_contradict_each_other_exactly_when_no_pin_keeps_them(
    minimum: int,
    maximum: int,
    alphabet: Alphabet,
    refuse_weak: bool,
    required_classes: int,
    complexity: bool,
) -> None:
    given_rules = rules(
        minimum=minimum,
        maximum=maximum,
        alphabet=alphabet,
        refuse_weak=refuse_weak,
        required_classes=required_classes,
        complexity=complexity,
    )
    some_pin_fits = any(
        is_satisfied(given_rules, Secret(PATTERN[alphabet][:length]))
        for length in range(9)
    )
    assert (contradiction(given_rules) is None) == some_pin_fits


def test_verdicts_come_in_the_order_they_are_shown() -> None:
    everything = rules(
        refuse_weak=True, names=("alice",), required_classes=2, complexity=True
    )
    shown = [verdict.rule for verdict in check(everything, Secret(b"x"), Secret(b"y"))]
    assert shown == [
        Rule.LENGTH,
        Rule.ALPHABET,
        Rule.DIFFERENT,
        Rule.NOT_WEAK,
        Rule.NO_NAME,
        Rule.CLASSES,
        Rule.COMPLEXITY,
    ]


def test_a_rule_that_does_not_apply_is_not_shown() -> None:
    shown = [verdict.rule for verdict in check(rules(), Secret(b"x"))]
    assert shown == [Rule.LENGTH, Rule.ALPHABET]


@pytest.mark.parametrize(
    ("byte", "fits"), [(0x1F, False), (0x20, True), (0x7E, True), (0x7F, False)]
)
def test_printable_is_ascii_from_space_to_tilde(byte: int, *, fits: bool) -> None:
    pin = b"zk4rW" + bytes([byte])
    assert (Rule.ALPHABET in broken(rules(), pin)) is not fits


@pytest.mark.parametrize(
    ("needed", "expected"), [(2, set()), (3, set()), (4, {Rule.CLASSES})]
)
def test_kinds_of_characters_are_counted(needed: int, expected: set[Rule]) -> None:
    assert broken(rules(required_classes=needed), b"Abcdefg1") == expected


@pytest.mark.parametrize("name", ["Ängström", "山田"])
def test_a_name_beyond_ascii_cannot_occur_in_a_pin_and_harms_nothing(name: str) -> None:
    assert broken(rules(names=(name,)), b"zk4!rW7") == set()


def test_a_number_in_a_name_may_not_be_the_pin() -> None:
    assert broken(rules(names=("4711",)), b"x-4711-y") == {Rule.NO_NAME}


def test_judging_leaves_the_typed_value_as_it_was() -> None:
    with Secret(b"271828") as pin:
        assert is_satisfied(PIV, pin)
        assert pin.reveal() == b"271828"
