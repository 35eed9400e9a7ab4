"""A whole change of a PIN beside a bare script that does the same by hand.

Both speak to one real pcscd and one real Samba domain controller: the same seven
APDUs, and the same LDAP operations (look at the account and its policy; connect
again, look, one modify, one bind as the user, look). The script keeps no registry,
checks no signature and audits nothing.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import ldap3

from scripts.bench import Row

if TYPE_CHECKING:
    from lab.cards.pcscd import Pcscd
    from lab.domain.samba import SambaDomain
    from lab.realsite import RealSite

    from kiosk.cards.ports import Card

LABORATORY = Path(__file__).parents[2] / "tests"
TURNS = 15
PINS = ("271828", "314159", "926535", "846257")
_SELECT = bytes.fromhex("00A4040005A00000030800")
_CHUID = bytes.fromhex("00CB3FFF055C035FC10200")
_LOGOUT = bytes.fromhex("0020FF80")
_LOOKED_AT = ["objectGUID", "userPrincipalName", "userAccountControl", "pwdLastSet"]

Turn = Callable[[str, str], None]
"""Change from this PIN to that one, on the card and in the directory."""


def run() -> list[Row]:
    """Start both real parts, measure in turns, return the medians."""
    if str(LABORATORY) not in sys.path:
        sys.path.insert(0, str(LABORATORY))
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="bench-") as home:
        pcscd = stack.enter_context(_service(Path(home)))
        domain, site = stack.enter_context(_domain(Path(home)))
        ours, theirs = stack.enter_context(_turns(pcscd, domain, site))
        mine, other = _measure(ours, theirs)
    return [
        Row(
            what="a whole change of a PIN (real reader, real DC)",
            ours=mine,
            other=other,
            other_is="bare script",
            unit="ms",
            target=1.25,
        )
    ]


@contextmanager
def _service(home: Path) -> Iterator[Pcscd]:
    from lab.cards.pcscd import Pcscd

    (home / "pcscd").mkdir()
    pcscd = Pcscd(home / "pcscd")
    os.environ["PCSCLITE_CSOCK_NAME"] = str(pcscd.socket_name)
    pcscd.open()
    pcscd.start()
    try:
        yield pcscd
    finally:
        pcscd.close()


@contextmanager
def _domain(home: Path) -> Iterator[tuple[SambaDomain, RealSite]]:
    from lab.domain.samba import SambaDomain
    from lab.realsite import found

    (home / "site").mkdir()
    with SambaDomain.start(home / "dc") as domain:
        yield domain, found(home / "site", domain)


@contextmanager
def _turns(
    pcscd: Pcscd, domain: SambaDomain, site: RealSite
) -> Iterator[tuple[Turn, Turn]]:
    from kiosk import bootstrap
    from kiosk.authority.local import LocalAuthority
    from kiosk.core.workers import SerialWorker
    from kiosk.visit.run import Workplace
    from kiosk.visit.views import Answers, FieldName
    from kiosk.visit.visit import Visit
    from statemachine.operation import Kind

    parts = bootstrap.parts_of(site.config)
    workplace = Workplace(
        card=_inserted(pcscd, site),
        authority=LocalAuthority(parts, "kiosk-1"),
        worker=SerialWorker("authority"),
    )

    def ours(old: str, new: str) -> None:
        visit = Visit(workplace)
        visit.recognise()
        form = visit.begin(Kind.CHANGE)
        typed = {FieldName.OLD_PIN: _secret(old), FieldName.NEW_PIN: _secret(new)}
        begun = time.perf_counter()
        answers = Answers(typed, confirmed=True)
        result = visit.submit(form, answers, lambda _: None)
        _taken.append(1000 * (time.perf_counter() - begun))
        if result.outcome != "done":
            raise AssertionError(result)

    def theirs(old: str, new: str) -> None:
        begun = time.perf_counter()
        _by_script(domain, site, old, new)
        _taken.append(1000 * (time.perf_counter() - begun))

    try:
        yield ours, theirs
    finally:
        workplace.card.close()
        parts.registry.close()


_taken: list[float] = []


def _measure(ours: Turn, theirs: Turn) -> tuple[float, float]:
    """Return both medians in milliseconds; the first turn of each warms up."""
    pin = PINS[0]
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(TURNS + 1):
        for act, found in zip((ours, theirs), times, strict=True):
            new = PINS[(PINS.index(pin) + 1) % len(PINS)]
            act(pin, new)
            pin = new
            if turn:
                found.append(_taken.pop())
            _taken.clear()
    return statistics.median(times[0]), statistics.median(times[1])


def _inserted(pcscd: Pcscd, site: RealSite) -> Card:
    """Insert the card and wait for the monitor to see it."""
    from kiosk.cards.pcsc import PcscMonitor
    from kiosk.cards.ports import CardInserted, ReaderEvent

    seen: list[Card] = []
    there = threading.Event()

    def hear(event: ReaderEvent) -> None:
        if isinstance(event, CardInserted):
            seen.append(event.card)
            there.set()

    monitor = PcscMonitor()
    monitor.start(hear)
    pcscd.readers[0].insert(site.made.card)
    if not there.wait(10):
        raise AssertionError("the card was not seen")
    monitor.stop()
    return seen[0]


def _secret(text: str):  # type: ignore[no-untyped-def]
    from kiosk.core.secret import Secret

    return Secret(text.encode())


# --- by hand --------------------------------------------------------------------


def _by_script(domain: SambaDomain, site: RealSite, old: str, new: str) -> None:
    base = f"<GUID={site.user.guid}>"
    with _line(domain, domain.service_account, domain.service_password) as line:
        _look(line, base)
        _look(line, base)
        _look(line, domain.base_dn)
    _change_card(old, new)
    with _line(domain, domain.service_account, domain.service_password) as line:
        _look(line, base)
        value = f'"{new}"'.encode("utf-16-le")
        changes = {
            "unicodePwd": [(ldap3.MODIFY_REPLACE, [value])],
            "lockoutTime": [(ldap3.MODIFY_REPLACE, ["0"])],
        }
        if not line.modify(site.user.dn, changes):  # type: ignore[no-untyped-call]  # ldap3's own
            raise AssertionError(line.result)
        with _line(domain, site.user.upn, new) as as_user:
            if not as_user.bound:
                raise AssertionError("the user cannot sign in")
        _look(line, base)


def _look(line: ldap3.Connection, base: str) -> None:
    line.search(base, "(objectClass=*)", ldap3.BASE, attributes=_LOOKED_AT)


def _line(domain: SambaDomain, user: str, password: str) -> ldap3.Connection:
    from scripts.bench.directory import _line as line

    return line(domain, user, password)


def _change_card(old: str, new: str) -> None:
    """SELECT, CHUID, VERIFY, sign, CHANGE, VERIFY, logout."""
    from smartcard.System import readers

    digest = hashlib.sha256(os.urandom(32)).digest()
    one, two = (pin.encode().ljust(8, b"\xff") for pin in (old, new))
    line = readers()[0].createConnection()
    line.connect()
    try:
        for apdu in (
            _SELECT,
            _CHUID,
            b"\x00\x20\x00\x80\x08" + one,
            b"\x00\x87\x11\x9a\x26\x7c\x24\x82\x00\x81\x20" + digest + b"\x00",
            b"\x00\x24\x00\x80\x10" + one + two,
            b"\x00\x20\x00\x80\x08" + two,
            _LOGOUT,
        ):
            _, sw1, _ = line.transmit(list(apdu))
            if sw1 != 0x90:
                raise AssertionError(f"{apdu[1]:02X}: {sw1:02X}")
    finally:
        line.disconnect()
