"""A person changes a PIN, and the directory follows: every part is a real one.

The card is in a real pcscd (behind the virtual reader), the directory is a real
Samba domain controller, the kiosk runs on a real pseudo-terminal, and what it has
done is checked from outside: by binding as the user, and by reading the evidence.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from lab.cards.pcscd import Pcscd
from lab.domain.samba import SambaDomain
from lab.realsite import NEW_PIN, PIN, RealSite, found
from lab.terminal.terminal import Terminal, terminal

from kiosk.cards.values import KeyAlgorithm
from kiosk.simulation.cards.faults import PullAfter

ESCAPE = "\x1b"
KIOSK = str(Path(sys.executable).with_name("kiosk"))

pytestmark = [pytest.mark.pcscd, pytest.mark.samba]


@pytest.fixture
def site(tmp_path: Path, samba: SambaDomain) -> RealSite:
    return found(tmp_path, samba)


def open_kiosk(site: RealSite, pcscd: Pcscd) -> AbstractContextManager[Terminal]:
    return terminal(
        [KIOSK, "run", "--config", str(site.config_file)],
        environment=pcscd.environment,
    )


def change(shown: Terminal, old: str = PIN, new: str = NEW_PIN) -> None:
    shown.shows("Alice Arnold")
    shown.shows("Change my PIN")
    shown.type("\r")
    shown.shows("Your PIN until now")
    shown.type(f"{old}\r{new}\r{new}\r")


def evidence(site: RealSite) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [KIOSK, "audit", "verify", "--config", str(site.config_file)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.P256, KeyAlgorithm.RSA_2048])
def test_the_user_signs_in_with_the_new_pin(
    tmp_path: Path, samba: SambaDomain, pcscd: Pcscd, algorithm: KeyAlgorithm
) -> None:
    site = found(tmp_path, samba, algorithm)
    with open_kiosk(site, pcscd) as shown:
        shown.shows("Insert your card")
        pcscd.readers[0].insert(site.made.card)
        change(shown)
        shown.shows("Your PIN and your Windows password are changed.")
        pcscd.readers[0].pull()
        shown.shows("This closes in")
        shown.type(ESCAPE)
        shown.shows("Insert your card")
    assert site.made.card.has_pin(NEW_PIN.encode())
    assert samba.user_binds(site.user.upn, NEW_PIN)
    verdict = evidence(site)
    assert verdict.returncode == 0, verdict.stderr
    assert "Password writes: 1," in verdict.stdout
    everything = bytes(shown.raw) + b"".join(
        path.read_bytes() for path in site.folder.rglob("*") if path.is_file()
    )
    for secret in (PIN, NEW_PIN):
        assert secret.encode() not in everything
        assert secret.encode("utf-16-le") not in everything


def test_a_wrong_pin_costs_one_try_and_changes_nothing(
    site: RealSite, samba: SambaDomain, pcscd: Pcscd
) -> None:
    with open_kiosk(site, pcscd) as shown:
        shown.shows("Insert your card")
        pcscd.readers[0].insert(site.made.card)
        change(shown, old="999111")
        shown.shows("Tries left: 2")
    assert site.made.card.pin_tries_left == 2
    assert samba.user_binds(site.user.upn, PIN)


def test_a_frozen_domain_controller_stops_everything_before_the_card_is_touched(
    site: RealSite, samba: SambaDomain, pcscd: Pcscd
) -> None:
    with open_kiosk(site, pcscd) as shown:
        shown.shows("Insert your card")
        pcscd.readers[0].insert(site.made.card)
        shown.shows("Change my PIN")
        shown.type("\r")
        shown.shows("Your PIN until now")
        samba.freeze()
        try:
            shown.type(f"{PIN}\r{NEW_PIN}\r{NEW_PIN}\r")
            shown.shows("Nothing was changed", seconds=60)
        finally:
            samba.thaw()
        assert site.made.card.has_pin(PIN.encode()), "the card was touched"
        assert samba.user_binds(site.user.upn, PIN)


def test_the_card_is_pulled_in_mid_change_and_finished_at_the_next_insertion(
    site: RealSite, samba: SambaDomain, pcscd: Pcscd
) -> None:
    reader = pcscd.readers[0]
    with open_kiosk(site, pcscd) as shown:
        shown.shows("Insert your card")
        reader.insert(site.made.card)
        shown.shows("Change my PIN")
        shown.type("\r")
        shown.shows("Your PIN until now")
        reader.faults.set(PullAfter(at=6))
        shown.type(f"{PIN}\r{NEW_PIN}\r{NEW_PIN}\r")
        shown.shows("Not finished")
        reader.faults.set()
        assert site.made.card.has_pin(NEW_PIN.encode())
        assert not samba.user_binds(site.user.upn, NEW_PIN)
        reader.insert(site.made.card)
        shown.shows("An earlier change was interrupted")
        shown.type("\r")
        shown.shows("The PIN of your card")
        shown.type(f"{NEW_PIN}\r")
        shown.shows("Your Windows password is the PIN of this card again.")
    assert samba.user_binds(site.user.upn, NEW_PIN)
    assert evidence(site).returncode == 0


def test_out_of_service_before_insertion_and_back_by_itself(
    site: RealSite, pcscd: Pcscd
) -> None:
    with open_kiosk(site, pcscd) as shown:
        shown.shows("Insert your card")
        pcscd.stop()
        shown.shows("Out of service")
        pcscd.start()
        shown.shows("Insert your card")
