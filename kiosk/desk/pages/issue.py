"""Enrollment: find the person, choose a template, personalise the card."""

from __future__ import annotations

from kiosk.authority.office.card_values import CardImport, ImportWay
from kiosk.authority.office.operators import Action
from kiosk.authority.office.values import (
    MOST,
    Holder,
)
from kiosk.core.errors import Message
from kiosk.desk.card_work import begin
from kiosk.desk.context import Context, Move, Plain, done, go, instead, stay
from kiosk.desk.pages.asking_pin import asking_pin, is_at_reader
from kiosk.desk.pages.flow import issuing
from kiosk.desk.pages.work import WorkPage
from kiosk.desk.personalise import TOKEN_PIN, alone, asked_for, refusal_here
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
from kiosk.enrollment import importing
from storage.records import Template


class PersonPage(Plain):
    """Find the holder in the directory; enough is shown to tell two apart."""

    def __init__(self) -> None:
        self._found: tuple[Holder, ...] = ()
        self._term = ""

    def show(self, context: Context) -> Page:
        context.require(Action.ISSUE)
        is_cut = len(self._found) >= MOST
        more = PageLine(Message("desk.more"), Style.WARNING)
        return Page(
            name="person",
            title=Message("desk.menu.issue"),
            flow=issuing("person"),
            lines=(more,) if is_cut else (),
            fields=(
                PageField(
                    name="term", label=Message("desk.field.person"), value=self._term
                ),
            ),
            action=Message("desk.menu.search"),
            choices=tuple(
                Choice(
                    person.account,
                    person.name,
                    "  ·  ".join((person.account, *person.details)),
                )
                for person in self._found
            ),
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        emit(Message("desk.working"))
        self._term = filled.texts["term"].strip()
        self._found = context.office.look_for(self._term)
        if not self._found:
            return stay(Message("desk.nothing_found", {"term": self._term}))
        return stay()

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        return go(
            TemplatePage(next(each for each in self._found if each.account == key))
        )


class TemplatePage(Plain):
    """Choose what the card will be."""

    def __init__(self, person: Holder) -> None:
        self._person = person

    def show(self, context: Context) -> Page:
        templates = context.office.templates()
        return Page(
            name="template",
            title=Message("desk.issue_for", {"holder": self._person.name}),
            flow=issuing("template"),
            lines=(PageLine(self._person.account, Style.MUTED),),
            choices=tuple(
                Choice(
                    each.name,
                    each.name,
                    Message("desk.template_line", {"type": each.card_type.upper()}),
                    refusal=_not_here(context, each),
                )
                for each in templates
            ),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - quick
        return go(CardPage(self._person, key))


def _not_here(context: Context, template: Template) -> Message | None:
    refusal = refusal_here(context.site, template)
    return refusal.message if refusal is not None else None


class CardPage(Plain):
    """Insert the blank card, and go. A card pulled in the middle can come again."""

    def __init__(self, person: Holder, template: str) -> None:
        self._person = person
        self._template = template

    def show(self, context: Context) -> Page:
        there = context.others_card() is not None
        return Page(
            name="card",
            title=Message("desk.issue_for", {"holder": self._person.name}),
            flow=issuing("card"),
            lines=(
                PageLine(self._person.account, Style.MUTED),
                PageLine(self._template, label=Message("desk.label.template")),
                PageLine(Message("desk.card_ready" if there else "desk.insert_blank")),
                *alone(context.site),
            ),
            fields=asked_for(context, self._template) if there else (),
            action=Message("desk.personalise") if there else None,
            asks_own_key=True,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        card, pin = context.others_card(), filled.secrets.get(TOKEN_PIN)
        if card is None:
            return stay(Message("desk.insert_blank"))
        account, template = self._person.account, self._template
        begin(context, card, account, template, pin, emit)
        return instead(WorkPage(lambda: CardPage(self._person, template)))


class ImportPage(Plain):
    """Import a card that was issued elsewhere."""

    def show(self, context: Context) -> Page:
        context.require(Action.IMPORT)
        there = context.others_card() is not None
        templates = context.office.templates()
        label = Message("desk.field.holders_pin")
        asking = asking_pin(context.others_card(), "pin", label)
        return Page(
            name="import",
            title=Message("desk.menu.import"),
            lines=(
                PageLine(Message("desk.card_ready" if there else "enrollment.insert")),
                *asking.lines,
            ),
            fields=(
                PageField(name="account", label=Message("desk.field.account")),
                PageField(
                    name="template",
                    label=Message("desk.label.template"),
                    kind=FieldKind.CHOICE,
                    value=templates[0].name if templates else "",
                    options=tuple((each.name, each.name) for each in templates),
                ),
                PageField(
                    name="way",
                    label=Message("desk.field.way"),
                    kind=FieldKind.CHOICE,
                    value=ImportWay.SIGNATURE,
                    options=tuple(
                        (way, Message(f"desk.way.{way}")) for way in ImportWay
                    ),
                ),
                *asking.fields,
            ),
            action=Message("desk.import_action"),
            asks_own_key=True,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        card = context.others_card()
        if card is None:
            return stay(Message("enrollment.insert"))
        way = ImportWay(filled.texts["way"])
        signs = way is ImportWay.SIGNATURE
        at_reader = signs and is_at_reader(card)
        pin = filled.secrets.get("pin") if signs else None
        if signs and not at_reader and not pin:
            return stay(Message("enrollment.holders_pin"))
        emit(Message("tui.step.pad" if at_reader else "desk.working"))
        wanted = CardImport(
            account=filled.texts["account"].strip(),
            template=filled.texts["template"],
            way=way,
        )
        taken = importing.import_card(context.bench, card, wanted, pin)
        key = "keyless" if taken.authentication_key is None else "with_key"
        told = {"holder": taken.holder, "id": taken.id}
        return done(Message(f"enrollment.taken_{key}", told))
