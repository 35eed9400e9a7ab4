"""What somebody reads at the end: what is true, what to do, and what may be tried."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NoReturn, cast

import pytest
from lab.histories import NEW, History
from lab.liar import named
from msgspec.structs import replace

from kiosk import texts
from kiosk.authority.errors import AuthorityBusy, CodeRefused, Refused, RulesBroken
from kiosk.authority.values import Offer, OpenedCredential, Verdict, WriteVerdict
from kiosk.cards.errors import (
    CardMute,
    CardRemoved,
    PinBlocked,
    PukBlocked,
    WrongPin,
    WrongPuk,
)
from kiosk.cards.values import Tries
from kiosk.core.errors import Message
from kiosk.simulation.world import World
from kiosk.visit import results
from kiosk.visit.run import Run
from kiosk.visit.views import Outcome, Result
from statemachine.operation import Kind
from storage.registry import Tx

SAID = Message("result.fact.puk_due")
WHY = Message("condition.disabled")
REASON = Message("directory.refusal.policy", {"code": "0000052D"})
WARNING = Message("notice.history_unchecked")
TAKE, HELPDESK = "result.advice.take_card", "result.advice.helpdesk"
STAYS_OUT = ["result.advice.insert_again", HELPDESK]


def run(
    why_not: Message | None = None, *, writing: bool = False, is_taken: bool = False
) -> Run:
    """An operation of a card with three tries, which has something to say besides."""
    recognised = SimpleNamespace(pin_tries=Tries(3, 5))
    prepared = SimpleNamespace(why_not=why_not)
    return cast(
        "Run",
        SimpleNamespace(
            recognised=recognised,
            prepared=prepared,
            said=(SAID,),
            event="1234-5678",
            writing=writing,
            is_taken=is_taken,
        ),
    )


def facts(result: Result) -> list[str]:
    assert result.event == "1234-5678"
    assert SAID in result.facts, "what was to be said besides is left out"
    return [each.key for each in result.facts if each != SAID]


def advice(result: Result) -> list[str]:
    return [each.key for each in result.advice]


def verdict(which: Verdict, *, another: bool = False) -> WriteVerdict:
    return WriteVerdict(
        verdict=which,
        reason=None if which is Verdict.DONE else REASON,
        dc="dc1",
        warnings=(WARNING,) if which is Verdict.DONE else (),
        may_choose_another=another,
    )


# --- nothing changed ------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "again", "tries", "says"),
    [
        (WrongPin(2), True, Tries(2, 5), []),
        (WrongPin(1), False, Tries(1, 5), [HELPDESK]),
        (WrongPin(-1), False, Tries(None, 5), [HELPDESK]),
        (WrongPuk(2), True, Tries(3, 5), []),
        (WrongPuk(1), False, Tries(3, 5), [HELPDESK]),
        (PinBlocked(), False, Tries(3, 5), [HELPDESK]),
        (PukBlocked(), False, Tries(3, 5), [HELPDESK]),
        (CodeRefused(1), True, Tries(3, 5), []),
        (CodeRefused(0), False, Tries(3, 5), [HELPDESK]),
        (CardMute(), True, Tries(3, 5), []),
        (CardRemoved(), False, Tries(3, 5), []),
    ],
    ids=repr,
)
def test_what_may_be_tried_again_and_who_helps_where_it_may_not(
    error: Exception, *, again: bool, tries: Tries, says: list[str]
) -> None:
    result = results.refused(run(), Kind.UNBLOCK, error)
    assert result.outcome is Outcome.REFUSED
    assert facts(result) == ["result.fact.nothing_changed"]
    assert (result.again is Kind.UNBLOCK) is again
    assert result.tries == tries
    assert advice(result) == says


@pytest.mark.parametrize("may_change", [True, False])
def test_a_pin_that_breaks_a_rule_is_finished_with_no_second_time(
    *, may_change: bool
) -> None:
    """Nor is a change offered that may not be: a password can be too young for it."""
    offers = (
        Offer(kind=Kind.FINISH, allowed=True),
        Offer(kind=Kind.CHANGE, allowed=may_change),
    )
    finishing = run()
    finishing.case = cast("OpenedCredential", SimpleNamespace(offers=offers))
    result = results.refused(finishing, Kind.FINISH, RulesBroken())
    assert result.again is (Kind.CHANGE if may_change else None)
    assert advice(result) == [
        "result.advice.change_or_retype" if may_change else HELPDESK
    ]
    assert result.is_another is may_change


# --- something changed ----------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "card"), [(Kind.CHANGE, "card_changed"), (Kind.FINISH, "card_unchanged")]
)
def test_done_names_the_controller_and_every_warning(kind: Kind, card: str) -> None:
    result = results.written(run(), kind, verdict(Verdict.DONE))
    assert result.outcome is Outcome.DONE
    assert facts(result) == [
        f"result.fact.{card}",
        "result.fact.password_changed",
        WARNING.key,
    ]
    assert result.facts[1].data == {"dc": "dc1"}
    assert advice(result) == [TAKE, "result.advice.other_devices"]


@pytest.mark.parametrize("why", [WHY, None])
def test_the_card_alone_says_why_the_password_stays(why: Message | None) -> None:
    result = results.card_only(run(why), Kind.CHANGE)
    assert result.outcome is Outcome.CARD_ONLY
    assert facts(result) == [
        "result.fact.card_changed",
        "result.fact.password_unchanged",
        *([] if why is None else [why.key]),
    ]
    assert advice(result) == [TAKE, "result.advice.old_password_stays"]


@pytest.mark.parametrize("another", [True, False])
def test_a_way_back_says_what_the_directory_said(*, another: bool) -> None:
    told = verdict(Verdict.REFUSED, another=another)
    result = results.rolled_back(run(), Kind.CHANGE, told, is_noted=True)
    assert result.outcome is Outcome.ROLLED_BACK
    assert facts(result) == [
        REASON.key,
        "result.fact.card_restored",
        "result.fact.password_unchanged",
    ]
    assert advice(result) == ["result.advice.choose_another" if another else HELPDESK]
    assert result.again is (Kind.CHANGE if another else None)


@pytest.mark.parametrize("another", [True, False])
@pytest.mark.parametrize(
    ("kind", "card"), [(Kind.UNBLOCK, "card_changed"), (Kind.FINISH, "card_unchanged")]
)
def test_out_of_step_says_what_the_card_has_and_what_may_be_chosen(
    kind: Kind, card: str, *, another: bool
) -> None:
    """Where another PIN may be chosen, it is a change: the card has one that works."""
    told = verdict(Verdict.OUT_OF_STEP, another=another)
    result = results.written(run(), kind, told)
    assert result.outcome is Outcome.OUT_OF_STEP
    assert facts(result) == [f"result.fact.{card}", REASON.key]
    chosen = ["result.advice.choose_another"]
    assert advice(result) == (chosen if another else STAYS_OUT)
    assert result.again is (Kind.CHANGE if another else None)


def test_what_broke_says_what_is_not_known() -> None:
    error = CardRemoved()
    writing = run(is_taken=True, writing=True)
    uncertain, changed, unchanged, password = (
        f"result.fact.{it}"
        for it in (
            "card_uncertain",
            "card_changed",
            "card_unchanged",
            "password_unchanged",
        )
    )
    broken = [
        (results.interrupted(run(), error), [uncertain, password]),
        (results.interrupted(run(is_taken=True), error), [changed, password]),
        (results.interrupted(writing, error), [changed]),
        (results.finish_interrupted(run(), error), [unchanged]),
    ]
    for result, known in broken:
        assert result.outcome is Outcome.OUT_OF_STEP
        assert facts(result) == [*known, "card.removed"]
        assert advice(result) == STAYS_OUT
        assert result.again is None


def test_an_earlier_pin_that_the_card_already_has_is_named_and_another_is_chosen() -> (
    None
):
    """A card that was unblocked has it: only the authority knows earlier PINs."""
    history = History(named("change"))
    policy = history.world.registry.read(lambda it: it.template("staff")).pin_policy
    keeps_three = replace(policy, history=3)

    def take_on(tx: Tx) -> None:
        kept = tx.save_template(replace(tx.template("staff"), pin_policy=keeps_three))
        credential = tx.credential(history.holder.credential)
        tx.save_credential(replace(credential, template_version=kept.version))

    history.world.registry.run(take_on)
    assert history.visit_with(history.card_pin(), NEW) == Outcome.DONE
    history.world.clock.sleep(600.0)
    history.holder.made.card.set_tries(pin=0)
    history._next_pin = lambda: NEW  # type: ignore[method-assign]  # what is typed
    result = history._visit(Kind.UNBLOCK)
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    assert [each.key for each in result.facts] == [
        "result.fact.card_changed",
        "result.fact.password_unchanged",
        "result.fact.earlier_pin",
    ]
    assert advice(result) == ["result.advice.choose_another"]
    assert result.again is Kind.CHANGE


NOT_OF_VISITS = frozenset(
    f"authority.{it}"
    for it in (
        "station_key_unusable",
        "token_refused",
        "token_expired",
        "token_for_another",
    )
)
"""A station's enrollment ends with them, and nothing was changed before."""
REGISTRY = frozenset({"registry.error", "registry.full", "registry.locked"})
"""Of the registry's, those that a commit in the middle may end with."""


def test_no_error_says_that_nothing_was_changed() -> None:
    """The result does, where it knows. The same error may come after a change."""
    stands = [
        key
        for key, sentence in texts.english().items()
        if key.split(".")[0] in ("authority", "card") or key in REGISTRY
        if key not in NOT_OF_VISITS
        if "Nothing was changed" in sentence
    ]
    assert stands == []


def test_a_way_back_that_nobody_has_heard_of_is_told_with_what_may_come_of_that() -> (
    None
):
    """The form is not shown again: nothing can be prepared, as things stand."""
    told = verdict(Verdict.REFUSED, another=True)
    result = results.rolled_back(run(), Kind.CHANGE, told, is_noted=False)
    assert result.outcome is Outcome.ROLLED_BACK
    assert facts(result)[-1] == "result.fact.not_noted"
    assert result.again is None


def test_a_way_back_that_failed_says_that() -> None:
    result = results.not_restored(run(), verdict(Verdict.REFUSED))
    assert result.outcome is Outcome.OUT_OF_STEP
    assert facts(result) == ["result.fact.not_restored", REASON.key]


def test_who_is_refused_and_cannot_be_shown_anything_newer_is_told_why() -> None:
    history = History(named("change"))

    def no() -> NoReturn:
        raise Refused(Message("stop.another_is_writing"))

    def busy() -> NoReturn:
        raise AuthorityBusy

    def arrange(world: World) -> None:
        world.authority.before("prepare", no)
        world.authority.before("open", busy)

    result = history.attempt(arrange)
    assert result is not None
    assert result.headline.key == "stop.another_is_writing"
    assert result.again is None
