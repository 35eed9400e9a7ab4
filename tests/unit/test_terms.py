"""One term for one thing in each language: docs/languages.md against the texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kiosk.texts import english, text

AREAS = frozenset(
    {"tui", "plain", "field", "home", "confirm", "result", "refusal", "notice", "rule"}
    | {"reason", "stop", "step", "condition", "card", "kiosk", "visit", "authority"}
)
"""What a card holder can read."""
PAGE = Path(__file__).parents[2] / "docs" / "languages.md"
LANGUAGES = ("de", "fr", "es")


def terms() -> list[tuple[str, ...]]:
    """Return the rows of the table: a term in English, German, French, Spanish."""
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("| ")
    ]
    return rows[1:]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("row", terms(), ids=lambda row: row[0])
def test_one_thing_has_one_name(row: tuple[str, ...], language: str) -> None:
    own = row[1 + LANGUAGES.index(language)].replace("…", "").lower().split(", ")
    others = [
        f"{key}: {text(key, language)}"
        for key, said in english().items()
        if key.partition(".")[0] in AREAS
        and re.search(rf"\b{row[0]}s?\b", said.replace(":", ""), re.IGNORECASE)
        and not any(_has(text(key, language), each) for each in own)
        and not _is_short(said, row[0])
    ]
    assert not others, "\n".join(others)


def _has(said: str, term: str) -> bool:
    """Words of a heading ("Windows password: changed") may stand in another order."""
    return term in said.lower().replace(" :", "").replace(":", "")


def _is_short(said: str, term: str) -> bool:
    """A line beside its field leaves out what it is about: the tries of a PIN."""
    return term == "PIN" and said.startswith("Tries left")


JARGON = {
    "en": r"director(y|ies)|domain|controllers?|registry|in step|LDAP",
    "de": r"Verzeichnis\w*|Domän\w*|Controller|Register|Registrierung|Gleichstand",
    "fr": r"annuaires?|domaine|contrôleurs?|registre|synchronis\w*",
    "es": r"directorio|dominio|controlador(es)?|registro|sincroniz\w*",
}
"""Words of those who run it."""
_OF_THE_DIRECTORY = re.compile(r"directory\.(\w+$|spread\.|refusal\.|bind\.)")


@pytest.mark.parametrize("language", JARGON)
def test_a_card_holder_reads_no_word_of_those_who_run_it(language: str) -> None:
    read = [
        key
        for key in english()
        if key.partition(".")[0] in AREAS or _OF_THE_DIRECTORY.match(key)
    ]
    found = [
        f"{key}: {text(key, language)}"
        for key in read
        if re.search(rf"\b({JARGON[language]})\b", text(key, language), re.IGNORECASE)
    ]
    assert not found, "\n".join(found)


OPERATORS_TERMS = (
    ("unblocking key", "es", "clave de desbloqueo", "claves de desbloqueo"),
    ("unblocking key", "fr", "clé de déblocage", "clés de déblocage"),
    ("unblocking key", "de", "entsperrschlüssel", "entsperrschlüssel"),
)


@pytest.mark.parametrize(
    ("english_term", "language", "one", "several"), OPERATORS_TERMS
)
def test_an_operator_reads_one_term_for_one_thing_as_well(
    english_term: str, language: str, one: str, several: str
) -> None:
    others = [
        f"{key}: {text(key, language)}"
        for key, said in english().items()
        if key.startswith("desk.label.")
        and said.lower() == english_term
        and text(key, language).lower() not in {one, several}
    ]
    assert not others, "\n".join(others)


def test_a_card_is_issued_in_one_word() -> None:
    """French has two, and had both on one page."""
    others = [f"{key}: {text(key, 'fr')}" for key in english()]
    assert not [each for each in others if "délivr" in each.lower()]


def test_there_are_terms() -> None:
    assert len(terms()) >= 7
