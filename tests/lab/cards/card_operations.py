"""What a visit does to a card, operation by operation, and the APDUs it may cost.

A transaction is one operation: SELECT and identity check before, logout after. It is
counted as a visit has it, after the card was recognised in the same insertion.

The bounds are the shortest sequences of the standards (SP 800-73-5 part 2, GIDS 2.0) in
short APDUs, and one more for the identity check that begins every transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.authority.escrow import admin_key
from kiosk.cards.ports import Card, CardSession
from kiosk.cards.values import CardIdentity, KeyAlgorithm, KeySlot
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.options import PivOptions, of_yubikey
from lab.cards.card_kinds import ADMIN_KEY, NEW, PIN, PUK, AnyMade, make_gids, make_piv

SERIAL = 12345678
RECOGNISE, VERIFY = "recognise", "verify"
CHANGE, VISIT = "change + sign", "prove + change"
UNBLOCK, UNBLOCK_BY_KEY = "unblock + sign", "unblock + sign, admin key"
UNBLOCK_MUTUALLY = "unblock + sign, admin key both ways"

Do = Callable[[CardSession, KeyAlgorithm], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation on one kind of card."""

    kind: str
    name: str
    algorithm: KeyAlgorithm
    make: Callable[[], AnyMade]
    do: Do | None
    """None: the card is recognised, nothing else."""
    at_most: int
    is_blocked: bool = False
    """The card comes with its PIN blocked."""

    def prepared(self) -> AnyMade:
        """Return a new card for it."""
        made = self.make()
        if self.is_blocked:
            made.card.set_tries(pin=0)
        return made

    def cost(
        self, card: Card, identity: CardIdentity, counted: Callable[[], int]
    ) -> int:
        """Do it and return the APDUs that `counted` saw; it counts from the start."""
        card.recognise()
        before = counted()
        if self.do is None:
            return before
        with card.session(identity) as session:
            self.do(session, self.algorithm)
        return counted() - before


def _verify(session: CardSession, algorithm: KeyAlgorithm) -> None:
    session.verify(Secret(PIN))
    session.logout()


def _change(session: CardSession, algorithm: KeyAlgorithm) -> None:
    session.change_pin(Secret(PIN), Secret(NEW))
    _prove(session, algorithm, NEW)


def _visit(session: CardSession, algorithm: KeyAlgorithm) -> None:
    session.verify(Secret(PIN))
    session.sign(KeySlot.AUTHENTICATION, algorithm, b"statement")
    session.change_pin(Secret(PIN), Secret(NEW))
    session.verify(Secret(NEW))
    session.logout()


def _unblock(session: CardSession, algorithm: KeyAlgorithm) -> None:
    session.unblock(Secret(PUK), Secret(NEW))
    _prove(session, algorithm, NEW)


def _unblock_by_key(session: CardSession, algorithm: KeyAlgorithm) -> None:
    with Secret(ADMIN_KEY) as key:
        response = admin_key.answer(key, session.challenge())
    session.answer(response, Secret(NEW))
    _prove(session, algorithm, NEW)


def _unblock_mutually(session: CardSession, algorithm: KeyAlgorithm) -> None:
    entropy = SeededEntropy(1)
    ours = entropy.bytes(admin_key.MUTUAL_BYTES)
    with Secret(ADMIN_KEY) as key:
        cards = session.begin_mutual(ours)
        session.end_mutual(admin_key.prove(key, ours, cards, entropy))
    session.reset_pin(Secret(NEW))
    _prove(session, algorithm, NEW)


def _prove(session: CardSession, algorithm: KeyAlgorithm, pin: bytes) -> None:
    session.verify(Secret(pin))
    session.sign(KeySlot.AUTHENTICATION, algorithm, b"nonce")
    session.logout()


_PIV: dict[str, Do] = {
    VERIFY: _verify,
    CHANGE: _change,
    VISIT: _visit,
    UNBLOCK: _unblock,
}
_GIDS: dict[str, Do] = {
    **_PIV,
    UNBLOCK_BY_KEY: _unblock_by_key,
    UNBLOCK_MUTUALLY: _unblock_mutually,
}


def _of(
    kind: str,
    algorithm: KeyAlgorithm,
    make: Callable[[], AnyMade],
    bounds: dict[str, int],
) -> list[Operation]:
    return [
        Operation(
            kind=kind,
            name=name,
            algorithm=algorithm,
            make=make,
            do=_GIDS.get(name),
            at_most=most,
            is_blocked=name.startswith(UNBLOCK),
        )
        for name, most in bounds.items()
    ]


_EC = {RECOGNISE: 4, VERIFY: 4, CHANGE: 6, VISIT: 7, UNBLOCK: 6}
_RSA = {RECOGNISE: 4, VERIFY: 4, CHANGE: 8, VISIT: 9, UNBLOCK: 8}
"""A signature of RSA takes two more: what is signed, and the answer, are longer than
one short APDU."""
_YUBIKEY = {**_EC, RECOGNISE: 5}
"""It tells its serial number, both counters and the policies of a key."""
_MINIDRIVER = {
    RECOGNISE: 6,
    VERIFY: 4,
    CHANGE: 7,
    VISIT: 8,
    UNBLOCK: 7,
    UNBLOCK_BY_KEY: 10,
    UNBLOCK_MUTUALLY: 10,
}
"""PIV is asked for first, which is one of the six."""
P256, RSA = KeyAlgorithm.P256, KeyAlgorithm.RSA_2048
OPERATIONS = (
    *_of("PIV P-256", P256, make_piv, _EC),
    *_of("PIV RSA-2048", RSA, lambda: make_piv(PivOptions(), RSA), _RSA),
    *_of("YubiKey P-256", P256, lambda: make_piv(of_yubikey(SERIAL)), _YUBIKEY),
    *_of("GIDS RSA-2048", RSA, make_gids, _MINIDRIVER),
)
