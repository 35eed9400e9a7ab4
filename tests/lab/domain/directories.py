"""Two domains behind one set of hands: the simulated one and Samba's.

What the contract of `kiosk.directory.ports` is tested on. Both have the same policy:
the domain's own wants seven complex characters, that for PIN users six of any kind.
"""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from kiosk.core.clock import ManualClock, SystemClock
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.directory.ldap import LdapDirectory, LdapSettings
from kiosk.directory.ports import Directory
from kiosk.directory.values import NameAttribute, PasswordPolicy
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.domain_faults import AttributeHidden, DcDown, Frozen, PolicyHidden
from lab.domain import samba_domain
from lab.domain.samba import SambaDomain
from lab.domain.samba_objects import LabUser
from lab.domain.samba_rights import unreadable

PIN_POLICY = PasswordPolicy(
    source="pin-users",
    minimum_length=6,
    complexity=False,
    history=5,
    minimum_age=0.0,
    maximum_age=None,
    lockout_threshold=samba_domain.LOCKOUT_THRESHOLD,
)
DOMAIN_POLICY = PasswordPolicy(
    source="domain",
    minimum_length=7,
    complexity=True,
    history=24,
    minimum_age=86_400.0,
    maximum_age=42 * 86_400.0,
    lockout_threshold=0,
)
FIRST_PIN = "246813"
FIRST_PASSWORD = "Correct-Horse-1"


Unanswered = Callable[[], AbstractContextManager[None]]


class Condition(StrEnum):
    """What can be the matter with an account."""

    DISABLED = "disabled"
    LOCKED = "locked"
    EXPIRED = "expired"
    MUST_CHANGE = "must change"
    SMART_CARD = "smart card required"
    ADMINISTRATOR = "administrator"
    ELSEWHERE = "in a unit that is not delegated"
    ORDINARY = "under the domain's own policy"


@dataclass(frozen=True, slots=True)
class Person:
    """An account as the tests name it."""

    guid: str
    name: str
    upn: str


class Hands(Protocol):
    """What a test does to a domain, whichever it is."""

    directory: Directory

    def person(self, *conditions: Condition, called: str = "") -> Person:
        """Make an account: a PIN user with FIRST_PIN, unless ORDINARY.

        `called` begins its account name, which no other account has.
        """

    def administrator(self) -> Person:
        """Return the account that the domain itself protects."""

    def rename(self, person: Person, name: str) -> None:
        """Change how the account is called, not what it signs in as."""

    def name(self, person: Person, attribute: NameAttribute, value: str) -> None:
        """Let that name the account in certificates."""

    def move(self, person: Person) -> None:
        """Put the account elsewhere."""

    def remove(self, person: Person) -> None:
        """Delete the account."""

    def change_elsewhere(self, person: Person, password: str) -> None:
        """Somebody else sets the password."""

    def reset_and_must_change(self, person: Person, password: str) -> None:
        """The helpdesk sets a password that must be changed at the next logon."""

    def own_change(self, person: Person, old: str, new: str) -> None:
        """The person changes the password (Ctrl+Alt+Del)."""

    def require_smart_card(self, person: Person) -> None:
        """Somebody ticks "smart card is required for interactive logon"."""

    def must_change(self, person: Person) -> None:
        """Somebody ticks "must change at next logon", and nothing else."""

    def hidden(self, person: Person, attribute: str) -> AbstractContextManager[None]:
        """Meanwhile the service account may not read that attribute."""

    def distant(self) -> AbstractContextManager[tuple[Directory, Unanswered]]:
        """Return the domain over a line, and what makes it lose answers meanwhile.

        What was asked then has happened, or does so before the line is given up.
        """

    def dead(self) -> AbstractContextManager[None]:
        """Meanwhile the DC is gone."""

    def without_policy_rights(self) -> Directory:
        """Return the domain as an account that may not read fine-grained policies."""

    def second_of_two(self) -> tuple[Directory, str, str]:
        """Return a domain whose first DC is down, and the names of both."""

    def eventually(self, holds: Callable[[], bool]) -> None:
        """Wait until something is true that follows by itself."""


class SimulatedHands:
    """Moves the simulated domain."""

    def __init__(self) -> None:
        self._clock = ManualClock()
        self._domain = SimulatedDirectory(
            self._clock, SeededEntropy(1), policy=DOMAIN_POLICY
        )
        self.directory: Directory = self._domain
        self._numbers = itertools.count(1)

    def person(self, *conditions: Condition, called: str = "") -> Person:
        name = f"{called}u{next(self._numbers)}"
        ordinary = Condition.ORDINARY in conditions
        guid = self._domain.add_account(
            name,
            password=_secret(FIRST_PASSWORD if ordinary else FIRST_PIN),
            policy=None if ordinary else PIN_POLICY,
            delegated=Condition.ELSEWHERE not in conditions,
            enabled=Condition.DISABLED not in conditions,
            locked=Condition.LOCKED in conditions,
            expired=Condition.EXPIRED in conditions,
            privileged=Condition.ADMINISTRATOR in conditions,
            must_change=Condition.MUST_CHANGE in conditions,
        )
        if Condition.SMART_CARD in conditions:
            self._domain.change_account(guid, smart_card_required=True)
        return Person(guid, name, f"{name}@ad.test")

    def administrator(self) -> Person:
        return self.person(Condition.ADMINISTRATOR)

    def rename(self, person: Person, name: str) -> None:
        self._domain.change_account(person.guid, dn=f"CN={name},OU=Staff,DC=ad,DC=test")

    def name(self, person: Person, attribute: NameAttribute, value: str) -> None:
        self._domain.set_names(person.guid, attribute, value)

    def move(self, person: Person) -> None:
        dn = f"CN={person.name},OU=Elsewhere,DC=ad,DC=test"
        self._domain.change_account(person.guid, dn=dn)

    def remove(self, person: Person) -> None:
        self._domain.remove_account(person.guid)

    def change_elsewhere(self, person: Person, password: str) -> None:
        self._domain.change_elsewhere(person.guid, _secret(password))

    def reset_and_must_change(self, person: Person, password: str) -> None:
        self._domain.change_elsewhere(person.guid, _secret(password), must_change=True)

    def own_change(self, person: Person, old: str, new: str) -> None:
        assert self._domain.binds(person.guid, _secret(old))
        self._domain.change_elsewhere(person.guid, _secret(new))

    def require_smart_card(self, person: Person) -> None:
        self._domain.change_account(person.guid, smart_card_required=True)

    def must_change(self, person: Person) -> None:
        self._domain.change_account(person.guid, pwd_last_set=0)

    @contextmanager
    def hidden(self, person: Person, attribute: str) -> Iterator[None]:
        self._domain.fail(AttributeHidden(attribute=attribute))
        yield
        self._domain.heal()

    @contextmanager
    def distant(self) -> Iterator[tuple[Directory, Unanswered]]:
        @contextmanager
        def unanswered() -> Iterator[None]:
            self._domain.fail(Frozen(applied=True, stays=True))
            yield
            self._domain.heal()

        yield self._domain, unanswered

    @contextmanager
    def dead(self) -> Iterator[None]:
        self._domain.fail(DcDown())
        yield
        self._domain.heal()

    def without_policy_rights(self) -> Directory:
        self._domain.fail(PolicyHidden())
        return self._domain

    def second_of_two(self) -> tuple[Directory, str, str]:
        names = ("dc1.ad.test", "dc2.ad.test")
        domain = SimulatedDirectory(self._clock, SeededEntropy(2), dcs=names)
        domain.fail(DcDown(dc=names[0]))
        return domain, *names

    def eventually(self, holds: Callable[[], bool]) -> None:
        assert holds()


class SambaHands:
    """Moves a real domain controller."""

    def __init__(
        self, domain: SambaDomain, folder: Path, *, keep_seconds: float = 0.0
    ) -> None:
        """`keep_seconds`: how long its lines are used by one after the other."""
        self._keep_seconds = keep_seconds
        self._domain = domain
        self._folder = folder
        self._users: dict[str, LabUser] = {}
        self.directory: Directory = self._as_client(domain.settings())

    def person(self, *conditions: Condition, called: str = "") -> Person:
        ordinary = Condition.ORDINARY in conditions
        elsewhere = Condition.ELSEWHERE in conditions
        user = self._domain.add_user(
            name=f"{called}u{uuid.uuid4().hex[:12]}" if called else "",
            password=FIRST_PASSWORD if ordinary else FIRST_PIN,
            pin_user=not ordinary,
            ou=samba_domain.ELSEWHERE if elsewhere else samba_domain.STAFF,
        )
        self._users[user.guid] = user
        hands = {
            Condition.DISABLED: self._domain.disable,
            Condition.LOCKED: self._domain.lock,
            Condition.EXPIRED: self._domain.expire,
            Condition.MUST_CHANGE: self._domain.must_change,
            Condition.SMART_CARD: self._domain.require_smart_card,
            Condition.ADMINISTRATOR: self._domain.make_domain_admin,
        }
        for condition in conditions:
            if condition in hands:
                hands[condition](user)
        return Person(user.guid, user.name, user.upn)

    def administrator(self) -> Person:
        with self.directory.connect() as dc:
            found = dc.find("Administrator")
        return Person(found.guid, "Administrator", found.user_principal_name)

    def rename(self, person: Person, name: str) -> None:
        self._domain.rename(self._users[person.guid], name)

    def name(self, person: Person, attribute: NameAttribute, value: str) -> None:
        self._domain.change_user(self._users[person.guid], **{attribute: value})

    def move(self, person: Person) -> None:
        self._domain.move(self._users[person.guid], samba_domain.ELSEWHERE)

    def remove(self, person: Person) -> None:
        self._domain.delete(self._users[person.guid])

    def change_elsewhere(self, person: Person, password: str) -> None:
        self._domain.set_password_elsewhere(self._users[person.guid], password)

    def reset_and_must_change(self, person: Person, password: str) -> None:
        self._domain.reset_and_must_change(self._users[person.guid], password)

    def own_change(self, person: Person, old: str, new: str) -> None:
        self._domain.own_change(self._users[person.guid], old, new)

    def require_smart_card(self, person: Person) -> None:
        self._domain.require_smart_card(self._users[person.guid])

    def must_change(self, person: Person) -> None:
        self._domain.must_change(self._users[person.guid])

    @contextmanager
    def hidden(self, person: Person, attribute: str) -> Iterator[None]:
        with unreadable(self._domain, self._users[person.guid].dn, attribute):
            yield

    @contextmanager
    def distant(self) -> Iterator[tuple[Directory, Unanswered]]:
        with self._domain.distant() as line:
            settings = self._domain.settings(dcs=(line.address,), receive_timeout=3)
            yield self._as_client(settings), line.unanswered

    @contextmanager
    def dead(self) -> Iterator[None]:
        self._domain.kill()
        try:
            yield
        finally:
            self._domain.run()

    def without_policy_rights(self) -> Directory:
        plain = self._domain.add_user(password=FIRST_PASSWORD, pin_user=False)
        file = self._folder / "plain.password"
        file.touch(mode=0o600)
        file.write_text(FIRST_PASSWORD)
        return self._as_client(
            self._domain.settings(service_account=plain.upn, password_file=file)
        )

    def second_of_two(self) -> tuple[Directory, str, str]:
        names = (f"{self._domain.address}:1", self._domain.address)
        return self._as_client(self._domain.settings(dcs=names)), *names

    def eventually(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20.0
        while not holds():
            assert time.monotonic() < deadline, "it did not become true"
            time.sleep(0.05)

    def _as_client(self, settings: LdapSettings) -> Directory:
        kept = replace(settings, keep_seconds=self._keep_seconds)
        return LdapDirectory(kept, SystemClock())


def _secret(text: str) -> Secret:
    return Secret(text.encode())
