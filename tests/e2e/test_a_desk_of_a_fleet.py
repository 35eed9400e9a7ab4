"""Desks that hold nothing: their operators' sessions are in the authority's process.

The reader is a real pcscd's, the desk is on a real pseudo-terminal, the directory is a
real Samba domain controller, and the two programs are the ones that people install.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from lab.cards.pcscd import Pcscd
from lab.domain.samba import SambaDomain
from lab.realsite import PIN
from lab.servers.fleet import KIOSK, STATION, Fleet, founded
from lab.terminal.terminal import Terminal, terminal

from kiosk import bootstrap
from kiosk.certificates.local_ca import new_issuer
from kiosk.core.entropy import SystemEntropy
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.cards.piv import SimulatedPivCard

REFUSED = "asked for what a station of its role"
pytestmark = [pytest.mark.pcscd, pytest.mark.samba]


def desk_of(folder: Path, samba: SambaDomain, role: str, group: str) -> Fleet:
    """Found a fleet with one desk; the holder of its one card is an operator."""
    certificate, key = new_issuer("Site CA", now=time.time())
    (folder / "ca.pem").write_bytes(certificate)
    (folder / "ca.key").touch(0o600)
    (folder / "ca.key").write_bytes(key)
    enrollment = (
        f'\n[enrollment]\nca_certificate_file = "{folder}/ca.pem"\n'
        f'ca_key_file = "{folder}/ca.key"\n'
    )
    fleet = founded(folder, samba, role=role, more=enrollment)
    dn = samba.add_group(fleet.site.user.dn)
    with fleet.site.config_file.open("a") as config:
        config.write(f'\n[sign_in]\n{group} = "{dn}"\n')
    return fleet


def opened(fleet: Fleet, pcscd: Pcscd) -> AbstractContextManager[Terminal]:
    return terminal(
        [KIOSK, "run", "--config", str(fleet.config_file)],
        environment=pcscd.environment,
    )


def sign_in(fleet: Fleet, pcscd: Pcscd, shown: Terminal) -> None:
    shown.shows("Put your own card into the reader")
    pcscd.readers[0].insert(fleet.site.made.card)
    shown.shows("Type the PIN of your card")
    shown.type(f"{PIN}\r")
    shown.shows("Out of step")


def events(fleet: Fleet, kind: str) -> list[str]:
    """At which stations something happened."""
    parts = bootstrap.parts_of(fleet.site.config)
    try:
        found = parts.registry.audit_events()
        return [event.station for event in found if event.kind == kind]
    finally:
        parts.registry.close()


def test_an_operator_signs_in_and_finds_somebody(
    tmp_path: Path, samba: SambaDomain, pcscd: Pcscd
) -> None:
    fleet = desk_of(tmp_path, samba, "helpdesk", "helpdesk_group")
    with fleet.serving(), opened(fleet, pcscd) as shown:
        sign_in(fleet, pcscd, shown)
        shown.type(f"{fleet.site.user.upn}\r")
        shown.shows("It may become")
    assert events(fleet, "operator.signed_in") == [STATION]
    there = {path.name for path in fleet.kiosk.rglob("*") if path.is_file()}
    assert there == {"kiosk.toml", "station.key", "kiosk.log"}


def test_a_kiosk_gets_no_desk(tmp_path: Path, samba: SambaDomain, pcscd: Pcscd) -> None:
    fleet = desk_of(tmp_path, samba, "helpdesk", "helpdesk_group")
    known = fleet.known
    known.write_text(known.read_text().replace('"helpdesk"', '"self-service"'))
    with fleet.serving(), opened(fleet, pcscd) as shown:
        shown.shows(REFUSED, seconds=60)


def test_a_desk_that_was_revoked_is_out_at_its_next_key(
    tmp_path: Path, samba: SambaDomain, pcscd: Pcscd
) -> None:
    fleet = desk_of(tmp_path, samba, "helpdesk", "helpdesk_group")
    known = fleet.known
    with fleet.serving(), opened(fleet, pcscd) as shown:
        sign_in(fleet, pcscd, shown)
        known.write_text(known.read_text() + "revoked = true\n")
        shown.type("alice\r")
        shown.shows(f"This station ({STATION}) is not", seconds=60)


def test_an_enrollment_station_issues_a_card(
    tmp_path: Path, samba: SambaDomain, pcscd: Pcscd
) -> None:
    fleet = desk_of(tmp_path, samba, "enrollment", "officer_group")
    person = samba.add_user(display_name="Nora New")
    blank = SimulatedPivCard(
        entropy=SystemEntropy(), options=PivOptions(serial=b"\0\0\0\7")
    )
    with fleet.serving(), opened(fleet, pcscd) as shown:
        sign_in(fleet, pcscd, shown)
        shown.type("\ti")
        shown.shows("Name or account of the person")
        shown.type(f"{person.upn}\r")
        shown.shows("Nora New")
        shown.type("\t\r")
        shown.shows("staff")
        shown.type("\r")
        shown.shows("Put the card that is to be issued")
        pcscd.readers[1].insert(blank)
        shown.shows("A card is in the reader")
        shown.type("\x1b[12~")
        shown.shows("The card is issued", seconds=90)
    assert events(fleet, "lifecycle.issue")[1:] == [STATION]


def test_the_desk_opens_again_when_its_authority_is_back(
    tmp_path: Path, samba: SambaDomain, pcscd: Pcscd
) -> None:
    fleet = desk_of(tmp_path, samba, "helpdesk", "helpdesk_group")
    with opened(fleet, pcscd) as shown:
        with fleet.serving():
            sign_in(fleet, pcscd, shown)
        shown.type("alice")
        shown.shows("The connection to the authority was lost", seconds=60)
        with fleet.serving():
            shown.shows("Type the PIN of your card", seconds=60)
