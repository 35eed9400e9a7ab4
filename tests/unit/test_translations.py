"""Every language says everything that English says, and nothing of its own."""

from __future__ import annotations

import string
from importlib import resources

import polib
import pytest

from kiosk import texts
from kiosk.config.sections.station import Language
from kiosk.core.errors import Message
from kiosk.texts import (
    ENGLISH,
    LANGUAGES,
    PSEUDO,
    english,
    sentence,
    text,
    translations,
)

LOCALE = resources.files(texts) / "locale"
FILES = sorted(each.name.removesuffix(".po") for each in LOCALE.iterdir())
"""Every catalogue, finished or not."""


def placeholders(said: str) -> list[tuple[str, str, str]]:
    return sorted(
        (name, spec or "", conversion or "")
        for _, name, spec, conversion in string.Formatter().parse(said)
        if name is not None
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_that_is_offered_is_complete_and_of_today(language: str) -> None:
    own = {key: (said, said) for key, said in english().items()}
    there = own if language == ENGLISH else translations(language)
    missing = [
        key for key, said in english().items() if there.get(key, ("", ""))[0] != said
    ]
    assert not missing, f"python -m scripts.translations {language}: {missing[:10]}"
    assert set(there) <= set(english())


def test_the_configuration_offers_the_languages_there_are() -> None:
    assert {str(each) for each in Language} == set(LANGUAGES)


@pytest.mark.parametrize("language", FILES)
def test_a_translation_names_the_same_values(language: str) -> None:
    wrong = [
        key
        for key, (source, said) in translations(language).items()
        if placeholders(source) != placeholders(said)
    ]
    assert not wrong


@pytest.mark.parametrize("language", FILES)
def test_a_translation_begins_and_ends_as_the_english_sentence_does(
    language: str,
) -> None:
    for key, (source, said) in translations(language).items():
        assert said.strip() == said or source.strip() != source, key
        assert said, key


@pytest.mark.parametrize("language", FILES)
def test_a_catalogue_is_one_that_translators_tools_can_open(language: str) -> None:
    raw = (LOCALE / f"{language}.po").read_text("utf-8")
    catalogue = polib.pofile(raw)
    assert catalogue.metadata["Language"] == language
    assert len({entry.msgctxt for entry in catalogue}) == len(catalogue)


def test_what_a_language_lacks_is_said_in_english(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    half = {
        "tui.key.back": ("back", "zurück"),
        "tui.key.next": ("something that was said before", "weiter"),
    }
    monkeypatch.setattr(texts, "translations", lambda language: half)
    assert text("tui.key.back", "de") == "zurück"
    assert text("tui.key.next", "de") == text("tui.key.next")
    assert text("tui.key.show", "de") == text("tui.key.show")


def test_a_language_nobody_has_translated_is_english() -> None:
    assert text("tui.key.back", "tlh") == text("tui.key.back")


def test_the_pseudo_language_keeps_values_and_is_longer() -> None:
    message = Message("card.wrong_pin", {"tries_left": 2})
    said = sentence(message, PSEUDO)
    assert "2" in said
    assert len(said) > len(sentence(message))
    for key, source in english().items():
        assert placeholders(text(key, PSEUDO)) == placeholders(source), key
