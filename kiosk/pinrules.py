"""What a new PIN must be: one set of rules, checked live and again by the authority.

Pure. The authority combines card limits, template and directory policy into one
`PinRules`; a face shows each verdict while the person types.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from kiosk.secret import Secret


class Alphabet(StrEnum):
    """Which characters a PIN may have."""

    DIGITS = "digits"
    PRINTABLE = "printable"


class Rule(StrEnum):
    """One rule; `rule.<value>` is its sentence in the catalogue."""

    LENGTH = "length"
    ALPHABET = "alphabet"
    NOT_WEAK = "not_weak"
    DIFFERENT = "different"
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
class Verdict:
    """How a typed value stands to one rule."""

    rule: Rule
    holds: bool


def check(
    rules: PinRules, new: Secret, old: Secret | None = None
) -> tuple[Verdict, ...]:
    """Judge `new` by every rule that applies, in the order they are shown.

    DIFFERENT applies only where `old` is known. Reads the buffers in place;
    makes no `str` of a PIN.
    """
    raise NotImplementedError


def is_satisfied(rules: PinRules, new: Secret, old: Secret | None = None) -> bool:
    """Say whether every rule holds."""
    return all(verdict.holds for verdict in check(rules, new, old))
