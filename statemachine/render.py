"""Both tables as text, Markdown and Mermaid. `python -m statemachine.render` writes
docs/lifecycle.md and docs/operation.md.
"""

from __future__ import annotations

from pathlib import Path

from statemachine import operation
from statemachine.lifecycle import Edge, Event, Lifecycle

_NEW = "(new card)"
_BACK = "(state of origin)"


def _rows(edges: tuple[Edge, ...]) -> list[tuple[str, str, str, str, str]]:
    return [
        (
            edge.event,
            edge.source or _NEW,
            edge.target or _BACK,
            edge.actor,
            edge.sentence,
        )
        for edge in edges
    ]


def lifecycle_text(lifecycle: Lifecycle) -> str:
    """Return the lifecycle as aligned columns."""
    rows = [("event", "from", "to", "who", "what"), *_rows(lifecycle.edges())]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        + f"  {row[4]}"
        for row in rows
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def lifecycle_markdown(lifecycle: Lifecycle) -> str:
    """Return the lifecycle as a Markdown table."""
    rows: list[tuple[str, ...]] = [*_rows(lifecycle.edges())]
    return _table(("event", "from", "to", "who", "what happens"), rows)


def lifecycle_mermaid(lifecycle: Lifecycle) -> str:
    """Return the lifecycle as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    origins = [e.source for e in lifecycle.edges() if e.event is Event.SUSPEND]
    for edge in lifecycle.edges():
        source = edge.source or "[*]"
        for target in [edge.target] if edge.target else origins:
            lines.append(f"    {source} --> {target}: {edge.event}")
    return "\n".join(lines)


def operation_markdown() -> str:
    """Return the operation's edges as a Markdown table."""
    rows = [
        (
            step.source,
            step.target,
            ", ".join(kind for kind in operation.Kind if kind in step.kinds),
            step.sentence,
        )
        for step in operation.TABLE
    ]
    return _table(("from", "to", "for", "what has happened"), [*rows])


def operation_mermaid() -> str:
    """Return the operation as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> prepared"]
    lines += [f"    {step.source} --> {step.target}" for step in operation.TABLE]
    lines += [
        f"    {phase} --> [*]" for phase in operation.Phase if operation.is_final(phase)
    ]
    return "\n".join(lines)


def documents() -> dict[str, str]:
    """Return the rendered documents by file name."""
    lifecycle = Lifecycle()
    made = "Rendered from the table by `python -m statemachine.render`; do not edit."
    return {
        "lifecycle.md": (
            f"# The credential's lifecycle\n\n{made}\n\n"
            f"{lifecycle_markdown(lifecycle)}\n\n"
            f"```mermaid\n{lifecycle_mermaid(lifecycle)}\n```\n"
        ),
        "operation.md": (
            f"# The PIN operation\n\n{made}\n\n"
            f"{operation_markdown()}\n\n"
            f"```mermaid\n{operation_mermaid()}\n```\n"
        ),
    }


def main() -> None:
    """Write the documents into docs/ of the current folder."""
    for name, content in documents().items():
        Path("docs", name).write_text(content, "utf-8")


if __name__ == "__main__":
    main()
