"""One contract for every registry: what `storage.registry` promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from lab.registries import (
    IMPLEMENTATIONS,
    RunsTwice,
    approval,
    consume,
    credential,
    draft,
    nonce,
    operation,
)
from msgspec.structs import replace

from kiosk.authority.proof import heads
from statemachine.lifecycle import State
from storage import audit, checkpoints
from storage.checkpoints import LANE
from storage.errors import ChainBroken, DuplicateRecord, RecordMissing, VersionConflict
from storage.records import (
    AuditDraft,
    Credential,
    NoncePurpose,
    Repeat,
    Sync,
    Template,
)
from storage.registry import NONCES_KEPT_SECONDS, Registry, Tx
from storage.signed_note import NoteSigner


@pytest.fixture(params=IMPLEMENTATIONS)
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    made = IMPLEMENTATIONS[request.param](tmp_path)
    yield cast("Registry", RunsTwice(made))
    made.close()


def test_a_saved_credential_comes_back_with_its_version(registry: Registry) -> None:
    saved = registry.run(lambda tx: tx.save_credential(credential()))
    assert saved.version == 1
    assert registry.run(lambda tx: tx.credential("c1")) == saved


def test_a_missing_record_is_named(registry: Registry) -> None:
    with pytest.raises(RecordMissing) as missing:
        registry.run(lambda tx: tx.credential("nobody"))
    assert missing.value.data == {"kind": "credential", "key": "nobody"}


def test_the_second_of_two_writers_is_told(registry: Registry) -> None:
    first = registry.run(lambda tx: tx.save_credential(credential()))
    registry.run(lambda tx: tx.save_credential(replace(first, holder="one")))
    with pytest.raises(VersionConflict):
        registry.run(lambda tx: tx.save_credential(replace(first, holder="two")))
    assert registry.run(lambda tx: tx.credential("c1")).holder == "one"


def test_nothing_of_a_failed_transaction_remains(registry: Registry) -> None:
    def fail(tx: Tx) -> None:
        tx.save_credential(credential())
        tx.issue_nonce(nonce())
        tx.audit(AuditDraft(at=1.0, station="k1", kind="x", actor="a"))
        raise LookupError

    with pytest.raises(LookupError):
        registry.run(fail)
    assert registry.run(lambda tx: tx.credentials(limit=9)) == []
    assert not registry.run(consume)
    assert list(registry.audit_events()) == []


def test_a_transaction_sees_its_own_changes(registry: Registry) -> None:
    def change(tx: Tx) -> tuple[Credential | None, int, int]:
        tx.save_credential(credential())
        tx.save_operation(operation())
        return (
            tx.credential_by_card("piv:guid:01"),
            len(tx.live_operations("c1")),
            len(tx.credentials(account_guid="g1", limit=9)),
        )

    found, live, same_account = registry.run(change)
    assert found is not None
    assert (live, same_account) == (1, 1)


def test_a_card_belongs_to_one_credential_unless_retired(registry: Registry) -> None:
    first = registry.run(lambda tx: tx.save_credential(credential()))
    with pytest.raises(DuplicateRecord):
        registry.run(lambda tx: tx.save_credential(credential("c2")))
    registry.run(lambda tx: tx.save_credential(replace(first, state=State.RETIRED)))
    registry.run(lambda tx: tx.save_credential(credential("c2")))
    found = registry.run(lambda tx: tx.credential_by_card("piv:guid:01"))
    assert found is not None
    assert found.id == "c2"


def test_credentials_are_found_by_account_state_and_mark(registry: Registry) -> None:
    def fill(tx: Tx) -> None:
        tx.save_credential(credential("c1", "a", holder="Zoe"))
        tx.save_credential(credential("c2", "b", holder="Ann", state=State.BLOCKED))
        tx.save_credential(credential("c3", "c", sync=Sync.OUT_OF_STEP))
        tx.save_credential(credential("c4", "d", account_guid="g2"))

    registry.run(fill)

    def ids(**wanted: object) -> list[str]:
        found = registry.run(lambda tx: tx.credentials(**wanted, limit=9))  # type: ignore[arg-type]  # as the port has them
        return [each.id for each in found]

    assert ids() == ["c3", "c4", "c2", "c1"]
    assert ids(account_guid="g1") == ["c3", "c2", "c1"]
    assert ids(state=State.BLOCKED) == ["c2"]
    assert ids(sync=Sync.OUT_OF_STEP) == ["c3"]
    assert ids(account_guid="g2", sync=Sync.OUT_OF_STEP) == []


def test_a_nonce_is_consumed_once(registry: Registry) -> None:
    registry.run(lambda tx: tx.issue_nonce(nonce()))
    assert registry.run(consume)
    assert not registry.run(consume)


@pytest.mark.parametrize(
    "other",
    [
        {"purpose": NoncePurpose.PRESENCE},
        {"bound_to": "o2"},
        {"station": "k2"},
        {"now": 100.0},
    ],
)
def test_a_nonce_that_does_not_fit_is_refused_and_gone(
    registry: Registry, other: dict[str, object]
) -> None:
    registry.run(lambda tx: tx.issue_nonce(nonce()))
    assert not registry.run(lambda tx: consume(tx, **other))
    assert not registry.run(consume)


def test_a_nonce_is_never_issued_twice(registry: Registry) -> None:
    registry.run(lambda tx: tx.issue_nonce(nonce()))
    with pytest.raises(DuplicateRecord):
        registry.run(lambda tx: tx.issue_nonce(nonce()))


def test_outstanding_nonces_can_be_dropped(registry: Registry) -> None:
    registry.run(lambda tx: tx.issue_nonce(nonce(b"a" * 32, expires_at=10.0)))
    registry.run(lambda tx: tx.issue_nonce(nonce(b"b" * 32, expires_at=20.0)))
    assert registry.run(lambda tx: tx.drop_nonces(expired_before=10.0)) == 1
    assert registry.run(lambda tx: tx.drop_nonces()) == 1


def test_templates_keep_every_version(registry: Registry) -> None:
    first = registry.run(lambda tx: tx.save_template(Template(name="staff")))
    second = registry.run(
        lambda tx: tx.save_template(replace(first, self_service=False))
    )
    assert (first.version, second.version) == (1, 2)
    assert registry.run(lambda tx: tx.template("staff", 1)) == first
    assert registry.run(lambda tx: tx.template("staff")) == second
    assert registry.run(lambda tx: tx.templates(limit=9)) == [second]
    with pytest.raises(VersionConflict):
        registry.run(lambda tx: tx.save_template(first))
    with pytest.raises(RecordMissing):
        registry.run(lambda tx: tx.template("staff", 3))


def test_operations_are_found_by_credential_event_and_life(registry: Registry) -> None:
    first = registry.run(lambda tx: tx.save_operation(operation()))
    registry.run(lambda tx: tx.save_operation(replace(first, ended_at=1.0)))
    second = operation("o2", event="3333-4444", started_at=1.0)
    registry.run(lambda tx: tx.save_operation(second))
    of_card = registry.run(lambda tx: tx.operations("c1", limit=9))
    by_event = registry.run(lambda tx: tx.operation_by_event("3333-4444"))
    live = registry.run(lambda tx: tx.live_operations("c1"))
    assert [each.id for each in of_card] == ["o1", "o2"]
    assert by_event is not None
    assert by_event.id == "o2"
    assert [each.id for each in live] == ["o2"]


def test_approvals_come_newest_first(registry: Registry) -> None:
    registry.run(lambda tx: tx.save_approval(approval("a1", 1.0)))
    registry.run(lambda tx: tx.save_approval(approval("a2", 2.0)))
    found = registry.run(lambda tx: tx.approvals("c1", limit=9))
    assert [each.id for each in found] == ["a2", "a1"]


def test_each_station_has_a_chain_that_verifies(registry: Registry) -> None:
    for number in range(4):
        station = f"k{number % 2}"
        draft = AuditDraft(
            at=float(number), station=station, kind="x", actor="a", credential="c1"
        )
        registry.run(lambda tx, draft=draft: tx.audit(draft))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    events = list(registry.audit_events())
    assert audit.verify(events).is_sound
    lane = registry.lane_of("k1")
    assert [e.seq for e in registry.audit_events(lane=lane)] == [1, 2]


def test_a_second_live_operation_of_a_credential_is_refused(registry: Registry) -> None:
    first = registry.run(lambda tx: tx.save_operation(operation()))
    second = operation("o2", event="3333-4444")
    with pytest.raises(DuplicateRecord) as duplicate:
        registry.run(lambda tx: tx.save_operation(second))
    assert duplicate.value.data == {"kind": "live operation", "key": "c1"}

    def supersede(tx: Tx) -> None:
        tx.save_operation(replace(first, ended_at=1.0))
        tx.save_operation(second)

    registry.run(supersede)
    live = registry.run(lambda tx: tx.live_operations("c1"))
    assert [each.id for each in live] == ["o2"]
    assert registry.read(lambda view: view.unfinished()) == 1


def test_an_answer_is_remembered_once_by_station_and_key(registry: Registry) -> None:
    answer = Repeat(station="k1", key="call-1", request=b"d" * 32, answer="{}", at=5.0)
    registry.run(lambda tx: tx.save_repeat(answer))
    assert registry.read(lambda view: view.repeat("k1", "call-1")) == answer
    assert registry.read(lambda view: view.repeat("k2", "call-1")) is None
    with pytest.raises(DuplicateRecord):
        registry.run(lambda tx: tx.save_repeat(replace(answer, answer="other")))


def test_an_answer_is_not_remembered_without_its_effect(registry: Registry) -> None:
    answer = Repeat(station="k1", key="call-1", request=b"d" * 32, answer="{}", at=5.0)

    def fail(tx: Tx) -> None:
        tx.save_repeat(answer)
        raise LookupError

    with pytest.raises(LookupError):
        registry.run(fail)
    assert registry.read(lambda view: view.repeat("k1", "call-1")) is None


def test_what_nobody_can_use_any_more_is_swept(registry: Registry) -> None:
    def fill(tx: Tx) -> None:
        tx.issue_nonce(nonce(b"a" * 32, expires_at=10.0))
        tx.issue_nonce(nonce(b"n" * 32, expires_at=2e5))
        for key, at in (("old", 5.0), ("new", 1e5)):
            tx.save_repeat(
                Repeat(station="k1", key=key, request=b"d" * 32, answer="", at=at)
            )

    registry.run(fill)
    assert not registry.idle(1e5)
    assert registry.read(lambda view: view.repeat("k1", "old")) is None
    assert registry.read(lambda view: view.repeat("k1", "new")) is not None
    assert registry.run(lambda tx: tx.drop_nonces()) == 1


def test_what_has_ended_by_a_clock_that_is_ahead_is_still_taken_by_another(
    registry: Registry,
) -> None:
    registry.run(lambda tx: tx.issue_nonce(nonce()))
    registry.idle(nonce().expires_at + NONCES_KEPT_SECONDS - 1.0)
    assert registry.run(consume)


def test_the_last_link_of_every_chain_is_told(registry: Registry) -> None:
    assert registry.run(lambda tx: tx.heads()) == {}
    for station in ("k1", "k2", "k1"):
        draft = AuditDraft(at=1.0, station=station, kind="x", actor="a")
        registry.run(lambda tx, draft=draft: tx.audit(draft))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    last = {event.lane: event for event in registry.audit_events()}
    ends = {lane: audit.Head(event.seq, event.hash) for lane, event in last.items()}
    assert registry.run(lambda tx: tx.heads()) == ends
    assert ends.keys() == {registry.lane_of("k1"), registry.lane_of("k2")}


def test_the_last_link_is_told_by_its_number_and_not_by_its_time(
    registry: Registry,
) -> None:
    """A clock that was a year ahead dates what is first last; then it is corrected."""
    signer = NoteSigner("pin-kiosk/test", bytes(range(32)))
    assert registry.read(lambda view: view.last_event(LANE)) is None

    def newest() -> int:
        found = registry.read(lambda view: view.last_event(LANE))
        assert found == heads.newest(registry)
        ends = registry.read(lambda view: view.heads())
        assert ends[LANE] == audit.Head(found.seq, found.hash)
        return found.seq

    for number, at in enumerate((50e6, 20e6, 20e6 + 1, 20e6), 1):
        registry.run(lambda tx, at=at: checkpoints.sign(tx, signer, at))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        assert newest() == number
        for _ in range(10):
            registry.run(lambda tx: tx.audit(draft(station="k1")))
            assert newest() == number
    assert registry.run(lambda tx: tx.last_event(LANE)) == heads.newest(registry)


def test_a_transaction_tells_which_chains_it_went_on_with(registry: Registry) -> None:
    registry.run(lambda tx: tx.audit(draft(station="k1")))

    def act(tx: Tx) -> tuple[audit.Head, dict[str, audit.Head]]:
        assert tx.appended() == tx.continued() == {}
        before = tx.last(registry.lane_of("k0"))
        tx.audit(draft(station="k0"))
        tx.audit(draft(station="k0"))
        assert tx.continued() == {registry.lane_of("k0"): before}
        return before, dict(tx.appended())

    before, appended = registry.run(act)
    assert before == audit.Head(0, audit.GENESIS)
    lane = registry.lane_of("k0")
    assert appended == {lane: registry.read(lambda view: view.heads())[lane]}
    assert appended[lane].seq == 2


def test_a_link_of_another_store_is_taken_as_it_is_and_where_it_belongs(
    registry: Registry,
) -> None:
    first = audit.link(draft(), seq=1, previous=audit.GENESIS, lane="_lane-99")
    other = audit.link(draft(at=2.0), seq=2, previous=first.hash, lane="_lane-99")
    with pytest.raises(ChainBroken):
        registry.run(lambda tx: tx.append(other))
    for event in (first, other):
        registry.run(lambda tx, it=event: tx.append(it))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    with pytest.raises(ChainBroken):
        registry.run(lambda tx: tx.append(other))
    assert list(registry.audit_events(lane="_lane-99")) == [first, other]
    assert audit.verify(registry.audit_events()).is_sound
    found = registry.read(lambda view: view.events(station="k1", limit=9))
    assert found == [first, other]


def test_a_store_that_is_distrusted_accepts_nothing_it_gave_out(
    registry: Registry,
) -> None:
    registry.run(lambda tx: tx.issue_nonce(nonce()))
    registry.run(lambda tx: tx.save_approval(approval("a1", 1.0)))
    registry.distrust(station="k1", now=2.0, kind="registry.older")
    assert registry.run(lambda tx: tx.approval("a1")).spent
    assert registry.run(lambda tx: tx.drop_nonces()) == 0
    (event,) = registry.audit_events()
    assert (event.kind, event.data) == ("registry.older", {"nonces": "1", "codes": "1"})
