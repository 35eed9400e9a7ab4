"""What is found without reading records: values to keys, from what became true.

What every visit asks for is kept from the start. What only a desk asks for (names,
accounts, expiry) or a card that nobody knows (keys) is built when first asked for.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice

import msgspec

from statemachine.lifecycle import State
from statemachine.operation import Phase
from storage.known_types import known
from storage.living_events import LivingEvents
from storage.names import NameRow, Names
from storage.records import Sync
from storage.view import IN_USE, ByExpiry, fold

CREDENTIALS, TEMPLATES, OPERATIONS = "credentials", "templates", "operations"
NONCES, APPROVALS, AUDIT, HEADS = "nonces", "approvals", "audit", "heads"
REPEATS, SEGMENTS = "repeats", "segments"
STATIONS, TOKENS, SEALING_KEYS = "stations", "tokens", "sealing_keys"
FREQUENCIES, SLIPS = "frequencies", "slips"
INDEXED = (CREDENTIALS, OPERATIONS, APPROVALS)
Marks = tuple[str, str, str]
Documents = Mapping[str, bytes]


class _CredentialKeys(msgspec.Struct, gc=False):
    """The fields of a credential that are indexed; the rest is skipped."""

    card: str
    account_guid: str
    state: str
    template: str
    sync: str = Sync.NEVER

    @property
    def marks(self) -> Marks:
        return self.state, self.sync, self.template


class _CredentialNames(_CredentialKeys, gc=False):
    id: str = ""
    holder: str = ""
    account: str = ""


class _Key(msgspec.Struct):
    spki: bytes


class _CredentialExpiry(msgspec.Struct):
    id: str
    state: str
    expires_at: float | None = None


class _CredentialKey(msgspec.Struct):
    state: str
    authentication_key: _Key | None = None


class _OperationKeys(msgspec.Struct):
    credential: str
    event: str
    phase: str
    written: bool = False
    ended_at: float | None = None

    @property
    def is_unsure(self) -> bool:
        return self.written and self.phase == Phase.OUT_OF_STEP


class _ApprovalKeys(msgspec.Struct):
    credential: str


_credential_keys = msgspec.json.Decoder(known(_CredentialKeys)).decode
_credential_names = msgspec.json.Decoder(known(_CredentialNames)).decode
_credential_expiry = msgspec.json.Decoder(known(_CredentialExpiry)).decode
_credential_key = msgspec.json.Decoder(known(_CredentialKey)).decode
_operation_keys = msgspec.json.Decoder(known(_OperationKeys)).decode
_approval_keys = msgspec.json.Decoder(known(_ApprovalKeys)).decode


class Values:
    """Values to keys. Most values have one key; only those with several pay for a
    dict.
    """

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, str | dict[str, None]]] = defaultdict(dict)
        self._lacks_accounts = False
        self.marks: Counter[Marks] = Counter()
        """How many credentials have which state, sync and template."""

    def clear(self) -> None:
        self._keys.clear()
        self._lacks_accounts = False
        self.marks.clear()

    def load(self, table: str, documents: Documents) -> None:
        """Take all documents of a table that had none."""
        if table == CREDENTIALS:
            self._load_credentials(documents)
            return
        marks = self.marks
        for key, raw in documents.items():
            values, mark = _values(table, raw)
            if mark is not None:
                marks[mark] += 1
            for name, value in values:
                index = self._keys[name]
                if index.setdefault(value, key) is not key:
                    self._add(index, value, key)

    def _load_credentials(self, documents: Documents) -> None:
        """Do what `load` does with each: there may be a million of them."""
        marks: Counter[Marks] = Counter()
        cards, retired_cards = self._keys["card"], self._keys["retired card"]
        retired = State.RETIRED.value
        self._lacks_accounts = True
        for key, raw in documents.items():
            each = _credential_keys(raw)
            state = each.state
            marks[state, each.sync, each.template] += 1
            used = retired_cards if state == retired else cards
            if used.setdefault(each.card, key) is not key:
                self._add(used, each.card, key)
        self.marks.update(marks)

    def know_accounts(self, documents: Documents) -> None:
        """Index the accounts of these credentials, if `load` has left them out."""
        if self._lacks_accounts:
            self._lacks_accounts = False
            accounts = self._keys["account"]
            for key, raw in documents.items():
                self._add(accounts, _credential_keys(raw).account_guid, key)

    def change(
        self, table: str, key: str, before: bytes | None, after: bytes | None
    ) -> None:
        old, mark = _values(table, before) if before is not None else ([], None)
        new, next_mark = _values(table, after) if after is not None else ([], None)
        if self._lacks_accounts and table == CREDENTIALS:
            old, new = _without_account(old), _without_account(new)
        if mark != next_mark:
            self._count(mark, -1)
            self._count(next_mark, 1)
        for name, value in old:
            if (name, value) not in new:
                self._remove(self._keys[name], value, key)
        for name, value in new:
            self._add(self._keys[name], value, key)

    def _count(self, mark: Marks | None, by: int) -> None:
        if mark is not None:
            self.marks[mark] += by

    @staticmethod
    def _add(index: dict[str, str | dict[str, None]], value: str, key: str) -> None:
        held = index.setdefault(value, key)
        if isinstance(held, dict):
            held[key] = None
        elif held != key:
            index[value] = {held: None, key: None}

    @staticmethod
    def _remove(index: dict[str, str | dict[str, None]], value: str, key: str) -> None:
        held = index.get(value)
        if isinstance(held, dict):
            held.pop(key, None)
        if held in (key, {}):
            del index[value]

    def find(self, name: str, value: str) -> list[str]:
        """Return the keys with that value, in the order they came."""
        held = self._keys[name].get(value, ())
        return [held] if isinstance(held, str) else list(held)

    def first(self, name: str, value: str, most: int) -> list[str]:
        """Return the first `most` of what `find` returns."""
        held = self._keys[name].get(value, ())
        return [held] if isinstance(held, str) else list(islice(held, most))

    def size(self, name: str, value: str) -> int:
        """Return how many `find` returns."""
        held = self._keys[name].get(value, ())
        return 1 if isinstance(held, str) else len(held)

    def count(self, state: str | None, sync: str | None, template: str | None) -> int:
        wanted = (state, sync, template)
        return sum(
            number
            for mark, number in self.marks.items()
            if all(w in (None, own) for w, own in zip(wanted, mark, strict=True))
        )


def _without_account(values: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [each for each in values if each[0] != "account"]


def _values(table: str, raw: bytes) -> tuple[list[tuple[str, str]], Marks | None]:
    """Return (index, value) of one document, and what it is counted by."""
    match table:
        case "credentials":
            each = _credential_keys(raw)
            retired = each.state == State.RETIRED
            values = [
                ("account", each.account_guid),
                ("retired card" if retired else "card", each.card),
            ]
            return values, each.marks
        case "operations":
            operation = _operation_keys(raw)
            values = [
                ("operation of", operation.credential),
                ("event", operation.event),
            ]
            if operation.ended_at is None:
                values += [("live", ""), ("live of", operation.credential)]
            elif not operation.is_unsure:
                values.append(("ended", ""))
            return values, None
        case _:
            return [("approval of", _approval_keys(raw).credential)], None


class Indexes:
    """`journal.Listener`: everything that is derived from the documents."""

    def __init__(self) -> None:
        self.values = Values()
        self.living = LivingEvents()
        self.generation = 0
        """Counts what became true of the segments, and beginnings anew."""
        self._credentials: Documents = {}
        self._names: Names | None = None
        self._expiry: list[ByExpiry] | None = None
        self._digests: dict[int, list[str]] | None = None

    def load(self, tables: Mapping[str, Documents]) -> None:
        self.values.clear()
        self.living.forget()
        self.generation += 1
        self._names = self._expiry = self._digests = None
        self._credentials = tables.get(CREDENTIALS, {})
        for table in INDEXED:
            self.values.load(table, tables.get(table, {}))

    def listen(
        self, table: str, key: str, before: bytes | None, after: bytes | None
    ) -> None:
        if table == SEGMENTS:
            self.generation += 1
        if table == AUDIT:
            self.living.change(key, before, after)
        if table not in INDEXED:
            return
        self.values.change(table, key, before, after)
        if table != CREDENTIALS:
            return
        if self._names is not None:
            self._names.change(_row(before), _row(after))
        if self._expiry is not None:
            self._move_expiry(self._expiry, _expiry(before), _expiry(after))
        if self._digests is not None:
            self._move_digest(self._digests, key, _digest(before), _digest(after))

    # --- built when first asked for ---------------------------------------------

    def names(self, credentials: Documents) -> Names:
        """Return the credentials by holder."""
        if self._names is None:
            self._names = Names(filter(None, map(_row, credentials.values())))
        return self._names

    def expiring(
        self, credentials: Documents, until: float, after: ByExpiry | None
    ) -> Iterator[str]:
        """Yield the ids of those in use that expire by then, in that order."""
        if self._expiry is None:
            self._expiry = sorted(filter(None, map(_expiry, credentials.values())))
        places = self._expiry
        begin = 0 if after is None else bisect_right(places, after)
        for number in range(begin, len(places)):
            if places[number].expires_at > until:
                return
            yield places[number].id

    def keyed(self, credentials: Documents, digest: bytes) -> list[str]:
        """Return the ids of those that may have this key: compare the digests."""
        if self._digests is None:
            self._digests = {}
            for key, raw in credentials.items():
                self._move_digest(self._digests, key, None, _digest(raw))
        return list(self._digests.get(_short(digest), ()))

    @staticmethod
    def _move_expiry(
        places: list[ByExpiry], before: ByExpiry | None, after: ByExpiry | None
    ) -> None:
        if before == after:
            return
        if before is not None:
            del places[bisect_left(places, before)]
        if after is not None:
            insort(places, after)

    @staticmethod
    def _move_digest(
        digests: dict[int, list[str]], key: str, before: int | None, after: int | None
    ) -> None:
        if before == after:
            return
        if before is not None:
            digests[before].remove(key)
        if after is not None:
            digests.setdefault(after, []).append(key)


def _row(raw: bytes | None) -> NameRow | None:
    if raw is None:
        return None
    each = _credential_names(raw)
    return NameRow(
        fold(each.holder), each.id, fold(each.account), fold(each.card), each.marks
    )


def _expiry(raw: bytes | None) -> ByExpiry | None:
    if raw is None:
        return None
    each = _credential_expiry(raw)
    if each.expires_at is None or each.state not in IN_USE:
        return None
    return ByExpiry(each.expires_at, each.id)


def _digest(raw: bytes | None) -> int | None:
    if raw is None:
        return None
    each = _credential_key(raw)
    if each.authentication_key is None or each.state == State.RETIRED:
        return None
    return _short(hashlib.sha256(each.authentication_key.spki).digest())


def _short(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big")
