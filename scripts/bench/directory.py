"""A reset, and the directory part of a whole change: the adapter beside bare ldap3.

Both connect over LDAPS, check the certificate, sign in as the service account, reset
a password with one modify and sign in as the user, on the same laboratory DC, one
after the other in turns. The whole change also looks at the account as often as a
visit does, at the same attributes: at the insertion, when it is prepared, before the
write and twice after it. Then the reset with a first DC that is a black hole: what it
costs the first person, and everybody after.
"""

from __future__ import annotations

import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import ldap3
from ldap3.protocol.microsoft import security_descriptor_control

from kiosk.authority.rules import in_step
from kiosk.authority.rules.account_snapshot import look
from kiosk.core.clock import SystemClock
from kiosk.core.secret import Secret
from kiosk.directory.ldap import LdapDirectory
from kiosk.directory.ldap.accounts import ATTRIBUTES
from kiosk.directory.ldap.policies import FINE_GRAINED
from kiosk.directory.values import Account, BindResult
from scripts.bench import Row

if TYPE_CHECKING:
    from lab.domain.samba import SambaDomain

LABORATORY = Path(__file__).parents[2] / "tests"
TURNS = 15
TARGET = 1.2
CONNECT_TIMEOUT = 1.0
"""Seconds; of the measurement with a dead DC."""

Turn = Callable[[str], None]
"""Reset the user's password to this and sign in with it."""


def run() -> list[Row]:
    """Start a DC, measure both in turns, return the medians."""
    if str(LABORATORY) not in sys.path:
        sys.path.insert(0, str(LABORATORY))
    from lab.domain.samba import SambaDomain

    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        SambaDomain.start(Path(folder) / "dc") as domain,
    ):
        guid = domain.add_user().guid
        directory = LdapDirectory(domain.settings(), SystemClock())
        with directory.connect() as dc:
            account = dc.account(guid)
        ours, theirs = _in_turns(
            lambda password: _by_adapter(directory, account, password),
            lambda password: _by_script(domain, account, password),
        )
        whole, script = _in_turns(
            lambda password: _change_by_adapter(directory, account, password),
            lambda password: _change_by_script(domain, account, password),
        )
        dead = _with_a_dead_first(domain, directory, account)
    return [
        Row(
            what="the directory part of a change, all reads",
            ours=whole,
            other=script,
            other_is="bare ldap3 script, same reads",
            unit="ms",
            target=TARGET,
        ),
        Row(
            what="reset and verify over LDAPS",
            ours=ours,
            other=theirs,
            other_is="bare ldap3 script",
            unit="ms",
            target=TARGET,
        ),
        *dead,
    ]


def _with_a_dead_first(
    domain: SambaDomain, directory: LdapDirectory, account: Account
) -> list[Row]:
    from lab.servers.bad_servers import black_hole

    with black_hole() as port:
        dcs = (f"127.0.0.1:{port}", domain.address)
        settings = domain.settings(dcs=dcs, connect_timeout=CONNECT_TIMEOUT)
        partly_dead = LdapDirectory(settings, SystemClock())
        begun = time.perf_counter()
        _by_adapter(partly_dead, account, "135790")
        first = 1000 * (time.perf_counter() - begun)
        after, alive = _in_turns(
            lambda password: _by_adapter(partly_dead, account, password),
            lambda password: _by_adapter(directory, account, password),
        )
    return [
        Row(
            what="a dead first DC: the first person waits",
            ours=first - after,
            other=1000 * CONNECT_TIMEOUT,
            other_is="connect timeout",
            unit="ms",
            target=1.1,
        ),
        Row(
            what="a dead first DC: everybody after",
            ours=after,
            other=alive,
            other_is="with no dead DC",
            unit="ms",
            target=TARGET,
        ),
    ]


def _in_turns(ours: Turn, theirs: Turn) -> tuple[float, float]:
    """Return both medians in milliseconds; the first turn of each warms up."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(TURNS + 1):
        for act, taken in zip((ours, theirs), times, strict=True):
            begun = time.perf_counter()
            act(f"{246800 + turn}-{len(taken)}")
            taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])


def _by_adapter(directory: LdapDirectory, account: Account, password: str) -> None:
    with directory.connect() as dc, Secret(password.encode()) as new:
        dc.set_password(account, new)
        if dc.verify_password(account, new) is not BindResult.OK:
            raise AssertionError("the user cannot sign in")


def _by_script(domain: SambaDomain, account: Account, password: str) -> None:
    service = domain.service_account, domain.service_password
    with _line(domain, *service) as line:
        value = f'"{password}"'.encode("utf-16-le")
        changes = {
            "unicodePwd": [(ldap3.MODIFY_REPLACE, [value])],
            "lockoutTime": [(ldap3.MODIFY_REPLACE, ["0"])],
        }
        if not line.modify(account.dn, changes):  # type: ignore[no-untyped-call]  # ldap3's own
            raise AssertionError(f"refused: {line.result}")
        with _line(domain, account.user_principal_name, password) as as_user:
            if not as_user.bound:
                raise AssertionError("the user cannot sign in")


def _change_by_adapter(
    directory: LdapDirectory, account: Account, password: str
) -> None:
    for _ in range(2):
        if look(directory, account.guid).account is None:
            raise AssertionError("the account could not be read")
    with directory.connect() as dc, Secret(password.encode()) as new:
        origin, before = dc.origin(), dc.account(account.guid)
        dc.set_password(before, new)
        after = dc.account(account.guid)
        if in_step.moved(before, after, origin) is not in_step.Moved.OURS:
            raise AssertionError("somebody else was there")
        if dc.verify_password(after, new) is not BindResult.OK:
            raise AssertionError("the user cannot sign in")
        dc.account(account.guid)


_FIRST_LOOK = [*ATTRIBUTES, "objectSid", "nTSecurityDescriptor"]
_ANYTHING = "(objectClass=*)"


def _change_by_script(domain: SambaDomain, account: Account, password: str) -> None:
    dn = f"<GUID={account.guid}>"
    service = domain.service_account, domain.service_password
    for _ in range(2):
        with _line(domain, *service) as line:
            _first_look(line, dn)
            (user,) = _read(line, dn, ["msDS-ResultantPSO"])
            pso = user["raw_attributes"]["msDS-ResultantPSO"][0].decode()
            _read(line, pso, list(FINE_GRAINED))
    with _line(domain, *service) as line:
        (root,) = _read(line, "", ["dsServiceName"])
        itself = root["raw_attributes"]["dsServiceName"][0].decode()
        _read(line, itself, ["invocationId"])
        _first_look(line, dn)
        value = f'"{password}"'.encode("utf-16-le")
        changes = {
            "unicodePwd": [(ldap3.MODIFY_REPLACE, [value])],
            "lockoutTime": [(ldap3.MODIFY_REPLACE, ["0"])],
        }
        if not line.modify(dn, changes):  # type: ignore[no-untyped-call]  # ldap3's own
            raise AssertionError(f"refused: {line.result}")
        _read(line, dn, list(ATTRIBUTES))
        with _line(domain, account.user_principal_name, password) as as_user:
            if not as_user.bound:
                raise AssertionError("the user cannot sign in")
        _read(line, dn, list(ATTRIBUTES))


def _first_look(line: ldap3.Connection, dn: str) -> None:
    _read(line, "", ["tokenGroups"])
    parts = security_descriptor_control(criticality=True, sdflags=5)
    _read(line, dn, _FIRST_LOOK, parts)


def _read(
    line: ldap3.Connection, dn: str, names: list[str], controls: object = None
) -> list[dict[str, dict[str, list[bytes]]]]:
    line.search(dn, _ANYTHING, ldap3.BASE, attributes=names, controls=controls)
    found = [each for each in line.response or () if each["type"] == "searchResEntry"]
    if len(found) != 1:
        raise AssertionError(f"{dn}: {line.result}")
    return found


def _line(domain: SambaDomain, user: str, password: str) -> ldap3.Connection:
    """Return a verified connection that signs in when entered."""
    tls = ldap3.Tls(
        validate=ssl.CERT_REQUIRED,
        ca_certs_file=str(domain.ca_file),
        valid_names=[domain.name],
    )
    server = ldap3.Server(
        domain.address,
        use_ssl=True,
        tls=tls,
        get_info=ldap3.NONE,
        connect_timeout=3,
    )
    return ldap3.Connection(server, user, password, receive_timeout=5)
