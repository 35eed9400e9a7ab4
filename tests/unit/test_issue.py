"""A blank card becomes somebody's; whatever goes wrong, it can be issued again."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
from lab.desk.judged_certificates import names_trusted
from lab.desk.site import STAFF, Site, bench_at
from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed, Refused
from kiosk.authority.escrow import puks
from kiosk.authority.escrow.escrowed_secrets import (
    CURRENT,
    PENDING,
    TRANSPORT,
    open_field,
    seal_field,
)
from kiosk.authority.office import key_records, lifecycle_events
from kiosk.authority.office.errors import AlreadyOnRecord
from kiosk.authority.office.operators import Action, NotInRole
from kiosk.authority.proof import signature
from kiosk.cards.errors import CardRemoved
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.certificates import card_certificates
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.config import OperatorRole
from kiosk.core.entropy import SeededEntropy
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.enrollment import first_puk, secrets
from kiosk.enrollment.issue import Issued, NotForThisCard, Order, issue_card
from kiosk.enrollment.possession import CardNotOurs, PukNearlyUsedUp, PukNotOurs
from kiosk.pin import drawn
from kiosk.simulation.cards.faults import PullAfter, PullBefore
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.cards.reader import SimulatedReaders
from statemachine.lifecycle import State
from statemachine.puk import Known
from storage.records import CardType, Credential, FirstPin, UnblockMethod

FACTORY_PUK = b"12345678"
YUBIKEY = PivOptions(serial=b"\x00\xbc\x61\x4e", version=b"\x05\x07\x00")


class Office:
    """An enrollment officer with a reader and blank cards."""

    def __init__(self, folder: Path) -> None:
        self.site = Site()
        self.desk = self.site.desk(OperatorRole.OFFICER)
        self.readers = SimulatedReaders()
        certificate, key = new_issuer("CA", now=self.site.clock.now())
        (folder / "ca.pem").write_bytes(certificate)
        (folder / "ca.key").write_bytes(key)
        (folder / "ca.key").chmod(0o600)
        self.issuer = Issuer.from_files(folder / "ca.pem", folder / "ca.key", days=30)

    def order(self, account: str = "ann") -> Order:
        return Order(account=account, template="staff", issuer=self.issuer)

    def issue(self, card: SimulatedPivCard, account: str = "ann") -> Issued:
        inserted = self.readers.insert(card)
        try:
            issued = issue_card(bench_at(self.desk), inserted, self.order(account))
            return dataclasses.replace(
                issued, credential=self.site.kept(issued.credential)
            )
        finally:
            inserted.close()

    def puk(self, credential: Credential) -> bytes:
        """Return the PUK our escrow has for a credential."""
        parts, envelope = self.site.parts, credential.escrow.current_sealed
        secret = open_field(parts, credential.id, CURRENT, envelope)
        return bytes(secret.reveal())

    def credentials(self) -> list[Credential]:
        return self.site.registry.run(lambda tx: tx.credentials(limit=100))

    def live(self) -> list[str]:
        """Return the ids of all credentials that are issued now."""
        found = self.site.registry.run(
            lambda tx: tx.credentials(state=State.ISSUED, limit=100)
        )
        return [each.id for each in found]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.site.registry.audit_events()]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def blank(options: PivOptions | None = None, seed: int = 9) -> SimulatedPivCard:
    return SimulatedPivCard(entropy=SeededEntropy(seed), options=options)


@pytest.mark.parametrize("options", [None, YUBIKEY], ids=["generic", "yubikey"])
def test_an_issued_card_has_new_secrets_and_its_keys_are_on_record(
    office: Office, options: PivOptions | None
) -> None:
    card = blank(options)
    issued = office.issue(card)
    credential = issued.credential
    assert issued.transport_pin is not None
    assert credential.state is State.ISSUED
    assert credential.account_guid == office.site.ann
    assert card.has_pin(issued.transport_pin.reveal())
    assert card.has_puk(office.puk(credential))
    assert office.puk(credential) != FACTORY_PUK
    assert not card.admin.is_default
    assert not credential.escrow.pending_sealed
    assert not credential.transport_pin_sealed


def test_the_keys_on_record_are_those_of_the_card(office: Office) -> None:
    card = blank()
    issued = office.issue(card)
    credential, pin = issued.credential, issued.transport_pin
    assert pin is not None
    inserted = office.readers.insert(card)
    identity = inserted.recognise().identity
    assert identity.key == credential.card
    with inserted.session(identity) as session:
        session.verify(pin)
        for slot, key in (
            (KeySlot.AUTHENTICATION, credential.authentication_key),
            (KeySlot.CARD_AUTHENTICATION, credential.card_authentication_key),
        ):
            assert key is not None
            if slot is KeySlot.AUTHENTICATION:
                session.verify(pin)
            signed = session.sign(slot, KeyAlgorithm(key.algorithm), b"hello")
            assert signature.is_valid(key, b"hello", signed)
            certificate = card_certificates.read(session.certificate(slot))
            now, anchors = office.site.clock.now(), [office.issuer.certificate]
            if slot is KeySlot.AUTHENTICATION:
                assert names_trusted(
                    certificate, anchors, account="ann@ad.test", now=now
                )
            else:
                assert card_certificates.is_trusted(certificate, anchors, now=now)
                assert card_certificates.accounts(certificate) == []


def test_issuing_is_audited_with_the_officer_and_every_key(office: Office) -> None:
    office.issue(blank())
    assert office.kinds() == [
        "lifecycle.issue",
        "credential.key_recorded",
        "credential.key_recorded",
    ]
    first = next(office.site.registry.audit_events())
    assert first.actor == "officer@ad.test"
    assert first.data["by"] == "issue"


def test_with_an_activation_code_the_officer_never_sees_the_pin(
    office: Office,
) -> None:
    code_first = replace(STAFF, version=1, first_pin=FirstPin.ACTIVATION_CODE)
    office.site.template(code_first)
    card = blank()
    issued = office.issue(card)
    assert issued.transport_pin is None
    envelope = issued.credential.transport_pin_sealed
    pin = open_field(office.site.parts, issued.credential.id, TRANSPORT, envelope)
    assert card.has_pin(pin.reveal())


def test_no_secret_of_the_card_is_in_registry_or_audit(office: Office) -> None:
    issued = office.issue(blank())
    assert issued.transport_pin is not None
    told = repr(office.credentials()) + repr(list(office.site.registry.audit_events()))
    assert issued.transport_pin.reveal().decode() not in told
    assert office.puk(issued.credential).decode() not in told


def test_nobody_issues_a_card_to_themselves(office: Office) -> None:
    with pytest.raises(Refused) as caught:
        office.issue(blank(), account="officer")
    assert caught.value.reason.key == "refusal.own_card"
    assert office.kinds() == ["lifecycle.issue_refused"]


def test_issuing_is_the_officers_business(office: Office) -> None:
    office.desk = office.site.desk(OperatorRole.HELPDESK)
    with pytest.raises(NotInRole):
        office.issue(blank())


def test_a_card_that_is_not_what_the_template_wants_is_not_issued(
    office: Office,
) -> None:
    office.site.template(replace(STAFF, version=1, card_type=CardType.PKCS11))
    with pytest.raises(NotForThisCard):
        office.issue(blank())


# --- cards that are not blank ------------------------------------------------


def test_a_card_that_is_on_record_is_not_touched(office: Office) -> None:
    card = blank()
    issued = office.issue(card)
    assert issued.transport_pin is not None
    with pytest.raises(AlreadyOnRecord):
        office.issue(card)
    assert card.has_pin(issued.transport_pin.reveal())


def test_a_foreign_card_is_left_alone_and_loses_no_try(office: Office) -> None:
    card = blank()
    card.admin.replace(card.admin.algorithm, bytes(range(24)))
    before = card.puk_tries_left
    with pytest.raises(CardNotOurs):
        office.issue(card)
    assert card.puk_tries_left == before
    assert office.credentials() == []


def test_a_foreign_puk_costs_one_try_and_nothing_is_on_record(office: Office) -> None:
    card = SimulatedPivCard(entropy=SeededEntropy(9), puk=b"87654321")
    before = card.puk_tries_left
    with pytest.raises(PukNotOurs):
        office.issue(card)
    assert card.puk_tries_left == before - 1
    assert office.credentials() == []


def retired_with_two_puks(office: Office, card: SimulatedPivCard) -> Credential:
    """Leave a record whose PUK may be one value or another, besides the factory's."""
    first = office.issue(card).credential
    lifecycle_events.act(office.desk, Action.RETIRE, first, "left")
    parts, name = office.site.parts, PENDING
    pending = seal_field(parts, first.id, name, Secret(b"23456789"))
    office.site.registry.run(
        lambda tx: tx.save_credential(
            replace(
                tx.credential(first.id),
                escrow=replace(first.escrow, pending_sealed=pending),
            )
        )
    )
    return first


def test_the_last_try_of_a_puk_is_not_spent(office: Office) -> None:
    """Three values that could be the PUK, and none is; the card tells its tries."""
    retired_with_two_puks(office, blank(YUBIKEY))
    other = SimulatedPivCard(
        entropy=SeededEntropy(10), options=YUBIKEY, puk=b"87654321"
    )
    with pytest.raises(PukNotOurs):
        office.issue(other)
    assert other.puk_tries_left == 1
    with pytest.raises(PukNearlyUsedUp):
        office.issue(other)
    assert other.puk_tries_left == 1


def test_nor_on_a_card_that_tells_its_tries_only_when_it_refuses(
    office: Office,
) -> None:
    """The third value, the factory's, would be one guess too many, now or later."""
    card = blank()
    retired_with_two_puks(office, card)
    card.references.puk.replace(b"87654321")
    with pytest.raises(PukNotOurs):
        office.issue(card)
    for _ in range(3):
        with pytest.raises(PukNearlyUsedUp):
            office.issue(card)
        assert card.puk_tries_left == 1


def test_a_card_that_was_reset_has_its_tries_whatever_the_record_says(
    office: Office,
) -> None:
    """An old YubiKey keeps its number, and does not tell the tries of its PUK."""
    old = PivOptions(serial=b"\x00\xbc\x61\x4e", version=b"\x04\x03\x05")
    card = blank(old)
    first = retired_with_two_puks(office, card)
    card.references.puk.replace(b"87654321")
    with pytest.raises(PukNotOurs):
        office.issue(card)
    with pytest.raises(PukNearlyUsedUp):
        office.issue(card)
    assert office.issue(blank(old)).credential.card == first.card


def test_keys_that_were_proven_too_late_are_not_on_record(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_records, "NONCE_SECONDS", -1.0)
    with pytest.raises(ProofFailed):
        office.issue(blank())
    assert office.kinds() == ["lifecycle.issue", "lifecycle.retire"]


@pytest.mark.parametrize("options", [None, YUBIKEY], ids=["generic", "yubikey"])
def test_a_retired_card_is_issued_again_to_somebody_else(
    office: Office, options: PivOptions | None
) -> None:
    card = blank(options)
    first = office.issue(card).credential
    lifecycle_events.act(office.desk, Action.RETIRE, first, "left")
    second = office.issue(card, account="helpdesk")
    assert second.credential.id != first.id
    assert second.credential.account == "helpdesk@ad.test"
    assert card.has_puk(office.puk(second.credential))
    assert office.puk(second.credential) != office.puk(first)


def test_a_retired_card_whose_holder_blocked_the_pin_is_issued_again(
    office: Office,
) -> None:
    card = blank()
    first = office.issue(card).credential
    card.set_tries(pin=0)
    lifecycle_events.act(office.desk, Action.RETIRE, first, "left")
    issued = office.issue(card)
    assert issued.transport_pin is not None
    assert card.has_pin(issued.transport_pin.reveal())


def test_a_retired_card_that_was_reset_to_the_factory_is_issued_again(
    office: Office,
) -> None:
    card = blank(YUBIKEY)
    first = office.issue(card).credential
    lifecycle_events.act(office.desk, Action.RETIRE, first, "left")
    reset = blank(YUBIKEY, seed=10)
    issued = office.issue(reset)
    assert issued.transport_pin is not None
    assert reset.has_pin(issued.transport_pin.reveal())


# --- whatever goes wrong -----------------------------------------------------


def apdus(office: Office, options: PivOptions | None) -> int:
    """Return how many APDUs an issue takes."""
    office.readers.faults.set()
    office.issue(blank(options, seed=77))
    return office.readers.faults.count


def is_pulled(office: Office, card: SimulatedPivCard) -> bool:
    """Issue the card; say whether the fault came before the end."""
    try:
        office.issue(card)
    except CardRemoved:
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("options", [None, YUBIKEY], ids=["generic", "yubikey"])
@pytest.mark.parametrize("kind", [PullBefore, PullAfter])
def test_pulled_at_any_apdu_the_card_can_be_issued_again(
    office: Office,
    options: PivOptions | None,
    kind: type[PullBefore] | type[PullAfter],
) -> None:
    count, serial = apdus(office, options), 1
    assert count > 20
    live = office.live()
    for at in range(1, count + 3):
        serial += 1
        own = options
        if options is not None:
            own = replace(options, serial=serial.to_bytes(4, "big"))
        card = blank(own, seed=1000 + at)
        office.readers.faults.set(kind(at=at))
        if not is_pulled(office, card):
            # A signature's length varies by a byte or two, and so the APDUs by one.
            assert at >= count - 1
            break
        office.readers.faults.set()
        assert office.live() == live, at
        issued = office.issue(card)
        assert issued.transport_pin is not None
        assert card.has_pin(issued.transport_pin.reveal()), at
        assert card.has_puk(office.puk(issued.credential)), at
        lifecycle_events.act(office.desk, Action.RETIRE, issued.credential, "next")


def test_what_was_not_finished_is_retired_with_the_reason(office: Office) -> None:
    office.readers.faults.set(PullBefore(at=apdus(office, None) // 2))
    with pytest.raises(CardRemoved):
        office.issue(blank())
    event = list(office.site.registry.audit_events())[-1]
    assert event.kind == "lifecycle.retire"
    assert event.data["reason"] == "not finished: card.removed"


@pytest.mark.parametrize("end", [KeyboardInterrupt, BrokenPipeError])
def test_what_ends_the_command_leaves_a_card_that_can_be_issued(
    office: Office, end: type[BaseException]
) -> None:
    """Ctrl+C, a hang-up, a terminal that went away while it was told what happens."""

    def ends(step: Message) -> None:
        if step.key == "enrollment.step.record":
            raise end

    card = blank(YUBIKEY)
    inserted = office.readers.insert(card)
    with pytest.raises(end):
        issue_card(bench_at(office.desk), inserted, office.order(), ends)
    inserted.close()
    assert office.live() == []
    issued = office.issue(card)
    assert office.live() == [issued.credential.id]
    assert issued.transport_pin is not None
    assert card.has_pin(issued.transport_pin.reveal())


def test_a_person_without_a_principal_name_is_called_by_the_account_name(
    office: Office,
) -> None:
    """So that the card is found by what they sign in with, and named so itself."""
    office.site.domain.change_account(office.site.ann, user_principal_name="")
    card = blank()
    issued = office.issue(card)
    assert issued.credential.account == "ann"
    inserted = office.readers.insert(card)
    with inserted.session(inserted.recognise().identity) as session:
        made = card_certificates.read(session.certificate(KeySlot.AUTHENTICATION))
    assert card_certificates.accounts(made) == ["ann"]


def test_secrets_in_one_envelope_come_apart_again() -> None:
    keys = [Secret(b"a" * 24), Secret(b"b" * 16)]
    assert secrets.split(secrets.join(keys)) == keys
    assert secrets.split(Secret(b"")) == []


def test_a_card_carried_to_another_station_in_the_middle_belongs_to_one_person(
    office: Office,
) -> None:
    office.site.domain.add_account("ben")
    office.readers.faults.set(PullAfter(at=apdus(office, None) // 2))
    before, card = office.live(), blank(seed=77)
    assert is_pulled(office, card)
    office.readers.faults.set()
    office.desk = dataclasses.replace(office.desk, station="desk-2")
    issued = office.issue(card, "ben")
    office.desk = dataclasses.replace(office.desk, station="desk-1")
    with pytest.raises(AlreadyOnRecord):
        office.issue(card, "ann")
    assert set(office.live()) == {*before, issued.credential.id}


# --- a card that takes digits alone as its PUK ---------------------------------


def test_a_card_that_takes_digits_alone_as_its_puk_is_issued(office: Office) -> None:
    card = blank(PivOptions(digits_only_puk=True))
    issued = office.issue(card)
    assert office.puk(issued.credential).isdigit()
    assert card.has_puk(office.puk(issued.credential))
    assert issued.credential.escrow.forms_refused == 1
    assert card.puk_tries_left == 3
    lifecycle_events.act(office.desk, Action.RETIRE, issued.credential, "left")
    again = office.issue(card)
    assert card.has_puk(office.puk(again.credential))


def test_a_card_that_takes_no_new_puk_is_told_so_and_its_keys_are_as_they_were(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_puk, "new_digits_puk", drawn.new_puk)
    monkeypatch.setattr("kiosk.enrollment.issue_piv.new_digits_puk", drawn.new_puk)
    card = blank(PivOptions(digits_only_puk=True))
    for _ in range(3):
        with pytest.raises(first_puk.PukNotAccepted):
            office.issue(card)
    assert card.keys == {}
    assert card.has_puk(FACTORY_PUK)
    assert card.admin.is_default
    assert len(office.credentials()) == 1, "trying again leaves nothing behind"
    assert office.credentials()[0].state is State.RETIRED
    monkeypatch.undo()
    issued = office.issue(card)
    assert card.has_puk(office.puk(issued.credential))
    assert len(office.credentials()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PullBefore, PullAfter])
def test_two_pulls_at_any_apdus_leave_a_card_that_our_record_opens(
    office: Office, kind: type[PullBefore] | type[PullAfter]
) -> None:
    """Whatever was pulled twice, the third time the card is issued."""
    count, serial = apdus(office, YUBIKEY), 50
    for first, second in itertools.product(range(3, count, 4), range(2, 9)):
        serial += 1
        options = PivOptions(digits_only_puk=serial % 2 == 0)
        card = blank(options, seed=5000 + serial)
        for at in (first, second):
            office.readers.faults.set(kind(at=at))
            is_pulled(office, card)
        office.readers.faults.set()
        issued = office.issue(card)
        assert card.has_puk(office.puk(issued.credential)), (first, second)
        lifecycle_events.act(office.desk, Action.RETIRE, issued.credential, "next")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PullBefore, PullAfter])
def test_pulled_again_while_it_is_taken_up_a_card_is_found_by_the_name_it_has(
    office: Office, kind: type[PullBefore] | type[PullAfter]
) -> None:
    """It has a name and secrets of ours by then; its record must not forget them."""
    half = apdus(office, None) // 2
    for again in range(2, half):
        card = blank(seed=7000 + again)
        for at in (half, again):
            office.readers.faults.set(kind(at=at))
            assert is_pulled(office, card)
        office.readers.faults.set()
        issued = office.issue(card)
        assert card.has_puk(office.puk(issued.credential)), again
        lifecycle_events.act(office.desk, Action.RETIRE, issued.credential, "next")


def test_a_puk_that_the_holder_types_is_handed_over_with_the_card(
    office: Office,
) -> None:
    methods = (UnblockMethod.HOLDER_PUK,)
    office.site.template(replace(STAFF, version=1, unblock=methods))
    card = blank()
    issued = office.issue(card)
    assert issued.puk is not None
    assert card.has_puk(issued.puk.reveal())
    assert puks.of(issued.credential.escrow).known is Known.CURRENT
    lifecycle_events.act(office.desk, Action.RETIRE, issued.credential, "left")
    assert office.issue(card).puk is not None, "it opens the card again"
