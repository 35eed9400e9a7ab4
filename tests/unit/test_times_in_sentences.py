"""Times in sentences: in the form of the language, in this machine's zone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from kiosk.core.errors import Message
from kiosk.desk.pages.of_holder import of_holder
from kiosk.desk.pages.times import day, moment, zoned
from kiosk.texts import LANGUAGES, english, sentence

AT = 1_772_719_500.0
"""2026-03-05 14:05 UTC."""


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("2026-03-05", "2026-03-05 15:05", "2026-03-05, 15:05 (CET)")),
        ("de", ("05.03.2026", "05.03.2026 15:05", "05.03.2026, 15:05 Uhr (CET)")),
        ("fr", ("05/03/2026", "05/03/2026 15:05", "05/03/2026 à 15:05 (CET)")),
        ("es", ("05/03/2026", "05/03/2026 15:05", "05/03/2026, 15:05 (CET)")),
    ],
)
def test_a_time_has_the_form_of_the_language(
    language: str, said: tuple[str, str, str]
) -> None:
    assert said == tuple(sentence(form(AT), language) for form in (day, moment, zoned))


def test_a_time_stands_in_a_sentence_with_its_zone() -> None:
    given = Message("desk.meanwhile.given", {"at": int(AT)})
    assert sentence(given, "de") == "Der Code wurde um 15:05 Uhr (CET) gegeben."


def test_a_number_is_no_time_and_an_impossible_time_is_a_number() -> None:
    count = Message("desk.batch.failed", {"count": 1_772_719_500})
    assert "1772719500" in sentence(count)
    assert sentence(Message("desk.when.day", {"at": 10**30})) == str(10**30)


def test_what_speaks_to_the_holder_speaks_of_the_holder_at_the_desk() -> None:
    told = {key for key in english() if key.startswith(("reason.", "condition."))}
    for key in told | {f"refusal.{name}" for name in ("not_activated", "revoked")}:
        words = sentence(of_holder(Message(key))).casefold().split()
        assert not {"you", "your", "yours"} & set(words), key


def test_nobody_speaks_otherwise_of_a_holder_in_one_language_only() -> None:
    keys = [key for key in english() if key.startswith("desk.of_holder.")]
    assert keys
    for key in keys:
        original = key.removeprefix("desk.of_holder.")
        assert of_holder(Message(original)).key == key
        for language in LANGUAGES:
            assert sentence(Message(key), language) != sentence(
                Message(original), language
            ), (key, language)
