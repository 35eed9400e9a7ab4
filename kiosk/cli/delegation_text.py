"""The commands that delegate, as an administrator pastes them into a shell.

Every name stands in single quotes of the shell it is for. A unit's name has nothing
left to quote (`delegation.Unit`); an account's may have an apostrophe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kiosk.directory.containers import AccountName, UserContainer
from kiosk.directory.delegation import (
    NEEDED,
    TO_READ,
    USER,
    Right,
    RightKind,
    entry_for_policies,
    entry_for_users,
)

_DSACLS = {RightKind.CONTROL: "CA", RightKind.WRITE: "WP", RightKind.READ: "RP"}
_POWERSHELL = {
    RightKind.CONTROL: "ExtendedRight",
    RightKind.WRITE: "WriteProperty",
    RightKind.READ: "ReadProperty",
}
_QUOTES = "'\u2018\u2019\u201a\u201b"
"""What PowerShell takes for a single quote."""


def samba_account(account: AccountName) -> Iterator[str]:
    """Yield the lines that make the account on Samba, in sh."""
    name = _for_sh(account.name)
    yield "# Samba: as root on a domain controller, in sh. Its password is asked for."
    yield f"samba-tool user create {name}"
    yield f"samba-tool user setexpiry {name} --noexpiry"


def windows_account(account: AccountName, domain: str) -> Iterator[str]:
    """Yield the lines that make the account on Windows, in PowerShell."""
    name, upn = (
        _for_powershell(each) for each in (account.name, f"{account.name}@{domain}")
    )
    yield "# Windows: as a domain administrator, in PowerShell. Its password is asked"
    yield "# for."
    yield f"New-ADUser -Name {name} -SamAccountName {name} `"
    yield f"    -UserPrincipalName {upn} `"
    yield "    -AccountPassword (Read-Host -AsSecureString 'Password') `"
    yield "    -Enabled $true -CannotChangePassword $true -PasswordNeverExpires $true"


def samba(
    units: Sequence[UserContainer], account: AccountName, policies: Sequence[str]
) -> Iterator[str]:
    """Yield the lines for Samba, in sh; `policies` are containers to be read."""
    yield "# Samba: as root on a domain controller, in sh."
    yield (
        f"sid=$(samba-tool user show {_for_sh(account.name)} --attributes=objectSid"
        " | sed -n 's/^objectSid: //p')"
    )
    for unit in units:
        yield f"# {', '.join(right.name for right in NEEDED)}, on users below; and"
        yield f"# {_READ[0].lower()}{_READ[1:]}"
        entries = (entry_for_users(right, _TRUSTEE) for right in (*NEEDED, *TO_READ))
        yield from _set_entry(unit.dn, "\\\n".join(entries))
    for container in policies:
        yield f"# {_OPTIONAL}"
        yield from _set_entry(container, entry_for_policies(_TRUSTEE))


def dsacls(
    units: Sequence[UserContainer], account: AccountName, policies: Sequence[str]
) -> Iterator[str]:
    """Yield the lines for Windows with dsacls, in PowerShell."""
    yield "# Windows, with dsacls: as a domain administrator, in PowerShell."
    yield "# dsacls wants the display names of Windows' own language; where that is not"
    yield "# English, take the other way, which names the rights by their GUIDs."
    yield _sid(account)
    yield "$account = $sid.Translate([System.Security.Principal.NTAccount]).Value"
    for unit in units:
        for right in NEEDED:
            granted = f'"${{account}}:{_DSACLS[right.kind]};{right.name};user"'
            yield f"dsacls {_for_powershell(unit.dn)} /I:S /G {granted}"
        yield f"# {_READ}"
        for right in TO_READ:
            granted = f'"${{account}}:{_DSACLS[right.kind]};{right.name};user"'
            yield f"dsacls {_for_powershell(unit.dn)} /I:S /G {granted}"
    for container in policies:
        yield f"# {_OPTIONAL}"
        yield f'dsacls {_for_powershell(container)} /I:T /G "${{account}}:GR"'


def powershell(
    units: Sequence[UserContainer], account: AccountName, policies: Sequence[str]
) -> Iterator[str]:
    """Yield the lines for Windows in PowerShell alone."""
    yield "# Windows, without dsacls: as a domain administrator, in PowerShell."
    yield _sid(account)
    yield "function Grant($dn, $arguments) {"
    yield (
        '    $object = New-Object System.DirectoryServices.DirectoryEntry("LDAP://$dn")'
    )
    yield "    $object.psbase.Options.SecurityMasks = 'Dacl'"
    yield (
        "    $rule = New-Object System.DirectoryServices.ActiveDirectoryAccessRule"
        " $arguments"
    )
    yield "    $object.psbase.ObjectSecurity.AddAccessRule($rule)"
    yield "    $object.psbase.CommitChanges()"
    yield "}"
    for unit in units:
        for right in NEEDED:
            yield f"# {right.name}, on users below"
            yield f"Grant {_for_powershell(unit.dn)} {_rule(right)}"
        yield f"# {_READ}"
        for right in TO_READ:
            yield f"Grant {_for_powershell(unit.dn)} {_rule(right)}"
    for container in policies:
        yield f"# {_OPTIONAL}"
        rule = "@($sid, 'GenericRead', 'Allow', 'All')"
        yield f"Grant {_for_powershell(container)} {rule}"


_TRUSTEE = "${sid:?no such account}"
_READ = "What is read of users: who may be touched, and who else set a password"
_OPTIONAL = "Only where fine-grained password policies apply: lets them be read"


def _set_entry(dn: str, entry: str) -> Iterator[str]:
    yield f"samba-tool dsacl set --objectdn={_for_sh(dn)} \\"
    yield f'    --sddl="{entry}"'


def _sid(account: AccountName) -> str:
    return f"$sid = (Get-ADUser -Identity {_for_powershell(account.name)}).SID"


def _rule(right: Right) -> str:
    return (
        f"@($sid, '{_POWERSHELL[right.kind]}', 'Allow', [guid]'{right.guid}', "
        f"'Descendents', [guid]'{USER}')"
    )


def _for_sh(name: str) -> str:
    """Quote for a POSIX shell."""
    return "'" + name.replace("'", "'\\''") + "'"


def _for_powershell(name: str) -> str:
    """Quote for PowerShell, which knows five single quotes."""
    doubled = "".join(char * 2 if char in _QUOTES else char for char in name)
    return f"'{doubled}'"
