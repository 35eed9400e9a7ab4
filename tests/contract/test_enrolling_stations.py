"""A station becomes one of the fleet once, by its token, and ceases to be at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import msgspec
import pytest
from lab.histories import STORIES, History
from lab.liar import Liar
from lab.registries import IMPLEMENTATIONS, SHARED

from kiosk.authority.errors import (
    AuthorityError,
    NotSigned,
    NotUnderstood,
    StationBusy,
    StationKeyUnusable,
    StationMayNot,
    StationUnknown,
    TokenExpired,
    TokenForAnother,
    TokenRefused,
)
from kiosk.authority.local_office import LocalOffice
from kiosk.authority.office.fleet import StationNotEnrolled
from kiosk.authority.office.operators import NotInRole, SignedIn
from kiosk.authority.office.policy import OfficePolicy
from kiosk.authority.office.sign_in import Entrance
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.stations import signing, tokens
from kiosk.authority.stations.enroll_call import PATH, EnrollCall, Enrolled
from kiosk.authority.stations.enrolling import enroll
from kiosk.authority.stations.keys import Ed25519Key
from kiosk.authority.stations.limits import StationLimit
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.roster import SEEN_SECONDS, TOLD_SECONDS, Roster
from kiosk.authority.stations.tokens import TOKEN_SECONDS
from kiosk.config import OperatorRole
from kiosk.config.sections.enrollment import NamedBy
from kiosk.config.sections.station import StationRole
from kiosk.core.clock import ManualClock
from statemachine.operation import Kind
from storage.records import StationStanding
from storage.registry import Registry

ADMINISTRATOR = SignedIn(
    account="root@ad.test", roles=frozenset({OperatorRole.ADMINISTRATOR})
)
HELPDESK = SignedIn(account="help@ad.test", roles=frozenset({OperatorRole.HELPDESK}))
KIOSK = StationRole.SELF_SERVICE
CHANGE = next(story for story in STORIES if story.kind is Kind.CHANGE)
POLICY = OfficePolicy(
    groups={},
    with_account=False,
    second_for=frozenset(),
    named_by=NamedBy.UPN,
    expiring_days=30,
)


class Town:
    """An authority, its administrator, and whoever asks."""

    def __init__(self, registry: Registry) -> None:
        self.history = History(CHANGE, registry)
        self.parts: RequiredPorts = self.history.world.parts
        assert isinstance(self.parts.clock, ManualClock)
        self.clock: ManualClock = self.parts.clock
        self.roster = Roster()

    def office(self, operator: SignedIn = ADMINISTRATOR) -> LocalOffice:
        entrance = Entrance(parts=self.parts, station="desk-1", policy=POLICY)
        return LocalOffice(entrance, None, operator)  # type: ignore[arg-type]  # no card comes

    def token(self, station: str = "kiosk-1", role: StationRole = KIOSK) -> str:
        with self.office().give_station_token(station, role).token as token:
            return token.reveal().decode()

    def request(
        self,
        key: Ed25519Key,
        token: str,
        *,
        station: str = "kiosk-1",
        role: str = KIOSK,
        of: Ed25519Key | None = None,
    ) -> HttpRequest:
        public = (of or key).public
        call = EnrollCall(
            token=token, algorithm=public.algorithm, public_key=public.raw, role=role
        )
        return self.signed(key, PATH, msgspec.json.encode(call), station)

    def signed(
        self, key: Ed25519Key, path: str, body: bytes, station: str = "kiosk-1"
    ) -> HttpRequest:
        plain = HttpRequest(
            method="POST",
            authority="kiosk.example.org",
            path=path,
            query="",
            headers={
                "content-type": "application/json",
                "idempotency-key": "k",
                "user-agent": "pin-kiosk/9.8.7",
            },
            body=body,
        )
        more = signing.sign(plain, station=station, key=key, clock=self.clock)
        return replace(plain, headers={**plain.headers, **more})

    def enrolls(self, key: Ed25519Key, token: str, **more: str) -> Enrolled:
        answer = enroll(self.parts, self.request(key, token, **more))  # type: ignore[arg-type]  # names, all of them
        return msgspec.json.decode(answer, type=Enrolled)

    def asks(self, key: Ed25519Key, station: str = "kiosk-1") -> str:
        request = self.signed(key, "/v1/visit/open", b"{}", station)
        return self.roster.may_visit(self.parts, request).station

    def events(self, kind: str) -> list[dict[str, str]]:
        found = self.parts.registry.audit_events()
        return [it.data | {"result": it.result} for it in found if it.kind == kind]


@pytest.fixture(params=("memory", *SHARED))
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    registry = IMPLEMENTATIONS[request.param](tmp_path)
    yield Town(registry)
    registry.close()


def test_who_has_the_token_and_a_key_is_heard_from_then_on(town: Town) -> None:
    key = Ed25519Key.made()
    with pytest.raises(StationUnknown):
        town.asks(key)
    heard = town.enrolls(key, town.token())
    assert heard == Enrolled(station="kiosk-1", name="kiosk-1", role=KIOSK)
    assert town.asks(key) == "kiosk-1"
    assert town.office().station("kiosk-1").enrolled_by == "root@ad.test"
    (event,) = town.events("station.enrolled")
    assert event["role"] == KIOSK


def test_a_token_works_as_people_type_it(town: Town) -> None:
    token = town.token()
    assert token.count("-") == 7
    town.enrolls(Ed25519Key.made(), token.replace("-", " ").upper())


def test_a_token_is_nowhere_on_record(town: Town) -> None:
    token = town.token()
    plain = token.replace("-", "")
    said = repr([*town.parts.registry.audit_events()])
    assert plain not in said
    assert token not in said
    call = EnrollCall(token=token, algorithm="ed25519", public_key=b"k" * 32, role="x")
    assert token not in repr(call)


def test_an_answer_that_was_lost_comes_again_and_changes_nothing(town: Town) -> None:
    key, token = Ed25519Key.made(), town.token()
    first = town.enrolls(key, token)
    town.clock.advance(TOKEN_SECONDS)
    assert town.enrolls(key, token) == first
    assert len(town.events("station.enrolled")) == 1
    assert town.office().station("kiosk-1").version == 1


def test_a_token_is_used_once(town: Town) -> None:
    key, token = Ed25519Key.made(), town.token()
    town.enrolls(key, token)
    with pytest.raises(TokenRefused):
        town.enrolls(Ed25519Key.made(), token)
    assert town.asks(key) == "kiosk-1"
    (event,) = town.events("station.enrollment_refused")
    assert event["result"] == TokenRefused.code


@pytest.mark.parametrize("is_revoked", [True, False])
def test_a_token_that_was_mislaid_enrolls_nobody_once_another_was_used(
    town: Town, *, is_revoked: bool
) -> None:
    """Whoever finds it, or stole it with the station, has an hour."""
    mislaid = town.token()
    town.clock.sleep(1.0)
    key, token = Ed25519Key.made(), town.token()
    town.enrolls(key, token)
    if is_revoked:
        town.office().revoke_station("kiosk-1", "stolen")
    with pytest.raises(TokenRefused):
        town.enrolls(Ed25519Key.made(), mislaid)
    (event,) = town.events("station.enrollment_refused")
    assert event["result"] == TokenRefused.code
    if is_revoked:
        with pytest.raises(StationUnknown):
            town.asks(key)
    else:
        assert town.asks(key) == "kiosk-1"


@pytest.mark.parametrize(
    "seconds", [1.0, 0.0, -120.0], ids=["later", "at once", "back"]
)
def test_a_token_given_before_a_station_was_revoked_does_not_bring_it_back(
    town: Town, seconds: float
) -> None:
    """Given for it to be enrolled anew, and stolen with it; by whatever clock."""
    key = Ed25519Key.made()
    town.enrolls(key, town.token())
    town.enrolls(Ed25519Key.made(), town.token("kiosk-2"), station="kiosk-2")
    stolen, others = town.token(), town.token("kiosk-2")
    town.clock.set_wall(seconds)
    town.office().revoke_station("kiosk-1", "stolen")
    with pytest.raises(TokenRefused):
        town.enrolls(Ed25519Key.made(), stolen)
    (event,) = town.events("station.enrollment_refused")
    assert event["result"] == TokenRefused.code
    with pytest.raises(StationUnknown):
        town.asks(key)
    town.enrolls(Ed25519Key.made(), others, station="kiosk-2")
    back = Ed25519Key.made()
    town.enrolls(back, town.token())
    assert town.asks(back) == "kiosk-1"


def test_a_station_that_is_revoked_again_loses_the_token_it_was_given_since(
    town: Town,
) -> None:
    town.enrolls(Ed25519Key.made(), town.token())
    town.office().revoke_station("kiosk-1", "stolen")
    stolen = town.token()
    town.office().revoke_station("kiosk-1", "and so is its token")
    with pytest.raises(TokenRefused):
        town.enrolls(Ed25519Key.made(), stolen)
    told = [(it["tokens"], it["reason"]) for it in town.events("station.revoked")]
    assert told == [("0", "stolen"), ("1", "and so is its token")]


def test_a_station_enrolled_while_the_clock_was_ahead_can_be_enrolled_anew(
    town: Town,
) -> None:
    town.clock.set_wall(365 * 86_400.0)
    town.enrolls(Ed25519Key.made(), town.token())
    town.clock.set_wall(-365 * 86_400.0)
    key = Ed25519Key.made()
    town.enrolls(key, town.token())
    assert town.asks(key) == "kiosk-1"


def test_of_many_open_tokens_a_stations_own_are_found(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_PAGE", 2)
    names = [f"kiosk-{number}" for number in range(1, 6)]
    for name in names:
        town.enrolls(Ed25519Key.made(), town.token(name), station=name)
    given = {name: town.token(name) for name in names}
    for name in names[:-1]:
        town.office().revoke_station(name, "closed")
        with pytest.raises(TokenRefused):
            town.enrolls(Ed25519Key.made(), given[name], station=name)
    town.enrolls(Ed25519Key.made(), given["kiosk-5"], station="kiosk-5")


def test_a_lost_answer_does_not_bring_a_revoked_station_back(town: Town) -> None:
    key, token = Ed25519Key.made(), town.token()
    town.enrolls(key, token)
    town.office().revoke_station("kiosk-1", "stolen")
    with pytest.raises(TokenRefused):
        town.enrolls(key, token)
    with pytest.raises(StationUnknown):
        town.asks(key)


def test_a_lost_answer_is_not_said_again_to_a_key_that_was_replaced(town: Town) -> None:
    """It would believe that it is heard; the key on record is another's."""
    old, token = Ed25519Key.made(), town.token()
    town.enrolls(old, token)
    town.enrolls(Ed25519Key.made(), town.token())
    with pytest.raises(TokenRefused):
        town.enrolls(old, token)


def test_a_token_that_is_late_for_another_or_unknown_is_refused(town: Town) -> None:
    key = Ed25519Key.made()
    refused: list[tuple[type[AuthorityError], dict[str, str]]] = [
        (TokenForAnother, {"role": StationRole.ENROLLMENT}),
        (TokenForAnother, {"station": "kiosk-2"}),
    ]
    for error, more in refused:
        with pytest.raises(error):
            town.enrolls(key, town.token(), **more)
    with pytest.raises(TokenRefused):
        town.enrolls(key, "0000-0000")
    token = town.token()
    town.clock.advance(TOKEN_SECONDS)
    with pytest.raises(TokenExpired):
        town.enrolls(key, token)
    assert town.office().stations() == ()
    assert len(town.events("station.enrollment_refused")) == 3, "a guess fills nothing"


def test_who_has_not_the_private_key_enrolls_nothing(town: Town) -> None:
    mine, theirs, token = Ed25519Key.made(), Ed25519Key.made(), town.token()
    with pytest.raises(NotSigned):
        enroll(town.parts, town.request(mine, token, of=theirs))
    assert town.office().stations() == ()
    town.enrolls(mine, token)


def test_what_is_no_key_or_no_call_is_refused(town: Town) -> None:
    key = Ed25519Key.made()
    bad = EnrollCall(
        token="t", algorithm="ed25519", public_key=b"k" * 33, role=str(KIOSK)
    )
    with pytest.raises(StationKeyUnusable):
        enroll(town.parts, town.signed(key, PATH, msgspec.json.encode(bad)))
    with pytest.raises(NotUnderstood):
        enroll(town.parts, town.signed(key, PATH, b'{"token":"t"}'))


def test_to_enroll_anew_replaces_the_key(town: Town) -> None:
    old, new = Ed25519Key.made(), Ed25519Key.made()
    town.enrolls(old, town.token())
    town.office().rename_station("kiosk-1", "Hall")
    heard = town.enrolls(new, town.token())
    assert heard.name == "Hall"
    assert town.asks(new) == "kiosk-1"
    with pytest.raises(NotSigned):
        town.asks(old)


def test_a_registry_that_was_put_back_takes_no_token_of_before(town: Town) -> None:
    token = town.token()
    town.parts.registry.distrust(station="a", now=town.clock.now())
    with pytest.raises(TokenRefused):
        town.enrolls(Ed25519Key.made(), token)


@pytest.mark.parametrize("role", [StationRole.HELPDESK, StationRole.ENROLLMENT])
def test_a_desk_has_no_part_in_visits_and_that_is_told_once(
    town: Town, role: StationRole
) -> None:
    key = Ed25519Key.made()
    town.enrolls(key, town.token("kiosk-1", role), role=role)
    for _ in range(3):
        with pytest.raises(StationMayNot):
            town.asks(key)
    assert len(town.events("station.role_refused")) == 1
    town.clock.advance(TOLD_SECONDS)
    with pytest.raises(StationMayNot):
        town.asks(key)
    assert len(town.events("station.role_refused")) == 2


def test_when_a_station_was_heard_is_known_to_the_minute(town: Town) -> None:
    key = Ed25519Key.made()
    town.enrolls(key, town.token())
    town.asks(key)
    first = town.office().station("kiosk-1")
    assert (first.last_seen, first.program) == (town.clock.now(), "9.8.7")
    town.clock.advance(1)
    town.asks(key)
    assert town.office().station("kiosk-1") == first, "not at every call"
    town.clock.advance(SEEN_SECONDS)
    town.asks(key)
    assert town.office().station("kiosk-1").last_seen == town.clock.now()


def test_a_station_that_is_revoked_between_its_calls_writes_nothing(town: Town) -> None:
    key = Ed25519Key.made()
    town.enrolls(key, town.token())
    liar = Liar(town.history, Kind.CHANGE)
    liar.authorise(liar.sealed())
    town.office().revoke_station("kiosk-1", "stolen")
    assert town.history.domain.writes == []
    for _ in range(2):
        with pytest.raises(StationUnknown):
            town.asks(key)
    assert len(town.events("station.revoked_asked")) == 1
    (event,) = town.events("station.revoked")
    assert (event["of"], event["reason"]) == ("kiosk-1", "stolen")


def test_only_an_administrator_keeps_the_fleet(town: Town) -> None:
    office = town.office(HELPDESK)
    asked: list[Callable[[], object]] = [
        lambda: office.give_station_token("k", KIOSK),
        office.stations,
        lambda: office.station("k"),
        lambda: office.revoke_station("k", "x"),
        lambda: office.rename_station("k", "x"),
    ]
    for ask in asked:
        with pytest.raises(NotInRole):
            ask()
    with pytest.raises(StationNotEnrolled):
        town.office().station("k")
    with pytest.raises(StationNotEnrolled):
        town.office().revoke_station("k", "x")


def test_what_is_so_already_is_not_told_again(town: Town) -> None:
    town.enrolls(Ed25519Key.made(), town.token())
    for _ in range(2):
        saved = town.office().revoke_station("kiosk-1", "stolen")
    assert saved.state is StationStanding.REVOKED
    assert len(town.events("station.revoked")) == 1


@pytest.mark.parametrize("kind", SHARED)
def test_of_two_keys_that_race_for_one_token_one_is_enrolled(
    kind: str, tmp_path: Path
) -> None:
    registry = IMPLEMENTATIONS[kind](tmp_path)
    town = Town(registry)
    token, start = town.token(), Barrier(4)
    keys = [Ed25519Key.made() for _ in range(4)]
    won: list[Ed25519Key] = []

    def go(key: Ed25519Key) -> None:
        own = IMPLEMENTATIONS[kind](tmp_path)
        parts = replace(town.parts, registry=own)
        request = town.request(key, token)
        start.wait()
        try:
            enroll(parts, request)
            won.append(key)
        except TokenRefused:
            pass
        finally:
            own.close()

    threads = [Thread(target=go, args=[key]) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert town.office().station("kiosk-1").public_key == won[0].public.raw
    registry.close()


def test_one_station_never_has_all_threads() -> None:
    limit = StationLimit(2)
    with limit.one_call("a"), limit.one_call("a"):
        with pytest.raises(StationBusy) as busy, limit.one_call("a"):
            pass
        assert busy.value.data["seconds"]
        with limit.one_call("b"):
            pass
    with limit.one_call("a"):
        pass
