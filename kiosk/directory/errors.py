"""What a directory may say instead: one error for each."""

from __future__ import annotations

from typing import ClassVar

from kiosk.core.errors import KioskError, Message
from kiosk.directory.values import WriteRefusal

_NOTHING_SAID: dict[str, str | int] = {
    "names": "–",
    "issuer": "–",
    "number": 0,
    "words": "–",
    "file": "–",
}
"""What a reason's sentence may name, where nobody knows it."""


class DirectoryError(KioskError):
    """Root of what this room may raise."""

    code = "directory.error"
    reasons: ClassVar[str] = ""
    """Where the catalogue has the sentences for `reason`."""

    @property
    def detail(self) -> Message | None:
        """The reason in words for an administrator; None where there is none."""
        reason = self.data.get("reason")
        if not self.reasons or not reason:
            return None
        told = {**_NOTHING_SAID, **self.data, "answer": self.answer or "–"}
        return Message(f"{self.reasons}.{reason}", told)

    @property
    def answer(self) -> str:
        """What the DC itself answered: result, 8-digit code, words; empty: nothing."""
        parts = (self.data.get(name, "") for name in ("result", "hex", "said"))
        return " ".join(str(part) for part in parts if part != "")


class Unreachable(DirectoryError):
    """No DC answered: `dcs`, `reason` (WhyUnreachable, of the last one)."""

    code = "directory.unreachable"
    reasons = "directory.why_unreachable"


class TlsRefused(DirectoryError):
    """The server's TLS does not convince: `dc`, `reason` (WhyNoTrust).

    Where it showed a certificate: `names` (those in it) and `issuer`, both raw.
    """

    code = "directory.tls_refused"
    reasons = "directory.why_tls"


class ServiceBindRefused(DirectoryError):
    """The service account cannot sign in: `dc`, `reason` (BindResult or `other`)."""

    code = "directory.service_bind_refused"
    reasons = "directory.why_sign_in"


class ServicePasswordUnreadable(ServiceBindRefused):
    """The file with its password cannot be used: `dc`, `file`, `reason`.

    `reason`: `secret_unreadable`, `secret_exposed` or `secret_empty`.
    """

    code = "directory.service_password_unreadable"


class AccountMissing(DirectoryError):
    """No (or more than one) account fits: `account`."""

    code = "directory.account_missing"


class PolicyUnreadable(DirectoryError):
    """A fine-grained policy applies and its values may not be read: `policy`."""

    code = "directory.policy_unreadable"


class WriteRefused(DirectoryError):
    """The DC answered the write with a "no"; nothing was written there.

    `why` (WriteRefusal), `dc`, and the DC's own answer: `result` (LDAP code), `hex`
    (the 8-digit code), `said` (its words, made visible).
    """

    code = "directory.write_refused"

    def __init__(
        self, why: WriteRefusal, *, dc: str, hex: str, result: int, said: str = ""
    ) -> None:
        super().__init__(why=why.value, dc=dc, result=result, hex=hex, said=said)
        self.why = why


class SentTooLate(DirectoryError):
    """It was too late to send the write, so nothing was sent: `dc`."""

    code = "directory.sent_too_late"


class OutcomeUnknown(DirectoryError):
    """The write was sent and no answer came: it may have been applied: `dc`."""

    code = "directory.outcome_unknown"


class ReadFailed(DirectoryError):
    """A search was not answered as it should be: `dc`, `reason`.

    `reason`: `no_answer`, `busy` (that DC cannot now), `refused`, `malformed` or
    `hidden` (an attribute that we must know may not be read; `attribute`, where it is
    one of an account). Where the DC answered: `result`, `hex`, `said` as in
    WriteRefused.
    """

    code = "directory.read_failed"
    reasons = "directory.why_read"

    @property
    def message(self) -> Message:
        """Silence, and what may not be read, are not a bad answer."""
        reason = self.data.get("reason")
        key = _SAID_OF_READING.get(str(reason), self.code)
        return Message(key, dict(self.data))

    @property
    def is_of_the_controller(self) -> bool:
        """Say whether another DC may well answer the same question."""
        return self.data.get("reason") in ("no_answer", "busy", "malformed")


_SAID_OF_READING = {
    "no_answer": "directory.silent",
    "busy": "directory.silent",
    "hidden": "directory.hidden",
}
