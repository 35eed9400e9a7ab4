"""What is said over the line: each frame one value, strict in its form.

A station asks one thing at a time. While the session works on it, it asks for what the
station has (cards, files) and tells what it is doing; its last word is the page.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.desk.tables import Look
from kiosk.desk.views import Page

_Name = Annotated[str, msgspec.Meta(max_length=4096)]
_Insertion = Annotated[int, msgspec.Meta(ge=0)]


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is"):
    """Anything that is said."""


# --- a station asks -----------------------------------------------------------


class Shown(Frame, frozen=True, tag="page"):
    """What is to be shown now?"""


class Chosen(Frame, frozen=True, tag="choose", omit_defaults=True):
    """Somebody chose."""

    key: _Name
    can_stop: bool = False
    """The station answers whether they still wait."""


class Typed(Frame, frozen=True, tag="submit", omit_defaults=True):
    """Somebody filled a form."""

    texts: dict[_Name, _Name]
    secrets: dict[_Name, Secret]
    can_stop: bool = False
    """The station answers whether they still wait."""
    can_drop: bool = False
    """A file that was begun and not ended is removed again at the station."""


class Looked(Frame, frozen=True, tag="look"):
    """Somebody wants to see a table otherwise."""

    look: Look


class WentBack(Frame, frozen=True, tag="back"):
    """Back one page."""


class CardCame(Frame, frozen=True, tag="card_came", omit_defaults=True):
    """A card is in a reader of the station."""

    insertion: _Insertion
    reader: _Name
    requires_pad: bool = False
    """Its PIN may be typed at the reader's own keys only."""


class CardWent(Frame, frozen=True, tag="card_left"):
    """It is not any more."""

    insertion: _Insertion


class SignedOut(Frame, frozen=True, tag="sign_out"):
    """End the session."""


Asked = Shown | Chosen | Typed | Looked | WentBack | CardCame | CardWent | SignedOut


# --- the session asks the station meanwhile -----------------------------------


class Connect(Frame, frozen=True, tag="connect"):
    """Power the card of an insertion; `Connected` or `Failed`."""

    insertion: _Insertion


class Begin(Frame, frozen=True, tag="begin"):
    """Begin a transaction; `Done` or `Failed`."""

    insertion: _Insertion


class Hold(Frame, frozen=True, tag="hold"):
    """Keep others from the card; `Done` or `Failed`."""

    insertion: _Insertion


class End(Frame, frozen=True, tag="end"):
    """End transaction or hold; `Done` or `Failed`."""

    insertion: _Insertion


class Transmit(Frame, frozen=True, tag="transmit"):
    """Send a command APDU; `Replied` or `Failed`."""

    insertion: _Insertion
    apdu: Secret


class PadVerify(Frame, frozen=True, tag="pad_verify"):
    """Have a value typed at the reader; `Status` or `Failed`."""

    insertion: _Insertion
    header: bytes
    block: int
    minimum: int
    maximum: int


class PadModify(Frame, frozen=True, tag="pad_modify"):
    """Have a new value typed at the reader; `Status` or `Failed`."""

    insertion: _Insertion
    header: bytes
    block: int
    minimum: int
    maximum: int
    asks_current: bool
    known: Secret | None


class Disconnect(Frame, frozen=True, tag="disconnect"):
    """Let go of the card; `Done`."""

    insertion: _Insertion


CardAsked = Connect | Begin | Hold | End | Transmit | PadVerify | PadModify | Disconnect


class ReadFile(Frame, frozen=True, tag="read_file"):
    """Read a file of the station; `Contents`, `NoFile` or `Failed`."""

    name: _Name
    most: int


class CreateFile(Frame, frozen=True, tag="create_file"):
    """Write a new file there, readable by its owner only; `Done` or `Failed`."""

    name: _Name
    data: bytes


class AppendFile(Frame, frozen=True, tag="append_file"):
    """Add to a file there, durably; `Done` or `Failed`."""

    name: _Name
    data: bytes


class BeginFile(Frame, frozen=True, tag="begin_file"):
    """Begin a new file there, readable by its owner only, that `AppendFile` adds to;
    `Done` or `Failed`. It is not there unless it is ended whole.
    """

    name: _Name


class EndFile(Frame, frozen=True, tag="end_file"):
    """End what was begun: keep it, durable, or remove it again; `Done` or `Failed`."""

    name: _Name
    is_whole: bool


FileAsked = ReadFile | CreateFile | AppendFile | BeginFile | EndFile


class StillWaited(Frame, frozen=True, tag="still_waited"):
    """Does the operator still wait for what is being done? `Done`, or `Failed`."""


class Working(Frame, frozen=True, tag="working"):
    """What is being done; nothing is answered."""

    what: Message


class PageIs(Frame, frozen=True, tag="shown"):
    """What came of it: the answer to `Asked`."""

    page: Page


class Bye(Frame, frozen=True, tag="bye"):
    """The session has ended, and why; the line is closed."""

    why: Message


Said = CardAsked | FileAsked | StillWaited | Working | PageIs | Bye


# --- and the station answers --------------------------------------------------


class Done(Frame, frozen=True, tag="done"):
    """It is done."""


class Connected(Frame, frozen=True, tag="connected"):
    """The card is powered."""

    atr: bytes
    has_pad: bool


class Replied(Frame, frozen=True, tag="replied"):
    """What the card said: data and status word."""

    data: Secret


class Status(Frame, frozen=True, tag="status"):
    """What the card said to what was typed at the reader."""

    word: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]


class Contents(Frame, frozen=True, tag="contents"):
    """What stands in a file."""

    data: bytes


class NoFile(Frame, frozen=True, tag="no_file"):
    """There is none of that name."""


class Failed(Frame, frozen=True, tag="failed"):
    """An error of the card, the reader or the file."""

    code: _Name
    data: dict[_Name, str | int]


Answered = Done | Connected | Replied | Status | Contents | NoFile | Failed
