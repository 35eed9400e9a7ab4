"""A configuration says what it means, or says where it does not."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

from kiosk.config import Config, NoConfiguration, Tls, find, load, toml_file
from kiosk.config.described import descriptions
from kiosk.config.location import VARIABLE, OfAnotherUser
from kiosk.config.render import Values, commented, fields_of, toml_value
from kiosk.config.sections.operators import Operator
from kiosk.config.settings import FleetStation
from kiosk.simulation.rehearsal import scenario

REQUIRED: Values = {
    "station": {"name": "lobby-1"},
    "helpdesk": {"contact": "Room 12, extension 4711"},
    "directory": {
        "dcs": ("dc1.example.org", "dc2.example.org:1636"),
        "base_dn": "DC=example,DC=org",
        "service_account": "svc-pin@example.org",
        "password_file": "directory.password",
    },
    "registry": {"path": "registry.journal", "id": "0123456789abcdef"},
    "vault": {"key_file": "/var/lib/pin-kiosk/vault.key"},
    "templates": {"folder": "templates"},
}


OPERATORS = """
[[operators]]
login = "ann"
account = "{}"
role = "helpdesk"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "kiosk.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return written(tmp_path, commented(REQUIRED))


def appended(path: Path, text: str) -> Path:
    path.write_text(path.read_text("utf-8") + text, "utf-8")
    return path


def replaced(path: Path, old: str, new: str) -> Path:
    before = path.read_text("utf-8")
    assert old in before
    path.write_text(before.replace(old, new), "utf-8")
    return path


def test_a_written_configuration_is_read_back(good: Path) -> None:
    config = load(good)
    assert config.station.name == "lobby-1"
    assert config.directory.dcs == ("dc1.example.org", "dc2.example.org:1636")
    assert config.directory.tls is Tls.LDAPS
    assert config.screens.idle_after == 45.0


def test_relative_paths_start_at_the_file_and_absolute_ones_stay(good: Path) -> None:
    config = load(good)
    assert config.registry.path == good.parent / "registry.journal"
    assert config.vault.key_file == Path("/var/lib/pin-kiosk/vault.key")


def test_the_home_folder_may_be_written_as_a_tilde(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    replaced(good, '"registry.journal"', '"~/registry.journal"')
    assert load(good).registry.path == Path("/home/ann/registry.journal")


def test_every_setting_has_a_description_that_is_written_above_it() -> None:
    lines = commented({}).splitlines()
    for section in msgspec.structs.fields(Config):
        kind = Operator if section.name == "operators" else section.type
        for field in fields_of(kind):
            assert descriptions(kind)[field.name]
            places = [
                index
                for index, line in enumerate(lines)
                if line.startswith((f"#{field.name} =", f"{field.name} ="))
            ]
            assert places, field.name
            assert all(lines[place - 1].startswith("# ") for place in places)


def test_no_word_of_a_description_is_broken() -> None:
    lines = commented({}).splitlines()
    said = {word for line in lines if line.startswith("# ") for word in line.split()}
    for section in fields_of(Config):
        kind = section.type
        if isinstance(kind, inspect.VarTupleType):
            kind = kind.item_type
        assert isinstance(kind, inspect.StructType)
        for name, description in descriptions(kind.cls).items():
            assert set(description.split()) <= said, name


def test_every_default_in_the_written_file_is_the_real_one(tmp_path: Path) -> None:
    """Taking the comment signs off the defaults changes nothing."""
    text = commented(REQUIRED)
    plain = load(written(tmp_path, text))
    head, _, _ = text.partition("#[[operators]]")
    opened = "\n".join(
        line[1:]
        if line.startswith("#")
        and not line.startswith("# ")
        and not line.endswith("= ")
        else line
        for line in head.splitlines()
    )
    assert load(written(tmp_path, opened)) == plain


@pytest.mark.parametrize(
    ("old", "new", "key", "nearest"),
    [
        ("[helpdesk]", "[helpdsk]", "helpdsk", "helpdesk"),
        ("contact =", "contcat =", "helpdesk.contcat", "helpdesk.contact"),
        ("base_dn =", "basedn =", "directory.basedn", "directory.base_dn"),
        ('name = "lobby-1"', 'ca_file = "x"', "station.ca_file", "directory.ca_file"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_right_one(
    good: Path, old: str, new: str, key: str, nearest: str
) -> None:
    replaced(good, old, new)
    with pytest.raises(toml_file.UnknownTomlKey) as caught:
        load(good)
    assert caught.value.data == {"file": str(good), "key": key, "nearest": nearest}


def test_an_unknown_key_like_no_other_is_refused_with_all_that_fit(good: Path) -> None:
    replaced(good, 'contact = "Room', 'zzzz = 1\ncontact = "Room')
    with pytest.raises(toml_file.MeaninglessKey) as caught:
        load(good)
    assert caught.value.data["key"] == "helpdesk.zzzz"
    assert caught.value.data["known"] == "answers, contact, hours, questions"


def test_an_unknown_key_in_a_list_names_its_place(good: Path) -> None:
    appended(
        good,
        '[[operators]]\nlogin = "ann"\naccount = "ann@x"\nroll = "helpdesk"\n',
    )
    with pytest.raises(toml_file.UnknownTomlKey) as caught:
        load(good)
    assert caught.value.data["key"] == "operators[0].roll"
    assert caught.value.data["nearest"] == "operators[0].role"


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        (
            "#connect_timeout = 3.0",
            'connect_timeout = "3"',
            "directory.connect_timeout",
            "a number above 0 to 60",
        ),
        (
            "#connect_timeout = 3.0",
            "connect_timeout = -1",
            "directory.connect_timeout",
            "a number above 0 to 60",
        ),
        (
            '#tls = "ldaps"',
            'tls = "none"',
            "directory.tls",
            'one of: "ldaps", "starttls"',
        ),
        ('"registry.journal"', "3", "registry.path", "a path in quotes"),
        ('"registry.journal"', '""', "registry.path", "a path in quotes"),
        ('"registry.journal"', '"~no-such/r"', "registry.path", "a path in quotes"),
        ('"registry.journal"', '"a\\u0000b"', "registry.path", "a path in quotes"),
        (
            'dcs = ["dc1.example.org"',
            'dcs = ["dc 1"',
            "directory.dcs[0]",
            'written like "dc1.example.org"',
        ),
        (
            'dcs = ["dc1.example.org"',
            'dcs = ["dc1.example.org:99999"',
            "directory.dcs[0]",
            'written like "dc1.example.org"',
        ),
        (
            '"DC=example,DC=org"',
            '"example.org"',
            "directory.base_dn",
            'written like "DC=example,DC=org"',
        ),
        (
            '"DC=example,DC=org"',
            '"DC=example.org"',
            "directory.base_dn",
            'written like "DC=example,DC=org"',
        ),
        (
            "#nameservers = []",
            'nameservers = ["192.0.2.53:65536"]',
            "directory.nameservers[0]",
            'written like "192.0.2.53"',
        ),
        (
            '#syslog = ""',
            'syslog = "192.0.2.256:514"',
            "evidence.syslog",
            'written like "/dev/log"',
        ),
        (
            '#syslog = ""',
            'syslog = "192.0.2.1:0"',
            "evidence.syslog",
            'written like "/dev/log"',
        ),
        (
            '#languages = ["en", "de", "fr", "es"]',
            'languages = ["de", "en", "de"]',
            "display.languages",
            'a list with no language twice, like ["de", "en"]',
        ),
        *(
            (
                '#listen = ""',
                f'listen = "{place}"',
                "metrics.listen",
                'written like "127.0.0.1:9464"',
            )
            for place in (
                "127.0.0.1:0",
                "127.0.0.1:65536",
                "127.0.0.1:port",
                "127.0.0.1:{ports}",
                "127.0.0.1:1{port}{port}",
                "127.0.0:9464",
                "127.0.0.256:9464",
                "192.0.2.1:9464",
                "[::2]:9464",
            )
        ),
        (
            '#listen = "127.0.0.1:8443"',
            'listen = "127.0.0.1:65536"',
            "service.listen",
            'written like "127.0.0.1:8443"',
        ),
        (
            '#listen = "127.0.0.1:8443"',
            'listen = "nohost"',
            "service.listen",
            'written like "127.0.0.1:8443"',
        ),
        (
            "#certificate_days = 1095",
            "certificate_days = 1.5",
            "enrollment.certificate_days",
            "a whole number from 1 to 3650",
        ),
        (
            "#names = []",
            "names = 1",
            "readers.names",
            "a list, each item text in quotes",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(
    good: Path, old: str, new: str, key: str, expected: str
) -> None:
    replaced(good, old, new)
    with pytest.raises(toml_file.WrongValue) as caught:
        load(good)
    assert caught.value.data == {"file": str(good), "key": key, "expected": expected}


def texts(node: inspect.Type, key: str = "") -> Iterator[tuple[str, inspect.Type]]:
    """Every setting that is text, as it is declared."""
    match node:
        case inspect.Metadata(type=inspect.StrType()) | inspect.StrType():
            yield key, node
        case inspect.Metadata():
            yield from texts(node.type, key)
        case inspect.UnionType():
            for each in node.types:
                yield from texts(each, key)
        case inspect.VarTupleType():
            yield from texts(node.item_type, key)
        case inspect.StructType():
            for field in node.fields:
                yield from texts(field.type, f"{key}.{field.name}")


def test_each_form_that_a_text_must_have_is_shown_by_an_example_that_has_it() -> None:
    declared = [
        each
        for kind in (Config, FleetStation)
        for each in texts(inspect.type_info(kind))
    ]
    formed = [(key, node) for key, node in declared if "pattern='" in repr(node)]
    assert len(formed) > 10
    for key, node in formed:
        assert isinstance(node, inspect.Metadata), key
        assert isinstance(node.type, inspect.StrType), key
        (example,) = (node.extra_json_schema or {}).get("examples", [""])
        assert example, key
        pattern = node.type.pattern or ""
        assert re.search(pattern, example), key
        assert not re.search(pattern, f"{example}\n"), f"{key}, and an end of line"
        assert not re.search(pattern, "\n"), f"{key}, and nothing but an end of line"


def test_a_missing_setting_is_named_with_its_section(good: Path) -> None:
    replaced(good, 'name = "lobby-1"', "")
    with pytest.raises(toml_file.MissingKey) as caught:
        load(good)
    assert caught.value.data["key"] == "station.name"


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    with pytest.raises(toml_file.MissingKey) as caught:
        load(written(tmp_path, ""))
    assert caught.value.data["key"] == "station"


def test_what_was_typed_is_never_repeated(good: Path) -> None:
    replaced(good, '"directory.password"', '["hunter2"]')
    with pytest.raises(toml_file.WrongValue) as caught:
        load(good)
    assert "hunter2" not in f"{caught.value!r} {caught.value}"


def test_a_broken_file_is_refused_with_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(toml_file.NotToml) as caught:
        load(written(tmp_path, "[station]\nname = lobby"))
    assert "line 2" in str(caught.value.data["reason"])


@pytest.mark.parametrize(
    "content",
    [
        "Zq9 = 1\nZq9 = 2",
        "[Zq9]\n[Zq9]",
        "[Zq9]\nx = 1\n[Zq9.x.y]",
        "x = {Zq9 = 1, Zq9 = 2}",
        'x = "\x07Zq9"',
        "x = Zq9",
        "Zq9",
        'x = "\\Zq9"',
        "Zq9\n[",
        "# \x00Zq9",
    ],
)
def test_a_broken_file_is_told_of_without_what_it_holds(
    tmp_path: Path, content: str
) -> None:
    with pytest.raises(toml_file.NotToml) as caught:
        load(written(tmp_path, content))
    said = str(caught.value.data["reason"])
    assert "line " in said or "end of document" in said
    assert "Zq9" not in said
    assert "\\x" not in said


@pytest.mark.parametrize(
    "dn", ["OU=Staff, DC=example, DC=org", "dc=example", "OU=A\\\\,B.C,DC=ex,DC=org"]
)
def test_a_base_may_be_written_as_a_person_does(good: Path, dn: str) -> None:
    replaced(good, '"DC=example,DC=org"', f'"{dn}"')
    assert load(good).directory.base_dn == dn.replace("\\\\", "\\")


def test_every_port_there_is_may_be_named(good: Path) -> None:
    text = good.read_text("utf-8")
    for port in (1, 9, 10, 99, 636, 9999, 10000, 59999, 60000, 64999, 65499, 65535):
        dc = f"dc1.example.org:{port}"
        good.write_text(text.replace('["dc1.example.org"', f'["{dc}"'), "utf-8")
        assert load(good).directory.dcs[0] == dc
    for none in ("0", "01", "65536", "65540", "65600", "66000", "70000", "100000"):
        dc = f"dc1.example.org:{none}"
        good.write_text(text.replace('["dc1.example.org"', f'["{dc}"'), "utf-8")
        with pytest.raises(toml_file.WrongValue):
            load(good)


@pytest.mark.parametrize(
    "content", ["a = 1\na = 2\n[b]", "[a]\n[a]", "x = {a = 1, a = 2}", "[[a]]\n[a]"]
)
def test_what_stands_there_twice_is_called_that(tmp_path: Path, content: str) -> None:
    with pytest.raises(toml_file.GivenTwice) as caught:
        load(written(tmp_path, content))
    assert "line " in str(caught.value.data["reason"])


def test_a_byte_order_mark_is_called_that(good: Path) -> None:
    good.write_bytes(b"\xef\xbb\xbf" + good.read_bytes())
    with pytest.raises(toml_file.ByteOrderMark):
        load(good)


def test_bytes_that_are_no_text_are_told_of_by_place(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_bytes(b'[station]\nname = "\xe7\xe7"')
    path.chmod(0o600)
    with pytest.raises(toml_file.NotToml) as caught:
        load(path)
    assert "18" in str(caught.value.data["reason"])
    assert "e7" not in str(caught.value.data["reason"])


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_bytes(b'[station]\nname = "\xff"')
    with pytest.raises(toml_file.NotToml):
        load(path)


def test_a_file_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(toml_file.FileUnreadable) as caught:
        load(tmp_path / "none.toml")
    assert caught.value.data["file"] == str(tmp_path / "none.toml")


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(good: Path, mode: int) -> None:
    good.chmod(mode)
    with pytest.raises(toml_file.NotOurs):
        load(good)


def test_a_file_of_another_user_is_refused(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = good.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: mine + 1)
    if mine == 0:  # root's own files are trusted by every user
        os.chown(good, 4711, 4711)
    with pytest.raises(toml_file.NotOurs):
        toml_file.load_own(good)
    with pytest.raises(OfAnotherUser):
        load(good)


def test_one_login_is_one_operator(good: Path) -> None:
    one = '[[operators]]\nlogin = "ann"\naccount = "ann@x"\nrole = "helpdesk"\n'
    appended(good, one + one)
    with pytest.raises(toml_file.WrongValue) as caught:
        load(good)
    assert caught.value.data["key"] == "operators[1].login"


@pytest.mark.parametrize("account", ["ann", "EXAMPLE\\ann", "ann@", "@x", "a nn@x"])
def test_an_operator_is_named_as_cards_name_their_holders(
    good: Path, account: str
) -> None:
    """Else a card of their own is not known as that while the directory is away."""
    appended(
        good, f"[[operators]]\nlogin = 'ann'\naccount = '{account}'\nrole = 'helpdesk'"
    )
    with pytest.raises(toml_file.WrongValue) as caught:
        load(good)
    assert caught.value.data["key"] == "operators[0].account"


@pytest.mark.parametrize(
    ("account", "fits"),
    [
        ("svc-pin@example.org", True),
        ("svc-pin", True),
        ("EXAMPLE\\svc-pin", False),
        ("CN=svc-pin,OU=Services,DC=example,DC=org", False),
    ],
)
def test_a_keytab_is_of_an_account_that_kerberos_can_name(
    good: Path, account: str, fits: bool
) -> None:
    replaced(good, '"svc-pin@example.org"', f"'{account}'")
    assert load(good).directory.service_account == account  # with its password
    replaced(good, "#keytab_file = ", 'keytab_file = "directory.keytab"')
    if fits:
        assert load(good).directory.service_account == account
        return
    with pytest.raises(toml_file.WrongValue) as caught:
        load(good)
    assert caught.value.data["key"] == "directory.service_account"


@pytest.mark.parametrize(
    "place",
    [
        "",
        "unix:/run/x/metrics.sock",
        "127.0.0.1:9464",
        "[::1]:9464",
        "127.1.2.3:1{port}",
    ],
)
def test_figures_are_read_where_this_machine_alone_can(good: Path, place: str) -> None:
    replaced(good, '#listen = ""', f'listen = "{place}"')
    assert load(good).metrics.listen == place


def test_the_file_named_comes_before_the_variable_and_both_before_the_usual_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "variable.toml"))
    assert find(tmp_path / "named.toml") == tmp_path / "named.toml"
    assert find() == tmp_path / "variable.toml"
    monkeypatch.delenv(VARIABLE)
    there = written(tmp_path, "")
    monkeypatch.setattr(
        "kiosk.config.location.places", lambda: (tmp_path / "none.toml", there)
    )
    assert find() == there


def test_without_any_file_the_places_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    nowhere = tmp_path / "none.toml"
    monkeypatch.setattr("kiosk.config.location.places", lambda: (nowhere,))
    with pytest.raises(NoConfiguration) as caught:
        find()
    assert caught.value.data["places"] == str(nowhere)


@pytest.mark.parametrize(
    "value", [True, 3, 2.5, 'a "quoted"\\ \n\x07 text', ("a", "b"), Path("/x y")]
)
def test_a_value_survives_being_written_as_toml(value: object) -> None:
    import tomllib

    back = tomllib.loads(f"key = {toml_value(value)}")["key"]
    if isinstance(value, tuple):
        value = list(value)
    assert back == (str(value) if isinstance(value, Path) else value)


def test_a_domain_stands_in_for_its_controllers(good: Path) -> None:
    replaced(good, 'dcs = ["dc1.example.org", "dc2.example.org:1636"]', "")
    with pytest.raises(toml_file.MissingKey) as caught:
        load(good)
    assert caught.value.data["key"] == "directory.dcs"
    replaced(good, '#domain = ""', 'domain = "example.org"')
    assert load(good).directory.dcs == ()


@pytest.mark.parametrize(
    ("told", "fits"),
    [
        ("192.0.2.1", True),
        ("192.0.2.1:5353", True),
        ("2001:db8::1", True),
        ("[2001:db8::1]:5353", True),
        ("dns.example.org", False),
        ("192.0.2.256", False),
        ("192.0.2", False),
        ("2001", False),
        ("192.0.2.1:dns", False),
    ],
)
def test_a_name_server_is_an_address(good: Path, told: str, fits: bool) -> None:
    replaced(good, "#nameservers = []", f'nameservers = ["{told}"]')
    if fits:
        assert load(good).directory.nameservers == (told,)
        return
    with pytest.raises(toml_file.WrongValue):
        load(good)


def test_what_is_nested_too_deeply_is_no_toml(good: Path) -> None:
    appended(good, "x = " + "[" * 5000 + "]" * 5000)
    with pytest.raises(toml_file.NotToml) as caught:
        load(good)
    assert caught.value.data["reason"] == "nested too deeply"
    with pytest.raises(scenario.ScenarioError) as refused:
        scenario.read(good)
    assert refused.value.data["problem"] == "nested too deeply"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(toml_file.FileUnreadable) as caught:
        load(pipe)
    assert caught.value.data["reason"] == "it is no regular file"
    with pytest.raises(scenario.ScenarioError):
        scenario.read(pipe)


def test_an_account_without_its_domain_is_not_told_that_it_lacks_quotes(
    good: Path,
) -> None:
    appended(good, OPERATORS.format("admin"))
    with pytest.raises(toml_file.WrongValue) as caught:
        load(good)
    assert caught.value.data["expected"] == 'written like "ann@example.org"'
    assert caught.value.data["key"] == "operators[0].account"


def test_an_account_that_is_no_text_is_told_so(good: Path) -> None:
    appended(good, OPERATORS.replace('"{}"', "7"))
    with pytest.raises(toml_file.WrongValue) as caught:
        load(good)
    assert caught.value.data["expected"] == 'text in quotes, like "ann@example.org"'
