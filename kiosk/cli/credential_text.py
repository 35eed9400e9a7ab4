"""Credentials as text and as JSON. Names in them are outside text, made visible."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import msgspec

from kiosk.authority.escrow import puks
from kiosk.authority.office.values import (
    CredentialView,
)
from kiosk.cli.ending import words
from kiosk.core.errors import Message
from kiosk.core.untrusted_text import visible
from storage.records import AuditEvent, Credential, PublicKey

_HEAD = ("id", "holder", "account", "state", "password", "template")


_PAGE = 100
"""Lines that are made as wide as each other; those that follow are no narrower."""


def table(credentials: Iterable[Credential]) -> Iterator[str]:
    """Yield lines of aligned columns, one a credential; a page is held at a time."""
    rows = chain([_HEAD], map(_row, credentials))
    widths = [0] * len(_HEAD)
    while page := list(islice(rows, _PAGE)):
        widths = [
            max(width, *(len(row[column]) for row in page))
            for column, width in enumerate(widths)
        ]
        for row in page:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            yield "  ".join(cells).rstrip()


def _row(credential: Credential) -> tuple[str, ...]:
    return (
        credential.id,
        visible(credential.holder, 32),
        visible(credential.account, 40),
        credential.state,
        credential.sync,
        f"{visible(credential.template, 24)} {credential.template_version}",
    )


def page(view: CredentialView) -> str:
    """Return everything about one credential, for a person."""
    return "\n".join(_page(view))


def _page(view: CredentialView) -> Iterator[str]:
    credential = view.credential
    yield f"{visible(credential.holder)}  {visible(credential.account)}"
    yield ""
    for name, value in _facts(credential):
        yield f"  {name:<16} {value}"
    yield ""
    for actor, offers in (
        ("the holder", view.holder_may),
        ("an operator", view.operator_may),
    ):
        yield f"What {actor} may do now:"
        for what, refusal in offers.items():
            yield f"  {what:<16} {'yes' if refusal is None else words(refusal)}"
        yield ""
    for code in view.codes:
        yield f"A {code.kind} code is open until {moment(code.expires_at)}."
    yield "History:"
    for event in view.history:
        yield f"  {moment(event.at)}  {_event(event)}"


def _facts(credential: Credential) -> Iterator[tuple[str, str]]:
    yield "id", credential.id
    yield "card", credential.card
    held = f" (was {credential.suspended_from})" if credential.suspended_from else ""
    yield "state", f"{credential.state}{held}"
    why = credential.sync_reason
    yield "password", credential.sync + (f": {words(Message(why))}" if why else "")
    if credential.last_sync is not None:
        last = credential.last_sync
        by = f"mark {last.mark.version}" if last.mark else "known by its time only"
        yield "last written", f"{moment(last.at)} on {visible(last.dc)}, {by}"
    yield "template", f"{visible(credential.template)} {credential.template_version}"
    yield "signs with", _key(credential.authentication_key)
    yield "proves itself", _key(credential.card_authentication_key)
    escrow = credential.escrow
    yield "PUK", words(Message(puks.sentence(credential)))
    if escrow.forms_refused and puks.waits(credential):
        yield "", words(Message("desk.puk_form_refused"))
    yield "issued", moment(credential.issued_at)


def _key(key: PublicKey | None) -> str:
    return "no key on record" if key is None else f"{key.slot} {key.algorithm}"


def _event(event: AuditEvent) -> str:
    details = " ".join(
        f"{name}={visible(value, 48)}"
        for name, value in event.data.items()
        if len(value) <= 64  # keys and signatures are for `kiosk audit export`
    )
    parts = (event.kind, visible(event.actor), event.station, event.result, details)
    return "  ".join(part for part in parts if part)


def taken(credential: Credential) -> str:
    """Say what is on record now."""
    key = "keyless" if credential.authentication_key is None else "with_key"
    return words(
        Message(
            f"enrollment.taken_{key}",
            {"holder": credential.holder, "id": credential.id},
        )
    )


def issued(credential: Credential) -> str:
    """Say which card was issued to whom."""
    return words(
        Message(
            "enrollment.issued",
            {"holder": credential.holder, "id": credential.id},
        )
    )


def moment(at: float) -> str:
    """Return a time as people read it, in this machine's zone."""
    local = datetime.datetime.fromtimestamp(at, datetime.UTC).astimezone()
    return local.strftime("%Y-%m-%d %H:%M:%S")


# --- JSON --------------------------------------------------------------------


def list_json(credentials: Iterable[Credential]) -> Iterator[str]:
    """Yield the list for a program, one credential at a time; nothing sealed."""
    before = "["
    for each in credentials:
        yield f"{before}{_json(_fields(each))}"
        before = ","
    yield "[]" if before == "[" else "]"


def view_json(view: CredentialView) -> str:
    """Return the page for a program; without anything sealed."""
    return _json(
        {
            **_fields(view.credential),
            "holder_may": _offers(view.holder_may),
            "operator_may": _offers(view.operator_may),
            "open_codes": [
                {"kind": code.kind, "expires_at": code.expires_at}
                for code in view.codes
            ],
            "history": view.history,
        }
    )


def _offers(offers: Any) -> dict[str, str | None]:
    return {
        what: None if refusal is None else refusal.key
        for what, refusal in offers.items()
    }


def _fields(credential: Credential) -> dict[str, Any]:
    key, proving = credential.authentication_key, credential.card_authentication_key
    return {
        "id": credential.id,
        "card": credential.card,
        "holder": credential.holder,
        "account": credential.account,
        "account_guid": credential.account_guid,
        "state": credential.state,
        "suspended_from": credential.suspended_from,
        "sync": credential.sync,
        "sync_reason": credential.sync_reason,
        "template": credential.template,
        "template_version": credential.template_version,
        "authentication_key": None if key is None else key.algorithm,
        "card_authentication_key": None if proving is None else proving.algorithm,
        "puk": puks.of(credential.escrow).known,
        "puk_in_escrow": puks.can_release(credential.escrow),
        "puk_rotation_due": puks.waits(credential),
        "puk_tries_left_at_worst": puks.of(credential.escrow).left,
        "migrated": credential.migrated,
        "issued_at": credential.issued_at,
        "pin_changed_at": credential.pin_changed_at,
        "last_sync": credential.last_sync,
    }


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value)).decode()
