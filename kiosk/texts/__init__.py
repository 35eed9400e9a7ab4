"""The one catalogue: every sentence a person can read, by key, in every language.

A key is `area.name`; English is the source, one TOML file an area beside this module
(`en/card.toml`), read when its first sentence is needed. The other languages are
gettext catalogues (`locale/de.po`; msgctxt is the key, msgid the English sentence).
Faces call `sentence(message)`; nobody formats a text anywhere else.
"""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path

from kiosk.core.errors import Message
from kiosk.core.untrusted_text import visible, visible_path
from kiosk.texts.pseudo import pseudo
from kiosk.texts.times import spoken

_HERE = Path(__file__).parent
ENGLISH = "en"
PSEUDO = "en-XA"
"""English with longer words and foreign letters: shows what a screen would cut."""
LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
"""What people can choose, by code (RFC 5646), each named in itself. Each has every
sentence that English has (tests/unit/test_translations.py)."""


class UnknownText(LookupError):
    """A key that no catalogue file has: a bug, found by tests/unit/test_texts.py."""


def text(key: str, language: str = ENGLISH) -> str:
    """Return the raw sentence of `key`, placeholders and all; UnknownText if none.

    What a language lacks is said in English; so is what was translated before its
    English sentence was changed.
    """
    area, _, name = key.partition(".")
    try:
        source = _area(area)[name]
    except KeyError:
        raise UnknownText(key) from None
    if language == ENGLISH:
        return source
    if language == PSEUDO:
        return pseudo(source)
    translated = translations(language).get(key)
    return translated[1] if translated and translated[0] == source else source


def has(key: str) -> bool:
    """Say whether there is a sentence of that key."""
    area, _, name = key.partition(".")
    return name in _area(area)


_PLACES = frozenset({"path", "file", "folder"})
"""Data that say where a file is."""


def sentence(message: Message, language: str = ENGLISH, *, limit: int = 64) -> str:
    """Return the words of `message`; outside text in it is made visible.

    A name of something on the screen stands there as `{label[tui.action.change]}`.
    A time (seconds UTC) stands there as `{at:day}`, `:moment`, `:zoned` or `:minute`,
    a number of tenths, not negative, as `{by:tenths}`.
    `limit` is how many characters of each value are shown (a screen is narrow; a
    path on the command line must be whole).
    """
    data = {
        name: (visible_path if name in _PLACES else visible)(value, limit)
        if isinstance(value, str)
        else spoken(value, lambda key: text(key, language))
        for name, value in message.data.items()
    }
    return text(message.key, language).format(**data, label=_Labels(language))


class _Labels:
    """What `{label[key]}` in a sentence stands for: the words on that label."""

    def __init__(self, language: str) -> None:
        self._language = language

    def __getitem__(self, key: str) -> str:
        return text(key, self._language)


def english() -> dict[str, str]:
    """Return every English sentence by key, in the order of the files."""
    areas = sorted(file.stem for file in (_HERE / ENGLISH).iterdir())
    return {
        f"{area}.{name}": said for area in areas for name, said in _area(area).items()
    }


@functools.cache
def translations(language: str) -> dict[str, tuple[str, str]]:
    """Return a language's sentences by key: the English one it is of, and itself.

    Empty for a language that nobody has translated.
    """
    source = _HERE / "locale" / f"{language}.po"
    if not source.is_file():
        return {}
    import polib  # a station that speaks English does without

    return {
        entry.msgctxt: (entry.msgid, entry.msgstr)
        for entry in polib.pofile(source.read_text("utf-8"))
        if entry.msgctxt and entry.translated()
    }


@functools.cache
def _area(area: str) -> dict[str, str]:
    source = _HERE / ENGLISH / f"{area}.toml"
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
