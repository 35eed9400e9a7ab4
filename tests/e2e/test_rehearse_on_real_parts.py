"""The same scenarios in a real reader, and against a real domain."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from lab.cards.judges import opensc
from lab.cards.pcscd import Pcscd
from lab.domain.samba import SambaDomain
from lab.realsite import found

from kiosk.simulation.rehearsal.scenario import shipped

KIOSK = str(Path(sys.executable).with_name("kiosk"))
IN_A_READER = (
    *("02-change", "05-blocked", "07-directory-refuses"),
    *("10-card-pulled", "13-forged-card", "33-digits-puk", "34-gids-issued"),
)


@pytest.mark.pcscd
@pytest.mark.parametrize("name", IN_A_READER)
def test_a_shipped_scenario_holds_in_a_real_reader(pcscd: Pcscd, name: str) -> None:
    path = next(path for path in shipped() if path.stem == name)
    done = subprocess.run(
        [*pcscd.enter, KIOSK, "rehearse", str(path), "--cards", "pcsc"],
        env=pcscd.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.pcscd
def test_a_middleware_card_is_rehearsed_with_a_module_that_nobody_here_wrote(
    pcscd: Pcscd,
) -> None:
    path = next(path for path in shipped() if path.stem == "35-middleware")
    told = ("--cards", "pcsc", "--module", opensc())
    done = subprocess.run(
        [*pcscd.enter, KIOSK, "rehearse", str(path), *told],
        env=pcscd.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.samba
def test_a_scenario_holds_against_a_real_domain(
    tmp_path: Path, samba: SambaDomain
) -> None:
    site = found(tmp_path, samba)
    name = site.user.upn.partition("@")[0]
    change = next(path for path in shipped() if path.stem == "02-change")
    scenario = tmp_path / "change.toml"
    scenario.write_text(
        change.read_text("utf-8")
        .replace('name = "alice", display', f'name = "{name}", display')
        .replace('account = "alice"', f'account = "{name}"')
    )
    done = subprocess.run(
        [KIOSK, "rehearse", str(scenario), "--directory", str(site.config_file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert samba.user_binds(site.user.upn, "314159")


@pytest.mark.samba
def test_a_step_that_a_real_domain_cannot_do_is_refused(
    tmp_path: Path, samba: SambaDomain
) -> None:
    site = found(tmp_path, samba)
    path = next(path for path in shipped() if path.stem == "16-administrator")
    done = subprocess.run(
        [KIOSK, "rehearse", str(path), "--directory", str(site.config_file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "holds" not in done.stdout
