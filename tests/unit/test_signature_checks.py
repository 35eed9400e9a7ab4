"""Many signatures: whoever looks at them, the same ones are found wrong."""

from __future__ import annotations

import base64
import fcntl
import os
import signal
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from hypothesis import example, given
from hypothesis import strategies as st
from lab.histories import STORIES, History
from msgspec.structs import replace

from kiosk.authority.proof import signature, signature_checks
from kiosk.authority.proof.evidence import Proofs, unproven_writes
from kiosk.authority.proof.seen_once import SeenOnce
from kiosk.authority.proof.signature_checks import (
    BATCH,
    Claim,
    InTurn,
    SharedOut,
    SignatureChecks,
)
from storage.records import AuditEvent

pytestmark = pytest.mark.slow

COUNT = 7 * BATCH + 5
KEY = ec.generate_private_key(ec.SECP256R1())
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def claim(number: int) -> Claim:
    """Every seventh is signed over something else."""
    said = f"said {number}".encode()
    other = b"something else" if number % 7 == 0 else said
    return Claim(SPKI, said, KEY.sign(other, ec.ECDSA(hashes.SHA256())))


CLAIMS = [claim(number) for number in range(COUNT)]
WRONG = list(range(0, COUNT, 7))


def found(checks: SignatureChecks, claims: list[Claim] = CLAIMS) -> list[int]:
    wrong: list[int] = []
    for number, each in enumerate(claims):
        checks.check(each, partial(wrong.append, number))
    checks.finish()
    return sorted(wrong)


@pytest.fixture
def shared() -> Iterator[SharedOut]:
    """One other process, from the first claim on; never more than it may have."""
    with closing(SharedOut(1, first=0)) as checks:
        yield checks


def processes(checks: SharedOut) -> list[int]:
    return [each._process.pid for each in checks._processes if each._process]


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_in_turn_the_wrong_ones_are_found() -> None:
    assert found(InTurn()) == WRONG


def test_a_key_that_is_at_hand_is_taken_for_no_other() -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    spkis = [
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for key in keys
    ]
    for _ in range(2):
        for signs, key in enumerate(keys):
            signed = key.sign(b"said", ec.ECDSA(hashes.SHA256()))
            held = [Claim(spki, b"said", signed).is_true() for spki in spkis]
            assert held == [signs == other for other in range(len(keys))]


def test_of_more_holders_than_keys_are_kept_most_find_theirs_when_they_come_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[bytes] = []

    def load(spki: bytes) -> PublicKeyTypes:
        made.append(spki)
        return load_der_public_key(spki)

    kept: OrderedDict[bytes, PublicKeyTypes] = OrderedDict()
    monkeypatch.setattr(signature, "_KEYS", 8)
    monkeypatch.setattr(signature, "_kept", kept)
    monkeypatch.setattr(signature, "load_der_public_key", load)
    claims = []
    for _ in range(10):
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key()
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        claims.append(
            Claim(spki, b"said", key.sign(b"said", ec.ECDSA(hashes.SHA256())))
        )
    for _ in range(20):
        assert all(each.is_true() for each in claims)
        assert len(kept) <= 8
    assert len(made) < len(claims) * 20 / 2


def test_shared_out_the_same_ones_are_found(shared: SharedOut) -> None:
    assert found(shared) == WRONG
    assert len(processes(shared)) == 1


def test_another_process_looks_at_some_of_them(
    shared: SharedOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    here: list[int] = []
    look = signature_checks._look

    def seen(*batch: tuple[Claim, signature_checks.Wrong]) -> None:
        here.append(len(batch))
        look(*batch)

    monkeypatch.setattr(signature_checks, "_look", seen)
    assert found(shared) == WRONG
    assert sum(here) < COUNT - 2 * BATCH + 1


def test_what_waits_is_bounded(shared: SharedOut) -> None:
    most = 0
    for each in CLAIMS:
        shared.check(each, lambda: None)
        most = max(most, *(it.load for it in shared._processes), len(shared._waiting))
    assert most < BATCH
    assert all(it.load <= 3 for it in shared._processes)


def test_few_claims_start_no_process() -> None:
    few = CLAIMS[: signature_checks.FIRST]
    with closing(SharedOut(1)) as checks:
        assert found(checks, few) == [each for each in WRONG if each < len(few)]
        assert processes(checks) == []


def test_where_there_is_one_processor_none_is_started() -> None:
    with closing(SharedOut(0, first=0)) as checks:
        assert found(checks) == WRONG
        assert processes(checks) == []


def test_a_process_that_is_killed_has_found_nothing_out(shared: SharedOut) -> None:
    wrong: list[int] = []
    for number, each in enumerate(CLAIMS):
        shared.check(each, partial(wrong.append, number))
        if number == 3 * BATCH:
            os.kill(processes(shared)[0], signal.SIGKILL)
    shared.finish()
    assert sorted(wrong) == WRONG


@pytest.mark.parametrize(
    "program",
    ["exit 0", "exec tr '\\000-\\377' '\\002'", "exec head -c 10 /dev/zero"],
    ids=["ends", "answers what makes no sense", "answers in part"],
)
def test_a_process_that_does_something_else_has_found_nothing_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\n{program}\n", "ascii")
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    with closing(SharedOut(2, first=0)) as checks:
        assert found(checks) == WRONG


def test_where_no_process_can_be_started_all_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with closing(SharedOut(1, first=0)) as checks:
        assert found(checks) == WRONG


def test_where_pipes_may_not_be_larger_a_process_looks_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_pipe: object, command: int, _size: int) -> None:
        assert command == fcntl.F_SETPIPE_SZ
        raise PermissionError

    monkeypatch.setattr(fcntl, "fcntl", refused)
    with closing(SharedOut(1, first=0)) as checks:
        assert found(checks) == WRONG
        assert len(processes(checks)) == 1


def test_a_claim_as_no_card_makes_it_is_looked_at_here(shared: SharedOut) -> None:
    long = b"x" * signature_checks.LARGEST
    true = Claim(SPKI, long, KEY.sign(long, ec.ECDSA(hashes.SHA256())))
    forged = Claim(SPKI, long, b"")
    assert found(shared, [true, forged]) == [1]
    assert shared._waiting == []


def test_the_processes_end_with_the_checks() -> None:
    with closing(SharedOut(2, first=0)) as checks:
        found(checks)
        pids = processes(checks)
        assert len(pids) == 2
        checks.close()
    assert not any(map(is_there, pids))


# --- of evidence -----------------------------------------------------------------


@pytest.fixture(name="events", scope="module")
def _events() -> list[AuditEvent]:
    """An honest change."""
    history = History(STORIES[0])
    history.attempt()
    return list(history.world.registry.audit_events())


def changed(events: list[AuditEvent], **data: str) -> list[AuditEvent]:
    """Say something else of the authorisation."""
    return [
        replace(event, data={**event.data, **data})
        if event.kind == "operation.authorised"
        else event
        for event in events
    ]


def test_a_wrong_signature_is_a_finding_whoever_looks_at_it(
    events: list[AuditEvent],
) -> None:
    other = base64.b64encode(KEY.sign(b"x", ec.ECDSA(hashes.SHA256()))).decode()
    for checks in (InTurn(), SharedOut(1, first=0)):
        proofs = Proofs(lambda _lane, _seq: 0, checks=checks)
        for event in changed(events, signature=other):
            proofs.take(event)
        (finding,) = proofs.findings()
        assert finding.reason.key == "evidence.signature_wrong"


@pytest.mark.parametrize("said", ["é", "not base64!"])
@pytest.mark.parametrize("field", ["statement", "key", "signature"])
def test_what_cannot_be_read_proves_nothing(
    events: list[AuditEvent], field: str, said: str
) -> None:
    (finding,) = unproven_writes(changed(events, **{field: said}))
    assert finding.reason.key == "evidence.no_statement"


@pytest.mark.parametrize("field", ["key", "signature"])
def test_what_is_no_key_and_no_signature_signs_nothing(
    events: list[AuditEvent], field: str
) -> None:
    (finding,) = unproven_writes(changed(events, **{field: "AAAA"}))
    assert finding.reason.key == "evidence.signature_wrong"


def test_what_is_written_twice_is_a_finding(events: list[AuditEvent]) -> None:
    proofs = Proofs(lambda _lane, _seq: 0)
    for event in (*events, *events):
        proofs.take(event)
    (finding,) = proofs.findings()
    assert finding.reason.key == "evidence.written_twice"


@example([2, 3])
@example([1 << 62, 0, (1 << 62) + 2, 2])
@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=3000))
def test_what_came_before_is_remembered(numbers: list[int]) -> None:
    seen, known = SeenOnce(), set[int]()
    for number in numbers:
        folded = (number & ((1 << 63) - 1)) or 1
        assert seen.add(number) == (folded not in known)
        known.add(folded)


def test_many_are_remembered_in_little() -> None:
    seen = SeenOnce()
    numbers = [hash(f"operation {number}") for number in range(20_000)]
    assert all(map(seen.add, numbers))
    assert not any(map(seen.add, numbers))
    assert len(seen._slots) * 8 <= 32 * len(numbers) + (8 << 10)
