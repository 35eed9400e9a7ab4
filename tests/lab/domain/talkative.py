"""A process that uses the adapter while ldap3 logs everything it can.

Reads a JSON object from standard input, prints what an attentive attacker would look
at: ldap3's log at its most detailed, tracebacks with local variables, the inside of
the connection, and every Python object that still holds a secret. Secrets come in
reversed, so that the needles themselves are not found.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
import traceback
from pathlib import Path

import ldap3
from ldap3.utils import log

from kiosk.core.clock import SystemClock
from kiosk.core.secret import Secret
from kiosk.directory.errors import DirectoryError
from kiosk.directory.ldap import LdapDirectory, LdapSettings
from kiosk.directory.ldap.controller import LdapController
from kiosk.doctor.least_privilege import examine_rights
from kiosk.doctor.service_account import examine_account


def main() -> None:
    """Run the story that standard input tells."""
    story = json.load(sys.stdin)
    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG)
    log.set_library_log_activation_level(logging.DEBUG)
    log.set_library_log_max_line_length(1_000_000)
    log.set_library_log_hide_sensitive_data(False)
    log.set_library_log_detail_level(log.EXTENDED)
    if "control" in story:
        control(story)
    else:
        use_adapter(story)


def use_adapter(story: dict[str, str]) -> None:
    """Succeed, be refused, verify, lose the line; show everything after each."""
    keytab = story.get("keytab", "")
    settings = LdapSettings(
        dcs=(story["address"],),
        base_dn=story["base_dn"],
        service_account=story["service_account"],
        password_file=None if keytab else Path(story["password_file"]),
        keytab=Path(keytab) if keytab else None,
        ca_file=Path(story["ca_file"]),
    )
    new = Secret(story["new_reversed"][::-1].encode())
    with LdapDirectory(settings, SystemClock()).connect() as dc:
        look_inside(dc)
        for finding in examine_account(dc.service_account(), SystemClock()):
            say("examined:", finding)
        for finding in examine_rights(dc, dc.service_account(), [story["unit"]]):
            say("examined:", finding)
        mine, foreign = dc.account(story["mine"]), dc.account(story["foreign"])
        dc.set_password(mine, new)
        look_inside(dc)
        say("verified:", dc.verify_password(mine, new))
        say("verified:", dc.verify_password(foreign, new))
        for account in (foreign, mine):
            try:
                dc.set_password(account, new)
            except DirectoryError as error:
                show(error)
            dc._channel.close()
        look_inside(dc)
        new.wipe()
        hunt(story)


def say(*what: object) -> None:
    """Write down what the process shows of something."""
    sys.stdout.write(f"{' '.join(map(str, what))}\n")


def look_inside(dc: LdapController) -> None:
    """Print all that ldap3 keeps of the last request."""
    connection = dc._channel._connection
    say(repr(dc), repr(connection), vars(connection), vars(connection.strategy))


def show(error: DirectoryError) -> None:
    """Print a traceback as a debugger would, local variables and causes included."""
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    say("refused:", *whole.format(), error.args, error.data)


def hunt(story: dict[str, str]) -> None:
    """Print which objects of this process still hold a secret."""
    needles = [story["new_reversed"][::-1], story["service_reversed"][::-1]]
    forms = [form for needle in needles for form in (needle.encode(), wide(needle))]
    forms += [bytes.fromhex(key[::-1]) for key in story.get("keys", "").split()]
    for holder in gc.get_objects():
        if holder is needles or holder is forms:
            continue
        for held in gc.get_referents(holder):
            is_bytes = isinstance(held, bytes | bytearray)
            if is_bytes and any(form in held for form in forms):
                say("STILL HELD:", type(holder), type(held))
            if isinstance(held, str) and any(needle in held for needle in needles):
                say("STILL HELD:", type(holder), type(held))


def wide(text: str) -> bytes:
    """Return a text as unicodePwd holds it."""
    return text.encode("utf-16-le")


def control(story: dict[str, str]) -> None:
    """Do the same by ldap3 alone, to show that its log really is on."""
    password = Path(story["password_file"]).read_text().strip()
    tls = ldap3.Tls(ca_certs_file=story["ca_file"])
    server = ldap3.Server(story["address"], use_ssl=True, tls=tls, get_info=ldap3.NONE)
    line = ldap3.Connection(server, story["service_account"], password)
    line.bind()
    value = wide(f'"{story["new_reversed"][::-1]}"')
    change = {"unicodePwd": [(ldap3.MODIFY_REPLACE, [value])]}
    line.modify(f"<GUID={story['mine']}>", change)  # type: ignore[no-untyped-call]  # ldap3's own
    hunt(story)


if __name__ == "__main__":
    main()
