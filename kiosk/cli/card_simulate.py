"""`kiosk card simulate`: simulated cards in a virtual reader, moved by typed lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import typer

from kiosk.cards.values import KeyAlgorithm
from kiosk.core.entropy import SystemEntropy
from kiosk.core.hardening import harden_process
from kiosk.core.secret import Secret
from kiosk.core.secret_file import read_secret
from kiosk.simulation.cards.factory import Made, make_card
from kiosk.simulation.cards.faults import AnyCardFault
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.idprime_factory import make_idprime_card
from kiosk.simulation.cards.options import (
    PivOptions,
    Variant,
    changed,
    of_bio_key,
    of_neo,
    of_variant,
    of_yubikey,
)
from kiosk.simulation.cards.t0 import StrictT0Card
from kiosk.simulation.virtual_reader import VirtualReader, tcp
from storage.known_types import known

DEMO_PIN, DEMO_PUK = b"123456", b"12345678"
"""What the cards have when no file says otherwise: no secret, as from the factory."""
DEMO_ADMIN_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA98765432108899AABBCCDDEEFF")
"""Of simulated GIDS cards; printed nowhere, because it stands here."""
_KEYS: dict[str, Callable[[int], PivOptions]] = {
    "yubikey": of_yubikey,
    "yubikey-5.2": lambda serial: of_yubikey(serial, (5, 2, 7)),
    "yubikey-5.4": of_yubikey,
    "yubikey-5.7": lambda serial: of_yubikey(serial, (5, 7, 4)),
    "bio": of_bio_key,
    "neo": lambda _: of_neo(),
}
"""Variants that are Yubico's, by their firmware."""
_SERIAL = 10_000_000


class Protocol(StrEnum):
    """How the card speaks to the reader (ISO/IEC 7816-3)."""

    T0 = "t0"
    T1 = "t1"


class SimulatedFamily(StrEnum):
    """What kind of card is simulated."""

    PIV = "piv"
    GIDS = "gids"
    IDPRIME = "idprime"


Choice = TypeVar("Choice", bound=StrEnum)
_HELP = "insert [N] | pull | swap N | fault JSON | heal | quit"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCards:
    """What was asked for on the command line."""

    host: str
    port: int
    family: str
    """A `SimulatedFamily`."""
    variant: str
    cards: int
    key: str
    pin_file: Path | None
    puk_file: Path | None
    protocol: str
    """`t1` or `t0`."""
    behaves: str
    """Fields of `PivOptions` as a JSON object; empty: none is changed."""
    is_inserted: bool
    is_traced: bool


def simulate_cards(wanted: SimulatedCards) -> None:
    """Make the cards, put them at hand and obey lines from standard input."""
    harden_process()
    protocol = _one_of(Protocol, wanted.protocol, "--protocol")
    cards = _cards(wanted)
    for number, made in cards.items():
        _say(f"card {number} {made.identity.key}")
    reader = VirtualReader(
        tcp(wanted.host, wanted.port), observe=_trace if wanted.is_traced else None
    )
    for number, made in cards.items():
        card = StrictT0Card(made.card) if protocol is Protocol.T0 else made.card
        reader.put_ready(str(number), card)
    try:
        if wanted.is_inserted:
            obey(reader, cards, "insert")
        for line in sys.stdin:
            if line.strip() == "quit":
                break
            obey(reader, cards, line.strip())
    finally:
        reader.pull()


def obey(reader: VirtualReader, cards: dict[int, Made[Any]], line: str) -> None:
    """Carry out one line and say what was done."""
    word, _, argument = line.partition(" ")
    number = int(argument) if argument.isdecimal() else 1
    match word:
        case "insert" | "swap" if number in cards:
            reader.swap(str(number))
            _say(f"inserted {number}")
        case "pull":
            reader.pull()
            _say("pulled")
        case "fault" if (fault := _fault(argument)) is not None:
            reader.faults.set(fault)
            _say(f"fault {type(fault).__name__}")
        case "heal":
            reader.faults.set()
            _say("healed")
        case _:
            _say(f"not understood; {_HELP}")


def _fault(text: str) -> AnyCardFault | None:
    """Read one of `kiosk.simulation.cards.faults`, as JSON."""
    try:
        fault: AnyCardFault = msgspec.json.decode(text, type=known(AnyCardFault))
    except msgspec.DecodeError:
        return None
    return fault


def _cards(wanted: SimulatedCards) -> dict[int, Made[Any]]:
    match _one_of(SimulatedFamily, wanted.family, "--type"):
        case SimulatedFamily.GIDS:
            return _gids_cards(wanted)
        case SimulatedFamily.IDPRIME:
            return _idprime_cards(wanted)
        case SimulatedFamily.PIV:
            return _piv_cards(wanted)


def _piv_cards(wanted: SimulatedCards) -> dict[int, Made[Any]]:
    algorithm = _one_of(KeyAlgorithm, wanted.key, "--key")
    with (
        _secret(wanted.pin_file, DEMO_PIN) as pin,
        _secret(wanted.puk_file, DEMO_PUK) as puk,
    ):
        return {
            number: make_card(
                SystemEntropy(),
                subject=f"Simulated card {number}",
                pin=bytes(pin.reveal()),
                puk=bytes(puk.reveal()),
                algorithm=algorithm,
                options=_options(wanted, number),
            )
            for number in range(1, wanted.cards + 1)
        }


def _gids_cards(wanted: SimulatedCards) -> dict[int, Made[Any]]:
    with _secret(wanted.pin_file, DEMO_PIN) as pin:
        return {
            number: make_gids_card(
                SystemEntropy(),
                subject=f"Simulated card {number}",
                pin=bytes(pin.reveal()),
                admin_key=DEMO_ADMIN_KEY,
            )
            for number in range(1, wanted.cards + 1)
        }


def _idprime_cards(wanted: SimulatedCards) -> dict[int, Made[Any]]:
    with _secret(wanted.pin_file, DEMO_PIN) as pin:
        return {
            number: make_idprime_card(
                SystemEntropy(),
                subject=f"Simulated card {number}",
                pin=bytes(pin.reveal()),
            )
            for number in range(1, wanted.cards + 1)
        }


def _options(wanted: SimulatedCards, number: int) -> PivOptions:
    make = _KEYS.get(wanted.variant)
    if make is not None:
        options = make(_SERIAL + number)
    else:
        options = of_variant(_one_of(Variant, wanted.variant, "--variant", *_KEYS))
    try:
        values = msgspec.json.decode(wanted.behaves or "{}", type=dict[str, object])
        return changed(options, values)
    except msgspec.DecodeError as error:
        raise typer.BadParameter(str(error), param_hint="--behaves") from None


def _secret(file: Path | None, default: bytes) -> Secret:
    return read_secret(file) if file is not None else Secret(default)


def _one_of(kind: type[Choice], text: str, option: str, *more: str) -> Choice:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join([*kind, *more])
        raise typer.BadParameter(known, param_hint=option) from None


def _trace(header: bytes, sw: int) -> None:
    _say(f"{header.hex(' ')} -> {sw:04x}")


def _say(line: str) -> None:
    print(line, flush=True)
