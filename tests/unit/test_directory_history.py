"""The directory's own history: honoured when it can be, announced when it cannot."""

from __future__ import annotations

import dataclasses

import pytest
from lab.histories import NEW, OLD, STORIES, History
from msgspec.structs import replace

from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.directory.errors import WriteRefused
from kiosk.directory.values import PasswordPolicy, Semantics, WriteRefusal
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.on_record import last_sync
from kiosk.simulation.world import World
from kiosk.visit.by_kind import NotOffered
from kiosk.visit.views import Outcome, Result
from statemachine.operation import Kind
from storage.records import Sync
from storage.registry import Tx

CHANGE, UNBLOCK, FINISH = STORIES[0], STORIES[3], STORIES[4]
DAY = 86_400.0
THIRD = b"926535"


def honouring(history: History, *, supported: bool) -> History:
    """Let the template want the history honoured, and the DCs be able to or not."""

    def change(tx: Tx) -> None:
        template = replace(tx.template("staff"), honour_directory_history=True)
        saved = tx.save_template(template)
        credential = tx.credential(history.holder.credential)
        tx.save_credential(replace(credential, template_version=saved.version))

    history.world.registry.run(change)
    history.domain._state.policy_hints = supported
    return history


def once_had(history: History, *passwords: bytes) -> History:
    """Let the account have had these passwords before its present one."""
    for password in (*passwords, OLD):
        with Secret(password) as secret:
            history.domain.change_elsewhere(history.holder.account_guid, secret)
    _believe(history, Sync.IN_STEP)
    return history


def _believe(history: History, sync: Sync) -> None:
    """Let the registry know of what was changed elsewhere."""

    def save(tx: Tx) -> None:
        credential = tx.credential(history.holder.credential)
        account = history.domain.account(credential.account_guid)
        last = last_sync(account, dc="dc1.ad.test", at=history.world.clock.now())
        tx.save_credential(replace(credential, sync=sync, last_sync=last))

    history.world.registry.run(save)


def semantics(history: History) -> list[tuple[str, str]]:
    """Return what mark and receipt of each write say was asked."""
    return [
        (event.kind, event.data["semantics"])
        for event in history.world.registry.audit_events()
        if "semantics" in event.data
    ]


def said(result: Result | None) -> set[str]:
    assert result is not None
    return {result.headline.key, *(fact.key for fact in result.facts)}


def notices(history: History) -> set[str]:
    """Insert the card and return what is said before anything is typed."""
    history.world.readers.pull()
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    return {notice.key for notice in visit.recognise().notices}


# --- it can be honoured --------------------------------------------------------------


def test_a_pin_that_the_password_once_was_is_refused_and_the_card_put_back() -> None:
    history = once_had(honouring(History(CHANGE), supported=True), NEW)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.ROLLED_BACK
    assert "directory.refusal.policy" in said(result)
    assert history.card_pin() == OLD
    assert semantics(history) == [("operation.writing", "policy hints")]


def test_one_that_it_never_was_is_taken_and_the_receipt_says_how() -> None:
    history = once_had(honouring(History(CHANGE), supported=True), THIRD)
    assert notices(history) == set()
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert "notice.history_unchecked" not in said(result)
    assert semantics(history) == [
        ("operation.writing", "policy hints"),
        ("operation.done", "policy hints"),
    ]


def test_unless_the_template_wants_it_a_reset_is_a_reset() -> None:
    history = once_had(History(CHANGE), NEW)
    history.domain._state.policy_hints = True
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert {how for _, how in semantics(history)} == {"reset"}


# --- it cannot -----------------------------------------------------------------------


def test_where_it_cannot_be_honoured_that_is_said_before_and_after() -> None:
    history = once_had(honouring(History(CHANGE), supported=False), NEW)
    assert "notice.history_unchecked" in notices(history)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert "notice.history_unchecked" in said(result)
    assert {how for _, how in semantics(history)} == {"reset, history not enforced"}


def test_what_was_promised_before_the_card_changed_is_kept_or_taken_back() -> None:
    """Another DC than was asked first may answer when the password is written."""
    history = once_had(honouring(History(CHANGE), supported=True), NEW)

    def spoil(world: World) -> None:
        def the_other_answers() -> None:
            history.domain._state.policy_hints = False

        world.authority.before("write", the_other_answers)

    result = history.attempt(spoil)
    assert result is not None
    assert result.outcome is Outcome.ROLLED_BACK
    assert "reason.history_unchecked" in said(result)
    assert history.card_pin() == OLD
    assert history.domain.writes == []


# --- the minimum age -----------------------------------------------------------------


def aged(history: History, minimum: float) -> History:
    history.domain.policy = dataclasses.replace(
        history.domain.policy, minimum_age=minimum
    )
    return history


@pytest.mark.parametrize("story", [CHANGE, UNBLOCK], ids=lambda story: story.name)
def test_a_password_that_is_too_young_stops_everything_before_the_card(
    story: object,
) -> None:
    history = aged(honouring(History(story), supported=True), DAY)  # type: ignore[arg-type]  # a Story
    assert history.why_not(history.story.kind) == "stop.password_too_young"
    with pytest.raises(NotOffered):
        history.attempt()
    history.world.clock.sleep(DAY)
    assert history.why_not(history.story.kind) == ""


def test_how_long_it_takes_is_said_in_hours_and_never_too_early() -> None:
    history = aged(honouring(History(CHANGE), supported=True), DAY)
    history.world.clock.sleep(DAY - 3601.0)
    history.world.readers.pull()
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    reasons = [each.reason for each in visit.recognise().actions if each.reason]
    assert {"hours": 2} in [reason.data for reason in reasons]


def test_a_password_that_must_be_changed_is_never_too_young() -> None:
    history = aged(honouring(History(CHANGE), supported=True), DAY)
    history.domain.change_account(history.holder.account_guid, pwd_last_set=0)
    assert history.why_not(Kind.CHANGE) == ""


@pytest.mark.parametrize("supported", [True, False])
def test_a_plain_reset_asks_no_age(supported: bool) -> None:
    history = aged(History(CHANGE), DAY)
    history.domain._state.policy_hints = supported
    assert history.why_not(Kind.CHANGE) == ""
    unable = aged(honouring(History(CHANGE), supported=False), DAY)
    assert unable.why_not(Kind.CHANGE) == ""


# --- a finish brings back what was there, whatever the history and the age say --------


@pytest.mark.parametrize("supported", [True, False])
def test_a_finish_asks_no_history_and_no_age(supported: bool) -> None:
    history = aged(honouring(History(FINISH), supported=supported), DAY)
    with Secret(OLD) as secret, Secret(THIRD) as theirs:
        for password in (secret, theirs):
            history.domain.change_elsewhere(history.holder.account_guid, password)
    assert history.home_screen() is Kind.FINISH
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert "notice.history_unchecked" not in said(result)
    assert {how for _, how in semantics(history)} == {"reset"}


def test_another_pin_still_waits_for_its_age() -> None:
    history = aged(honouring(History(FINISH), supported=True), DAY)
    assert history.why_not(Kind.CHANGE) == "stop.password_too_young"
    assert history.why_not(Kind.FINISH) == ""


# --- the simulated domain ------------------------------------------------------------

POLICY = PasswordPolicy(
    source="domain",
    minimum_length=6,
    complexity=False,
    history=3,
    minimum_age=0.0,
    maximum_age=None,
    lockout_threshold=0,
)


def set_to(domain: SimulatedDirectory, guid: str, password: bytes) -> str:
    """Set a password under policy hints; return `taken` or why it was not."""
    with domain.connect() as dc, Secret(password) as new:
        try:
            dc.set_password(dc.account(guid), new, Semantics.POLICY_HINTS)
        except WriteRefused as refused:
            return refused.why
        return "taken"


def test_the_simulated_domain_remembers_as_many_as_its_policy_says() -> None:
    world = World()
    domain = SimulatedDirectory(
        world.clock, SeededEntropy(1), policy=POLICY, policy_hints=True
    )
    guid = domain.add_account("ann", password=Secret(b"first-0"))
    values = (b"first-0", b"second-0", b"third-0", b"first-0", b"fourth-0", b"first-0")
    told = [set_to(domain, guid, value) for value in values]
    refused = WriteRefusal.POLICY.value
    assert told == [refused, "taken", "taken", refused, "taken", "taken"]


def test_the_simulated_domain_asks_the_age_too() -> None:
    world = World()
    domain = SimulatedDirectory(
        world.clock,
        SeededEntropy(1),
        policy=dataclasses.replace(POLICY, minimum_age=DAY),
        policy_hints=True,
    )
    guid = domain.add_account("ann", password=Secret(b"first-0"))
    assert set_to(domain, guid, b"second-0") == WriteRefusal.POLICY.value
    world.clock.sleep(DAY)
    assert set_to(domain, guid, b"second-0") == "taken"
