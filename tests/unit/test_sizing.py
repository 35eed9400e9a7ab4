"""The model of a fleet says what was measured, and no more than cores can do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.sizing.costs import (
    HISTORY_OF_THREE,
    MEASURED,
    REAL_DIRECTORY,
    VisitCosts,
)
from scripts.sizing.model import Machines, Morning

pytestmark = pytest.mark.slow

ONE_HOST = Machines(service_cores=2, database_cores=2, threads=8, shared=True)
NO_WAIT = replace(MEASURED, directory_wait=0.0)
ROOMY = Machines(service_cores=8, database_cores=8, threads=64)


def test_the_measured_case_comes_out() -> None:
    """Eight stations, authority and database on two cores that others used, too."""
    used = MEASURED_RATE * NO_WAIT.all_sides / 1000
    machines = replace(ONE_HOST, speed=used / ONE_HOST.service_cores)
    waited = Morning(NO_WAIT, machines).always(STATIONS, 15.0)
    assert waited.rate == pytest.approx(MEASURED_RATE, rel=0.1)
    assert waited.percentile(0.5) == pytest.approx(MEASURED_P50, rel=0.25)


def test_the_costs_are_those_of_the_document() -> None:
    """Each is read there by whoever buys machines."""
    told = (Path(__file__).parents[2] / "docs" / "sizing.md").read_text("utf-8")
    cells = (MEASURED.station, MEASURED.service, MEASURED.database, MEASURED.all_sides)
    assert " | ".join(f"{it:.1f}" for it in cells) in told
    assert f"{REAL_DIRECTORY.service} ms of the authority" in told
    scrypt = HISTORY_OF_THREE.service - REAL_DIRECTORY.service
    assert f"of it scrypt {scrypt:.1f}" in told
    assert f"{HISTORY_OF_THREE.service} with three earlier PINs" in told


def test_no_more_comes_out_than_the_cores_have() -> None:
    waited = Morning(NO_WAIT, ONE_HOST).always(50, 8.0)
    assert waited.rate <= 2 * 1000 / NO_WAIT.all_sides
    assert waited.rate == pytest.approx(2 * 1000 / NO_WAIT.all_sides, rel=0.1)


def test_a_station_alone_waits_for_its_work_and_the_directory() -> None:
    waited = Morning(MEASURED, ROOMY).always(1, 8.0)
    alone = MEASURED.service + MEASURED.database + MEASURED.directory_wait
    assert waited.percentile(0.5) == pytest.approx(alone, rel=0.01)


def test_threads_that_wait_for_the_directory_hold_up_the_others() -> None:
    few = replace(ROOMY, threads=2)
    assert Morning(MEASURED, few).always(50, 8.0).rate < 2 * 1000 / 100.0
    assert Morning(MEASURED, ROOMY).always(50, 8.0).rate > 100


def test_people_come_as_often_as_was_said_and_more_in_the_rush() -> None:
    quiet = Morning(MEASURED, ROOMY).arriving(20.0, 30.0)
    assert quiet.rate == pytest.approx(20.0, rel=0.1)
    rush = Morning(MEASURED, ROOMY).arriving(20.0, 30.0, rush=2.0)
    assert rush.rate == pytest.approx(20.0 * 4 / 3, rel=0.1)
    assert rush.share("service", 8) == pytest.approx(
        rush.rate * MEASURED.service / 8000, rel=0.1
    )


def test_a_fleet_that_is_too_small_is_seen_to_be() -> None:
    small = Machines(service_cores=1, database_cores=1, threads=16)
    waited = Morning(VisitCosts(), small).arriving(100.0, 8.0)
    assert waited.percentile(0.95) > 1000
    assert waited.rate < 1000 / MEASURED.service


STATIONS, MEASURED_RATE, MEASURED_P50 = 8, 44.6, 172.2
"""As docs/sizing.md has it: stations, visits a second, milliseconds."""
