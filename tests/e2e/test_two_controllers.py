"""Two real domain controllers of one domain: what one knows, the other learns later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.domain.samba import LabUser, SambaDomain
from lab.domain.samba_pair import SambaPair
from lab.servers.dns_server import DnsServer

from kiosk.authority.rules import in_step
from kiosk.authority.rules.account_snapshot import look
from kiosk.authority.rules.in_step import Compared
from kiosk.core.clock import ManualClock, SystemClock
from kiosk.core.secret import Secret
from kiosk.directory.ldap import LdapDirectory
from kiosk.directory.ldap.breaker import REST_SECONDS
from kiosk.directory.values import Account, BindResult, Spread

pytestmark = [pytest.mark.long, pytest.mark.samba]

FIRST_PIN, NEW_PIN = "246813", "975318"


@pytest.fixture
def names(samba_pair: SambaPair) -> Iterator[DnsServer]:
    """Where the two are found by the names that they have in the directory."""
    with DnsServer() as server:
        for dc in (samba_pair.first, samba_pair.second):
            server.host(dc.name, dc.address)
        yield server


@pytest.fixture
def trusted(samba_pair: SambaPair, tmp_path: Path) -> Path:
    """The authorities of both."""
    both = tmp_path / "both.pem"
    both.write_text(
        samba_pair.first.ca_file.read_text() + samba_pair.second.ca_file.read_text()
    )
    return both


@pytest.fixture
def ann(samba_pair: SambaPair) -> LabUser:
    """Somebody whom both know."""
    user = samba_pair.first.add_user(password=FIRST_PIN)
    samba_pair.bring_up_to_date(samba_pair.second)
    return user


class Site:
    """The directory as a station sees it that stands near one of the two."""

    def __init__(
        self, near: SambaDomain, names: DnsServer, trusted: Path, **changes: object
    ) -> None:
        self.clock = ManualClock()
        self.later: list[object] = []
        settings = near.settings(
            dcs=(near.name,),
            nameservers=(names.address,),
            ca_file=trusted,
            **{"pdc_check": True, **changes},
        )
        self.directory = LdapDirectory(
            settings, self.clock, background=self.later.append
        )

    def reset(self, user: LabUser) -> Spread:
        """Set a new password, and say what is known of it beyond this DC."""
        with self.directory.connect() as dc, Secret(NEW_PIN.encode()) as new:
            account = dc.account(user.guid)
            dc.set_password(account, new)
            assert dc.verify_password(account, new) is BindResult.OK
            return self.directory.spread(dc, dc.account(user.guid))

    def spread(self, account: Account) -> Spread:
        with self.directory.connect() as dc:
            return self.directory.spread(dc, account)

    def account(self, user: LabUser) -> Account:
        with self.directory.connect() as dc:
            return dc.account(user.guid)

    def sign_in(self, user: LabUser, pin: str) -> BindResult:
        with self.directory.connect() as dc, Secret(pin.encode()) as tried:
            return dc.verify_password(dc.account(user.guid), tried)


def test_what_one_took_the_other_learns_when_it_is_told(
    samba_pair: SambaPair, names: DnsServer, trusted: Path, ann: LabUser
) -> None:
    near = Site(samba_pair.second, names, trusted)
    far = Site(samba_pair.first, names, trusted)
    near.reset(ann)
    assert far.sign_in(ann, NEW_PIN) is BindResult.WRONG_PASSWORD
    assert far.sign_in(ann, FIRST_PIN) is BindResult.OK
    assert far.account(ann).pwd_last_set < near.account(ann).pwd_last_set
    samba_pair.bring_up_to_date(samba_pair.first)
    assert far.sign_in(ann, NEW_PIN) is BindResult.OK
    assert far.account(ann).pwd_last_set == near.account(ann).pwd_last_set


def test_that_it_still_spreads_is_told_until_the_pdc_knows(
    samba_pair: SambaPair, names: DnsServer, trusted: Path, ann: LabUser
) -> None:
    near = Site(samba_pair.second, names, trusted)
    assert near.reset(ann) is Spread.SPREADING
    samba_pair.bring_up_to_date(samba_pair.first)
    assert near.spread(near.account(ann)) is Spread.KNOWN


def test_what_the_pdc_took_itself_is_known(
    samba_pair: SambaPair, names: DnsServer, trusted: Path, ann: LabUser
) -> None:
    assert Site(samba_pair.first, names, trusted).reset(ann) is Spread.KNOWN
    samba_pair.bring_up_to_date(samba_pair.second)


def test_unless_it_is_wanted_nobody_else_is_asked(
    samba_pair: SambaPair, names: DnsServer, trusted: Path, ann: LabUser
) -> None:
    near = Site(samba_pair.second, names, trusted, pdc_check=False)
    assert near.reset(ann) is Spread.NOT_ASKED
    assert samba_pair.first.name not in names.questions


def test_a_pdc_that_is_dead_is_waited_for_once_and_probed(
    samba_pair: SambaPair, names: DnsServer, trusted: Path, ann: LabUser
) -> None:
    near = Site(samba_pair.second, names, trusted)
    names.host(samba_pair.first.name, "127.0.0.1")
    assert near.reset(ann) is Spread.UNKNOWN
    asked = names.questions.count(samba_pair.first.name)
    assert near.spread(near.account(ann)) is Spread.UNKNOWN
    assert names.questions.count(samba_pair.first.name) == asked
    names.host(samba_pair.first.name, samba_pair.first.address)
    near.clock.advance(REST_SECONDS)
    assert near.spread(near.account(ann)) is Spread.UNKNOWN
    (probe,) = near.later
    assert callable(probe)
    probe()
    assert near.spread(near.account(ann)) is Spread.SPREADING


def test_one_that_lags_never_looks_like_a_change_elsewhere(
    samba_pair: SambaPair, names: DnsServer, trusted: Path, ann: LabUser
) -> None:
    """A station that meets the other DC next must not call the card out of step."""
    near = Site(samba_pair.second, names, trusted)
    near.reset(ann)
    written = near.account(ann).pwd_last_set
    far = Site(samba_pair.first, names, trusted)
    assert far.account(ann).pwd_last_set < written, "older: lag, not a change"


def test_the_dc_of_the_record_is_asked_where_another_lags(
    samba_pair: SambaPair, names: DnsServer, trusted: Path, ann: LabUser
) -> None:
    near = Site(samba_pair.second, names, trusted)
    near.reset(ann)
    known = in_step.seen(near.account(ann), samba_pair.second.name)
    both = Site(samba_pair.first, names, trusted).directory
    assert look(both, ann.guid, known=known).compared is Compared.SAME
    samba_pair.second.kill()
    try:
        unseen = look(both, ann.guid, known=known)
        assert unseen.compared is Compared.NOT_KNOWN, "the one who could say is away"
        samba_pair.first.set_password_elsewhere(ann, "Helpdesk-4711")
        # The same version now, by another hand: which of the two stays, nobody knows.
        assert look(both, ann.guid, known=known).compared is Compared.CHANGED
    finally:
        samba_pair.second.run()
    samba_pair.bring_up_to_date(samba_pair.first)
    samba_pair.bring_up_to_date(samba_pair.second)
    stays = in_step.seen(near.account(ann), samba_pair.second.name)
    assert look(both, ann.guid, known=stays).compared is Compared.SAME


def test_a_reset_on_another_dc_is_seen_once_it_has_come(
    samba_pair: SambaPair, names: DnsServer, trusted: Path, ann: LabUser
) -> None:
    near = Site(samba_pair.second, names, trusted)
    near.reset(ann)
    known = in_step.seen(near.account(ann), samba_pair.second.name)
    samba_pair.bring_up_to_date(samba_pair.first)
    samba_pair.first.reset_and_must_change(ann, "Helpdesk-4711")
    assert look(near.directory, ann.guid, known=known).compared is Compared.SAME
    samba_pair.bring_up_to_date(samba_pair.second)
    assert look(near.directory, ann.guid, known=known).compared is Compared.CHANGED


def test_either_is_found_through_the_other_when_one_is_dead(
    samba_pair: SambaPair, names: DnsServer, trusted: Path
) -> None:
    settings = samba_pair.first.settings(
        dcs=(samba_pair.first.name, samba_pair.second.name),
        nameservers=(names.address,),
        ca_file=trusted,
    )
    directory = LdapDirectory(settings, SystemClock())
    samba_pair.first.kill()
    try:
        with directory.connect() as dc:
            assert dc.name == samba_pair.second.name
    finally:
        samba_pair.first.run()
