"""A password that is ready on one DC and not yet on the others: said, never guessed."""

from __future__ import annotations

import copy

import pytest
from lab.histories import STORIES, History

from kiosk.simulation.domain.state import Dc
from kiosk.simulation.domain_faults import AnyFault, DcDown, TlsWrong
from kiosk.visit.views import Outcome

PDC = "pdc.ad.test"


def with_pdc(history: History, *faults: AnyFault, asked: bool = True) -> History:
    """Give the domain a PDC emulator beside the DC that there is, and replicate."""
    state = history.domain._state
    state.dcs = (Dc(PDC, "pdc", copy.deepcopy(state.dcs[0].users)), *state.dcs)
    state.pdc_check = asked
    for fault in faults:
        history.domain.fail(fault)
    return history


@pytest.mark.parametrize(
    ("faults", "asked", "told"),
    [
        ((), True, set()),
        ((TlsWrong(dc=PDC),), True, {"directory.spread.spreading"}),
        ((DcDown(dc=PDC),), True, {"directory.spread.unknown"}),
        ((TlsWrong(dc=PDC),), False, set()),
    ],
    ids=["written on the PDC", "written elsewhere", "the PDC is dead", "not asked"],
)
def test_the_result_says_whether_others_know_it_yet(
    faults: tuple[AnyFault, ...], asked: bool, told: set[str]
) -> None:
    history = with_pdc(History(STORIES[0]), *faults, asked=asked)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE, "said beside the success, not instead of it"
    keys = {fact.key for fact in result.facts}
    assert {key for key in keys if key.startswith("directory.spread")} == told


def test_what_spreads_later_is_not_taken_for_a_change_elsewhere() -> None:
    history = with_pdc(History(STORIES[0]), TlsWrong(dc=PDC))
    history.attempt()
    history.domain.heal()
    history.home_screen()
    assert history.sync() == "in step", "asked was the PDC, which lags behind"
    history.domain.replicate()
    history.home_screen()
    assert history.sync() == "in step"
