"""What operators ask of the domain is answered by whichever controller can.

Two controllers of one domain: the first is ill in one way, the second a sound Samba
(the first passes everything else on to it). Who was asked is told by the first one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from lab.desk.office import Office
from lab.domain.ldap_relay import Doing, Record, Trouble, misbehaving
from lab.domain.samba import LabUser, SambaDomain

from kiosk.authority.local_office import LocalOfficeAuthority
from kiosk.authority.office.errors import SignInRefused
from kiosk.authority.office.operators import SignedIn
from kiosk.authority.office.policy import OfficePolicy
from kiosk.certificates.judge import SiteCertificates
from kiosk.config import OperatorRole
from kiosk.config.sections.enrollment import NamedBy
from kiosk.core.clock import ManualClock
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.desk.batch import read_batch
from kiosk.desk.context import Context
from kiosk.desk.pages.watch import WatchPage
from kiosk.directory.ldap import LdapDirectory
from storage.records import LastSync

pytestmark = pytest.mark.samba

ILL = [
    Trouble("bind", Doing.ANSWER, 51),
    Trouble("bind", Doing.CUT),
    *(
        Trouble("search", doing, number, first=nth)
        for nth in (1, 2, 3, 4)
        for doing, number in ((Doing.ANSWER, 51), (Doing.ANSWER, 1), (Doing.CUT, 0))
    ),
    Trouble("search", Doing.SILENCE, first=3),
    Trouble("search", Doing.GARBAGE, first=2),
]
PASSWORD = "Correct-Horse-1"


class Desks:
    """An office whose domain has two controllers, the first of them ill."""

    def __init__(self, samba: SambaDomain, first: Record) -> None:
        self.samba = samba
        self.ill = f"localhost:{first.port}"
        settings = samba.settings(
            dcs=(self.ill, samba.address), connect_timeout=3.0, receive_timeout=3.0
        )
        self.directory = LdapDirectory(settings, ManualClock())
        self.office = Office()
        self.parts = replace(self.office.world.parts, directory=self.directory)

    def sign_in(self, operator: LabUser, group: str, password: str) -> SignedIn:
        office = self.authority({OperatorRole.OFFICER: group})
        with Secret(password.encode()) as typed:
            return office.sign_in_by_account(operator.name, typed).operator

    def authority(self, groups: dict[OperatorRole, str]) -> LocalOfficeAuthority:
        policy = OfficePolicy(
            groups=groups,
            with_account=True,
            second_for=frozenset(),
            named_by=NamedBy.UPN,
            expiring_days=30,
        )
        judge = SiteCertificates(list)
        return LocalOfficeAuthority(self.parts, "desk-1", policy, judge)

    @property
    def context(self) -> Context:
        everything = SignedIn(account="olga", roles=frozenset(OperatorRole), guid="")
        authority = self.authority({})
        return Context(authority, self.office.site, authority.session(everything))


@contextmanager
def desks(samba: SambaDomain, trouble: Trouble) -> Iterator[tuple[Desks, Record]]:
    with misbehaving(samba, trouble) as first:
        yield Desks(samba, first), first


@pytest.fixture
def operator(samba: SambaDomain) -> tuple[LabUser, str]:
    user = samba.add_user(password=PASSWORD)
    return user, samba.add_group(user.dn)


@pytest.mark.parametrize("trouble", ILL, ids=str)
def test_an_operator_signs_in_by_password_all_the_same_and_waits_once(
    samba: SambaDomain, operator: tuple[LabUser, str], trouble: Trouble
) -> None:
    with desks(samba, trouble) as (office, first):
        for _ in range(3):
            signed_in = office.sign_in(*operator, PASSWORD)
            assert signed_in.guid == operator[0].guid
            assert signed_in.roles == {OperatorRole.OFFICER}
        assert first.lines <= 3, "one visit: two questions, and the bind that proves"


def test_a_wrong_password_is_tried_once_whatever_the_controllers_do(
    samba: SambaDomain, operator: tuple[LabUser, str]
) -> None:
    user, group = operator
    ill = Trouble("search", Doing.ANSWER, 51, first=2)
    with desks(samba, ill) as (office, _), pytest.raises(SignInRefused) as refused:
        office.sign_in(user, group, "Wrong-Horse-1")
    assert refused.value.reason.key == "enrollment.wrong_password"
    assert int(samba.attribute(user, "badPwdCount")) == 1


def test_a_bind_without_an_answer_is_not_tried_elsewhere(
    samba: SambaDomain, operator: tuple[LabUser, str]
) -> None:
    """Nobody knows whether it has counted. The next try is put to the other one."""
    user, group = operator
    done = Trouble("bind", Doing.DONE_AND_SILENT, naming=user.dn.encode())
    with desks(samba, done) as (office, first):
        with pytest.raises(SignInRefused) as refused:
            office.sign_in(user, group, "Wrong-Horse-1")
        assert refused.value.reason.key == "directory.bind.no_answer"
        assert int(samba.attribute(user, "badPwdCount")) == 1
        lines = first.lines
        assert office.sign_in(user, group, PASSWORD).guid == user.guid
        assert first.lines == lines


@pytest.mark.parametrize("nth", [1, 2, 4, 6])
@pytest.mark.parametrize("doing", [Doing.ANSWER, Doing.CUT])
def test_a_batch_goes_on_where_one_controller_breaks_off(
    samba: SambaDomain, tmp_path: Path, doing: Doing, nth: int
) -> None:
    people = [samba.add_user(display_name=f"Person {at}") for at in range(3)]
    file = tmp_path / "batch.csv"
    lines = [f"{each.name},staff" for each in people]
    file.write_text("\n".join(("account,template", *lines, "")))
    with desks(samba, Trouble("search", doing, 51, first=nth)) as (office, first):
        batch = read_batch(office.context.office, office.context.site, str(file))
        assert [row.account for row in batch.rows] == [each.upn for each in people]
        assert [row.name for row in batch.rows] == ["Person 0", "Person 1", "Person 2"]
        assert first.lines == 1


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("doing", [Doing.ANSWER, Doing.CUT])
def test_the_watch_is_told_by_another_controller_and_names_it(
    samba: SambaDomain, doing: Doing, nth: int
) -> None:
    user = samba.add_user()
    with desks(samba, Trouble("search", doing, 51, first=nth)) as (office, first):
        office.office.person("ann")
        office.office.holder("ann")
        world = office.office.world
        written = msgspec.structs.replace(
            world.credential("ann"),
            account_guid=user.guid,
            last_sync=LastSync(at=1.0, dc=office.ill, pwd_last_set=1),
        )
        credential = world.registry.run(lambda tx: tx.save_credential(written))
        for _ in range(3):
            page = WatchPage(credential).show(office.context)
            (count,) = (
                line.text
                for line in page.lines
                if isinstance(line.text, Message)
                and line.text.key == "desk.watch.count"
            )
            assert count.data["dc"] == samba.address
        assert first.lines == 1
