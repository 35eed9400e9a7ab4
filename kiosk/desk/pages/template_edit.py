"""One template, field by field: what a change means is weighed while it is typed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from msgspec.structs import replace

from kiosk.authority.office.operators import Action
from kiosk.authority.office.values import COUNTED_FIELDS, TemplateMeaning
from kiosk.core.errors import KioskError, Message
from kiosk.desk.context import Context, Move, Plain, back, done
from kiosk.desk.templating import (
    UNBLOCK,
    BadField,
    FieldGroup,
    NotANumber,
    changed,
    filled_in,
    groups,
)
from kiosk.desk.views import (
    Emit,
    FieldKind,
    Filled,
    Look,
    Page,
    PageField,
    PageLine,
    Style,
    Words,
)
from storage.records import (
    CardAccess,
    CardType,
    FirstPin,
    ImportedPuk,
    Keyless,
    PinAlphabet,
    Template,
)

_COUNTING = 0.25
"""Seconds after which it is asked how far the counting is."""
_COUNTED = 5.0
_SAID = frozenset(
    {
        *("yes", "no"),
        *(*CardType, *CardAccess, *PinAlphabet, *FirstPin, *ImportedPuk, *Keyless),
    }
)
"""What a field offers and has words for; the file has the value itself."""


class EditPage(Plain):
    """The fields in their groups, beside those of an earlier version. Saving checks it,
    then asks once. What was changed is kept for its operator until it is saved, or left
    after it was asked: signing out loses nothing.
    """

    def __init__(self, context: Context, template: Template) -> None:
        self._template = template
        """The newest version."""
        account = context.office.operator.account
        self._key = (account, template.name, template.version)
        self._texts = dict(context.drafts.get(self._key, {}))
        self._is_from_before = bool(self._texts)
        self._checked: Template | None = None
        """What is known to be possible."""
        self._compared = template
        self._wrong = ""
        """The field that was refused when it was submitted."""

    # --- what is shown ------------------------------------------------------------

    def show(self, context: Context) -> Page:
        context.require(Action.TEMPLATES)
        self._keep(context)
        draft, wrong = self._draft()
        compared = self._compared_now(context)
        meaning = context.office.template_meaning(draft)
        is_checked = draft == self._checked
        lines = [*self._standing(draft, compared, meaning)]
        if is_checked:
            later = Message("desk.template_later")
            lines.append(PageLine(later, Style.WARNING))
        action = "desk.template_save" if is_checked else "desk.template_check"
        return Page(
            name="template_edit",
            title=self._template.name or Message("desk.template_new"),
            lines=tuple(lines),
            fields=tuple(self._fields(draft, compared, wrong, meaning)),
            action=Message(action),
            about_field=self._wrong,
            asks_own_key=is_checked,
            weighs=True,
            beside=tuple(self._versions()),
            compared=str(compared.version),
            refresh=_COUNTED if meaning.is_whole else _COUNTING,
            leaving=Message("desk.template_leaving"),
        )

    def _keep(self, context: Context) -> None:
        """Keep what differs from the newest version, and nothing else."""
        if any(self._texts[name] != told for name, told in self._saved(self._texts)):
            context.drafts[self._key] = self._texts
        else:
            context.drafts.pop(self._key, None)

    def _saved(self, names: dict[str, str]) -> Iterator[tuple[str, str]]:
        for group in groups():
            for name in group.fields:
                if name in names:
                    yield name, group.value(self._template, name)

    def _draft(self) -> tuple[Template, KioskError | None]:
        """Return what is typed; where that means nothing, what is saved, and why."""
        try:
            return filled_in(self._template, self._texts), None
        except KioskError as error:
            return self._template, error

    def _compared_now(self, context: Context) -> Template:
        """Return the version beside it: one that is saved never changes."""
        if self._beside not in ("", str(self._compared.version)):
            name, version = self._template.name, int(self._beside)
            self._compared = context.office.template(name, version)
        return self._compared

    _beside = ""
    """The version that somebody wants to see beside it; empty: the newest."""

    def _versions(self) -> Iterator[tuple[str, Words]]:
        for version in range(self._template.version, 0, -1):
            yield str(version), Message("desk.template_beside", {"version": version})

    def _standing(
        self, draft: Template, compared: Template, meaning: TemplateMeaning
    ) -> Iterator[PageLine]:
        """Say which version is edited, which cards are of it, and what differs."""
        if self._is_from_before:
            yield PageLine(Message("desk.template_kept"), Style.WARNING)
        if meaning.impossible is not None:
            yield PageLine(meaning.impossible, Style.WARNING)
        if not self._template.version:
            return
        told: dict[str, str | int] = {
            "version": self._template.version,
            "using": meaning.in_use,
        }
        counted = "standing" if meaning.is_whole else "counting"
        yield PageLine(Message(f"desk.template_{counted}", told), Style.MUTED)
        if len(meaning.versions) > 1:
            each = sorted(meaning.versions.items(), reverse=True)
            split = ", ".join(f"{version}: {count}" for version, count in each)
            yield PageLine(
                Message("desk.template_split", {"split": split}), Style.MUTED
            )
        if draft == compared == self._template:
            return  # nothing else is compared, and nothing is changed
        differing: dict[str, str | int] = {
            "changed": len(changed(compared, draft)),
            "version": compared.version,
        }
        yield PageLine(Message("desk.template_differs", differing), Style.MUTED)

    def _fields(
        self,
        draft: Template,
        compared: Template,
        wrong: KioskError | None,
        meaning: TemplateMeaning,
    ) -> Iterator[PageField]:
        """Yield every field, the first of each group under what the group is called.

        A template that is there keeps its name: cards are issued by it.
        """
        others = changed(self._template, draft)
        for group in groups():
            heading: Message | None = Message(f"desk.template_group.{group.name}")
            for name in group.fields:
                if name == "name" and self._template.version:
                    continue
                effect, short = _effect(name, wrong, meaning, others)
                made = _field(group, name, self._template, compared)
                yield dataclasses.replace(
                    made,
                    value=self._texts.get(name, group.value(draft, name)),
                    heading=heading,
                    effect=effect,
                    short_effect=short,
                )
                heading = None

    # --- what is done -------------------------------------------------------------

    def look(self, look: Look) -> None:
        self._texts = dict(look.typed)
        self._beside = look.beside

    def left(self, context: Context) -> None:
        """What was changed is given up: that has been asked."""
        context.drafts.pop(self._key, None)

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        context.require(Action.TEMPLATES)
        self._texts, self._wrong = dict(filled.texts), ""
        self._keep(context)
        try:
            draft = filled_in(self._template, filled.texts)
        except (BadField, NotANumber) as error:
            self._wrong = str(error.data["field"])
            raise
        if draft != self._checked:
            emit(Message("desk.working"))
            context.office.check_template(draft)
            self._checked = draft
            return done(Message("desk.template_is_possible"))
        saved = context.office.publish((replace(draft, version=0),))
        context.drafts.pop(self._key, None)
        if not saved:
            return back(Message("desk.template_unchanged"))
        told: dict[str, str | int] = {
            "name": saved[0].name,
            "version": saved[0].version,
        }
        return done(Message("desk.template_saved", told), back=1)


def _effect(
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


def _field(
    group: FieldGroup, name: str, saved: Template, compared: Template
) -> PageField:
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
