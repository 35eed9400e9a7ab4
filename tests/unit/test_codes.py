"""Codes over the phone: readable, checked before they count, used once."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lab.cards.admin_key_person import ONLINE, Person
from lab.cards.puk_histories import PukHistory, PukStory, U
from lab.histories import STORIES, History
from lab.liar import Liar, named
from msgspec.structs import replace

from kiosk.authority.errors import CodeMistyped, CodeRefused, EntriesPaused, Refused
from kiosk.authority.escrow import approvals
from kiosk.authority.local import LocalAuthority
from kiosk.authority.operation import authorise
from kiosk.authority.operation.deadlines import Deadlines
from kiosk.authority.values import CardLimits, Prepared
from kiosk.core.entropy import SeededEntropy
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.codes import (
    DIGITS,
    check_digit,
    grouped,
    is_well_formed,
    keyed_digest,
    new_code,
    normalised,
)
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.interference import die
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Outcome
from statemachine.operation import Kind
from storage.records import ApprovalKind, Sync
from storage.registry import Tx

UNBLOCK = next(story for story in STORIES if story.kind is Kind.UNBLOCK)
CHANGE = next(story for story in STORIES if story.kind is Kind.CHANGE)
UNPROVEN = next(story for story in STORIES if story.name == "unblock, no 9E")
LIMITS = CardLimits(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)


def codes(count: int) -> list[Secret]:
    entropy = SeededEntropy(3)
    return [new_code(entropy) for _ in range(count)]


def test_a_code_is_nine_digits_in_three_groups() -> None:
    for code in codes(50):
        assert is_well_formed(code)
        assert len(grouped(code)) == 11
        assert grouped(code).replace(" ", "") == code.reveal().decode()


def test_the_check_digit_is_that_of_iso_7064() -> None:
    assert check_digit(b"0794") == 5


def test_every_single_wrong_digit_is_noticed() -> None:
    for code in codes(20):
        for at in range(DIGITS):
            for digit in b"0123456789":
                wrong = bytearray(code.reveal())
                if wrong[at] != digit:
                    wrong[at] = digit
                    assert not is_well_formed(Secret(wrong))


def test_blanks_and_dashes_do_not_matter() -> None:
    assert normalised(Secret(b"482 109-376")).reveal() == b"482109376"


def test_what_is_stored_tells_nothing_without_the_key() -> None:
    code = codes(1)[0]
    one = keyed_digest(code, salt=b"s" * 16, key=b"k" * 32)
    assert one != keyed_digest(code, salt=b"s" * 16, key=b"j" * 32)
    assert one != keyed_digest(code, salt=b"t" * 16, key=b"k" * 32)


@pytest.mark.usefixtures("hashes_as_shipped")
def test_what_is_stored_is_slow_to_guess() -> None:
    code = codes(1)[0]
    slow = hashlib.scrypt(code.reveal(), salt=b"s", n=2**14, r=8, p=1, dklen=32)
    stored = keyed_digest(code, salt=b"s", key=b"k" * 32)
    assert stored == hmac.digest(b"k" * 32, slow, "sha256")


# --- redeeming ----------------------------------------------------------------


@pytest.fixture
def history() -> History:
    return History(UNBLOCK)


def prepare(history: History) -> Prepared:
    return history.prepare(Kind.UNBLOCK, LIMITS)


def proven(history: History) -> Prepared:
    """An operation in which the card on record has shown its key."""
    prepared, port = prepare(history), history.world.authority.port
    challenge = port.challenge_presence(history.holder.credential)
    assert challenge is not None
    key = history.holder.made.card.keys[0x9E]
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(challenge.message, ec.ECDSA(hashes.SHA256()))
    port.prove_card(prepared.operation, challenge.nonce, signature)
    return prepared


def redeem(history: History, prepared: Prepared, code: Secret) -> None:
    history.world.authority.port.redeem(prepared.operation, ApprovalKind.RELEASE, code)


def wrong_but_well_formed(right: Secret) -> Secret:
    return next(code for code in codes(9) if not code.matches(right))


def test_a_code_is_redeemed_and_bound_to_its_operation(history: History) -> None:
    prepared = prepare(history)
    redeem(history, prepared, history.world.release_code("alice"))
    operation = history.world.registry.run(lambda tx: tx.operation(prepared.operation))
    assert len(operation.approvals) == 1


def test_a_misread_code_is_not_counted(history: History) -> None:
    prepared, code = prepare(history), history.world.release_code("alice")
    for _ in range(10):
        with pytest.raises(CodeMistyped):
            redeem(history, prepared, Secret(b"123456789"))
    redeem(history, prepared, code)


def test_five_wrong_entries_make_a_code_void(history: History) -> None:
    prepared, code = proven(history), history.world.release_code("alice")
    left = []
    for _ in range(approvals.WRONG_ENTRIES):
        with pytest.raises(CodeRefused) as refused:
            redeem(history, prepared, wrong_but_well_formed(code))
        left.append(refused.value.entries_left)
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(CodeRefused):
        redeem(history, prepared, code)


def test_a_code_expires(history: History) -> None:
    prepared, code = proven(history), history.world.release_code("alice")
    history.world.clock.sleep(approvals.RELEASE_SECONDS)
    with pytest.raises(CodeRefused):
        redeem(history, prepared, code)


def test_a_newer_code_makes_the_older_void(history: History) -> None:
    prepared, older = proven(history), history.world.release_code("alice")
    newer = history.world.release_code("alice")
    with pytest.raises(CodeRefused):
        redeem(history, prepared, older)
    redeem(history, prepared, newer)


def test_a_release_code_is_no_activation_code(history: History) -> None:
    prepared, code = proven(history), history.world.release_code("alice")
    with pytest.raises(CodeRefused):
        history.world.authority.port.redeem(
            prepared.operation, ApprovalKind.ACTIVATION, code
        )


def test_a_code_can_be_resumed_until_the_card_has_changed(history: History) -> None:
    code = history.world.release_code("alice")
    redeem(history, prepare(history), code.copy())
    redeem(history, prepare(history), code.copy())
    history.attempt()
    assert history.is_in_step()
    with pytest.raises(CodeRefused):
        redeem(history, proven(history), code)


def a_newer_one(world: World) -> None:
    world.release_code("alice").wipe()


def its_time_is_over(world: World) -> None:
    world.clock.sleep(approvals.RELEASE_SECONDS)


def a_restore(world: World) -> None:
    world.registry.distrust(station="s", now=world.clock.now())


VOID = [a_newer_one, its_time_is_over, a_restore]


@pytest.mark.parametrize("void", VOID)
def test_a_code_that_is_void_since_it_was_redeemed_opens_nothing(
    void: Callable[[World], None],
) -> None:
    """A helpdesk that gives another one, because of whoever has the first, is heard."""
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    world = liar.history.world
    liar.redeem(ApprovalKind.RELEASE, world.release_code("alice"))
    void(world)
    proof = liar.presence()
    with pytest.raises(Refused) as why:
        liar.port.release(liar.id, *proof, None)
    assert why.value.reason.key == "stop.code_first"
    kinds = {event.kind for event in world.registry.audit_events()}
    assert not kinds & {"escrow.released", "escrow.puk_sent"}


def test_a_code_opens_until_its_time_is_over() -> None:
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    world = liar.history.world
    liar.redeem(ApprovalKind.RELEASE, world.release_code("alice"))
    world.clock.sleep(approvals.RELEASE_SECONDS - 1.0)
    assert liar.port.release(liar.id, *liar.presence(), None).puk is not None


@pytest.mark.parametrize("void", VOID)
def test_a_code_that_is_void_since_the_first_puk_opens_no_second(
    void: Callable[[World], None],
) -> None:
    history = PukHistory(PukStory("not heard", (U, U)))
    history.visit(U, lambda world: world.authority.before("puk_replaced", die))
    liar = Liar(history, Kind.UNBLOCK)
    world = history.world
    liar.redeem(ApprovalKind.RELEASE, world.release_code("alice"))
    first = liar.port.release(liar.id, *liar.presence(), None).puk
    assert first is not None
    liar.port.puk_wrong(liar.id, first.label, 2)
    void(world)
    with pytest.raises(Refused) as why:
        liar.port.puk_next(liar.id, (first.label,), None)
    assert why.value.reason.key == "stop.code_first"


@pytest.mark.parametrize("step", ["admin_challenge", "admin_proof"])
@pytest.mark.parametrize("void", VOID)
def test_a_code_that_is_void_meanwhile_lets_no_administrator_key_answer(
    step: str, void: Callable[[World], None]
) -> None:
    person = Person(ONLINE)
    person.world.authority.before(step, lambda: void(person.world))
    result = person.unblock_online()
    assert result.headline.key == "stop.code_first"
    kinds = {event.kind for event in person.world.registry.audit_events()}
    assert "escrow.admin_key_used" not in kinds


def test_a_last_try_that_was_let_is_let_no_more_where_its_code_is_void() -> None:
    history = PukHistory(PukStory("last try", (U,)))
    history.keep(replace(history.escrow, left=1))
    liar = Liar(history, Kind.UNBLOCK)
    world, code = history.world, history.last_try_code("alice")
    liar.redeem(ApprovalKind.RELEASE, code)

    def is_let() -> bool:
        return world.registry.read(
            lambda view: approvals.released_last_try(view, view.operation(liar.id))
        )

    assert is_let()
    a_newer_one(world)
    assert not is_let()


def test_a_code_that_runs_out_while_the_card_is_changed_is_done_with_its_card() -> None:
    """Nothing leaves any more: the card has its PIN, and the password follows."""
    history = History(UNBLOCK)
    history.world.authority.before(
        "card_changed", lambda: history.world.clock.sleep(approvals.RELEASE_SECONDS)
    )
    history.attempt()
    assert history.is_in_step()


# --- beside a card that has proven nothing ------------------------------------------


def clone(history: History) -> MadeCard:
    """A card that says it is the holder's, and has none of its keys."""
    return make_card(
        history.world.entropy,
        subject="anybody",
        pin=b"271828",
        puk=b"12345678",
        guid=history.holder.made.identity.value,
    )


def at_kiosk(history: History, card: MadeCard, code: Secret, station: str) -> str:
    """Type a code beside a card; return how that ended."""
    history.world.readers.pull()
    card.card.set_tries(pin=0)
    visit = history.world.visit(history.world.readers.insert(card.card), station)
    visit.recognise()
    form = visit.begin(Kind.UNBLOCK)
    values = {FieldName.RELEASE_CODE: code, FieldName.NEW_PIN: Secret(b"314159")}
    return visit.submit(form, Answers(values), lambda step: None).headline.key


def test_wrong_codes_beside_a_clone_do_not_make_the_holders_code_void(
    history: History,
) -> None:
    code, copy = history.world.release_code("alice"), clone(history)
    for _ in range(3 * approvals.WRONG_ENTRIES):
        told = at_kiosk(history, copy, wrong_but_well_formed(code), "kiosk-2")
        assert told == "authority.proof_failed"
    assert at_kiosk(history, history.holder.made, code.copy(), "kiosk-1") == (
        "result.headline.unblock"
    )


def test_wrong_codes_beside_the_card_itself_count(history: History) -> None:
    code, card = history.world.release_code("alice"), history.holder.made
    for _ in range(approvals.WRONG_ENTRIES):
        told = at_kiosk(history, card, wrong_but_well_formed(code), "kiosk-1")
        assert told == "authority.code_refused"
    assert at_kiosk(history, card, code.copy(), "kiosk-1") == "authority.code_refused"


def test_what_is_sent_again_of_an_ended_operation_makes_no_later_code_void(
    history: History,
) -> None:
    """Who kept an old message sends it five times: the new code still works."""
    port = history.world.authority.port
    ended = proven(history)
    earlier = history.world.release_code("alice")
    redeem(history, ended, earlier.copy())
    port.refuse(ended.operation, Message("stop.cancelled"))
    later = history.world.release_code("alice")
    for _ in range(5):
        with pytest.raises(Refused):
            redeem(history, ended, earlier.copy())
    redeem(history, proven(history), later)


def test_beside_a_card_that_cannot_prove_itself_the_station_pauses() -> None:
    """Longer each time."""
    history = History(UNPROVEN)
    code = history.world.release_code("alice")
    prepared, pauses = prepare(history), []
    for _ in range(8):
        with pytest.raises((CodeRefused, EntriesPaused)) as refused:
            redeem(history, prepared, wrong_but_well_formed(code))
        if isinstance(refused.value, EntriesPaused):
            pauses.append(refused.value.data["seconds"])
            history.world.clock.sleep(float(pauses[-1]))
    assert pauses == [5, 10, 20]
    redeem(history, prepared, code)


def test_the_pause_holds_at_every_process_of_the_authority() -> None:
    """What one has counted, the others know, and so does one that has just begun."""
    history = History(UNPROVEN)
    code = history.world.release_code("alice")
    prepared, said = prepare(history), list[str]()
    for _ in range(4):
        another = LocalAuthority(
            dataclasses.replace(history.world.parts, fences=Deadlines()), "kiosk-1"
        )
        with pytest.raises((CodeRefused, EntriesPaused)) as refused:
            another.redeem(
                prepared.operation,
                ApprovalKind.RELEASE,
                wrong_but_well_formed(code),
            )
        said.append(refused.value.code)
    assert said == [*["authority.code_refused"] * 3, "authority.entries_paused"]


# --- under way elsewhere ------------------------------------------------------------


def test_a_clone_that_is_inserted_ends_nothing_elsewhere() -> None:
    history = History(CHANGE)
    copy, seen = clone(history), []

    def insert_copy() -> None:
        visit = history.world.visit(SimulatedReaders().insert(copy.card), "kiosk-2")
        home = visit.recognise()
        seen.append({each.reason.key for each in home.actions if each.reason})

    result = history.attempt(lambda world: world.authority.before("write", insert_copy))
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert "stop.another_is_writing" in seen[0]


def test_the_card_itself_ends_what_it_left_at_another_station() -> None:
    history = History(CHANGE)
    history.attempt(lambda world: world.authority.before("write", die))
    history.world.restart()
    history.world.readers.pull()
    card = history.world.readers.insert(history.holder.made.card)
    home = history.world.visit(card, "kiosk-2").recognise()
    assert home.sync is Sync.OUT_OF_STEP
    assert any(each.allowed for each in home.actions), "it need not wait"


def test_nothing_slow_happens_inside_a_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever waits for the registry does not wait for a slow hash."""
    history = History(UNBLOCK)

    def remember_five(tx: Tx) -> None:
        template = tx.template("staff")
        policy = replace(template.pin_policy, history=5)
        saved = tx.save_template(replace(template, pin_policy=policy))
        credential = tx.credential(history.holder.credential)
        tx.save_credential(replace(credential, template_version=saved.version))

    history.world.registry.run(remember_five)
    inside: list[str] = []
    depth = 0
    run = history.world.registry.run

    def counted(fn: Callable[[Tx], object]) -> object:
        nonlocal depth
        depth += 1
        try:
            return run(fn)
        finally:
            depth -= 1

    scrypt = hashlib.scrypt

    def watched(*args: Any, **named: Any) -> bytes:
        inside.append("inside" if depth else "outside")
        return scrypt(*args, **named)

    monkeypatch.setattr(history.world.registry, "run", counted)
    monkeypatch.setattr(hashlib, "scrypt", watched)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert set(inside) == {"outside"}


# --- a code that stands for a key ---------------------------------------------


def newer(world: World) -> None:
    world.release_code("alice")


def hour(world: World) -> None:
    world.clock.sleep(3_600.0)


@pytest.mark.parametrize("call", ["card_changed", "authorise"])
@pytest.mark.parametrize("becomes", [newer, hour])
def test_what_becomes_of_a_code_since_the_card_was_changed_by_it_changes_nothing(
    call: str, becomes: Callable[[World], None]
) -> None:
    history = History(named("unblock, keyless"))
    result = history.attempt(
        lambda world: world.authority.before(call, lambda: becomes(world))
    )
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert history.agrees()


def test_without_the_code_that_stands_for_a_key_nothing_is_said_of_the_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A station could ask on until it knows which PINs were earlier ones."""
    looked: list[object] = []
    monkeypatch.setattr(authorise, "_check_rules", lambda *told: looked.append(told))
    history = History(named("change, keyless"))
    history.attempt(
        lambda world: world.authority.before("authorise", lambda: newer(world))
    )
    assert looked == []


@pytest.mark.parametrize("becomes", [newer, hour])
def test_a_code_that_counts_no_more_stands_for_no_key(
    becomes: Callable[[World], None],
) -> None:
    """It is asked for again; no card is accused of a wrong signature."""
    history = History(named("change, keyless"))
    result = history.attempt(
        lambda world: world.authority.before("authorise", lambda: becomes(world))
    )
    assert result is not None
    assert result.headline.key == "stop.code_first"
    assert history.domain.writes == []
    kinds = [(it.kind, it.result) for it in history.world.registry.audit_events()]
    assert ("operation.refused", "stop.code_first") in kinds
    assert not any(each.startswith("operation.auth") for each, _ in kinds)
