"""Cards without the administrator key on record, and stations that ask too often."""

from __future__ import annotations

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from kiosk.authority.errors import ProofFailed, Refused
from kiosk.authority.escrow import admin_key
from kiosk.authority.values import (
    Announced,
    CardLimits,
    OpenRequest,
    PrepareRequest,
    SeenCard,
    ToldSeen,
)
from kiosk.core.entropy import SeededEntropy
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.pin.alphabet import Alphabet
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.world import World
from statemachine.operation import Kind, Phase
from storage.records import (
    ApprovalKind,
    CardType,
    PinAlphabet,
    PinPolicy,
    Template,
    UnblockMethod,
)

OURS, CARDS = bytes(range(16)), bytes(range(16, 32))
KEY = bytes.fromhex("0123456789ABCDEFFEDCBA98765432108899AABBCCDDEEFF")
PUK = b"24681357"
LIMITS = CardLimits(
    minimum=4, maximum=16, alphabet=Alphabet.PRINTABLE, has_admin_key=True
)
_POLICY = PinPolicy(minimum=4, maximum=16, alphabet=PinAlphabet.PRINTABLE)


def sealed_with(key: bytes, plain: bytes) -> bytes:
    """What whoever has the key would answer."""
    whole = plain + bytes(7) + b"\x80"
    encryptor = Cipher(TripleDES(key), modes.CBC(bytes(8))).encryptor()
    return encryptor.update(whole) + encryptor.finalize()


# --- the proof itself ---------------------------------------------------------------


def test_a_card_whose_challenge_is_ours_has_proven_nothing() -> None:
    """It was sent both, and could send both back."""
    with Secret(KEY) as key:
        answered = sealed_with(KEY, OURS + OURS)
        assert not admin_key.is_proven(key, OURS, OURS, answered)


@pytest.mark.parametrize("cards", [OURS, CARDS[:8] + OURS[:8], OURS[8:] + CARDS[:8]])
def test_nothing_is_proven_to_a_mirror(cards: bytes) -> None:
    with Secret(KEY) as key, pytest.raises(ValueError, match="ours"):
        admin_key.prove(key, OURS, cards, SeededEntropy(1))


@pytest.mark.parametrize(
    "plain", [OURS + bytes(16), bytes(16) + CARDS, CARDS + OURS], ids=repr
)
def test_half_of_a_proof_is_none(plain: bytes) -> None:
    with Secret(KEY) as key:
        assert not admin_key.is_proven(key, OURS, CARDS, sealed_with(KEY, plain))


# --- at the authority's port --------------------------------------------------------


class Station:
    """One unblock by the key, asked step by step."""

    def __init__(self, *methods: UnblockMethod, kind: Kind = Kind.UNBLOCK) -> None:
        tries = 0 if kind is Kind.UNBLOCK else 3
        self.world = World()
        self.world.add_template(
            Template(
                name="staff",
                card_type=CardType.GIDS,
                unblock=methods,
                pin_policy=_POLICY,
            )
        )
        guid = self.world.directory.add_account("alice", password=Secret(b"old-one"))
        made = make_gids_card(
            self.world.entropy,
            subject="alice",
            pin=b"2718",
            admin_key=KEY,
            puk=b"1" * 8,
        )
        holder = self.world.register(
            "alice",
            made,
            Secret(PUK),
            account_guid=guid,
            template="staff",
            admin_key=Secret(KEY),
        )
        self.port = self.world.authority.port
        case = self.port.open(
            OpenRequest(
                card=made.identity.key, seen=SeenCard(limits=LIMITS, tries_left=tries)
            )
        )
        told = Announced(
            password_follows=case.password_follows,
            why_not=case.why_not,
            changed_elsewhere=case.changed_elsewhere,
            rules=case.rules,
            seen=ToldSeen.of(case.seen),
        )
        prepared = self.port.prepare(
            PrepareRequest(
                credential=holder.credential,
                kind=kind,
                seen=SeenCard(limits=LIMITS, tries_left=tries),
                announced=told,
            )
        )
        self.id = prepared.operation

    def redeem(self) -> None:
        self.port.redeem(
            self.id, ApprovalKind.RELEASE, self.world.release_code("alice")
        )

    def is_proven(self) -> bool:
        return self.world.registry.run(lambda tx: tx.operation(self.id)).card_proven

    def phase(self) -> Phase:
        return self.world.registry.run(lambda tx: tx.operation(self.id)).phase


@pytest.fixture
def station() -> Station:
    return Station(UnblockMethod.ADMIN_KEY_ONLINE)


def test_no_challenge_before_a_code(station: Station) -> None:
    with pytest.raises(Refused) as why:
        station.port.admin_challenge(station.id)
    assert why.value.reason.key == "stop.code_first"


def test_one_challenge_in_an_operation(station: Station) -> None:
    station.redeem()
    station.port.admin_challenge(station.id)
    with pytest.raises(Refused):
        station.port.admin_challenge(station.id)


def test_one_answer_in_an_operation(station: Station) -> None:
    station.redeem()
    station.port.admin_challenge(station.id)
    station.port.admin_proof(station.id, CARDS)
    with pytest.raises(Refused):
        station.port.admin_proof(station.id, bytes(range(32, 48)))


@pytest.mark.parametrize("answered", [b"", bytes(40), bytes(39)], ids=len)
def test_a_card_that_does_not_prove_itself_is_not_believed(
    station: Station, answered: bytes
) -> None:
    station.redeem()
    station.port.admin_challenge(station.id)
    station.port.admin_proof(station.id, CARDS)
    with pytest.raises(ProofFailed):
        station.port.admin_proven(station.id, answered)
    assert not station.is_proven()
    assert station.phase() is Phase.PREPARED, "nothing of the card may be changed"


def test_a_proof_before_any_challenge_is_none(station: Station) -> None:
    station.redeem()
    with pytest.raises(ProofFailed):
        station.port.admin_proven(station.id, sealed_with(KEY, bytes(32)))


def test_the_key_answers_nobody_where_another_way_was_chosen() -> None:
    station = Station(UnblockMethod.RELEASE_CODE)
    station.redeem()
    with pytest.raises(Refused) as why:
        station.port.admin_challenge(station.id)
    assert why.value.reason.key == "stop.nothing_in_escrow"


def test_nor_where_a_pin_is_changed_for_which_nobody_gave_a_code() -> None:
    """A change needs none: the key would open the card to whoever has it in hand."""
    station = Station(UnblockMethod.ADMIN_KEY_ONLINE, kind=Kind.CHANGE)
    with pytest.raises(Refused) as why:
        station.port.admin_challenge(station.id)
    assert why.value.reason.key == "stop.nothing_in_escrow"


# --- what is written down, and when it is over ---------------------------------------


def told(station: Station) -> list[tuple[str, str]]:
    """What was written down of the key, and why."""
    events = list(station.world.registry.audit_events())
    return [
        (each.kind, each.data.get("why", ""))
        for each in events
        if each.kind.startswith("escrow.")
    ]


def answer_of(station: Station, ours: bytes, cards: bytes) -> bytes:
    """What the card on record answers."""
    return sealed_with(KEY, ours + cards)


def test_each_use_of_the_key_is_written_down(station: Station) -> None:
    station.redeem()
    ours = station.port.admin_challenge(station.id)
    station.port.admin_proof(station.id, CARDS)
    assert told(station) == [("escrow.admin_key_used", "")]
    station.port.admin_proven(station.id, answer_of(station, ours, CARDS))
    assert told(station)[-1] == ("escrow.card_proven", "")
    assert station.is_proven()


def test_a_mirror_is_written_down_and_answered_nothing(station: Station) -> None:
    station.redeem()
    ours = station.port.admin_challenge(station.id)
    with pytest.raises(ProofFailed):
        station.port.admin_proof(station.id, ours)
    assert told(station) == [("escrow.proof_failed", "mirrored")]


def test_a_proof_that_is_none_is_written_down_as_that(station: Station) -> None:
    station.redeem()
    station.port.admin_challenge(station.id)
    station.port.admin_proof(station.id, CARDS)
    with pytest.raises(ProofFailed):
        station.port.admin_proven(station.id, bytes(40))
    assert told(station)[-1] == ("escrow.proof_failed", "")


@pytest.mark.parametrize("cards", [b"", CARDS[:8], CARDS + CARDS], ids=len)
def test_a_challenge_of_another_length_is_answered_nothing(
    station: Station, cards: bytes
) -> None:
    station.redeem()
    station.port.admin_challenge(station.id)
    with pytest.raises(ProofFailed):
        station.port.admin_proof(station.id, cards)
    assert told(station) == []


@pytest.mark.parametrize("after", [0, 1, 2])
def test_nothing_is_answered_in_an_operation_that_has_ended(
    station: Station, after: int
) -> None:
    """After so many of its three calls."""
    station.redeem()
    calls = (
        lambda: station.port.admin_challenge(station.id),
        lambda: station.port.admin_proof(station.id, CARDS),
        lambda: station.port.admin_proven(station.id, bytes(40)),
    )
    for call in calls[:after]:
        call()
    station.port.refuse(station.id, Message("stop.cancelled"))
    with pytest.raises(Refused) as why:
        calls[after]()
    assert why.value.reason.key == "stop.operation_ended"
