"""Alerts, dashboard and runbook name every figure there is, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with schemathesis, without stubs

from kiosk import texts
from kiosk.authority.stations.standing import FleetStanding
from kiosk.authority.wire.calls import CALLS
from kiosk.bootstrap.figures import prometheus
from kiosk.core.figures import WELL
from kiosk.figures import watched
from kiosk.figures.prometheus import PARTS, PrometheusFigures
from statemachine.operation import Kind, Phase

DOCS = Path(__file__).parents[2] / "docs"
ALERTS = DOCS / "operations" / "alerts.yml"
DASHBOARD = DOCS / "operations" / "dashboard.json"
RUNBOOK = (DOCS / "operations.md").read_text()
_FIGURE = re.compile(r"\bpin_kiosk_[a-z_]+\b")
_SELECTOR = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_FUNCTIONS = {
    *("by", "changes", "count", "histogram_quantile", "increase", "or", "rate"),
    *("max", "sum", "time"),
}
_OF_THE_PROCESS = {
    "pin_kiosk_process_resident_memory_bytes",
    "pin_kiosk_process_cpu_seconds_total",
    "pin_kiosk_process_open_fds",
}


def told() -> set[str]:
    """Every figure that the program tells, as a rule names it."""
    figures = PrometheusFigures()
    figures.operation_ended("change", "done")
    found: set[str] = set()
    for line in figures.text().decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            if not name.endswith("_created"):
                found.add(name if kind != "histogram" else f"{name}_bucket")
    return found


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (it["expr"] for panel in panels() for it in panel["targets"])


def named(text: str) -> set[str]:
    return {
        name if not name.endswith("_seconds") or f"{name}_bucket" not in told()
        else f"{name}_bucket"
        for name in _FIGURE.findall(text)
    }  # fmt: skip


@pytest.mark.parametrize("text", [*expressions(), RUNBOOK])
def test_no_rule_panel_or_page_names_a_figure_that_there_is_not(text: str) -> None:
    assert named(text) <= told()


def test_every_figure_is_explained_and_drawn() -> None:
    drawn = named(" ".join(it["expr"] for p in panels() for it in p["targets"]))
    ours = {it for it in told() if "_process_" not in it} | _OF_THE_PROCESS
    assert ours <= named(RUNBOOK)
    assert ours <= drawn


def test_every_alert_has_its_line_in_the_runbook_and_each_line_its_alert() -> None:
    headings = set(re.findall(r"^### (PinKiosk\w+)$", RUNBOOK, re.M))
    assert {rule["alert"] for rule in rules()} == headings
    for rule in rules():
        link = f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook"] == link
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "1m"))


@pytest.mark.parametrize("text", list(expressions()))
def test_an_expression_is_one(text: str) -> None:
    plain = _SELECTOR.sub("", re.sub(r'"[^"]*"', '""', text))
    for opening, closing in ("()", "{}", "[]"):
        assert plain.count(opening) == plain.count(closing)
    called = set(re.findall(r"\b([a-z_]+)\s*\(", plain))
    assert called <= _FUNCTIONS
    for inner in re.findall(r"(?:rate|increase|changes)\(([^()]*)\)", text):
        assert re.search(r"\[\d+[mhd]\]$", inner), inner


def test_selectors_name_labels_and_values_that_there_are() -> None:
    known: dict[str, set[str]] = {
        "result": {WELL, "refused", *Phase, *texts.english()},
        "kind": {*Kind, *(kind for kind, _ in watched.CODES.values())},
        "event": {event for _, event in watched.CODES.values()},
        "call": set(CALLS),
        "part": set(PARTS),
        "job": {"pin-kiosk"},
        "standing": set(FleetStanding),
    }
    seen = 0
    for text in expressions():
        for label, how, value in _SELECTOR.findall(text):
            values = value.split("|") if "~" in how else [value]
            assert set(values) <= known[label], text
            seen += 1
    assert seen > 8


def test_the_dashboard_can_be_imported() -> None:
    board = json.loads(DASHBOARD.read_text())
    assert board["uid"] == "pin-kiosk"
    assert len({panel["id"] for panel in panels()}) == len(panels())
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels()]
    assert len(set(places)) == len(places)
    for panel in panels():
        references = [it["refId"] for it in panel["targets"]]
        assert len(set(references)) == len(references)


def test_the_first_event_that_a_rule_counts_has_risen_from_nothing() -> None:
    """A count that is not told before its first event does not rise by it: a single
    defect would never ring.
    """
    begun = prometheus().text().decode()
    for rule in rules():
        for inner in re.findall(
            r"(?:rate|increase)\((\w+_total\{[^()]*\})", rule["expr"]
        ):
            name = inner.partition("{")[0]
            for label, how, value in _SELECTOR.findall(inner):
                values = value.split("|") if "~" in how else [value]
                for each in values:
                    told = rf'^{name}\{{[^}}]*{label}="{each}"[^}}]*\}} 0\.0$'
                    assert re.search(told, begun, re.M), (rule["alert"], each)
    calls = re.findall(r'call="(\w+)",result="authority.failed_inside"', begun)
    assert set(calls) == {*CALLS, "unknown"}


def test_nothing_rings_of_what_a_process_was_not_asked_for() -> None:
    """A kiosk of a fleet has no registry, no directory and no certificate of its own;
    and a process of the authority that nobody has asked yet has not looked.
    """
    rung = [
        line
        for line in prometheus().text().decode().splitlines()
        if re.match(r"pin_kiosk_(store_up|directory_up|certificate_expires)", line)
    ]
    assert len(rung) == 3
    assert all(line.endswith(" NaN") for line in rung)
