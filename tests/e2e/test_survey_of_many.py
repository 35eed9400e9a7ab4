"""What a report sees of many accounts is what each of them shows by itself."""

from __future__ import annotations

import pytest
from lab.domain import samba_domain
from lab.domain.ldap_relay import Doing, Trouble, misbehaving
from lab.domain.samba import SambaDomain

from kiosk.authority.office import survey as surveying
from kiosk.authority.office.survey import survey
from kiosk.core.clock import ManualClock, SystemClock
from kiosk.directory.errors import AccountMissing, ReadFailed
from kiosk.directory.ldap import LdapDirectory
from kiosk.directory.ports import Surveyable

pytestmark = pytest.mark.samba

NOBODY = "00000000-0000-0000-0000-00000000000f"


@pytest.fixture
def guids(samba: SambaDomain, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Users of every kind, in batches of two."""
    monkeypatch.setattr(surveying, "BATCH", 2)
    users = [samba.add_user() for _ in range(5)]
    users.append(samba.add_user(password="Correct-Horse-1", pin_user=False))
    users.append(samba.add_user(ou=samba_domain.ELSEWHERE))
    samba.disable(users[0])
    samba.must_change(users[1])
    samba.make_domain_admin(users[2])
    samba.require_smart_card(users[3])
    return [user.guid for user in users]


def test_each_is_seen_as_it_is_by_itself(samba: SambaDomain, guids: list[str]) -> None:
    directory = LdapDirectory(samba.settings(), SystemClock())
    seen = survey(directory, [*guids, NOBODY, "no guid"])
    assert len(seen) == len(guids) + 2
    with directory.connect() as dc:
        assert isinstance(dc, Surveyable)
        for guid in guids:
            account = dc.account(guid)
            assert seen[guid].account == account
            assert seen[guid].policy == dc.password_policy(account)
            assert seen[guid].dc == samba.address
    assert isinstance(seen[NOBODY].trouble, AccountMissing)
    assert isinstance(seen["no guid"].trouble, AccountMissing)


@pytest.mark.parametrize("first", [3, 6, 9])
@pytest.mark.parametrize("doing", [Doing.CUT, Doing.ANSWER])
def test_where_one_breaks_off_the_other_goes_on(
    samba: SambaDomain, guids: list[str], doing: Doing, first: int
) -> None:
    with misbehaving(samba, Trouble("search", doing, 51, first=first)) as record:
        dcs = (f"localhost:{record.port}", samba.address)
        settings = samba.settings(dcs=dcs)
        seen = survey(LdapDirectory(settings, ManualClock()), guids)
        assert record.lines == 1
    assert [guid for guid in guids if seen[guid].account is None] == []


def test_what_nobody_answers_is_told_of_each_and_ends_nothing(
    samba: SambaDomain, guids: list[str]
) -> None:
    refused = Trouble("search", Doing.ANSWER, 53, "no", first=8)
    with misbehaving(samba, refused) as record:
        settings = samba.settings(dcs=(f"localhost:{record.port}",))
        seen = survey(LdapDirectory(settings, ManualClock()), guids)
    assert set(seen) == set(guids)
    troubles = [each.trouble for each in seen.values() if each.account is None]
    assert troubles
    assert all(isinstance(each, ReadFailed) for each in troubles)
    assert len(troubles) < len(guids), "those before it were seen"
