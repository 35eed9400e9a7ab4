"""APDUs per task on a card that the kiosk knows, against the bounds."""

from __future__ import annotations

from kiosk.cards.ports import Card, CardIdentity, KeyAlgorithm, KeySlot
from kiosk.cards.simulated.factory import make_card
from kiosk.cards.simulated.reader import SimulatedReaders
from kiosk.entropy import SeededEntropy
from kiosk.secret import Secret
from scripts.bench import Row

OLD, NEW = b"271828", b"314159"
_BOUNDS = ((KeyAlgorithm.P256, 7), (KeyAlgorithm.RSA_2048, 9))


def run() -> list[Row]:
    """Count what goes over the line, logout and identity check included."""
    rows = []
    for algorithm, bound in _BOUNDS:
        made = make_card(
            SeededEntropy(1),
            subject="Alice",
            pin=OLD,
            puk=b"PUKPUK01",
            algorithm=algorithm,
        )
        readers = SimulatedReaders()
        card = readers.insert(made.card)
        readers.faults.set()
        identity = card.recognise().identity
        recognised = readers.faults.count
        readers.faults.set()
        _change_and_sign(card, identity, algorithm)
        rows.append(_row(f"recognise, {algorithm}", recognised, 4))
        rows.append(_row(f"change and sign, {algorithm}", readers.faults.count, bound))
    return rows


def _change_and_sign(
    card: Card, identity: CardIdentity, algorithm: KeyAlgorithm
) -> None:
    with Secret(OLD) as old, Secret(NEW) as new, card.session(identity) as session:
        session.verify(old)
        session.sign(KeySlot.AUTHENTICATION, algorithm, b"a statement")
        session.change_pin(old, new)
        session.verify(new)
        session.logout()


def _row(what: str, ours: int, bound: int) -> Row:
    return Row(
        what=what, ours=ours, other=bound, other_is="bound", unit="APDUs", target=1.0
    )
