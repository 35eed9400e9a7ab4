"""`audit verify` whole: chains, checkpoints and the signature of every write.

The evidence is what changes of a PIN leave behind: six events each, one of them with a
P-256 signature of the card, and a signed checkpoint after each thousand. Nothing that
people do leaves more signatures among its events. It is verified in a process that does
nothing else. What is measured is the clock, the memory of that process at its peak, and
the processor time of every process that takes part (not the database's): without the
signatures' own, which is OpenSSL's, and shared by as many processes as there are
processors. `BENCH_VERIFIED` chooses another number of events.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kiosk.authority.proof import statement, verification
from kiosk.authority.proof.signature_checks import Claim, SharedOut
from kiosk.authority.values import Challenge
from scripts.bench import Row
from statemachine.operation import Kind
from storage import checkpoints
from storage.postgres import schema
from storage.postgres.connection import as_owner
from storage.postgres_registry import PostgresRegistry
from storage.records import AuditDraft
from storage.registry import Registry
from storage.signed_note import NoteSigner
from storage.tinydb_registry import TinyDbRegistry

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from lab.servers.postgres import Server  # the laboratory is no installed package

TITLE = "Evidence, verified whole"
EVENTS = int(os.environ.get("BENCH_VERIFIED", "240000"))
_CREDENTIALS, _STATIONS, _AT_ONCE = 20_000, 8, 1_000
"""Five times as many as a process keeps the keys of: few are there when they return."""
_CLAIM = ("key", "statement", "signature")
_SIGNER = NoteSigner("pin-kiosk/bench", bytes(range(32)))


MEBIBYTES = 150.0
"""Of the process that verifies, its program included, beside what each write takes."""
_BYTES_A_WRITE = 32
_VERIFYING = """
import sys
from scripts.bench.evidence import tell
tell(sys.argv[1])
"""


@dataclass(frozen=True, slots=True)
class _Verified:
    """What one process has read, and what it took."""

    events: int
    writes: int
    seconds: float
    """By the clock."""
    processor: float
    mebibytes: float
    """Of that process, at its peak."""


def run() -> list[Row]:
    """Make the same evidence in both stores, and verify it."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "registry.journal"
        embedded = TinyDbRegistry(journal)
        claims = _fill(embedded, embedded.evidence.seal)
        embedded.close()
        rows += _measured("embedded", str(journal), claims)
    server = Server()
    try:
        conninfo = server.conninfo(server.empty_database())
        with as_owner(conninfo) as owner:
            schema.upgrade(owner, "bench")
        shared = PostgresRegistry(conninfo)
        claims = _fill(shared, lambda: None)
        shared.close()
        rows += _measured("PostgreSQL", conninfo, claims)
    finally:
        server.remove()
    return rows


def tell(place: str) -> None:
    """Verify what is at a place, a file or a database; print what that took."""
    registry = _opened(place)
    before, began = _processor(), time.perf_counter()
    with closing(SharedOut()) as checks:
        evidence = verification.evidence_of(registry)
        verified = verification.verify(evidence, checks=checks)
    seconds, processor = time.perf_counter() - began, _processor() - before
    registry.close()
    if not verified.is_sound:
        raise AssertionError(verified)
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    told = _Verified(
        verified.whole.events, verified.writes, seconds, processor, mebibytes=peak
    )
    print(json.dumps(asdict(told)))


def _opened(place: str) -> Registry:
    return PostgresRegistry(place) if "=" in place else TinyDbRegistry(Path(place))


def _measured(store: str, place: str, claims: list[Claim]) -> Iterator[Row]:
    done = subprocess.run(
        [sys.executable, "-c", _VERIFYING, place],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    took = _Verified(**json.loads(done.stdout))
    if took.writes != EVENTS // 6:
        raise AssertionError(took)
    each = _bare(claims)
    signatures = each * took.writes
    scale = 100_000 / took.events
    processors = len(os.sched_getaffinity(0))
    by_clock, by_processor = took.events / took.seconds, took.events / took.processor
    print(
        f"{store}: {by_clock:,.0f} events a second by the clock,"
        f" {by_processor:,.0f} in one of the processor, of which"
        f" {signatures / took.processor:.0%} are signatures of {each * 1e6:.0f} µs"
    )
    verified = f"{store}: 100,000 events verified"
    for what, seconds in (
        ("without what the signatures take", took.processor - signatures),
        (f"whole, shared by {processors} processors", took.processor / processors),
        (f"whole, by the clock, {processors} processors", took.seconds),
    ):
        yield _row(f"{verified}, {what}", seconds * scale, 1.0, "s")
    bound = MEBIBYTES + took.writes * _BYTES_A_WRITE / 2**20
    what = f"{store}: memory at the peak, {took.writes:,} writes"
    yield _row(what, took.mebibytes, bound, "MiB")


def _row(what: str, ours: float, bound: float, unit: str) -> Row:
    return Row(
        what=what, ours=ours, other=bound, unit=unit, other_is="bound", target=1.0
    )


def _bare(claims: list[Claim]) -> float:
    """Return the processor seconds that one signature takes by itself."""
    before = time.process_time()
    if not all(claim.is_true() for claim in claims):
        raise AssertionError
    return (time.process_time() - before) / len(claims)


def _processor() -> float:
    """Return the processor seconds of this process and of those that it has ended."""
    spent = (
        resource.getrusage(who)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return sum(each.ru_utime + each.ru_stime for each in spent)


# --- what changes of a PIN leave behind ---------------------------------------


def _fill(registry: Registry, tidy: Callable[[], object]) -> list[Claim]:
    """Make the evidence; return some of the claims in it."""
    drafts = itertools.islice(_drafts(), _CREDENTIALS + EVENTS // 6 * 6)
    claims: list[Claim] = []
    while batch := list(itertools.islice(drafts, _AT_ONCE)):
        registry.run(lambda tx, it=batch: [tx.audit(draft) for draft in it])  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
        claims += [
            Claim(*(base64.b64decode(draft.data[it]) for it in _CLAIM))
            for draft in batch
            if draft.kind == "operation.authorised"
        ]
        at = batch[-1].at
        registry.run(lambda tx, at=at: checkpoints.sign(tx, _SIGNER, at))  # type: ignore[misc]  # the same
        while tidy():
            pass
    return claims[:2000]


def _drafts() -> Iterator[AuditDraft]:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(_CREDENTIALS)]
    spkis = [
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for key in keys
    ]
    for number, spki in enumerate(spkis):
        yield AuditDraft(
            at=1.7e9,
            station="office",
            kind="credential.key_recorded",
            actor="officer@ad.test",
            credential=f"c{number:06d}",
            data={"key_sha256": hashlib.sha256(spki).hexdigest(), "proof": "signed"},
        )
    for number in itertools.count():
        which = number * 7919 % _CREDENTIALS
        yield from _change(number, which, keys[which], spkis[which])


def _change(
    number: int, which: int, key: ec.EllipticCurvePrivateKey, spki: bytes
) -> Iterator[AuditDraft]:
    operation, station = str(uuid.UUID(int=number)), f"k{number % _STATIONS}"
    sealed = hashlib.sha256(str(number).encode()).digest()
    challenge = Challenge(
        nonce=sealed,
        operation=operation,
        kind=Kind.CHANGE,
        credential=f"c{which:06d}",
        account_guid=str(uuid.UUID(int=which)),
        station=station,
        sealing_key=b"",
        key_slot="",
        key_algorithm="",
    )
    said = statement.authorisation(challenge, sealed)
    signed = key.sign(said, ec.ECDSA(hashes.SHA256()))
    written = {"sealed_sha256": sealed.hex()}
    steps: dict[str, dict[str, str]] = {
        "prepared": {},
        "authorised": {
            **written,
            "statement": base64.b64encode(said).decode(),
            "signature": base64.b64encode(signed).decode(),
            "key": base64.b64encode(spki).decode(),
        },
        "card_changing": {},
        "card_changed": {},
        "writing": {
            **written,
            "dc": "dc1.ad.test",
            "account_guid": challenge.account_guid,
            "pwd_last_set_before": "133500000000000000",
            "mark_before": "12 by 00000000-0000-0000-0000-000000000000 at 123456",
            "semantics": "reset",
        },
        "done": {"dc": "dc1.ad.test"},
    }
    for step, (phase, data) in enumerate(steps.items()):
        yield AuditDraft(
            at=1.7e9 + number + step / 10,
            station=station,
            kind=f"operation.{phase}",
            actor="holder",
            credential=challenge.credential,
            operation=operation,
            data={"event": f"{number:08d}", "kind": "change", **data},
        )
