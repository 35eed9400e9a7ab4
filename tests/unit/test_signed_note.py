"""Signed notes as other tools write and read them (c2sp.org/signed-note)."""

from __future__ import annotations

import base64

import pytest

from storage.signed_note import (
    MalformedNote,
    NoteKey,
    NoteSigner,
    SignedNote,
    WrongSignature,
)

FOREIGN_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
FOREIGN_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
FOREIGN_NOTE = (
    f"{FOREIGN_TEXT}\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
    "KvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
FOREIGN_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
"""The example of the tool that the format comes from: key, note, and what signed it."""

SIGNER = NoteSigner("pin-kiosk/abc", bytes(32))


def test_a_note_of_the_formats_own_tool_is_read_and_verified() -> None:
    note = SignedNote.read(FOREIGN_NOTE)
    assert note.text == FOREIGN_TEXT
    key = NoteKey.read(FOREIGN_KEY)
    assert note.verified_by([key]) == key
    assert str(key) == FOREIGN_KEY


def test_what_is_signed_here_is_what_that_tool_signs_byte_by_byte() -> None:
    signer = NoteSigner("PeterNeumann", FOREIGN_SEED)
    assert str(signer.key) == FOREIGN_KEY
    assert signer.sign(FOREIGN_TEXT) == FOREIGN_NOTE


def test_one_changed_letter_is_another_text() -> None:
    note = SignedNote.read(SIGNER.sign("paid 10\n").replace("10", "90"))
    with pytest.raises(WrongSignature):
        note.verified_by([SIGNER.key])


def test_another_key_of_the_same_name_signed_nothing_here() -> None:
    other = NoteSigner(SIGNER.key.name, b"\x01" * 32)
    with pytest.raises(WrongSignature):
        SignedNote.read(SIGNER.sign("text\n")).verified_by([other.key])


def test_signatures_of_others_are_passed_over() -> None:
    other = NoteSigner("witness.example", b"\x01" * 32)
    theirs = other.sign("text\n").rpartition("\n\n")[2]
    note = SignedNote.read(SIGNER.sign("text\n") + theirs)
    assert note.verified_by([SIGNER.key]) == SIGNER.key
    assert note.verified_by([other.key]) == other.key


def test_a_known_keys_wrong_signature_spoils_the_note() -> None:
    stolen = SIGNER.sign("other\n").rpartition("\n\n")[2]
    other = NoteSigner("witness.example", b"\x01" * 32)
    note = SignedNote.read(other.sign("text\n") + stolen)
    with pytest.raises(WrongSignature):
        note.verified_by([other.key, SIGNER.key])


def test_the_text_may_have_blank_lines() -> None:
    note = SignedNote.read(SIGNER.sign("one\n\nthree\n"))
    assert note.verified_by([SIGNER.key]) == SIGNER.key
    assert note.text == "one\n\nthree\n"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n- name aGFsbG8gaGFsbG8=\n",
        "text\n\n— name\n",
        "text\n\n— name !!!!\n",
        "text\n\n— name AAAA\n",
        SIGNER.sign("text\n").removesuffix("\n"),
        SIGNER.sign("text\n").replace("text", "te\x1b[2Jxt"),
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(MalformedNote):
        SignedNote.read(note)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "new\nline", "thin\u2009x"])
def test_a_name_that_no_tool_would_take_is_refused(name: str) -> None:
    with pytest.raises(MalformedNote):
        NoteKey(name, bytes(32))


@pytest.mark.parametrize("text", ["no newline", "bell\x07\n"])
def test_a_text_that_no_tool_would_take_is_not_signed(text: str) -> None:
    with pytest.raises(MalformedNote):
        SIGNER.sign(text)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "name",
        "name+00000000+AAAA",
        FOREIGN_KEY.replace("c74f20a3", "c74f20a4"),
        FOREIGN_KEY.replace("Peter", "Paula"),
        FOREIGN_KEY.replace("+ARpc", "+BBpc"),
    ],
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(MalformedNote):
        NoteKey.read(key)


def test_the_secret_half_is_in_no_repr() -> None:
    shown = repr(NoteSigner("PeterNeumann", FOREIGN_SEED))
    assert FOREIGN_SEED.hex() not in shown
    assert base64.b64encode(FOREIGN_SEED).decode() not in shown
