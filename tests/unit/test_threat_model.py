"""docs/threat-model.md names tests that there are, and every story has one."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
_NAMED = re.compile(r"`(test_\w+(?:\.py)?)`")
_DEFINED = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)


def rows(heading: str) -> list[str]:
    """Return the lines of the table under a heading."""
    section = DOCUMENT.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [line for line in section.splitlines() if line.startswith("| ")][1:]


def test_every_test_that_is_named_is_there() -> None:
    files = list((ROOT / "tests").glob("**/test_*.py"))
    defined = {file.name for file in files}
    for file in files:
        defined |= set(_DEFINED.findall(file.read_text("utf-8")))
    named = set(_NAMED.findall(DOCUMENT))
    assert named - defined == set()


def test_every_story_is_tested() -> None:
    stories = rows("What is defended")
    assert len(stories) > 20
    assert [story for story in stories if not _NAMED.search(story)] == []


def test_what_is_not_defended_says_what_limits_the_damage() -> None:
    for row in rows("What is not defended"):
        assert row.split("|")[2].strip(), row


def test_the_policy_points_here() -> None:
    assert "docs/threat-model.md" in (ROOT / "SECURITY.md").read_text("utf-8")
