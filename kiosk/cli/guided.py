"""`kiosk init --guided`: a new station, question by question, each answer tried.

Root answers; what is written, and what is tried, is done as the kiosk's user, so that
what works here works for the kiosk. Nothing is there before everything was asked.
"""

from __future__ import annotations

import logging
import os
import pwd
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.authority.office.operators import login_name
from kiosk.bootstrap import directory_of, found_registry
from kiosk.cli import delegation_text, guided_line, starting
from kiosk.cli.asking import agree, ask, choose, say
from kiosk.cli.doctor import lines
from kiosk.cli.guided_people import operator_account
from kiosk.cli.typed import ask_secret
from kiosk.config import Config, Operator, OperatorRole, toml_file
from kiosk.core import private_files
from kiosk.core.clock import SystemClock
from kiosk.core.exit_codes import ExitCode
from kiosk.core.file_owner import name_of
from kiosk.core.hardening import harden_process
from kiosk.directory.containers import (
    AccountName,
    NotAnAccountName,
    NotAUnit,
    UserContainer,
)
from kiosk.doctor import Finding, Health, directory, domain, examine, is_sound
from kiosk.doctor.station import checks_of
from kiosk.setup.new_station import (
    AlreadyThere,
    IssuerFiles,
    Layout,
    SiteAnswers,
    configuration,
    create,
)
from kiosk.setup.ownership import acting_as_owner
from storage.records import Template

_STAFF = (Template(name="staff"),)
_ACCOUNT = "service account"


@dataclass(slots=True)
class GuidedAnswers:
    """What was told until now."""

    domain: str = ""
    dcs: tuple[str, ...] = ()
    """Named by hand; empty: DNS tells."""
    ca: str = ""
    units: list[UserContainer] = field(default_factory=list)
    account: str = ""
    contact: str = ""
    issues: bool = False
    operators: tuple[Operator, ...] = ()

    def told(self) -> SiteAnswers:
        """Return it as settings."""
        told: dict[str, object] = {
            "dcs": self.dcs,
            "base_dn": self.base_dn,
            "units": tuple(unit.dn for unit in self.units),
            "service_account": f"{self.account}@{self.domain}",
        }
        if not self.dcs:
            told["domain"] = self.domain
        values: dict[str, Mapping[str, object]] = {
            "directory": told,
            "helpdesk": {"contact": self.contact or "?"},
        }
        return SiteAnswers(values=values, operators=self.operators, ca=self.ca)

    @property
    def base_dn(self) -> str:
        """The domain, as LDAP names it."""
        return ",".join(f"DC={part}" for part in self.domain.split("."))


def run(layout: Layout, issuer: IssuerFiles) -> int:
    """Hold the conversation; return an `ExitCode`. AlreadyThere, Stopped."""
    harden_process()
    logging.disable(logging.CRITICAL)  # what is wrong is told in sentences
    with acting_as_owner(layout.config):
        for file in (layout.config, layout.registry, layout.vault_key):
            if file.exists():
                raise AlreadyThere(file=str(file))
        say("guided.intro")
        print()
        answers = GuidedAnswers()
        guided_line.find_domain(answers)
        _ask_account(answers)
        with _trial(layout) as password:
            _settle(answers, layout, password)
            _try_holder(answers, layout, password)
            _ask_people(answers)
            _write(answers, layout, issuer, password)
        return _end(layout)


# --- the service account --------------------------------------------------------


def _ask_account(answers: GuidedAnswers) -> None:
    while not answers.units:
        typed = ask("guided.units", f"OU=Staff,{answers.base_dn}")
        try:
            answers.units = [
                UserContainer.parse(each.strip()) for each in typed.split(";")
            ]
        except NotAUnit as error:
            say("guided.not_a_unit", dn=str(error), base=answers.base_dn)
    while not answers.account:
        typed = ask("guided.account", "svc-pin-kiosk")
        try:
            answers.account = AccountName.parse(typed).name
        except NotAnAccountName:
            say("guided.not_an_account", account=typed)
    if not agree("guided.has_rights", default=False):
        _print_commands(answers)


def _print_commands(answers: GuidedAnswers) -> None:
    """Print what an administrator types, and wait until it has been typed."""
    name, units = AccountName.parse(answers.account), answers.units
    policies = list(dict.fromkeys(unit.policies for unit in units))
    if choose("guided.platform", "ws") == "w":
        made = delegation_text.windows_account(name, answers.domain)
        rights = delegation_text.dsacls(units, name, policies)
    else:
        made = delegation_text.samba_account(name)
        rights = delegation_text.samba(units, name, policies)
    say("guided.delegate")
    print("\n" + "\n".join((*made, *rights)) + "\n")
    ask("guided.typed")


@contextmanager
def _trial(layout: Layout) -> Iterator[Path]:
    """Yield where the password is while it is tried; gone afterwards."""
    password = layout.password.with_name(".directory.password.trial")
    password.unlink(missing_ok=True)
    try:
        yield password
    finally:
        password.unlink(missing_ok=True)
        layout.ca.with_name(".ca.trial").unlink(missing_ok=True)


def _settle(answers: GuidedAnswers, layout: Layout, password: Path) -> None:
    """Ask for the password and try what it opens, until that works or is waived."""
    _ask_password(answers, password)
    while True:
        say("guided.trying")
        findings = _tried(_config(answers, layout, password))
        print("\n".join(lines(findings)))
        if is_sound(findings) and not _unsure(findings):
            return
        match choose("guided.settle", "pdg"):
            case "g":
                return
            case "p":
                _ask_password(answers, password)
            case "d":
                _print_commands(answers)


def _ask_password(answers: GuidedAnswers, password: Path) -> None:
    prompt = guided_line.sentence("guided.password", account=answers.account)
    with ask_secret(prompt + " ") as typed:
        password.unlink(missing_ok=True)
        private_files.create(password, bytes(typed.reveal()))


def _config(answers: GuidedAnswers, layout: Layout, password: Path) -> Config:
    """Return the configuration as it would be, with the password on trial."""
    told = answers.told()
    directory_told = {**told.values["directory"], "password_file": password}
    if answers.ca:
        ca = layout.ca.with_name(".ca.trial")
        ca.unlink(missing_ok=True)
        private_files.create(ca, answers.ca.encode("ascii"))
        directory_told["ca_file"] = ca
    trial = SiteAnswers(values={**told.values, "directory": directory_told})
    text = configuration(layout, trial, issues=answers.issues)
    return toml_file.decode(tomllib.loads(text), Config, file=layout.config)


def _tried(config: Config) -> tuple[Finding, ...]:
    """Examine what the service account can do, as `kiosk doctor` does."""
    found, clock = directory_of(config), SystemClock()
    units, base = config.directory.units, config.directory.base_dn

    def controllers() -> Iterator[Finding]:
        for dc in config.directory.dcs:
            yield from directory.controller(found, dc, clock, base=base)
        if not config.directory.dcs:
            yield from directory.located(
                found, config.directory.domain, clock, base=base
            )

    return examine(
        [
            ("directory", controllers),
            (_ACCOUNT, lambda: domain.examine_domain(found, units, _STAFF, clock)),
        ]
    )


def _holder(config: Config, name: str) -> tuple[Finding, ...]:
    found = directory_of(config)
    return examine(
        [(f"account {name}", lambda: directory.account(found, name, _STAFF))]
    )


def _unsure(findings: tuple[Finding, ...]) -> bool:
    """Say whether something could not be looked at for want of a sign-in."""
    return any(
        each.health is Health.UNKNOWN and each.part == _ACCOUNT for each in findings
    )


def _try_holder(answers: GuidedAnswers, layout: Layout, password: Path) -> None:
    """Look at a card holder's account, and whether a PIN can be its password."""
    while name := ask("guided.holder"):
        findings = _holder(_config(answers, layout, password), name)
        print("\n".join(lines(findings)))
        if is_sound(findings) or choose("guided.holder_again", "g") == "g":
            return


# --- people, and the end ----------------------------------------------------------


def _ask_people(answers: GuidedAnswers) -> None:
    while not answers.contact:
        answers.contact = ask("guided.contact")[:120]
    answers.issues = agree("guided.issues", default=True)
    while login := ask("guided.operator", login_name()):
        try:
            pwd.getpwnam(login)
        except KeyError:
            say("guided.no_login", login=login)
            continue
        account = operator_account(login, answers.domain)
        role = OperatorRole.ADMINISTRATOR
        answers.operators = (Operator(login=login, account=account, role=role),)
        return


def _write(
    answers: GuidedAnswers, layout: Layout, issuer: IssuerFiles, password: Path
) -> None:
    made = issuer if answers.issues else None
    written = create(layout, found_registry, made, answers.told())
    password.replace(layout.password)
    say("guided.written")
    for file in written:
        print(f"  {file}")


def _end(layout: Layout) -> int:
    """Examine everything once more; start it, or say what is missing."""
    config = toml_file.read(layout.config, Config)
    print()
    say("guided.examining")
    findings = examine(checks_of(config))
    missing = [each for each in findings if each.health is Health.FAIL]
    print("\n".join(lines([each for each in findings if each not in missing])))
    print()
    user, named = name_of(os.geteuid()), starting.naming(layout.config)
    if missing:
        say("guided.one_thing")
        print("\n".join(lines(missing)))
        say("guided.doctor", user=user, named=named)
        return ExitCode.FAILED
    say("guided.ready")
    if config.enrollment.ca_key_file is not None:
        say("guided.issue", user=user, named=named)
    starting.offer(user, layout.config)
    return ExitCode.OK
