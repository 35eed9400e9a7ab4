"""Templates: what a class of cards may do, field by field, with what a change means."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kiosk.authority.office.operators import Action
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, back, done, go
from kiosk.desk.templating import (
    BadField,
    FieldGroup,
    NotANumber,
    differences,
    filled_in,
    groups,
)
from kiosk.desk.views import (
    Choice,
    Emit,
    FieldKind,
    Filled,
    Page,
    PageField,
    PageLine,
    Style,
)
from storage.records import Template


class TemplatesPage(Plain):
    """Every template in its newest version, and a new one."""

    def show(self, context: Context) -> Page:
        context.require(Action.TEMPLATES)
        saved = context.office.templates()
        return Page(
            name="templates",
            title=Message("desk.menu.templates"),
            choices=(
                *(
                    Choice(
                        each.name,
                        each.name,
                        Message(
                            "desk.template_version",
                            {"version": each.version, "type": each.card_type},
                        ),
                    )
                    for each in saved
                ),
                Choice(" new", Message("desk.template_new")),
            ),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        if key == " new":
            return go(EditPage(Template(name="")))
        return go(EditPage(context.office.template(key)))


class EditPage(Plain):
    """The fields of one template in their groups. Saving checks it, then asks once."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._draft = template
        self._is_checked = False
        self._wrong = ""
        """The field that was refused."""

    def show(self, context: Context) -> Page:
        context.require(Action.TEMPLATES)
        lines = self._standing(context)
        if self._is_checked:
            lines += [PageLine(each, Style.WARNING) for each in self._meaning(context)]
        action = "desk.template_save" if self._is_checked else "desk.template_check"
        return Page(
            name="template_edit",
            title=self._draft.name or Message("desk.template_new"),
            lines=tuple(lines),
            fields=tuple(self._fields()),
            action=Message(action),
            about_field=self._wrong,
            asks_own_key=self._is_checked,
            leaving=Message("desk.template_leaving"),
        )

    def _fields(self) -> Iterator[PageField]:
        """Return every field, the first of each group under what the group is called.

        A template that is there keeps its name: cards are issued by it.
        """
        for group in groups():
            heading: Message | None = Message(f"desk.template_group.{group.name}")
            for name in group.fields:
                if not (name == "name" and self._template.version):
                    yield _field(group, name, self._draft, self._template, heading)
                    heading = None

    def _standing(self, context: Context) -> list[PageLine]:
        """Which version is edited, and how many cards are of it."""
        if not self._template.version:
            return []
        told: dict[str, str | int] = {
            "version": self._template.version,
            "using": context.office.template_users(self._template.name),
        }
        return [PageLine(Message("desk.template_standing", told), Style.MUTED)]

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        context.require(Action.TEMPLATES)
        before = self._draft
        self._wrong = ""
        try:
            self._draft = filled_in(self._template, filled.texts)
        except (BadField, NotANumber) as error:
            self._wrong = str(error.data["field"])
            raise
        if not self._is_checked or self._draft != before:
            emit(Message("desk.working"))
            context.office.check_template(self._draft)
            self._is_checked = True
            return done(Message("desk.template_is_possible"))
        saved = context.office.publish((replace(self._draft, version=0),))
        if not saved:
            return back(Message("desk.template_unchanged"))
        told: dict[str, str | int] = {
            "name": saved[0].name,
            "version": saved[0].version,
        }
        return done(Message("desk.template_saved", told), back=1)

    def _meaning(self, context: Context) -> list[Message]:
        """Say what saving will mean, and for how many cards it will not."""
        name = self._draft.name
        using = context.office.template_users(name)
        changed = len(differences(self._template, self._draft))
        return [
            Message("desk.template_means", {"changed": changed, "using": using}),
            Message("desk.template_later"),
        ]


def _field(
    group: FieldGroup,
    name: str,
    draft: Template,
    saved: Template,
    heading: Message | None,
) -> PageField:
    offered = group.options(name)
    short = name.rpartition(".")[2]
    area = "policy" if "." in name else "field"
    return PageField(
        name=name,
        label=Message(f"template.short.{short}"),
        kind=FieldKind.CHOICE if offered else FieldKind.TEXT,
        value=group.value(draft, name),
        before=group.value(saved, name),
        help=Message(f"template.{area}.{short}"),
        options=tuple((each, _words(each)) for each in offered),
        heading=heading,
    )


def _words(option: str) -> Message | str:
    """Return yes and no as they are said; the others are as in the file."""
    is_said = option in ("yes", "no")
    return Message(f"desk.option.{option}") if is_said else option
