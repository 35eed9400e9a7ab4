"""The helpdesk of the town: a real operator's decisions, by the authority's own office.

Whatever the office refuses is refused: nobody gets a code then, and nothing is held.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from kiosk.authority.office import (
    holder_codes,
    lifecycle_events,
    listing,
    telephone_unblock,
)
from kiosk.authority.office.desk import Desk
from kiosk.authority.office.list_values import Wanted
from kiosk.authority.office.operators import Action, SignedIn
from kiosk.config import OperatorRole
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from kiosk.simulation.rehearsal.office import GROUPS
from lab.hostile.pages import PASSWORD, AtPages
from storage.errors import RegistryError
from storage.records import ApprovalKind, Credential

if TYPE_CHECKING:
    from lab.hostile.town import Person, Town

HANNA = "hanna"
_STATION = "desk-1"
_WORDS = "asked for by the holder"


class Office:
    """Hanna at her desk, who may do all that a helpdesk may."""

    def __init__(self, town: Town) -> None:
        guid = town.domain.add_account(
            HANNA,
            display_name="Hanna Helpdesk",
            password=Secret(PASSWORD),
            groups=frozenset({GROUPS[OperatorRole.HELPDESK]}),
        )
        self._town = town
        self.pages = AtPages(town, HANNA)
        self._hanna = SignedIn(
            account=f"{HANNA}@ad.test",
            guid=guid,
            roles=frozenset({OperatorRole.HELPDESK}),
        )

    @property
    def desk(self) -> Desk:
        """Her place, at the authority as it is by now."""
        return Desk(
            parts=self._town.world.parts,
            operator=self._hanna,
            station=_STATION,
            second_for=frozenset(),
        )

    def code(self, person: Person, kind: ApprovalKind) -> Secret:
        """Give somebody a code. What `holder_codes.give` raises."""
        known = self._town.credential(person)
        return holder_codes.give(self.desk, known, kind, last_try=True).code

    def answered(self, person: Person, spoken: str) -> Secret:
        """Answer a challenge by telephone. What `telephone_unblock.answer` raises."""
        known = self._town.credential(person)
        with Secret(spoken.encode()) as challenge:
            answer = telephone_unblock.answer(self.desk, known, challenge)
        return Secret(answer.encode())

    def decides(self, person: Person, decision: Decision) -> None:
        """Let her decide, from what her screen shows of the card."""
        with suppress(KioskError, RegistryError):
            decision(self, self._town.credential(person))


Decision = Callable[[Office, Credential], object]


def _act(action: Action) -> Decision:
    return lambda office, known: lifecycle_events.act(
        office.desk, action, known, _WORDS
    )


def _give(kind: ApprovalKind) -> Decision:
    def give(office: Office, known: Credential) -> None:
        holder_codes.give(office.desk, known, kind, last_try=True).code.wipe()

    return give


DECISIONS: dict[str, Decision] = {
    "suspends the card": _act(Action.SUSPEND),
    "revokes the card": _act(Action.REVOKE),
    "resumes the card": _act(Action.RESUME),
    "gives a release code": _give(ApprovalKind.RELEASE),
    "gives an activation code": _give(ApprovalKind.ACTIVATION),
    "closes the case": lambda office, known: lifecycle_events.close_case(
        office.desk, known, _WORDS
    ),
    "looks at the list": lambda office, known: listing.look(
        office.desk, Wanted(term=known.holder, most=20), expiring_days=30
    ),
}
