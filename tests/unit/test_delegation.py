"""Names become commands without ever becoming more than names."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.cli import main
from kiosk.cli.delegation_text import dsacls, powershell, samba
from kiosk.core.exit_codes import ExitCode
from kiosk.directory.containers import (
    AccountName,
    NotAnAccountName,
    NotAUnit,
    UserContainer,
)
from kiosk.directory.delegation import (
    LOCKOUT_TIME,
    NEEDED,
    PWD_LAST_SET,
    RESET_PASSWORD,
    TO_READ,
    Right,
    entry_for_policies,
    entry_for_users,
)

HOSTILE = "\";'$(touch pwned)`id`\u2019; rm -rf / & | < > \\ # + = , ü €"


def escaped(value: str) -> str:
    """A value as LDAP libraries write it (RFC 4514)."""
    special = "".join(f"\\{char}" if char in '",+;<>=\\#' else char for char in value)
    return f"\\{special}" if special.startswith(" ") else special


def test_the_rights_are_those_that_active_directory_knows_by_these_numbers() -> None:
    user = "bf967aba-0de6-11d0-a285-00aa003049e2"
    assert [
        entry_for_users(right, "S-1-5-21-1-2-3-4")
        for right in (RESET_PASSWORD, LOCKOUT_TIME, PWD_LAST_SET)
    ] == [
        f"(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;{user};S-1-5-21-1-2-3-4)",
        f"(OA;CIIO;WP;28630ebf-41d5-11d1-a9c1-0000f80367c1;{user};S-1-5-21-1-2-3-4)",
        f"(OA;CIIO;WP;bf967a0a-0de6-11d0-a285-00aa003049e2;{user};S-1-5-21-1-2-3-4)",
    ]
    assert [entry_for_users(right, "S-1-1-0")[8:48] for right in TO_READ] == [
        ";RP;281416c0-1968-11d0-a28f-00aa003049e2",
        ";RP;b7c69e6d-2cc7-11d2-854e-00a0c983f608",
        ";RP;bf967918-0de6-11d0-a285-00aa003049e2",
        ";RP;bf967a68-0de6-11d0-a285-00aa003049e2",
        ";RP;bf967915-0de6-11d0-a285-00aa003049e2",
        ";RP;bf967a0a-0de6-11d0-a285-00aa003049e2",
    ]
    assert entry_for_policies("S-1-1-0") == "(A;CI;RPLCLORC;;;S-1-1-0)"


@pytest.mark.parametrize(
    ("typed", "dn"),
    [
        ("OU=Staff,DC=example,DC=org", "OU=Staff,DC=example,DC=org"),
        ("ou=Staff , dc=example, dc=org", "ou=Staff,dc=example,dc=org"),
        (r"OU=a\,b,DC=x", r"OU=a\2Cb,DC=x"),
        (r"OU=a\2Cb,DC=x", r"OU=a\2Cb,DC=x"),
        (r"OU=M\C3\BCnchen,DC=x", "OU=München,DC=x"),
        (r"OU=R&D,DC=x", r"OU=R\26D,DC=x"),
        (r"OU=end\ ,DC=x", r"OU=end\20,DC=x"),
        (r"OU=end\\ ,DC=x", r"OU=end\5C,DC=x"),
        ("CN=Users,DC=x", "CN=Users,DC=x"),
    ],
)
def test_a_unit_is_written_in_one_way(typed: str, dn: str) -> None:
    assert UserContainer.parse(typed).dn == dn


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "Staff",
        "DC=example,DC=org",
        "OU=Staff",
        "OU=,DC=x",
        "OU=a\nb,DC=x",
        "OU=a\u202eb,DC=x",
        r"OU=a\0Ab,DC=x",
        r"OU=a\FF,DC=x",
        "OU=a,DC=x\\",
        "O'U=a,DC=x",
        "/OU=a,DC=x",
        "OU=a,DC=x,OU=b",
        f"OU={'a' * 2000},DC=x",
    ],
)
def test_what_is_no_unit_is_refused(typed: str) -> None:
    with pytest.raises(NotAUnit):
        UserContainer.parse(typed)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "...", "-H", "a@b", "EXAMPLE\\a", 'a"b', "a;b", "a\nb", "a:b", "a/b"],
)
def test_what_is_no_account_name_is_refused(typed: str) -> None:
    with pytest.raises(NotAnAccountName):
        AccountName.parse(typed)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40))
def test_whatever_a_unit_is_called_only_harmless_characters_are_printed(
    value: str,
) -> None:
    unit = UserContainer.parse(f"OU={escaped(value)},DC=ad,DC=test")
    assert all(char.isalnum() or char in " ._-=,\\" for char in unit.dn)
    assert UserContainer.parse(unit.dn) == unit
    parts = re.sub(
        r"(\\[0-9A-F]{2})+",
        lambda run: bytes.fromhex(run[0].replace("\\", "")).decode(),
        unit.dn.removesuffix(",DC=ad,DC=test"),
    )
    assert parts == f"OU={value}"


def test_a_hostile_name_is_one_word_of_the_shell() -> None:
    unit = UserContainer.parse(f"OU={escaped(HOSTILE)},DC=ad,DC=test")
    name = AccountName.parse("o'neil $(id)`id`")
    script = "\n".join(samba([unit], name, [unit.policies]))
    words = shlex.split(script, comments=True)
    assert words.count(f"--objectdn={unit.dn}") == 1
    assert [word for word in words if "id)`id`" in word] == [name.name]


def test_powershell_knows_five_quotes_and_none_ends_a_name() -> None:
    unit = UserContainer.parse(f"OU={escaped(HOSTILE)},DC=ad,DC=test")
    name = AccountName.parse("a'b\u2018c\u2019d\u201ae\u201bf$(id)")
    for way in (dsacls, powershell):
        script = "\n".join(way([unit], name, []))
        assert (
            "'a''b\u2018\u2018c\u2019\u2019d\u201a\u201ae\u201b\u201bf$(id)'" in script
        )
        assert "pwned)" not in script
        assert f"'{unit.dn}'" in script


def test_a_unit_holds_what_is_below_it_and_nothing_beside_it() -> None:
    unit = UserContainer.parse("OU=Staff,DC=ad,DC=test")
    assert unit.holds("CN=ann,ou=staff,dc=ad,dc=test")
    assert unit.holds(r"CN=ann\, the first,OU=Sub,OU=Staff,DC=ad,DC=test")
    assert not unit.holds("OU=Staff,DC=ad,DC=test")
    assert not unit.holds("CN=ann,OU=Elsewhere,DC=ad,DC=test")
    assert not unit.holds(r"CN=ann\,OU=Staff,DC=ad,DC=test")


# --- the command -------------------------------------------------------------


def printed(capsys: pytest.CaptureFixture[str], *more: str) -> str:
    typed = ["directory", "delegate", "--ou", "OU=Staff,DC=ad,DC=test"]
    assert main([*typed, "--account", "svc", *more]) == ExitCode.OK
    return capsys.readouterr().out


def test_each_platform_gets_its_own_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "dsacls" not in printed(capsys, "--for", "samba")
    windows = printed(capsys, "--for", "windows")
    assert "samba-tool" not in windows
    assert "ActiveDirectoryAccessRule" in windows
    both = printed(capsys)
    assert "samba-tool" in both
    assert "dsacls" in both


def test_the_right_to_read_policies_can_be_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "Password Settings Container" in printed(capsys)
    assert "Password Settings Container" not in printed(capsys, "--no-policies")


def _written(right: Right) -> int:
    """Return how often a GUID stands among what is given on one unit."""
    return sum(other.guid == right.guid for other in (*NEEDED, *TO_READ))


def test_the_account_is_made_where_that_is_wanted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "user create" not in printed(capsys)
    out = printed(capsys, "--create")
    assert "samba-tool user create 'svc'\n" in out
    assert "New-ADUser -Name 'svc' " in out
    assert "'svc@ad.test'" in out


def test_every_unit_gets_every_right_once(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, "--ou", "OU=Labs,DC=ad,DC=test", "--for", "samba")
    for unit in ("Staff", "Labs"):
        assert out.count(f"--objectdn='OU={unit},DC=ad,DC=test'") == 1
    for right in (*NEEDED, *TO_READ):
        assert out.count(f";{right.guid};") == 2 * _written(right)
    assert out.count("Password Settings Container") == 1


@pytest.mark.parametrize(
    ("dn", "account"), [("DC=ad,DC=test", "svc"), ("OU=a,DC=ad", "AD\\svc")]
)
def test_an_unusable_name_is_said_in_a_sentence(
    dn: str, account: str, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["directory", "delegate", "--ou", dn, "--account", account]
    assert main(typed) == ExitCode.USAGE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "is not the" in shown.err
