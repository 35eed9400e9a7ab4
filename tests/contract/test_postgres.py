"""What PostgreSQL adds: a line that breaks, others in the way, rights, its versions."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest
from lab.registries import approval, consume, credential, draft, nonce, operation
from lab.servers import postgres
from lab.servers.postgres_line import Line
from msgspec.structs import replace
from psycopg import errors

from storage import audit, postgres_registry
from storage.errors import (
    CommitUnknown,
    StoreForbidden,
    StoreForeign,
    StoreLocked,
    StoreNotOpened,
    StoreTooNew,
    StoreTooOld,
    StoreUnavailable,
)
from storage.postgres import connection as connection_module
from storage.postgres import in_parts, rows, schema
from storage.postgres.connection import (
    BoundedConnection,
    as_owner,
    connect,
    place_of,
)
from storage.postgres_registry import PostgresRegistry
from storage.records import PublicKey, Repeat
from storage.registry import Tx

ANSWER = Repeat(station="k1", key="call-1", request=b"d" * 32, answer="{}", at=5.0)


@pytest.fixture
def conninfo() -> str:
    return postgres.server().database()


@pytest.fixture
def registry(conninfo: str) -> Iterator[PostgresRegistry]:
    opened = PostgresRegistry(conninfo, patience=1.0)
    yield opened
    opened.close()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    folder = postgres.own_folder("line")
    between = Line(postgres.server().folder / ".s.PGSQL.5432", folder / ".s.PGSQL.5432")
    between.folder = folder  # type: ignore[attr-defined]
    yield between
    between.close()


def through(line: Line, conninfo: str) -> str:
    own = str(line.folder)  # type: ignore[attr-defined]
    return conninfo.replace(str(postgres.server().folder), own)


# --- a line that breaks ------------------------------------------------------------


def issue(tx: Tx) -> None:
    tx.issue_nonce(nonce())


def answer(tx: Tx) -> None:
    tx.save_repeat(ANSWER)


def witness(tx: Tx) -> None:
    tx.audit(draft())


def spend(tx: Tx) -> None:
    for each in tx.approvals("c1", limit=9):
        tx.save_approval(replace(each, wrong_entries=each.wrong_entries + 1))


CHANGES = {"nonce": issue, "answer": answer, "event": witness, "record": spend}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_line_cut_at_the_commit_leaves_one_effect(
    conninfo: str, line: Line, change: str, when: str
) -> None:
    registry = PostgresRegistry(through(line, conninfo))
    registry.run(lambda tx: tx.save_approval(approval("a1", 1.0)))
    setattr(line, f"cut_{when}", b"COMMIT")
    runs: list[int] = []

    def once(tx: Tx) -> None:
        runs.append(1)
        CHANGES[change](tx)

    registry.run(once)
    assert len(runs) == (2 if when == "before" else 1)
    assert line.connections > 1
    effects = {
        "nonce": registry.run(consume),
        "answer": registry.read(lambda it: it.repeat("k1", "call-1")) is not None,
        "event": len(list(registry.audit_events())) == 1,
        "record": registry.read(lambda it: it.approval("a1")).wrong_entries == 1,
    }
    assert [name for name, is_there in effects.items() if is_there] == [change]
    registry.close()


def test_a_line_cut_in_the_middle_is_a_function_run_again(
    conninfo: str, line: Line
) -> None:
    registry = PostgresRegistry(through(line, conninfo))
    line.cut_before = b"INSERT INTO operation"

    def begin(tx: Tx) -> None:
        tx.save_credential(credential())
        tx.save_operation(operation())

    registry.run(begin)
    assert registry.read(lambda it: it.unfinished()) == 1
    registry.close()


def test_an_event_of_somebody_else_in_our_place_is_not_ours(
    conninfo: str, line: Line
) -> None:
    other = PostgresRegistry(conninfo)

    def connecting(told: str) -> BoundedConnection:
        if line.connections:  # between the two tries of the one below
            other.run(lambda tx: tx.audit(draft(actor="other")))
        return connect(told)

    registry = PostgresRegistry(through(line, conninfo), connecting=connecting)
    line.cut_before = b"COMMIT"
    registry.run(witness)
    events = list(registry.audit_events())
    assert [event.actor for event in events] == ["other", "a"]
    assert audit.verify(events).is_sound
    registry.close()
    other.close()


def test_nobody_is_told_anything_where_nobody_knows(conninfo: str, line: Line) -> None:
    registry = PostgresRegistry(through(line, conninfo), patience=0.3)
    line.cut_after = b"COMMIT"

    def cut_for_good(tx: Tx) -> None:
        tx.audit(draft())
        line.close()

    with pytest.raises(CommitUnknown):
        registry.run(cut_for_good)
    registry.close()


@pytest.mark.parametrize(
    "refused",
    [
        errors.DiskFull(),
        errors.InsufficientPrivilege(),
        errors.UndefinedTable(),
        errors.InFailedSqlTransaction(),
        StoreTooNew(path="there", version="9"),
        StoreTooOld(path="there", version=1, needed=9),
    ],
    ids=lambda error: type(error).__name__,
)
def test_who_may_not_ask_whether_it_was_committed_is_told_that_nobody_knows(
    conninfo: str, line: Line, refused: Exception
) -> None:
    def connecting(told: str) -> BoundedConnection:
        if line.connections:
            raise refused
        return connect(told)

    registry = PostgresRegistry(
        through(line, conninfo), patience=0.3, connecting=connecting
    )
    line.cut_after = b"COMMIT"
    with pytest.raises(CommitUnknown):
        registry.run(witness)
    registry.close()
    other = PostgresRegistry(conninfo)
    assert len(list(other.audit_events())) == 1
    other.close()


def test_a_server_that_is_away_is_named_without_what_is_secret() -> None:
    with pytest.raises(StoreUnavailable) as away:
        PostgresRegistry(
            "host=/nowhere,/else port=5432 dbname=r user=u password=geheim",
            patience=0.1,
        )
    assert away.value.data == {"place": "postgresql:///nowhere:5432,/else:5432/r"}
    assert "geheim" not in repr(away.value)
    assert place_of("host=a") == "postgresql://a/"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("host=/nowhere connect_timeout=abc", "bad value for connect_timeout: 'abc'"),
        ("host=db..local", "no host can have such a name"),
        ("host=" + 64 * "a", "no host can have such a name"),
        ("host=a,b port=1,2,3", "could not match 3 port numbers to 2 hosts"),
    ],
)
def test_a_value_that_can_be_none_is_said_to_the_owner_and_to_nobody_else(
    wrong: str, said: str
) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        PostgresRegistry(wrong, patience=0.0)
    assert set(caught.value.data) == {"place"}
    with pytest.raises(StoreNotOpened) as told:
        schema.upgraded(wrong)
    assert told.value.data["reason"] == said


def test_a_server_that_comes_back_is_found_again(registry: PostgresRegistry) -> None:
    registry.run(issue)
    postgres.server().stop(signal.SIGQUIT)
    try:
        with pytest.raises(StoreUnavailable):
            registry.run(consume)
    finally:
        postgres.server().start()
    assert registry.run(consume)


@pytest.mark.parametrize("host", ["127.0.0.1", "/tmp,127.0.0.1", "db.example.org"])
def test_over_a_network_the_server_is_verified(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(conninfo: str) -> None:
        asked.append(conninfo)
        raise psycopg.OperationalError

    monkeypatch.setattr(BoundedConnection, "connect", refuse)
    for said, meant in (("", "verify-full"), ("sslmode=require", "require")):
        with pytest.raises(psycopg.OperationalError):
            connect(f"host={host} dbname=r {said}")
        assert f"sslmode={meant}" in asked.pop()
    with pytest.raises(psycopg.OperationalError):
        connect("host=/tmp dbname=r")
    assert "sslmode" not in asked.pop()


# --- others in the way ------------------------------------------------------------


def test_two_who_lock_each_other_out_both_get_through(conninfo: str) -> None:
    both = [PostgresRegistry(conninfo) for _ in range(2)]
    for name in ("c1", "c2"):
        both[0].run(lambda tx, name=name: tx.save_credential(credential(name, name)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    met = threading.Barrier(2)

    def take(number: int) -> None:
        first, second = ("c1", "c2") if number else ("c2", "c1")
        is_first_time = True

        def both_of_them(tx: Tx) -> None:
            nonlocal is_first_time
            tx.save_credential(tx.credential(first))
            if is_first_time:
                is_first_time = False
                met.wait()
            tx.save_credential(tx.credential(second))

        both[number].run(both_of_them)

    threads = [threading.Thread(target=take, args=(each,)) for each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = [
        both[0].read(lambda it, name=name: it.credential(name).version)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        for name in ("c1", "c2")
    ]
    assert versions == [3, 3]
    for each in both:
        each.close()


def test_who_holds_a_record_for_too_long_is_not_waited_for(
    conninfo: str, registry: PostgresRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.connection.LOCK_SECONDS", 0.2)
    registry.run(lambda tx: tx.save_credential(credential()))
    waiting = PostgresRegistry(conninfo)

    def hold(tx: Tx) -> None:
        tx.credential("c1")
        with pytest.raises(StoreLocked):
            waiting.run(lambda it: it.credential("c1"))

    registry.run(hold)
    assert waiting.run(lambda it: it.credential("c1")).version == 1
    waiting.close()


def test_a_server_that_stands_still_is_not_waited_for(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.connection.ANSWER_SECONDS", 0.2)
    registry = PostgresRegistry(conninfo, patience=0.3)
    with pytest.raises(StoreUnavailable):
        registry.asked("SELECT pg_sleep(60)")
    registry.close()


@pytest.mark.parametrize("opened", [connect, as_owner])
def test_a_server_that_stands_still_as_soon_as_it_lets_one_in_is_not_waited_for(
    opened: Callable[[str], BoundedConnection],
    conninfo: str,
    line: Line,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("storage.postgres.connection.ANSWER_SECONDS", 0.2)
    line.swallowed = b"set_config"
    ended: list[psycopg.Error] = []

    def connecting() -> None:
        try:
            opened(through(line, conninfo))
        except psycopg.Error as error:
            ended.append(error)

    waiting = threading.Thread(target=connecting, daemon=True)
    waiting.start()
    waiting.join(20)
    assert [type(error) for error in ended] == [psycopg.OperationalError]
    assert line.connections == 1


def test_what_the_owner_of_the_tables_asks_for_may_take_long(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.connection.ANSWER_SECONDS", 0.2)
    with as_owner(conninfo) as owner:
        owner.execute("SELECT pg_sleep(1)")


@pytest.fixture
def without_standby() -> Iterator[None]:
    """Let every commit wait for a standby that does not come."""
    server = postgres.server()
    server.ask("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    server.ask("SELECT pg_reload_conf()")
    yield
    server.ask("ALTER SYSTEM RESET synchronous_standby_names")
    server.ask("SELECT pg_reload_conf()")


def _until_waiting_for_a_standby() -> int:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = postgres.server().ask(
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        )
        if found:
            return int(str(found[0][0]))
    raise AssertionError("nobody waited")


def test_a_commit_that_one_host_alone_has_is_not_called_done(
    conninfo: str, without_standby: None
) -> None:
    """PostgreSQL says COMMIT, and warns, when the wait for a standby is cancelled."""
    registry = PostgresRegistry(conninfo)
    ended: list[type[Exception]] = []

    def write() -> None:
        try:
            registry.run(issue)
        except CommitUnknown as error:
            ended.append(type(error))

    thread = threading.Thread(target=write)
    thread.start()
    postgres.server().ask(f"SELECT pg_cancel_backend({_until_waiting_for_a_standby()})")
    thread.join()
    assert ended == [CommitUnknown]
    registry.close()


def test_a_commit_that_no_standby_confirms_is_not_called_done(
    conninfo: str, without_standby: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.connection.ANSWER_SECONDS", 0.3)
    monkeypatch.setattr("storage.postgres.connection.LOCK_SECONDS", 0.2)
    registry = PostgresRegistry(conninfo, patience=0.5)
    with pytest.raises(CommitUnknown):
        registry.run(issue)
    registry.close()


def test_a_function_that_hides_an_error_commits_nothing(
    registry: PostgresRegistry,
) -> None:
    def hide(tx: Tx) -> None:
        tx.issue_nonce(nonce())
        with suppress(psycopg.Error):
            registry._all("SELECT nothing")

    with pytest.raises(errors.InFailedSqlTransaction):
        registry.run(hide)
    assert not registry.run(consume)


READS: dict[str, Callable[[Tx], object]] = {
    "operation": lambda tx: tx.operation("o1"),
    "live": lambda tx: tx.live_operations("c1"),
    "event": lambda tx: tx.operation_by_event("1111-2222"),
    "card": lambda tx: tx.credential_by_card("piv:guid:01"),
}


@pytest.mark.parametrize("read", READS)
def test_who_reads_the_operation_waits_for_who_holds_its_credential(
    conninfo: str, registry: PostgresRegistry, read: str
) -> None:
    """Else one decides by the credential, the other by the operation, and both pass."""
    registry.run(lambda tx: tx.save_credential(credential()))
    registry.run(lambda tx: tx.save_operation(operation()))
    other = PostgresRegistry(conninfo)
    seen: list[str] = []

    def look(tx: Tx) -> None:
        READS[read](tx)
        seen.append("read")

    thread = threading.Thread(target=other.run, args=(look,))

    def hold(tx: Tx) -> None:
        tx.save_credential(tx.credential("c1"))
        thread.start()
        _until_blocked()
        seen.append("held")

    registry.run(hold)
    thread.join()
    assert seen == ["held", "read"]
    other.close()


def _until_blocked() -> None:
    """Wait until somebody waits for a lock."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = postgres.server().ask(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        )
        if found:
            return
    raise AssertionError("nobody waited")


# --- what is kept -------------------------------------------------------------------


def test_certificates_are_kept_apart_and_come_back(
    conninfo: str, registry: PostgresRegistry
) -> None:
    key = PublicKey(slot="9A", algorithm="P-256", spki=b"s", certificate=b"\x00cert")
    other = PublicKey(slot="9E", algorithm="P-256", spki=b"t", certificate=b"of card")
    first = credential(authentication_key=key)
    saved = registry.run(lambda tx: tx.save_credential(first))
    assert registry.read(lambda it: it.credential("c1")) == saved
    blind = replace(saved, card_authentication_key=other)  # saved without being read
    saved = registry.run(lambda tx: tx.save_credential(blind))
    assert registry.read(lambda it: it.credential("c1")) == saved
    renewed = replace(saved, authentication_key=replace(key, certificate=b""))
    saved = registry.run(lambda tx: tx.save_credential(renewed))
    assert registry.read(lambda it: it.credentials(limit=9)) == [saved]
    (document,) = registry.asked("SELECT document FROM credential")
    assert b"of card".hex() not in str(document)


def test_a_name_that_no_database_can_hold_finds_nothing(
    registry: PostgresRegistry,
) -> None:
    def look(tx: Tx) -> None:
        for term in ("\0", "a\ud800b", "100%", "_", "\\"):
            assert tx.find(term, limit=9) == []
            assert tx.named(term, limit=9) == []
            assert tx.credential_by_card(term) is None
            assert tx.operation_by_event(term) is None
            assert tx.repeat(term, term) is None

    registry.run(lambda tx: tx.save_credential(credential()))
    registry.run(look)


def test_several_events_of_one_transaction_follow_each_other(
    registry: PostgresRegistry,
) -> None:
    def add(tx: Tx) -> list[str]:
        for station in ("k1", "k0", "k1", "k1"):
            tx.audit(draft(station=station))
        found = tx.events(limit=9)
        tx.audit(draft(station="k0", at=9.0))
        return [f"{each.station}{each.seq}" for each in found]

    assert sorted(registry.run(add)) == ["k01", "k11", "k12", "k13"]
    events = list(registry.audit_events())
    assert len(events) == 5
    assert audit.verify(events).is_sound


# --- rights -------------------------------------------------------------------------

FORBIDDEN = (
    "DELETE FROM evidence",
    "UPDATE evidence SET document = ''",
    "TRUNCATE evidence",
    "DELETE FROM evidence_head",
    "DELETE FROM credential",
    "DELETE FROM operation",
    "DELETE FROM approval",
    "UPDATE template SET document = ''",
    "DELETE FROM template",
    "UPDATE nonce SET expires_at = 9e9",
    "UPDATE answer SET document = ''",
    "UPDATE registry_schema SET number = 1",
    "DROP TABLE evidence",
    "CREATE TABLE own (id text)",
)


@pytest.fixture
def account(conninfo: str) -> str:
    """Sign in as an authority does, with the rights that the script gives."""
    database = str(psycopg.conninfo.conninfo_to_dict(conninfo)["dbname"])
    name = f"authority_{database}"
    server = postgres.server()
    server.ask(f"CREATE ROLE {name} LOGIN")
    for statement in schema.statements(schema.roles(name)):
        server.ask(statement, database)
    return server.conninfo(database, name)


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_an_authority_may_not_do_what_it_does_not_do(
    account: str, statement: str
) -> None:
    with connect(account) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_an_authority_may_do_all_that_it_does(account: str) -> None:
    registry = PostgresRegistry(account)

    def everything(tx: Tx) -> None:
        key = PublicKey(slot="9A", algorithm="P-256", spki=b"s", certificate=b"cert")
        saved = tx.save_credential(credential(authentication_key=key))
        tx.save_credential(replace(saved, authentication_key=None))
        tx.save_operation(replace(tx.save_operation(operation()), ended_at=1.0))
        tx.save_approval(replace(tx.save_approval(approval("a1", 1.0)), spent=True))
        issue(tx)
        answer(tx)
        witness(tx)

    registry.run(everything)
    assert registry.run(consume)
    assert not registry.idle(1e9)
    registry.distrust(station="k1", now=2.0)
    assert len(list(registry.audit_events())) == 2
    assert registry.asked("SHOW statement_timeout") == [("0",)]
    assert registry.asked("SHOW lock_timeout") == [("3s",)]
    registry.close()


def test_an_account_without_rights_is_told_so(conninfo: str) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(conninfo)["dbname"])
    name = f"nobody_{database}"
    postgres.server().ask(f"CREATE ROLE {name} LOGIN")
    with pytest.raises(StoreForbidden):
        PostgresRegistry(postgres.server().conninfo(database, name)).close()


# --- versions -----------------------------------------------------------------------


def test_an_empty_database_is_no_registry_until_its_owner_makes_it_one() -> None:
    name = postgres.server().empty_database()
    conninfo = postgres.server().conninfo(name)
    with pytest.raises(StoreTooOld):
        PostgresRegistry(conninfo).close()
    with connect(conninfo) as owner:
        assert schema.upgrade(owner, name) == [1, 2, 3, 4, 5]
        assert schema.upgrade(owner, name) == []
    PostgresRegistry(conninfo).close()


def test_an_upgrade_tells_how_far_it_is_also_while_a_statement_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conninfo = postgres.server().conninfo(postgres.server().empty_database())
    monkeypatch.setattr(connection_module, "_STILL_SECONDS", 0.05)
    own = schema.statements
    slow = "SELECT pg_sleep(0.5)"
    monkeypatch.setattr(schema, "statements", lambda text: [*own(text), slow])
    told: list[tuple[int, int]] = []
    schema.upgraded(conninfo, lambda done, total: told.append((done, total)))
    (total,) = {total for _, total in told}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {done for done, _ in told} >= set(range(1, total + 1))
    assert len(told) > total + len(schema.STEPS), "still at one, again and again"


def test_an_upgrade_that_is_interrupted_anywhere_is_ended_by_the_next() -> None:
    class Interrupted(BaseException):
        """Ctrl+C."""

    def told(wanted: int, done: int, _total: int) -> None:
        if done == wanted:
            raise Interrupted

    made: list[int] = []
    for wanted in range(1, 99):
        conninfo = postgres.server().conninfo(postgres.server().empty_database())
        try:
            schema.upgraded(conninfo, partial(told, wanted))
        except Interrupted:
            pass
        else:
            break
        with connect(conninfo) as owner:
            rest = schema.upgrade(owner, "here")
            assert schema.improve(owner) == []
        made.append(len(rest))
        PostgresRegistry(conninfo).close()
    assert made == sorted(made, reverse=True), "a step that was made stays made"
    assert set(made) == set(range(len(schema.STEPS) + 1))


def test_an_upgrade_that_is_ended_while_the_server_works_ends_it_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = postgres.server().empty_database()
    conninfo = postgres.server().conninfo(name)
    monkeypatch.setattr(connection_module, "_STILL_SECONDS", 0.05)
    own = schema.statements
    with monkeypatch.context() as slow:
        slow.setattr(
            schema, "statements", lambda text: ["SELECT pg_sleep(600)", *own(text)]
        )

        def told(_done: int, _total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            schema.upgraded(conninfo, told)
    until = time.monotonic() + 30
    asks = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name}'"
    while postgres.server().ask(asks) and time.monotonic() < until:
        time.sleep(0.02)
    assert postgres.server().ask(asks) == [], "nobody works on it any more"
    assert schema.upgraded(conninfo)[0] == [step.number for step in schema.STEPS]


def test_two_owners_at_once_make_each_step_once() -> None:
    conninfo = postgres.server().conninfo(postgres.server().empty_database())
    made: list[int] = []

    def upgrade() -> None:
        with connect(conninfo) as owner:
            made.extend(schema.upgrade(owner, "here"))

    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [1, 2, 3, 4, 5]


def test_tables_of_a_later_program_are_refused_unless_they_may_be_used(
    conninfo: str,
) -> None:
    with connect(conninfo) as owner:
        owner.execute("INSERT INTO registry_schema VALUES (9, 'd', '9.8.0', 1)")
    PostgresRegistry(conninfo).close()
    with connect(conninfo) as owner:
        owner.execute("UPDATE registry_schema SET works_from = 9 WHERE number = 9")
    with pytest.raises(StoreTooNew) as refused:
        PostgresRegistry(conninfo).close()
    assert refused.value.data["version"] == "9.8.0"


def test_tables_that_are_brought_further_meanwhile_are_refused_soon(
    conninfo: str, registry: PostgresRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.run(witness)
    with connect(conninfo) as owner:
        owner.execute("INSERT INTO registry_schema VALUES (9, 'd', '9.8.0', 9)")
    registry.run(witness)
    assert postgres_registry.CHECKED_SECONDS <= 60.0
    monkeypatch.setattr(postgres_registry, "CHECKED_SECONDS", 0.0)
    for _ in range(2):
        with pytest.raises(StoreTooNew):
            registry.run(witness)
        with pytest.raises(StoreTooNew):
            registry.read(lambda view: view.count())
    with connect(conninfo) as owner:
        owner.execute("DELETE FROM registry_schema WHERE number = 9")
    registry.run(witness)
    assert len(list(registry.audit_events())) == 3


def test_a_connection_that_is_lost_at_that_look_is_opened_anew(
    registry: PostgresRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_registry, "CHECKED_SECONDS", 0.0)
    registry.run(witness)
    assert registry._open is not None
    registry._open.pgconn.finish()
    registry.run(witness)
    assert len(list(registry.audit_events())) == 2


def test_tables_of_an_earlier_program_are_refused(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = schema.KNOWS
    monkeypatch.setattr(schema, "NEEDS", known + 1)
    with pytest.raises(StoreTooOld) as refused:
        PostgresRegistry(conninfo).close()
    data = refused.value.data
    assert (data["version"], data["needed"]) == (known, known + 1)


def test_the_evidence_of_earlier_tables_stays_what_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Until the second step each station had a chain of its own."""
    conninfo = postgres.server().conninfo(postgres.server().empty_database())
    with connect(conninfo) as owner:
        monkeypatch.setattr(schema, "STEPS", schema.STEPS[:1])
        monkeypatch.setattr(schema, "NEEDS", 1)
        schema.upgrade(owner, "here")
        first = audit.link(draft(), seq=1, previous=audit.GENESIS)
        owner.execute(
            "INSERT INTO evidence"
            " (lane, seq, at, kind, credential, operation, document)"
            " VALUES ('k1', 1, 1.0, 'x', '', '', %s)",
            [rows.text(first)],
        )
        owner.execute("INSERT INTO evidence_head VALUES ('k1', 1, %s)", [first.hash])
    monkeypatch.undo()
    with connect(conninfo) as owner:
        assert schema.upgrade(owner, "here")[0] == 2
    registry = PostgresRegistry(conninfo)
    second = registry.run(lambda tx: tx.audit(draft(at=2.0)))
    found = registry.read(lambda view: view.events(station="k1", limit=9))
    assert found == [first, second]
    assert (first.lane, second.lane) == ("k1", audit.shared_lane("k1"))
    assert audit.verify(registry.audit_events()).is_sound
    registry.close()


def earlier_tables(monkeypatch: pytest.MonkeyPatch, events: int) -> str:
    """Make those of the first step, with evidence of three stations; return where."""
    conninfo = postgres.server().conninfo(postgres.server().empty_database())
    with monkeypatch.context() as earlier, connect(conninfo) as owner:
        earlier.setattr(schema, "STEPS", schema.STEPS[:1])
        earlier.setattr(schema, "NEEDS", 1)
        schema.upgrade(owner, "here")
        for number in range(events):
            owner.execute(
                "INSERT INTO evidence"
                " (lane, seq, at, kind, credential, operation, document)"
                " VALUES (%s, %s, 1.0, 'x', '', '', '{}')",
                [f"k{number % 3}", number // 3 + 1],
            )
    return conninfo


@pytest.mark.parametrize("events", [0, 5, 6, 7, 20])
def test_a_change_of_every_event_tells_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, events: int
) -> None:
    conninfo = earlier_tables(monkeypatch, events)
    monkeypatch.setattr(in_parts, "ROWS", 3)
    told: list[tuple[int, int]] = []
    schema.upgraded(conninfo, lambda done, total: told.append((done, total)))
    (total,) = {total for _, total in told}
    assert {done for done, _ in told} >= set(range(1, total + 1))
    others = [schema.statements(step.text) for step in schema.STEPS[1:]]
    parts = events // 3 + 1
    assert total == sum(map(len, others)) - 1 + parts + len(schema._optional())
    with connect(conninfo) as owner:
        found = owner.execute("SELECT lane, station FROM evidence").fetchall()
    assert len(found) == events
    assert all(lane == station for lane, station in found)


def test_a_change_of_every_event_is_of_all_of_them_or_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Interrupted(BaseException):
        """Ctrl+C."""

    conninfo = earlier_tables(monkeypatch, 20)
    monkeypatch.setattr(in_parts, "ROWS", 3)
    for wanted in range(2, 8):

        def told(done: int, _total: int, wanted: int = wanted) -> None:
            if done == wanted:
                raise Interrupted

        with pytest.raises(Interrupted):
            schema.upgraded(conninfo, told)
        with connect(conninfo) as owner:
            assert set(schema._found(owner)) == {1}
            columns = owner.execute("SELECT * FROM evidence LIMIT 0").description
        assert "station" not in {each.name for each in columns or ()}
    assert schema.upgraded(conninfo)[0][0] == 2


def test_chains_do_not_grow_with_the_stations(registry: PostgresRegistry) -> None:
    """So what a checkpoint names stays a few thousand bytes."""

    def add(tx: Tx) -> None:
        for number in range(1_000):
            tx.audit(draft(station=f"station-{number}"))

    registry.run(add)
    assert len(registry.read(lambda view: view.heads())) <= audit.LANES
    assert audit.verify(registry.audit_events()).events == 1_000


def test_tables_that_somebody_else_made_are_not_touched(conninfo: str) -> None:
    with connect(conninfo) as owner:
        owner.execute("UPDATE registry_schema SET digest = 'other'")
    with connect(conninfo) as owner, pytest.raises(StoreForeign):
        schema.upgrade(owner, "here")


def test_without_the_extension_everything_is_still_found(
    conninfo: str, registry: PostgresRegistry
) -> None:
    with connect(conninfo) as owner:
        for name in ("part", "account_part", "card_part"):
            owner.execute(f"DROP INDEX credential_by_{name}".encode())
        owner.execute("DROP EXTENSION pg_trgm")
    registry.run(lambda tx: tx.save_credential(credential()))
    assert registry.read(lambda it: it.find("lic", limit=9)) != []


def test_what_is_asked_often_is_planned_once(registry: PostgresRegistry) -> None:
    """A rollback forgets every prepared statement: reading must not end in one."""
    for _ in range(12):
        registry.read(lambda view: (view.heads(), view.credential_by_card("nobody's")))
        registry.run(lambda tx: tx.live_operations("nobody's"))
    registry.run(witness)
    prepared = registry.asked("SELECT statement FROM pg_prepared_statements")
    tables = {word for (text,) in prepared for word in str(text).split()}
    assert {"credential", "operation"} <= tables
