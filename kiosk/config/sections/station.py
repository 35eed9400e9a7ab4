"""What a station is, and how it speaks to people."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from kiosk.config.sections import IPV4, PORT, Section

STATION_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"


class StationRole(StrEnum):
    """Who stands at this station."""

    SELF_SERVICE = "self-service"
    HELPDESK = "helpdesk"
    ENROLLMENT = "enrollment"


class StationSettings(Section, frozen=True, kw_only=True):
    """What this station is called, and who stands there."""

    name: Annotated[str, Meta(min_length=1, pattern=STATION_NAME, examples=["lobby-1"])]
    """Its name in the audit, unlike that of any other station."""
    title: Annotated[str, Meta(max_length=60)] = "PIN kiosk"
    """What stands at the top of every screen."""
    role: StationRole = StationRole.SELF_SERVICE
    """Who stands here."""


class HelpdeskSettings(Section, frozen=True, kw_only=True):
    """Who to call; shown wherever a person cannot go on alone."""

    contact: Annotated[str, Meta(min_length=1, max_length=120)]
    """A telephone number, a room, a person."""
    hours: str = ""
    """When somebody is there."""
    questions: tuple[str, ...] = ()
    """What the helpdesk asks a caller before it releases anything."""
    answers: tuple[str, ...] = ()
    """Where the answer to each of them is found, in their order: an attribute of the
    directory, a file, a person.
    """


class PinpadUse(StrEnum):
    """What is done with the PIN pad of a reader."""

    IF_PRESENT = "if present"
    REQUIRED = "required"
    IGNORE = "ignore"


class ReadersSettings(Section, frozen=True, kw_only=True):
    """Where cards are read."""

    names: tuple[str, ...] = ()
    """Only readers whose name contains one of these; empty: all."""
    pinpad: PinpadUse = PinpadUse.IF_PRESENT
    """What to do with a reader's own keys: if present, required, ignore. A PIN
    typed there never reaches this machine, so the password cannot follow it.
    """


class UnblockStyle(StrEnum):
    """How a module unblocks; PKCS#11 has no portable way."""

    AUTO = "auto"
    NONE = "none"
    SET_PIN = "set_pin"
    INIT_PIN = "init_pin"
    PREFIXES = "prefixes"


class MiddlewareSettings(Section, frozen=True, kw_only=True):
    """Cards behind a vendor's own software (PKCS#11; needs pin-kiosk[pkcs11])."""

    module: Path | None = None
    """The vendor's PKCS#11 library, as an absolute path. It runs in a process of
    its own. Silent: no middleware, unless search is on.
    """
    search: bool = False
    """Take the first module found where vendors put them."""
    unblock: UnblockStyle = UnblockStyle.AUTO
    """How the module sets a PIN with the PUK: auto (where it is known of the
    module), none, set_pin (OpenSC, if its own configuration has
    user_pin_unblock_style), init_pin (the PUK is the security officer's PIN) or
    prefixes (ykcs11).
    """
    time_limit: Annotated[float, Meta(ge=5, le=120)] = 30.0
    """Seconds until a module that does not answer is ended."""


class Screens(Section, frozen=True, kw_only=True):
    """How long a screen waits for a person. All in seconds."""

    idle_after: Annotated[float, Meta(ge=5, le=600)] = 45.0
    """Until the screen asks: still there?"""
    warning_lasts: Annotated[float, Meta(ge=5, le=120)] = 15.0
    """From then until everything is cleared."""
    forgotten_card_bell: Annotated[float, Meta(ge=1, le=600)] = 5.0
    """How often the bell calls for a card that was left behind."""
    pause: Annotated[float, Meta(ge=0, le=1800)] = 120.0
    """How much more time somebody gets who asks for it; 0: nobody."""


class Language(StrEnum):
    """The languages there are, by code."""

    ENGLISH = "en"
    GERMAN = "de"
    FRENCH = "fr"
    SPANISH = "es"


class Display(Section, frozen=True, kw_only=True):
    """How people are spoken to."""

    languages: Annotated[tuple[Language, ...], Meta(min_length=1)] = tuple(Language)
    """What can be chosen on the first screen. The first is spoken unless another is
    chosen.
    """
    high_contrast: bool = False
    """Black, white and yellow from the start; C changes it."""
    big_digits: bool = False
    """Draw numbers that are read out three lines high."""


class Printing(Section, frozen=True, kw_only=True):
    """Paper to take along: what changed and what to do next; never a PIN."""

    command: tuple[str, ...] = ()
    """What prints its standard input, e.g. ["lp", "-d", "desk"]; silent: nothing is
    printed.
    """


class LogForm(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


class Log(Section, frozen=True, kw_only=True):
    """What happened, by event name; never a PIN, a password or a person's name."""

    file: Path | None = None
    """Where to write it; silent: standard error, and nothing at all where that is
    the screen.
    """
    form: LogForm = LogForm.TEXT
    """How its lines are written: text, or json (one object to a line, with the event's
    name, numbers and codes in fields of their own, for whoever collects logs).
    """


METRICS_PLACE = (
    rf"^(|unix:/.+|(?=127\.|\[)({IPV4}|\[::1\]):({PORT}|[1-9]?\{{port\}}))\Z"
)


class MetricsSettings(Section, frozen=True, kw_only=True):
    """Figures for Prometheus: visits, times, what is missing. Never a name or number of
    a person, card or account.
    """

    listen: Annotated[str, Meta(pattern=METRICS_PLACE, examples=["127.0.0.1:9464"])] = (
        ""
    )
    """Where they are read: "unix:/run/pin-kiosk/metrics.sock", or a loopback address
    as "127.0.0.1:9464". Silent: nowhere. Where several processes serve on one machine,
    {port} stands for the port that each serves: "127.0.0.1:1{port}".
    """
