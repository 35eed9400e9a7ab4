"""A card from elsewhere is taken over; its key counts only when it is proven."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from lab.desk.site import Site, bench_at, office_at
from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed, Refused
from kiosk.authority.escrow import puks
from kiosk.authority.office import importing as office_importing
from kiosk.authority.office import key_records, lifecycle_events, second_officer
from kiosk.authority.office.card_values import (
    CardImport,
    ImportedCard,
    ImportWay,
    ProvenKey,
)
from kiosk.authority.office.desk import Desk
from kiosk.authority.office.errors import AlreadyOnRecord, NamesAnother, NothingProposed
from kiosk.authority.office.importing import Trust
from kiosk.authority.office.operators import Action, NotInRole
from kiosk.cards.errors import MalformedAnswer, ObjectMissing, WrongPin
from kiosk.cards.piv import objects
from kiosk.cards.ports import Card
from kiosk.cards.values import KeySlot
from kiosk.certificates import card_certificates, card_keys
from kiosk.certificates.card_certificates import NotTrusted
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.certificates.ports import Applicant
from kiosk.cli import credential
from kiosk.config import OperatorRole
from kiosk.config.sections.enrollment import NamedBy
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.directory.errors import DirectoryError
from kiosk.directory.values import NameAttribute
from kiosk.enrollment import importing
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.domain_faults import AttributeHidden
from statemachine.lifecycle import State
from statemachine.puk import Known
from storage.records import AuditEvent, Credential, FirstPin, ImportedPuk, Template

PIN = b"481516"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """An import, and whom the site trusts."""

    order: CardImport
    anchors: Sequence[x509.Certificate] = ()
    named_by: NamedBy = NamedBy.UPN


def import_card(
    desk: Desk, card: Card, wanted: Wanted, pin: Secret | None
) -> Credential:
    bench = bench_at(desk, wanted.anchors, wanted.named_by)
    return importing.import_card(bench, card, wanted.order, pin)


def import_certificate(
    desk: Desk, card: str, certificate: x509.Certificate, wanted: Wanted
) -> Credential:
    bench = bench_at(desk, wanted.anchors, wanted.named_by)
    return importing.import_certificate(bench, card, certificate, wanted.order)


def confirm(
    desk: Desk,
    taken: Credential,
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    named_by: NamedBy = NamedBy.UPN,
) -> Credential:
    key = card_keys.key_of(certificate, KeySlot.AUTHENTICATION)
    return office_at(desk, anchors, named_by).confirm_key(taken.id, key)


class Elsewhere:
    """Another issuer, and a card of ann's that it has made."""

    def __init__(
        self,
        site: Site,
        *,
        account: str = "ann@ad.test",
        mail: str = "",
        seed: int = 5,
    ) -> None:
        certificate, key = new_issuer("Elsewhere", now=site.clock.now())
        private = load_pem_private_key(key, password=None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        self.anchor = x509.load_pem_x509_certificate(certificate)
        self.made: MadeCard = make_card(
            SeededEntropy(seed), subject="Ann", pin=PIN, puk=b"12345678"
        )
        issuer = Issuer(self.anchor, private, 30)
        person = Applicant(display_name="Ann", account=account, guid="", email=mail)
        self.certificates = {}
        for slot, tag, key_made in (
            (KeySlot.AUTHENTICATION, objects.CERTIFICATE_9A, self.made.authentication),
            (
                KeySlot.CARD_AUTHENTICATION,
                objects.CERTIFICATE_9E,
                self.made.card_authentication,
            ),
        ):
            assert key_made is not None
            der = issuer.certify(
                key_made.spki, person, slot, guid=bytes(16), now=site.clock.now()
            )
            self.made.card.objects[tag] = objects.write_certificate(der)
            self.certificates[slot] = card_certificates.read(der)
        self.readers = SimulatedReaders()
        self.card = self.readers.insert(self.made.card)

    def wanted(self, way: ImportWay = ImportWay.SIGNATURE, **changes: object) -> Wanted:
        order = CardImport(account="ann@ad.test", template="staff", way=way)
        plain = Wanted(order, [self.anchor])
        return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]  # fields by name


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def elsewhere(site: Site) -> Elsewhere:
    return Elsewhere(site)


def kinds(site: Site) -> list[str]:
    return [event.kind for event in site.registry.audit_events()]


def test_where_the_reader_has_keys_the_holder_types_there(
    site: Site, elsewhere: Elsewhere
) -> None:
    pad = elsewhere.readers.fit_pad()
    pad.will_type(PIN)
    card = elsewhere.readers.insert(elsewhere.made.card)
    taken = import_card(site.desk(OperatorRole.OFFICER), card, elsewhere.wanted(), None)
    assert taken.authentication_key is not None
    assert taken.authentication_key.spki == elsewhere.made.authentication.spki


def test_a_command_has_the_holder_type_at_the_reader_too(
    site: Site,
    elsewhere: Elsewhere,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(credential, "ask_secret", no_secret_is_asked_for)
    elsewhere.readers.fit_pad().will_type(PIN)
    card = elsewhere.readers.insert(elsewhere.made.card)
    wanted = elsewhere.wanted()
    desk = site.desk(OperatorRole.OFFICER)
    bench = bench_at(desk, wanted.anchors, wanted.named_by)
    taken = credential.taken_at_the_reader(bench, card, wanted.order)
    assert taken.authentication_key is not None
    assert "typed at the keys of the reader" in capsys.readouterr().out


def no_secret_is_asked_for(*_: object) -> None:
    raise AssertionError("at a reader with keys nothing is typed at the terminal")


@pytest.mark.parametrize("left", [0, 1])
def test_the_last_try_of_a_holder_is_not_asked_for_at_the_reader(
    site: Site, elsewhere: Elsewhere, left: int
) -> None:
    pad = elsewhere.readers.fit_pad()
    pad.will_type(PIN)
    elsewhere.made.card.set_tries(pin=left)
    card = elsewhere.readers.insert(elsewhere.made.card)
    with pytest.raises(Refused):
        import_card(site.desk(OperatorRole.OFFICER), card, elsewhere.wanted(), None)
    assert elsewhere.made.card.pin_tries_left == left


def test_a_card_that_signs_is_imported_with_both_its_keys(
    site: Site, elsewhere: Elsewhere
) -> None:
    taken = import_card(
        site.desk(OperatorRole.OFFICER), elsewhere.card, elsewhere.wanted(), Secret(PIN)
    )
    assert taken.state is State.ISSUED
    assert taken.account_guid == site.ann
    assert taken.authentication_key is not None
    assert taken.authentication_key.spki == elsewhere.made.authentication.spki
    assert taken.card_authentication_key is not None
    assert not taken.migrated
    assert kinds(site) == [
        "lifecycle.issue",
        "credential.key_recorded",
        "credential.key_recorded",
    ]


def test_another_key_than_the_certificates_is_not_put_on_record_by_its_signature(
    site: Site, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate says whose key it is; what signed must be just that key."""
    theirs = ec.generate_private_key(ec.SECP256R1())
    spki = theirs.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    judged = office_importing.import_card

    def lying(desk: Desk, trust: Trust, seen: ImportedCard) -> Credential:
        assert seen.key is not None
        asked = office_at(desk).key_challenge(seen.credential)
        signature = theirs.sign(asked.message, ec.ECDSA(hashes.SHA256()))
        key = replace(seen.key, spki=spki)
        own = ProvenKey(key=key, nonce=asked.nonce, signature=signature)
        return judged(desk, trust, replace(seen, own=own))

    monkeypatch.setattr(office_importing, "import_card", lying)
    with pytest.raises(ProofFailed):
        import_card(
            site.desk(OperatorRole.OFFICER),
            elsewhere.card,
            elsewhere.wanted(),
            Secret(PIN),
        )
    assert "lifecycle.issue" not in kinds(site)


def test_a_wrong_pin_imports_nothing_and_costs_one_try(
    site: Site, elsewhere: Elsewhere
) -> None:
    before = elsewhere.made.card.pin_tries_left
    with pytest.raises(WrongPin):
        import_card(
            site.desk(OperatorRole.OFFICER),
            elsewhere.card,
            elsewhere.wanted(),
            Secret(b"000000"),
        )
    assert elsewhere.made.card.pin_tries_left == before - 1
    assert kinds(site) == []


def test_the_last_try_is_not_spent(site: Site, elsewhere: Elsewhere) -> None:
    elsewhere.made.card.set_tries(pin=1)
    with pytest.raises(Refused) as caught:
        import_card(
            site.desk(OperatorRole.OFFICER),
            elsewhere.card,
            elsewhere.wanted(),
            Secret(PIN),
        )
    assert caught.value.reason.key == "refusal.one_try_left"
    assert elsewhere.made.card.pin_tries_left == 1


def test_a_card_with_the_certificate_but_not_the_key_of_another_is_refused(
    site: Site, elsewhere: Elsewhere
) -> None:
    """A forged card: the public certificate of ann's card, a key of its own."""
    own = elsewhere.made.card.keys
    own[0x9A] = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(ProofFailed):
        import_card(
            site.desk(OperatorRole.OFFICER),
            elsewhere.card,
            elsewhere.wanted(),
            Secret(PIN),
        )
    assert kinds(site) == ["credential.proof_failed"]


def test_a_proof_that_came_too_late_imports_nothing(
    site: Site, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_records, "NONCE_SECONDS", -1.0)
    with pytest.raises(ProofFailed):
        import_card(
            site.desk(OperatorRole.OFFICER),
            elsewhere.card,
            elsewhere.wanted(),
            Secret(PIN),
        )
    assert kinds(site) == []


def test_an_untrusted_certificate_imports_nothing(
    site: Site, elsewhere: Elsewhere
) -> None:
    with pytest.raises(NotTrusted):
        import_card(
            site.desk(OperatorRole.OFFICER),
            elsewhere.card,
            elsewhere.wanted(anchors=()),
            Secret(PIN),
        )


def test_a_certificate_for_somebody_else_imports_nothing(site: Site) -> None:
    elsewhere = Elsewhere(site, account="bob@ad.test")
    with pytest.raises(NamesAnother):
        import_card(
            site.desk(OperatorRole.OFFICER),
            elsewhere.card,
            elsewhere.wanted(),
            Secret(PIN),
        )


def test_a_card_without_a_certificate_can_only_be_imported_keyless(
    site: Site, elsewhere: Elsewhere
) -> None:
    del elsewhere.made.card.objects[objects.CERTIFICATE_9A]
    desk = site.desk(OperatorRole.OFFICER)
    with pytest.raises(ObjectMissing):
        import_card(desk, elsewhere.card, elsewhere.wanted(), Secret(PIN))
    taken = import_card(desk, elsewhere.card, elsewhere.wanted(ImportWay.KEYLESS), None)
    assert taken.authentication_key is None
    assert taken.migrated


def test_a_card_is_imported_once(site: Site, elsewhere: Elsewhere) -> None:
    desk = site.desk(OperatorRole.OFFICER)
    taken = import_card(desk, elsewhere.card, elsewhere.wanted(ImportWay.KEYLESS), None)
    with pytest.raises(AlreadyOnRecord) as caught:
        import_card(desk, elsewhere.card, elsewhere.wanted(ImportWay.KEYLESS), None)
    assert caught.value.data == {"credential": taken.id}


def test_nobody_imports_their_own_card(site: Site, elsewhere: Elsewhere) -> None:
    desk = site.desk(OperatorRole.OFFICER, "ann@ad.test")
    with pytest.raises(Refused) as caught:
        import_card(desk, elsewhere.card, elsewhere.wanted(), Secret(PIN))
    assert caught.value.reason.key == "refusal.own_card"
    assert kinds(site) == ["lifecycle.issue_refused"]


def test_importing_is_the_officers_business(site: Site, elsewhere: Elsewhere) -> None:
    with pytest.raises(NotInRole):
        import_card(
            site.desk(OperatorRole.HELPDESK), elsewhere.card, elsewhere.wanted(), None
        )


def test_a_template_with_activation_codes_cannot_take_a_card_from_elsewhere(
    site: Site, elsewhere: Elsewhere
) -> None:
    site.template(Template(name="staff", version=1, first_pin=FirstPin.ACTIVATION_CODE))
    with pytest.raises(Refused) as caught:
        import_card(
            site.desk(OperatorRole.OFFICER), elsewhere.card, elsewhere.wanted(), None
        )
    assert caught.value.reason.key == "enrollment.import_needs_own_pin"


# --- a second officer --------------------------------------------------------


def proposed(site: Site, elsewhere: Elsewhere) -> Credential:
    taken = import_certificate(
        site.desk(OperatorRole.OFFICER),
        elsewhere.made.identity.key,
        elsewhere.certificates[KeySlot.AUTHENTICATION],
        elsewhere.wanted(ImportWay.PROPOSED),
    )
    assert taken.authentication_key is None
    assert taken.migrated
    return taken


def test_of_two_who_confirm_a_key_at_once_one_puts_it_on_record(
    site: Site, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has read the record before the other has saved it."""
    taken = proposed(site, elsewhere)
    proposer = second_officer._proposer

    def confirms() -> Credential:
        certificate = elsewhere.certificates[KeySlot.AUTHENTICATION]
        desk = site.desk(OperatorRole.ADMINISTRATOR)
        return confirm(desk, taken, certificate, [elsewhere.anchor])

    def meanwhile(*args: Any) -> AuditEvent:
        monkeypatch.setattr(second_officer, "_proposer", proposer)
        confirms()
        return proposer(*args)

    monkeypatch.setattr(second_officer, "_proposer", meanwhile)
    with pytest.raises(NothingProposed):
        confirms()
    kinds = [event.kind for event in site.registry.audit_events()]
    assert kinds.count("credential.key_recorded") == 1


def test_a_proposed_key_counts_once_a_second_officer_confirms_it(
    site: Site, elsewhere: Elsewhere
) -> None:
    taken = proposed(site, elsewhere)
    done = confirm(
        site.desk(OperatorRole.ADMINISTRATOR),
        taken,
        elsewhere.certificates[KeySlot.AUTHENTICATION],
        [elsewhere.anchor],
    )
    assert done.authentication_key is not None
    assert not done.migrated
    event = list(site.registry.audit_events())[-1]
    assert event.kind == "credential.key_recorded"
    assert event.data["first_officer"] == "officer@ad.test"
    assert event.actor == "administrator@ad.test"
    with pytest.raises(NothingProposed):  # it is on record now, and the card signs
        confirm(
            site.desk(OperatorRole.ADMINISTRATOR),
            taken,
            elsewhere.certificates[KeySlot.AUTHENTICATION],
            [elsewhere.anchor],
        )
    assert list(site.registry.audit_events())[-1] == event


@pytest.mark.parametrize("ends", [(Action.REVOKE,), (Action.REVOKE, Action.RETIRE)])
def test_no_key_is_put_on_record_for_a_card_that_is_no_more(
    site: Site, elsewhere: Elsewhere, ends: tuple[Action, ...]
) -> None:
    taken = proposed(site, elsewhere)
    for action in ends:
        taken = lifecycle_events.act(
            site.desk(OperatorRole.ADMINISTRATOR), action, taken, "lost"
        )
    with pytest.raises(NothingProposed):
        confirm(
            site.desk(OperatorRole.ADMINISTRATOR),
            taken,
            elsewhere.certificates[KeySlot.AUTHENTICATION],
            [elsewhere.anchor],
        )
    assert "credential.key_recorded" not in kinds(site)


def test_the_card_in_the_reader_can_be_proposed_too(
    site: Site, elsewhere: Elsewhere
) -> None:
    taken = import_card(
        site.desk(OperatorRole.OFFICER),
        elsewhere.card,
        elsewhere.wanted(ImportWay.PROPOSED),
        None,
    )
    assert taken.authentication_key is None
    assert "credential.key_proposed" in kinds(site)


def test_one_officer_is_not_two(site: Site, elsewhere: Elsewhere) -> None:
    taken = proposed(site, elsewhere)
    with pytest.raises(Refused) as caught:
        confirm(
            site.desk(OperatorRole.OFFICER),
            taken,
            elsewhere.certificates[KeySlot.AUTHENTICATION],
            [elsewhere.anchor],
        )
    assert caught.value.reason.key == "enrollment.second_officer_is_first"


def test_only_the_key_that_was_proposed_can_be_confirmed(
    site: Site, elsewhere: Elsewhere
) -> None:
    taken = proposed(site, elsewhere)
    other = Elsewhere(site, seed=6)
    with pytest.raises(NothingProposed):
        confirm(
            site.desk(OperatorRole.ADMINISTRATOR),
            taken,
            other.certificates[KeySlot.AUTHENTICATION],
            [other.anchor],
        )


def test_the_holder_is_no_second_officer(site: Site, elsewhere: Elsewhere) -> None:
    taken = proposed(site, elsewhere)
    with pytest.raises(Refused) as caught:
        confirm(
            site.desk(OperatorRole.OFFICER, "ann@ad.test"),
            replace(taken, account="ann@ad.test"),
            elsewhere.certificates[KeySlot.AUTHENTICATION],
            [elsewhere.anchor],
        )
    assert caught.value.reason.key == "refusal.own_card"


# --- what a card has in place of a key that proves it without a PIN -----------------


def _self_signed(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """Return a certificate object of a key that no visit can use."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "odd")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(9999, 12, 31, tzinfo=datetime.UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.DER)


ODD_9E = {
    "empty": lambda: b"",
    "garbage": lambda: b"\x70\x03abc",
    "no certificate": lambda: objects.write_certificate(b"\x30\x03\x02\x01\x01"),
    "RSA-1024": lambda: objects.write_certificate(
        _self_signed(rsa.generate_private_key(65537, 1024))
    ),
    "P-521": lambda: objects.write_certificate(
        _self_signed(ec.generate_private_key(ec.SECP521R1()))
    ),
    "brainpool": lambda: objects.write_certificate(
        _self_signed(ec.generate_private_key(ec.BrainpoolP256R1()))
    ),
}


@pytest.mark.parametrize("make", ODD_9E.values(), ids=ODD_9E)
def test_an_odd_card_authentication_key_does_not_stop_an_import(
    site: Site, elsewhere: Elsewhere, make: Callable[[], bytes]
) -> None:
    value = make()
    elsewhere.made.card.objects[objects.CERTIFICATE_9E] = value
    anchors = [elsewhere.anchor]
    with contextlib.suppress(MalformedAnswer, card_certificates.CertificateError):
        anchors.append(card_certificates.read(objects.read_certificate(value)))
    taken = import_card(
        site.desk(OperatorRole.OFFICER),
        elsewhere.card,
        elsewhere.wanted(anchors=anchors),
        Secret(PIN),
    )
    assert taken.authentication_key is not None
    assert taken.card_authentication_key is None


@pytest.mark.parametrize("sw", [0x6A80, 0x6700, 0x6985, 0x6F00, 0x6581, 0x6982])
def test_a_card_authentication_key_may_be_refused_in_any_way(
    site: Site, elsewhere: Elsewhere, sw: int
) -> None:
    del elsewhere.made.card.objects[objects.CERTIFICATE_9E]
    options = replace(elsewhere.made.card.options, missing_object=sw)
    elsewhere.made.card.options = options
    taken = import_card(
        site.desk(OperatorRole.OFFICER), elsewhere.card, elsewhere.wanted(), Secret(PIN)
    )
    assert taken.card_authentication_key is None


# --- what is known of its PUK --------------------------------------------------


@pytest.mark.parametrize(
    ("said", "in_template", "known"),
    [
        (None, ImportedPuk.UNKNOWN, Known.UNKNOWN),
        (None, ImportedPuk.FACTORY, Known.FACTORY),
        (None, ImportedPuk.HOLDERS, Known.HOLDERS),
        (ImportedPuk.FACTORY, ImportedPuk.UNKNOWN, Known.FACTORY),
        (ImportedPuk.HOLDERS, ImportedPuk.FACTORY, Known.HOLDERS),
    ],
)
def test_a_factory_puk_is_believed_only_if_somebody_says_it(
    site: Site, said: ImportedPuk | None, in_template: ImportedPuk, known: Known
) -> None:
    site.template(Template(name="staff", version=1, imported_puk=in_template))
    assert puks.of(imported(site, said).escrow).known is known


@pytest.mark.parametrize(
    ("puk", "said", "known"),
    [
        (b"12345678", None, Known.FACTORY),
        (b"12345678", ImportedPuk.HOLDERS, Known.FACTORY),
        (b"75318642", ImportedPuk.FACTORY, Known.UNKNOWN),
        (b"75318642", ImportedPuk.HOLDERS, Known.HOLDERS),
    ],
)
def test_what_the_card_itself_says_goes_before_all(
    site: Site, puk: bytes, said: ImportedPuk | None, known: Known
) -> None:
    """A card that answers F7 81, though it has no serial number."""
    options = PivOptions(version=b"\x05\x04\x03")
    escrow = imported(site, said, puk=puk, options=options, puk_tries=2).escrow
    assert puks.of(escrow).known is known
    assert puks.of(escrow).left == 2


def imported(
    site: Site,
    said: ImportedPuk | None,
    *,
    puk: bytes = b"75318642",
    options: PivOptions | None = None,
    puk_tries: int = 3,
) -> Credential:
    """Import a card, keyless, with what the officer says of its PUK."""
    made = make_card(SeededEntropy(6), subject="Ann", pin=PIN, puk=puk, options=options)
    made.card.set_tries(puk=puk_tries)
    desk = site.desk(OperatorRole.OFFICER)
    wanted = Wanted(
        CardImport(account="ann", template="staff", way=ImportWay.KEYLESS, puk=said)
    )
    card = SimulatedReaders().insert(made.card)
    credential = import_card(desk, card, wanted, None)
    assert made.card.puk_tries_left == puk_tries
    return credential


# --- whose the certificate is, by the site's rule ---------------------------------


@pytest.fixture
def nameless(site: Site) -> Elsewhere:
    """Her card, whose certificate has another's UPN: only another rule can map it."""
    return Elsewhere(site, account="4711@cards.test")


def identity_of(elsewhere: Elsewhere) -> str:
    key_id = x509.SubjectKeyIdentifier.from_public_key(
        elsewhere.certificates[KeySlot.AUTHENTICATION].public_key()
    )
    return f"X509:<SHA1-PUKEY>{key_id.digest.hex()}"


def mapped(site: Site, elsewhere: Elsewhere, rule: NamedBy) -> Credential:
    return import_card(
        site.desk(OperatorRole.OFFICER),
        elsewhere.card,
        elsewhere.wanted(named_by=rule),
        Secret(PIN),
    )


def test_an_identity_of_the_account_maps_a_certificate_without_its_upn(
    site: Site, nameless: Elsewhere
) -> None:
    site.domain.set_names(
        site.ann, NameAttribute.IDENTITIES, "X509:<RFC822>x@y", identity_of(nameless)
    )
    taken = mapped(site, nameless, NamedBy.IDENTITIES)
    assert taken.authentication_key is not None
    assert taken.account_guid == site.ann


def test_an_address_that_only_this_account_has_maps_its_certificate(
    site: Site,
) -> None:
    elsewhere = Elsewhere(site, mail="Ann.Smith@ad.test")
    site.domain.set_names(site.ann, NameAttribute.MAIL, "ann.smith@AD.test")
    assert mapped(site, elsewhere, NamedBy.E_MAIL).authentication_key is not None
    other = Elsewhere(site, mail="bob@ad.test")
    with pytest.raises(NamesAnother):
        import_certificate(
            site.desk(OperatorRole.OFFICER),
            "piv-other",
            other.certificates[KeySlot.AUTHENTICATION],
            other.wanted(named_by=NamedBy.E_MAIL),
        )


@pytest.mark.parametrize("rule", [NamedBy.UPN, NamedBy.E_MAIL, NamedBy.IDENTITIES])
def test_without_what_the_rule_asks_for_nothing_is_imported(
    site: Site, nameless: Elsewhere, rule: NamedBy
) -> None:
    with pytest.raises(NamesAnother):
        mapped(site, nameless, rule)
    assert kinds(site) == []


def test_an_identity_that_two_accounts_have_maps_to_neither(
    site: Site, nameless: Elsewhere
) -> None:
    other = site.domain.add_account("bob")
    for guid in (site.ann, other):
        site.domain.set_names(guid, NameAttribute.IDENTITIES, identity_of(nameless))
    with pytest.raises(NamesAnother):
        mapped(site, nameless, NamedBy.IDENTITIES)


def test_a_hidden_identity_is_told_and_imports_nothing(
    site: Site, nameless: Elsewhere
) -> None:
    site.domain.set_names(site.ann, NameAttribute.IDENTITIES, identity_of(nameless))
    site.domain.fail(AttributeHidden(attribute=NameAttribute.IDENTITIES))
    with pytest.raises(DirectoryError):
        mapped(site, nameless, NamedBy.IDENTITIES)
    assert kinds(site) == []


def test_a_rule_that_the_site_has_not_chosen_does_not_count(
    site: Site, nameless: Elsewhere
) -> None:
    site.domain.set_names(site.ann, NameAttribute.IDENTITIES, identity_of(nameless))
    for rule in (NamedBy.UPN, NamedBy.E_MAIL):
        with pytest.raises(NamesAnother):
            mapped(site, nameless, rule)


def test_an_officers_word_counts_once_a_second_one_confirms_it(
    site: Site, nameless: Elsewhere
) -> None:
    taken = mapped(site, nameless, NamedBy.OFFICER)
    assert taken.authentication_key is None, "nobody has confirmed whose it is"
    own = nameless.certificates[KeySlot.AUTHENTICATION]
    anchors = [nameless.anchor]
    with pytest.raises(Refused):
        confirm(site.desk(OperatorRole.OFFICER), taken, own, anchors, NamedBy.OFFICER)
    site.domain.add_account("second")
    second = site.desk(OperatorRole.OFFICER, account="second@ad.test")
    with pytest.raises(NamesAnother):
        confirm(second, taken, own, anchors, NamedBy.UPN)
    done = confirm(second, taken, own, anchors, NamedBy.OFFICER)
    assert done.authentication_key is not None
    assert done.authentication_key.spki == nameless.made.authentication.spki


def test_under_an_officers_word_the_card_still_proves_its_key(
    site: Site, nameless: Elsewhere
) -> None:
    with pytest.raises(WrongPin):
        import_card(
            site.desk(OperatorRole.OFFICER),
            nameless.card,
            nameless.wanted(named_by=NamedBy.OFFICER),
            Secret(b"000000"),
        )
    assert kinds(site) == []
