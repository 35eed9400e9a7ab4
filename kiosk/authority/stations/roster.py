"""Which stations may ask, as the registry knows them: judged at every call.

A station that is revoked is refused from then on, by every process and in the middle
of a visit too; so is one that asks for what its role has no part in. Both stand in the
evidence, once in a while: who asks on and on fills no chain.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence

from msgspec.structs import replace

from kiosk.authority.errors import StationMayNot, StationUnknown
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.stations.keys import Algorithm, StationPublicKey
from kiosk.authority.stations.operating import OPERATING
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.signing import Proven, verify
from kiosk.config.sections.station import StationRole
from storage.errors import RecordMissing, RegistryError
from storage.records import AuditDraft, StationRecord, StationStanding
from storage.registry import Tx

SEEN_SECONDS = 60.0
"""How exactly it is remembered when a station was last heard."""
TOLD_SECONDS = 600.0
"""Between two events that say the same of one station."""
_REMEMBERED = 1024
_PROGRAM = "pin-kiosk/"
_LONGEST_PROGRAM = 40

log = logging.getLogger(__name__)


class Roster:
    """Says whose a request is, and whether they may. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: OrderedDict[tuple[str, str], float] = OrderedDict()

    def may_visit(self, parts: RequiredPorts, request: HttpRequest) -> Proven:
        """`service.callers.Verify` for the calls of a visit.

        As `signing.verify`; StationMayNot: operators stand there. RegistryError.
        """
        return self._judged(parts, request, (StationRole.SELF_SERVICE,))

    def may_operate(self, parts: RequiredPorts, request: HttpRequest) -> Proven:
        """`operating.KnownDesks`."""
        return self._judged(parts, request, OPERATING)

    def may_report(self, parts: RequiredPorts, request: HttpRequest) -> Proven:
        """`reporting.KnownStations`."""
        return self._judged(parts, request, tuple(StationRole), is_kept=True)

    def operates(self, parts: RequiredPorts, station: str) -> StationRole:
        """`operating.KnownDesks`."""
        try:
            known = parts.registry.read(lambda view: view.station(station))
        except RecordMissing:
            raise StationUnknown(station=station) from None
        if not _is_heard(known):
            raise StationUnknown(station=station)
        if known.role not in OPERATING:
            raise StationMayNot(station=station, role=known.role)
        return StationRole(known.role)

    # --- inside -----------------------------------------------------------------

    def _judged(
        self,
        parts: RequiredPorts,
        request: HttpRequest,
        roles: Sequence[StationRole],
        *,
        is_kept: bool = False,
    ) -> Proven:
        """`is_kept`: whoever asks keeps when it was heard; one write is enough."""
        found: list[StationRecord] = []

        def key_of(id: str) -> StationPublicKey | None:
            try:
                known = parts.registry.read(lambda view: view.station(id))
            except RecordMissing:
                return None
            found.append(known)
            return StationPublicKey(
                algorithm=Algorithm(known.algorithm), raw=known.public_key
            )

        proven = verify(request, key_of, parts.clock)
        known = found[-1]
        if not _is_heard(known):
            self._tell(parts, known, "station.revoked_asked", request)
            raise StationUnknown(station=known.id)
        if known.role not in roles:
            self._tell(parts, known, "station.role_refused", request)
            raise StationMayNot(station=known.id, role=known.role)
        if not is_kept and abs(parts.clock.now() - known.last_seen) >= SEEN_SECONDS:
            _remember(parts, known, request)
        return proven

    def _tell(
        self,
        parts: RequiredPorts,
        station: StationRecord,
        kind: str,
        request: HttpRequest,
    ) -> None:
        """Put it into the evidence, unless that was done lately."""
        now = parts.clock.monotonic()
        with self._lock:
            before = self._told.get((station.id, kind))
            if before is not None and now - before < TOLD_SECONDS:
                return
            self._told[station.id, kind] = now
            self._told.move_to_end((station.id, kind))
            while len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
        draft = AuditDraft(
            at=parts.clock.now(),
            station=station.id,
            kind=kind,
            actor="station",
            data={"path": request.path[:64], "role": station.role},
        )
        try:
            parts.registry.run(lambda tx: tx.audit(draft))
        except RegistryError as error:  # it is refused whether it is told or not
            log.warning("stations.refusal_not_told code=%s", error.code)


def _is_heard(known: StationRecord) -> bool:
    """Say whether it is one of the fleet still."""
    return known.state is StationStanding.ACTIVE


def _remember(
    parts: RequiredPorts, station: StationRecord, request: HttpRequest
) -> None:
    """Keep when it was heard, and what runs there. What fails is logged."""
    now = parts.clock.now()
    program = _program(request)

    def save(tx: Tx) -> None:
        known = tx.station(station.id)
        if abs(now - known.last_seen) >= SEEN_SECONDS:
            tx.save_station(replace(known, last_seen=now, program=program))

    try:
        parts.registry.run(save)
    except RegistryError as error:
        log.warning("stations.not_remembered code=%s", error.code)


def _program(request: HttpRequest) -> str:
    """Return the version that a station says it runs; empty: it says none of ours."""
    said = request.headers.get("user-agent", "")
    version = said.removeprefix(_PROGRAM)
    is_ours = said.startswith(_PROGRAM) and version.isascii() and version.isprintable()
    return version[:_LONGEST_PROGRAM] if is_ours else ""
