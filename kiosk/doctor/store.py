"""Registry, evidence and vault: there, readable, and fitting each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from kiosk.authority.office.templates import read_folder, unpublished
from kiosk.authority.proof import verification
from kiosk.core.clock import Clock
from kiosk.doctor import Finding, Watching, fail, ok, unknown, unwatched, warn
from storage import walk
from storage.completeness import judge
from storage.high_water import HighWater, missing
from storage.records import Credential
from storage.registry import Registry
from storage.signed_note import NoteKey
from storage.vault import KeyRing, Vault

_UNCOVERED_SECONDS = 600.0
"""After an event within which a checkpoint covers it, wherever a station runs."""
_SET_BACK_SECONDS = 30 * 86400.0
"""How long it is said that an older registry was found."""
_SEALED = {
    "escrow.current": lambda credential: credential.escrow.current_sealed,
    "escrow.pending": lambda credential: credential.escrow.pending_sealed,
    "transport_pin": lambda credential: credential.transport_pin_sealed,
    "admin_key": lambda credential: credential.admin_key_sealed,
    "admin_key_before": lambda credential: credential.admin_key_before_sealed,
    "pin_history": lambda credential: credential.pin_history_sealed,
}
"""Field name in the vault → the envelope of a credential."""


def registry(store: Registry) -> Iterator[Finding]:
    """Read the store, and say what was cut away when it was opened."""
    credentials, unfinished = store.read(lambda it: (it.count(), it.unfinished()))
    if cut := store.recovered():
        yield warn("registry", "registry_recovered", what=cut)
    else:
        yield ok("registry", "registry_readable", credentials=credentials)
    if unfinished:
        yield ok("operations", "operations_unfinished", count=unfinished)


def templates(folder: Path) -> Iterator[Finding]:
    """Read every template file. FileErrors, UnsatisfiableTemplate."""
    names = [template.name for template in read_folder(folder)]
    if names:
        yield ok("templates", "templates_found", names=", ".join(names))
    else:
        yield warn("templates", "no_template")


def published(store: Registry, folder: Path) -> Iterator[Finding]:
    """Compare the files with what is in force. FileErrors, UnsatisfiableTemplate."""
    found = read_folder(folder)
    differing = store.read(lambda view: unpublished(view, found))
    if differing:
        names = ", ".join(template.name for template in differing)
        yield warn("templates", "templates_differ", names=names)


def evidence(
    store: Registry,
    clock: Clock,
    keys: Sequence[NoteKey] = (),
    watched: Watching = unwatched,
) -> Iterator[Finding]:
    """Verify the chains of the audit, and that checkpoints are signed over them."""
    total = verification.events_to_read(store)
    with store.evidence_at_rest(), watched(total, "events") as told:
        whole = judge(verification.evidence_of(store, told), keys=keys)
    if whole.fault is not None:
        station, seq = whole.fault.station, whole.fault.seq
        yield fail("evidence", "evidence_broken", station=station, seq=seq)
    elif whole.uncovered and clock.now() - whole.uncovered_since > _UNCOVERED_SECONDS:
        yield warn("evidence", "evidence_uncovered", count=whole.uncovered)
    else:
        yield ok("evidence", "evidence_sound", events=whole.events)


def high_water(
    store: Registry, mark: HighWater, clock: Clock, *, is_damaged: bool
) -> Iterator[Finding]:
    """A registry must not be older than this station has seen it."""
    if is_damaged:
        yield fail("registry", "registry_mark_damaged")
    elif lost := missing(mark.lanes, store.read(lambda it: it.heads())):
        yield fail("registry", "registry_older", lost=lost)
    elif mark.set_back_at and clock.now() - mark.set_back_at < _SET_BACK_SECONDS:
        when = verification.moment(mark.set_back_at)
        if mark.lost:
            yield warn("registry", "registry_set_back", when=when, lost=mark.lost)
        else:
            yield warn("registry", "registry_unwitnessed", when=when)


def clock(store: Registry, clock: Clock) -> Iterator[Finding]:
    """The clock must not stand before what has already happened."""
    newest = store.read(lambda it: it.events(newest_first=True, limit=1))
    behind = newest[0].at - clock.now() if newest else 0.0
    if behind > 1:
        yield fail("clock", "clock_behind", seconds=round(behind))
    else:
        yield ok("clock", "clock_plausible")


def vault_key(path: Path) -> Iterator[Finding]:
    """Read the key file. `storage.vault.VaultError`s."""
    ring = KeyRing.from_file(path)
    yield ok("vault key", "vault_key_readable", key=ring.current)


def escrow(
    store: Registry, vault: Vault, watched: Watching = unwatched
) -> Iterator[Finding]:
    """Open every envelope, and forget what was in it: is its key still there?"""
    count = 0
    with watched(store.read(lambda it: it.count()), "credentials") as told:
        for credential in walk.credentials(store):
            for field in _SEALED:
                count += _opens(vault, credential, field)
            told(1)
    if count:
        yield ok("escrow", "escrow_opens", count=count)
    else:
        yield unknown("escrow", "escrow_empty")


def _opens(vault: Vault, credential: Credential, field: str) -> int:
    """Open one envelope, if there is one; return how many. VaultError."""
    envelope = _SEALED[field](credential)
    if not envelope:
        return 0
    plain = vault.open(envelope, table="credentials", record=credential.id, field=field)
    for index in range(len(plain)):
        plain[index] = 0
    return 1
