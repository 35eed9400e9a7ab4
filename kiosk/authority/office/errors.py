"""What the office refuses an operator, and why. Each rebuilds from code and data."""

from __future__ import annotations

from kiosk.core.errors import KioskError, ReasonedRefusal


class SignInRefused(ReasonedRefusal):
    """Who this is could not be shown. `reason` says why."""

    code = "enrollment.sign_in_refused"


class NoRole(KioskError):
    """The account is in none of the groups that have a role: `account`."""

    code = "enrollment.no_role"


class NoSuchCredential(KioskError):
    """Nothing in the registry fits what was typed: `term`."""

    code = "enrollment.no_such_credential"


class SeveralCredentials(KioskError):
    """More than one fits what was typed: `term`, `ids`."""

    code = "enrollment.several_credentials"


class SecondNeeded(KioskError):
    """The site wants two operators for that: `action`."""

    code = "enrollment.second_needed"


class AlreadyOnRecord(KioskError):
    """The card is a credential already: `credential`."""

    code = "enrollment.already_on_record"


class NothingProposed(KioskError):
    """No first officer has proposed just this key for the credential."""

    code = "enrollment.nothing_proposed"


class NamesAnother(KioskError):
    """A certificate does not name the account it is to stand for: `account`."""

    code = "enrollment.names_another"


class NotBegun(KioskError):
    """Nobody is issuing the card, or not any more: `credential`."""

    code = "enrollment.not_begun"


class NoSuchStation(KioskError):
    """No station of that name has any evidence here: `station`."""

    code = "desk.no_such_station"


class MovedAway(KioskError):
    """A part of the evidence was moved to an archive: `count` events."""

    code = "desk.moved_away"
