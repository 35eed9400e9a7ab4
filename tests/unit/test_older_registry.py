"""A registry from before the directory's mark was kept opens, and is judged by time."""

from __future__ import annotations

import msgspec
import pytest

from kiosk.authority.rules import in_step
from kiosk.authority.rules.in_step import Compared
from kiosk.authority.values import Seen, SeenMark
from statemachine.operation import Kind, Phase
from storage.records import LastSync, Operation, PasswordMark, UnblockMethod

LAST = b'{"at": 5.0, "dc": "dc1.ad.test", "pwd_last_set": 134000000000000000}'
OPERATION = (
    b'{"id": "op", "event": "1234-5678", "kind": "change", "credential": "c",'
    b' "account_guid": "g", "station": "kiosk-1", "phase": "writing",'
    b' "password_follows": true, "dc": "dc1.ad.test", "pwd_last_set_before": 7}'
)


def test_an_older_record_of_the_last_write_has_no_mark() -> None:
    last = msgspec.json.decode(LAST, type=LastSync)
    assert last.mark is None
    known = in_step.at_last_sync(last)
    mark = SeenMark(version=9, origin="o", usn=1)
    for time, said in (
        (last.pwd_last_set, Compared.SAME),
        (last.pwd_last_set - 1, Compared.CHANGED),
        (0, Compared.CHANGED),
    ):
        now = Seen(dc="dc1.ad.test", pwd_last_set=time, mark=mark)
        assert in_step.compare(known, now) is said


def test_an_older_operation_is_read_as_it_was() -> None:
    operation = msgspec.json.decode(OPERATION, type=Operation)
    assert (operation.kind, operation.phase) == (Kind.CHANGE, Phase.WRITING)
    seen = in_step.before(operation)
    assert seen is not None
    assert (seen.pwd_last_set, seen.mark) == (7, None)


def test_how_a_pin_is_set_anew_is_written_as_it_always_was() -> None:
    older = OPERATION.replace(b"}", b', "way": "holder puk"}')
    operation = msgspec.json.decode(older, type=Operation)
    assert operation.method is UnblockMethod.HOLDER_PUK
    assert msgspec.json.decode(msgspec.json.encode(operation))["way"] == "holder puk"


def test_what_is_written_now_is_read_again() -> None:
    mark = PasswordMark(version=3, origin="o", usn=2)
    last = LastSync(at=1.0, dc="dc1", pwd_last_set=4, mark=mark)
    assert msgspec.json.decode(msgspec.json.encode(last), type=LastSync) == last
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"at": 1, "dc": "d", "pwd": 4}', type=LastSync)
