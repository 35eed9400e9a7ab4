"""The one catalogue: every sentence a person can read, by key.

A key is `area.name`; the area is a TOML file beside this module
(`en/card.toml`), read when its first sentence is needed. Faces call
`sentence(message)`; nobody formats a text anywhere else.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import resources

from kiosk.errors import Message
from kiosk.text import visible


class UnknownText(LookupError):
    """A key that no catalogue file has: a bug, found by tests/unit/test_texts.py."""


@functools.cache
def _area(language: str, area: str) -> dict[str, str]:
    source = resources.files(__name__) / language / f"{area}.toml"
    if not source.is_file():
        return {}
    return dict(_flat(tomllib.loads(source.read_text("utf-8")), ""))


def _flat(table: dict[str, object], prefix: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            pairs += _flat(value, f"{prefix}{name}.")
        else:
            pairs.append((f"{prefix}{name}", str(value)))
    return pairs


def text(key: str, language: str = "en") -> str:
    """Return the raw sentence of `key`, placeholders and all; UnknownText if none."""
    area, _, name = key.partition(".")
    try:
        return _area(language, area)[name]
    except KeyError:
        raise UnknownText(key) from None


def sentence(message: Message, language: str = "en", *, limit: int = 64) -> str:
    """Return the words of `message`; outside text in it is made visible.

    `limit` is how many characters of each value are shown (a screen is narrow; a
    path on the command line must be whole).
    """
    data = {
        name: visible(value, limit) if isinstance(value, str) else value
        for name, value in message.data.items()
    }
    return text(message.key, language).format(**data)
