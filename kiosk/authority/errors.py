"""What the authority refuses, and why."""

from __future__ import annotations

from kiosk.core.errors import KioskError, ReasonedRefusal


class AuthorityError(KioskError):
    """Root of what the authority itself refuses."""

    code = "authority.error"


class NotOnRecord(AuthorityError):
    """No credential has this card: `card`."""

    code = "authority.not_on_record"


class Refused(ReasonedRefusal, AuthorityError):
    """A guard said no. `reason` is the catalogue key that says which and who helps."""

    code = "authority.refused"


class ProofFailed(AuthorityError):
    """A signature did not verify, or its nonce was not to be had. Nothing changed."""

    code = "authority.proof_failed"


class NotProven(AuthorityError):
    """The card on record has not shown in this operation that it is there."""

    code = "authority.not_proven"


class CodeRefused(AuthorityError):
    """A release or activation code is wrong, used or expired: `entries_left`."""

    code = "authority.code_refused"

    def __init__(self, entries_left: int) -> None:
        super().__init__(entries_left=entries_left)
        self.entries_left = entries_left


class EntriesPaused(AuthorityError):
    """Too many wrong codes were typed at this station: wait for `seconds`."""

    code = "authority.entries_paused"


class CodeMistyped(AuthorityError):
    """The check digit of a code does not fit: a misread, not counted."""

    code = "authority.code_mistyped"


class NotAsAnnounced(AuthorityError):
    """What the person was told before typing is not true any more. Nothing changed."""

    code = "authority.not_as_announced"


class TooSlow(AuthorityError):
    """No answer came while a card was held: it was let go."""

    code = "authority.too_slow"


class RulesBroken(AuthorityError):
    """The sealed value breaks a rule that the face should have shown: `rule`."""

    code = "authority.rules_broken"


class KeyReused(AuthorityError):
    """A call has the key of an earlier one that asked for something else."""

    code = "authority.key_reused"


class NotUnderstood(AuthorityError):
    """A call or an answer that does not have its form: another version, or nonsense."""

    code = "authority.not_understood"


class UnknownAnswer(AuthorityError):
    """The authority said no in a way that a later version knows: its `code`."""

    code = "authority.unknown_answer"


class SealedSecretUnreadable(AuthorityError):
    """A secret was not sealed for this call, or the key it was sealed to is gone."""

    code = "authority.secret_unreadable"


class AuthorityAway(AuthorityError):
    """No address of the authority answered in time. What was asked last may have
    happened all the same.
    """

    code = "authority.away"


class AuthorityNotTrusted(AuthorityAway):
    """What answers there cannot show that it is the site's authority: `address`."""

    code = "authority.not_trusted"


class AuthorityBusy(AuthorityError):
    """The authority has more to do than it can; this call was not begun."""

    code = "authority.busy"


class AuthorityEnding(AuthorityError):
    """A process of the authority is about to end; the call was not begun."""

    code = "authority.ending"


class CallTooLarge(AuthorityError):
    """A call, or an answer, is larger than any can be."""

    code = "authority.too_large"


class CallIncomplete(AuthorityError):
    """A call did not arrive as a whole in the time that it has."""

    code = "authority.incomplete"


class FailedInside(AuthorityError):
    """The authority has a defect; its log has more under `event`."""

    code = "authority.failed_inside"


class NotSigned(AuthorityError):
    """A request that no station has signed, or not all of it."""

    code = "authority.not_signed"


class StationUnknown(AuthorityError):
    """No station that may ask has this id: `station`."""

    code = "authority.station_unknown"


class ClocksApart(AuthorityError):
    """A request was signed at another time than now: `station`, `authority`, both as
    UTC to the second.
    """

    code = "authority.clocks_apart"


class StationMayNot(AuthorityError):
    """A station asked for what its role has no part in: `station`, `role`."""

    code = "authority.station_may_not"


class StationBusy(AuthorityError):
    """A station asks for more at once than it may: `seconds` to wait."""

    code = "authority.station_busy"


class StationKeyUnusable(AuthorityError):
    """What a station has sent as its public key is none."""

    code = "authority.station_key_unusable"


class TokenRefused(AuthorityError):
    """No station can be enrolled with this token: unknown, used, or void."""

    code = "authority.token_refused"


class TokenExpired(AuthorityError):
    """The token was not used in its time."""

    code = "authority.token_expired"


class TokenForAnother(AuthorityError):
    """The token was given for another station or role: `station`, `role`."""

    code = "authority.token_for_another"
