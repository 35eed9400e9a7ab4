"""What a new PIN must be: one set of rules, checked live and again by the authority.

Pure. The authority combines card limits, template and directory policy into one
`PinRules`; a face shows each verdict while the person types.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from kiosk.core.secret import Secret
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.weak import Weakness, weakness

COMPLEXITY_CLASSES = 3
"""How many of the five character classes a complex password has (MS-SAMR)."""


class Rule(StrEnum):
    """One rule; `rule.<value>` is its sentence in the catalogue."""

    LENGTH = "length"
    ALPHABET = "alphabet"
    NOT_WEAK = "not_weak"
    DIFFERENT = "different"
    HISTORY = "history"
    """Judged by the authority alone: a face does not know earlier PINs."""
    NO_NAME = "no_name"
    CLASSES = "classes"
    COMPLEXITY = "complexity"


class PinRules(msgspec.Struct, frozen=True, kw_only=True):
    """The effective rules for one credential now; travels from authority to face."""

    minimum: int
    maximum: int
    alphabet: Alphabet
    refuse_weak: bool = True
    names: tuple[str, ...] = ()
    """Account name and name tokens that must not occur (3 characters and up)."""
    required_classes: int = 0
    complexity: bool = False
    """The directory's own: three of five classes (MS-SAMR 3.1.1.7.2)."""


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """How a typed value stands to one rule."""

    rule: Rule
    holds: bool
    why: Weakness | None = None
    """Of a PIN that is easy to guess."""


def check(
    rules: PinRules, new: Secret, old: Secret | None = None
) -> tuple[RuleVerdict, ...]:
    """Judge `new` by every rule that applies, in the order they are shown.

    DIFFERENT applies only where `old` is known. Reads the buffers in place; makes no
    `str` of a PIN.
    """
    pin = new.reveal()
    verdicts = [
        RuleVerdict(Rule.LENGTH, rules.minimum <= len(pin) <= rules.maximum),
        RuleVerdict(Rule.ALPHABET, bool(pin) and _fits(pin, rules.alphabet)),
    ]
    if old is not None:
        verdicts.append(RuleVerdict(Rule.DIFFERENT, bool(pin) and not new.matches(old)))
    if rules.refuse_weak:
        why = weakness(pin)
        verdicts.append(RuleVerdict(Rule.NOT_WEAK, bool(pin) and why is None, why))
    if rules.names:
        verdicts.append(
            RuleVerdict(Rule.NO_NAME, bool(pin) and not _holds_name(pin, rules.names))
        )
    if rules.required_classes:
        enough = len(_classes(pin)) >= rules.required_classes
        verdicts.append(RuleVerdict(Rule.CLASSES, enough))
    if rules.complexity:
        verdicts.append(
            RuleVerdict(Rule.COMPLEXITY, len(_classes(pin)) >= COMPLEXITY_CLASSES)
        )
    return tuple(verdicts)


def is_satisfied(rules: PinRules, new: Secret, old: Secret | None = None) -> bool:
    """Say whether every rule holds."""
    return all(verdict.holds for verdict in check(rules, new, old))


def contradiction(rules: PinRules) -> Rule | None:
    """Name the rule that no PIN at all can satisfy; None: some PIN can."""
    classes = 1 if rules.alphabet is Alphabet.DIGITS else len(_CLASS_OF)
    if max(rules.minimum, 1) > rules.maximum:
        return Rule.LENGTH
    if rules.refuse_weak and rules.maximum == 1:
        return Rule.NOT_WEAK
    if rules.required_classes > min(classes, rules.maximum):
        return Rule.CLASSES
    if rules.complexity and min(classes, rules.maximum) < COMPLEXITY_CLASSES:
        return Rule.COMPLEXITY
    return None


def _fits(pin: bytearray, alphabet: Alphabet) -> bool:
    if alphabet is Alphabet.DIGITS:
        return pin.isdigit()
    return all(0x20 <= byte <= 0x7E for byte in pin)


_CLASS_OF = {
    "upper": frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "lower": frozenset(b"abcdefghijklmnopqrstuvwxyz"),
    "digit": frozenset(b"0123456789"),
    "special": frozenset(b"~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/"),
}


def _classes(pin: bytearray) -> set[str]:
    """Return which of the four ASCII classes occur (MS-SAMR 3.1.1.7.2)."""
    return {
        name for name, members in _CLASS_OF.items() if any(b in members for b in pin)
    }


def _holds_name(pin: bytearray, names: tuple[str, ...]) -> bool:
    """Say whether a name occurs, whatever the case."""
    folded = pin.lower()
    try:
        return any(name.casefold().encode() in folded for name in names)
    finally:
        for index in range(len(folded)):
            folded[index] = 0
