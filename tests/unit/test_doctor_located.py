"""`kiosk doctor` where DNS tells of the domain controllers."""

from __future__ import annotations

from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.directory.errors import Unreachable
from kiosk.doctor import Health, directory
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.domain_faults import DcDown


def domain() -> tuple[SimulatedDirectory, ManualClock]:
    clock = ManualClock()
    dcs = ("dc1.ad.test", "dc2.ad.test")
    return SimulatedDirectory(clock, SeededEntropy(1), dcs=dcs), clock


def test_each_that_was_found_is_looked_at() -> None:
    found, clock = domain()
    found.fail(DcDown(dc="dc2.ad.test"))
    told = {
        finding.part: finding.health
        for finding in directory.located(found, "ad.test", clock)
    }
    assert told["directory dc1.ad.test"] is Health.OK
    assert told["directory dc2.ad.test"] is Health.FAIL


def test_a_domain_that_dns_does_not_know_is_one_finding() -> None:
    class Nowhere(SimulatedDirectory):
        def controllers(self) -> tuple[str, ...]:
            raise Unreachable(dcs="ad.test", reason="name_unknown")

    clock = ManualClock()
    nowhere = Nowhere(clock, SeededEntropy(1))
    (finding,) = directory.located(nowhere, "ad.test", clock)
    assert finding.part == "directory ad.test"
    assert finding.health is Health.FAIL
