"""A fleet: where a station's authority is, and how the authority serves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from kiosk.config.sections import PORT, Section

HOST = r"([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:]+\])"
HOST_PORT = rf"{HOST}(:{PORT})?"
"""A name or an address, and a port where it is not 443."""


class AuthoritySettings(Section, frozen=True, kw_only=True):
    """Where this station's authority is. Such a station keeps no registry, no vault
    and no account of the directory.
    """

    addresses: Annotated[
        tuple[
            Annotated[
                str,
                Meta(
                    pattern=rf"^https://{HOST_PORT}\Z",
                    examples=["https://kiosk-a.example.org:8443"],
                ),
            ],
            ...,
        ],
        Meta(min_length=1),
    ]
    """Every address of it, e.g. ["https://kiosk-a.example.org:8443",
    "https://kiosk-b.example.org:8443"]. The next one is asked where one does not
    answer.
    """
    ca_file: Path
    """Who signs the authority's certificates (PEM). No other issuer is believed, not
    even one that this machine believes.
    """
    key_file: Path
    """This station's own key, made when it was enrolled; readable by its user alone
    (mode 0600).
    """


class ServiceSettings(Section, frozen=True, kw_only=True):
    """How `kiosk serve` serves the stations of a fleet."""

    listen: Annotated[
        str, Meta(pattern=rf"^{HOST}:{PORT}\Z", examples=["127.0.0.1:8443"])
    ] = "127.0.0.1:8443"
    """ADDRESS:PORT; a second process on this machine is told its own port (`kiosk serve
    --port`).
    """
    names: tuple[
        Annotated[
            str, Meta(pattern=rf"^{HOST_PORT}\Z", examples=["kiosk-a.example.org:8443"])
        ],
        ...,
    ] = ()
    """What stands after https:// in the addresses that stations have of this
    authority, of every process and of a balancer before them: what a station signs
    for another name is refused. Silent: only what `listen` says.
    """
    certificate_file: Path | None = None
    """The certificate for those names, with its chain (PEM)."""
    key_file: Path | None = None
    """Its key (PEM, readable by the authority's user alone)."""
    stations_folder: Path | None = None
    """Silent: stations are enrolled by token (`kiosk fleet`) and stand in the registry.
    Else a folder says who may ask, and nothing else does: a file `<its name>.toml` for
    each, as `kiosk station key` on the station prints it. Looked at for every call:
    without its file, or with `revoked = true` in it, a station is refused at once. The
    same on every host.
    """
    threads: Annotated[int, Meta(ge=1, le=64)] = 8
    """How many calls are worked on at once; each thread has a connection of its own to
    the registry. A write waits for the directory about a tenth of a second.
    """
    calls_per_station: Annotated[int, Meta(ge=1, le=64)] = 3
    """How many calls of one station are worked on at once, of `threads`; another one is
    told to come again in a moment. So no station keeps the others waiting.
    """
    visits_per_card: Annotated[int, Meta(ge=0, le=100_000)] = 30
    """How often something may be begun with one card within a quarter of an hour, at
    all stations together; 0: as often as somebody likes. What goes beyond is refused
    before the directory is asked, and noted once.
    """
    visits_per_account: Annotated[int, Meta(ge=0, le=100_000)] = 60
    """The same for all cards of one account."""
    visits_per_station: Annotated[int, Meta(ge=0, le=100_000)] = 300
    """The same for all that is begun at one station."""
    waiting: Annotated[int, Meta(ge=1, le=10_000)] = 64
    """How many calls may wait for a thread; the next one is told to come again."""
    drain_seconds: Annotated[float, Meta(ge=0, le=60)] = 2.0
    """How long a process that is to end still answers, but says that it is not ready:
    until a balancer has noticed.
    """
