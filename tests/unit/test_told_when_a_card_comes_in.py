"""What a holder is told before anything is chosen, each from its own cause alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab.histories import STORIES, History
from msgspec.structs import replace

from kiosk.authority.rules.in_step import newest, sets_between
from kiosk.authority.values import (
    CardLimits,
    OpenedCredential,
    OpenRequest,
    Seen,
    SeenMark,
)
from kiosk.pin.alphabet import Alphabet
from kiosk.simulation.domain_faults import DcDown
from statemachine.lifecycle import State
from storage.records import (
    FirstPin,
    Keyless,
    PinPolicy,
    Sync,
)
from storage.registry import Tx

LIMITS = CardLimits(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)
Arranged = Callable[[History], None]


def opened(*arranged: Arranged, tries_left: int | None = None) -> OpenedCredential:
    """What the authority says of Alice's card."""
    history = History(STORIES[0])
    for arrange in arranged:
        arrange(history)
    seen = history.seen(LIMITS)
    if tries_left is not None:
        history.holder.made.card.set_tries(pin=tries_left)
        seen = history.seen(LIMITS)
    request = OpenRequest(card=history.holder.made.identity.key, seen=seen)
    return history.world.authority.port.open(request)


def account(**flags: bool) -> Arranged:
    return lambda history: history.domain.change_account(
        history.holder.account_guid, **flags
    )


def template(**other: object) -> Arranged:
    def change(history: History) -> None:
        def save(tx: Tx) -> None:
            known = tx.credential(history.holder.credential)
            newest = tx.template(known.template, known.template_version)
            saved = tx.save_template(replace(newest, **other))
            tx.save_credential(replace(known, template_version=saved.version))

        history.world.registry.run(save)

    return change


def credential(**other: object) -> Arranged:
    def change(history: History) -> None:
        def save(tx: Tx) -> None:
            known = tx.credential(history.holder.credential)
            tx.save_credential(replace(known, **other))

        history.world.registry.run(save)

    return change


def away(history: History) -> None:
    history.domain.fail(DcDown())


CARD_ALONE = template(pin_policy=PinPolicy(update_ad_password=False))
TICK_IS_FINE = template(allow_smart_card_required=True)
KEYLESS = [
    template(keyless=Keyless.WITHOUT),
    credential(authentication_key=None, card_authentication_key=None, migrated=True),
]


def test_of_a_card_with_which_all_is_well_nothing_is_told() -> None:
    assert opened().notices == ()


@pytest.mark.parametrize(
    ("arranged", "told"),
    [
        ([account(locked=True)], "notice.account_locked"),
        (
            [TICK_IS_FINE, account(smart_card_required=True)],
            "notice.smart_card_required",
        ),
        (
            [template(honour_directory_history=True)],
            "notice.history_unchecked",
        ),
        (KEYLESS, "notice.keyless"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_concerns_the_password_is_told_where_it_follows(
    arranged: list[Arranged], told: str
) -> None:
    assert told in {each.key for each in opened(*arranged).notices}
    alone = {each.key for each in opened(*arranged, CARD_ALONE).notices}
    assert told not in alone
    assert "condition.policy_does_not_sync" in alone


@pytest.mark.parametrize(
    ("reason", "told"),
    [("", "reason.out_of_step"), ("reason.interrupted", "reason.interrupted")],
)
def test_who_is_out_of_step_is_told_why(reason: str, told: str) -> None:
    case = opened(credential(sync=Sync.OUT_OF_STEP, sync_reason=reason))
    assert told in {each.key for each in case.notices}


def test_what_nobody_could_look_at_is_not_said_to_be_in_step() -> None:
    assert "notice.in_step_unseen" in {each.key for each in opened(away).notices}


@pytest.mark.parametrize(("days", "is_expired"), [(91, True), (89, False)])
def test_whether_a_pin_has_expired_and_when(days: int, is_expired: bool) -> None:
    def later(history: History) -> None:
        history.world.clock.sleep(days * 86_400.0)

    case = opened(template(pin_policy=PinPolicy(expiry_days=90)), later)
    assert case.is_expired is is_expired
    assert case.expires_at is not None
    assert opened().expires_at is None


@pytest.mark.parametrize("first", FirstPin)
@pytest.mark.parametrize("state", [State.ISSUED, State.ACTIVE])
def test_a_code_is_asked_for_where_the_template_has_the_first_pin_by_one(
    first: FirstPin, state: State
) -> None:
    case = opened(
        template(first_pin=first),
        credential(state=state, sync=Sync.NEVER, pin_changed_at=None)
        if state is State.ISSUED
        else credential(),
    )
    by_code = first is FirstPin.ACTIVATION_CODE
    assert case.activation_code_needed is by_code
    assert case.never_activated is (by_code and state is State.ISSUED)


# --- how two looks stand to each other ------------------------------------------------


def shown(version: int | None, dc: str = "dc1", time: int = 1) -> Seen:
    mark = None
    if version is not None:
        mark = SeenMark(version=version, origin="o", usn=version)
    return Seen(dc=dc, pwd_last_set=time, mark=mark)


@pytest.mark.parametrize(
    ("known", "now", "sets"),
    [(4, 7, 3), (4, 4, 0), (4, None, None), (None, 4, None), (None, None, None)],
)
def test_how_often_it_was_set_is_read_or_not_known(
    known: int | None, now: int | None, sets: int | None
) -> None:
    assert sets_between(shown(known), shown(now)) == sets


def test_the_newer_of_two_looks_counts_and_of_equals_the_later_given() -> None:
    old, new, other = shown(4), shown(5), shown(5, dc="dc2")
    assert newest(old, new) is new
    assert newest(new, old) is new
    assert newest(new, other) is other
    assert newest(None, new) is newest(new, None) is new
    assert newest(None, None) is None
