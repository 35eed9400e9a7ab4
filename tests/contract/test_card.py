"""One suite for every way to a card: simulated readers, and a real PC/SC service.

The cards are the same simulated ones in both; everything between them and the visit
differs. What every family fulfils is asked of every family; what only one can do stands
under its name, with what the others answer instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from lab.cards.card_kinds import (
    ADMIN_KEY,
    FAMILIES,
    GIDS,
    NEW,
    PIN,
    PIV,
    PIV_RSA,
    PIV_VARIANTS,
    PUK,
    VARIANTS,
    AnyMade,
    Kind,
    make_gids,
    make_piv,
)
from lab.cards.events import Watch

from kiosk.authority.escrow import admin_key
from kiosk.authority.proof.signature import is_valid
from kiosk.cards.errors import (
    CardRemoved,
    MalformedAnswer,
    NotSupported,
    NotVerified,
    ObjectMissing,
    PinBlocked,
    PinRefused,
    PukBlocked,
    UnexpectedStatus,
    UnknownCard,
    WrongAdminKey,
    WrongCard,
    WrongPin,
    WrongPuk,
)
from kiosk.cards.ports import Card, CardSession, Monitor
from kiosk.cards.values import CardLeft, KeyAlgorithm, KeySlot, ReadersChanged
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.chip import Chip
from kiosk.simulation.cards.factory import KeyMade
from kiosk.simulation.cards.faults import (
    CounterDrift,
    Endless,
    Garbage,
    PullAfter,
    PullBefore,
    Swap,
    WrongStatus,
)
from kiosk.simulation.cards.faults import (
    PukBlockedMeanwhile as PukUsedUp,
)
from kiosk.simulation.cards.options import Variant, of_variant
from kiosk.simulation.cards.reader import SimulatedReaders
from storage.records import PublicKey


@dataclass
class Bench:
    """A monitor, and hands on the card in its reader."""

    watch: Watch
    insert: Callable[[Chip], object]
    pull: Callable[[], object]
    spoil: Callable[..., None]
    put_ready: Callable[[str, Chip], None]

    def put(self, made: AnyMade) -> Card:
        """Insert a card and wait until the monitor tells it."""
        self.insert(made.card)
        return self.watch.card()


def simulated(request: pytest.FixtureRequest) -> Iterator[Bench]:
    readers = SimulatedReaders()
    with Watch(readers) as watch:
        faults = readers.faults.set
        yield Bench(watch, readers.insert, readers.pull, faults, readers.put_ready)


def real(request: pytest.FixtureRequest) -> Iterator[Bench]:
    from kiosk.cards.pcsc import PcscMonitor

    reader = request.getfixturevalue("pcscd").readers[0]
    monitor: Monitor = PcscMonitor()
    with Watch(monitor) as watch:
        faults = reader.faults.set
        yield Bench(watch, reader.insert, reader.pull, faults, reader.put_ready)


@pytest.fixture(
    params=[
        pytest.param(simulated, id="simulated"),
        pytest.param(real, id="pcscd", marks=pytest.mark.pcscd),
    ]
)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from request.param(request)


def of_each(kinds: dict[str, Kind]) -> pytest.MarkDecorator:
    """Ask a test of each of these kinds of card."""
    return pytest.mark.parametrize("kind", kinds.values(), ids=kinds)


def on_record(key: KeyMade | None, slot: str) -> PublicKey:
    assert key is not None
    return PublicKey(slot=slot, algorithm=key.algorithm, spki=key.spki)


# --- recognising -------------------------------------------------------------------


@of_each(FAMILIES)
def test_the_readers_are_told_before_any_card(bench: Bench, kind: Kind) -> None:
    bench.put(kind.make())
    assert isinstance(bench.watch.seen[0], ReadersChanged)


@of_each(VARIANTS)
def test_a_card_is_recognised_again_and_again(bench: Bench, kind: Kind) -> None:
    issued = kind.make()
    card = bench.put(issued)
    for _ in range(3):
        found = card.recognise()
        assert found.identity == issued.identity
        assert found.identity.family is kind.family
        assert found.pin_tries.left == kind.pin_tries
        assert found.reader == card.reader
        assert found.has_puk


@of_each(FAMILIES)
def test_a_card_that_leaves_is_told_by_its_insertion(bench: Bench, kind: Kind) -> None:
    first = bench.put(kind.make())
    bench.pull()
    assert bench.watch.until(CardLeft) == CardLeft(first.insertion)
    second = bench.put(kind.make())
    assert second.insertion != first.insertion
    with pytest.raises(CardRemoved):
        first.recognise()


@of_each(FAMILIES)
def test_a_card_may_be_closed_and_closed_again(bench: Bench, kind: Kind) -> None:
    card = bench.put(kind.make())
    card.recognise()
    card.close()
    card.close()


@of_each(VARIANTS)
def test_a_pin_that_was_tried_elsewhere_is_seen(bench: Bench, kind: Kind) -> None:
    card = bench.put(kind.make())
    card.recognise()
    bench.spoil(CounterDrift(at=2))
    assert card.recognise().pin_tries.left == kind.pin_tries - 1


# --- the visit's transaction ---------------------------------------------------------


def visit(session: CardSession, algorithm: KeyAlgorithm) -> bytes:
    """Do what a visit does in its one transaction; return the signature."""
    session.verify(Secret(PIN))
    signature = session.sign(KeySlot.AUTHENTICATION, algorithm, b"statement")
    session.change_pin(Secret(PIN), Secret(NEW))
    session.verify(Secret(NEW))
    session.logout()
    return signature


@of_each(VARIANTS | PIV_RSA)
def test_a_change_proves_the_card_and_the_new_pin_in_one_transaction(
    bench: Bench, kind: Kind
) -> None:
    issued = kind.make()
    card = bench.put(issued)
    card.recognise()
    with card.session(issued.identity) as session:
        signature = visit(session, kind.algorithm)
        assert len(issued.card.commands) == kind.change_apdus
    assert is_valid(on_record(issued.authentication, "9A"), b"statement", signature)
    assert issued.card.has_pin(NEW)
    assert card.recognise().pin_tries.left == kind.pin_tries


@of_each(FAMILIES)
def test_the_transaction_ends_with_a_reset(bench: Bench, kind: Kind) -> None:
    issued = kind.make()
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        session.verify(Secret(PIN))
        while_open = issued.card.is_verified
    assert (while_open, issued.card.is_verified) == (True, False)
    assert issued.card.commands == []


@of_each(FAMILIES)
def test_a_transaction_that_breaks_ends_like_any_other(
    bench: Bench, kind: Kind
) -> None:
    issued = kind.make()
    card = bench.put(issued)

    def break_it() -> None:
        with card.session(issued.identity) as session:
            session.verify(Secret(PIN))
            raise LookupError

    with pytest.raises(LookupError):
        break_it()
    assert issued.card.commands == []
    assert card.recognise().pin_tries.left == kind.pin_tries


@of_each(FAMILIES)
def test_a_card_that_is_held_does_what_a_transaction_does(
    bench: Bench, kind: Kind
) -> None:
    issued = kind.make()
    card = bench.put(issued)
    card.recognise()
    with card.hold(issued.identity) as session:
        visit(session, kind.algorithm)
    assert issued.card.has_pin(NEW)
    assert issued.card.commands == []


@of_each(FAMILIES)
def test_another_card_is_refused(bench: Bench, kind: Kind) -> None:
    card = bench.put(kind.make())
    with pytest.raises(WrongCard), card.session(kind.other):
        pytest.fail("the session was opened")


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [(PIV["piv"], GIDS["gids"]), (GIDS["gids"], PIV["piv"])],
    ids=["piv", "gids"],
)
def test_a_card_of_another_family_is_not_known(
    bench: Bench, kind: Kind, wanted: Kind
) -> None:
    card = bench.put(kind.make())
    with pytest.raises(UnknownCard), card.session(wanted.other):
        pytest.fail("the session was opened")


@of_each(FAMILIES)
def test_nothing_is_signed_before_the_pin(bench: Bench, kind: Kind) -> None:
    issued = kind.make()
    card = bench.put(issued)
    with card.session(issued.identity) as session, pytest.raises(NotVerified):
        session.sign(KeySlot.AUTHENTICATION, kind.algorithm, b"nonce")


@of_each(VARIANTS)
def test_the_certificate_is_read(bench: Bench, kind: Kind) -> None:
    issued = kind.make()
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        own = session.certificate(KeySlot.AUTHENTICATION)
    assert own == issued.authentication.certificate


# --- the card's own proof, without a PIN ---------------------------------------------


@of_each(PIV)
def test_a_piv_card_proves_itself_with_its_own_key(bench: Bench, kind: Kind) -> None:
    issued = kind.make()
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        signature = session.sign(
            KeySlot.CARD_AUTHENTICATION, KeyAlgorithm.P256, b"nonce"
        )
        certificate = session.certificate(KeySlot.CARD_AUTHENTICATION)
        with pytest.raises(NotSupported):
            session.begin_mutual(bytes(admin_key.MUTUAL_BYTES))
    proving = issued.card_authentication
    assert is_valid(on_record(proving, "9E"), b"nonce", signature)
    assert proving is not None
    assert certificate == proving.certificate


@of_each(GIDS)
def test_a_gids_card_proves_itself_with_its_administrator_key(
    bench: Bench, kind: Kind
) -> None:
    issued = kind.make()
    card = bench.put(issued)
    entropy = SeededEntropy(7)
    ours = entropy.bytes(admin_key.MUTUAL_BYTES)
    with card.session(issued.identity) as session, Secret(ADMIN_KEY) as key:
        cards = session.begin_mutual(ours)
        answered = session.end_mutual(admin_key.prove(key, ours, cards, entropy))
        assert admin_key.is_proven(key, ours, cards, answered)
        with pytest.raises(ObjectMissing):
            session.sign(KeySlot.CARD_AUTHENTICATION, kind.algorithm, b"nonce")


# --- tries ---------------------------------------------------------------------------


@of_each(VARIANTS)
def test_wrong_pins_count_down_to_blocked(bench: Bench, kind: Kind) -> None:
    issued = kind.make()
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        for left in range(kind.pin_tries - 1, 0, -1):
            with pytest.raises(WrongPin) as caught:
                session.verify(Secret(b"000000"))
            assert caught.value.tries_left == left
            assert session.tries().left == left
        for _ in range(2):
            with pytest.raises(PinBlocked):
                session.verify(Secret(b"000000"))
        assert session.tries().is_blocked
    assert card.recognise().pin_tries.is_blocked


@of_each(VARIANTS)
def test_the_puk_unblocks(bench: Bench, kind: Kind) -> None:
    issued = kind.make()
    issued.card.set_tries(pin=0)
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        with pytest.raises(WrongPuk) as caught:
            session.unblock(Secret(b"00000000"), Secret(NEW))
        assert caught.value.tries_left == 2
        session.unblock(Secret(PUK), Secret(NEW))
        session.verify(Secret(NEW))
    assert card.recognise().pin_tries.left == kind.pin_tries


@of_each(VARIANTS)
def test_a_used_up_puk_says_so(bench: Bench, kind: Kind) -> None:
    issued = kind.make()
    issued.card.set_tries(pin=0, puk=0)
    card = bench.put(issued)
    with card.session(issued.identity) as session, pytest.raises(PukBlocked):
        session.unblock(Secret(PUK), Secret(NEW))


@of_each(VARIANTS)
def test_a_puk_that_was_used_up_elsewhere_changes_nothing(
    bench: Bench, kind: Kind
) -> None:
    issued = kind.make()
    issued.card.set_tries(pin=0)
    card = bench.put(issued)
    card.recognise()
    bench.spoil(PukUsedUp(at=3))
    with card.session(issued.identity) as session, pytest.raises(PukBlocked):
        session.unblock(Secret(PUK), Secret(NEW))
    assert issued.card.has_pin(PIN)


@of_each(PIV_VARIANTS)
def test_the_puk_of_a_piv_card_is_replaced(bench: Bench, kind: Kind) -> None:
    issued = kind.make()
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        session.change_puk(Secret(PUK), Secret(b"86427531"))
    assert issued.card.has_puk(b"86427531")
    issued.card.set_tries(puk=0)
    with card.session(issued.identity) as session, pytest.raises(PukBlocked):
        session.change_puk(Secret(b"86427531"), Secret(PUK))


@of_each(GIDS)
def test_the_puk_of_a_gids_card_cannot_be_replaced_with_itself(
    bench: Bench, kind: Kind
) -> None:
    issued = kind.make()
    card = bench.put(issued)
    with card.session(issued.identity) as session, pytest.raises(NotSupported):
        session.change_puk(Secret(PUK), Secret(b"86427531"))
    assert issued.card.has_puk(PUK)


def test_a_gids_card_without_a_puk_is_unblocked_by_its_key_only(bench: Bench) -> None:
    issued = make_gids(puk=b"")
    issued.card.set_tries(pin=0)
    card = bench.put(issued)
    assert not card.recognise().has_puk
    with card.session(issued.identity) as session, Secret(ADMIN_KEY) as key:
        with pytest.raises(NotSupported):
            session.unblock(Secret(PUK), Secret(NEW))
        response = admin_key.answer(key, session.challenge())
        session.answer(response, Secret(NEW))
        session.verify(Secret(NEW))
    assert card.recognise().pin_tries.left == 3


@of_each(GIDS)
def test_a_wrong_answer_of_the_administrator_key_sets_no_pin(
    bench: Bench, kind: Kind
) -> None:
    issued = kind.make()
    issued.card.set_tries(pin=0)
    card = bench.put(issued)
    with card.session(issued.identity) as session:
        session.challenge()
        with pytest.raises(WrongAdminKey):
            session.answer(bytes(8), Secret(NEW))
    assert issued.card.has_pin(PIN)
    assert card.recognise().pin_tries.is_blocked


@of_each(PIV)
def test_a_piv_card_has_no_administrator_key(bench: Bench, kind: Kind) -> None:
    issued = kind.make()
    card = bench.put(issued)
    assert not card.recognise().has_admin_key
    with card.session(issued.identity) as session, pytest.raises(NotSupported):
        session.challenge()


@pytest.mark.parametrize(
    ("make", "refused"),
    [(lambda: make_piv(of_variant(Variant.A)), b"1234"), (make_gids, b"123")],
    ids=["piv", "gids"],
)
def test_a_new_pin_that_the_card_refuses_changes_nothing(
    bench: Bench, make: Callable[[], AnyMade], refused: bytes
) -> None:
    issued = make()
    before = issued.card.pin_tries_left
    card = bench.put(issued)
    with card.session(issued.identity) as session, pytest.raises(PinRefused):
        session.change_pin(Secret(PIN), Secret(refused))
    assert issued.card.has_pin(PIN)
    assert issued.card.pin_tries_left == before


# --- faults --------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [PullBefore, PullAfter])
@pytest.mark.parametrize("at", [1, 3, "change"])
@of_each(FAMILIES)
def test_a_card_pulled_in_the_middle_is_removed(
    bench: Bench,
    kind: Kind,
    fault: type[PullBefore] | type[PullAfter],
    at: int | str,
) -> None:
    issued = kind.make()
    card = bench.put(issued)
    card.recognise()
    number = at if isinstance(at, int) else kind.changes_at
    bench.spoil(fault(at=number))

    def change() -> None:
        with card.session(issued.identity) as session:
            visit(session, kind.algorithm)

    with pytest.raises(CardRemoved):
        change()
    assert bench.watch.until(CardLeft) == CardLeft(card.insertion)
    assert issued.card.has_pin(NEW) is (fault is PullAfter and at == "change")
    assert not issued.card.is_verified


@of_each(FAMILIES)
def test_a_card_that_took_the_place_of_another_is_not_given_its_pin(
    bench: Bench, kind: Kind
) -> None:
    issued, second = kind.make(), kind.make()
    card = bench.put(issued)
    card.recognise()
    bench.put_ready("second", second.card)
    bench.spoil(Swap(at=kind.changes_at, card="second"))

    def change() -> None:
        with card.session(issued.identity) as session:
            visit(session, kind.algorithm)

    with pytest.raises(CardRemoved):
        change()
    assert bench.watch.until(CardLeft) == CardLeft(card.insertion)
    assert bench.watch.card().insertion != card.insertion
    for each in (issued, second):
        assert each.card.has_pin(PIN)
        assert each.card.pin_tries_left == kind.pin_tries


@pytest.mark.parametrize("fault", [Garbage, Endless])
@of_each(FAMILIES)
def test_garbage_means_nothing_and_costs_no_try(
    bench: Bench, kind: Kind, fault: type[Garbage] | type[Endless]
) -> None:
    issued = kind.make()
    card = bench.put(issued)
    bench.spoil(*(fault(at=at) for at in range(2, 12)))
    with pytest.raises(MalformedAnswer):
        card.recognise()
    bench.spoil()
    assert card.recognise().pin_tries.left == kind.pin_tries


@of_each(FAMILIES)
def test_a_command_that_compares_is_never_sent_again(bench: Bench, kind: Kind) -> None:
    issued = kind.make()
    card = bench.put(issued)
    bench.spoil(WrongStatus(ins=0x20, sw=0x6C08))
    with card.session(issued.identity) as session:
        before = len(issued.card.commands)
        with pytest.raises(UnexpectedStatus):
            session.verify(Secret(PIN))
        assert len(issued.card.commands) == before
