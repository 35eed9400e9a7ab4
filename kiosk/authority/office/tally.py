"""How many wait in lists that nothing is kept for: counted a part at a time.

Whoever looks at the menu asks again every few seconds, and each time some more are
looked at, so that nobody waits for it, however many there are. Authority's thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kiosk.authority.escrow import puks
from kiosk.authority.office.list_values import Worklist
from statemachine.lifecycle import State
from storage import walk
from storage.errors import RegistryError
from storage.records import Credential
from storage.registry import Registry
from storage.view import IN_USE

PART = 1_000
"""Credentials that are looked at for one answer."""


class Tally:
    """Counts over and over while it is asked; what it tells is of its last round."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._left = self._in_use()
        self._found: Counter[Worklist] = Counter()
        self._told: dict[Worklist, int] = {}

    def counts(self) -> dict[Worklist, int]:
        """Look at some more; return what is known, empty before the first round ends.

        RegistryError.
        """
        try:
            self._go_on()
        except RegistryError:
            self._begin_anew()  # half a round is no count
            raise
        return self._told

    def _go_on(self) -> None:
        for _ in range(PART):
            each = next(self._left, None)
            if each is None:
                both = (Worklist.ROTATION_DUE, Worklist.KEYLESS)
                self._told = {it: self._found[it] for it in both}
                self._begin_anew()
                return
            self._found.update(waits_in(each))

    def _begin_anew(self) -> None:
        self._left, self._found = self._in_use(), Counter()

    def _in_use(self) -> Iterator[Credential]:
        for state in (*IN_USE, State.SUSPENDED):
            yield from walk.credentials(self._registry, state=state)


def waits_in(credential: Credential) -> Iterator[Worklist]:
    """Yield the lists that a credential in use stands in, of those counted here."""
    if puks.waits(credential):
        yield Worklist.ROTATION_DUE
    if credential.authentication_key is None:
        yield Worklist.KEYLESS
