"""A field of a template on its page: what it is called, offers, and costs."""

from __future__ import annotations

from kiosk.authority.office.values import COUNTED_FIELDS, TemplateMeaning
from kiosk.core.errors import KioskError, Message
from kiosk.desk.templating import UNBLOCK, FieldGroup
from kiosk.desk.views import FieldKind, PageField
from storage.records import (
    CardAccess,
    CardType,
    FirstPin,
    ImportedPuk,
    Keyless,
    PinAlphabet,
    Template,
)

_SAID = frozenset(
    {
        *("yes", "no"),
        *(*CardType, *CardAccess, *PinAlphabet, *FirstPin, *ImportedPuk, *Keyless),
    }
)
"""What a field offers and has words for; the file has the value itself."""


def effect_of(
    name: str,
    wrong: KioskError | None,
    meaning: TemplateMeaning,
    others: frozenset[str],
) -> tuple[Message | None, str]:
    """Return what the change of a field means, and the number in it.

    `others`: the fields that have another value.
    """
    if wrong is not None and str(wrong.data.get("field", "")) == name:
        return wrong.message, ""
    counted = "unblock" if name.startswith(UNBLOCK) else name
    if name not in others or counted not in COUNTED_FIELDS or not meaning.versions:
        return None, ""
    count = meaning.loses.get(counted, 0)
    told: dict[str, str | int] = {"count": count, "using": meaning.in_use}
    short = counted.rpartition(".")[2]
    return Message(f"desk.loses.{short}", told), str(count) if count else ""


def field_of(
    group: FieldGroup, name: str, saved: Template, compared: Template
) -> PageField:
    """Return it as it is saved, beside another version's; nothing is typed in yet."""
    offered = group.options(name)
    label, about = _named(name)
    return PageField(
        name=name,
        label=label,
        kind=FieldKind.CHOICE if offered else FieldKind.TEXT,
        before=group.value(saved, name),
        compared=group.value(compared, name),
        help=about,
        options=tuple((each, _words(each)) for each in offered),
    )


def _named(name: str) -> tuple[Message, Message]:
    """Return what a field is called, and what it means."""
    if name.startswith(UNBLOCK):
        way = name.removeprefix(UNBLOCK).replace(" ", "_")
        return Message(f"desk.unblock.{way}"), Message(f"desk.unblock_about.{way}")
    short = name.rpartition(".")[2]
    area = "policy" if "." in name else "field"
    return Message(f"template.short.{short}"), Message(f"template.{area}.{short}")


def _words(option: str) -> Message | str:
    """Return what is chosen as it is said; a kind of key or a slot is its own name."""
    if option not in _SAID:
        return option
    return Message(f"desk.option.{option.replace(' ', '_')}")
