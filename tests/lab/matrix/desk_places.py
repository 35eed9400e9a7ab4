"""Every page of the operators' terminal, as places."""

from __future__ import annotations

from collections.abc import Callable

from lab.matrix import desk_pages
from lab.matrix.keys import ENTER, F1
from lab.matrix.place import LETTERS, Place
from lab.matrix.visitor import Visitor

CTRL_P = b"\x10"
_SECRETS = {
    "sign in, card": (0, 1),
    "sign in, account": (1, 1),
    "revoke": (2, 1),
    "revoke, second by card": (1, 1),
    "finish, card": (0, 1),
    "import, card": (3, 1),
}
"""Which field is secret, and how many tries its value may cost."""
_TYPED = {"suspend": b"lost", "menu": b"ali", "audit": b"123"}
"""What a text field has in it already."""
_DOES = {
    "release": {"codes"},
    "activation": {"codes"},
    "suspend, typed": {"credentials"},
    "template, checked": {"templates"},
    "batch run, card": {"credentials"},
    "card, there": {"credentials"},
}
"""What a page is for: its own key does it, once."""


def desk_places() -> list[Place]:
    """Return every page, and those with something typed already."""
    pages = [_page(name) for name in (*desk_pages.PAGES, "closed")]
    pages += [_page(name, is_typed=True) for name in (*_SECRETS, *_TYPED)]
    pages.append(_working())
    pages += [_covered("help", "HelpScreen", F1)]
    pages += [_covered("palette", "PaletteScreen", CTRL_P)]
    return pages


def desk_page(name: str) -> Callable[[Visitor], None]:
    """That page is opened."""

    def arrive(visitor: Visitor) -> None:
        visitor.ask("anew")
        if name == "answer":
            visitor.ask("by_telephone")
        visitor.ask("open", page=name)
        visitor.settle()

    return arrive


def _page(name: str, *, is_typed: bool = False) -> Place:
    at, tries = _SECRETS.get(name, (0, 0))
    is_secret = is_typed and name in _SECRETS
    typed = LETTERS if is_secret else _TYPED.get(name, b"") if is_typed else b""

    def again(visitor: Visitor) -> None:
        if at and is_typed:
            visitor.ask("focus", at=at)
        if typed:
            visitor.type(typed)

    def arrive(visitor: Visitor) -> None:
        desk_page(name)(visitor)
        again(visitor)

    return Place(
        name=f"desk: {name}{', typed' if is_typed else ''}",
        face="desk",
        shows="PageScreen",
        arrive=arrive,
        again=again,
        does=frozenset(_DOES.get(f"{name}{', typed' if is_typed else ''}", ())),
        secret=typed if is_secret else b"",
        tries=tries if is_typed else 0,
    )


def _covered(name: str, shows: str, key: bytes) -> Place:
    """What covers a page, with one under it that could give something away."""

    def arrive(visitor: Visitor) -> None:
        desk_page("release")(visitor)
        visitor.type(key)

    return Place(name=f"desk: {name}", face="desk", shows=shows, arrive=arrive)


def _working() -> Place:
    def arrive(visitor: Visitor) -> None:
        visitor.ask("anew")
        visitor.ask("open", page="menu")
        visitor.settle()
        visitor.ask("hold")
        visitor.type(b"alice", ENTER)

    return Place(
        name="desk: working", face="desk", shows="PageScreen menu", arrive=arrive
    )
