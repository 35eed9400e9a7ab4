"""One look at an account: at one controller, and at the one that knows it best."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.authority.rules.account_snapshot import AccountSnapshot, look
from kiosk.authority.rules.in_step import Compared
from kiosk.authority.values import Seen
from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.domain.state import Dc
from kiosk.simulation.domain_faults import AnyFault, DcDown, PolicyHidden

FIRST, OTHER = "dc1.ad.test", "dc2.ad.test"


class Domain(SimulatedDirectory):
    """Two controllers, of which the first is asked."""

    def __init__(self, *faults: AnyFault) -> None:
        super().__init__(ManualClock(), SeededEntropy(1), policy_hints=True)
        self._state.dcs = (*self._state.dcs, Dc(OTHER, "origin-of-the-other"))
        self.guid = self.add_account("ann", password=Secret(b"Welcome-2026"))
        self.replicate()
        for fault in faults:
            self.fail(fault)

    def set_on(self, dc: str) -> Seen:
        """Somebody sets the password there; what that controller shows since."""
        self.change_elsewhere(self.guid, Secret(b"Another-2026"), dc=dc)
        with self.connect(dc) as there:
            account = there.account(self.guid)
        assert account.mark is not None
        return look_on(self, dc)

    def look(
        self, known: Seen | None = None, *, history: bool = False
    ) -> AccountSnapshot:
        return look(self, self.guid, history=history, known=known)


def look_on(domain: Domain, dc: str) -> Seen:
    """What one controller shows, the other being away."""
    away = FIRST if dc == OTHER else OTHER
    domain.fail(DcDown(dc=away))
    seen = domain.look().newest
    domain.heal()
    assert seen is not None
    assert seen.dc == dc
    return seen


def test_what_is_known_is_the_same_on_whichever_controller() -> None:
    domain = Domain()
    known = look_on(domain, OTHER)
    view = domain.look(known)
    assert (view.dc, view.compared) == (FIRST, Compared.SAME)
    assert view.newest is not None
    assert view.newest.dc == FIRST
    assert view.account is not None
    assert view.policy == domain.policy
    assert view.trouble is None
    assert not view.account_gone


def test_one_that_is_behind_sends_on_to_who_knows() -> None:
    domain = Domain()
    known = domain.set_on(OTHER)
    view = domain.look(known)
    assert view.dc == FIRST, "rules and account are of the one that was asked"
    assert view.compared is Compared.SAME
    assert view.newest == known


def test_what_somebody_has_set_since_at_who_knows_is_seen() -> None:
    domain = Domain()
    known = domain.set_on(OTHER)
    since = domain.set_on(OTHER)
    view = domain.look(known)
    assert view.compared is Compared.CHANGED
    assert view.newest == since != known


def test_where_who_knows_is_away_nothing_is_known_and_nothing_is_forgotten() -> None:
    domain = Domain()
    known = domain.set_on(OTHER)
    domain.fail(DcDown(dc=OTHER))
    view = domain.look(known)
    assert view.compared is Compared.NOT_KNOWN
    assert view.newest == known, "what the first one shows is older"


def test_where_who_knows_was_put_back_nothing_is_known() -> None:
    domain = Domain()
    known = domain.set_on(OTHER)
    gone_back = Seen(dc=FIRST, pwd_last_set=known.pwd_last_set, mark=known.mark)
    view = domain.look(gone_back)
    assert view.compared is Compared.NOT_KNOWN
    assert view.newest == gone_back


def test_an_account_that_is_gone_is_said_by_whom() -> None:
    domain = Domain()
    domain.remove_account(domain.guid)
    view = domain.look()
    assert view.account_gone
    assert (view.dc, view.account, view.newest) == (FIRST, None, None)
    assert view.compared is Compared.NOT_KNOWN


def test_rules_that_are_hidden_are_trouble_with_an_account_that_is_seen() -> None:
    domain = Domain(PolicyHidden())
    own = replace(domain.policy, source="pin-users")
    domain.guid = domain.add_account("bob", policy=own)
    view = domain.look()
    assert view.trouble is not None
    assert view.dc == FIRST
    assert view.account is not None
    assert view.policy is None


def test_nobody_there_is_trouble() -> None:
    view = Domain(DcDown()).look()
    assert view.trouble is not None
    assert view.account is None
    assert not view.account_gone


@pytest.mark.parametrize("asked", [True, False])
def test_whether_the_history_can_be_honoured_is_asked_only_if_wanted(
    asked: bool,
) -> None:
    domain = Domain()
    assert domain.look(history=asked).honours_history is asked
    assert not look(domain, domain.guid).honours_history
