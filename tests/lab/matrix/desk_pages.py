"""Every page of the operators' terminal, made as if somebody had gone there."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from kiosk.authority.office.list_values import (
    Worklist,
)
from kiosk.authority.office.operators import Action
from kiosk.authority.office.values import (
    Holder,
)
from kiosk.authority.stations.standing import SeenStation
from kiosk.cards.ports import Card
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.desk.batch import read_batch
from kiosk.desk.card_work import WorkBesideTheDesk
from kiosk.desk.context import Context
from kiosk.desk.pages import (
    act,
    audit,
    batch,
    credential,
    evidence,
    finish,
    found,
    history,
    issue,
    menu,
    receipt,
    release,
    risk,
    sign_in,
    stations,
    template_edit,
    templates,
    watch,
    work,
)
from kiosk.desk.personalise import IssuedCard
from kiosk.desk.tables import Look
from kiosk.simulation.demo_desk import PASSWORD, DemoDesk
from lab.left_over import own_folder
from storage.records import (
    ApprovalKind,
    Credential,
    StationRecord,
    StationStanding,
    Template,
)
from storage.registry import Tx

HANNA, OLGA, AARON, ADA = range(4)
OPERATORS = ("hanna", "olga", "aaron", "ada")
PEOPLE = {"alice": 4, "bob": 5, "carol": 6, "dan": 7, "erin": 8, "blank": -1}
"""Where the tray has somebody's card."""
_READ_OUT = Message("enrollment.read_out")


def _of(context: Context, name: str) -> Credential:
    return context.office.credential(f"credential-{name}")


def _person(context: Context, account: str) -> Holder:
    return context.office.look_for(account)[0]


def _batch(context: Context) -> Any:
    file = own_folder("batch-") / "people.csv"
    file.write_text("account,template\nalice,staff\nbob,staff\n")
    return read_batch(context.office, context.site, str(file))


def _looked_for(term: str) -> menu.Menu:
    page = menu.Menu()
    page.look(Look(term=term))
    return page


def _found_person(context: Context) -> issue.PersonPage:
    page = issue.PersonPage()
    page._term, page._found = "alice", (_person(context, "alice"),)
    return page


def _edited(context: Context, *, is_checked: bool) -> template_edit.EditPage:
    """A template with a change in it that nobody has saved."""
    page = _saved(context)
    page._texts = {"self_service": "no"}
    if is_checked:
        page._checked, _ = page._draft()
    return page


def _saved(context: Context) -> template_edit.EditPage:
    return template_edit.EditPage(context, context.office.template("staff"))


def _at_work(context: Context) -> work.WorkPage:
    """A card is being issued that takes long."""
    of = SimpleNamespace(insertion=0)
    operator = context.office.operator.account
    at_work = WorkBesideTheDesk(cast(Card, of), operator, lambda _: None)
    context.works[operator] = at_work
    return work.WorkPage()


def _to_hand_over(context: Context) -> work.WorkPage:
    """A card is issued whose transport PIN nobody has yet."""
    page = _at_work(context)
    (at_work,) = context.works.values()
    at_work._done(IssuedCard(_of(context, "everyday"), Secret(b"135790")))
    return page


def enrolled(tx: Tx, now: float) -> None:
    """Enroll a kiosk that is heard and a desk that is revoked, if none is there."""
    if tx.stations(limit=1):
        return
    active, revoked = StationStanding
    for name, role, state in (
        ("lobby-7", "self-service", active),
        ("desk-2", "helpdesk", revoked),
    ):
        tx.save_station(
            StationRecord(
                id=name,
                name=name,
                role=role,
                algorithm="ed25519",
                public_key=name.encode() * 4,
                state=state,
                enrolled_at=now,
                enrolled_by="ada",
                last_seen=now,
                program="0.1.0",
            )
        )


def _acts(action: Action, name: str) -> Callable[[Context], Any]:
    return lambda context: act.ReasonPage(_of(context, name), action)


Make = Callable[[Context], Any]


def _of_the_fleet(make: Make) -> Make:
    """Let there be two stations first."""

    def made(context: Context) -> Any:
        parts = cast(Any, context.session)._desk.parts
        parts.registry.run(lambda tx: enrolled(tx, parts.clock.now()))
        return make(context)

    return made


def _station(page: Callable[[SeenStation], Any]) -> Make:
    return lambda context: page(context.office.station("lobby-7"))


PAGES: dict[str, tuple[int | None, Make]] = {
    "sign in": (None, lambda _: sign_in.SignInPage()),
    "sign in, card": (None, lambda _: sign_in.SignInPage()),
    "sign in, two cards": (None, lambda _: sign_in.SignInPage()),
    "sign in, account": (None, lambda _: sign_in.AccountPage()),
    "menu": (HANNA, lambda _: menu.Menu()),
    "menu, officer": (OLGA, lambda _: menu.Menu()),
    "menu, administrator": (ADA, lambda _: menu.Menu()),
    **{
        f"list, {each}": (HANNA, lambda _, each=each: found.FoundPage(each))  # type: ignore[misc]  # one list each
        for each in Worklist
    },
    "found": (HANNA, lambda _: _looked_for("a")),
    "credential, blocked": (
        HANNA,
        lambda _: credential.CredentialPage("credential-blocked"),
    ),
    "credential, new": (
        HANNA,
        lambda _: credential.CredentialPage("credential-by code"),
    ),
    "credential, active": (
        OLGA,
        lambda _: credential.CredentialPage("credential-everyday"),
    ),
    "credential, suspended": (
        HANNA,
        lambda _: credential.CredentialPage("credential-suspended"),
    ),
    "credential, out of step": (
        HANNA,
        lambda _: credential.CredentialPage("credential-out of step"),
    ),
    "release": (
        HANNA,
        lambda it: release.ReleasePage(_of(it, "blocked"), ApprovalKind.RELEASE),
    ),
    "activation": (
        HANNA,
        lambda it: release.ReleasePage(_of(it, "by code"), ApprovalKind.ACTIVATION),
    ),
    "answer": (HANNA, lambda it: release.AnswerPage(_of(it, "everyday"))),
    "read out": (
        HANNA,
        lambda _: release.ReadOutPage(_READ_OUT, "246 802 468", Message("desk.once")),
    ),
    "suspend": (HANNA, _acts(Action.SUSPEND, "everyday")),
    "resume": (HANNA, _acts(Action.RESUME, "suspended")),
    "revoke": (HANNA, _acts(Action.REVOKE, "everyday")),
    "revoke, second by card": (HANNA, _acts(Action.REVOKE, "everyday")),
    "retire": (OLGA, _acts(Action.RETIRE, "everyday")),
    "close": (HANNA, _acts(Action.CLOSE, "out of step")),
    "finish": (HANNA, lambda it: finish.FinishPage(_of(it, "out of step"))),
    "finish, card": (HANNA, lambda it: finish.FinishPage(_of(it, "out of step"))),
    "watch": (HANNA, lambda it: watch.WatchPage(_of(it, "everyday"))),
    "history": (HANNA, lambda it: history.HistoryPage(_of(it, "everyday"))),
    "templates": (ADA, lambda _: templates.TemplatesPage()),
    "template, new": (ADA, lambda it: template_edit.EditPage(it, Template(name=""))),
    "template, edited": (ADA, lambda it: _edited(it, is_checked=False)),
    "template, checked": (ADA, lambda it: _edited(it, is_checked=True)),
    "stations": (ADA, _of_the_fleet(lambda _: stations.StationsPage())),
    "station": (ADA, _of_the_fleet(lambda _: stations.StationPage("lobby-7"))),
    "station, rename": (ADA, _of_the_fleet(_station(stations.RenamePage))),
    "station, revoke": (ADA, _of_the_fleet(_station(stations.RevokePage))),
    "audit": (AARON, lambda _: audit.AuditPage()),
    "evidence": (AARON, lambda _: evidence.EvidencePage()),
    "evidence, file": (AARON, lambda _: evidence.EvidenceFilePage("alice")),
    "receipt": (AARON, lambda _: receipt.ReceiptPage("none")),
    "risk": (AARON, lambda _: risk.RiskPage()),
    "risk, file": (AARON, lambda it: risk.RiskFilePage(it.office.risks())),
    "batch": (OLGA, lambda _: batch.BatchPage()),
    "batch run": (OLGA, lambda it: batch.BatchRunPage(_batch(it))),
    "batch run, card": (OLGA, lambda it: batch.BatchRunPage(_batch(it))),
    "person": (OLGA, lambda _: issue.PersonPage()),
    "person, found": (OLGA, _found_person),
    "template": (OLGA, lambda it: issue.TemplatePage(_person(it, "alice"))),
    "card": (OLGA, lambda it: issue.CardPage(_person(it, "alice"), "staff")),
    "card, there": (OLGA, lambda it: issue.CardPage(_person(it, "alice"), "staff")),
    "work": (OLGA, _at_work),
    "issued": (OLGA, _to_hand_over),
    "import": (OLGA, lambda _: issue.ImportPage()),
    "import, card": (OLGA, lambda _: issue.ImportPage()),
}
"""Who is signed in, and the page; every page there is."""
CARDS: dict[str, tuple[str, ...]] = {
    "sign in, card": ("hanna",),
    "sign in, two cards": ("hanna", "bob"),
    "revoke, second by card": ("bob",),
    "finish, card": ("erin",),
    "batch run, card": ("blank",),
    "template": ("blank",),
    "person, found": ("blank",),
    "card, there": ("blank",),
    "import, card": ("alice",),
}
"""What is in the readers."""


def opened(demo: DemoDesk, who: int | None, make: Make) -> Any:
    """Sign somebody in and have that page in front of them; return it."""
    session: Any = demo.open()
    context = session._context
    first: Any = sign_in.SignInPage()
    if who is not None:
        password = Secret(PASSWORD)
        context.session = context.authority.sign_in_by_account(OPERATORS[who], password)
        first = menu.Menu()
    page = make(context)
    is_first = isinstance(page, type(first))
    session._stack = [page] if is_first else [first, page]
    return page
