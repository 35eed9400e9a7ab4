"""Certificates from a folder or our own authority, and what makes one acceptable."""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from lab.cards.requests import ANN, GUID, CardAtHand, card
from lab.registries import IMPLEMENTATIONS, SHARED

from kiosk.cards.values import KeySlot
from kiosk.certificates.answer import accepted
from kiosk.certificates.card_certificates import accounts, is_trusted, key_of, read
from kiosk.certificates.files import LARGEST, CertificateFolder
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.certificates.ports import (
    AnotherKey,
    AnotherName,
    CertificateRequest,
    Certified,
    NotOfThisIssuer,
    NotThatUse,
    NotValidNow,
    Pending,
    SourceMalformed,
    SourceRefused,
    SourceUnusable,
)
from kiosk.certificates.tickets import (
    FolderTickets,
    RegistryTickets,
    Ticketed,
    TicketStore,
)
from kiosk.simulation.cards.options import of_yubikey

pytestmark = pytest.mark.slow

NOW = 1_767_261_600.0
DAY = 86_400.0


def issuer(days: int = 30) -> Issuer:
    certificate, pem = new_issuer("Test issuer", now=NOW)
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Issuer(x509.load_pem_x509_certificate(certificate), key, days)


@pytest.fixture(scope="module")
def ca() -> Issuer:
    return issuer()


@pytest.fixture
def at_hand() -> CardAtHand:
    return card(options=of_yubikey(12_345_678))


# --- our own authority -------------------------------------------------------


@pytest.mark.parametrize("slot", KeySlot)
def test_our_own_authority_certifies_at_once(
    ca: Issuer, at_hand: CardAtHand, slot: KeySlot
) -> None:
    request = at_hand.request(slot)
    certificate = accepted(ca.obtain(request, now=NOW), request, now=NOW)
    assert key_of(certificate) == request.spki
    assert is_trusted(certificate, [ca.certificate], now=NOW)
    assert certificate.serial_number.bit_length() > 64
    names = [ANN.account] if slot is KeySlot.AUTHENTICATION else []
    assert accounts(certificate) == names


def test_what_it_certifies_points_to_its_key_and_may_only_sign(
    ca: Issuer, at_hand: CardAtHand
) -> None:
    made = read(ca.obtain(at_hand.request(), now=NOW).chain[0]).extensions
    authority = made.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = ca.certificate.extensions
    key = own.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert authority.key_identifier == key.digest
    held = made.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert held.digest != key.digest
    usage = made.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_encipherment
    assert own.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_no_certificate_outlives_its_authority(at_hand: CardAtHand) -> None:
    long = issuer(days=3650 * 2)
    made = read(long.obtain(at_hand.request(), now=NOW + 100 * DAY).chain[0])
    assert made.not_valid_after_utc == long.certificate.not_valid_after_utc


def test_an_authority_that_is_over_certifies_nothing(
    ca: Issuer, at_hand: CardAtHand
) -> None:
    request, end = at_hand.request(), ca.certificate.not_valid_after_utc.timestamp()
    accepted(ca.obtain(request, now=end - DAY), request, now=end - DAY)
    with pytest.raises(SourceRefused):
        ca.obtain(request, now=end + DAY)


def test_a_request_that_its_own_key_has_not_signed_is_refused(
    ca: Issuer, at_hand: CardAtHand
) -> None:
    request = dataclasses.replace(at_hand.request(), csr=card(seed=6).request().csr)
    with pytest.raises(SourceRefused):
        ca.obtain(request, now=NOW)


# --- what is accepted --------------------------------------------------------


def certified(ca: Issuer, request: CertificateRequest, **changes: object) -> Certified:
    """Return an answer to another request than was made."""
    other = dataclasses.replace(request, **changes)  # type: ignore[arg-type]  # fields by name
    der = ca.certify(other.spki, other.person, other.slot, guid=other.guid, now=NOW)
    return Certified((der,))


def test_a_certificate_for_another_key_is_not_taken(
    ca: Issuer, at_hand: CardAtHand
) -> None:
    answer = certified(ca, at_hand.request(), spki=card(seed=6).request().spki)
    with pytest.raises(AnotherKey):
        accepted(answer, at_hand.request(), now=NOW)


@pytest.mark.parametrize("slot", KeySlot)
def test_a_certificate_that_names_another_is_not_taken(
    ca: Issuer, at_hand: CardAtHand, slot: KeySlot
) -> None:
    bob = dataclasses.replace(ANN, account="bob@ad.test")
    answer = certified(
        ca, at_hand.request(slot), person=bob, slot=KeySlot.AUTHENTICATION
    )
    with pytest.raises(AnotherName):
        accepted(answer, at_hand.request(slot), now=NOW)


def test_a_certificate_that_names_nobody_signs_nobody_in(
    ca: Issuer, at_hand: CardAtHand
) -> None:
    answer = certified(ca, at_hand.request(), slot=KeySlot.CARD_AUTHENTICATION)
    with pytest.raises(AnotherName):
        accepted(answer, at_hand.request(), now=NOW)


def test_a_logon_certificate_is_not_for_the_key_of_the_card(
    ca: Issuer, at_hand: CardAtHand
) -> None:
    request = at_hand.request(KeySlot.CARD_AUTHENTICATION)
    answer = certified(ca, request, slot=KeySlot.AUTHENTICATION)
    with pytest.raises(NotThatUse):
        accepted(answer, request, now=NOW)


@pytest.mark.parametrize("now", [NOW - DAY, NOW + 31 * DAY])
def test_a_certificate_that_is_not_valid_now_is_not_taken(
    ca: Issuer, at_hand: CardAtHand, now: float
) -> None:
    with pytest.raises(NotValidNow):
        accepted(certified(ca, at_hand.request()), at_hand.request(), now=now)


def test_an_authority_whose_clock_is_a_little_ahead_is_forgiven(
    ca: Issuer, at_hand: CardAtHand
) -> None:
    accepted(certified(ca, at_hand.request()), at_hand.request(), now=NOW - 400)


def test_a_certificate_of_another_authority_than_the_sources_is_not_taken(
    ca: Issuer, at_hand: CardAtHand
) -> None:
    answer = certified(issuer(), at_hand.request())
    accepted(answer, at_hand.request(), now=NOW)
    with pytest.raises(NotOfThisIssuer):
        accepted(
            dataclasses.replace(answer, issuers=(ca.certificate,)),
            at_hand.request(),
            now=NOW,
        )


def test_bytes_that_are_no_certificate_are_not_taken(at_hand: CardAtHand) -> None:
    for chain in [(), (b"",), (b"\x30\x00",)]:
        with pytest.raises(SourceMalformed):
            accepted(Certified(chain), at_hand.request(), now=NOW)


Opened = Callable[[], TicketStore]


# --- a folder ----------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture(params=["folder", *IMPLEMENTATIONS])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """What opens the place where tickets are kept, as another process would."""
    if request.param == "folder":
        yield lambda: FolderTickets(tmp_path / "tickets")
        return
    first = IMPLEMENTATIONS[request.param](tmp_path)
    stores = [first]

    def again() -> RegistryTickets:
        if request.param in SHARED:
            stores.append(IMPLEMENTATIONS[request.param](tmp_path))
        return RegistryTickets(stores[-1])

    yield again
    for store in stores:
        store.close()


@pytest.fixture
def source(folder: Path, opened: Opened) -> Ticketed:
    return Ticketed(CertificateFolder(folder, days=365), opened())


STEM = "piv-serial-00bc614e-9A"


def answered(ca: Issuer, folder: Path, encoding: Encoding = Encoding.PEM) -> None:
    """Do what an administrator does: take the request, bring the certificate."""
    csr = x509.load_pem_x509_csr((folder / f"{STEM}.csr").read_bytes())
    assert csr.is_signature_valid
    spki = csr.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    der = ca.certify(spki, ANN, KeySlot.AUTHENTICATION, guid=GUID, now=NOW)
    (folder / f"{STEM}.cer").write_bytes(read(der).public_bytes(encoding))


def taken(source: Ticketed, request: CertificateRequest) -> x509.Certificate:
    """Ask, and judge what comes."""
    answer = source.obtain(request, now=NOW)
    assert isinstance(answer, Certified)
    return accepted(answer, request, now=NOW)


def test_a_request_goes_out_as_a_private_file(
    source: Ticketed, folder: Path, at_hand: CardAtHand
) -> None:
    answer = source.obtain(at_hand.request(), now=NOW)
    file = folder / f"{STEM}.csr"
    assert answer == Pending(where=str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in folder.iterdir()] == [file.name]


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER], ids=["pem", "der"])
def test_the_certificate_that_is_put_beside_it_is_taken(
    ca: Issuer, source: Ticketed, folder: Path, at_hand: CardAtHand, encoding: Encoding
) -> None:
    request = at_hand.request()
    source.obtain(request, now=NOW)
    assert isinstance(source.obtain(request, now=NOW), Pending)
    answered(ca, folder, encoding)
    assert key_of(taken(source, request)) == request.spki


def test_what_an_authority_writes_before_its_certificate_is_passed_over(
    ca: Issuer, source: Ticketed, folder: Path, at_hand: CardAtHand
) -> None:
    """`openssl ca` does so where nobody tells it `-notext`."""
    request = at_hand.request()
    source.obtain(request, now=NOW)
    answered(ca, folder)
    given = folder / f"{STEM}.cer"
    given.write_bytes(b"Certificate:\n    Data:\n" + given.read_bytes())
    assert key_of(taken(source, request)) == request.spki


def test_what_waits_is_remembered_by_the_card_until_it_is_forgotten(
    ca: Issuer, source: Ticketed, folder: Path, at_hand: CardAtHand, opened: Opened
) -> None:
    request = at_hand.request()
    source.obtain(request, now=NOW)
    again = Ticketed(CertificateFolder(folder, days=365), opened())
    assert again.waiting(request.card) == [request]
    assert again.waiting("piv:serial:00000001") == []
    answered(ca, folder)
    again.forget(request.card)
    assert again.waiting(request.card) == []
    assert list(folder.iterdir()) == []
    assert list(opened().of(request.card)) == []


def test_a_certificate_for_an_earlier_request_does_not_answer_a_later_one(
    ca: Issuer, source: Ticketed, folder: Path
) -> None:
    options = of_yubikey(12_345_678)
    source.obtain(card(options=options).request(), now=NOW)
    answered(ca, folder)
    later = card(options=options, seed=6).request()
    assert isinstance(source.obtain(later, now=NOW), Pending)
    assert not (folder / f"{STEM}.cer").exists()


def test_only_the_authorities_that_the_site_trusts_may_answer(
    ca: Issuer, folder: Path, at_hand: CardAtHand
) -> None:
    source = CertificateFolder(folder, days=1, issuers=[issuer().certificate])
    request = at_hand.request()
    source.obtain(request, now=NOW)
    answered(ca, folder)
    answer = source.obtain(request, now=NOW)
    assert isinstance(answer, Certified)
    with pytest.raises(NotOfThisIssuer):
        accepted(answer, request, now=NOW)


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\n", bytes(LARGEST + 1)],
    ids=["empty", "nonsense", "half", "huge"],
)
def test_a_file_that_is_no_certificate_is_told_and_can_be_replaced(
    ca: Issuer, source: Ticketed, folder: Path, at_hand: CardAtHand, content: bytes
) -> None:
    request = at_hand.request()
    source.obtain(request, now=NOW)
    (folder / f"{STEM}.cer").write_bytes(content)
    with pytest.raises(SourceMalformed):
        taken(source, request)
    answered(ca, folder)
    assert isinstance(source.obtain(request, now=NOW), Certified)


def test_a_folder_that_cannot_be_written_is_named(
    at_hand: CardAtHand, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    source = CertificateFolder(tmp_path / "file" / "out", days=1)
    with pytest.raises(SourceUnusable) as caught:
        source.obtain(at_hand.request(), now=NOW)
    assert str(tmp_path / "file") in str(caught.value.data["file"])


def test_a_damaged_ticket_is_none(
    source: Ticketed, at_hand: CardAtHand, opened: Opened
) -> None:
    request = at_hand.request()
    source.obtain(request, now=NOW)
    tickets = opened()
    ((slot, whole),) = tickets.of(request.card)
    for damaged in (whole[:-1], b"{}", b"", whole.replace(b'"9A"', b'"9E"')):
        tickets.keep(request.card, slot, damaged)
        assert source.waiting(request.card) == []


def test_a_ticket_of_a_station_is_a_private_file(tmp_path: Path) -> None:
    tickets = FolderTickets(tmp_path / "tickets")
    tickets.keep("piv:1", KeySlot.AUTHENTICATION, b"\xff")
    (ticket,) = (tmp_path / "tickets").iterdir()
    assert stat.S_IMODE(ticket.stat().st_mode) == 0o600
    assert list(tickets.of("piv:1")) == [(KeySlot.AUTHENTICATION, b"\xff")]
