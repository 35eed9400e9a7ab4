"""Registries of every kind, as the contract tests open them, and records for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from lab.servers import postgres
from statemachine.lifecycle import State
from statemachine.operation import Kind, Phase
from storage.memory_registry import MemoryRegistry
from storage.postgres_registry import PostgresRegistry
from storage.records import (
    Approval,
    ApprovalKind,
    AuditDraft,
    Credential,
    Nonce,
    NoncePurpose,
    Operation,
)
from storage.registry import Registry, Tx
from storage.tinydb_registry import TinyDbRegistry

T = TypeVar("T")


class SealsAtOnce(TinyDbRegistry):
    """One that seals what it can after every commit, a few events to a segment."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, sealing={"living": 3, "batch": 4, "ended": 1})

    def run(self, fn: Callable[[Tx], T]) -> T:
        result = super().run(fn)
        while self.evidence.seal():
            pass
        return result


def on_postgres(path: Path) -> Registry:
    """Open the registry of a folder: a database that the folder names."""
    named = path / "postgresql"
    if not named.exists():
        named.write_text(postgres.server().database())
    return PostgresRegistry(named.read_text())


IMPLEMENTATIONS: dict[str, Callable[[Path], Registry]] = {
    "memory": lambda path: MemoryRegistry(),
    "tinydb": lambda path: TinyDbRegistry(path / "registry.journal"),
    "tinydb, sealed": lambda path: SealsAtOnce(path / "registry.journal"),
    "postgresql": on_postgres,
}


SHARED = tuple(name for name in IMPLEMENTATIONS if name != "memory")
"""Those that several threads or processes open, each for itself."""


class _Again(Exception):
    """Ends a transaction that will be run once more."""


class RunsTwice:
    """A registry that runs every function twice, the first time in vain.

    That is what a conflict with another process does to it at any moment.
    """

    def __init__(self, inner: Registry) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def run(self, fn: Callable[[Tx], T]) -> T:
        def in_vain(tx: Tx) -> None:
            fn(tx)
            raise _Again

        with suppress(_Again):
            self._inner.run(in_vain)
        return self._inner.run(fn)


def credential(id: str = "c1", card: str = "piv:guid:01", **more: object) -> Credential:
    fields = {
        "holder": "Alice",
        "account": "alice@ad.test",
        "account_guid": "g1",
        "template": "staff",
        "template_version": 1,
        "state": State.ACTIVE,
        **more,
    }
    return Credential(id=id, card=card, **fields)  # type: ignore[arg-type]  # fields of Credential, checked by it


def operation(id: str = "o1", **more: object) -> Operation:
    fields = {
        "event": "1111-2222",
        "kind": Kind.CHANGE,
        "credential": "c1",
        "account_guid": "g1",
        "station": "k1",
        "phase": Phase.PREPARED,
        "password_follows": True,
        **more,
    }
    return Operation(id=id, **fields)  # type: ignore[arg-type]  # fields of Operation, checked by it


def nonce(value: bytes = b"n" * 32, expires_at: float = 100.0) -> Nonce:
    return Nonce(
        value=value,
        purpose=NoncePurpose.OPERATION,
        bound_to="o1",
        station="k1",
        expires_at=expires_at,
    )


def consume(tx: Tx, **other: object) -> bool:
    fields = {
        "purpose": NoncePurpose.OPERATION,
        "bound_to": "o1",
        "station": "k1",
        "now": 50.0,
        **other,
    }
    return tx.consume_nonce(b"n" * 32, **fields)  # type: ignore[arg-type]  # as the port has them


def approval(id: str, at: float, **more: object) -> Approval:
    fields = {
        "kind": ApprovalKind.RELEASE,
        "credential": "c1",
        "salt": b"s",
        "digest": b"d",
        "issued_by": "desk",
        "issued_at": at,
        "expires_at": at + 600,
        **more,
    }
    return Approval(id=id, **fields)  # type: ignore[arg-type]  # fields of Approval, checked by it


def draft(at: float = 1.0, station: str = "k1", **more: object) -> AuditDraft:
    fields = {"kind": "x", "actor": "a", **more}
    return AuditDraft(at=at, station=station, **fields)  # type: ignore[arg-type]  # fields of AuditDraft, checked by it
