"""Codes over the phone: readable, checked before they count, used once."""

from __future__ import annotations

import pytest
from lab.histories import STORIES, History

from kiosk.authority import approvals
from kiosk.authority.codes import (
    DIGITS,
    check_digit,
    grouped,
    is_well_formed,
    keyed_digest,
    new_code,
    normalised,
)
from kiosk.authority.ports import CardLimits, CodeMistyped, CodeRefused, Prepared
from kiosk.entropy import SeededEntropy
from kiosk.pinrules import Alphabet
from kiosk.secret import Secret
from statemachine.operation import Kind
from storage.records import ApprovalKind

UNBLOCK = next(story for story in STORIES if story.kind is Kind.UNBLOCK)
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


# --- redeeming ----------------------------------------------------------------


@pytest.fixture
def history() -> History:
    return History(UNBLOCK)


def prepare(history: History) -> Prepared:
    return history.world.authority.port.prepare(
        *(history.holder.credential, Kind.UNBLOCK, "kiosk-1", LIMITS),
        history.announced(LIMITS),
    )


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
    prepared, code = prepare(history), history.world.release_code("alice")
    left = []
    for _ in range(approvals.WRONG_ENTRIES):
        with pytest.raises(CodeRefused) as refused:
            redeem(history, prepared, wrong_but_well_formed(code))
        left.append(refused.value.entries_left)
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(CodeRefused):
        redeem(history, prepared, code)


def test_a_code_expires(history: History) -> None:
    prepared, code = prepare(history), history.world.release_code("alice")
    history.world.clock.sleep(approvals.RELEASE_SECONDS)
    with pytest.raises(CodeRefused):
        redeem(history, prepared, code)


def test_a_newer_code_makes_the_older_void(history: History) -> None:
    prepared, older = prepare(history), history.world.release_code("alice")
    newer = history.world.release_code("alice")
    with pytest.raises(CodeRefused):
        redeem(history, prepared, older)
    redeem(history, prepared, newer)


def test_a_release_code_is_no_activation_code(history: History) -> None:
    prepared, code = prepare(history), history.world.release_code("alice")
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
        redeem(history, prepare(history), code)
