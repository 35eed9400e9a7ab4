"""A template as words in fields, and back: what a screen can edit.

Fields are read from the record's own types, so that a new one appears by itself.
"""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from kiosk.cards.values import KeyAlgorithm
from kiosk.core.errors import KioskError
from storage.known_types import known
from storage.records import PinPolicy, Template, UnblockMethod

_POLICY = "pin_policy."
UNBLOCK = "unblock."
"""What the fields begin with that say of each way to unblock whether it counts."""
_YES, _NO = "yes", "no"
_LARGEST = 9999
_GROUPS = {
    "general": ("name", "card_type", "self_service", "card_access"),
    "issue": ("first_pin", "activation_code_days", "apply_pin_policy"),
    "key": ("key_slot", "key_algorithm", "keyless"),
}
"""In the order of the screen; the PIN policy stands after `issue`, the rest last."""


class BadField(KioskError):
    """What was typed into a field means nothing: `field`, `problem`."""

    code = "template.bad_field"


class NotANumber(KioskError):
    """What was typed where a number belongs: `field`, `largest`."""

    code = "template.not_a_number"


class NoSuchAlgorithm(KioskError):
    """Keys of that kind are not made: `known`."""

    code = "template.no_such_algorithm"


class NoName(KioskError):
    """A template without a name."""

    code = "template.no_name"


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields that belong together; those of the PIN policy begin with `pin_policy.`,
    those of the ways to unblock with `unblock.`.
    """

    name: str
    fields: tuple[str, ...]

    def value(self, template: Template, field: str) -> str:
        """Return a field's value as it is typed."""
        return _written(_get(template, field))

    def options(self, field: str) -> tuple[str, ...]:
        """Return what may be chosen; empty where it is typed."""
        kind = _type_of(field)
        if kind is bool:
            return (_YES, _NO)
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return tuple(kind)
        return ()


def groups() -> tuple[FieldGroup, ...]:
    """Return every field of a template, grouped."""
    placed = {name for names in _GROUPS.values() for name in names} | {"unblock"}
    plain = set(Template.__struct_fields__) - {"version", "pin_policy"}
    known = {
        name: tuple(field for field in fields if field in plain)
        for name, fields in _GROUPS.items()
    }
    policy = tuple(f"{_POLICY}{field}" for field in PinPolicy.__struct_fields__)
    rest = tuple(
        field for field in Template.__struct_fields__ if field in plain - placed
    )
    return (
        FieldGroup("general", known["general"]),
        FieldGroup("issue", known["issue"]),
        FieldGroup("policy", policy),
        FieldGroup("unblock", tuple(f"{UNBLOCK}{way}" for way in UnblockMethod)),
        FieldGroup("key", known["key"]),
        FieldGroup("other", rest),
    )


def filled_in(template: Template, typed: dict[str, str]) -> Template:
    """Return the template with what was typed.

    BadField, NotANumber, NoSuchAlgorithm, NoName.
    """
    whole: dict[str, Any] = msgspec.to_builtins(template)
    for field, text in typed.items():
        if field.startswith(UNBLOCK):
            continue
        target, name = whole, field
        if field.startswith(_POLICY):
            target, name = whole["pin_policy"], field.removeprefix(_POLICY)
        target[name] = _read(field, text.strip())
    whole["unblock"] = _ways(template, typed)
    try:
        draft = msgspec.convert(whole, known(Template), strict=False)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$.")
        raise BadField(field=path.rstrip("`") or "?", problem=problem) from error
    if not draft.name.strip():
        raise NoName
    if draft.key_algorithm not in set(KeyAlgorithm):
        raise NoSuchAlgorithm(known=", ".join(KeyAlgorithm))
    return draft


def changed(before: Template, after: Template) -> frozenset[str]:
    """Return the fields that differ."""
    return frozenset(
        field
        for group in groups()
        for field in group.fields
        if _get(before, field) != _get(after, field)
    )


def differences(before: Template, after: Template) -> list[tuple[str, str, str]]:
    """Return what differs as a file has it: field, value before and value after."""
    named = [
        "unblock" if group.name == "unblock" else field
        for group in groups()
        for field in group.fields
    ]
    return [
        (field, _written(_get(before, field)), _written(_get(after, field)))
        for field in dict.fromkeys(named)
        if _get(before, field) != _get(after, field)
    ]


# --- words and values ---------------------------------------------------------


def _get(template: Template, field: str) -> object:
    if field.startswith(_POLICY):
        return getattr(template.pin_policy, field.removeprefix(_POLICY))
    if field.startswith(UNBLOCK):
        return field.removeprefix(UNBLOCK) in template.unblock
    return getattr(template, field)


def _ways(template: Template, typed: dict[str, str]) -> list[str]:
    """Return the ways to unblock, in the order that they had."""
    told = {
        way: typed.get(f"{UNBLOCK}{way}", _written(way in template.unblock)) == _YES
        for way in UnblockMethod
    }
    inner = [*template.unblock, *(way for way in told if way not in template.unblock)]
    return [str(way) for way in inner if told[way]]


def _type_of(field: str) -> Any:
    if field.startswith(UNBLOCK):
        return bool
    record = PinPolicy if field.startswith(_POLICY) else Template
    return typing.get_type_hints(record)[field.removeprefix(_POLICY)]


def _written(value: object) -> str:
    if isinstance(value, bool):
        return _YES if value else _NO
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(each) for each in value)
    return str(value)


def _read(field: str, text: str) -> object:
    kind = _type_of(field)
    if kind is bool:
        return text == _YES
    if kind is int:
        return _number(field, text)
    if typing.get_origin(kind) is tuple:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        is_int = typing.get_args(kind)[0] is int
        return [_number(field, part) for part in parts] if is_int else parts
    return text


def _number(field: str, text: str) -> int:
    """Return a number that was typed: digits, and no more of them than make sense."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_LARGEST))):
        raise NotANumber(field=field, largest=_LARGEST)
    return int(text)
