"""What the documents name is there: files, links, commands, tests, classes, numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import typer

from kiosk.authority.client import lines, remote
from kiosk.authority.escrow import approvals
from kiosk.authority.office import evidence_seen
from kiosk.authority.operation import authorised_time
from kiosk.authority.proof import checkpointed_registry, kept_keys
from kiosk.authority.required_ports import SEND_SECONDS
from kiosk.authority.service import bounds, server
from kiosk.authority.stations import roster, signing, tokens
from kiosk.cards import apdu
from kiosk.cards.piv import objects
from kiosk.cli import app
from kiosk.config.sections.rules import RegistrySettings
from kiosk.directory.ldap import breaker, locator, reluctance
from kiosk.directory.values import MOST_PEOPLE
from kiosk.faces import terminal_line
from kiosk.pin import codes
from kiosk.tui import last_word
from kiosk.visit import run
from storage import postgres_registry, tinydb_evidence
from storage.postgres import connection
from storage.registry import ANSWERS_KEPT_SECONDS, SEALING_KEYS_KEPT_SECONDS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")]
_PATH = re.compile(r"`((?:kiosk|statemachine|storage|tests|scripts|docs)/[\w/.*-]*)`")
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
_COMMAND = re.compile(r"`(?:sudo -u kiosk )?kiosk ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")


def found(pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    for document in DOCUMENTS:
        for match in pattern.finditer(document.read_text("utf-8")):
            yield document, match


def test_every_file_that_a_document_names_is_there() -> None:
    missing = {
        (document.name, match[1])
        for document, match in found(_PATH)
        if not list(ROOT.glob(match[1].rstrip("/")))
    }
    assert missing == set()


def test_every_link_leads_somewhere() -> None:
    broken = {
        (document.name, match[1])
        for document, match in found(_LINK)
        if not (document.parent / match[1]).exists()
    }
    assert broken == set()


def test_every_command_that_a_document_names_exists() -> None:
    program = typer.main.get_command(app)
    unknown = set()
    for document, match in found(_COMMAND):
        name, below = match[1], match[2]
        command = program.get_command(None, name)  # type: ignore[attr-defined]  # a group; no context is needed to look
        if command is None:
            unknown.add((document.name, name))
        elif below and not _has(command, below):
            unknown.add((document.name, f"{name} {below}"))
    assert unknown == set()


def _has(command: object, below: str) -> bool:
    """Say whether a group has that command; a command that is no group takes words."""
    find = getattr(command, "get_command", None)
    return find is None or find(None, below) is not None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_a_document_ends_as_files_do(document: Path) -> None:
    text = document.read_text("utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


# --- names of the code ---------------------------------------------------------

_CODE = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"```.*?```", re.DOTALL)
_CLASS = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z0-9]*)+")
_TEST = re.compile(r"\btest_\w+(?:\.py)?")
_SOURCES = ("kiosk", "statemachine", "storage", "scripts", "tests")
_PATTERN = "test_FILE.py"
"""Stands for any: how one test is run."""


def in_code() -> Iterator[tuple[str, str]]:
    """Return what stands as code in the prose of the documents, and where."""
    for document in DOCUMENTS:
        prose = _BLOCK.sub("", document.read_text("utf-8"))
        for words in _CODE.findall(prose):
            yield document.name, words


@pytest.fixture(scope="module")
def defined() -> set[str]:
    """Names of all classes, functions and files."""
    names: set[str] = set()
    for source in _SOURCES:
        for file in (ROOT / source).rglob("*.py"):
            names.add(file.name)
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(
                    node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
                ):
                    names.add(node.name)
    return names


def test_every_class_that_a_document_names_is_one(defined: set[str]) -> None:
    named = {(name, word) for name, word in in_code() if _CLASS.fullmatch(word)}
    assert named
    assert {each for each in named if each[1] not in defined} == set()


def test_every_test_that_a_document_names_is_one(defined: set[str]) -> None:
    named = {(name, word) for name, words in in_code() for word in _TEST.findall(words)}
    known = defined | {_PATTERN}
    assert named
    assert {each for each in named if not {each[1], f"{each[1]}.py"} & known} == set()


def test_every_python_file_that_a_document_names_is_there() -> None:
    """Also where only the end of its path is named."""
    files = {
        str(file.relative_to(ROOT))
        for source in _SOURCES
        for file in (ROOT / source).rglob("*.py")
    }
    missing = {
        (name, words)
        for name, words in in_code()
        if re.fullmatch(r"[\w/]+\.py", words) and words != _PATTERN
        if not any(f"/{file}".endswith(f"/{words}") for file in files)
    }
    assert missing == set()


# --- numbers -------------------------------------------------------------------

HOUR = 3600.0
SAID = [
    (
        "architecture",
        "in the transaction of the effect, for a day",
        ANSWERS_KEPT_SECONDS,
        24 * HOUR,
    ),
    ("cards", "inflate to 64 KiB at most", objects.MAX_INFLATED, 64 << 10),
    ("cards", "never ends is given up at 64 KiB", apdu.MAX_ANSWER, 64 << 10),
    ("directory", "two failures in a row nothing", reluctance.MOST_IN_A_ROW, 2),
    (
        "directory",
        "nothing is tried for 40 minutes",
        reluctance.RELUCTANCE_SECONDS,
        2400,
    ),
    (
        "directory",
        "a second look after two minutes",
        reluctance.SECOND_LOOK_SECONDS,
        120,
    ),
    ("directory", "at most 100 people", MOST_PEOPLE, 100),
    ("directory", "At most eight are kept", locator.MOST, 8),
    (
        "directory",
        "at least half a minute and\n  at most an hour",
        (locator.SHORTEST, locator.LONGEST),
        (30, HOUR),
    ),
    (
        "directory",
        "After half a minute, and again every half minute",
        breaker.REST_SECONDS,
        30,
    ),
    ("directory", "the authorisation's 60 seconds", authorised_time.WRITE_SECONDS, 60),
    ("directory", "and five since its own mark", SEND_SECONDS, 5),
    ("desk", "this one card once, for ten\n   minutes", approvals.RELEASE_SECONDS, 600),
    (
        "evidence",
        "Every\nminute in which something happened",
        checkpointed_registry.EVERY_SECONDS,
        60,
    ),
    ("evidence", "after 1,000 events", checkpointed_registry.EVERY_EVENTS, 1000),
    ("fleet", "once, for an hour", tokens.TOKEN_SECONDS, HOUR),
    ("fleet", "(to the minute)", roster.SEEN_SECONDS, 60),
    ("fleet", "at most every ten minutes", roster.TOLD_SECONDS, 600),
    (
        "fleet",
        "named for an hour and kept for four",
        (kept_keys.USED_SECONDS, SEALING_KEYS_KEPT_SECONDS),
        (HOUR, 4 * HOUR),
    ),
    ("fleet", "key of the call; 60 seconds", signing.WINDOW, 60),
    ("fleet", "| one answer | 5 s", lines.CALL_SECONDS, 5),
    ("fleet", "at all addresses | 10 s", lines.STEP_SECONDS, 10),
    ("fleet", "after 10 s at most", lines.STEP_SECONDS, 10),
    ("fleet", "how it stands, 2 s each", remote.LOOK_SECONDS, 2),
    ("fleet", "directory may take, and 5 s", remote.MARGIN_SECONDS, 5),
    ("fleet", "From two seconds on the screen says", run.LONG_SECONDS, 2),
    (
        "fleet",
        "body | 64 KiB, within 5 s",
        (bounds.LARGEST_BODY, bounds.BODY_SECONDS),
        (64 << 10, 5),
    ),
    (
        "fleet",
        "headers | 16 KiB, within 5 s",
        (bounds.LARGEST_HEADERS, server.HEADER_SECONDS),
        (16 << 10, 5),
    ),
    ("postgresql", "A call waits five seconds", postgres_registry.PATIENCE_SECONDS, 5),
    ("postgresql", "holds a row for 3 s", connection.LOCK_SECONDS, 3),
    ("postgresql", "no answer to a statement for 5 s", connection.ANSWER_SECONDS, 5),
    ("storage", "until there are more than 4,000", tinydb_evidence.LIVING, 4000),
    ("storage", "the\noldest 2,000", tinydb_evidence.BATCH, 2000),
    ("storage", "have ended more than 2,000", tinydb_evidence.ENDED, 2000),
    (
        "storage",
        "`doctor` says so for 30 days",
        evidence_seen._SET_BACK_SECONDS,
        30 * 24 * HOUR,
    ),
    ("threat-model", "| 128 bits, for one station", tokens.TOKEN_BYTES * 8, 128),
    (
        "threat-model",
        "| nine digits, five entries, ten minutes",
        (codes.DIGITS, approvals.WRONG_ENTRIES, approvals.RELEASE_SECONDS),
        (9, 5, 600),
    ),
    ("tui", "Enter, another card, or 20 seconds", last_word.SECONDS, 20),
    ("tui", "16 KiB may wait", terminal_line._MOST_WAITING, 16 << 10),
    ("walks", "sixty seconds, by a clock", authorised_time.WRITE_SECONDS, 60),
    ("glossary", "eight digits and a check digit", codes.DIGITS, 8 + 1),
]
"""A document, words of it with a number, that number in the code, and as said."""


@pytest.mark.parametrize(
    ("document", "words", "held", "said"), SAID, ids=lambda it: str(it)[:40]
)
def test_a_number_in_a_document_is_the_codes(
    document: str, words: str, held: object, said: object
) -> None:
    assert words in (ROOT / "docs" / f"{document}.md").read_text("utf-8")
    assert held == said


def test_a_registry_is_printed_with_all_that_its_section_must_have() -> None:
    """Whoever copies it, and nothing else, has a program that starts."""
    needed = {it.name for it in msgspec.structs.fields(RegistrySettings) if it.required}
    page = (ROOT / "docs" / "postgresql.md").read_text("utf-8")
    printed = re.findall(r"\[registry\]\n((?: *\w+ = .*\n)+)", page)
    assert printed
    for block in printed:
        assert needed <= set(re.findall(r"^ *(\w+) =", block, re.M))
