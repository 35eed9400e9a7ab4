"""A new vault key: everything escrowed is sealed with it, and still opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from lab.histories import STORIES, History
from lab.registries import credential
from msgspec.structs import replace

from storage import walk
from storage.memory_registry import MemoryRegistry
from storage.records import Escrow
from storage.registry import Tx
from storage.rotation import Resealed, reseal_all
from storage.vault import KeyRing, Vault
from storage.view import View

T = TypeVar("T")

FIELDS = {
    "escrow.current": b"PUKPUK01",
    "escrow.pending": b"PUKPUK02",
    "transport_pin": b"482915",
    "admin_key": b"k" * 24,
    "pin_history": b"[]",
}


def test_every_sealed_field_is_sealed_again_and_opens() -> None:
    history = History(STORIES[0])
    registry, own = history.world.registry, history.holder.credential
    old = Vault(KeyRing({"k1": b"\x01" * 32}), "r")
    sealed = {
        field: old.seal(value, table="credentials", record=own, field=field)
        for field, value in FIELDS.items()
    }

    def fill(tx: Tx) -> None:
        tx.save_credential(
            replace(
                tx.credential(own),
                escrow=Escrow(
                    current_sealed=sealed["escrow.current"],
                    pending_sealed=sealed["escrow.pending"],
                ),
                transport_pin_sealed=sealed["transport_pin"],
                admin_key_sealed=sealed["admin_key"],
                pin_history_sealed=sealed["pin_history"],
            )
        )

    registry.run(fill)
    new = Vault(KeyRing({"k1": b"\x01" * 32, "k2": b"\x02" * 32}), "r")
    assert reseal_all(registry, new).count == len(FIELDS)
    assert reseal_all(registry, new).count == 0
    without_old = Vault(KeyRing({"k2": b"\x02" * 32}), "r")
    after = history.world.credential("alice")
    opened = {
        "escrow.current": after.escrow.current_sealed,
        "escrow.pending": after.escrow.pending_sealed,
        "transport_pin": after.transport_pin_sealed,
        "admin_key": after.admin_key_sealed,
        "pin_history": after.pin_history_sealed,
    }
    for field, envelope in opened.items():
        place = {"table": "credentials", "record": own, "field": field}
        assert without_old.open(envelope, **place) == FIELDS[field]


def test_what_no_key_opens_keeps_nothing_else_from_the_new_key() -> None:
    """It is named: the others must be safe from a key that has leaked."""
    history = History(STORIES[0])
    registry, own = history.world.registry, history.holder.credential
    old = Vault(KeyRing({"k1": b"\x01" * 32}), "r")
    lost = Vault(KeyRing({"k0": b"\x07" * 32}), "r")
    place = {"table": "credentials", "record": own}
    puk = old.seal(b"PUKPUK01", **place, field="escrow.current")
    pin = lost.seal(b"482915", **place, field="transport_pin")
    registry.run(
        lambda tx: tx.save_credential(
            replace(
                tx.credential(own),
                escrow=Escrow(current_sealed=puk),
                transport_pin_sealed=pin,
            )
        )
    )
    new = Vault(KeyRing({"k1": b"\x01" * 32, "k2": b"\x02" * 32}), "r")
    assert reseal_all(registry, new) == Resealed(1, (own,))
    after = history.world.credential("alice")
    without_old = Vault(KeyRing({"k2": b"\x02" * 32}), "r")
    opened = without_old.open(
        after.escrow.current_sealed, **place, field="escrow.current"
    )
    assert opened == b"PUKPUK01"
    assert after.transport_pin_sealed == pin


def test_how_far_it_is_is_told_before_all_credentials_were_gone_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(walk, "PAGE", 2)
    monkeypatch.setattr("storage.rotation.BATCH", 2)
    registry = MemoryRegistry()
    vault = Vault(KeyRing({"k1": b"\x01" * 32}), "r")
    for number in range(5):
        place = {"record": f"c{number}", "field": "transport_pin"}
        pin = vault.seal(b"482915", table="credentials", **place)
        new = replace(
            credential(f"c{number}", card=f"card {number}"), transport_pin_sealed=pin
        )
        registry.run(lambda tx, new=new: tx.save_credential(new))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    order: list[str | int] = []
    read = registry.read

    def reads(fn: Callable[[View], T]) -> T:
        order.append("page")
        return read(fn)

    monkeypatch.setattr(registry, "read", reads)
    both = Vault(KeyRing({"k1": b"\x01" * 32, "k2": b"\x02" * 32}), "r")
    assert reseal_all(registry, both, order.append) == Resealed(5, ())
    assert order == ["page", 2, "page", 2, "page", 1]
