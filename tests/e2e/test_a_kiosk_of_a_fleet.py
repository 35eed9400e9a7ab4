"""A kiosk that holds nothing: its authority is another process, reached over HTTPS.

The card is in a real pcscd, the kiosk on a real pseudo-terminal, the directory a real
Samba domain controller, and the two programs are the ones that people install.
"""

from __future__ import annotations

import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from lab.cards.pcscd import Pcscd
from lab.domain.samba import SambaDomain
from lab.machine.swtpm import SoftTpm
from lab.realsite import NEW_PIN, PIN
from lab.servers.fleet import KIOSK, Fleet, founded
from lab.terminal.terminal import Terminal, terminal

pytestmark = [pytest.mark.pcscd, pytest.mark.samba]


@pytest.fixture
def fleet(tmp_path: Path, samba: SambaDomain) -> Fleet:
    return founded(tmp_path, samba)


def opened(fleet: Fleet, pcscd: Pcscd) -> AbstractContextManager[Terminal]:
    return terminal(
        [KIOSK, "run", "--config", str(fleet.config_file)],
        environment=pcscd.environment,
    )


def change(shown: Terminal) -> None:
    shown.shows("Alice Arnold")
    shown.shows("Change my PIN")
    shown.type("\r")
    shown.shows("Your PIN until now")
    shown.type(f"{PIN}\r{NEW_PIN}\r{NEW_PIN}\r")


def test_the_pin_and_the_password_change_over_https(
    fleet: Fleet, samba: SambaDomain, pcscd: Pcscd
) -> None:
    with fleet.serving(), opened(fleet, pcscd) as shown:
        shown.shows("Insert your card")
        pcscd.readers[0].insert(fleet.site.made.card)
        change(shown)
        shown.shows("Your PIN and your Windows password are changed.")
    assert fleet.site.made.card.has_pin(NEW_PIN.encode())
    assert samba.user_binds(fleet.site.user.upn, NEW_PIN)
    verdict = subprocess.run(
        [KIOSK, "audit", "verify", "--config", str(fleet.site.config_file)],
        capture_output=True,
        text=True,
    )
    assert verdict.returncode == 0, verdict.stderr
    assert "Password writes: 1," in verdict.stdout
    there = {path.name for path in fleet.kiosk.rglob("*") if path.is_file()}
    assert there == {"kiosk.toml", "station.key", "kiosk.log"}
    everything = bytes(shown.raw) + b"".join(
        path.read_bytes()
        for folder in (fleet.kiosk, fleet.site.folder)
        for path in folder.rglob("*")
        if path.is_file()
    )
    for secret in (PIN, NEW_PIN):
        assert secret.encode() not in everything


def test_a_kiosk_whose_authority_is_away_is_out_of_service_and_comes_back(
    fleet: Fleet, pcscd: Pcscd
) -> None:
    with opened(fleet, pcscd) as shown:
        shown.shows("Out of service", seconds=60)
        shown.shows("The authority does not answer")
        with fleet.serving():
            shown.shows("Insert your card", seconds=60)


def test_a_station_that_was_revoked_is_refused_in_the_middle_of_a_visit(
    fleet: Fleet, samba: SambaDomain, pcscd: Pcscd
) -> None:
    known = fleet.known
    with fleet.serving(), opened(fleet, pcscd) as shown:
        shown.shows("Insert your card")
        pcscd.readers[0].insert(fleet.site.made.card)
        shown.shows("Change my PIN")
        shown.type("\r")
        shown.shows("Your PIN until now")
        known.write_text(known.read_text() + "revoked = true\n")
        shown.type(f"{PIN}\r{NEW_PIN}\r{NEW_PIN}\r")
        shown.shows("Nothing was changed", seconds=60)
    assert fleet.site.made.card.has_pin(PIN.encode())
    assert samba.user_binds(fleet.site.user.upn, PIN)


def test_a_kiosk_whose_key_is_in_its_tpm_makes_visits_until_that_is_cleared(
    tmp_path: Path, samba: SambaDomain, pcscd: Pcscd, soft_tpm: SoftTpm
) -> None:
    fleet = founded(tmp_path, samba, tpm=soft_tpm.place)
    assert "ecdsa-p256-sha256" in fleet.known.read_text()
    with fleet.serving(), opened(fleet, pcscd) as shown:
        shown.shows("Insert your card", seconds=60)
        pcscd.readers[0].insert(fleet.site.made.card)
        change(shown)
        shown.shows("Your PIN and your Windows password are changed.", seconds=60)
        pcscd.readers[0].pull()
        shown.shows("Insert your card", seconds=60)
        soft_tpm.does("clear")
        shown.shows("Out of service", seconds=60)
        shown.shows("was cleared")
    assert fleet.site.made.card.has_pin(NEW_PIN.encode())
    assert samba.user_binds(fleet.site.user.upn, NEW_PIN)
