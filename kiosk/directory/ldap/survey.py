"""Many accounts at once: for reports, on one connection, a few searches for each batch.

A user's groups can be asked for one user at a time only (MS-ADTS 3.1.1.4.5.19), so
those questions are sent together. All else of a batch comes in one answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from ldap3.utils.conv import escape_bytes

from kiosk.directory.errors import (
    AccountMissing,
    DirectoryError,
    PolicyUnreadable,
    ReadFailed,
)
from kiosk.directory.ldap import visibility
from kiosk.directory.ldap.accounts import (
    ATTRIBUTES,
    USER,
    Unjudgeable,
    account_of,
    guid_of,
)
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.many_reads import Entry
from kiosk.directory.ldap.policies import policy_named, policy_of_domain
from kiosk.directory.values import PasswordPolicy, Surveyed

_GROUPS = "tokenGroups"
_POLICY = "msDS-ResultantPSO"


class Survey:
    """Lives as long as its channel; remembers the policies that it met."""

    def __init__(self, channel: Channel, head: str, token: frozenset[str]) -> None:
        """`head`: the domain's DN. `token`: the SIDs of this connection."""
        self._channel = channel
        self._head = head
        self._token = token
        self._policies: dict[str, PasswordPolicy | PolicyUnreadable] = {}

    def of(self, guids: Sequence[str], now: float) -> Mapping[str, Surveyed]:
        """Return what is seen of each. ReadFailed: of the batch as a whole."""
        entries = self._entries(guids)
        asked = [f"<GUID={guid}>" for guid in entries]
        groups = dict(
            zip(entries, self._channel.read_each(asked, _GROUPS), strict=True)
        )
        return {
            guid: self._one(guid, entries.get(guid), groups.get(guid), now)
            for guid in guids
        }

    def _entries(self, guids: Sequence[str]) -> dict[str, Entry]:
        known = [each for guid in guids if (each := _binary(guid))]
        if not known:
            return {}
        either = "".join(f"(objectGUID={escape_bytes(each)})" for each in known)
        wanted = [name for name in ATTRIBUTES if name != _GROUPS]
        found = self._channel.guards(
            self._head,
            f"(&{USER}(|{either}))",
            *("objectSid", _POLICY, *wanted),
            most=len(guids),
        )
        return dict(filter(None, map(_named, found)))

    def _one(
        self, guid: str, entry: Entry | None, groups: Entry | None, now: float
    ) -> Surveyed:
        if entry is None:
            return Surveyed(trouble=AccountMissing(account=guid))
        try:
            if not entry.get("adminCount"):
                visibility.must_be_readable(entry, self._token, "adminCount")
            whole = {**entry, _GROUPS: (groups or {}).get(_GROUPS, ())}
            account = account_of(whole, now)
            return Surveyed(account=account, policy=self._policy(entry))
        except Unjudgeable as error:
            dc, hidden = self._channel.dc, str(error)
            trouble: DirectoryError = ReadFailed(
                dc=dc, reason="hidden", attribute=hidden
            )
            return Surveyed(trouble=trouble)
        except PolicyUnreadable as error:
            return Surveyed(trouble=error)

    def _policy(self, entry: Entry) -> PasswordPolicy:
        """Return the policy that a user is under. PolicyUnreadable, ReadFailed."""
        named = entry.get(_POLICY, ())
        dn = named[0].decode("utf-8", "replace") if named else ""
        if dn not in self._policies:
            self._policies[dn] = self._read_policy(dn)
        known = self._policies[dn]
        if isinstance(known, PolicyUnreadable):
            raise known
        return known

    def _read_policy(self, dn: str) -> PasswordPolicy | PolicyUnreadable:
        try:
            if dn:
                return policy_named(self._channel, dn)
            return policy_of_domain(self._channel)
        except PolicyUnreadable as error:
            return error


def _named(entry: Entry) -> tuple[str, Entry] | None:
    """Return an object with what it is known by; None: that cannot be read."""
    try:
        return guid_of(entry), entry
    except Unjudgeable:
        return None


def _binary(guid: str) -> bytes:
    """Return an objectGUID as it is stored; empty: it is none."""
    try:
        return uuid.UUID(guid).bytes_le
    except ValueError:
        return b""
