"""Fixtures of the real pcscd. Its socket's name is fixed before any test runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cards.pcscd import Missing, Pcscd
from lab.cards.softhsm import soft_token as soft_token
from lab.not_run import not_run

_HOME = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Point this process's PC/SC library at a service of its own, once and for all.

    Without it a test could reach the smart-card service of the machine.
    """
    home = Path(tempfile.mkdtemp(prefix="kiosk-pcscd-"))
    config.stash[_HOME] = home
    os.environ["PCSCLITE_CSOCK_NAME"] = str(home / "run" / "pcscd.comm")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the service's files."""
    shutil.rmtree(config.stash[_HOME], ignore_errors=True)


@pytest.fixture(scope="session")
def pcscd_room(pytestconfig: pytest.Config) -> Iterator[Pcscd]:
    """The service's namespaces; it does not run yet."""
    pcscd = Pcscd(pytestconfig.stash[_HOME])
    try:
        pcscd.open()
    except Missing as missing:
        pcscd.close()
        raise not_run(str(missing)) from None
    try:
        yield pcscd
    finally:
        pcscd.close()


@pytest.fixture
def pcscd(pcscd_room: Pcscd) -> Iterator[Pcscd]:
    """The service, running, with empty readers; whatever a test did is undone."""
    pcscd_room.start()
    yield pcscd_room
    pcscd_room.clear()
