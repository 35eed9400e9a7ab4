"""The tables as text, Markdown and Mermaid. `python -m statemachine.render` writes
docs/lifecycle.md, docs/operation.md, docs/self-service.md and docs/puk.md.
"""

from __future__ import annotations

from pathlib import Path

from statemachine import operation, puk, self_service
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
            ", ".join(route for route in operation.Route if route in step.routes),
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


def puk_markdown() -> str:
    """Return the edges of a PUK as a Markdown table."""
    rows = [(edge.event, edge.source, edge.target, edge.sentence) for edge in puk.TABLE]
    return _table(("event", "from", "to", "what has happened"), [*rows])


def puk_mermaid() -> str:
    """Return what is known of a PUK as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {puk.Known.UNKNOWN}"]
    lines += [
        f"    {edge.source} --> {edge.target}: {edge.event}" for edge in puk.TABLE
    ]
    return "\n".join(lines)


def self_service_markdown() -> str:
    """Return the kiosk's edges as a Markdown table."""
    rows = [
        (edge.event, edge.source, edge.target, ", ".join(edge.deeds), edge.sentence)
        for edge in self_service.TABLE
    ]
    return _table(("event", "from", "to", "done first", "what happens"), [*rows])


def self_service_mermaid() -> str:
    """Return the kiosk's states as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {self_service.SelfServiceState.WAITING}"]
    lines += [
        f"    {edge.source} --> {edge.target}: {edge.event}"
        for edge in self_service.TABLE
    ]
    return "\n".join(lines)


_KNOWN = {
    puk.Known.UNKNOWN: "Nobody here knows it, so it is never sent.",
    puk.Known.HOLDERS: "The holder has it; it is sent when the holder types it.",
    puk.Known.FACTORY: "It is what every factory sets. Replacing it is due.",
    puk.Known.FIRST_PENDING: "The first one of ours was sent: it is that, or still the"
    " factory's. Replacing it is due.",
    puk.Known.CURRENT: "The card has confirmed it, and nobody has seen it.",
    puk.Known.EXPOSED: "It has left the authority. Replacing it is due.",
    puk.Known.DUE: "The card has it, and somebody may have seen it. Replacing it is"
    " due.",
    puk.Known.PENDING: "A new one was sent: the card has it, or what it had before."
    " Replacing it is due.",
    puk.Known.USED_UP: "The card has refused everything that it may have had.",
}
_ABOUT = """What is known of the PUK of a card. Every edge is committed *before* a value
is sent, and again when the card has answered.

- A value is sent only if a person typed it, if the authority keeps it, or if import,
  template or the card itself said that the card has the factory's PUK (12345678).
- There are at most two values that a card may have: what it had before, and what was
  to replace it. Neither is forgotten before the card has confirmed the other.
- Each has its own record. A value that the card has compared and refused is never
  sent again. A value that was sent without an answer that was heard may be; each time
  counts as a try that may be lost.
- With one try left, as the card has told or at worst, nothing is sent any more, unless
  the helpdesk has released just that. What the card tells itself (INS F7 for 81, the
  counter in 63Cx) is believed before what was counted.
- A card that definitely does not take the new PUK (6A80, 6700, 6985, 6D00) has what it
  had. Eight digits are tried next, which every card takes. If the same one was sent
  before without an answer that was heard, the card may have it since: both are kept,
  what it had is sent first, and the new one is not sent again in that visit.
- Replacing is due until the card has confirmed it, and is done at the next visit of any
  kind in which the card has proven itself. A PUK that the holder has is not replaced,
  nor that of a card which is no PIV card: those have no command for it.
"""


def puk_document() -> str:
    """Return docs/puk.md."""
    states = list(_KNOWN.items())
    return (
        f"{_ABOUT}\n{_table(('state', 'what is known'), [*states])}\n\n"
        f"{puk_markdown()}\n\n```mermaid\n{puk_mermaid()}\n```\n"
    )


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
        "self-service.md": (
            f"# The self-service kiosk\n\n{made}\n\n"
            "What has no edge changes nothing. After every edge the readers are looked"
            " at, until they lead no further.\n\n"
            f"{self_service_markdown()}\n\n"
            f"```mermaid\n{self_service_mermaid()}\n```\n"
        ),
        "puk.md": f"# The PUK of a card\n\n{made}\n\n{puk_document()}",
    }


def main() -> None:
    """Write the documents into docs/ of the current folder."""
    for name, content in documents().items():
        Path("docs", name).write_text(content, "utf-8")


if __name__ == "__main__":
    main()
