"""The self-service kiosk: where a person stands, and what leads where.

The table is data: a sentence per edge, rendered into docs/self-service.md. What has no
edge changes nothing: a late report, a key of a screen that has gone. A face looks at
the readers after every edge (`SelfServiceEvent` from NO_CARD to CARD_LEFT) and does
what the edge says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SelfServiceState(StrEnum):
    """What is shown, and whose turn it is."""

    WAITING = "waiting"
    """Nobody is there; or something is missing, and that is shown."""
    CROWDED = "crowded"
    """There are several cards."""
    FORGOTTEN = "forgotten"
    """A card was left behind."""
    RECOGNISING = "recognising"
    HOME = "home"
    ASKING = "asking"
    """An action was chosen at home, and its form has not come yet."""
    ASKING_AGAIN = "asking_again"
    """The same after a result."""
    CONFIRMING = "confirming"
    TYPING = "typing"
    WORKING = "working"
    WORKING_ALONE = "working_alone"
    """The card has left in the middle; somebody must see how it ends."""
    RESULT = "result"
    DEAD_END = "dead_end"
    READING = "reading"
    """The card has left, and what is shown is still to be read."""


class SelfServiceEvent(StrEnum):
    """What can happen."""

    # What is seen at the readers.
    NO_CARD = "no_card"
    ONE_CARD = "one_card"
    """Exactly one, and not one that was left behind."""
    LEFT_BEHIND = "left_behind"
    """Exactly one, and it was left behind."""
    SEVERAL_CARDS = "several_cards"
    CARD_LEFT = "card_left"
    """The card of the visit is not there any more."""
    CARD_CAME = "card_came"
    """A card was inserted this moment."""
    # What the visit reports.
    RECOGNISED = "recognised"
    NOTHING_OFFERED = "nothing_offered"
    """It is known whose card it is, and nothing may be done with it now."""
    FORM_READY = "form_ready"
    QUESTION_READY = "question_ready"
    """A form has come that wants something confirmed first."""
    ENDED = "ended"
    FAILED = "failed"
    # What the person does.
    CHOSEN = "chosen"
    CONFIRMED = "confirmed"
    CONFIRMED_ALL = "confirmed_all"
    """Confirmed, and there is nothing to type."""
    BACK = "back"
    FILLED = "filled"
    AGAIN = "again"
    DONE_READING = "done_reading"
    # What the clock says.
    TIME_UP = "time_up"


class Deed(StrEnum):
    """What the face does on an edge, before it shows the new state."""

    BEGIN = "begin"
    """Begin a visit with the card."""
    LOOK_AGAIN = "look_again"
    """Ask the visit anew whose card it is."""
    ASK = "ask"
    """Ask the visit for the form of an action."""
    SUBMIT = "submit"
    LEAVE_FORM = "leave_form"
    """Tell the visit that the person went back."""
    END = "end"
    """Forget everything about the person."""
    SAY_UNSENT = "say_unsent"
    """Say that what they had begun was not sent, and changed nothing."""
    LEAVE_BEHIND = "leave_behind"
    """Remember that this card was left behind, and ring the bell."""
    GREET_ANEW = "greet_anew"
    """Speak as the station does by itself."""


@dataclass(frozen=True, slots=True)
class SelfServiceEdge:
    """One thing that may happen."""

    event: SelfServiceEvent
    source: SelfServiceState
    target: SelfServiceState
    sentence: str
    deeds: tuple[Deed, ...] = ()


_S, _E = SelfServiceState, SelfServiceEvent
_CHOOSING = (_S.ASKING, _S.CONFIRMING, _S.TYPING)
"""The person has chosen something, and nothing of it has been sent."""
_TO_READ = (_S.ASKING_AGAIN, _S.RESULT, _S.DEAD_END)
"""What is shown is still of use without the card."""
_WITH_PERSON = (_S.RECOGNISING, _S.HOME, *_CHOOSING, *_TO_READ)
"""A visit is going on, and no operation is."""

TABLE: tuple[SelfServiceEdge, ...] = (
    *(
        SelfServiceEdge(
            _E.NO_CARD,
            source,
            _S.WAITING,
            "Nobody is there.",
            () if source is _S.WAITING else (Deed.GREET_ANEW,),
        )
        for source in (_S.WAITING, _S.CROWDED, _S.FORGOTTEN)
    ),
    *(
        SelfServiceEdge(
            _E.ONE_CARD, source, _S.RECOGNISING, "A visit begins.", (Deed.BEGIN,)
        )
        for source in (_S.WAITING, _S.CROWDED)
    ),
    SelfServiceEdge(
        _E.ONE_CARD,
        _S.FORGOTTEN,
        _S.RECOGNISING,
        "A visit begins, of somebody else.",
        (Deed.GREET_ANEW, Deed.BEGIN),
    ),
    *(
        SelfServiceEdge(
            _E.LEFT_BEHIND, source, _S.FORGOTTEN, "The bell calls for the card."
        )
        for source in (_S.WAITING, _S.CROWDED)
    ),
    *(
        SelfServiceEdge(
            _E.SEVERAL_CARDS, source, _S.CROWDED, "Nobody knows whose turn it is."
        )
        for source in (_S.WAITING, _S.FORGOTTEN)
    ),
    *(
        SelfServiceEdge(
            _E.SEVERAL_CARDS,
            source,
            _S.CROWDED,
            "A second card ends the visit.",
            (Deed.END, Deed.SAY_UNSENT) if source in _CHOOSING else (Deed.END,),
        )
        for source in (_S.RECOGNISING, _S.HOME, *_CHOOSING, _S.ASKING_AGAIN)
    ),
    *(
        SelfServiceEdge(
            _E.CARD_LEFT,
            source,
            _S.WAITING,
            "The card was taken.",
            (Deed.END, Deed.GREET_ANEW),
        )
        for source in (_S.RECOGNISING, _S.HOME)
    ),
    *(
        SelfServiceEdge(
            _E.CARD_LEFT,
            source,
            _S.READING,
            "The card was taken before anything was sent: that is said.",
            (Deed.END, Deed.SAY_UNSENT),
        )
        for source in _CHOOSING
    ),
    *(
        SelfServiceEdge(
            _E.CARD_LEFT,
            source,
            _S.READING,
            "The card was taken, and the end is still to be read.",
            (Deed.END,),
        )
        for source in _TO_READ
    ),
    SelfServiceEdge(
        _E.CARD_LEFT,
        _S.WORKING,
        _S.WORKING_ALONE,
        "The card was pulled in the middle; the operation ends as it can.",
    ),
    *(
        SelfServiceEdge(
            event,
            _S.READING,
            _S.WAITING,
            "The next one is waited for.",
            (Deed.GREET_ANEW,),
        )
        for event in (_E.DONE_READING, _E.TIME_UP, _E.CARD_CAME)
    ),
    SelfServiceEdge(
        _E.RECOGNISED,
        _S.RECOGNISING,
        _S.HOME,
        "It is known whose card it is, and what may be done.",
    ),
    SelfServiceEdge(
        _E.NOTHING_OFFERED,
        _S.RECOGNISING,
        _S.DEAD_END,
        "It is said why nothing may be done, and whom to call.",
    ),
    SelfServiceEdge(
        _E.CHOSEN, _S.HOME, _S.ASKING, "The person chose an action.", (Deed.ASK,)
    ),
    *(
        SelfServiceEdge(_E.FORM_READY, source, _S.TYPING, "The form is there.")
        for source in (_S.ASKING, _S.ASKING_AGAIN)
    ),
    *(
        SelfServiceEdge(
            _E.QUESTION_READY,
            source,
            _S.CONFIRMING,
            "Something has to be confirmed before anything is typed.",
        )
        for source in (_S.ASKING, _S.ASKING_AGAIN)
    ),
    SelfServiceEdge(_E.CONFIRMED, _S.CONFIRMING, _S.TYPING, "The person said yes."),
    SelfServiceEdge(
        _E.CONFIRMED_ALL,
        _S.CONFIRMING,
        _S.WORKING,
        "The person said yes, and nothing is typed here.",
        (Deed.SUBMIT,),
    ),
    *(
        SelfServiceEdge(
            _E.BACK, source, _S.HOME, "The person went back.", (Deed.LEAVE_FORM,)
        )
        for source in (_S.CONFIRMING, _S.TYPING)
    ),
    SelfServiceEdge(
        _E.FILLED, _S.TYPING, _S.WORKING, "Everything is typed.", (Deed.SUBMIT,)
    ),
    SelfServiceEdge(_E.ENDED, _S.WORKING, _S.RESULT, "It is said how it ended."),
    SelfServiceEdge(
        _E.ENDED,
        _S.WORKING_ALONE,
        _S.READING,
        "It is said how it ended, to whoever still stands there.",
        (Deed.END,),
    ),
    SelfServiceEdge(
        _E.FAILED,
        _S.WORKING_ALONE,
        _S.READING,
        "It is said why it cannot go on, to whoever still stands there.",
        (Deed.END,),
    ),
    *(
        SelfServiceEdge(
            _E.FAILED, source, _S.DEAD_END, "It is said why it cannot go on."
        )
        for source in (_S.RECOGNISING, _S.ASKING, _S.ASKING_AGAIN, _S.WORKING)
    ),
    SelfServiceEdge(
        _E.AGAIN,
        _S.RESULT,
        _S.ASKING_AGAIN,
        "The person tries again, or goes on as the result says.",
        (Deed.ASK,),
    ),
    SelfServiceEdge(
        _E.DONE_READING,
        _S.RESULT,
        _S.RECOGNISING,
        "The card may be another one now in all but its number.",
        (Deed.LOOK_AGAIN,),
    ),
    *(
        SelfServiceEdge(
            _E.TIME_UP,
            source,
            _S.FORGOTTEN,
            "Nobody pressed a key for too long: what was typed is wiped.",
            (Deed.LEAVE_BEHIND, Deed.END),
        )
        for source in _WITH_PERSON
    ),
    SelfServiceEdge(
        _E.TIME_UP,
        _S.WAITING,
        _S.WAITING,
        "Whoever chose a language has gone.",
        (Deed.GREET_ANEW,),
    ),
)


def is_of_a_visit(state: SelfServiceState) -> bool:
    """Say whether a person's visit is going on."""
    return state in _WITH_PERSON or is_working(state)


def is_working(state: SelfServiceState) -> bool:
    """Say whether an operation is under way: nobody disturbs it, no clock ends it."""
    return state in (_S.WORKING, _S.WORKING_ALONE)


_EDGES = {(edge.source, edge.event): edge for edge in TABLE}


def edge_of(state: SelfServiceState, event: SelfServiceEvent) -> SelfServiceEdge | None:
    """Return what `event` does in `state`; None: nothing."""
    return _EDGES.get((state, event))
