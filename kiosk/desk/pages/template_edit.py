"""One template, field by field: what a change means is weighed while it is typed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from kiosk.authority.office.operators import Action
from kiosk.authority.office.ports import (
    DuplicateRecord,
    RecordMissing,
    VersionConflict,
)
from kiosk.authority.office.values import TemplateMeaning
from kiosk.core.errors import KioskError, Message
from kiosk.desk.context import Context, Move, Plain, back, done
from kiosk.desk.pages.template_fields import effect_of, field_of
from kiosk.desk.templating import (
    BadField,
    NotANumber,
    changed,
    filled_in,
    groups,
)
from kiosk.desk.views import (
    Emit,
    Filled,
    Look,
    Page,
    PageField,
    PageLine,
    Style,
    Words,
)
from storage.records import Template

_COUNTING = 0.25
"""Seconds after which it is asked how far the counting is."""
_COUNTED = 5.0


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
                effect, short = effect_of(name, wrong, meaning, others)
                made = field_of(group, name, self._template, compared)
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
        if not draft.version:
            _must_be_new(context, draft.name)
        if draft != self._checked:
            emit(Message("desk.working"))
            context.office.check_template(draft)
            self._checked = draft
            return done(Message("desk.template_is_possible"))
        try:
            saved = context.office.publish((draft,))
        except VersionConflict:
            self._take_newer(context)
            raise
        context.drafts.pop(self._key, None)
        if not saved:
            return back(Message("desk.template_unchanged"))
        told: dict[str, str | int] = {
            "name": saved[0].name,
            "version": saved[0].version,
        }
        return done(Message("desk.template_saved", told), back=1)

    def _take_newer(self, context: Context) -> None:
        """Put what was changed here upon what somebody else has saved meanwhile."""
        before = dict(self._saved(self._texts))
        context.drafts.pop(self._key, None)
        self._texts = {
            name: text
            for name, text in self._texts.items()
            if text.strip() != before.get(name)
        }
        newer = context.office.template(self._template.name)
        self._template = self._compared = newer
        self._beside, self._checked = "", None
        self._key = (*self._key[:2], newer.version)


def _must_be_new(context: Context, name: str) -> None:
    """Let pass a name that no template has. DuplicateRecord."""
    try:
        context.office.template(name)
    except RecordMissing:
        return
    raise DuplicateRecord(kind="template", key=name)
