"""What `kiosk directory delegate` prints for Samba, run as it is printed, is enough."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from lab.domain import samba_domain
from lab.domain.samba import LabUser, SambaDomain

from kiosk.cli import main
from kiosk.core.clock import SystemClock
from kiosk.core.secret import Secret
from kiosk.directory.errors import PolicyUnreadable, WriteRefused
from kiosk.directory.ldap import LdapDirectory

pytestmark = pytest.mark.samba

PASSWORD = "Delegated-Later-1"
HOSTILE = r"""O'Brien \"x\"\; touch pwned & $(touch pwned)"""


@pytest.fixture
def service(samba: SambaDomain) -> LabUser:
    """An account that may do nothing yet."""
    return samba.add_user(password=PASSWORD, ou=samba_domain.ELSEWHERE, pin_user=False)


@pytest.fixture
def directory(samba: SambaDomain, service: LabUser, tmp_path: Path) -> LdapDirectory:
    file = tmp_path / "service.password"
    file.touch(mode=0o600)
    file.write_text(PASSWORD)
    settings = samba.settings(service_account=service.upn, password_file=file)
    return LdapDirectory(settings, SystemClock())


def run_printed(
    capsys: pytest.CaptureFixture[str],
    samba: SambaDomain,
    folder: Path,
    *options: str,
) -> None:
    """Let sh read what is printed, beside a `samba-tool` of the laboratory's domain."""
    assert main(["directory", "delegate", "--for", "samba", *options]) == 0
    tool = folder / "bin" / "samba-tool"
    tool.parent.mkdir()
    database = samba.folder / "private" / "sam.ldb"
    tool.write_text(f'#!/bin/sh\nexec /usr/bin/samba-tool "$@" -H {database}\n')
    tool.chmod(0o755)
    script = folder / "printed.sh"
    script.write_text(capsys.readouterr().out)
    done = subprocess.run(
        ["/bin/sh", "-e", str(script)],
        cwd=folder,
        env={**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (folder / "pwned").exists()


def reset(directory: LdapDirectory, user: LabUser) -> None:
    with directory.connect() as dc, Secret(b"975318") as new:
        dc.set_password(dc.account(user.guid), new)


def test_the_printed_commands_let_the_account_reset_inside_and_not_outside(
    samba: SambaDomain,
    service: LabUser,
    directory: LdapDirectory,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    unit = f"OU={HOSTILE},{samba_domain.BASE_DN}"
    samba.add_unit(unit)
    inside = samba.add_user(ou=unit)
    outside = samba.add_user(ou=samba_domain.ELSEWHERE)
    with pytest.raises(WriteRefused):
        reset(directory, inside)
    with directory.connect() as dc, pytest.raises(PolicyUnreadable):
        dc.password_policy(dc.account(inside.guid))

    run_printed(capsys, samba, tmp_path, "--ou", unit, "--account", service.name)

    reset(directory, inside)
    assert samba.user_binds(inside.upn, "975318")
    with pytest.raises(WriteRefused):
        reset(directory, outside)
    with directory.connect() as dc:
        assert dc.writable(dc.account(inside.guid)) == {"lockoutTime", "pwdLastSet"}
        assert dc.password_policy(dc.account(inside.guid)).source == "pin-users"
