"""Cards of other families in the town: YubiKeys, GIDS, cards behind middleware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from kiosk.cards.values import Family, KeyAlgorithm
from kiosk.core.secret import Secret
from kiosk.pin.drawn import new_puk
from kiosk.simulation.cards.factory import Made
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.idprime_factory import make_idprime_card
from kiosk.simulation.cards.options import of_yubikey
from kiosk.simulation.world import World
from lab.histories import OLD, PASSWORD_BEFORE, STORIES, TRANSPORT, Story
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import CardType, FirstPin, Keyless, Sync, UnblockMethod

ADMIN_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA98765432108899AABBCCDDEEFF")
_ONLINE, _YUBIKEY = (UnblockMethod.ADMIN_KEY_ONLINE,), of_yubikey(5_417_533)
_PHONE = (UnblockMethod.ADMIN_KEY_PHONE,)
_GIDS: dict[str, Any] = {"family": Family.GIDS}
_NEW: dict[str, Any] = {
    "kind": Kind.ACTIVATE,
    "state": State.ISSUED,
    "sync": Sync.NEVER,
    "pin": TRANSPORT,
    "password": PASSWORD_BEFORE,
}
_UNFINISHED: dict[str, Any] = {
    "kind": Kind.FINISH,
    "sync": Sync.OUT_OF_STEP,
    "password": PASSWORD_BEFORE,
}
TYPES = {
    Family.PIV: CardType.PIV,
    Family.GIDS: CardType.GIDS,
    Family.PKCS11: CardType.PKCS11,
}
OTHERS = (
    Story("change, YubiKey", Kind.CHANGE, options=_YUBIKEY),
    Story("unblock, YubiKey", Kind.UNBLOCK, tries=0, options=_YUBIKEY),
    Story("change, GIDS", Kind.CHANGE, family=Family.GIDS, unblock=_ONLINE),
    Story("unblock, GIDS", Kind.UNBLOCK, tries=0, family=Family.GIDS, unblock=_ONLINE),
    Story(
        "activate by code, GIDS",
        Kind.ACTIVATE,
        State.ISSUED,
        Sync.NEVER,
        OLD,
        b"Welcome-2026",
        FirstPin.ACTIVATION_CODE,
        family=Family.GIDS,
        unblock=_ONLINE,
    ),
    Story("change, middleware", Kind.CHANGE, family=Family.PKCS11),
    Story("unblock by telephone, GIDS", Kind.UNBLOCK, tries=0, unblock=_PHONE, **_GIDS),
    Story(
        "activate again",
        Kind.ACTIVATE,
        State.ISSUED,
        Sync.OUT_OF_STEP,
        TRANSPORT,
        OLD,
        interrupted=True,
    ),
    Story(
        "activate again, GIDS",
        Kind.ACTIVATE,
        State.ISSUED,
        Sync.OUT_OF_STEP,
        TRANSPORT,
        OLD,
        interrupted=True,
        unblock=_ONLINE,
        **_GIDS,
    ),
    Story("activate, GIDS", unblock=_ONLINE, **_NEW, **_GIDS),
    Story("activate, middleware", family=Family.PKCS11, **_NEW),
    Story("activate, RSA", algorithm=KeyAlgorithm.RSA_2048, **_NEW),
    Story("unblock, RSA", Kind.UNBLOCK, tries=0, algorithm=KeyAlgorithm.RSA_2048),
    Story("finish, RSA", algorithm=KeyAlgorithm.RSA_2048, **_UNFINISHED),
    Story("finish, GIDS", unblock=_ONLINE, **_UNFINISHED, **_GIDS),
    Story("finish, middleware", family=Family.PKCS11, **_UNFINISHED),
    Story(
        "unblock, keyless, holder's PUK",
        Kind.UNBLOCK,
        tries=0,
        unblock=(UnblockMethod.HOLDER_PUK,),
        keyless=Keyless.WITH_RELEASE,
    ),
    Story("finish, keyless", keyless=Keyless.WITH_RELEASE, **_UNFINISHED),
)
EVERY = STORIES + OTHERS


@dataclass(frozen=True, slots=True)
class InHand:
    """A card, and what opens it besides its PIN."""

    made: Made[Any]
    puk: Secret
    """One that it does not have, where it has none."""
    admin_key: Secret | None = None

    @property
    def escrowed(self) -> Secret | None:
        """The PUK that the authority keeps."""
        return self.puk if self.made.identity.family is Family.PIV else None


def make(world: World, name: str, story: Story) -> InHand:
    """Make somebody's card."""
    return _MAKES[story.family](world, name, story)


def _piv(world: World, name: str, story: Story) -> InHand:
    options = story.options
    if options is not None and options.serial:
        options = replace(options, serial=world.entropy.bytes(4))
    made, puk = world.make_card(
        name,
        pin=story.pin,
        algorithm=story.algorithm,
        options=options,
        with_card_authentication=story.proves_itself,
    )
    return InHand(made, puk)


def _gids(world: World, name: str, story: Story) -> InHand:
    made = make_gids_card(
        world.entropy, subject=name, pin=story.pin, admin_key=ADMIN_KEY
    )
    return InHand(made, new_puk(world.entropy), Secret(ADMIN_KEY))


def _middleware(world: World, name: str, story: Story) -> InHand:
    made = make_idprime_card(world.entropy, subject=name, pin=story.pin)
    return InHand(made, new_puk(world.entropy))


_MAKES: dict[Family, Callable[[World, str, Story], InHand]] = {
    Family.PIV: _piv,
    Family.GIDS: _gids,
    Family.PKCS11: _middleware,
}
