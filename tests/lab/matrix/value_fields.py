"""Every field whose value counts, and where its use can be seen."""

from __future__ import annotations

import re
from collections.abc import Callable

from lab.matrix.desk_places import desk_page
from lab.matrix.keys import ENTER, F2
from lab.matrix.place import Place
from lab.matrix.places import NEW, OLD, kiosk_with
from lab.matrix.plain_places import ENGLISH, FIRST, plain_with
from lab.matrix.values import Field
from lab.matrix.visitor import Visitor

CLEAR = b"\x15"
"""Ctrl+U: what a text field has is gone."""
_GREEN = b"Blue-Sky7\r"
_CHALLENGE = re.compile(r"(?:[0-9A-F]{4} ){3}[0-9A-F]{4}")


def fields() -> tuple[Field, ...]:
    """Return every field whose value counts."""
    return (*_visits("kiosk"), *_visits("plain"), *_at_the_desk())


# --- the kiosk, and the plain kiosk ---------------------------------------------------

Finish = Callable[[Visitor, bytes], None]
Used = Callable[[Visitor, str], str | None]


def _visits(face: str) -> tuple[Field, ...]:
    def field(
        name: str,
        situation: str,
        before: tuple[bytes, ...],
        value: str | Callable[[Visitor], str],
        finish: Finish,
        used: Used,
        *,
        is_read_out: bool = False,
    ) -> Field:
        arrive = (
            kiosk_with(situation, ENTER, *before)
            if face == "kiosk"
            else plain_with(situation, ENGLISH, FIRST, *before)
        )
        shows = "FormScreen" if face == "kiosk" else "plain "
        place = Place(name=f"{face}: {name}", face=face, shows=shows, arrive=arrive)
        return Field(
            name=place.name,
            place=place,
            value=value if callable(value) else lambda _: value,
            finish=finish,
            used=used,
            means=_digits if is_read_out else str,
            draws=face == "kiosk" or is_read_out,
        )

    return (
        field("new PIN", "everyday", (OLD,), "314159", _twice, _card("everyday")),
        field(
            "new PIN, letters",
            "printable",
            (_GREEN,),
            "Green-Sky7",
            _twice,
            _card("printable"),
        ),
        field("PIN until now", "everyday", (), "271828", _rest, _done),
        field("PIN of the letter", "first day", (), "482915", _rest, _done),
        field("PIN to finish with", "out of step", (), "173205", _confirm, _done),
        field("PUK", "by puk", (), "48151623", _rest, _done),
        *(
            field(
                f"{kind} code",
                situation,
                (),
                _given(situation, kind),
                _rest,
                _done,
                is_read_out=True,
            )
            for situation, kind in (("blocked", "release"), ("by code", "activation"))
        ),
        field("answer", "by telephone", (), _answered, _rest, _done, is_read_out=True),
    )


def _given(situation: str, kind: str) -> Callable[[Visitor], str]:
    """Have the helpdesk give out a code."""

    def code(visitor: Visitor) -> str:
        return str(visitor.ask("code", name=situation, kind=kind)["code"])

    return code


def _answered(visitor: Visitor) -> str:
    """Have the helpdesk answer what the screen shows."""
    shown = _CHALLENGE.findall(visitor.text())[-1]
    return str(visitor.ask("answer", challenge=shown)["answer"])


def _digits(typed: str) -> str:
    """What is read out comes in groups: blanks and dashes mean nothing."""
    return typed.translate({ord(each): None for each in " -"})


def _twice(visitor: Visitor, typed: bytes) -> None:
    visitor.type(ENTER, typed, ENTER)


def _rest(visitor: Visitor, typed: bytes) -> None:
    visitor.type(ENTER, NEW, NEW)


def _confirm(visitor: Visitor, typed: bytes) -> None:
    visitor.type(ENTER)


def _card(name: str) -> Used:
    """The PIN of the card, if it is another one; the directory has the same."""

    def used(visitor: Visitor, right: str) -> str | None:
        facts = visitor.facts()
        pin = str(facts["cards"][name][0])
        if not facts["writes"]:
            return None
        if not visitor.ask("knows", name=name, password=pin)["knows"]:
            return f"{pin} on the card, something else in the directory"
        return pin

    return used


def _done(visitor: Visitor, right: str) -> str | None:
    """The right value, if the operation was done: nothing else opens the card."""
    return _digits(right) if visitor.facts()["writes"] else None


# --- the desk -----------------------------------------------------------------------


def _at_the_desk() -> tuple[Field, ...]:
    return (
        _desk("operator's PIN", "sign in, card", 0, "271828", _signed_in),
        _desk(
            "operator's password",
            "sign in, account",
            1,
            "Operator-2026",
            _signed_in,
            before=b"hanna",
            takes_all=True,
        ),
        _desk("reason", "suspend", 0, "lost", _reason),
        _desk(
            "search", "menu", 0, "nobody", _searched, finish=_confirm, is_cleared=True
        ),
        _desk("challenge", "answer", 0, _CALLED, _read_out, means=_digits),
        _desk("template's name", "template, new", 0, "tester", _template("name")),
        *(
            _desk(
                f"template's {name}",
                "template, new",
                at,
                value,
                _template(name),
                before=b"tester",
                means=means,
            )
            for name, at, value, means in (
                ("activation_code_days", 5, "21", str),
                ("pin_policy.reminder_days", 17, "21, 14, 3", _listed),
            )
        ),
    )


_CALLED = "00005 02835 68697 52306 61836"


def _desk(
    name: str,
    page: str,
    at: int,
    value: str,
    used: Used,
    *,
    before: bytes = b"",
    takes_all: bool = False,
    means: Callable[[str], str] = str.strip,
    finish: Finish | None = None,
    is_cleared: bool = False,
) -> Field:
    def arrive(visitor: Visitor) -> None:
        # The same page again keeps the texts of all its fields: by way of another one.
        desk_page("menu" if page != "menu" else "sign in")(visitor)
        desk_page(page)(visitor)
        if before:
            visitor.ask("focus", at=0)
            visitor.type(CLEAR, before)
        visitor.ask("focus", at=at)
        visitor.type(CLEAR)

    place = Place(name=f"desk: {name}", face="desk", shows="PageScreen", arrive=arrive)
    return Field(
        name=place.name,
        place=place,
        value=lambda _: value,
        finish=finish or _submit,
        used=used,
        is_cleared=is_cleared,
        takes_all=takes_all,
        means=str if takes_all else means,
    )


def _submit(visitor: Visitor, typed: bytes) -> None:
    visitor.type(F2)


def _signed_in(visitor: Visitor, right: str) -> str | None:
    return right if visitor.ask("operator")["operator"] else None


def _reason(visitor: Visitor, right: str) -> str | None:
    reasons: list[str] = visitor.ask("reasons")["reasons"]
    return reasons[-1] if reasons else None


def _searched(visitor: Visitor, right: str) -> str | None:
    terms: list[str] = visitor.ask("searched")["terms"]
    return terms[0] if terms else None


def _read_out(visitor: Visitor, right: str) -> str | None:
    """The right challenge, if its answer is on the screen."""
    if "read_out" not in visitor.shown:
        return None
    answer = visitor.ask("answer", challenge=right)["answer"]
    return _digits(right) if answer in visitor.text() else visitor.text()


def _template(field: str) -> Used:
    """What the template that was made has there; it is checked, then saved."""

    def used(visitor: Visitor, right: str) -> str | None:
        made: list[str] = []
        for _ in range(2):
            if not made:
                visitor.type(F2)
                made = visitor.ask("made", field=field)["made"]
        return made[-1] if made else None

    return used


def _listed(typed: str) -> str:
    """A list, however it is spaced."""
    return ", ".join(part.strip() for part in typed.split(",") if part.strip())
