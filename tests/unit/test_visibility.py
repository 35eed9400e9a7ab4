"""An attribute that is absent is not one that may not be read."""

from __future__ import annotations

import pytest
from lab.domain.descriptors import GROUP, STRANGER, USER, descriptor, entry, sid

from kiosk.directory.delegation import MUST_BE_READ
from kiosk.directory.ldap.accounts import Unjudgeable
from kiosk.directory.ldap.visibility import must_be_readable

READ = 0x10
ADMIN_COUNT = next(each.guid for each in MUST_BE_READ if each.name == "adminCount")
TOKEN = frozenset({USER, GROUP})


def judge(*entries: bytes) -> None:
    """Somebody else's object, with these entries; `adminCount` was not sent."""
    shown = {
        "objectSid": [sid(STRANGER)],
        "nTSecurityDescriptor": [descriptor(*entries)],
    }
    must_be_readable(shown, TOKEN, "adminCount")


@pytest.mark.parametrize("trustee", [USER, GROUP])
def test_absent_is_absent_where_it_may_be_read(trustee: str) -> None:
    judge(entry(READ, trustee))
    judge(entry(READ, trustee, object_type=ADMIN_COUNT))


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (entry(READ, STRANGER),),
        (entry(0x20),),
        (entry(READ, deny=True), entry(READ)),
        (entry(READ, deny=True, object_type=ADMIN_COUNT), entry(READ)),
        (entry(READ, conditional=True),),
    ],
    ids=["nothing", "another", "write", "denied", "this denied", "perhaps"],
)
def test_what_may_not_be_read_is_hidden_and_named(entries: tuple[bytes, ...]) -> None:
    with pytest.raises(Unjudgeable, match="adminCount"):
        judge(*entries)


@pytest.mark.parametrize("broken", [b"", b"\1", b"\1\0\0\x80" + bytes(16)])
def test_a_descriptor_that_was_not_sent_or_is_none_says_nothing(broken: bytes) -> None:
    shown = {"objectSid": [sid(STRANGER)], "nTSecurityDescriptor": [broken]}
    with pytest.raises(Unjudgeable):
        must_be_readable(shown, TOKEN, "adminCount")
