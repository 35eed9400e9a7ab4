"""pytest's way to the laboratory's domain controller."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from lab.domain.directory_acts import hands as hands
from lab.domain.samba import SambaDomain
from lab.domain.samba_kerberos import kerberos_domain as kerberos_domain
from lab.domain.samba_pair import SambaPair


def pytest_report_header() -> str:
    """Say which version the tests run on: what it does differs."""
    samba = shutil.which("samba", path="/usr/sbin:/usr/bin")
    if samba is None:
        return "samba: none"
    said = subprocess.run([samba, "--version"], capture_output=True, text=True)
    return f"samba: {said.stdout.strip()}"


@pytest.fixture(scope="session")
def samba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SambaDomain]:
    """A domain controller that the tests of one process share; users are their own.

    A test that freezes or kills it lets it go on before it ends.
    """
    with SambaDomain.start(tmp_path_factory.mktemp("samba") / "dc") as domain:
        yield domain


@pytest.fixture(scope="session")
def samba_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SambaPair]:
    """Two domain controllers that replicate when told to; users are a test's own."""
    with SambaPair.start(tmp_path_factory.mktemp("pair")) as pair:
        yield pair
