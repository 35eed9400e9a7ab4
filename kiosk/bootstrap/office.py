"""The operators' half of the authority, and who may use it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kiosk.bootstrap.authority import parts_of
from kiosk.bootstrap.certificates import anchors_of
from kiosk.bootstrap.store import must_be_there
from kiosk.config import OperatorsConfig, load_as
from kiosk.core.clock import SystemClock
from kiosk.core.hardening import harden_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kiosk.authority.local_office import LocalOfficeAuthority
    from kiosk.authority.office.policy import OfficePolicy
    from kiosk.authority.office.ports import Office
    from kiosk.authority.required_ports import RequiredPorts
    from kiosk.config import Config
    from kiosk.config.sections.station import StationRole
    from kiosk.enrollment.bench import Bench


EXPIRING_DAYS = 30
"""How long before its end a card is on the desk's list of those that expire."""


def office_of(config: Config, parts: RequiredPorts) -> LocalOfficeAuthority:
    """Return the operators' half of the authority, for this station."""
    from kiosk.authority.local_office import LocalOfficeAuthority
    from kiosk.certificates.judge import SiteCertificates

    certificates = SiteCertificates(lambda: anchors_of(config))
    policy = office_policy_of(config)
    return LocalOfficeAuthority(parts, config.station.name, policy, certificates)


def office_at(
    config: Config, parts: RequiredPorts, station: str, role: StationRole
) -> LocalOfficeAuthority:
    """Return the operators' half for a station of the fleet that has this role.

    Who is an officer or an administrator is neither at a helpdesk station.
    """
    from dataclasses import replace

    from kiosk.authority.local_office import LocalOfficeAuthority
    from kiosk.certificates.judge import SiteCertificates
    from kiosk.config import OperatorRole
    from kiosk.config.sections.station import StationRole

    policy = office_policy_of(config)
    if role is not StationRole.ENROLLMENT:
        here = (OperatorRole.HELPDESK, OperatorRole.AUDITOR)
        groups = {it: dn for it, dn in policy.groups.items() if it in here}
        policy = replace(policy, groups=groups)
    certificates = SiteCertificates(lambda: anchors_of(config))
    return LocalOfficeAuthority(parts, station, policy, certificates)


def office_policy_of(config: Config) -> OfficePolicy:
    """Return what the site has decided about its operators."""
    from kiosk.authority.office.operators import Action
    from kiosk.authority.office.policy import OfficePolicy
    from kiosk.config import OperatorRole

    told = config.sign_in
    return OfficePolicy(
        groups={
            OperatorRole.HELPDESK: told.helpdesk_group,
            OperatorRole.OFFICER: told.officer_group,
            OperatorRole.AUDITOR: told.auditor_group,
            OperatorRole.ADMINISTRATOR: told.administrator_group,
        },
        with_account=told.with_account,
        second_for=frozenset(Action(each) for each in told.second_operator),
        named_by=config.enrollment.named_by,
        expiring_days=EXPIRING_DAYS,
    )


def operators_config(named: Path | None) -> OperatorsConfig:
    """Read the configuration that says what the person at the keyboard may do.

    NotInstalled, for somebody who works as another user (through sudo) and names a
    file of their own choice: a backup's copy would bring a role back that they lost.
    Then what `kiosk.config.load` raises.
    """
    from kiosk.authority.office.operators import works_as_another
    from kiosk.config import installed

    return load_as(OperatorsConfig, installed(named) if works_as_another() else named)


@contextmanager
def open_office(
    config: OperatorsConfig, archives: Sequence[Path] = ()
) -> Iterator[Office]:
    """Sign the person at the keyboard in as an operator, and open the authority.

    NotAnOperator, before anything is opened; NoRegistry; then as `parts_of`.
    """
    from kiosk.authority.office.operators import login_name, signed_in

    harden_process()
    operator = signed_in(config.operators, login_name())
    must_be_there(config)
    parts = parts_of(config, archives)
    try:
        yield office_of(config, parts).session(operator)
    finally:
        parts.registry.close()


def bench_of(office: Office) -> Bench:
    """Return where somebody at the keyboard works on cards."""
    from kiosk.core.entropy import SystemEntropy
    from kiosk.enrollment.bench import Bench

    return Bench(office=office, clock=SystemClock(), entropy=SystemEntropy())
