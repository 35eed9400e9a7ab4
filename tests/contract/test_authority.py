"""The authority's port, in the station's own process and as bytes there and back."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import msgspec
import pytest
from lab.histories import NEW, STORIES, History, Story
from lab.liar import LIMITS, Liar, named
from lab.servers.reaches import REACHES, over_bytes, reached_by, secrets_in

from kiosk.authority.errors import (
    CodeMistyped,
    CodeRefused,
    NotAsAnnounced,
    NotOnRecord,
    NotProven,
    NotUnderstood,
    ProofFailed,
    Refused,
    RulesBroken,
    SealedSecretUnreadable,
    UnknownAnswer,
)
from kiosk.authority.local import LocalAuthority
from kiosk.authority.ports import Authority
from kiosk.authority.proof.seal import SealingKey
from kiosk.authority.values import OpenRequest, OperationOutcome, PukPlan, SeenCard
from kiosk.authority.wire import errors
from kiosk.authority.wire.calls import CALLS, Call
from kiosk.authority.wire.codec import decode, encode
from kiosk.authority.wire.errors import ERRORS, CarriedError
from kiosk.authority.wire.messages import Question, Served
from kiosk.authority.wire.secrets import ANSWERED, OnItsWay
from kiosk.core.entropy import SeededEntropy
from kiosk.core.errors import Message, message_of
from kiosk.core.secret import Secret
from kiosk.directory.errors import WriteRefused
from kiosk.directory.values import WriteRefusal
from kiosk.pin.codes import new_code
from kiosk.simulation.domain_faults import DcDown
from kiosk.visit.views import FieldName
from statemachine.candidates import Label
from statemachine.lifecycle import Event
from statemachine.operation import Kind, Phase
from storage.errors import StoreLocked
from storage.records import ApprovalKind

UNBLOCK = named("unblock")


@pytest.fixture(params=REACHES)
def reach(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    reached_by(monkeypatch, REACHES[request.param])
    return str(request.param)


@pytest.fixture
def bytes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    reached_by(monkeypatch, over_bytes)


# --- the same either way ---------------------------------------------------------


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_every_operation_ends_well(reach: str, story: Story) -> None:
    history = History(story)
    result = history.attempt()
    assert result is not None, reach
    assert history.is_in_step()
    assert history.card_pin() == (story.pin if story.kind is Kind.FINISH else NEW)


def test_the_same_calls_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: dict[str, dict[str, list[str]]] = {}
    for name, way in REACHES.items():
        reached_by(monkeypatch, way)
        for story in STORIES:
            history = History(story)
            history.attempt()
            calls.setdefault(story.name, {})[name] = history.world.authority.calls
    for made in calls.values():
        assert made["over bytes"] == made["in process"]
        assert made["over HTTPS"] == made["in process"]


def test_health_is_told(reach: str) -> None:
    history = History(named("change"))
    assert history.world.health() == ()


def test_what_is_missing_is_told(reach: str) -> None:
    history = History(named("change"))
    history.world.directory.fail(DcDown())
    (fault,) = history.world.health()
    assert fault.part == "directory"


def test_how_an_operation_stands_is_told(reach: str) -> None:
    liar = Liar(History(named("change")), Kind.CHANGE)
    liar.authorise(liar.sealed())
    standing = liar.port.outcome(liar.id)
    assert (standing.phase, standing.is_ended) == (Phase.AUTHORISED, False)
    assert standing.event == liar.prepared.event


OF_AN_OPERATION = sorted(
    name
    for name, call in CALLS.items()
    if "operation" in call.request.__struct_fields__
)
SOMETHING: Mapping[object, object] = {
    bytes: b"x" * 32,
    bool: True,
    Secret: Secret(b"1234"),
    ApprovalKind: ApprovalKind.RELEASE,
    Label: Label.CURRENT,
    tuple[Label, ...]: (Label.CURRENT,),
    Message: Message("reason.cancelled"),
}


@pytest.mark.parametrize("name", OF_AN_OPERATION)
def test_another_station_does_not_have_it(reach: str, name: str) -> None:
    """Whatever it asks about it: it is none of its business, and nothing happens."""
    liar = Liar(History(named("change")), Kind.CHANGE)
    liar.authorise(liar.sealed())
    before = liar.operation
    hints = get_type_hints(CALLS[name].request)
    asked = {it: SOMETHING.get(kind) for it, kind in hints.items()}
    other = liar.history.world.authority_of("kiosk-2")
    with pytest.raises((Refused, SealedSecretUnreadable)) as why:
        getattr(other, name)(**asked | {"operation": liar.id})
    if isinstance(why.value, Refused):
        assert why.value.reason == Message("stop.operation_elsewhere")
    else:
        assert reach != "in process", "it knows no key to seal a typed code to"
        assert Secret in hints.values() or Secret | None in hints.values()
    assert liar.operation == before
    assert liar.history.world.directory.writes == []


def test_who_is_not_on_record_is_told(reach: str) -> None:
    history = History(named("change"))
    request = OpenRequest(
        card="piv:guid:00", seen=SeenCard(limits=LIMITS, tries_left=3)
    )
    with pytest.raises(NotOnRecord) as why:
        history.world.authority.port.open(request)
    assert why.value.data == {"card": "piv:guid:00"}


def test_a_broken_rule_is_named(reach: str) -> None:
    liar = Liar(History(named("change")), Kind.CHANGE)
    with pytest.raises(RulesBroken) as why:
        liar.authorise(liar.sealed(b"123456"))
    assert why.value.data == {"rule": "not_weak"}


def test_a_signature_that_is_wrong_is_told(reach: str) -> None:
    liar = Liar(History(named("change")), Kind.CHANGE)
    challenge = liar.prepared.challenge
    assert challenge is not None
    with pytest.raises(ProofFailed):
        liar.port.authorise(
            liar.id, challenge.nonce, b"\x30\x00", liar.sealed(), going_on=False
        )


def test_a_form_that_is_not_true_any_more_is_told(reach: str) -> None:
    history = History(named("change"))
    history.home_screen()
    announced = history.announced(LIMITS)
    history.announced = lambda limits: msgspec.structs.replace(  # type: ignore[method-assign]  # what the form said
        announced, password_follows=False
    )
    with pytest.raises(NotAsAnnounced):
        history.prepare(Kind.CHANGE, LIMITS)


def test_codes_are_refused_by_their_own_errors(reach: str) -> None:
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    right = liar.history.world.release_code("alice")
    with pytest.raises(CodeMistyped), Secret(b"0") as mistyped:
        liar.port.redeem(liar.id, ApprovalKind.RELEASE, mistyped)
    with pytest.raises(NotProven), _another(right) as wrong:
        liar.port.redeem(liar.id, ApprovalKind.RELEASE, wrong)
    liar.prove_card()
    with pytest.raises(CodeRefused) as why, _another(right) as wrong:
        liar.port.redeem(liar.id, ApprovalKind.RELEASE, wrong)
    assert why.value.entries_left == 4
    liar.port.redeem(liar.id, ApprovalKind.RELEASE, right)


def test_the_reason_of_a_refusal_is_told_with_its_data(reach: str) -> None:
    liar = Liar(History(named("change")), Kind.CHANGE)
    liar.history.world.operate("alice", Event.SUSPEND)
    with pytest.raises(Refused) as why:
        liar.port.card_changing(liar.id)
    assert why.value.reason == Message("stop.suspended")


def test_what_is_released_is_what_is_kept(reach: str) -> None:
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    liar.redeem(ApprovalKind.RELEASE, liar.history.world.release_code("alice"))
    release = liar.port.release(liar.id, *liar.presence(), None)
    assert release.puk is not None
    with release.puk.secret as puk:
        assert puk.matches(liar.history.puk)


def _another(code: Secret) -> Secret:
    """A code as well formed as the right one, and another."""
    entropy = SeededEntropy(99)
    while True:
        made = new_code(entropy)
        if not made.matches(code):
            return made


# --- errors ----------------------------------------------------------------------

_DATA: dict[str, Callable[[], Exception]] = {
    "authority.refused": lambda: Refused(Message("stop.x", {"a": "b", "c": 3})),
    "authority.code_refused": lambda: CodeRefused(2),
    "directory.write_refused": lambda: WriteRefused(
        WriteRefusal.POLICY, dc="dc1", hex="0000052D", result=19, said="no"
    ),
}


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_error_is_raised_again_as_itself(code: str) -> None:
    """Class, sentence and data; through bytes."""
    plain = lambda: ERRORS[code](seconds=3, place="here")  # noqa: E731 - one of many
    error = _DATA.get(code, plain)()
    sent = msgspec.json.encode(errors.told(error))  # type: ignore[arg-type]  # one of the port's
    again = errors.rebuilt(msgspec.json.decode(sent, type=CarriedError))
    assert type(again) is type(error)
    assert message_of(again) == message_of(error)
    assert again.data == error.data
    assert vars(again) == vars(error)


def test_no_two_errors_of_the_port_have_one_code() -> None:
    assert all(error.code == code for code, error in ERRORS.items())  # type: ignore[attr-defined]  # classes of errors


def test_an_error_of_a_later_version_keeps_its_name() -> None:
    told = CarriedError(code="authority.of_tomorrow", message=Message("stop.tomorrow"))
    error = errors.rebuilt(told)
    assert isinstance(error, UnknownAnswer)
    assert error.data == {"code": "authority.of_tomorrow"}


@pytest.mark.parametrize(
    "told",
    [
        CarriedError(code="authority.code_refused", message=Message("x", {"other": 1})),
        CarriedError(
            code="directory.write_refused", message=Message("x", {"why": "?"})
        ),
        CarriedError(code="directory.write_refused", message=Message("x")),
    ],
)
def test_an_error_with_other_data_is_not_understood(told: CarriedError) -> None:
    with pytest.raises(NotUnderstood):
        raise errors.rebuilt(told)


def test_a_store_that_fails_is_told_as_that(
    bytes_only: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(named("change"))

    def fail(*_: object) -> None:
        raise StoreLocked(path="registry.journal", seconds=10)

    monkeypatch.setattr(history.world.registry, "run", fail)
    with pytest.raises(StoreLocked) as why:
        history.prepare(Kind.CHANGE, LIMITS)
    assert why.value.data == {"path": "registry.journal", "seconds": 10}


def test_what_hands_out_secrets_is_known_from_its_answer() -> None:
    hands_out = {name for name, call in CALLS.items() if call.hands_out}
    assert hands_out == {"release", "puk_next", "puk_plan"}


# --- what goes over the line ---------------------------------------------------------


class Line:
    """Everything that went to the authority and back, while it is listened to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.wiped: list[bool] = []
        """Of every secret that came or was handed out, whether ours is wiped."""
        carry_out, answer = Call.carry_out, Served.answer
        handled: list[Secret] = []

        def keep(call: Call, authority: Authority, asked: msgspec.Struct) -> object:
            handled.extend(secrets_in(asked))
            came = carry_out(call, authority, asked)
            handled.extend(secrets_in(came))
            return came

        def listen(served: Served, name: str, body: bytes) -> bytes:
            handled.clear()
            back = answer(served, name, body)
            self.sent.append((name, body, back))
            self.wiped.extend(not secret for secret in handled)
            return back

        patch.setattr(Call, "carry_out", keep)
        patch.setattr(Served, "answer", listen)

    def of(self, name: str) -> tuple[bytes, bytes]:
        return next((body, back) for called, body, back in self.sent if called == name)


@pytest.fixture
def line(bytes_only: None, monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(monkeypatch)


WITH_SECRETS = {
    "activate by code": "release",
    "unblock": "release",
    "change, keyless": "redeem",
    "unblock, never activated, by code": "redeem",
}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_no_secret_goes_bare(
    line: Line, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(story)
    known = [bytes(history.puk.reveal()), story.pin, NEW]
    form = History._typed

    def keep(self: History, name: FieldName) -> Secret:
        secret = form(self, name)
        known.append(bytes(secret.reveal()))
        return secret

    monkeypatch.setattr(History, "_typed", keep)
    history.attempt()
    everything = b"\n".join(body + back for _, body, back in line.sent)
    assert history.holder.credential.encode() in everything
    for secret in {each for it in known for each in (it, it.replace(b"-", b""))}:
        for written in (secret, base64.b64encode(secret), secret.hex().encode()):
            assert written.rstrip(b"=") not in everything
    assert all(line.wiped), "the authority kept a copy"
    if story.name in WITH_SECRETS:
        assert line.wiped
        assert line.of(WITH_SECRETS[story.name])


def test_a_released_puk_opens_for_no_other_key(line: Line) -> None:
    history = History(UNBLOCK)
    history.attempt()
    asked, back = line.of("release")
    told = msgspec.json.decode(asked)
    request = msgspec.convert(told["request"], CALLS["release"].request)
    other = Question("release", request, key=told["key"])
    with pytest.raises(SealedSecretUnreadable):
        other.answer(back)


CHANGES: dict[str, Callable[[dict[str, Any], str], None]] = {
    "operation": lambda it, other: it["request"].update(operation=other),
    "key": lambda it, other: it.update(key=other),
}


@pytest.mark.parametrize("changed", CHANGES)
def test_a_typed_code_is_taken_for_nothing_else(line: Line, changed: str) -> None:
    """Not for another operation of the same card, sealed to by the same key, either."""
    history = History(UNBLOCK)
    history.attempt()
    message = msgspec.json.decode(line.of("redeem")[0])
    other = history.prepare(Kind.CHANGE, LIMITS).operation
    CHANGES[changed](message, other)
    with pytest.raises(SealedSecretUnreadable):
        _served(history, "redeem", msgspec.json.encode(message))


def test_a_code_that_was_sealed_to_an_earlier_key_is_not_opened(line: Line) -> None:
    """The authority has started anew since."""
    history = History(UNBLOCK)
    history.attempt()
    history.world.restart()
    with pytest.raises(SealedSecretUnreadable):
        _served(history, "redeem", line.of("redeem")[0])


def test_two_secrets_of_one_answer_do_not_change_places() -> None:
    mine = SealingKey()
    there, here = _way(to=mine.public), _way(mine=mine)
    with Secret(b"OLDPUK01") as old, Secret(b"NEWPUK02") as new:
        plan = PukPlan(label=Label.CURRENT, old=old, new=new)
        sealed = msgspec.json.decode(encode(plan, there))
        again = decode(msgspec.json.encode(sealed), PukPlan, here)
        assert (again.old, again.new) == (old, new)
        sealed["old"], sealed["new"] = sealed["new"], sealed["old"]
        with pytest.raises(SealedSecretUnreadable):
            decode(msgspec.json.encode(sealed), PukPlan, here)


def _way(**how: Any) -> OnItsWay:
    return OnItsWay(direction=ANSWERED, call="puk_plan", operation="o", key="k", **how)


BROKEN = {
    "no text": b'{"label":"current","old":"a","new":7}',
    "an unknown word": b'{"old":"a","new":"b","label":"of tomorrow"}',
    "one missing": b'{"label":"current","old":"a"}',
    "cut": b'{"label":"current","old":"a","new":"b"',
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_was_opened_of_a_broken_message_is_wiped(broken: str) -> None:
    opened: list[Secret] = []

    class Plain:
        def seal(self, secret: Secret, place: int) -> str:
            raise NotImplementedError

        def open(self, sealed: str, place: int) -> Secret:
            opened.append(Secret(sealed.encode()))
            return opened[-1]

    with pytest.raises(NotUnderstood):
        decode(BROKEN[broken], PukPlan, Plain())
    assert opened
    assert not any(opened)


def test_a_secret_that_nobody_could_open_is_not_sent(line: Line) -> None:
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    liar.redeem(ApprovalKind.RELEASE, liar.history.world.release_code("alice"))
    nonce, signature = liar.presence()
    arguments: dict[str, object] = {"operation": liar.id, "told": None}
    arguments |= {"presence_nonce": nonce, "presence_signature": signature}
    question = Question("release", CALLS["release"].asked(arguments), key="k")
    message = msgspec.json.decode(question.body)
    message["seal_to"] = "AAAA"
    with pytest.raises(SealedSecretUnreadable):
        _served(liar.history, "release", msgspec.json.encode(message))
    assert line.wiped
    assert all(line.wiped)


NONSENSE = {
    "nothing": b"",
    "no JSON": b"\xff{",
    "a list": b"[]",
    "no key": b'{"request":{}}',
    "an empty key": b'{"key":"","request":{"operation":"o"}}',
    "a key with a tab": b'{"key":"a\\tb","request":{"operation":"o"}}',
    "a key with a line": b'{"key":"a\\n","request":{"operation":"o"}}',
    "a key without end": b'{"key":"%s","request":{"operation":"o"}}' % (b"k" * 65),
    "no request": b'{"key":"k"}',
    "more than is known": b'{"key":"k","request":{"operation":"o"},"more":1}',
    "an argument more": b'{"key":"k","request":{"operation":"o","more":1}}',
    "an argument less": b'{"key":"k","request":{}}',
    "of another type": b'{"key":"k","request":{"operation":7}}',
    "a request that is none": b'{"key":"k","request":7}',
}


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_is_not_understood(nonsense: str) -> None:
    history = History(named("change"))
    with pytest.raises(NotUnderstood):
        _served(history, "outcome", NONSENSE[nonsense])


@pytest.mark.parametrize("name", ["", "run", "__init__", "_must_be_ours", "close"])
def test_what_is_no_call_is_not_carried_out(name: str) -> None:
    with pytest.raises(NotUnderstood):
        _served(History(named("change")), name, b'{"key":"k","request":{}}')


@pytest.mark.parametrize("body", [b"", b"[]", b'{"answer":{"phase":"of tomorrow"}}'])
def test_an_answer_that_is_none_is_not_understood(body: bytes) -> None:
    question = Question("outcome", CALLS["outcome"].asked({"operation": "o"}), key="k")
    with pytest.raises(NotUnderstood):
        question.answer(body)


def test_an_answer_of_a_later_version_may_say_more() -> None:
    question = Question("outcome", CALLS["outcome"].asked({"operation": "o"}), key="k")
    body = (
        b'{"answer":{"event":"1","phase":"done","reason":"","is_ended":true,"new":1},'
        b'"besides":2}'
    )
    assert question.answer(body) == OperationOutcome(
        event="1", phase=Phase.DONE, reason="", is_ended=True
    )


def _served(history: History, name: str, body: bytes) -> None:
    """Let the authority answer, and raise the error it sends."""
    parts = history.world.parts
    served = Served(lambda key: LocalAuthority(parts, "kiosk-1", key), parts.sealed_for)
    back = msgspec.json.decode(served.answer(name, body))
    raise errors.rebuilt(msgspec.convert(back["error"], CarriedError))
