"""Whatever is set wrongly, `kiosk doctor` names the true cause and what to do about it.

A table: what is wrong, the line that must say so, and a word of it. No other line may
fail, because one fault has one cause.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab.domain.ldap_relay import Doing, Trouble, misbehaving
from lab.domain.samba import LabUser, SambaDomain
from lab.realsite import found
from lab.servers import bad_servers
from lab.servers.bad_certificates import BAD, GOOD, ROOT
from lab.servers.tls_servers import issue, tls_server

from kiosk.cli import main
from kiosk.core.clock import SystemClock
from kiosk.directory.ldap import LdapDirectory, LdapSettings, Protection
from kiosk.doctor import Finding, Health
from kiosk.doctor.directory import controller
from kiosk.doctor.domain import examine_domain
from kiosk.texts import sentence

pytestmark = [
    pytest.mark.samba,
    # The table has a server that offers nothing newer.
    pytest.mark.filterwarnings("ignore:.*TLSv1:DeprecationWarning"),
]

PASSWORD = "Ordinary-Service-1"
SUBCODE = "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data"


@dataclass(frozen=True)
class Room:
    """A domain, a service account of the test's own, and a folder for files."""

    samba: SambaDomain
    folder: Path

    def settings(self, **changes: object) -> LdapSettings:
        """Settings that are right, but for the changes; with short timeouts."""
        told: dict[str, object] = {
            "dcs": (self.samba.address,),
            "connect_timeout": 0.7,
            "receive_timeout": 1.5,
            **changes,
        }
        return self.samba.settings(**told)

    def service(self, **changes: object) -> tuple[LabUser, LdapSettings]:
        user = self.samba.add_user(password=PASSWORD)
        file = self.folder / "service.password"
        file.touch(mode=0o600)
        file.write_text(PASSWORD)
        told = {"service_account": user.upn, "password_file": file, **changes}
        return user, self.settings(**told)


Wrong = Callable[[Room], AbstractContextManager[LdapSettings]]


@dataclass(frozen=True)
class Row:
    """What is wrong; the sentence that says so; a word that must be in it."""

    wrong: Wrong
    says: str
    word: str = ""


def just(make: Callable[[Room], LdapSettings]) -> Wrong:
    return lambda room: nullcontext(make(room))


# --- how things go wrong -----------------------------------------------------


def shows(name: str) -> Wrong:
    """A server whose certificate is bad."""

    @contextmanager
    def wrong(room: Room) -> Iterator[LdapSettings]:
        root = issue(ROOT)
        file = room.folder / "ca.pem"
        file.write_bytes(root.pem)
        with tls_server(room.folder, BAD[name].chain(root)) as port:
            yield room.settings(dcs=(f"localhost:{port}",), ca_file=file)

    return wrong


def shakes(**changes: object) -> Wrong:
    """A server whose handshake is bad."""

    @contextmanager
    def wrong(room: Room) -> Iterator[LdapSettings]:
        root = issue(ROOT)
        file = room.folder / "ca.pem"
        file.write_bytes(root.pem)
        with tls_server(room.folder, [issue(GOOD, root)], **changes) as port:
            yield room.settings(dcs=(f"localhost:{port}",), ca_file=file)

    return wrong


def answers(handle: bad_servers.Handler, **changes: object) -> Wrong:
    @contextmanager
    def wrong(room: Room) -> Iterator[LdapSettings]:
        with bad_servers.server(handle) as port:
            yield room.settings(dcs=(f"localhost:{port}",), **changes)

    return wrong


def relays(trouble: Trouble) -> Wrong:
    """A real controller that is ill in one way."""

    @contextmanager
    def wrong(room: Room) -> Iterator[LdapSettings]:
        with misbehaving(room.samba, trouble) as record:
            yield room.settings(dcs=(f"localhost:{record.port}",))

    return wrong


def bound(subcode: str) -> Wrong:
    said = f"{SUBCODE} {subcode}, v1db1"
    return relays(Trouble("bind", Doing.ANSWER, 49, said))


def account(do: Callable[[SambaDomain, LabUser], object]) -> Wrong:
    """A service account in some state."""

    def make(room: Room) -> LdapSettings:
        user, settings = room.service()
        do(room.samba, user)
        return settings

    return just(make)


def secret(data: bytes, mode: int = 0o600) -> Wrong:
    """A password file that holds something else."""

    def make(room: Room) -> LdapSettings:
        _, settings = room.service()
        assert settings.password_file is not None
        settings.password_file.write_bytes(data)
        settings.password_file.chmod(mode)
        return settings

    return just(make)


def ca_file(data: bytes | None) -> Wrong:
    def make(room: Room) -> LdapSettings:
        file = room.folder / "trusted.pem"
        if data is not None:
            file.write_bytes(data)
        return room.settings(ca_file=file)

    return just(make)


@contextmanager
def frozen(room: Room) -> Iterator[LdapSettings]:
    room.samba.freeze()
    try:
        yield room.settings()
    finally:
        room.samba.thaw()


@contextmanager
def black_hole(room: Room) -> Iterator[LdapSettings]:
    with bad_servers.black_hole() as port:
        yield room.settings(dcs=(f"127.0.0.1:{port}",))


def refuse_starttls(line: socket.socket, ended: threading.Event) -> None:
    request = line.recv(4096)
    number = request[2 : 4 + request[3]]  # the message's number, as INTEGER
    answer = number + bytes.fromhex("78070a013504000400")  # unwillingToPerform
    line.sendall(bytes((0x30, len(answer))) + answer)
    ended.wait()


def wrong_password(room: Room) -> LdapSettings:
    _, settings = room.service()
    assert settings.password_file is not None
    settings.password_file.write_text("not the password")
    return settings


def bare_name(room: Room) -> LdapSettings:
    user, settings = room.service()
    return room.settings(
        service_account=user.name, password_file=settings.password_file
    )


def closed(room: Room) -> LdapSettings:
    return room.settings(dcs=(f"127.0.0.1:{bad_servers.closed_port()}",))


REACH, TLS, SIGN_IN, READ = (
    f"directory.why_{area}" for area in ("unreachable", "tls", "sign_in", "read")
)
HTTP = b"HTTP/1.1 400 Bad Request\r\n\r\n"

TABLE = {
    **{
        f"certificate: {name}": Row(shows(name), f"{TLS}.{bad.why}", bad.told)
        for name, bad in BAD.items()
    },
    "TLS of another age": Row(
        shakes(
            minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1
        ),
        f"{TLS}.old_tls",
    ),
    "no cipher in common": Row(
        shakes(
            maximum_version=ssl.TLSVersion.TLSv1_2, ciphers="AES128-SHA:@SECLEVEL=0"
        ),
        f"{TLS}.no_cipher",
    ),
    "StartTLS is refused": Row(
        answers(refuse_starttls, protection=Protection.STARTTLS),
        f"{TLS}.no_tls",
        "53",
    ),
    "a mail server": Row(answers(bad_servers.say(b"220 mail\r\n")), f"{TLS}.no_tls"),
    "a web server": Row(answers(bad_servers.say(HTTP)), f"{TLS}.no_tls"),
    "the file of trusted certificates is missing": Row(
        ca_file(None), f"{TLS}.ca_file", "trusted.pem"
    ),
    "it holds none": Row(ca_file(b"nothing\n"), f"{TLS}.ca_file", "trusted.pem"),
    "it is empty": Row(ca_file(b""), f"{TLS}.ca_file", "trusted.pem"),
    "another authority's": Row(
        just(lambda room: room.settings(ca_file=room.samba.foreign_ca_file)),
        f"{TLS}.incomplete",
        "Lab CA",
    ),
    "the system's authorities": Row(
        just(lambda room: room.settings(ca_file=None)), f"{TLS}.incomplete", "Lab CA"
    ),
    # --- reached
    "nothing listens": Row(just(closed), f"{REACH}.refused"),
    "a firewall drops it": Row(black_hole, f"{REACH}.timed_out"),
    "it says nothing": Row(answers(bad_servers.stay_silent), f"{REACH}.timed_out"),
    "it is frozen": Row(frozen, f"{REACH}.timed_out"),
    "it hangs up": Row(answers(bad_servers.hang_up), f"{REACH}.connection_lost"),
    "LDAPS on the port of LDAP": Row(
        just(lambda room: room.settings(dcs=(f"{room.samba.address}:389",))),
        f"{REACH}.connection_lost",
    ),
    "StartTLS on the port of LDAPS": Row(
        just(
            lambda room: room.settings(
                dcs=(f"{room.samba.address}:636",), protection=Protection.STARTTLS
            )
        ),
        f"{REACH}.connection_lost",
    ),
    "a name that nobody knows": Row(
        just(lambda room: room.settings(dcs=("dc9.invalid",))),
        f"{REACH}.name_unknown",
    ),
    "a name that cannot be one": Row(
        just(lambda room: room.settings(dcs=("dc1..ad.test",))),
        f"{REACH}.name_unknown",
    ),
    "busy at the sign-in": Row(
        relays(Trouble("bind", Doing.ANSWER, 51, "busy")), f"{REACH}.busy", "51 busy"
    ),
    "a read-only controller": Row(
        relays(Trouble("search", Doing.READ_ONLY)), f"{REACH}.read_only"
    ),
    "the port of the global catalog": Row(
        just(lambda room: room.settings(dcs=(f"{room.samba.address}:3269",))),
        "doctor.global_catalog",
        "3269",
    ),
    # --- signed in
    "a wrong password": Row(just(wrong_password), f"{SIGN_IN}.wrong_password"),
    "a bare account name": Row(just(bare_name), f"{SIGN_IN}.bare_name", "bare"),
    "must change": Row(account(SambaDomain.must_change), f"{SIGN_IN}.must_change"),
    "disabled": Row(account(SambaDomain.disable), f"{SIGN_IN}.disabled"),
    "the account has expired": Row(
        account(SambaDomain.expire), f"{SIGN_IN}.account_expired"
    ),
    "locked": Row(account(SambaDomain.lock), f"{SIGN_IN}.locked"),
    "its password has expired": Row(bound("532"), f"{SIGN_IN}.expired_password"),
    "not at this hour": Row(bound("530"), f"{SIGN_IN}.logon_hours"),
    "not from this machine": Row(bound("531"), f"{SIGN_IN}.logon_hours"),
    "a stronger sign-in is wanted": Row(
        relays(Trouble("bind", Doing.ANSWER, 8, "Sign or Seal are required")),
        f"{SIGN_IN}.stronger_auth",
        "8 Sign or Seal are required",
    ),
    "channel binding is wanted": Row(
        relays(
            Trouble("bind", Doing.ANSWER, 49, "80090346: LdapErr: data 80090346, v1")
        ),
        f"{SIGN_IN}.channel_binding",
        "80090346",
    ),
    "a name that it does not understand": Row(
        relays(Trouble("bind", Doing.ANSWER, 34, "invalid DN")),
        f"{SIGN_IN}.not_a_name",
    ),
    "a number that nobody knows": Row(
        relays(Trouble("bind", Doing.ANSWER, 53, "00002077: SvcErr: DSID-1")),
        f"{SIGN_IN}.other",
        "53 00002077",
    ),
    "a sub-code that nobody knows": Row(bound("9f9"), f"{SIGN_IN}.other", "9f9"),
    "no password file": Row(
        just(
            lambda room: room.settings(password_file=room.folder / "missing.password")
        ),
        f"{SIGN_IN}.secret_unreadable",
        "missing.password",
    ),
    "others may read it": Row(
        secret(PASSWORD.encode(), 0o644), f"{SIGN_IN}.secret_exposed"
    ),
    "an empty password file": Row(secret(b"\r\n"), f"{SIGN_IN}.secret_empty"),
    "a byte order mark": Row(
        secret(b"\xef\xbb\xbf" + PASSWORD.encode()), f"{SIGN_IN}.secret_encoded"
    ),
    "UTF-16": Row(secret(PASSWORD.encode("utf-16")), f"{SIGN_IN}.secret_encoded"),
    "UTF-16 without a mark": Row(
        secret(PASSWORD.encode("utf-16-le")), f"{SIGN_IN}.secret_encoded"
    ),
    "two lines": Row(
        secret(f"# svc\n{PASSWORD}\n".encode()), f"{SIGN_IN}.secret_lines"
    ),
    # --- searches
    "busy at a search": Row(
        relays(Trouble("search", Doing.ANSWER, 51, "busy", first=3)),
        f"{READ}.busy",
        "51 busy",
    ),
    "a search without an answer": Row(
        relays(Trouble("search", Doing.SILENCE, first=3)), f"{READ}.no_answer"
    ),
    "a search that is refused": Row(
        relays(Trouble("search", Doing.ANSWER, 53, "no", first=5)),
        f"{READ}.refused",
        "53 no",
    ),
    "another domain's base": Row(
        just(lambda room: room.settings(base_dn="DC=other,DC=test")),
        "doctor.other_domain",
        "DC=ad,DC=test",
    ),
    "a base that is not there": Row(
        just(lambda room: room.settings(base_dn="OU=Nowhere,DC=ad,DC=test")),
        "doctor.base_missing",
        "OU=Nowhere",
    ),
}


def lines(settings: LdapSettings) -> list[Finding]:
    (dc,) = settings.dcs
    directory = LdapDirectory(settings, SystemClock())
    return list(controller(directory, dc, SystemClock(), base=settings.base_dn))


def words(finding: Finding) -> str:
    return sentence(finding.meaning, limit=300)


@pytest.mark.parametrize("name", TABLE)
def test_the_true_cause_is_named_with_what_to_do(
    samba: SambaDomain, tmp_path: Path, name: str
) -> None:
    row = TABLE[name]
    with row.wrong(Room(samba, tmp_path)) as settings:
        said = lines(settings)
    failed = [each for each in said if each.health is Health.FAIL]
    assert [each.meaning.key for each in failed] == [row.says]
    (cause,) = failed
    assert row.word in words(cause)
    assert cause.advice is not None
    assert sentence(cause.advice, limit=300)
    assert PASSWORD not in " ".join(map(words, said))


def test_the_table_is_large_enough() -> None:
    assert len(TABLE) >= 40


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_password_file_may_end_as_any_editor_ends_it(
    samba: SambaDomain, tmp_path: Path, end: bytes
) -> None:
    with secret(PASSWORD.encode() + end)(Room(samba, tmp_path)) as settings:
        said = lines(settings)
    assert not [each for each in said if each.health is Health.FAIL]


def test_a_base_may_be_written_as_a_person_does(
    samba: SambaDomain, tmp_path: Path
) -> None:
    base = "CN=Users, dc=AD, DC=test"
    with just(lambda room: room.settings(base_dn=base))(
        Room(samba, tmp_path)
    ) as settings:
        said = lines(settings)
    assert not [each for each in said if each.health is Health.FAIL]


def test_where_the_first_of_two_is_ill_the_domain_is_asked_at_the_second(
    samba: SambaDomain, tmp_path: Path
) -> None:
    room = Room(samba, tmp_path)
    with misbehaving(samba, Trouble("search", Doing.ANSWER, 51, first=3)) as record:
        first = f"localhost:{record.port}"
        settings = room.settings(dcs=(first, samba.address))
        directory = LdapDirectory(settings, SystemClock())
        ill = list(controller(directory, first, SystemClock(), base=samba.base_dn))
        said = list(examine_domain(directory, (), (), SystemClock()))
    assert [each.part for each in ill if each.health is Health.FAIL] == [
        f"search {first}"
    ]
    assert "service account" in {each.part for each in said}
    assert "doctor.not_signed_in" not in {each.meaning.key for each in said}


def test_a_whole_examination_tries_a_wrong_password_once(
    samba: SambaDomain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three controllers, the domain and an account are looked at."""
    user = samba.add_user(password=PASSWORD)
    site = found(tmp_path, samba)
    config = site.config_file
    text = config.read_text()
    text = text.replace(samba.service_account, user.upn)
    more = f'"{samba.address}", "{samba.address}:636", "localhost"'
    config.write_text(text.replace(f'"{samba.address}"', more, 1))
    main(["doctor", "--account", user.name, "--config", str(config)])
    assert "wrong" in capsys.readouterr().out
    assert int(samba.attribute(user, "badPwdCount")) == 1
