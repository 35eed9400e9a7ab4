"""Users of the laboratory's domain, made and looked at as its administrator.

Speaks LDAP by itself, apart from the adapter under test.
"""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ldap3

from lab.domain import samba_domain as setup

_ENABLED = 0x200
_DISABLED = 0x202
_SMART_CARD = 0x40200
_EXPIRED_LONG_AGO = 116_444_736_000_000_000  # 1970, in 100 ns since 1601


@dataclass(frozen=True, slots=True, kw_only=True)
class LabUser:
    """A user that a test may do anything to."""

    name: str
    guid: str
    dn: str
    upn: str


class DomainObjects:
    """What an administrator, and a user, does in the domain."""

    def __init__(self, address: str, ca_file: Path) -> None:
        self._address = address
        self._ca_file = ca_file

    def add_user(
        self,
        name: str = "",
        password: str = "246813",
        *,
        ou: str = setup.STAFF,
        pin_user: bool = True,
        display_name: str = "",
        **attributes: str | int,
    ) -> LabUser:
        """Create an enabled user; `pin_user` puts it under the policy for PINs.

        A user without must have a password that satisfies the domain's policy.
        """
        name = name or f"u{uuid.uuid4().hex[:12]}"
        dn, upn = f"CN={name},{ou}", f"{name}@ad.test"
        with self.administrator() as line:
            about = {
                "sAMAccountName": name,
                "userPrincipalName": upn,
                "displayName": display_name or name,
                "userAccountControl": _DISABLED,
            }
            _do(line, line.add, dn, "user", about)
            if pin_user:
                group = {"member": [(ldap3.MODIFY_ADD, [dn])]}
                _do(line, line.modify, setup.PIN_USERS, group)
            changes = {"userAccountControl": _ENABLED, **attributes}
            self._modify(line, dn, unicodePwd=_quoted(password))
            self._modify(line, dn, **changes)
            guid = self._read(line, dn, "objectGUID")
        guid_text = str(uuid.UUID(bytes_le=guid))
        return LabUser(name=name, guid=guid_text, dn=dn, upn=upn)

    def add_unit(self, dn: str) -> None:
        """Create an organisational unit."""
        with self.administrator() as line:
            _do(line, line.add, dn, "organizationalUnit")

    def add_group(self, member: str) -> str:
        """Create a global group with one member; return its DN."""
        name = f"g{uuid.uuid4().hex[:12]}"
        dn = f"CN={name},CN=Users,{setup.BASE_DN}"
        with self.administrator() as line:
            _do(line, line.add, dn, "group", {"sAMAccountName": name})
            changes = {"member": [(ldap3.MODIFY_ADD, [member])]}
            _do(line, line.modify, dn, changes)
        return dn

    def administrator(self) -> ldap3.Connection:
        """Open a connection as the domain's administrator; close it by `with`."""
        return self.connection(setup.ADMINISTRATOR, setup.ADMINISTRATOR_PASSWORD)

    def connection(self, user: str, password: str) -> ldap3.Connection:
        """Return a connection as anybody, not open yet."""
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED,
            ca_certs_file=str(self._ca_file),
            valid_names=["localhost"],
        )
        server = ldap3.Server(
            self._address,
            port=636,
            use_ssl=True,
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=10,
        )
        return ldap3.Connection(
            server, user, password, receive_timeout=20, check_names=False
        )

    # --- what happens to a user -----------------------------------------------

    def change_user(self, user: LabUser, **attributes: str | int) -> None:
        """Replace attributes, as the administrator."""
        with self.administrator() as line:
            self._modify(line, user.dn, **attributes)

    def disable(self, user: LabUser) -> None:
        """Disable the account."""
        self.change_user(user, userAccountControl=_DISABLED)

    def expire(self, user: LabUser) -> None:
        """Let the account (not its password) have expired in 1970."""
        self.change_user(user, accountExpires=_EXPIRED_LONG_AGO)

    def require_smart_card(self, user: LabUser) -> None:
        """Set "smart card is required for interactive logon"."""
        self.change_user(user, userAccountControl=_SMART_CARD)

    def must_change(self, user: LabUser) -> None:
        """Let the user have to choose another password at the next logon."""
        self.change_user(user, pwdLastSet=0)

    def lock(self, user: LabUser) -> None:
        """Type wrong passwords until the account is locked."""
        for _ in range(setup.LOCKOUT_THRESHOLD):
            self.user_binds(user.upn, "wrong")

    def make_domain_admin(self, user: LabUser) -> None:
        """Put the user into Domain Admins."""
        group = f"CN=Domain Admins,CN=Users,{setup.BASE_DN}"
        with self.administrator() as line:
            changes = {"member": [(ldap3.MODIFY_ADD, [user.dn])]}
            _do(line, line.modify, group, changes)

    def rename(self, user: LabUser, name: str) -> None:
        """Give the object another common name."""
        with self.administrator() as line:
            _do(line, line.modify_dn, user.dn, f"CN={name}")

    def move(self, user: LabUser, ou: str) -> None:
        """Put the object under another unit."""
        with self.administrator() as line:
            relative = user.dn.partition(",")[0]
            _do(line, line.modify_dn, user.dn, relative, new_superior=ou)

    def delete(self, user: LabUser) -> None:
        """Remove the object."""
        with self.administrator() as line:
            _do(line, line.delete, user.dn)

    def set_password_elsewhere(self, user: LabUser, password: str) -> None:
        """Reset the password as the administrator does."""
        with self.administrator() as line:
            self._modify(line, user.dn, unicodePwd=_quoted(password))

    def reset_and_must_change(self, user: LabUser, password: str) -> None:
        """Reset it as the helpdesk's console does: to be changed at the next logon."""
        with self.administrator() as line:
            self._modify(line, user.dn, unicodePwd=_quoted(password), pwdLastSet=0)

    def own_change(self, user: LabUser, old: str, new: str) -> None:
        """Change the password as its owner does, who knows the old one."""
        line = self.connection(user.upn, old)
        with line:
            exchange = [
                (ldap3.MODIFY_DELETE, [_quoted(old)]),
                (ldap3.MODIFY_ADD, [_quoted(new)]),
            ]
            _do(line, line.modify, user.dn, {"unicodePwd": exchange})

    # --- what is observed -----------------------------------------------------

    def user_binds(self, name: str, password: str) -> bool:
        """Say whether this user (a UPN) can sign in with that password. Counts."""
        line = self.connection(name, password)
        try:
            return bool(line.bind())
        finally:
            line.unbind()

    def pwd_last_set(self, user: LabUser) -> int:
        """Return when the password was last set (100 ns since 1601)."""
        return int(self.attribute(user, "pwdLastSet"))

    def attribute(self, user: LabUser, name: str) -> bytes:
        """Return one attribute's first value as it came."""
        with self.administrator() as line:
            return self._read(line, f"<GUID={user.guid}>", name)

    # --- inside ---------------------------------------------------------------

    def _modify(
        self, line: ldap3.Connection, dn: str, **attributes: str | int | bytes
    ) -> None:
        changes = {
            name: [
                (
                    ldap3.MODIFY_REPLACE,
                    [value if isinstance(value, bytes) else str(value)],
                )
            ]
            for name, value in attributes.items()
        }
        _do(line, line.modify, dn, changes)

    def _read(self, line: ldap3.Connection, dn: str, name: str) -> bytes:
        anything = "(objectClass=*)"
        _do(line, line.search, dn, anything, ldap3.BASE, attributes=[name])
        value: bytes = next(iter(line.response or []))["raw_attributes"][name][0]
        return value


def _quoted(password: str) -> bytes:
    return f'"{password}"'.encode("utf-16-le")


def _do(
    line: ldap3.Connection, act: Callable[..., object], *what: object, **named: object
) -> None:
    if not act(*what, **named):
        raise AssertionError(f"the domain controller refused: {line.result}")
