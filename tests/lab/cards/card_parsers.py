"""Every reader of card bytes, with seeds from our own cards and what it may answer.

One table for two ways to try it: hypothesis (`tests/unit/test_parsers_fuzz.py`) and a
search led by coverage (`scripts/fuzz.py`). A new parser is one more line here.
"""

from __future__ import annotations

import datetime
import functools
import gzip
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kiosk.cards import tlv
from kiosk.cards.apdu import MAX_ANSWER
from kiosk.cards.errors import MalformedAnswer
from kiosk.cards.gids import objects as gids
from kiosk.cards.masking import Masking
from kiosk.cards.pinpad import parse_features
from kiosk.cards.piv import objects
from kiosk.cards.piv.keys import key_of_answer, key_of_certificate
from kiosk.cards.piv.metadata import read_algorithm, read_pin_metadata
from kiosk.cards.piv.policies import read_policies
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.cli.card_keys import described
from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.cards.factory import Made, MadeCard, make_card
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.keys import public_value
from kiosk.simulation.cards.metadata import metadata
from kiosk.simulation.cards.options import of_yubikey
from kiosk.simulation.cards.pinpad import FEATURES
from lab.cards.lying_card import PIN, PUK, Conversation

LARGEST = MAX_ANSWER + (1 << 10)
"""Bytes that nothing that was read may exceed: what a card may say, and its frame."""
_NOW = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Parser:
    """Something that reads bytes of a card: a value, or MalformedAnswer."""

    read: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]
    longest: int = 4096
    """Bytes worth trying."""


class Misread(AssertionError):
    """A parser answered with something that it may not."""


def judge(parser: Parser, data: bytes) -> object:
    """Let a parser read; None: it refused as it should. Misread, or what it raised."""
    try:
        value = parser.read(data)
    except MalformedAnswer as error:
        named, offset = error.data.get("object"), error.data.get("offset")
        if not named or not isinstance(offset, int) or not 0 <= offset <= LARGEST:
            raise Misread(f"names no place: {error.data}") from error
        return None
    if isinstance(value, bytes) and len(value) > LARGEST:
        raise Misread(f"{len(value)} bytes were made of {len(data)}")
    return value


# --- seeds -------------------------------------------------------------------------


@functools.cache
def _card(algorithm: KeyAlgorithm = KeyAlgorithm.P256) -> MadeCard:
    return make_card(
        SeededEntropy(1),
        subject="Ann",
        pin=PIN,
        puk=PUK,
        algorithm=algorithm,
        options=of_yubikey(77),
    )


@functools.cache
def _gids_card() -> Made[SimulatedGidsCard]:
    return make_gids_card(
        SeededEntropy(1), subject="Ann", pin=PIN, puk=PUK, admin_key=bytes(range(24))
    )


def _objects() -> Iterable[bytes]:
    return _card().card.objects.values()


def _certificates() -> Iterable[bytes]:
    for algorithm in (KeyAlgorithm.P256, KeyAlgorithm.RSA_2048, KeyAlgorithm.ED25519):
        yield _card(algorithm).authentication.certificate


def _certificate_objects() -> Iterable[bytes]:
    for der in _certificates():
        yield objects.write_certificate(der)
        zipped = gzip.compress(der)
        yield tlv.pack(0x70, zipped) + tlv.pack(0x71, b"\x01")
        head = b"\x01\x00" + len(der).to_bytes(2, "little")
        yield tlv.pack(0x70, head + zlib.compress(der))


def _metadata() -> Iterable[bytes]:
    return [metadata(_card().card, each) for each in (0x80, 0x81, 0x9A, 0x9B, 0x9E)]


def _discovery() -> Iterable[bytes]:
    aid = tlv.pack(0x4F, bytes.fromhex("A000000308000010000100"))
    return [aid + tlv.pack(0x5F2F, usage) for usage in (b"\x40\x00", b"\x60\x20")]


def _gids_files() -> Iterable[bytes]:
    entries = (gids.FileEntry("mscp", "cmapfile", *reversed(gids.CMAP_FILE)),)
    return (
        gids.write_masterfile(entries),
        gids.write_cmapfile([("00112233-4455-6677-8899-aabbccddeeff", 2048)] * 2),
        gids.write_certificate(_card().authentication.certificate),
    )


def _public_values() -> Iterable[bytes]:
    for algorithm in (KeyAlgorithm.P256, KeyAlgorithm.RSA_2048, KeyAlgorithm.ED25519):
        yield public_value(_card(algorithm).card.keys[0x9A], b"\x01\x00\x01")


# --- readers -----------------------------------------------------------------------


def _walk(data: bytes) -> object:
    return list(tlv.walk(data, "thing"))


def _certificate(data: bytes) -> object:
    return objects.read_certificate(data)


def _certified_key(data: bytes) -> object:
    return key_of_certificate(objects.read_certificate(data))


def _public_keys(data: bytes) -> object:
    """Read under the algorithm that the first byte chooses."""
    algorithms = tuple(KeyAlgorithm)
    return key_of_answer(
        algorithms[data[0] % len(algorithms)] if data else KeyAlgorithm.P256, data[1:]
    )


def _containers(data: bytes) -> object:
    return gids.default_of(gids.read_cmapfile(data))


def _description(data: bytes) -> object:
    return described(KeySlot.AUTHENTICATION, data, None, _NOW)


def _masked(data: bytes) -> object:
    """Judge several commands in a row, each behind its length."""
    masking = Masking()
    at = 0
    while at < len(data):
        masking.of(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return None


def _conversation(data: bytes) -> object:
    made = _card()
    Conversation(made.card, made.identity, KeyAlgorithm.P256, data).hold()
    return None


def _gids_conversation(data: bytes) -> object:
    made = _gids_card()
    Conversation(made.card, made.identity, KeyAlgorithm.RSA_2048, data).hold()
    return None


def _conversations() -> Iterable[bytes]:
    return [bytes(40), b"\x80\x02\x61\x00" * 10, b"\xff" * 20]


PARSERS: dict[str, Parser] = {
    "tlv": Parser(_walk, _objects),
    "chuid": Parser(objects.read_chuid, _objects),
    "discovery": Parser(objects.read_discovery, _discovery),
    "certificate": Parser(_certificate, _certificate_objects),
    "certificate key": Parser(_certified_key, _certificate_objects),
    "certificate text": Parser(_description, _certificates),
    "public key": Parser(_public_keys, _public_values),
    "PIN metadata": Parser(read_pin_metadata, _metadata),
    "algorithm": Parser(read_algorithm, _metadata),
    "policies": Parser(read_policies, _metadata),
    "GIDS masterfile": Parser(gids.read_masterfile, _gids_files),
    "GIDS containers": Parser(_containers, _gids_files),
    "GIDS certificate": Parser(gids.read_certificate, _gids_files),
    "reader features": Parser(parse_features, lambda: [FEATURES]),
    "masking": Parser(_masked, lambda: [b"\x0d\x00\x20\x00\x80\x08" + bytes(8)]),
    "conversation": Parser(_conversation, _conversations, longest=400),
    "GIDS conversation": Parser(_gids_conversation, _conversations, longest=400),
}
