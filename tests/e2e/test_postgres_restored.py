"""A database that is restored from a backup of PostgreSQL's own, seen from outside.

`pg_basebackup` copies the server while an authority works with it; the authority goes
on, the server is lost, and the copy is started in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from lab.desk.typed_commands import Terminal, _terminal  # noqa: F401 - a fixture
from lab.registries import approval, consume, nonce
from lab.servers.postgres import Server

from kiosk.authority.proof.checkpointed_registry import OLDER
from kiosk.bootstrap import witnessed_registry
from kiosk.core.exit_codes import ExitCode
from statemachine.lifecycle import State
from storage.postgres import schema
from storage.records import AuditEvent
from storage.registry import Registry, Tx

pytestmark = pytest.mark.slow

REGISTRY = "registry"


@contextmanager
def running(restored_from: Path | None = None) -> Iterator[Server]:
    server = Server(restored_from=restored_from)
    try:
        yield server
    finally:
        server.remove()


def look_at(terminal: Terminal, server: Server) -> None:
    """Name this server in the station's configuration, as whoever restores one does."""
    terminal.configure("registry", f'postgresql = "{server.conninfo(REGISTRY)}"')
    terminal.sign_in("helpdesk")


def authority(terminal: Terminal) -> closing[Registry]:
    """Open the registry as an authority does when it starts."""
    return closing(witnessed_registry(terminal.config))


def give_out(tx: Tx) -> None:
    tx.issue_nonce(nonce(expires_at=2e9))
    tx.save_approval(approval("open", 1.0, expires_at=2e9))


def typed(terminal: Terminal, *words: str) -> str:
    code, out, err = terminal.type(*words)
    assert code == 0, err
    return out


def test_a_base_backup_is_taken_for_the_older_registry_that_it_is(
    terminal: Terminal,
) -> None:
    with running() as server:
        server.ask(f"CREATE DATABASE {REGISTRY}")
        schema.upgraded(server.conninfo(REGISTRY))
        look_at(terminal, server)
        terminal.card()
        typed(terminal, "credential", "suspend", "c1", "--reason", "lost")
        with authority(terminal) as registry:
            registry.run(give_out)
            backed_up = list(registry.audit_events())
        copy = server.back_up()
        typed(terminal, "credential", "resume", "c1", "--reason", "found")
        with authority(terminal) as registry:
            assert registry.run(consume)
        typed(terminal, "audit", "verify")
        with running(restored_from=copy) as restored:
            server.stop()
            look_at(terminal, restored)
            is_found_older(terminal, backed_up)


def is_found_older(terminal: Terminal, backed_up: list[AuditEvent]) -> None:
    """Nothing is damaged, what came later is missed, and nothing old is accepted."""
    typed(terminal, "registry", "check")
    assert "older than this station has seen it" in terminal.type("audit", "verify")[2]
    with authority(terminal) as registry:
        assert not registry.run(consume)
        (given,) = registry.read(lambda view: view.approvals("c1", limit=9))
        assert given.spent
        events = list(registry.audit_events())
        assert (
            registry.read(lambda view: view.credential("c1")).state is State.SUSPENDED
        )
    assert events[: len(backed_up)] == backed_up
    assert [event.kind for event in events].count(OLDER) == 1
    typed(terminal, "registry", "check")
    code, _, err = terminal.type("audit", "verify")
    assert code == ExitCode.UNANCHORED
    assert "an older registry was found in the place of this one" in err
    assert "found" not in str(terminal.evidence())
    typed(terminal, "credential", "resume", "c1", "--reason", "found again")
