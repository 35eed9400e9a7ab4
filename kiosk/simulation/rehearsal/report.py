"""Reports of a rehearsal: for people, for programs, for test servers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from enum import StrEnum

import msgspec

from kiosk.simulation.rehearsal.runner import ScenarioOutcome

_MARKS = {
    "act": "  ·",
    "screen": "      │",
    "step": "      ✓",
    "holds": "  = holds:",
    "fails": "  ✗",
}


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


def render(outcomes: list[ScenarioOutcome], form: Format) -> str:
    """Return the report of all scenarios."""
    match form:
        case Format.TEXT:
            return text(outcomes)
        case Format.JSON:
            return as_json(outcomes)
        case Format.JUNIT:
            return junit(outcomes)


def text(outcomes: list[ScenarioOutcome]) -> str:
    """Tell every story with what was shown, and count."""
    blocks = [story(outcome) for outcome in outcomes]
    held = sum(outcome.holds for outcome in outcomes)
    blocks.append(f"{held} of {len(outcomes)} scenarios hold.")
    return "\n".join(blocks)


def story(outcome: ScenarioOutcome) -> str:
    """Tell one story."""
    verdict = "holds" if outcome.holds else "FAILS"
    lines = [f"━━ {outcome.title} ({outcome.file}): {verdict}"]
    lines += [f"   {line.strip()}" for line in outcome.story.splitlines()]
    lines += [f"{_MARKS[line.kind]} {line.text}" for line in outcome.lines]
    return "\n".join(lines) + "\n"


def as_json(outcomes: list[ScenarioOutcome]) -> str:
    """Return one JSON document."""
    document = {
        "holds": all(outcome.holds for outcome in outcomes),
        "scenarios": [
            {
                "file": outcome.file,
                "title": outcome.title,
                "holds": outcome.holds,
                "seconds": round(outcome.seconds, 3),
                "failures": outcome.failures,
                "lines": [
                    {"kind": each.kind, "text": each.text} for each in outcome.lines
                ],
            }
            for outcome in outcomes
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def junit(outcomes: list[ScenarioOutcome]) -> str:
    """Return JUnit XML, one test case per scenario."""
    failed = sum(not outcome.holds for outcome in outcomes)
    suite = ET.Element(
        "testsuite",
        name="rehearsal",
        tests=str(len(outcomes)),
        failures=str(failed),
        time=f"{sum(outcome.seconds for outcome in outcomes):.3f}",
    )
    for outcome in outcomes:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=outcome.file,
            name=outcome.title,
            time=f"{outcome.seconds:.3f}",
        )
        if not outcome.holds:
            failure = ET.SubElement(case, "failure", message=outcome.failures[0])
            failure.text = "\n".join(outcome.failures)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)
