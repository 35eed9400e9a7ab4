"""One suite for every way to a card: simulated readers, and a real PC/SC service.

The card is the same simulated PIV card in both; everything between it and the
visit differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from lab.events import Watch

from kiosk.authority.signature import is_valid
from kiosk.cards.ports import (
    Card,
    CardIdentity,
    CardLeft,
    CardRemoved,
    Family,
    IdentityKind,
    KeyAlgorithm,
    KeySlot,
    MalformedAnswer,
    Monitor,
    NotVerified,
    PinBlocked,
    PinRefused,
    PukBlocked,
    ReadersChanged,
    Tries,
    WrongCard,
    WrongPin,
    WrongPuk,
)
from kiosk.cards.simulated.factory import KeyMade, MadeCard, make_card
from kiosk.cards.simulated.faults import (
    AnyCardFault,
    Endless,
    Garbage,
    PullAfter,
    PullBefore,
    WrongStatus,
)
from kiosk.cards.simulated.options import (
    PivOptions,
    Variant,
    of_variant,
    of_yubikey,
)
from kiosk.cards.simulated.piv import SimulatedPivCard
from kiosk.cards.simulated.reader import SimulatedReaders
from kiosk.entropy import SeededEntropy
from kiosk.secret import Secret
from storage.records import PublicKey

PIN, NEW, PUK = b"481516", b"234291", b"75318642"


@dataclass
class Bench:
    """A monitor, and hands on the card in its reader."""

    watch: Watch
    insert: Callable[[SimulatedPivCard], object]
    pull: Callable[[], object]
    spoil: Callable[..., None]

    def put(self, made: MadeCard) -> Card:
        """Insert a card and wait until the monitor tells it."""
        self.insert(made.card)
        return self.watch.card()


def simulated(request: pytest.FixtureRequest) -> Iterator[Bench]:
    readers = SimulatedReaders()
    with Watch(readers) as watch:
        yield Bench(watch, readers.insert, readers.pull, readers.faults.set)


def real(request: pytest.FixtureRequest) -> Iterator[Bench]:
    from kiosk.cards.pcsc import PcscMonitor

    reader = request.getfixturevalue("pcscd").readers[0]
    monitor: Monitor = PcscMonitor()
    with Watch(monitor) as watch:
        yield Bench(watch, reader.insert, reader.pull, reader.faults.set)


@pytest.fixture(
    params=[
        pytest.param(simulated, id="simulated"),
        pytest.param(real, id="pcscd", marks=pytest.mark.pcscd),
    ]
)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from request.param(request)


def made(
    options: PivOptions | None = None, algorithm: KeyAlgorithm = KeyAlgorithm.P256
) -> MadeCard:
    return make_card(
        SeededEntropy(4),
        subject="Ann",
        pin=PIN,
        puk=PUK,
        options=options,
        algorithm=algorithm,
    )


OPTIONS = {
    "a": of_variant(Variant.A),
    "b": of_variant(Variant.B),
    "yubikey": of_yubikey(77),
}
variants = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def on_record(key: KeyMade | None, slot: str) -> PublicKey:
    assert key is not None
    return PublicKey(slot=slot, algorithm=key.algorithm, spki=key.spki)


# --- recognising -------------------------------------------------------------------


def test_the_readers_are_told_before_any_card(bench: Bench) -> None:
    bench.put(made())
    assert isinstance(bench.watch.seen[0], ReadersChanged)


@variants
def test_a_card_is_recognised_again_and_again(
    bench: Bench, options: PivOptions
) -> None:
    issued = made(options)
    card = bench.put(issued)
    for _ in range(3):
        found = card.recognise()
        assert found.identity == issued.identity
        assert found.pin_tries.left == options.pin_tries
        assert found.reader == card.reader


def test_a_card_that_leaves_is_told_by_its_insertion(bench: Bench) -> None:
    first = bench.put(made())
    bench.pull()
    assert bench.watch.until(CardLeft) == CardLeft(first.insertion)
    second = bench.put(made())
    assert second.insertion != first.insertion
    with pytest.raises(CardRemoved):
        first.recognise()


def test_a_card_may_be_closed_and_closed_again(bench: Bench) -> None:
    card = bench.put(made())
    card.recognise()
    card.close()
    card.close()


# --- the visit's transaction ---------------------------------------------------------


@variants
@pytest.mark.parametrize(
    ("algorithm", "apdus"), [(KeyAlgorithm.P256, 7), (KeyAlgorithm.RSA_2048, 9)]
)
def test_a_change_proves_the_card_and_the_new_pin_in_one_transaction(
    bench: Bench, options: PivOptions, algorithm: KeyAlgorithm, apdus: int
) -> None:
    issued = made(options, algorithm)
    card = bench.put(issued)
    card.recognise()
    with card.session(issued.identity) as session:
        session.verify(Secret(PIN))
        signature = session.sign(KeySlot.AUTHENTICATION, algorithm, b"statement")
        session.change_pin(Secret(PIN), Secret(NEW))
        session.verify(Secret(NEW))
        session.logout()
        assert len(issued.card.commands) == apdus
    assert is_valid(on_record(issued.authentication, "9A"), b"statement", signature)
    assert issued.card.has_pin(NEW)
    assert card.recognise().pin_tries.left == options.pin_tries


def test_the_transaction_ends_with_a_reset(bench: Bench) -> None:
    issued = made()
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        session.verify(Secret(PIN))
        while_open = issued.card.is_verified
    assert (while_open, issued.card.is_verified) == (True, False)
    assert issued.card.commands == []


def test_a_transaction_that_breaks_ends_like_any_other(bench: Bench) -> None:
    issued = made()
    card = bench.put(issued)

    def break_it() -> None:
        with card.session(issued.identity) as session:
            session.verify(Secret(PIN))
            raise LookupError

    with pytest.raises(LookupError):
        break_it()
    assert issued.card.commands == []
    assert card.recognise().pin_tries.left == 3


def test_another_card_is_refused(bench: Bench) -> None:
    card = bench.put(made())
    other = CardIdentity(Family.PIV, IdentityKind.GUID, bytes(16))
    with pytest.raises(WrongCard), card.session(other):
        pytest.fail("the session was opened")


def test_the_card_proves_itself_without_a_pin(bench: Bench) -> None:
    issued = made()
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        with pytest.raises(NotVerified):
            session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, b"nonce")
        signature = session.sign(
            KeySlot.CARD_AUTHENTICATION, KeyAlgorithm.P256, b"nonce"
        )
    assert is_valid(on_record(issued.card_authentication, "9E"), b"nonce", signature)


def test_both_certificates_are_read(bench: Bench) -> None:
    issued = made()
    card = bench.put(issued)
    assert issued.card_authentication is not None
    with card.session(issued.identity) as session:
        own = session.certificate(KeySlot.AUTHENTICATION)
        proving = session.certificate(KeySlot.CARD_AUTHENTICATION)
    assert own == issued.authentication.certificate
    assert proving == issued.card_authentication.certificate


# --- tries ---------------------------------------------------------------------------


@variants
def test_wrong_pins_count_down_to_blocked(bench: Bench, options: PivOptions) -> None:
    issued = made(options)
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        for left in range(options.pin_tries - 1, 0, -1):
            with pytest.raises(WrongPin) as caught:
                session.verify(Secret(b"000000"))
            assert caught.value.tries_left == left
            assert session.tries() == Tries(left)
        for _ in range(2):
            with pytest.raises(PinBlocked):
                session.verify(Secret(b"000000"))
        assert session.tries().is_blocked
    assert card.recognise().pin_tries.is_blocked


@variants
def test_the_puk_unblocks_and_is_replaced(bench: Bench, options: PivOptions) -> None:
    issued = made(options)
    issued.card.set_tries(pin=0)
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        with pytest.raises(WrongPuk) as caught:
            session.unblock(Secret(b"00000000"), Secret(NEW))
        assert caught.value.tries_left == 2
        session.unblock(Secret(PUK), Secret(NEW))
        session.verify(Secret(NEW))
        session.change_puk(Secret(PUK), Secret(b"86427531"))
    assert issued.card.has_puk(b"86427531")


def test_a_used_up_puk_says_so(bench: Bench) -> None:
    issued = made()
    issued.card.set_tries(pin=0, puk=0)
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        with pytest.raises(PukBlocked):
            session.unblock(Secret(PUK), Secret(NEW))
        with pytest.raises(PukBlocked):
            session.change_puk(Secret(PUK), Secret(b"86427531"))


def test_a_new_pin_that_the_card_refuses_changes_nothing(bench: Bench) -> None:
    issued = made(of_variant(Variant.A))
    card = bench.put(issued)
    with card.session(issued.identity) as session, pytest.raises(PinRefused):
        session.change_pin(Secret(PIN), Secret(b"1234"))
    assert issued.card.has_pin(PIN)
    assert issued.card.pin_tries_left == 5


# --- faults --------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [PullBefore, PullAfter])
@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_card_pulled_in_the_middle_is_removed(
    bench: Bench, fault: type[PullBefore] | type[PullAfter], at: int
) -> None:
    issued = made()
    card = bench.put(issued)
    card.recognise()
    bench.spoil(fault(at=at))

    def change() -> None:
        with card.session(issued.identity) as session:
            session.verify(Secret(PIN))
            session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, b"x")
            session.change_pin(Secret(PIN), Secret(NEW))

    with pytest.raises(CardRemoved):
        change()
    assert bench.watch.until(CardLeft) == CardLeft(card.insertion)
    assert issued.card.has_pin(NEW) is (fault is PullAfter and at == 5)
    assert not issued.card.is_verified


@pytest.mark.parametrize("fault", [Garbage(at=3), Endless(at=3)])
def test_garbage_means_nothing_and_costs_no_try(
    bench: Bench, fault: AnyCardFault
) -> None:
    issued = made()
    card = bench.put(issued)
    bench.spoil(fault)
    with pytest.raises(MalformedAnswer):
        card.recognise()
    bench.spoil()
    assert card.recognise().pin_tries == Tries(3)


def test_a_command_that_compares_is_never_sent_again(bench: Bench) -> None:
    issued = made()
    card = bench.put(issued)
    bench.spoil(WrongStatus(ins=0x20, sw=0x6C08))
    with card.session(issued.identity) as session:
        before = len(issued.card.commands)
        with pytest.raises(Exception, match=r"card\.unexpected_status"):
            session.verify(Secret(PIN))
        assert len(issued.card.commands) == before
