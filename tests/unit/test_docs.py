"""What the documents name is there: files, links, commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from kiosk.cli import app

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
