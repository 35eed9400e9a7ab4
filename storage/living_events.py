"""Which living events are whose: kept from when a credential's page is first asked for.

So a page costs the credential's own events, however many others live. One thread.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from storage.known_types import known


class _Whose(msgspec.Struct, gc=False):
    """The field of an event that is indexed; the rest is skipped."""

    credential: str = ""


_whose = msgspec.json.Decoder(known(_Whose)).decode


class LivingEvents:
    """Credentials to the keys of their committed events that live in the journal."""

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, None]] | None = None
        """None: nobody has asked since `forget`."""

    def forget(self) -> None:
        """Hold nothing: everything is to be read anew."""
        self._keys = None

    def change(self, key: str, before: bytes | None, after: bytes | None) -> None:
        """Hear what became true of one event."""
        if self._keys is None:
            return
        if before is not None:
            credential = _whose(before).credential
            keys = self._keys[credential]
            del keys[key]
            if not keys:
                del self._keys[credential]
        if after is not None:
            self._keys.setdefault(_whose(after).credential, {})[key] = None

    def of(self, credential: str, committed: Mapping[str, bytes]) -> list[str]:
        """Return the keys of its events; `committed`: all events that live."""
        if self._keys is None:
            self._keys = {}
            for key, raw in committed.items():
                self.change(key, None, raw)
        return list(self._keys.get(credential, ()))
