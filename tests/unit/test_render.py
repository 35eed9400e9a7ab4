"""Documents are rendered from the tables, and stay what was rendered."""

from __future__ import annotations

from pathlib import Path

import pytest

from statemachine import render
from statemachine.lifecycle import TABLE, Event, Lifecycle, State
from statemachine.operation import TABLE as STEPS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", render.documents())
def test_the_document_is_what_the_table_says(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == render.documents()[name], (
        "run: python -m statemachine.render"
    )


@pytest.mark.parametrize(
    "form",
    [render.lifecycle_text, render.lifecycle_markdown, render.lifecycle_mermaid],
)
def test_every_edge_is_in_every_form(form: object) -> None:
    text = form(Lifecycle())  # type: ignore[operator]  # one of the three
    for edge in TABLE:
        assert edge.event in text


def test_the_text_stands_in_columns_with_who_does_it_and_what_happens() -> None:
    head, *lines = render.lifecycle_text(Lifecycle()).splitlines()
    begins = head.index("what")
    assert head.split() == ["event", "from", "to", "who", "what"]
    assert len(lines) == len(TABLE)
    for edge, line in zip(TABLE, lines, strict=True):
        assert line[begins:] == edge.sentence
        assert line[head.index("who") : begins].strip() == edge.actor


def test_they_are_written_where_the_documents_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    render.main()
    for name, content in render.documents().items():
        assert (tmp_path / "docs" / name).read_text("utf-8") == content


def test_every_step_is_in_the_diagram() -> None:
    for step in STEPS:
        assert f"{step.source} --> {step.target}" in render.operation_mermaid()


def test_a_removed_edge_is_in_no_diagram() -> None:
    narrowed = Lifecycle(removed=[(Event.SUSPEND, State.ISSUED)])
    diagram = render.lifecycle_mermaid(narrowed)
    assert "issued --> suspended" not in diagram
    assert "suspended --> issued" not in diagram
    assert "suspended --> active: resume" in diagram
