"""Getting hold of a card before it is personalised: what opens it now?

A blank card has what the factory gave it, a retired one what our escrow holds; after
an interrupted personalisation it may be either the old or the new. The management
key has no counter, so it is tried first, and a card that it does not open is not
touched further. Then the PUK, each candidate at most once, written down first: it sets
a PIN that is ours for the rest of the transaction. A value of ours that the card has
refused once is never sent again, whoever repeats the command.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from kiosk.authority.escrow.puks import FACTORY_PUK
from kiosk.cards.errors import PukBlocked, WrongManagementKey, WrongPuk
from kiosk.cards.piv.administration import PivAdministration, management_algorithm
from kiosk.cards.piv.application import PUK, PivApplication
from kiosk.cards.piv.management import (
    FACTORY_KEY,
    HeldManagementKey,
    ManagementAlgorithm,
)
from kiosk.cards.piv.personalise import CardSecrets
from kiosk.core.entropy import Entropy
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from kiosk.pin.drawn import new_pin
from statemachine.candidates import TRIES


class CardNotOurs(KioskError):
    """The card's management key is neither the factory's nor in our escrow."""

    code = "enrollment.not_ours"


class PukNotOurs(KioskError):
    """The card's PUK is neither the factory's nor in our escrow: one try is gone."""

    code = "enrollment.puk_not_ours"


class PukNearlyUsedUp(KioskError):
    """One try at the card's PUK is left at worst, or none: nothing was spent."""

    code = "enrollment.puk_nearly_used_up"


class Notes(Protocol):
    """Writes down what happens to one PUK. Each is durable when it returns."""

    def sending(self) -> None:
        """It is about to be sent."""

    def refused(self, left: int | None) -> None:
        """The card compared it and said no; it told `left`."""

    def taken(self) -> None:
        """The card took it."""


class NoNotes:
    """For the factory's value, sent to a card that has no record."""

    def sending(self) -> None:
        """Nothing to write."""

    def refused(self, left: int | None) -> None:
        """Nothing to write."""

    def taken(self) -> None:
        """Nothing to write."""


@dataclass(frozen=True, slots=True)
class PukCandidate:
    """A PUK that the card may have, and who keeps its record."""

    secret: Secret
    notes: Notes


@dataclass(slots=True)
class Candidates:
    """What may open a card, likeliest first. Their owner wipes them."""

    puks: list[PukCandidate] = field(default_factory=list)
    management: list[Secret] = field(default_factory=list)
    """Raw keys; the algorithm is the card's."""
    tries: int = TRIES
    """Tries at the PUK left at worst, by the record: where the card tells none."""

    def add_factory(self, notes: Notes) -> None:
        """Add, last, what a blank or reset card has."""
        self.puks.append(PukCandidate(Secret(FACTORY_PUK), notes))
        self.management.append(Secret(FACTORY_KEY))

    def is_reset(self, management: HeldManagementKey) -> bool:
        """Say whether a key shows that the card was reset since the record was made.

        It has the factory's, which the record does not know: its PUK has all its tries.
        """
        *recorded, factory = self.management
        opened = management.key
        return opened.matches(factory) and not any(map(opened.matches, recorded))

    def wipe(self) -> None:
        """Wipe them all."""
        for puk in self.puks:
            puk.secret.wipe()
        for key in self.management:
            key.wipe()


@contextmanager
def held(secrets: CardSecrets) -> Iterator[CardSecrets]:
    """Wipe a card's secrets when they are no longer needed."""
    try:
        yield secrets
    finally:
        for secret in (secrets.pin, secrets.puk, secrets.management.key):
            secret.wipe()


def take(
    application: PivApplication, candidates: Candidates, entropy: Entropy
) -> CardSecrets:
    """Return what the card has now, with a PIN of our own; the caller wipes it.

    NotOurs and PukNearlyUsedUp (nothing was spent), PukNotOurs, CardError.
    """
    algorithm = management_algorithm(application)
    management = _management(application, candidates.management, algorithm, entropy)
    told = application.pin_metadata(PUK)
    left = told.tries.left if told is not None else None
    if left is None and not candidates.is_reset(management):
        left = candidates.tries
    if left is not None and left <= 1:
        management.key.wipe()
        raise PukNearlyUsedUp
    pin = new_pin(entropy)
    puks = candidates.puks
    if told is not None and told.is_default:
        puks = [each for each in puks if each.secret.reveal() == FACTORY_PUK]
    elif told is not None:
        puks = [each for each in puks if each.secret.reveal() != FACTORY_PUK]
    try:
        puk = _puk(application, puks, pin)
    except BaseException:
        pin.wipe()
        raise
    return CardSecrets(pin=pin, puk=puk.copy(), management=management)


def _management(
    application: PivApplication,
    keys: Sequence[Secret],
    algorithm: ManagementAlgorithm,
    entropy: Entropy,
) -> HeldManagementKey:
    for key in keys:
        if len(key) != algorithm.key_size:
            continue
        held = HeldManagementKey(algorithm, key.copy())
        try:
            PivAdministration(application, held, entropy)
        except WrongManagementKey:
            held.key.wipe()
        else:
            return held
    raise CardNotOurs


def _puk(
    application: PivApplication, puks: Sequence[PukCandidate], pin: Secret
) -> Secret:
    for puk in puks:
        puk.notes.sending()
        try:
            application.reset_retry_counter(puk.secret, pin)
        except WrongPuk as error:
            left = error.tries_left if error.tries_left >= 0 else None
            puk.notes.refused(left)
            if left is None or left <= 1:
                break  # the last try is not spent on a guess
        except PukBlocked:
            puk.notes.refused(0)
            raise
        else:
            puk.notes.taken()
            return puk.secret
    raise PukNotOurs
