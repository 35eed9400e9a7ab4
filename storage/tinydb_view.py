"""`view.View` on the tables of a journal: indexes find keys, records are decoded.

Inside a transaction the changed documents are looked at one by one, and what an
index says of them is passed over: indexes know what is committed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from statemachine.lifecycle import State
from storage import names
from storage.audit import Head
from storage.errors import EvidenceDamaged, EvidenceMissing, RecordMissing
from storage.memory_view import fits, is_open, matches, page
from storage.records import (
    Approval,
    AuditEvent,
    Credential,
    EnrollmentToken,
    Frequency,
    Operation,
    Repeat,
    SealingKeyRecord,
    Slip,
    StationRecord,
    Sync,
    Template,
)
from storage.tinydb_evidence import Evidence
from storage.tinydb_indexes import (
    Indexes,
    Values,
)
from storage.tinydb_journal import JournalTable
from storage.tinydb_operations import SealedOperations
from storage.tinydb_tables import Tables, decode, name_of, read, repeat_key, version_key
from storage.view import (
    CARD_PART,
    IN_USE,
    ByExpiry,
    ByHolder,
    ByStart,
    ByTime,
    fold,
)

R = TypeVar("R", Credential, Operation, Approval, StationRecord, EnrollmentToken)


class JournalView:
    """Reads; `_own` indexes what the open transaction has changed."""

    def __init__(self, tables: Tables, indexes: Indexes, evidence: Evidence) -> None:
        self._tables = tables
        self._indexes = indexes
        self._evidence = evidence
        self._ended = SealedOperations(evidence)
        self._own = Values()

    def _known(self, table: JournalTable, kind: type[R], key: str) -> R | None:
        """Return the record; one that is sealed, too."""
        record = read(table, key, kind)
        if record is None and kind is Operation:
            return self._ended.by_id(key)
        return record

    def _get(self, table: JournalTable, kind: type[R], key: str) -> R:
        record = self._known(table, kind, key)
        if record is None:
            raise RecordMissing(kind=name_of(kind), key=key)
        return record

    def _find(
        self, table: JournalTable, kind: type[R], name: str, value: str
    ) -> list[R]:
        changed = table.changed()
        found = self._indexes.values.find(name, value)
        keys = [key for key in found if key not in changed]
        keys += self._own.find(name, value)
        records = (read(table, key, kind) for key in keys)
        return [record for record in records if record is not None]

    def _committed(self, ids: Iterable[str]) -> Iterator[Credential]:
        changed = self._tables.credentials.changed()
        for key in ids:
            if key not in changed:
                yield self.credential(key)

    def _changed(self) -> Iterator[Credential]:
        for raw in self._tables.credentials.changed().values():
            if raw is not None:
                yield decode(Credential, raw)

    # --- credentials ----------------------------------------------------------

    def credential(self, id: str) -> Credential:
        return self._get(self._tables.credentials, Credential, id)

    def credential_by_card(self, card: str) -> Credential | None:
        found = self._find(self._tables.credentials, Credential, "card", card)
        return found[0] if found else None

    def by_key_digest(self, digest: bytes, *, limit: int) -> list[Credential]:
        found = self._indexes.keyed(self._tables.credentials.committed(), digest)
        matching = (
            each
            for each in (*self._committed(found), *self._changed())
            if each.authentication_key is not None
            and each.state is not State.RETIRED
            and hashlib.sha256(each.authentication_key.spki).digest() == digest
        )
        return page(matching, ByHolder.of, limit)

    def credentials(
        self,
        *,
        card: str | None = None,
        account_guid: str | None = None,
        state: State | None = None,
        sync: Sync | None = None,
        template: str | None = None,
        limit: int,
        after: ByHolder | None = None,
    ) -> list[Credential]:
        wanted = {
            "card": card,
            "account_guid": account_guid,
            "state": state,
            "sync": sync,
            "template": template,
        }
        table = self._tables.credentials
        found: list[Credential]
        if card is not None:
            found = self._find(table, Credential, "card", card)
            found += self._find(table, Credential, "retired card", card)
        elif account_guid is not None:
            self._indexes.values.know_accounts(table.committed())
            found = self._find(table, Credential, "account", account_guid)
        else:
            ids = self._scan(names.marked(state, sync, template), after)
            found = self._listed(ids, limit)
        matching = (each for each in found if matches(each, **wanted))
        return page(matching, ByHolder.of, limit, after)

    def _scan(self, pick: names.Pick, after: ByHolder | None = None) -> Iterator[str]:
        known = self._indexes.names(self._tables.credentials.committed())
        return known.scan(pick, after)

    def _listed(self, ids: Iterable[str], limit: int) -> list[Credential]:
        """Read the first few, and whatever this transaction has changed."""
        found: list[Credential] = []
        for credential in self._committed(ids):
            if len(found) >= limit:
                break
            found.append(credential)
        return [*found, *self._changed()]

    def find(
        self,
        term: str,
        *,
        retired: bool | None = None,
        limit: int,
        after: ByHolder | None = None,
    ) -> list[Credential]:
        wanted = fold(term)
        if not wanted:
            return []
        pick = names.part(wanted, of_cards=len(wanted) >= CARD_PART, retired=retired)
        found = self._listed(self._scan(pick, after), limit)
        operation = self._by_event(term, surely=False)
        meant = operation.credential if operation else ""
        by_event = read(self._tables.credentials, meant, Credential)
        if by_event is not None and all(each.id != meant for each in found):
            found.append(by_event)
        matching = (
            each
            for each in found
            if retired in (None, each.state is State.RETIRED)
            and (each.id == meant or fits(each, wanted))
        )
        return page(matching, ByHolder.of, limit, after)

    def named(self, name: str, *, limit: int) -> list[Credential]:
        wanted = fold(name)
        found = self._listed(self._scan(names.whole(wanted)), limit)
        matching = (
            each
            for each in found
            if wanted in (fold(each.card), fold(each.account), fold(each.holder))
        )
        return page(matching, ByHolder.of, limit)

    def expiring_before(
        self, until: float, *, limit: int, after: ByExpiry | None = None
    ) -> list[Credential]:
        committed = self._tables.credentials.committed()
        ids = self._indexes.expiring(committed, until, after)
        matching = (
            each
            for each in self._listed(ids, limit)
            if each.state in IN_USE
            and each.expires_at is not None
            and each.expires_at <= until
        )
        return page(matching, ByExpiry.of, limit, after)

    def count(
        self,
        *,
        state: State | None = None,
        sync: Sync | None = None,
        template: str | None = None,
    ) -> int:
        wanted = {"state": state, "sync": sync, "template": template}
        table = self._tables.credentials
        number = self._indexes.values.count(state, sync, template)
        for key, raw in table.changed().items():
            for document, by in ((table.committed().get(key), -1), (raw, 1)):
                if document is not None:
                    number += by * matches(decode(Credential, document), **wanted)
        return number

    # --- templates ------------------------------------------------------------

    def template(self, name: str, version: int | None = None) -> Template:
        if version is None:
            version = self._newest(name)
        template = read(self._tables.templates, version_key(name, version), Template)
        if template is None:
            raise RecordMissing(kind="template", key=name)
        return template

    def _newest(self, name: str) -> int:
        version = 0
        while self._tables.templates.raw(version_key(name, version + 1)) is not None:
            version += 1
        return version

    def templates(self, *, limit: int, after: str = "") -> list[Template]:
        keys = self._tables.templates.ids()
        found = sorted({key.rpartition("|")[0] for key in keys})
        return [self.template(name) for name in found if name > after][:limit]

    # --- operations -----------------------------------------------------------

    def operation(self, id: str) -> Operation:
        return self._get(self._tables.operations, Operation, id)

    def operation_by_event(self, event: str) -> Operation | None:
        return self._by_event(event, surely=True)

    def _by_event(self, event: str, *, surely: bool) -> Operation | None:
        found = self._find(self._tables.operations, Operation, "event", event)
        sealed = self._ended.by_event(event, surely=surely and not found)
        return max(self._with(found, sealed), key=ByStart.of, default=None)

    def _with(
        self, living: list[Operation], sealed: list[Operation]
    ) -> list[Operation]:
        """Return both; what lives is newer than what is sealed of the same one."""
        table = self._tables.operations
        return living + [each for each in sealed if table.raw(each.id) is None]

    def operations(
        self,
        credential: str,
        *,
        since: float = 0.0,
        limit: int,
        after: ByStart | None = None,
    ) -> list[Operation]:
        table = self._tables.operations
        found = self._find(table, Operation, "operation of", credential)
        sealed = self._ended.of(credential, since=since, limit=limit, after=after)
        both = self._with(found, sealed)
        recent = (each for each in both if each.started_at >= since)
        return page(recent, ByStart.of, limit, after)

    def unsure_writes(self, credential: str, *, since: float) -> int:
        table = self._tables.operations
        found = self._find(table, Operation, "operation of", credential)
        return sum(each.is_unsure and each.started_at >= since for each in found)

    def live_operations(self, credential: str) -> list[Operation]:
        return self._find(self._tables.operations, Operation, "live of", credential)

    def unfinished(self) -> int:
        return len(self._find(self._tables.operations, Operation, "live", ""))

    # --- approvals, repeats -----------------------------------------------------

    def approval(self, id: str) -> Approval:
        return self._get(self._tables.approvals, Approval, id)

    def approvals(
        self, credential: str, *, open_at: float | None = None, limit: int
    ) -> list[Approval]:
        found = [
            each
            for each in self._find(
                self._tables.approvals, Approval, "approval of", credential
            )
            if open_at is None or is_open(each, open_at)
        ]
        return sorted(found, key=lambda each: each.issued_at, reverse=True)[:limit]

    def repeat(self, station: str, key: str) -> Repeat | None:
        return read(self._tables.repeats, repeat_key(station, key), Repeat)

    # --- a fleet ----------------------------------------------------------------

    def station(self, id: str) -> StationRecord:
        return self._get(self._tables.stations, StationRecord, id)

    def stations(self, *, limit: int, after: str = "") -> list[StationRecord]:
        ids = sorted(each for each in self._tables.stations.ids() if each > after)
        return [self.station(each) for each in ids[:limit]]

    def slips(
        self, kind: str, *, of: str | None = None, limit: int, after: str = ""
    ) -> list[Slip]:
        places = (tuple(key.split("\t", 2)) for key in self._tables.slips.ids())
        wanted = sorted(
            place
            for place in places
            if place[0] == kind and of in (None, place[1]) and place[1] > after
        )
        keys = ("\t".join(place) for place in wanted[:limit])
        found = (read(self._tables.slips, key, Slip) for key in keys)
        return [slip for slip in found if slip is not None]

    def token(self, id: str) -> EnrollmentToken:
        return self._get(self._tables.tokens, EnrollmentToken, id)

    def open_tokens(self, *, limit: int, after: str = "") -> list[EnrollmentToken]:
        ids = sorted(each for each in self._tables.tokens.ids() if each > after)
        there = (read(self._tables.tokens, each, EnrollmentToken) for each in ids)
        return list(islice((each for each in there if each and each.is_open), limit))

    def frequency(self, id: str) -> Frequency | None:
        return read(self._tables.frequencies, id, Frequency)

    def sealing_key(self, id: str) -> SealingKeyRecord:
        key = read(self._tables.sealing_keys, id, SealingKeyRecord)
        if key is None:
            raise RecordMissing(kind="sealing key", key=id)
        return key

    def newest_sealing_key(self) -> SealingKeyRecord | None:
        keys = map(self.sealing_key, self._tables.sealing_keys.ids())
        return max(keys, key=lambda each: (each.made_at, each.id), default=None)

    # --- evidence ---------------------------------------------------------------

    def heads(self) -> dict[str, Head]:
        found: dict[str, Head] = {}
        for lane in sorted(self._tables.heads.ids()):
            head = read(self._tables.heads, lane, Head)
            if head is not None:
                found[lane] = head
        return found

    def last_event(self, lane: str) -> AuditEvent | None:
        head = read(self._tables.heads, lane, Head)
        return None if head is None else self._evidence.link(lane, head.seq)

    def events(
        self,
        *,
        credential: str | None = None,
        operation: str | None = None,
        kind: str | None = None,
        station: str | None = None,
        since: float | None = None,
        until: float | None = None,
        newest_first: bool = False,
        limit: int,
        after: ByTime | None = None,
        missing: list[EvidenceMissing | EvidenceDamaged] | None = None,
    ) -> list[AuditEvent]:
        wanted = {
            "credential": credential,
            "operation": operation,
            "kind": kind,
            "station": station,
        }
        found = self._evidence.matching(
            {name: value for name, value in wanted.items() if value is not None},
            since=since,
            until=until,
            after=after,
            newest_first=newest_first,
            limit=limit,
            missing=missing,
        )
        return page(found, ByTime.of, limit, after, backwards=newest_first)
