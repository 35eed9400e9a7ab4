"""Templates: what a class of cards may do, field by field, with what a change means."""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.office.operators import Action
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, back, go, stay
from kiosk.desk.templating import (
    Group,
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

    def show(self, context: Context) -> Page:
        context.require(Action.TEMPLATES)
        lines: list[PageLine] = []
        if self._is_checked:
            lines = [PageLine(each, Style.WARNING) for each in self._meaning(context)]
        action = "desk.template_save" if self._is_checked else "desk.template_check"
        return Page(
            name="template_edit",
            title=self._draft.name or Message("desk.template_new"),
            lines=tuple(lines),
            fields=tuple(
                _field(group, name, self._draft)
                for group in groups()
                for name in group.fields
                if not (name == "name" and self._template.version)
            ),
            action=Message(action),
            asks_own_key=self._is_checked,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        context.require(Action.TEMPLATES)
        before = self._draft
        self._draft = filled_in(self._template, filled.texts)
        if not self._is_checked or self._draft != before:
            emit(Message("desk.working"))
            context.office.check_template(self._draft)
            self._is_checked = True
            return stay(Message("desk.template_is_possible"))
        saved = context.office.publish((replace(self._draft, version=0),))
        if not saved:
            return back(Message("desk.template_unchanged"))
        told: dict[str, str | int] = {
            "name": saved[0].name,
            "version": saved[0].version,
        }
        return back(Message("desk.template_saved", told))

    def _meaning(self, context: Context) -> list[Message]:
        """Say what saving will mean, and for how many cards it will not."""
        name = self._draft.name
        using = context.office.template_users(name)
        changed = len(differences(self._template, self._draft))
        return [
            Message("desk.template_means", {"changed": changed, "using": using}),
            Message("desk.template_later"),
        ]


def _field(group: Group, name: str, draft: Template) -> PageField:
    is_first = name == group.fields[0]
    offered = group.options(name)
    return PageField(
        name=name,
        label=Message(f"template.short.{name.rpartition('.')[2]}"),
        kind=FieldKind.CHOICE if offered else FieldKind.TEXT,
        value=group.value(draft, name),
        options=tuple((each, each) for each in offered),
        heading=Message(f"desk.template_group.{group.name}") if is_first else None,
    )
