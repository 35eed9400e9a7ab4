"""What only the simulated domain can do: faults, lag and time at a test's will."""

from __future__ import annotations

import msgspec
import pytest

from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.directory.errors import (
    DirectoryError,
    OutcomeUnknown,
    PolicyUnreadable,
    ServiceBindRefused,
    TlsRefused,
    Unreachable,
    WriteRefused,
)
from kiosk.directory.values import BindResult, PasswordPolicy, WriteRefusal
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.simulation.domain.users import OLD_PASSWORD_SECONDS
from kiosk.simulation.domain_faults import (
    AnyFault,
    AttributeHidden,
    BindSays,
    DcDown,
    Frozen,
    PolicyHidden,
    ServiceAccountRefused,
    TlsWrong,
    WriteNo,
)

FIRST = Secret(b"246813")
SECOND = Secret(b"975318")
DCS = ("dc1", "dc2")
POLICY = PasswordPolicy(
    source="domain",
    minimum_length=6,
    complexity=False,
    history=5,
    minimum_age=0.0,
    maximum_age=86_400.0,
    lockout_threshold=3,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def domain(clock: ManualClock) -> SimulatedDirectory:
    return SimulatedDirectory(clock, SeededEntropy(1), policy=POLICY, dcs=DCS)


@pytest.fixture
def ann(domain: SimulatedDirectory) -> str:
    return domain.add_account("ann", password=FIRST)


def reset(domain: SimulatedDirectory, guid: str, dc: str | None = None) -> None:
    with domain.connect(dc) as controller:
        controller.set_password(controller.account(guid), SECOND)


def sign_in(
    domain: SimulatedDirectory, guid: str, password: Secret, dc: str | None = None
) -> BindResult:
    with domain.connect(dc) as controller:
        return controller.verify_password(controller.account(guid), password)


# --- faults ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "data"),
    [
        (DcDown(), Unreachable, {"dcs": "dc1, dc2", "reason": "refused"}),
        (
            TlsWrong(reason="wrong_name"),
            TlsRefused,
            {"dc": "dc2", "reason": "wrong_name"},
        ),
        (
            ServiceAccountRefused(reason="locked"),
            ServiceBindRefused,
            {"dc": "dc1", "reason": "locked"},
        ),
    ],
)
def test_a_lasting_fault_keeps_everybody_out_until_it_is_healed(
    domain: SimulatedDirectory,
    fault: AnyFault,
    error: type[DirectoryError],
    data: dict[str, str],
) -> None:
    domain.fail(fault)
    for _ in range(2):
        with pytest.raises(error) as raised, domain.connect():
            pass
        assert raised.value.data == data
    domain.heal()
    with domain.connect() as controller:
        assert controller.name == "dc1"


@pytest.mark.parametrize("fault", [DcDown(dc="dc1"), TlsWrong(dc="dc1")])
def test_a_fault_of_one_dc_leads_to_the_other(
    domain: SimulatedDirectory, fault: AnyFault
) -> None:
    domain.fail(fault)
    with domain.connect() as controller:
        assert controller.name == "dc2"


@pytest.mark.parametrize("applied", [False, True])
def test_a_frozen_write_is_unknown_once_applied_or_not(
    domain: SimulatedDirectory, ann: str, applied: bool
) -> None:
    domain.fail(Frozen(applied=applied))
    with pytest.raises(OutcomeUnknown):
        reset(domain, ann)
    assert domain.binds(ann, SECOND) is applied
    assert len(domain.writes) == int(applied)
    reset(domain, ann)
    assert domain.binds(ann, SECOND)


def test_a_dc_can_stay_frozen(domain: SimulatedDirectory, ann: str) -> None:
    domain.fail(Frozen(stays=True))
    with pytest.raises(OutcomeUnknown):
        reset(domain, ann)
    with pytest.raises(Unreachable), domain.connect("dc1"):
        pass


@pytest.mark.parametrize("why", WriteRefusal)
def test_a_write_is_refused_once_for_any_reason(
    domain: SimulatedDirectory, ann: str, why: WriteRefusal
) -> None:
    domain.fail(WriteNo(why=why))
    with pytest.raises(WriteRefused) as refused:
        reset(domain, ann)
    assert refused.value.why is why
    assert domain.writes == []
    reset(domain, ann)
    assert domain.writes == [("dc1", ann)]


@pytest.mark.parametrize("said", BindResult)
def test_a_bind_says_once_whatever_is_wanted(
    domain: SimulatedDirectory, ann: str, said: BindResult
) -> None:
    domain.fail(BindSays(result=said))
    assert sign_in(domain, ann, FIRST) is said
    assert sign_in(domain, ann, FIRST) is BindResult.OK


def test_a_hidden_policy_cannot_be_read(domain: SimulatedDirectory) -> None:
    guid = domain.add_account("bob", policy=POLICY)
    domain.fail(PolicyHidden())
    with domain.connect() as controller, pytest.raises(PolicyUnreadable):
        controller.password_policy(controller.account(guid))


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ('{"fault": "dc_down", "dc": "dc1"}', DcDown(dc="dc1")),
        ('{"fault": "frozen", "applied": true}', Frozen(applied=True)),
        ('{"fault": "write_refused", "why": "no_right"}', WriteNo(why="no_right")),
        ('{"fault": "bind_says", "result": "locked"}', BindSays(result="locked")),
        ('{"fault": "tls_wrong"}', TlsWrong()),
        ('{"fault": "service_refused"}', ServiceAccountRefused()),
        ('{"fault": "policy_hidden"}', PolicyHidden()),
        (
            '{"fault": "attribute_hidden", "attribute": "adminCount"}',
            AttributeHidden(attribute="adminCount"),
        ),
    ],
)
def test_a_fault_can_be_written_down(written: str, fault: AnyFault) -> None:
    assert msgspec.json.decode(written, type=AnyFault) == fault


def test_a_misspelt_fault_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="aplied"):
        msgspec.json.decode('{"fault": "frozen", "aplied": true}', type=AnyFault)


# --- several DCs -------------------------------------------------------------


def test_a_dc_knows_a_change_on_another_once_they_have_replicated(
    domain: SimulatedDirectory, ann: str
) -> None:
    reset(domain, ann, "dc2")
    assert sign_in(domain, ann, SECOND, "dc1") is BindResult.WRONG_PASSWORD
    assert domain.binds(ann, FIRST, dc="dc1")
    before = domain.pwd_last_set(ann, dc="dc1")
    domain.replicate()
    assert sign_in(domain, ann, SECOND, "dc1") is BindResult.OK
    assert domain.pwd_last_set(ann, dc="dc1") > before


def test_of_two_resets_the_higher_version_stays_whatever_the_clocks_say(
    domain: SimulatedDirectory, ann: str
) -> None:
    domain.set_clock("dc2", ahead=-240.0)
    reset(domain, ann, "dc2")
    domain.change_elsewhere(ann, FIRST, dc="dc2")
    domain.change_elsewhere(ann, SECOND, dc="dc1")
    domain.replicate()
    assert domain.binds(ann, FIRST, dc="dc1")
    assert domain.binds(ann, FIRST, dc="dc2")


def test_of_two_resets_of_one_version_the_later_by_its_clock_stays(
    domain: SimulatedDirectory, ann: str
) -> None:
    domain.set_clock("dc2", ahead=-240.0)
    domain.change_elsewhere(ann, FIRST, dc="dc1")
    domain.change_elsewhere(ann, SECOND, dc="dc2")
    domain.replicate()
    assert domain.binds(ann, FIRST, dc="dc2")


def test_a_dc_behind_the_time_writes_an_older_one(
    domain: SimulatedDirectory, ann: str
) -> None:
    before = domain.pwd_last_set(ann)
    domain.set_clock("dc1", ahead=-240.0)
    reset(domain, ann, "dc1")
    assert domain.pwd_last_set(ann) < before


# --- time --------------------------------------------------------------------


def test_the_old_password_works_for_an_hour(
    domain: SimulatedDirectory, clock: ManualClock, ann: str
) -> None:
    reset(domain, ann)
    clock.advance(OLD_PASSWORD_SECONDS - 1)
    assert sign_in(domain, ann, FIRST) is BindResult.OK
    clock.advance(1)
    assert sign_in(domain, ann, FIRST) is BindResult.WRONG_PASSWORD


def test_a_password_expires_by_the_policy(
    domain: SimulatedDirectory, clock: ManualClock, ann: str
) -> None:
    clock.advance(POLICY.maximum_age or 0.0)
    assert sign_in(domain, ann, FIRST) is BindResult.OK
    clock.advance(1)
    assert sign_in(domain, ann, FIRST) is BindResult.EXPIRED_PASSWORD
    reset(domain, ann)
    assert sign_in(domain, ann, SECOND) is BindResult.OK


def test_outside_the_logon_hours_the_password_is_right_but_refused(
    domain: SimulatedDirectory,
) -> None:
    guid = domain.add_account("bob", password=FIRST, may_log_on=False)
    assert sign_in(domain, guid, FIRST) is BindResult.LOGON_HOURS


def test_the_same_instant_still_moves_the_time_of_the_last_change(
    domain: SimulatedDirectory, ann: str
) -> None:
    before = domain.pwd_last_set(ann)
    reset(domain, ann)
    assert domain.pwd_last_set(ann) > before


def test_looking_at_the_password_counts_no_try(
    domain: SimulatedDirectory, ann: str
) -> None:
    for _ in range(POLICY.lockout_threshold):
        assert not domain.binds(ann, SECOND)
    assert not domain.account(ann).locked
