"""What PostgreSQL reads once, together, or without a transaction, and still is true."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest
from lab.registries import credential, draft, operation
from lab.servers import postgres
from msgspec.structs import replace

from statemachine.operation import Phase
from storage import audit
from storage.errors import DuplicateRecord, RecordMissing, VersionConflict
from storage.postgres.connection import BoundedConnection
from storage.postgres_registry import PostgresRegistry
from storage.records import Operation, Repeat, Template
from storage.registry import Tx
from storage.view import View


@pytest.fixture
def conninfo() -> str:
    return postgres.server().database()


@pytest.fixture
def registries(conninfo: str) -> Iterator[tuple[PostgresRegistry, PostgresRegistry]]:
    """Return two that share one database, which has a credential and an operation."""
    ours, other = PostgresRegistry(conninfo), PostgresRegistry(conninfo)
    ours.run(lambda tx: tx.save_credential(credential()))
    ours.run(lambda tx: tx.save_operation(operation()))
    yield ours, other
    ours.close()
    other.close()


def change_both(tx: Tx) -> None:
    tx.save_operation(tx.operation("o1"))
    tx.save_credential(tx.credential("c1"))


def test_all_that_a_look_sees_is_of_one_moment(
    registries: tuple[PostgresRegistry, PostgresRegistry],
) -> None:
    ours, other = registries
    looks = []

    def look(view: View) -> tuple[int, int]:
        of_credential = view.credential("c1").version
        looks.append(of_credential)
        other.run(change_both)
        return of_credential, view.operation("o1").version

    first, second = ours.read(look), ours.read(look)
    assert first[0] == first[1]
    assert second[0] == second[1]
    assert len(looks) == 3, "it is begun again once, and then known to ask more"


def test_a_look_that_hides_that_it_asks_more_is_begun_again(
    registries: tuple[PostgresRegistry, PostgresRegistry],
) -> None:
    ours, _ = registries

    def look(view: View) -> list[int]:
        seen = [view.credential("c1").version]
        try:
            seen.append(view.operation("o1").version)
        except Exception:  # noqa: BLE001 - as careless as can be
            seen.append(-1)
        return seen

    assert ours.read(look) == [1, 1]


def test_a_look_that_asks_one_thing_needs_no_transaction(
    registries: tuple[PostgresRegistry, PostgresRegistry],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, _ = registries
    begun: list[str] = []
    begin = BoundedConnection.looks

    def looks(connection: BoundedConnection) -> None:
        begun.append("begun")
        begin(connection)

    monkeypatch.setattr(BoundedConnection, "looks", looks)
    for _ in range(3):
        ours.read(lambda view: view.operation("o1"))
        ours.read(lambda view: view.credential("c1"))
    assert begun == []
    ours.read(lambda view: (view.operation("o1"), view.credential("c1")))
    assert begun == ["begun"]


def test_who_waited_for_a_credential_sees_its_operation_as_it_was_left(
    registries: tuple[PostgresRegistry, PostgresRegistry],
) -> None:
    ours, other = registries
    seen: list[Operation] = []
    waiting = threading.Thread(
        target=other.run, args=(lambda tx: seen.append(tx.operation("o1")),)
    )

    def hold(tx: Tx) -> None:
        held = tx.operation("o1")
        waiting.start()
        _until_blocked()
        tx.save_operation(replace(held, phase=Phase.AUTHORISED))

    ours.run(hold)
    waiting.join()
    assert [each.phase for each in seen] == [Phase.AUTHORISED], "and run once"
    assert seen[0].version == 2


def test_a_transaction_reads_the_operation_that_it_saved(
    registries: tuple[PostgresRegistry, PostgresRegistry],
) -> None:
    ours, _ = registries

    def move(tx: Tx) -> None:
        (before,) = tx.live_operations("c1")
        assert tx.operation("o1") == before
        moved = tx.save_operation(replace(before, phase=Phase.AUTHORISED))
        assert tx.operation("o1") == moved
        assert tx.live_operations("c1") == [moved]
        ended = tx.save_operation(replace(moved, phase=Phase.REFUSED, ended_at=9.0))
        assert tx.live_operations("c1") == []
        another = tx.save_operation(operation(id="o2"))
        assert tx.live_operations("c1") == [another]
        assert tx.operation("o1") == ended

    ours.run(move)
    assert ours.read(lambda view: view.operation("o1").phase) is Phase.REFUSED
    assert [each.id for each in ours.read(lambda it: it.live_operations("c1"))] == [
        "o2"
    ]


def test_a_card_is_looked_at_with_the_operation_that_is_live_of_it(
    registries: tuple[PostgresRegistry, PostgresRegistry],
) -> None:
    ours, _ = registries

    def look(view: View) -> list[str]:
        found = view.credential_by_card(credential().card)
        assert found is not None
        return [each.id for each in view.live_operations(found.id)]

    assert ours.read(look) == ["o1"]
    ours.run(lambda tx: tx.save_operation(replace(tx.operation("o1"), ended_at=9.0)))
    assert ours.read(look) == []


# --- templates -----------------------------------------------------------------------


class GivenUp(Exception):
    """A transaction that is not to be committed."""


def test_a_template_that_was_not_committed_is_not_remembered(
    registries: tuple[PostgresRegistry, PostgresRegistry],
) -> None:
    ours, other = registries

    def give_up(tx: Tx) -> None:
        tx.save_template(Template(name="staff", activation_code_days=3))
        assert tx.template("staff", 1).activation_code_days == 3
        raise GivenUp

    with pytest.raises(GivenUp):
        ours.run(give_up)
    with pytest.raises(RecordMissing):
        ours.read(lambda view: view.template("staff", 1))
    other.run(
        lambda tx: tx.save_template(Template(name="staff", activation_code_days=7))
    )
    assert ours.read(lambda view: view.template("staff", 1)).activation_code_days == 7


def test_a_published_version_is_read_once_and_the_newest_each_time(
    registries: tuple[PostgresRegistry, PostgresRegistry],
) -> None:
    ours, other = registries
    first = other.run(lambda tx: tx.save_template(Template(name="staff")))
    for _ in range(2):
        assert ours.read(lambda view: view.template("staff", 1)) == first
    assert ours.read(lambda view: view.template("staff")).version == 1
    other.run(lambda tx: tx.save_template(replace(first, activation_code_days=9)))
    assert ours.read(lambda view: view.template("staff")).activation_code_days == 9
    assert ours.read(lambda view: view.template("staff", 1)) == first
    assert ours.read(lambda view: view.template("staff", 2)).activation_code_days == 9


def test_another_connection_knows_nothing_of_what_this_one_has_read(
    conninfo: str, registries: tuple[PostgresRegistry, PostgresRegistry]
) -> None:
    """What is behind it may be a server that never heard of that version."""
    ours, other = registries
    other.run(
        lambda tx: tx.save_template(Template(name="staff", activation_code_days=3))
    )
    ours.read(lambda view: view.template("staff", 1))
    ours.close()
    with psycopg.connect(conninfo) as owner:
        owner.execute(
            "UPDATE template SET document = replace(document, '_days\":3', '_days\":4')"
        )
    assert ours.read(lambda view: view.template("staff", 1)).activation_code_days == 4


def _until_blocked() -> None:
    """Wait until somebody waits for a lock."""
    for _ in range(2000):
        found = postgres.server().ask(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        )
        if found:
            return
    raise AssertionError("nobody waited")


# --- what is written together --------------------------------------------------------


def test_a_change_that_somebody_saved_unasked_is_not_taken_for_ours(
    registries: tuple[PostgresRegistry, PostgresRegistry],
) -> None:
    """Who saves without having read is not kept apart by a lock, but by the version."""
    ours, other = registries
    (known,) = ours.read(lambda view: view.live_operations("c1"))

    def move(tx: Tx) -> None:
        (held,) = tx.live_operations("c1")
        other.run(lambda it: it.save_operation(replace(known, reason="theirs")))
        tx.save_operation(replace(held, reason="ours"))

    with pytest.raises(VersionConflict):
        ours.run(move)
    assert ours.read(lambda view: view.operation("o1").reason) == "theirs"


def test_changes_answers_and_evidence_of_one_transaction_are_all_there(
    registries: tuple[PostgresRegistry, PostgresRegistry],
) -> None:
    ours, other = registries
    kept = Repeat(station="k1", key="call", request=b"d" * 32, answer="{}", at=5.0)

    def move(tx: Tx) -> None:
        for reason in ("first", "second"):
            tx.save_operation(replace(tx.operation("o1"), reason=reason))
            tx.save_credential(replace(tx.credential("c1"), sync_reason=reason))
            tx.audit(draft(kind=reason))
        tx.audit(draft(station="another one", kind="third"))
        tx.save_repeat(kept)

    ours.run(move)
    operation, credential = other.read(
        lambda view: (view.operation("o1"), view.credential("c1"))
    )
    assert (operation.reason, operation.version) == ("second", 3)
    assert (credential.sync_reason, credential.version) == ("second", 3)
    assert other.read(lambda view: view.repeat("k1", "call")) == kept
    found = [event.kind for event in other.audit_events()]
    assert sorted(found) == ["first", "second", "third"]
    assert audit.verify(other.audit_events()).is_sound
    with pytest.raises(DuplicateRecord):
        ours.run(move)
    assert len(list(other.audit_events())) == 3, "nothing of it stands"
