"""The cards that a scenario names, of every family."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kiosk.cards.values import CardIdentity, Family, IdentityKind, KeyAlgorithm
from kiosk.core.secret import Secret
from kiosk.simulation.cards.chip import SimulatedCard
from kiosk.simulation.cards.factory import KeyMade, Made, MadeCard
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.idprime_factory import make_idprime_card
from kiosk.simulation.cards.options import (
    PivOptions,
    changed,
    of_variant,
    of_yubikey,
)
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.on_record import SimulatedHolder
from kiosk.simulation.rehearsal.given import GivenCard, Make
from kiosk.simulation.world import World
from storage.records import Credential

_ADMIN_KEY_BYTES = 24


def made_of(
    world: World, card: GivenCard
) -> tuple[Made[Any], Secret | None, Secret | None]:
    """Make a card; return it with its PUK and administrator key, where in escrow."""
    if card.make is Make.GIDS:
        return _gids(world, card)
    if card.make is Make.IDPRIME:
        return (
            make_idprime_card(world.entropy, subject=card.name, pin=card.pin.encode()),
            None,
            None,
        )
    made, puk = _piv(world, card)
    made.card.contact.missed = card.missed_touches
    return made, puk, None


def blank_of(world: World, card: GivenCard) -> SimulatedCard:
    """Make a card as it leaves the factory."""
    if card.make is Make.GIDS:
        return SimulatedGidsCard(entropy=world.entropy)
    return SimulatedPivCard(entropy=world.entropy, options=_options(world, card))


def issued_to(
    name: str, chip: SimulatedCard, credential: Credential
) -> SimulatedHolder:
    """Return who has a card that was blank, from what is on record of it."""
    family, kind, value = credential.card.split(":")
    key = credential.authentication_key
    if key is None:
        raise ValueError("an issued card has a key")
    made = Made(
        card=chip,
        identity=CardIdentity(Family(family), IdentityKind(kind), bytes.fromhex(value)),
        authentication=KeyMade(
            algorithm=KeyAlgorithm(key.algorithm),
            spki=key.spki,
            certificate=key.certificate,
        ),
        card_authentication=None,
    )
    return SimulatedHolder(name, made, credential.id, credential.account_guid)


def _piv(world: World, card: GivenCard) -> tuple[MadeCard, Secret]:
    guid = b""
    if card.looks_like:
        guid = world.holders[card.looks_like].made.identity.value
    return world.make_card(
        card.name,
        pin=card.pin.encode(),
        puk=card.puk.encode(),
        algorithm=KeyAlgorithm(card.key),
        options=_options(world, card),
        with_card_authentication=card.card_authentication,
        guid=guid,
    )


def _options(world: World, card: GivenCard) -> PivOptions:
    if card.make is Make.YUBIKEY:
        key = of_yubikey(1_000_000 + len(world.holders))
        return changed(replace(key, touch=card.touch), card.behaves)
    plain = of_variant(card.variant) if card.variant else PivOptions()
    return changed(plain, card.behaves)


def _gids(world: World, card: GivenCard) -> tuple[Made[Any], None, Secret]:
    key = world.entropy.bytes(_ADMIN_KEY_BYTES)
    made = make_gids_card(
        world.entropy,
        subject=card.name,
        pin=card.pin.encode(),
        puk=card.puk.encode(),
        admin_key=key,
    )
    return made, None, Secret(key)
