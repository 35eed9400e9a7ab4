"""`kiosk doctor` proves what the service account may, and that it may no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from lab.domain import samba_domain
from lab.domain.samba import LabUser, SambaDomain
from lab.domain.samba_rights import (
    grant,
    granted,
    last_change,
    permissions,
    set_permissions,
    sid_of,
)
from lab.realsite import found

from kiosk.cli import main
from kiosk.core.clock import Clock, ManualClock, SystemClock
from kiosk.core.exit_codes import ExitCode
from kiosk.directory.delegation import (
    ACCOUNT_RESTRICTIONS,
    KEY_CREDENTIALS,
    NEEDED,
    REPLICATION,
    RESET_PASSWORD,
    SERVICE_NAMES,
    USER,
    entry_for_policies,
    entry_for_users,
)
from kiosk.directory.errors import ReadFailed
from kiosk.directory.ldap import LdapDirectory
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.controller import LdapController
from kiosk.directory.ports import Examinable
from kiosk.directory.values import ServiceFacts
from kiosk.doctor import Finding, Health
from kiosk.doctor import directory as doctor_directory
from kiosk.doctor.domain import examine_domain
from kiosk.doctor.service_account import SOON, examine_account
from kiosk.texts import sentence
from storage.records import Template

pytestmark = [pytest.mark.long, pytest.mark.samba]

PASSWORD = "Ordinary-Service-1"
HEAD = samba_domain.BASE_DN
ADMINISTRATOR = f"CN=Administrator,CN=Users,{HEAD}"
GROUP, MEMBER = (
    "bf967a9c-0de6-11d0-a285-00aa003049e2",
    "bf9679c0-0de6-11d0-a285-00aa003049e2",
)


@dataclass(frozen=True)
class Delegated:
    """A unit of a test's own, somebody in it, and an account delegated on it."""

    samba: SambaDomain
    unit: str
    user: LabUser
    service: LabUser
    sid: str
    directory: LdapDirectory

    def findings(self, *units: str, everybody: bool = False) -> dict[str, Finding]:
        """What the doctor says, by part; every finding must have its words."""
        templates = [Template(name="staff")]
        said = tuple(
            examine_domain(
                self.directory,
                units or (self.unit,),
                templates,
                SystemClock(),
                everybody=everybody,
            )
        )
        for each in said:
            assert sentence(each.meaning)
            assert (each.advice is None) is (each.health is Health.OK)
            assert each.advice is None or sentence(each.advice)
        return {each.part: each for each in said}

    def facts(self) -> ServiceFacts:
        with self.directory.connect() as dc:
            assert isinstance(dc, Examinable)
            return dc.service_account()


@pytest.fixture
def plain(samba: SambaDomain, tmp_path: Path) -> Delegated:
    """Nothing is delegated yet."""
    service = samba.add_user(
        password=PASSWORD, ou=samba_domain.ELSEWHERE, pin_user=False
    )
    unit = f"OU=of {service.name},{HEAD}"
    samba.add_unit(unit)
    file = tmp_path / "service.password"
    file.touch(mode=0o600)
    file.write_text(PASSWORD)
    settings = samba.settings(service_account=service.upn, password_file=file)
    return Delegated(
        samba=samba,
        unit=unit,
        user=samba.add_user(ou=unit),
        service=service,
        sid=sid_of(samba, service.dn),
        directory=LdapDirectory(settings, SystemClock()),
    )


def delegation(sid: str) -> str:
    return "".join(entry_for_users(right, sid) for right in NEEDED)


@pytest.fixture
def place(plain: Delegated) -> Delegated:
    """Just what is needed is delegated."""
    grant(plain.samba, plain.unit, delegation(plain.sid))
    return plain


def healths(findings: dict[str, Finding]) -> dict[str, Health]:
    return {part: finding.health for part, finding in findings.items()}


def words(finding: Finding) -> str:
    return sentence(finding.meaning, limit=1000)


# --- what it may -------------------------------------------------------------


def test_an_account_with_just_its_rights_passes(place: Delegated) -> None:
    policies = f"CN=Password Settings Container,CN=System,{HEAD}"
    with granted(place.samba, policies, entry_for_policies(place.sid)):
        said = healths(place.findings())
    assert said.pop("domain policy, staff") is Health.WARN, "PINs are never complex"
    assert set(said.values()) == {Health.OK}
    assert set(said) >= {
        "service account",
        "service account, password",
        f"rights on {place.unit}",
        f"rights in {place.unit}",
        f"rights in {place.unit}, no more",
        "rights on protected accounts",
        "rights outside",
        "rights on itself",
        "rights on the domain",
        "fine-grained policies",
        f"policy in {place.unit}",
    }


def test_looking_changes_nothing_and_spends_no_try(place: Delegated) -> None:
    objects = (place.unit, place.user.dn, samba_domain.STAFF, HEAD)
    before = [last_change(place.samba, dn) for dn in objects]
    place.findings()
    assert [last_change(place.samba, dn) for dn in objects] == before
    for user in (place.user, place.service):
        assert int(place.samba.attribute(user, "badPwdCount")) == 0


def test_rights_that_were_removed_are_missed(plain: Delegated) -> None:
    before = permissions(plain.samba, plain.unit)
    grant(plain.samba, plain.unit, delegation(plain.sid))
    part = f"rights in {plain.unit}"
    assert plain.findings()[part].health is Health.OK
    set_permissions(plain.samba, plain.unit, before)
    finding = plain.findings()[part]
    assert finding.health is Health.FAIL
    assert "Reset Password, lockoutTime, pwdLastSet" in words(finding)


@pytest.mark.parametrize("left_out", NEEDED, ids=lambda right: right.name)
def test_each_right_that_is_missing_is_named(
    plain: Delegated, left_out: object
) -> None:
    some = [right for right in NEEDED if right is not left_out]
    given = "".join(entry_for_users(right, plain.sid) for right in some)
    grant(plain.samba, plain.unit, given)
    finding = plain.findings()[f"rights in {plain.unit}"]
    (missing,) = set(NEEDED) - set(some)
    assert finding.meaning.data["rights"] == missing.name


def test_a_right_that_is_denied_is_missing(place: Delegated) -> None:
    deny = entry_for_users(RESET_PASSWORD, place.sid).replace("(OA;", "(OD;")
    grant(place.samba, place.unit, deny)
    finding = place.findings()[f"rights in {place.unit}"]
    assert finding.meaning.data["rights"] == RESET_PASSWORD.name


def test_a_unit_that_was_moved_is_missed_and_its_rights_go_with_it(
    place: Delegated,
) -> None:
    moved = replace(place.user, dn=place.unit)
    place.samba.move(moved, samba_domain.ELSEWHERE)
    gone = place.findings()
    assert gone[f"rights in {place.unit}"].meaning.key == "doctor.unit_missing"
    there = f"{place.unit.partition(',')[0]},{samba_domain.ELSEWHERE}"
    assert place.findings(there)[f"rights in {there}"].health is Health.OK


def test_an_empty_unit_and_a_whole_domain_are_not_judged(place: Delegated) -> None:
    place.samba.delete(place.user)
    said = place.findings()
    assert said[f"rights in {place.unit}"].meaning.key == "doctor.unit_empty"
    assert place.findings(HEAD)["rights"].meaning.key == "doctor.no_units"


def test_where_no_unit_is_named_the_delegation_itself_is_no_right_too_many(
    place: Delegated,
) -> None:
    said = place.findings(HEAD)
    assert said["rights"].meaning.key == "doctor.no_units"
    assert said["rights outside"].health is Health.OK


# --- and no more -------------------------------------------------------------


def on_unit(place: Delegated) -> str:
    return place.unit


def on_user(place: Delegated) -> str:
    return place.user.dn


def elsewhere(place: Delegated) -> str:
    return samba_domain.ELSEWHERE


def on_administrator(place: Delegated) -> str:
    return ADMINISTRATOR


def on_itself(place: Delegated) -> str:
    return place.service.dn


def on_domain(place: Delegated) -> str:
    return HEAD


def at(place: str) -> Callable[[Delegated], str]:
    return lambda _: f"{place},{HEAD}"


INSIDE, ON, BELOW = (
    "rights in {unit}, no more",
    "rights on {unit}",
    "rights below {unit}",
)
RESET = f"CR;{RESET_PASSWORD.guid}"


@pytest.mark.parametrize(
    ("dn", "entry", "part", "named"),
    [
        (on_unit, "(A;CI;WD;;;{sid})", ON, "change permissions"),
        (on_unit, "(A;CI;WO;;;{sid})", ON, "take ownership"),
        (on_unit, "(A;CI;CC;;;{sid})", ON, "create objects of every kind"),
        (on_unit, f"(OA;CI;CC;{USER};;{{sid}})", ON, f"create objects {USER}"),
        (on_unit, "(A;;GA;;;{sid})", ON, "change permissions"),
        (on_unit, "(A;CIIO;WP;;;{sid})", INSIDE, "write of every kind"),
        (on_unit, "(A;CIIO;SD;;;{sid})", INSIDE, "delete it"),
        (
            on_unit,
            f"(OA;CIIO;WP;{ACCOUNT_RESTRICTIONS};{USER};{{sid}})",
            INSIDE,
            "write User-Account-Restrictions",
        ),
        (
            on_user,
            f"(OA;;WP;{SERVICE_NAMES.guid};;{{sid}})",
            INSIDE,
            "write servicePrincipalName",
        ),
        (on_unit, f"(OA;CIIO;WP;{MEMBER};{GROUP};{{sid}})", BELOW, "write member"),
        (on_unit, f"(OA;CIIO;GA;;{GROUP};{{sid}})", BELOW, "change permissions"),
        (elsewhere, f"(OA;CIIO;{RESET};{USER};{{sid}})", "rights outside", "Reset"),
        (
            on_administrator,
            f"(OA;;{RESET};;{{sid}})",
            "rights on protected accounts",
            "extended right Reset Password",
        ),
        (on_itself, "(A;;WD;;;{sid})", "rights on itself", "change permissions"),
        (on_itself, f"(OA;;{RESET};;{{sid}})", "rights on itself", "Reset Password"),
        (
            on_itself,
            f"(OA;;WP;{KEY_CREDENTIALS.guid};;{{sid}})",
            "rights on itself",
            "write msDS-KeyCredentialLink",
        ),
        *(
            (
                on_domain,
                f"(OA;;CR;{right.guid};;{{sid}})",
                "rights on the domain",
                right.name,
            )
            for right in REPLICATION
        ),
        (
            at("CN=Domain Admins,CN=Users"),
            f"(OA;;WP;{MEMBER};;{{sid}})",
            "rights on protected groups",
            "write member",
        ),
        (
            at("CN=Backup Operators,CN=Builtin"),
            "(A;;WP;;;{sid})",
            "rights on protected groups",
            "write of every kind",
        ),
        (
            at("CN=AdminSDHolder,CN=System"),
            "(A;;GA;;;{sid})",
            "rights on AdminSDHolder",
            "change permissions",
        ),
        (
            at("CN=Password Settings Container,CN=System"),
            "(A;CI;GA;;;{sid})",
            "rights on password policies",
            "change permissions",
        ),
        (
            at("CN=Policies,CN=System"),
            "(A;CI;CC;;;{sid})",
            "rights on group policies",
            "create objects of every kind",
        ),
        (
            at("CN={31B2F340-016D-11D2-945F-00C04FB984F9},CN=Policies,CN=System"),
            "(A;;WD;;;{sid})",
            "rights on group policies",
            "change permissions",
        ),
        (
            at("CN=DC1,OU=Domain Controllers"),
            "(A;;GA;;;{sid})",
            "rights on domain controllers",
            "change permissions",
        ),
    ],
)
def test_a_right_too_many_is_found_wherever_it_is(
    place: Delegated,
    dn: Callable[[Delegated], str],
    entry: str,
    part: str,
    named: str,
) -> None:
    with granted(place.samba, dn(place), entry.format(sid=place.sid)):
        finding = place.findings()[part.format(unit=place.unit)]
    assert finding.health is Health.FAIL
    assert named in str(finding.meaning.data["rights"])
    left = healths(place.findings())
    # Whether password policies are well, only who may read them can say.
    assert left.get(part.format(unit=place.unit)) is not Health.FAIL


def test_one_user_of_many_is_found_when_all_are_looked_at(place: Delegated) -> None:
    """A sample says how large it was; one of its neighbours hides in it."""
    for _ in range(3):
        place.samba.add_user(ou=place.unit)
    other = place.samba.add_user(ou=place.unit)
    part = f"rights in {place.unit}, no more"
    with granted(place.samba, other.dn, f"(A;;WD;;;{place.sid})"):
        some = place.findings()
        every = place.findings(everybody=True)
    assert some[f"rights in {place.unit}, looked at"].meaning.data["count"] == 1
    assert every[f"rights in {place.unit}, looked at"].meaning.data["count"] == 5
    assert every[part].health is Health.FAIL
    assert other.dn in words(every[part])


def test_rights_of_a_group_in_a_group_are_rights_of_the_account(
    place: Delegated,
) -> None:
    outer = place.samba.add_group(place.samba.add_group(place.service.dn))
    entry = f"(A;CI;WD;;;{sid_of(place.samba, outer)})"
    with granted(place.samba, place.unit, entry):
        finding = place.findings()[f"rights on {place.unit}"]
    assert "change permissions" in words(finding)


def test_an_administrator_is_no_service_account(place: Delegated) -> None:
    place.samba.make_domain_admin(place.service)
    said = healths(place.findings())
    for part in (
        "service account, groups",
        f"rights in {place.unit}, no more",
        "rights on protected accounts",
        "rights outside",
        "rights on itself",
        "rights on the domain",
    ):
        assert said[part] is Health.FAIL, part
    assert said[f"rights in {place.unit}"] is Health.OK


def test_what_cannot_be_read_is_unknown_and_never_well(place: Delegated) -> None:
    with granted(place.samba, place.user.dn, f"(D;;RC;;;{place.sid})"):
        said = place.findings()
    for part in (f"rights in {place.unit}", f"rights in {place.unit}, no more"):
        assert said[part].health is Health.UNKNOWN
        assert place.user.dn in words(said[part])


# --- policies ----------------------------------------------------------------


def test_a_policy_that_may_not_be_read_is_told_with_the_right_that_is_missing(
    place: Delegated,
) -> None:
    said = place.findings()
    hidden = said[f"policy in {place.unit}"]
    assert hidden.health is Health.FAIL
    assert "pin-users" in words(hidden)
    assert hidden.advice is not None
    assert "kiosk directory delegate" in sentence(hidden.advice)
    assert said["fine-grained policies"].health is Health.UNKNOWN


def test_a_person_under_a_policy_that_no_pin_satisfies_is_a_warning(
    place: Delegated,
) -> None:
    place.samba.delete(place.user)
    place.samba.add_user(password=PASSWORD, ou=place.unit, pin_user=False)
    finding = place.findings()[f"policy in {place.unit}, staff"]
    assert finding.health is Health.WARN
    assert finding.meaning.data["rule"] == "complexity"


# --- the account and the line ------------------------------------------------


def account_lines(facts: ServiceFacts, at: float) -> dict[str, Health]:
    clock = ManualClock(start=at)
    return {each.part: each.health for each in examine_account(facts, clock)}


def test_the_end_of_its_password_is_announced_weeks_before(place: Delegated) -> None:
    facts = place.facts()
    end = facts.password_expires
    assert end is not None, "the domain's policy is 42 days"
    part = "service account, password"
    assert account_lines(facts, end - SOON - 60)[part] is Health.OK
    assert account_lines(facts, end - SOON + 60)[part] is Health.WARN
    assert account_lines(facts, end + 1)[part] is Health.FAIL


def test_a_password_that_never_expires_is_not_announced(samba: SambaDomain) -> None:
    user = samba.add_user(password=PASSWORD)
    facts = facts_of(samba, user)
    assert facts.password_expires is None
    assert account_lines(facts, 0.0)["service account, password"] is Health.OK


def test_the_end_of_the_account_is_announced_weeks_before(place: Delegated) -> None:
    end = 4_102_444_800  # 2100
    ticks = (end + 11_644_473_600) * 10**7
    place.samba.change_user(place.service, accountExpires=ticks)
    facts = place.facts()
    part = "service account, end"
    assert account_lines(facts, end - SOON - 60)[part] is Health.OK
    assert account_lines(facts, end - SOON + 60)[part] is Health.WARN
    assert account_lines(facts, end + 1)[part] is Health.FAIL


def test_an_account_that_was_closed_while_signed_in_is_told(place: Delegated) -> None:
    with place.directory.connect() as dc:
        assert isinstance(dc, Examinable)
        place.samba.disable(place.service)
        lines = list(examine_account(dc.service_account(), SystemClock()))
    assert lines[0].meaning.key == "doctor.service_disabled"


def test_an_account_that_was_locked_while_signed_in_is_told(samba: SambaDomain) -> None:
    user = samba.add_user(password=PASSWORD)
    with signed_in(samba, user) as dc:
        samba.lock(user)
        lines = list(examine_account(dc.service_account(), SystemClock()))
    assert lines[0].meaning.key == "doctor.service_locked"


@contextmanager
def signed_in(samba: SambaDomain, user: LabUser) -> Iterator[Examinable]:
    with samba_directory(samba, user).connect() as dc:
        assert isinstance(dc, Examinable)
        yield dc


def facts_of(samba: SambaDomain, user: LabUser) -> ServiceFacts:
    with signed_in(samba, user) as dc:
        return dc.service_account()


def samba_directory(samba: SambaDomain, user: LabUser) -> LdapDirectory:
    file = samba.folder / f"{user.name}.password"
    file.touch(mode=0o600)
    file.write_text(PASSWORD)
    settings = samba.settings(service_account=user.upn, password_file=file)
    return LdapDirectory(settings, SystemClock())


@pytest.mark.parametrize("state", ["locked", "disabled", "expire", "must_change"])
def test_why_it_cannot_sign_in_is_told_and_nothing_else_is_claimed(
    samba: SambaDomain, state: str
) -> None:
    user = samba.add_user(password=PASSWORD)
    {
        "locked": samba.lock,
        "disabled": samba.disable,
        "expire": samba.expire,
        "must_change": samba.must_change,
    }[state](user)
    directory = samba_directory(samba, user)
    lines = doctor_directory.controller(directory, samba.address, SystemClock())
    refused = next(each for each in lines if each.part.startswith("sign-in"))
    assert refused.health is Health.FAIL
    assert refused.meaning.key.startswith("directory.why_sign_in.")
    (rest,) = examine_domain(directory, (samba_domain.STAFF,), (), SystemClock())
    assert rest.health is Health.UNKNOWN


def test_nobody_is_not_taken_for_the_service_account(samba: SambaDomain) -> None:
    settings = samba.settings()
    channel = Channel(settings, samba.address)
    try:
        controller = LdapController(channel, settings, SystemClock())
        with pytest.raises(ReadFailed):
            controller.service_account()
    finally:
        channel.close()


def test_the_end_of_the_certificate_is_announced_weeks_before(
    place: Delegated,
) -> None:
    part = f"certificate {place.samba.address}"

    def health(clock: Clock) -> Health:
        address = place.samba.address
        lines = doctor_directory.controller(place.directory, address, clock)
        return {each.part: each.health for each in lines}[part]

    assert health(SystemClock()) is Health.WARN
    assert health(ManualClock(start=SystemClock().now() - SOON)) is Health.OK


# --- the command -------------------------------------------------------------


def test_the_command_tells_all_of_it(
    samba: SambaDomain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = found(tmp_path, samba)
    file = site.config_file
    units = f'units = ["{samba_domain.STAFF}"]\nca_file'
    file.write_text(file.read_text().replace("ca_file", units))
    code = main(["doctor", "--config", str(file)])
    out = capsys.readouterr().out
    assert code in (ExitCode.OK, ExitCode.FAILED), "there may be no reader here"
    assert f"rights in {samba_domain.STAFF}, no more" in out
    assert "It may reset passwords and unlock" in out
    assert samba.service_password not in out
