"""Registries of other versions: older ones are brought forward, newer ones refused.

What a journal's records are like has a number, which stands in the journal itself.
Whoever changes a record so that an older program would misread it, or could not read
it, raises `RECORDS` and says here what is to be done to the old ones. All of it is one
commit: a program that dies in it, or is ended there, leaves the older registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from storage import opening
from storage.documents import OWN
from storage.errors import StoreTooNew
from storage.journal import Journal
from storage.known_types import known

RECORDS = 2
"""What this program writes. 1 is also what says nothing of itself. With 2, segments
hold operations, and an event may name its chain."""
SINCE = {1: "0.1.0", 2: "0.1.0"}
"""The first version of the program that reads records of a number."""
Change = Callable[[bytes], bytes]
"""What becomes of a record: canonical JSON, before and after."""
FORWARD: dict[int, Mapping[str, Change]] = {1: {}}
"""From each number to the next: the change of each record of a table. None of them:
nothing is to be done, but an older program could not read what may come.
"""
_KEY = "records"


class _Format(msgspec.Struct):
    number: int
    since: str


class Versions:
    """Watches what an open journal says of its records. One thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._seen: bytes | None = None

    def bring_forward(self) -> None:
        """Make the records what this program writes. StoreTooNew, StoreFull."""
        self.check()
        steps = [FORWARD[number] for number in range(self._number(), RECORDS)]
        if not steps or (self._journal.is_readonly and not any(steps)):
            return
        with self._journal.transaction():
            self.check()  # somebody else may have done it, or more, just before
            steps = [FORWARD[number] for number in range(self._number(), RECORDS)]
            self._change(steps)
            now = _Format(RECORDS, SINCE[RECORDS])
            self._journal.put(OWN, _KEY, msgspec.json.encode(now))

    def _change(self, steps: list[Mapping[str, Change]]) -> None:
        journal = self._journal
        total = sum(journal.size(table) for step in steps for table in step)
        with opening.shown(total, opening.OpeningPart.BRINGING_FORWARD) as told:
            for step in steps:
                for table, change in step.items():
                    for key in journal.keys(table):
                        if (raw := journal.get(table, key)) is not None:
                            journal.put(table, key, change(raw))
                        told(1)

    def check(self) -> None:
        """Refuse what another program has brought further than this one can read.

        StoreTooNew. To be asked inside each transaction and before each look.
        """
        raw = self._journal.get(OWN, _KEY)
        if raw is self._seen:
            return
        found = self._format()
        if found.number > RECORDS:
            raise StoreTooNew(path=str(self._journal.path), version=found.since)
        self._seen = raw

    def _number(self) -> int:
        return self._format().number

    def _format(self) -> _Format:
        raw = self._journal.get(OWN, _KEY)
        return (
            msgspec.json.decode(raw, type=known(_Format))
            if raw
            else _Format(1, SINCE[1])
        )
