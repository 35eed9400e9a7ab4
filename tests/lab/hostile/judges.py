"""One judge for each of the seven promises, who looks from outside.

What they look at: the card itself, the value and mark that the directory has, the
registry's records, its evidence, and what was shown. None of them asks the product's
own judges, but for the chain's verification and the tables.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise, takewhile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kiosk.cards.values import Family
from kiosk.visit.views import Outcome
from lab.hostile.pages import EVENTS
from lab.hostile.town import PINS, Person, Town
from statemachine.operation import TABLE, Phase
from storage import audit
from storage.records import AuditEvent, Escrow, Keyless, Sync

_LONG = re.compile(r"[0-9A-Za-z+/=]{17,}")
"""Random text, in which any six digits may stand."""
_SECONDS = 60.0
_STEPS = {f"operation.{phase}" for phase in Phase}
"""What else is said of an operation is no step of it."""
_PUK_SENT = {"escrow.puk_sent", "escrow.puk_typed", "escrow.rotation_begun"}
_PUK_TAKEN = {"escrow.puk_taken", "escrow.rotated"}
_PUK_SAID = _PUK_TAKEN | {"escrow.puk_wrong", "escrow.puk_unheard"}
_CONTEXT = b"pin-kiosk statement\x00\x01"


def broken(town: Town) -> list[str]:
    """Return every promise that this town has broken, and how."""
    events = list(town.store.audit_events())
    found = [f"I6 {each}" for each in _chain(events)]
    for person in town.people:
        own = [each for each in events if each.credential == person.holder.credential]
        for name, judge in _JUDGES:
            found += [
                f"{name} {person.name}: {said}" for said in judge(town, person, own)
            ]
    return [*found, *(f"I5 {each}" for each in _secrets(town, events))]


def _writes(town: Town, person: Person, own: list[AuditEvent]) -> Iterator[str]:
    """I1: each write after its own signature, in time, once."""
    writes = [e for e in own if e.kind == "operation.writing"]
    real = [
        guid for _, guid in town.domain.writes if guid == person.holder.account_guid
    ]
    if len(real) > len(writes):
        yield f"{len(real)} passwords were written, {len(writes)} are in the evidence"
    if len({e.operation for e in writes}) != len(writes):
        yield "an authorisation was used twice"
    for write in writes:
        proofs = [
            e
            for e in own[: own.index(write)]
            if (e.kind, e.operation) == ("operation.authorised", write.operation)
        ]
        if len(proofs) != 1:
            yield f"a write has {len(proofs)} authorisations"
            continue
        yield from _proof(person, write, proofs[0])
    for seconds in town.late(person):
        if seconds > _SECONDS:
            yield f"a value was sent {seconds:.0f} s after its authorisation"


def _proof(person: Person, write: AuditEvent, proof: AuditEvent) -> Iterator[str]:
    if "exception" in proof.data:
        if person.story.keyless is Keyless.OFF:
            yield "a keyless exception that there is not"
        return
    message = base64.b64decode(proof.data["statement"])
    signed = base64.b64decode(proof.data["signature"])
    if not _is_signed_by_card(person, message, signed):
        yield "a signature that is not the card's"
    fields = _fields(message)
    if len(fields) != 7 or fields[1] != write.operation.encode():
        yield "a statement of another operation"
    elif fields[6].hex() != write.data["sealed_sha256"]:
        yield "a statement over another value"


def _is_signed_by_card(person: Person, message: bytes, signed: bytes) -> bool:
    public = _key(person.holder.made.authentication.spki)
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signed, message, ec.ECDSA(hashes.SHA256()))
        elif isinstance(public, rsa.RSAPublicKey):
            public.verify(signed, message, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True


@cache
def _key(spki: bytes) -> object:
    return load_der_public_key(spki)


def _fields(message: bytes) -> list[bytes]:
    if not message.startswith(_CONTEXT):
        return []
    rest, fields = message[len(_CONTEXT) :], []
    while rest:
        size = int.from_bytes(rest[:2], "big")
        fields.append(rest[2 : 2 + size])
        rest = rest[2 + size :]
    return fields


def _once(town: Town, person: Person, own: list[AuditEvent]) -> Iterator[str]:
    """I2: a nonce authorises once; a code is good for one change of a card."""
    nonces = [
        _fields(base64.b64decode(e.data["statement"]))[0]
        for e in own
        if e.kind == "operation.authorised" and "statement" in e.data
    ]
    if len(set(nonces)) != len(nonces):
        yield "a nonce was accepted twice"
    changed = {e.operation for e in own if e.kind == "operation.card_changed"}
    used = {
        (e.operation, e.data["approval"])
        for e in own
        if e.kind == "approval.redeemed" and e.operation in changed
    }
    if len({approval for _, approval in used}) != len(used):
        yield "a code opened two changes"


def _agreement(town: Town, person: Person, own: list[AuditEvent]) -> Iterator[str]:
    """I3: never silently different."""
    credential = town.credential(person)
    pin = person.pin()
    if credential.sync is Sync.IN_STEP and not town.binds(person, pin):
        yield "in step, says the registry, and they differ"
    if credential.sync in (Sync.OUT_OF_STEP, Sync.NOT_SYNCHRONISED) and not (
        credential.sync_reason
    ):
        yield "out of step, and nobody says why"
    for shown, agreed in person.agreed:
        if shown is Outcome.DONE and not agreed:
            yield "the screen said done, and they differed"
    if town.written_all_the_same(person):
        yield "the screen said that the password is unchanged, and it was written"


def _counters(town: Town, person: Person, own: list[AuditEvent]) -> Iterator[str]:
    """I4: whoever types what is right loses no try.

    Where a wait gave up, nobody knows which of two PUKs is on the card: each costs a
    try at most, and it was written down before it was sent. The same where the value
    that gives the try back was sent and no answer came: with one left at worst, it is
    not sent again before a helpdesk has released just that.
    """
    card, escrow = person.holder.made.card, town.credential(person).escrow
    most = escrow.left if town.waits_end else 3 - _waiting_for_a_release(escrow, own)
    if person.story.family is Family.PIV and card.puk_tries_left < most:
        yield f"{card.puk_tries_left} tries are left at the PUK"
    if 0 < card.pin_tries_left < 3:
        yield f"{card.pin_tries_left} tries are left at the PIN"


def _waiting_for_a_release(escrow: Escrow, own: list[AuditEvent]) -> int:
    """Return the noes of a card whose last PUK was sent and never answered."""
    said = [each.kind for each in own if each.kind in _PUK_SENT | _PUK_SAID]
    if escrow.left > 1 or not said or said[-1] not in _PUK_SENT:
        return 0
    since = takewhile(lambda kind: kind not in _PUK_TAKEN, reversed(said))
    return list(since).count("escrow.puk_wrong")


def _edges(town: Town, person: Person, own: list[AuditEvent]) -> Iterator[str]:
    """I6: only edges of the table, each written down once."""
    edges = {(step.source, step.target) for step in TABLE}
    for operation in {e.operation for e in own if e.operation}:
        path = [
            e.kind.removeprefix("operation.")
            for e in own
            if e.operation == operation and e.kind in _STEPS
        ]
        if not path:
            continue
        if path[0] != "prepared":
            yield f"an operation began as {path[0]}"
        for step in pairwise(path):
            if step not in edges:
                yield f"{step[0]} became {step[1]}"
        phase = town.operation(operation).phase
        if phase != path[-1]:
            yield f"the record says {phase}, the evidence {path[-1]}"


def _lives(town: Town, person: Person, own: list[AuditEvent]) -> Iterator[str]:
    """I6: a card's state is where its events have led, one after the other."""
    at = str(person.story.state)
    for event in own:
        if not event.kind.startswith("lifecycle.") or "to" not in event.data:
            continue
        if event.data["from"] != at:
            yield f"it was {at}, and then {event.kind} from {event.data['from']}"
        at = event.data["to"]
    state = town.credential(person).state
    if state != at:
        yield f"the record says {state}, the evidence {at}"


def _at_the_desk(town: Town, person: Person, own: list[AuditEvent]) -> Iterator[str]:
    """I6: whatever a page said was done is in the evidence, each time."""
    told = [
        it for whose, it in town.office.pages.told if whose == person.holder.credential
    ]
    for choice, kind in EVENTS.items():
        done = sum(1 for event in own if event.kind == kind)
        if told.count(choice) > done:
            yield f"a page said {choice} {told.count(choice)} times, it was {done}"


def _rights(town: Town, person: Person, own: list[AuditEvent]) -> Iterator[str]:
    """I7: nothing leaves the authority without a code where one is wanted."""
    redeemed = {e.operation for e in own if e.kind == "approval.redeemed"}
    for event in own:
        if event.kind in ("escrow.released", "escrow.puk_sent") and (
            event.operation not in redeemed
        ):
            yield f"{event.kind} without a code"


def _chain(events: list[AuditEvent]) -> Iterator[str]:
    verdict = audit.verify(events)
    if not verdict.is_sound:
        yield f"the chain is not sound: {verdict}"


def _secrets(town: Town, events: list[AuditEvent]) -> Iterator[str]:
    """I5: no PIN and no PUK in evidence or on a screen."""
    told = [repr(each) for each in events]
    told += [repr(each) for person in town.people for each in person.shown]
    text = _LONG.sub("", "\n".join(told))
    values = {pin for person in town.people for pin in (*person.pins, *PINS)}
    values |= {bytes(person.puk.reveal()) for person in town.people}
    for value in values:
        if value and value.decode() in text:
            yield "a secret can be read"


_JUDGES = (
    ("I1", _writes),
    ("I2", _once),
    ("I3", _agreement),
    ("I4", _counters),
    ("I6", _edges),
    ("I6", _lives),
    ("I6", _at_the_desk),
    ("I7", _rights),
)
