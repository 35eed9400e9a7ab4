"""Render docs/ways-home.md: what becomes of a card that is not as it should be.

`python -m scripts.ways_home` explores the tables (`statemachine.exploration`) and
writes down, with the sentence that a person reads, what a new card is needed for.
"""

from __future__ import annotations

from pathlib import Path

from kiosk.texts import text
from statemachine.exploration import explored, homeless, why_not
from statemachine.lifecycle import State
from statemachine.operation import Kind
from statemachine.puk import Known
from statemachine.situations import Situation, WayToOpen

DOCUMENT = Path("docs", "ways-home.md")
_HEAD = """# Ways home

Rendered from the tables by `python -m scripts.ways_home`; do not edit.

Every situation that a card can come into is found out from the tables that the product
runs: whatever its holder does, wherever an operation breaks off, whatever operators and
others do meanwhile. From each situation it is asked whether a kiosk and the helpdesk
can make all well again: card and password agree or are said not to, a PIN that its
holder knows, nothing due. `tests/unit/test_machines_proven.py` holds that nothing else
is stuck than what stands here.

A card that is out of step, blocked, or whose unblocking key is due always has a way
home without another card, but for the situations below. A suspended card is what it was
before, once its hold is lifted.
"""
_COLUMNS = (
    "what sets a PIN anew",
    "state",
    "because",
    "when",
    "the kiosk says",
    "what helps",
)


def main() -> None:
    """Write the document into docs/ of the current folder."""
    DOCUMENT.write_text(document(), "utf-8")


def document() -> str:
    """Return docs/ways-home.md."""
    counts: list[tuple[str, ...]] = []
    rows: dict[tuple[str, ...], dict[str, None]] = {}
    for opens in WayToOpen:
        graph = explored(opens)
        possible = sum(map(len, graph.values()))
        counts.append((opens.value, str(len(graph)), str(possible)))
        stuck = homeless(graph, issued_again=False)
        for_ever = set(homeless(graph, issued_again=True))
        for each in stuck:
            if each.standing.state is not State.SUSPENDED:
                row = _row(each, opens, is_over=each in for_ever)
                rows.setdefault(row, {})[_when(each)] = None
    return "\n".join(
        (
            _HEAD,
            _table(
                _COLUMNS,
                [(*row[:3], ", ".join(when), *row[3:]) for row, when in rows.items()],
            ),
            "\nHow much was explored:\n",
            _table(("what sets a PIN anew", "situations", "moves"), counts),
            "",
        )
    )


def _row(now: Situation, opens: WayToOpen, *, is_over: bool) -> tuple[str, ...]:
    helps = "another card" if is_over else "the same card, issued again"
    because, says = _because(now, opens), _says(now, opens)
    return opens.value, now.standing.state, because, says, helps


def _because(now: Situation, opens: WayToOpen) -> str:
    if now.known is Known.USED_UP:
        return "every unblocking key was refused"
    if opens is WayToOpen.NOTHING:
        return "the template allows no way"
    return "it was never activated"


def _when(now: Situation) -> str:
    if not now.tries:
        return "no try is left"
    return "one try is left" if now.tries == 1 else "the PIN is not known"


def _says(now: Situation, opens: WayToOpen) -> str:
    """Return what is read beside the action that would help, were it offered."""
    first = Kind.ACTIVATE if now.standing.state is State.ISSUED else Kind.UNBLOCK
    for kind in (first, Kind.UNBLOCK):
        refusal = why_not(now, opens, kind)
        if refusal is not None:
            used_up = refusal.code == "refusal.no_unblock_way" and (
                now.known is Known.USED_UP
            )
            return text("stop.puk_used_up" if used_up else refusal.code)
    return "—"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
