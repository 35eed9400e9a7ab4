"""What leaves the authority of a credential: all but what is sealed in it."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec.structs import replace

from storage.records import Credential, Escrow

SEALED = "sealed"
"""Stands where an envelope is kept: that there is one is no secret."""

_Record = TypeVar("_Record", Credential, Escrow)


def shown(credential: Credential) -> Credential:
    """Return the credential without its envelopes."""
    return replace(_bare(credential), escrow=_bare(credential.escrow))


def _bare(record: _Record) -> _Record:
    kept = {
        field.name: SEALED
        for field in msgspec.structs.fields(record)
        if field.name.endswith("_sealed") and getattr(record, field.name)
    }
    return replace(record, **kept)
