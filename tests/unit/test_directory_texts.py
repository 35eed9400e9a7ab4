"""Every error, refusal, warning and reason of the directory has its sentence."""

from __future__ import annotations

import pytest

from kiosk.core.errors import Message
from kiosk.directory import errors
from kiosk.directory.errors import (
    DirectoryError,
    ReadFailed,
    ServiceBindRefused,
    ServicePasswordUnreadable,
    TlsRefused,
    Unreachable,
    WriteRefused,
)
from kiosk.directory.values import BindResult, WhyNoTrust, WhyUnreachable, WriteRefusal
from kiosk.texts import sentence, text

ERRORS = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, DirectoryError)
]
SIGN_IN = set(BindResult) - {BindResult.OK, BindResult.NO_ANSWER}


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_a_sentence(error: type[DirectoryError]) -> None:
    assert text(error.code)


@pytest.mark.parametrize("why", WriteRefusal)
def test_every_refusal_has_a_sentence(why: WriteRefusal) -> None:
    assert text(f"directory.refusal.{why}")


@pytest.mark.parametrize("said", BindResult)
def test_every_answer_to_a_bind_has_a_sentence(said: BindResult) -> None:
    assert text(f"directory.bind.{said}")


@pytest.mark.parametrize(
    "error",
    [
        *(Unreachable(dcs="dc1", reason=why.value) for why in WhyUnreachable),
        *(TlsRefused(dc="dc1", reason=why.value) for why in WhyNoTrust),
        *(ServiceBindRefused(dc="dc1", reason=said.value) for said in sorted(SIGN_IN)),
        *(
            ServiceBindRefused(dc="dc1", reason=why)
            for why in (
                "other",
                "bare_name",
                "not_a_name",
                "stronger_auth",
                "channel_binding",
            )
        ),
        *(
            ServicePasswordUnreadable(dc="dc1", file="/f", reason=f"secret_{why}")
            for why in ("unreadable", "exposed", "empty", "encoded", "lines")
        ),
        *(
            ReadFailed(dc="dc1", reason=why)
            for why in ("no_answer", "busy", "refused", "malformed", "hidden")
        ),
    ],
    ids=lambda error: f"{error.code}-{error.data['reason']}",
)
def test_every_reason_has_a_sentence_for_administrators(error: DirectoryError) -> None:
    assert error.detail is not None
    assert sentence(error.detail)


@pytest.mark.parametrize(
    "key",
    [
        *(f"reach.{why}" for why in WhyUnreachable),
        *(f"tls.{why}" for why in WhyNoTrust),
        *(f"sign_in.{said}" for said in sorted(SIGN_IN)),
    ],
)
def test_every_reason_has_its_advice(key: str) -> None:
    assert text(f"doctor.fix.{key}")


def test_an_error_without_a_reason_has_no_detail() -> None:
    refused = WriteRefused(WriteRefusal.POLICY, dc="dc1", hex="0000052D", result=53)
    assert refused.detail is None


def test_the_sentence_for_an_account_shows_its_name_harmlessly() -> None:
    shown = sentence(Message("directory.account_missing", {"account": "a\x1b[31m"}))
    assert "\x1b" not in shown
