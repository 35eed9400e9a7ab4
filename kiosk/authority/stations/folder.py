"""The stations of a fleet as a folder on the authority's host: `<name>.toml` is one.

Looked at for every request: a station whose file is taken away, or says that it is
revoked, is refused from then on, in the middle of a visit too.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Annotated

import msgspec

from kiosk.authority.errors import StationMayNot, StationUnknown
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.stations.keys import Algorithm, StationPublicKey
from kiosk.authority.stations.operating import OPERATING
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.signing import Proven, verify
from kiosk.config import toml_file
from kiosk.config.sections.station import STATION_NAME, StationRole

_NAME = re.compile(STATION_NAME)


class StationFile(msgspec.Struct, frozen=True, kw_only=True):
    """What an authority knows of one station."""

    algorithm: Algorithm = Algorithm.ED25519
    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]+=*\Z")]
    """Base64 of its public key."""
    role: StationRole
    revoked: bool = False

    @property
    def public(self) -> StationPublicKey:
        """The key that judges its signatures."""
        return StationPublicKey(
            algorithm=self.algorithm, raw=base64.b64decode(self.key)
        )


def text_of(public: StationPublicKey, role: StationRole) -> str:
    """Return the file of a station."""
    key = base64.b64encode(public.raw).decode()
    return f'algorithm = "{public.algorithm}"\nkey = "{key}"\nrole = "{role}"\n'


class StationsFolder:
    """Says whose a request is. Any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def may_visit(self, parts: RequiredPorts, request: HttpRequest) -> Proven:
        """`service.callers.Verify` for the calls of a visit.

        As `signing.verify`; StationMayNot: operators stand there. FileErrors.
        """
        proven = verify(request, self._key_of, parts.clock)
        found = self._file(proven.station)
        if found is None:
            raise StationUnknown(station=proven.station)  # revoked this moment
        if found.role is not StationRole.SELF_SERVICE:
            raise StationMayNot(station=proven.station, role=found.role)
        return proven

    def may_operate(self, parts: RequiredPorts, request: HttpRequest) -> Proven:
        """`operating.KnownDesks`."""
        proven = verify(request, self._key_of, parts.clock)
        self.operates(parts, proven.station)
        return proven

    def operates(self, parts: RequiredPorts, station: str) -> StationRole:  # noqa: ARG002 - the folder knows
        """`operating.KnownDesks`."""
        found = self._file(station)
        if found is None:
            raise StationUnknown(station=station)
        if found.role not in OPERATING:
            raise StationMayNot(station=station, role=found.role)
        return found.role

    def _key_of(self, name: str) -> StationPublicKey | None:
        found = self._file(name)
        return found.public if found is not None else None

    def _file(self, name: str) -> StationFile | None:
        """FileErrors: nobody can tell what it says, so nobody is believed."""
        if not _NAME.match(name):
            return None
        file = self._folder / f"{name}.toml"
        if not file.exists():
            return None
        table = toml_file.load_own(file)
        found = toml_file.decode(table, StationFile, file=file)
        return None if found.revoked else found
