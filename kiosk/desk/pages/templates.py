"""Templates: what a class of cards may do. Their newest versions, and a new one."""

from __future__ import annotations

from kiosk.authority.office.operators import Action
from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, go
from kiosk.desk.pages.template_edit import EditPage
from kiosk.desk.views import Choice, Emit, Page
from storage.records import Template

_NEW = " new"


class TemplatesPage(Plain):
    """Choosing one edits it."""

    def show(self, context: Context) -> Page:
        context.require(Action.TEMPLATES)
        saved = context.office.templates()
        return Page(
            name="templates",
            title=Message("desk.menu.templates"),
            choices=(
                *(Choice(each.name, each.name, _told(each)) for each in saved),
                Choice(_NEW, Message("desk.template_new")),
            ),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        if key == _NEW:
            return go(EditPage(context, Template(name="")))
        return go(EditPage(context, context.office.template(key)))


def _told(template: Template) -> Message:
    told: dict[str, str | int] = {
        "version": template.version,
        "type": template.card_type.upper(),
    }
    return Message("desk.template_version", told)
