"""A controller that lets us sign in and then fails costs one person a wait, once.

Two controllers of one domain: the first is ill in one way, the second a sound Samba
(the first passes everything else on to it). A holder comes three times. What is true is
asked of the domain by its administrator; who waited is told by who was spoken to.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from lab.domain.ldap_relay import Doing, Record, Trouble, misbehaving
from lab.domain.samba import LabUser, SambaDomain

from kiosk.core.clock import ManualClock, SystemClock
from kiosk.core.secret import Secret
from kiosk.directory.asking import ask
from kiosk.directory.errors import ReadFailed
from kiosk.directory.ldap import LdapDirectory, tls
from kiosk.directory.ldap.breaker import REST_SECONDS
from kiosk.directory.ports import DomainController
from kiosk.simulation.rehearsal.real_domain import LaboratoryDomain
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Outcome, Result
from statemachine.operation import Kind
from storage.records import Sync, Template

pytestmark = pytest.mark.samba

UNANSWERED = (Doing.SILENCE, Doing.GARBAGE, Doing.HALF, Doing.DONE_AND_SILENT)
PINS = ("246813", "975318", "864209", "753197")

BEFORE_ANYTHING_IS_SENT = [
    *(Trouble("bind", Doing.ANSWER, result) for result in (1, 51, 52, 80)),
    Trouble("bind", Doing.SILENCE),
    Trouble("bind", Doing.CUT),
    Trouble("bind", Doing.GARBAGE),
    *(Trouble("search", Doing.ANSWER, result) for result in (1, 3, 11, 51, 52, 80)),
    Trouble("search", Doing.SILENCE),
    Trouble("search", Doing.CUT),
    Trouble("search", Doing.GARBAGE),
    Trouble("search", Doing.HALF),
    Trouble("search", Doing.READ_ONLY),
    *(
        Trouble("search", doing, first=later)
        for doing in (Doing.SILENCE, Doing.CUT)
        for later in (2, 3)
    ),
    Trouble("search", Doing.ANSWER, 51, first=2),
    Trouble("search", Doing.ANSWER, 1, first=3),
]
AT_THE_WRITE = [
    *(Trouble("modify", Doing.ANSWER, result) for result in (1, 10, 51, 52)),
]
UNKNOWN = [
    Trouble("modify", Doing.SILENCE),
    Trouble("modify", Doing.CUT),
    Trouble("modify", Doing.DONE_AND_SILENT),
]


class Holder:
    """Somebody with a simulated card, at a station that knows two controllers."""

    def __init__(self, samba: SambaDomain, first: Record, trouble: Trouble) -> None:
        self.samba = samba
        # A busy machine's own slowness is to be no trouble.
        patience = 5.0 if trouble.doing in UNANSWERED else 60.0
        self.user: LabUser = samba.add_user(password=PINS[0])
        settings = samba.settings(
            dcs=(f"localhost:{first.port}", samba.address),
            connect_timeout=patience,
            receive_timeout=patience,
        )
        self.directory = LdapDirectory(settings, ManualClock())
        sound = LaboratoryDomain(LdapDirectory(samba.settings(), SystemClock()))
        self.world = World(clock=SystemClock(), domain=sound)
        self.world.add_template(Template(name="staff"))
        made, puk = self.world.make_card("Ann", pin=PINS[0].encode())
        self.card = made.card
        self.world.register(
            "ann", made, puk, account_guid=self.user.guid, template="staff"
        )
        self.world.directory = LaboratoryDomain(self.directory)
        self.world.restart()

    def visit(self, old: str, new: str) -> Result:
        self.world.readers.pull()
        visit = self.world.visit(self.world.readers.insert(self.card))
        visit.recognise()
        form = visit.begin(Kind.CHANGE)
        typed = {
            FieldName.OLD_PIN: Secret(old.encode()),
            FieldName.NEW_PIN: Secret(new.encode()),
        }
        return visit.submit(form, Answers(typed, confirmed=True), lambda _: None)

    @property
    def sync(self) -> Sync:
        return self.world.credential("ann").sync


@pytest.mark.parametrize("trouble", BEFORE_ANYTHING_IS_SENT, ids=str)
def test_the_next_is_asked_in_the_same_visit_and_nobody_waits_again(
    samba: SambaDomain, trouble: Trouble
) -> None:
    with misbehaving(samba, trouble) as first:
        holder = Holder(samba, first, trouble)
        for old, new in itertools.pairwise(PINS):
            assert holder.visit(old, new).outcome is Outcome.DONE
            assert samba.user_binds(holder.user.upn, new)
        assert first.lines == 1, "one connection of one person, once"
        assert first.requests["modify"] == 0
    assert holder.sync is Sync.IN_STEP


@pytest.mark.parametrize("trouble", AT_THE_WRITE, ids=str)
def test_one_that_cannot_write_puts_the_card_back_and_is_passed_by_from_then_on(
    samba: SambaDomain, trouble: Trouble
) -> None:
    """What was sent is never sent again for the same authorisation."""
    with misbehaving(samba, trouble) as first:
        holder = Holder(samba, first, trouble)
        result = holder.visit(*PINS[:2])
        assert result.outcome is Outcome.ROLLED_BACK
        assert "directory.refusal.not_here" in {fact.key for fact in result.facts}
        assert holder.card.has_pin(PINS[0].encode())
        assert samba.user_binds(holder.user.upn, PINS[0])
        lines = first.lines
        for old, new in ((PINS[0], PINS[1]), (PINS[1], PINS[2])):
            assert holder.visit(old, new).outcome is Outcome.DONE
        assert first.lines == lines
        assert first.requests["modify"] == 1
    assert samba.user_binds(holder.user.upn, PINS[2])


@pytest.mark.parametrize("trouble", UNKNOWN, ids=str)
def test_one_that_leaves_a_write_unanswered_is_passed_by_from_then_on(
    samba: SambaDomain, trouble: Trouble
) -> None:
    with misbehaving(samba, trouble) as first:
        holder = Holder(samba, first, trouble)
        result = holder.visit(*PINS[:2])
        is_done = trouble.doing is Doing.DONE_AND_SILENT
        assert result.outcome is (Outcome.DONE if is_done else Outcome.OUT_OF_STEP)
        assert holder.card.has_pin(PINS[1].encode()), "unknown is never rolled back"
        lines = first.lines
        for old, new in ((PINS[1], PINS[2]), (PINS[2], PINS[3])):
            assert holder.visit(old, new).outcome is Outcome.DONE
        assert first.lines == lines
        assert first.requests["modify"] == 1
    assert samba.user_binds(holder.user.upn, PINS[3])


def test_a_real_one_that_freezes_after_the_sign_in_is_passed_by(
    samba: SambaDomain,
) -> None:
    with misbehaving(samba, None) as second:
        user = samba.add_user()
        settings = samba.settings(
            dcs=(samba.address, f"localhost:{second.port}"),
            connect_timeout=3.0,
            receive_timeout=3.0,
        )
        directory = LdapDirectory(settings, ManualClock())
        asked: list[str] = []

        def question(dc: DomainController) -> str:
            asked.append(dc.name)
            if len(asked) == 1:
                samba.freeze()
                try:
                    return dc.account(user.guid).dn
                finally:
                    samba.thaw()
            return dc.account(user.guid).dn

        assert ask(directory, question) == user.dn
        with directory.connect() as dc:
            asked.append(dc.name)
        other = f"localhost:{second.port}"
        assert asked == [samba.address, other, other]


# --- when it may come back ---------------------------------------------------


class Later:
    """Keeps what runs in the background until the test lets it happen."""

    def __init__(self) -> None:
        self.jobs: list[object] = []

    def __call__(self, job: object) -> None:
        self.jobs.append(job)

    def happens(self) -> int:
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            job()  # type: ignore[operator]  # what a directory gives
        return len(jobs)


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble("search", Doing.ANSWER, 51, first=2),
        Trouble("search", Doing.READ_ONLY),
        Trouble("search", Doing.CUT, first=2),
    ],
    ids=str,
)
def test_a_probe_asks_what_failed_so_it_does_not_take_it_back_too_soon(
    samba: SambaDomain, trouble: Trouble
) -> None:
    clock, later = ManualClock(), Later()
    user = samba.add_user()
    with misbehaving(samba, trouble) as first:
        dcs = (f"localhost:{first.port}", samba.address)
        settings = samba.settings(dcs=dcs)
        directory = LdapDirectory(settings, clock, background=later)
        for _ in range(4):
            used = ask(directory, lambda dc: (dc.account(user.guid), dc.name)[1])
            assert used == samba.address
            clock.advance(REST_SECONDS)
        assert later.happens() > 0
        assert ask(directory, lambda dc: dc.name) == samba.address


def test_one_that_deceives_its_probes_is_taken_back_more_and_more_seldom(
    samba: SambaDomain,
) -> None:
    """Only a write fails there, and no probe writes."""
    clock, later = ManualClock(), Later()
    user = samba.add_user()
    with misbehaving(samba, Trouble("search", Doing.ANSWER, 51, first=6)) as first:
        dcs = (f"localhost:{first.port}", samba.address)
        settings = samba.settings(dcs=dcs)
        directory = LdapDirectory(settings, clock, background=later)

        def much(dc: DomainController) -> str:
            for _ in range(6):
                dc.account(user.guid)
            return dc.name

        waited = 0
        for _ in range(40):  # twenty minutes
            before = first.requests["search"]
            assert ask(directory, much) == samba.address
            waited += first.requests["search"] > before + 4
            clock.advance(REST_SECONDS)
            later.happens()
    assert waited <= 6


def test_one_that_never_ends_an_answer_is_cut_off_by_its_size(
    samba: SambaDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However quickly it sends, and however patient we are."""
    monkeypatch.setattr(tls, "LARGEST_ANSWER", 200_000)
    flood = Trouble("search", Doing.FLOOD, first=2)
    with misbehaving(samba, flood) as first:
        settings = samba.settings(
            dcs=(f"localhost:{first.port}",), receive_timeout=60.0
        )
        directory = LdapDirectory(settings, ManualClock())
        with directory.connect() as dc, pytest.raises(ReadFailed) as failed:
            dc.look_for("Many")
    assert failed.value.data["reason"] == "malformed"
    assert first.sent < 2 * tls.LARGEST_ANSWER + in_the_kernel()


def in_the_kernel() -> int:
    """Return how many bytes two sockets of this machine may hold between them."""
    limits = (Path("/proc/sys/net/ipv4") / name for name in ("tcp_rmem", "tcp_wmem"))
    return sum(int(limit.read_text().split()[2]) for limit in limits)


def test_when_all_have_failed_the_trouble_is_told(samba: SambaDomain) -> None:
    with misbehaving(samba, Trouble("search", Doing.ANSWER, 51, first=2)) as first:
        settings = samba.settings(dcs=(f"localhost:{first.port}",))
        directory = LdapDirectory(settings, ManualClock())
        with pytest.raises(ReadFailed) as failed:
            ask(directory, lambda dc: dc.find("nobody"))
    assert failed.value.data["reason"] == "busy"
    assert failed.value.data["result"] == 51
