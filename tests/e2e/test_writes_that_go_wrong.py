"""A write that meets a DC at its worst moment, on a real DC with the real authority.

The card is simulated; everything else decides as it does at a station. What is true
afterwards is asked of the DC by its administrator.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from lab.domain.samba import LabUser, SambaDomain
from lab.servers.one_way import OneWay

from kiosk.core.clock import SystemClock
from kiosk.core.secret import Secret
from kiosk.directory.errors import OutcomeUnknown, ReadFailed, Unreachable
from kiosk.directory.ldap import LdapDirectory
from kiosk.directory.ldap.channel import Answer, Channel
from kiosk.directory.values import BindResult, WhyUnreachable
from kiosk.simulation.rehearsal.real_domain import LaboratoryDomain
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Outcome, Result
from statemachine.operation import Kind
from storage.records import Sync, Template

pytestmark = pytest.mark.samba

OLD, NEW, OTHER = "246813", "975318", "864209"
Reset = Callable[..., Answer]


class Station:
    """One holder with a simulated card, and a real directory."""

    def __init__(self, samba: SambaDomain, address: str = "") -> None:
        self.samba = samba
        self.user: LabUser = samba.add_user(password=OLD)
        settings = samba.settings(
            dcs=(address or samba.address,), connect_timeout=3.0, receive_timeout=3.0
        )
        self.directory = LdapDirectory(settings, SystemClock())
        domain = LaboratoryDomain(self.directory)
        self.world = World(clock=SystemClock(), domain=domain)
        self.world.add_template(Template(name="staff"))
        made, puk = self.world.make_card("Ann", pin=OLD.encode())
        self.made = made
        self.world.register(
            "ann", made, puk, account_guid=self.user.guid, template="staff"
        )

    def change(self, old: str = OLD, new: str = NEW) -> Result:
        self.world.readers.pull()
        visit = self.world.visit(self.world.readers.insert(self.made.card))
        visit.recognise()
        form = visit.begin(Kind.CHANGE)
        typed = {
            FieldName.OLD_PIN: Secret(old.encode()),
            FieldName.NEW_PIN: Secret(new.encode()),
        }
        return visit.submit(form, Answers(typed, confirmed=True), lambda _: None)

    def recommended(self) -> Kind | None:
        """Insert the card again, and return what the kiosk would have done."""
        self.world.readers.pull()
        home = self.world.visit(self.world.readers.insert(self.made.card)).recognise()
        return next((each.kind for each in home.actions if each.recommended), None)

    @property
    def sync(self) -> Sync:
        return self.world.credential("ann").sync

    @property
    def wrong_tries(self) -> int:
        return int(self.samba.attribute(self.user, "badPwdCount"))

    def eventually_set(self, before: int) -> None:
        """Wait until the DC has done what it was sent."""
        waiting = threading.Event()
        for _ in range(400):
            if self.samba.pwd_last_set(self.user) > before:
                return
            waiting.wait(0.05)
        pytest.fail("the DC never did it")


@pytest.fixture
def station(samba: SambaDomain) -> Station:
    return Station(samba)


@pytest.fixture
def line(samba: SambaDomain) -> Iterator[OneWay]:
    """A line to the DC that can lose its answers."""
    with samba.distant() as line:
        yield line


def around_the_reset(
    monkeypatch: pytest.MonkeyPatch, what: Callable[[Reset], Answer]
) -> None:
    """Let something happen to the DC while the one write is under way."""
    real = Channel.reset

    def reset(
        self: Channel,
        dn: str,
        password: Secret,
        control: str = "",
        *,
        is_late: Callable[[], bool],
    ) -> Answer:
        return what(lambda: real(self, dn, password, control, is_late=is_late))

    monkeypatch.setattr(Channel, "reset", reset)


# --- no answer ---------------------------------------------------------------


def test_a_dc_whose_answer_was_lost_is_asked_what_it_did(
    samba: SambaDomain, line: OneWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = Station(samba, line.address)
    before = samba.pwd_last_set(station.user)

    def lose_the_answer(reset: Reset) -> Answer:
        with line.unanswered():
            try:
                return reset()
            finally:
                station.eventually_set(before)

    around_the_reset(monkeypatch, lose_the_answer)
    assert station.change().outcome is Outcome.DONE
    assert station.sync is Sync.IN_STEP
    assert samba.user_binds(station.user.upn, NEW)


def test_a_dc_that_answers_nothing_more_leaves_the_card_out_of_step_to_be_finished(
    samba: SambaDomain, line: OneWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = Station(samba, line.address)
    before = samba.pwd_last_set(station.user)
    with ExitStack() as from_then_on:

        def lose_every_answer(reset: Reset) -> Answer:
            from_then_on.enter_context(line.unanswered())
            return reset()

        around_the_reset(monkeypatch, lose_every_answer)
        result = station.change()
    assert result.outcome is Outcome.OUT_OF_STEP
    assert station.made.card.has_pin(NEW.encode()), "unknown is never rolled back"
    station.eventually_set(before)
    assert samba.user_binds(station.user.upn, NEW), "it had been applied"
    assert station.wrong_tries == 0, "no trial of ours counted"
    assert station.recommended() is Kind.FINISH


@pytest.mark.parametrize("thaws", ["at once", "later"])
def test_of_a_frozen_dc_nothing_is_claimed_that_it_did_not_do(
    station: Station, samba: SambaDomain, monkeypatch: pytest.MonkeyPatch, thaws: str
) -> None:
    """Whether it does what it was sent is its own affair (Samba 4.22 does not)."""

    def freeze(reset: Reset) -> Answer:
        samba.freeze()
        try:
            return reset()
        finally:
            if thaws == "at once":
                samba.thaw()

    around_the_reset(monkeypatch, freeze)
    try:
        result = station.change()
    finally:
        samba.thaw()
    assert station.made.card.has_pin(NEW.encode()), "unknown is never rolled back"
    if result.outcome is Outcome.DONE:
        assert station.sync is Sync.IN_STEP
        assert samba.user_binds(station.user.upn, NEW)
    else:
        assert result.outcome is Outcome.OUT_OF_STEP
        assert station.recommended() is Kind.FINISH


def test_a_dc_that_is_killed_in_the_middle_is_asked_when_it_is_back(
    station: Station, samba: SambaDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It died before it did anything: its own `pwdLastSet` says so, without a try."""

    def kill(reset: Reset) -> Answer:
        samba.freeze()
        killer = threading.Timer(0.3, samba.kill)
        killer.start()
        try:
            return reset()
        finally:
            killer.join()
            samba.run()

    around_the_reset(monkeypatch, kill)
    assert station.change().outcome is Outcome.OUT_OF_STEP
    assert samba.user_binds(station.user.upn, OLD)
    assert station.wrong_tries == 0
    assert station.recommended() is Kind.FINISH


def test_a_dc_that_took_it_and_shows_nothing_since_is_not_called_in_step(
    station: Station, samba: SambaDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def freeze_afterwards(reset: Reset) -> Answer:
        answer = reset()
        samba.freeze()
        return answer

    around_the_reset(monkeypatch, freeze_afterwards)
    try:
        result = station.change()
    finally:
        samba.thaw()
    assert result.outcome is Outcome.OUT_OF_STEP
    assert "reason.not_seen" in {fact.key for fact in result.facts}
    assert station.made.card.has_pin(NEW.encode()), "it was taken: never rolled back"
    assert station.recommended() is Kind.FINISH


# --- restarted ---------------------------------------------------------------


def test_a_dc_that_restarts_between_two_writes_takes_both(
    station: Station, samba: SambaDomain
) -> None:
    assert station.change().outcome is Outcome.DONE
    samba.kill()
    samba.run()
    assert station.change(NEW, OTHER).outcome is Outcome.DONE
    assert samba.user_binds(station.user.upn, OTHER)


def test_a_line_from_before_a_restart_is_not_used_again(
    station: Station, samba: SambaDomain
) -> None:
    before = samba.pwd_last_set(station.user)
    with station.directory.connect() as dc, Secret(NEW.encode()) as new:
        account = dc.account(station.user.guid)
        samba.kill()
        samba.run()
        with pytest.raises(OutcomeUnknown):
            dc.set_password(account, new)
        with pytest.raises(ReadFailed):
            dc.account(station.user.guid)
        assert dc.verify_password(account, new) is BindResult.WRONG_PASSWORD
    assert samba.pwd_last_set(station.user) == before


# --- somebody else -----------------------------------------------------------


def test_a_change_elsewhere_before_is_asked_about_and_overwritten(
    station: Station, samba: SambaDomain
) -> None:
    samba.set_password_elsewhere(station.user, OTHER)
    assert station.recommended() is Kind.FINISH
    assert station.sync is Sync.OUT_OF_STEP
    assert station.change().outcome is Outcome.DONE
    assert samba.user_binds(station.user.upn, NEW)


def test_a_change_elsewhere_during_ours_is_seen_though_ours_still_binds(
    station: Station, samba: SambaDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Channel.bind

    def somebody_was_faster(self: Channel, name: str, password: Secret) -> Answer:
        if password.matches(mine):
            samba.set_password_elsewhere(station.user, OTHER)
        return real(self, name, password)

    with Secret(NEW.encode()) as mine:
        monkeypatch.setattr(Channel, "bind", somebody_was_faster)
        result = station.change()
    assert result.outcome is Outcome.OUT_OF_STEP
    assert "reason.changed_elsewhere" in {fact.key for fact in result.facts}
    assert samba.user_binds(station.user.upn, NEW), "the one before, for an hour"
    assert station.recommended() is Kind.FINISH


def test_a_change_elsewhere_afterwards_is_seen_at_the_next_insertion(
    station: Station, samba: SambaDomain
) -> None:
    assert station.change().outcome is Outcome.DONE
    assert station.recommended() is not Kind.FINISH
    samba.set_password_elsewhere(station.user, OTHER)
    assert station.recommended() is Kind.FINISH


def test_two_stations_that_reset_one_user_at_once_both_get_an_answer(
    samba: SambaDomain,
) -> None:
    """The DC takes one after the other; what stays is one of the two."""
    user = samba.add_user(password=OLD)
    directory = LdapDirectory(samba.settings(), SystemClock())
    together = threading.Barrier(2)

    def reset(pin: str) -> tuple[BindResult, int]:
        with directory.connect() as dc, Secret(pin.encode()) as new:
            account = dc.account(user.guid)
            together.wait(20)
            dc.set_password(account, new)
            together.wait(20)
            said = dc.verify_password(account, new)
            return said, dc.account(user.guid).pwd_last_set

    with ThreadPoolExecutor(2) as stations:
        told = list(stations.map(reset, (NEW, OTHER)))
    assert [said for said, _ in told] == [BindResult.OK] * 2, "one of them as n-1"
    assert {seen for _, seen in told} == {samba.pwd_last_set(user)}
    samba.set_password_elsewhere(user, "112233")
    binding = [pin for pin in (NEW, OTHER) if samba.user_binds(user.upn, pin)]
    assert len(binding) == 1, "the later one, which is the one before now"
    assert not samba.user_binds(user.upn, OLD)


def test_two_stations_that_write_in_turns_both_know_in_the_end(
    station: Station, samba: SambaDomain
) -> None:
    """The first looked before the second wrote: it finds out at the next insertion."""
    assert station.change().outcome is Outcome.DONE
    other = LdapDirectory(samba.settings(), SystemClock())
    with other.connect() as dc, Secret(OTHER.encode()) as new:
        dc.set_password(dc.account(station.user.guid), new)
    assert station.recommended() is Kind.FINISH
    assert station.sync is Sync.OUT_OF_STEP


# --- names -------------------------------------------------------------------


def test_a_resolver_that_hangs_costs_the_connect_timeout_and_no_more(
    samba: SambaDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def hang(*_others: object, **_named: object) -> list[object]:
        ended.wait(60)
        return []

    monkeypatch.setattr("socket.getaddrinfo", hang)
    settings = samba.settings(dcs=("hanging.ad.test",), connect_timeout=0.3)
    try:
        with (
            pytest.raises(Unreachable) as unreachable,
            LdapDirectory(settings, SystemClock()).connect(),
        ):
            pass
    finally:
        ended.set()
    assert unreachable.value.data["reason"] == WhyUnreachable.TIMED_OUT
