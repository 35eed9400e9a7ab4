"""What the authority is asked by a station that skips, is old, or comes in between.

Each door is tried by itself, as no visit of ours does it; what was right a moment
before is judged as it is now.
"""

from __future__ import annotations

import pytest
from lab.histories import STORIES, History
from lab.liar import LIMITS, Liar, named
from msgspec.structs import replace

from kiosk.authority.errors import NotAsAnnounced, Refused
from kiosk.authority.local import LocalAuthority
from kiosk.authority.proof import seal, statement
from kiosk.authority.values import Announced, PrepareRequest, ToldSeen
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.simulation.domain_faults import AttributeHidden, DcDown, Frozen, WriteNo
from kiosk.simulation.interference import die
from kiosk.visit.views import Outcome
from statemachine.operation import Kind, Phase
from storage.records import PinPolicy, Sync
from storage.registry import Tx

CHANGE, FINISH = STORIES[0], STORIES[4]


def prepared(
    history: History, kind: Kind, station: str = "kiosk-1", **told: object
) -> None:
    """Prepare it as a station does that tells what it was told, or something else."""
    announced = replace(history.announced(LIMITS), **told)
    LocalAuthority(history.world.parts, station).prepare(
        PrepareRequest(
            credential=history.holder.credential,
            kind=kind,
            seen=history.seen(LIMITS),
            announced=announced,
        )
    )


def refusal(history: History, kind: Kind, station: str = "kiosk-1") -> str:
    with pytest.raises(Refused) as why:
        prepared(history, kind, station)
    return why.value.reason.key


def last(history: History) -> tuple[str, str]:
    event = list(history.world.registry.audit_events())[-1]
    return event.kind, event.result


# --- what may begin --------------------------------------------------------------


def test_a_pin_that_has_run_out_does_not_become_the_password_by_a_finish() -> None:
    history = History(FINISH)

    def ages(tx: Tx) -> None:
        policy = PinPolicy(expiry_days=1)
        saved = tx.save_template(replace(tx.template("staff"), pin_policy=policy))
        credential = tx.credential(history.holder.credential)
        now = history.world.clock.now()
        tx.save_credential(
            replace(credential, template_version=saved.version, pin_changed_at=now)
        )

    history.world.registry.run(ages)
    history.world.clock.sleep(2 * 86_400.0)
    assert refusal(history, Kind.FINISH) == "stop.pin_expired"
    assert last(history) == ("operation.not_opened", "stop.pin_expired")


def test_a_directory_that_is_gone_by_now_is_named_and_no_form_is_blamed() -> None:
    history = History(CHANGE)
    announced = history.announced(LIMITS)
    history.domain.fail(DcDown())
    request = PrepareRequest(
        credential=history.holder.credential,
        kind=Kind.CHANGE,
        seen=history.seen(LIMITS),
        announced=announced,
    )
    with pytest.raises(Refused) as why:
        history.world.authority.port.prepare(request)
    assert not isinstance(why.value, NotAsAnnounced)
    assert why.value.reason.key.startswith("directory.")


def test_what_another_station_is_at_is_refused_and_written_down() -> None:
    history = History(CHANGE)
    liar = Liar(history, Kind.CHANGE)
    assert refusal(history, Kind.CHANGE, "kiosk-2") == "stop.another_is_writing"
    assert last(history) == ("operation.not_opened", "stop.another_is_writing")
    assert liar.operation.phase is Phase.PREPARED, "it goes on"


def test_who_does_not_say_what_was_seen_overwrites_nobodys_password() -> None:
    """A station of an earlier version, whose form was shown before somebody set one."""
    history = History(CHANGE)
    announced: Announced = replace(history.announced(LIMITS), seen=None)
    with Secret(b"Helpdesk-4711") as theirs:
        history.domain.change_elsewhere(history.holder.account_guid, theirs)
    request = PrepareRequest(
        credential=history.holder.credential,
        kind=Kind.CHANGE,
        seen=history.seen(LIMITS),
        announced=announced,
    )
    with pytest.raises(NotAsAnnounced):
        history.world.authority.port.prepare(request)
    assert history.sync() is Sync.OUT_OF_STEP


def test_a_form_that_was_shown_beside_a_controller_that_lagged_blames_nobody() -> None:
    """What is there now is what we wrote last; somebody saw what was before."""
    history = History(CHANGE)
    assert history.attempt() is not None
    seen = history.announced(LIMITS).seen
    assert seen is not None
    assert seen.mark is not None
    older = replace(seen.mark, version=seen.mark.version - 1)
    lagging: ToldSeen = replace(seen, mark=older, pwd_last_set=seen.pwd_last_set - 9)
    with pytest.raises(NotAsAnnounced):
        prepared(history, Kind.CHANGE, seen=lagging)
    assert history.sync() is Sync.IN_STEP, "it is ours"


# --- the proof and the mark in one commit -------------------------------------------


def test_a_proof_that_comes_before_its_code_changes_no_card() -> None:
    """Who goes on at once is told no at once, and not that all is well."""
    history = History(named("activate by code"))
    liar = Liar(history, Kind.ACTIVATE)
    challenge = liar.prepared.challenge
    assert challenge is not None
    sealed = liar.sealed()
    message = statement.authorisation(challenge, seal.digest(sealed))
    with pytest.raises(Refused) as why:
        liar.port.authorise(
            liar.id,
            challenge.nonce,
            liar.signed(0x9A, message),
            sealed,
            going_on=True,
        )
    assert why.value.reason == Message("stop.code_first")
    assert liar.operation.phase is Phase.REFUSED


# --- what is kept after an end -------------------------------------------------------


def test_a_transport_pin_that_was_used_is_kept_no_longer() -> None:
    history = History(named("activate by code"))
    assert history.world.credential("alice").transport_pin_sealed
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert history.world.credential("alice").transport_pin_sealed == ""


def test_an_uncertain_write_from_before_the_last_sync_excuses_nobody() -> None:
    """It was finished since: what is set after that, and once, is somebody's."""
    history = History(CHANGE)
    history.domain.fail(Frozen(applied=False, stays=True))
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    history.come_home()
    assert history.is_in_step()
    history.world.authority.before("card_changing", die)
    history.world.authority.after("authorise", die)
    assert history.attempt() is None
    history.look()
    assert history.world.credential("alice").sync_reason == "reason.interrupted"
    with Secret(b"Helpdesk-4711") as theirs:
        history.domain.change_elsewhere(history.holder.account_guid, theirs)
    history.home_screen()
    assert history.world.credential("alice").sync_reason == "reason.changed_elsewhere"


def test_without_the_mark_and_a_write_of_ours_a_new_time_is_somebodys() -> None:
    """How often it was set is not known; that we have not is."""
    history = History(CHANGE)
    assert history.attempt() is not None
    history.world.authority.after("authorise", die)
    assert history.attempt() is None
    history.look()
    assert history.world.credential("alice").sync_reason == "reason.interrupted"
    with Secret(b"Helpdesk-4711") as theirs:
        history.domain.change_elsewhere(history.holder.account_guid, theirs)
    history.domain.fail(AttributeHidden())
    history.home_screen()
    assert history.world.credential("alice").sync_reason == "reason.changed_elsewhere"


# --- a write that may not be -------------------------------------------------------


def changed_card(history: History) -> tuple[Liar, bytes]:
    """A card that has its new PIN, and what was signed to be written."""
    liar = Liar(history, Kind.CHANGE)
    sealed = liar.sealed()
    liar.authorise(sealed)
    liar.port.card_changing(liar.id)
    liar.port.card_changed(liar.id, None)
    return liar, sealed


def test_what_was_written_is_not_written_again() -> None:
    history = History(CHANGE)
    liar, sealed = changed_card(history)
    liar.port.write(liar.id, sealed)
    with pytest.raises(Refused) as why:
        liar.port.write(liar.id, sealed)
    assert why.value.reason == Message("stop.operation_ended")
    assert len(history.domain.writes) == 1


def test_what_the_directory_refused_is_not_written_while_the_card_goes_back() -> None:
    history = History(CHANGE)
    liar, sealed = changed_card(history)
    history.domain.fail(WriteNo(why="policy"))
    assert liar.port.write(liar.id, sealed).roll_back
    with pytest.raises(Refused) as why:
        liar.port.write(liar.id, sealed)
    assert why.value.reason == Message("stop.operation_ended")
    assert liar.operation.phase is Phase.ROLLING_BACK
    assert history.domain.writes == []


def test_what_has_ended_is_not_written() -> None:
    history = History(CHANGE)
    liar, sealed = changed_card(history)
    liar.port.leave_out_of_step(liar.id, Message("reason.interrupted"))
    with pytest.raises(Refused) as why:
        liar.port.write(liar.id, sealed)
    assert why.value.reason == Message("stop.operation_ended")
    assert history.domain.writes == []
