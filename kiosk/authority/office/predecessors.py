"""Who had a card before, and what the escrow has to open it again.

Only for a retired card, and only for who may issue. Every PUK of ours is written down
before it is sent; one that the card has refused is never handed out again.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from kiosk.authority.escrow import puk_unblock, puks
from kiosk.authority.escrow.escrowed_secrets import PENDING, TRANSPORT, open_field
from kiosk.authority.escrow.escrowed_secrets import seal_field as seal
from kiosk.authority.office.card_values import Openers, Predecessor
from kiosk.authority.office.desk import Desk
from kiosk.authority.office.errors import AlreadyOnRecord, NotBegun
from kiosk.authority.office.operators import Action, require
from kiosk.authority.values import PukTry
from kiosk.core.secret import Secret
from statemachine import candidates
from statemachine.candidates import Label, Puk
from statemachine.lifecycle import State
from storage.records import Credential
from storage.registry import Tx
from storage.view import View

ADMIN_KEY, ADMIN_KEY_BEFORE = "admin_key", "admin_key_before"
"""Fields of an envelope, beside those of `escrow.escrowed_secrets`."""
_EARLIER = 1_000
"""How often one card may have been issued before."""


def last_of(desk: Desk, card: str) -> Predecessor | None:
    """Return the last credential of a card. NotInRole, AlreadyOnRecord."""
    require(desk.operator, Action.ISSUE)

    def read(view: View) -> list[Credential]:
        live = view.credential_by_card(card)
        if live is not None:
            raise AlreadyOnRecord(credential=live.id)
        return view.credentials(card=card, state=State.RETIRED, limit=_EARLIER)

    retired = desk.parts.registry.read(read)
    last = max(retired, key=lambda each: each.issued_at, default=None)
    if last is None:
        return None
    keys = (last.authentication_key, last.card_authentication_key)
    return Predecessor(
        id=last.id,
        account_guid=last.account_guid,
        keys=tuple(key for key in keys if key is not None),
        is_unfinished=is_unfinished(last),
        forms_refused=last.escrow.forms_refused,
    )


def is_unfinished(credential: Credential) -> bool:
    """Say whether a personalisation ended before its keys went on record."""
    has_key = credential.authentication_key is not None
    return not has_key and not credential.migrated and credential.pin_changed_at is None


def openers(desk: Desk, credential: str) -> Openers:
    """Hand out what may open a retired card. NotInRole, NotBegun, VaultError."""
    require(desk.operator, Action.ISSUE)
    parts = desk.parts
    found = parts.registry.read(lambda view: view.credential(credential))
    if found.state is not State.RETIRED:
        raise NotBegun(credential=credential)
    opened: list[Secret] = []

    def opens(field: str, envelope: str) -> Secret | None:
        if not envelope:
            return None
        opened.append(open_field(parts, credential, field, envelope))
        return opened[-1]

    try:
        tries: list[PukTry] = []
        puk = puks.of(found.escrow)
        for label in puk.remaining():
            opened.append(puk_unblock.value(parts, found, label))
            tries.append(PukTry(label=label, secret=opened[-1]))
        begun = found.transport_pin_sealed if is_unfinished(found) else ""
        return Openers(
            puks=tuple(tries),
            puk_left=puk.left,
            admin_key=opens(ADMIN_KEY, found.admin_key_sealed),
            admin_key_before=opens(ADMIN_KEY_BEFORE, found.admin_key_before_sealed),
            transport_pin=opens(TRANSPORT, begun),
        )
    except BaseException:
        for secret in opened:
            secret.wipe()
        raise


# --- what became of what was handed out ---------------------------------------


def puk_sent(desk: Desk, credential: str, label: Label) -> None:
    """A PUK is about to be sent: one that was handed out, or the factory's.

    The factory's is none that we keep: it is written down like a typed one.
    """
    if label is Label.TYPED:
        _puk(desk, credential, lambda it: candidates.typing(it, None))
    else:
        _puk(desk, credential, lambda it: candidates.released(it, label, None))


def puk_refused(desk: Desk, credential: str, label: Label, left: int | None) -> None:
    """The card compared it and said no; it told `left`."""
    _puk(desk, credential, lambda it: candidates.refused(it, label, left))


def puk_taken(desk: Desk, credential: str, label: Label) -> None:
    """The card took it."""
    is_new = label is Label.PENDING
    _puk(desk, credential, lambda it: candidates.taken(it, label), promotes=is_new)


def _puk(
    desk: Desk, id: str, change: Callable[[Puk], Puk], *, promotes: bool = False
) -> None:
    require(desk.operator, Action.ISSUE)

    def commit(tx: Tx) -> None:
        current = tx.credential(id)
        if current.state is not State.RETIRED:
            raise NotBegun(credential=id)
        tx.save_credential(
            puk_unblock.changed(desk.parts, current, change, promotes=promotes)
        )

    desk.parts.registry.run(commit)


def transport_pin_refused(desk: Desk, credential: str) -> None:
    """The card does not have, or take, the PIN that was about to be set: forget it."""
    keep_transport_pin(desk, credential, None)


def keep_transport_pin(desk: Desk, credential: str, pin: Secret | None) -> None:
    """Keep a PIN that is about to be set on a card that is being made; None: none."""
    require(desk.operator, Action.ISSUE)

    def commit(tx: Tx) -> None:
        current = tx.credential(credential)
        must_be_unfinished(current)
        sealed = "" if pin is None else seal(desk.parts, credential, TRANSPORT, pin)
        tx.save_credential(replace(current, transport_pin_sealed=sealed))

    desk.parts.registry.run(commit)


def keep_puk_of_digits(desk: Desk, credential: str, puk: Secret) -> None:
    """Keep a PUK of digits in place of the one that was definitely refused."""
    require(desk.operator, Action.ISSUE)

    def commit(tx: Tx) -> None:
        current = tx.credential(credential)
        must_be_unfinished(current)
        escrow = replace(
            current.escrow,
            pending_sealed=seal(desk.parts, credential, PENDING, puk),
            forms_refused=current.escrow.forms_refused + 1,
        )
        tx.save_credential(replace(current, escrow=escrow))

    desk.parts.registry.run(commit)


def must_be_unfinished(credential: Credential) -> None:
    """Let pass a credential whose card is being made. NotBegun."""
    if not is_unfinished(credential):
        raise NotBegun(credential=credential.id)
