"""A TPM 2.0, by the programs of tpm2-tools: a P-256 key is made in it, and signs there.

The key is kept by the TPM itself (a persistent handle of its owner), has no password,
and never leaves; what passes through the programs is a digest and a signature. The
programs are looked for in the system's own folders and told what to do by arguments;
nothing secret is in them. TPM 2.0 Library, parts 1 and 3; tpm2-tools 5.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from kiosk.authority.errors import AuthorityAway

TPM = "device:/dev/tpmrm0"
"""The machine's own, behind the kernel's resource manager."""
PLACES = r"^(device:/dev/[\w/-]+|tabrmd:[\w:=,.]*|swtpm:path=/[^\s,:]+)\Z"
"""What can be a TPM: nothing that would run a program."""
FIRST_HANDLE = 0x8101_8000
"""From here on, in the owner's range, a free persistent handle is looked for."""
_MOST_KEYS = 64
_NO_MANAGER = "swtpm:"
"""A TPM of a virtual machine's maker: what a program leaves in it stays there."""
_SECONDS = 5.0
"""Within which a program has ended."""
_PATH = "/usr/local/bin:/usr/bin:/bin"
_OF_THIS_TPM = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda"
_PARENT = f"{_OF_THIS_TPM}|restricted|decrypt"
_SIGNING = f"{_OF_THIS_TPM}|sign"
"""It is the TPM that made it, and nobody can guess at it: it has no password."""
_NOT_REACHED = 4
"""How the programs end where there is no TPM (`tool_rc_tcti_error`)."""
_CODE = re.compile(r"\(0x([0-9A-Fa-f]{1,8})\)")
_NO_SUCH_KEY = frozenset({0x018B, 0x0185, 0x0182, 0x010B})
"""TPM_RC_HANDLE, TPM_RC_HIERARCHY and TPM_RC_VALUE, of the first handle."""
_WRONG_PASSWORD = frozenset({0x09A2, 0x098E})
"""TPM_RC_BAD_AUTH and TPM_RC_AUTH_FAIL, of the first session."""


class TpmError(AuthorityAway):
    """The station's key cannot sign now: so nothing is asked of the authority."""

    code = "station.tpm_error"


class TpmToolsMissing(TpmError):
    """tpm2-tools is not installed: `program`."""

    code = "station.tpm_tools_missing"


class TpmAway(TpmError):
    """The TPM does not answer, or may not be used by this user: `tpm`."""

    code = "station.tpm_away"


class TpmRefused(TpmError):
    """It says no: `tpm`, and `why`, a number of its own."""

    code = "station.tpm_refused"


class TpmOwned(TpmError):
    """Its owner has set a password, or closed it: `tpm`. No key is made."""

    code = "station.tpm_owned"


class TpmFull(TpmError):
    """It keeps as many keys of stations as it may: `tpm`."""

    code = "station.tpm_full"


class TpmKeyGone(TpmError):
    """It has no such key (any more): it was cleared, or is another one: `tpm`."""

    code = "station.tpm_key_gone"


class Tpm:
    """One TPM. Any thread; one program at a time."""

    def __init__(self, place: str = TPM) -> None:
        """`place`: of `PLACES`."""
        self.place = place
        self._one = threading.Lock()

    def make_key(self) -> tuple[int, bytes]:
        """Make a key that the TPM keeps; return its handle and its point (65 bytes).

        TpmErrors; then nothing is kept.
        """
        with tempfile.TemporaryDirectory(prefix="pin-kiosk-tpm-") as folder, self._one:
            parent, key = f"{folder}/parent", f"{folder}/key"
            parts = ("-u", f"{key}.public", "-r", f"{key}.private")
            handle = self._free()
            owner = ("-C", "o")
            self._run("createprimary", *owner, "-G", "ecc", "-a", _PARENT, "-c", parent)
            kind = ("-G", "ecc256:ecdsa-sha256", "-a", _SIGNING)
            self._run("create", "-C", parent, *kind, *parts)
            self._run("load", "-C", parent, *parts, "-c", key)
            self._run("evictcontrol", *owner, "-c", key, hex(handle))
            try:
                return handle, self._point(handle, Path(folder, "pem"))
            except BaseException:
                self._run("evictcontrol", *owner, "-c", hex(handle))
                raise

    def sign(self, handle: int, digest: bytes) -> bytes:
        """Return r and s (64 bytes) over a SHA-256. TpmErrors."""
        with self._one:
            der = self._run(
                "sign", "-c", hex(handle), "-g", "sha256", "-s", "ecdsa", "-d",
                "-f", "plain", "-o", "/dev/stdout", given=digest,
            )  # fmt: skip
        try:
            r, s = decode_dss_signature(der)
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        except (ValueError, OverflowError):
            raise TpmRefused(tpm=self.place, why="?") from None

    def forget(self, handle: int) -> None:
        """Let the TPM keep a key no longer. TpmErrors."""
        with self._one:
            self._run("evictcontrol", "-C", "o", "-c", hex(handle))

    # --- inside -----------------------------------------------------------------

    def _free(self) -> int:
        """Return a handle that nobody uses. TpmFull."""
        said = self._run("getcap", "handles-persistent").decode("ascii", "replace")
        taken = {int(it, 16) for it in re.findall(r"0x[0-9A-Fa-f]{8}", said)}
        for handle in range(FIRST_HANDLE, FIRST_HANDLE + _MOST_KEYS):
            if handle not in taken:
                return handle
        raise TpmFull(tpm=self.place)

    def _point(self, handle: int, file: Path) -> bytes:
        self._run("readpublic", "-c", hex(handle), "-f", "pem", "-o", str(file))
        found = serialization.load_pem_public_key(file.read_bytes())
        if not isinstance(found, ec.EllipticCurvePublicKey):
            raise TpmRefused(tpm=self.place, why="?")
        return found.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    def _run(self, program: str, *words: str, given: bytes = b"") -> bytes:
        """Run one program; return what it printed. TpmErrors."""
        try:
            return self._printed(program, words, given)
        finally:
            if self.place.startswith(_NO_MANAGER):
                self._printed("flushcontext", ("-t",), b"")

    def _printed(self, program: str, words: Sequence[str], given: bytes) -> bytes:
        name = f"tpm2_{program}"
        file = shutil.which(name, path=_PATH)
        if file is None:
            raise TpmToolsMissing(program=name)
        try:
            done = subprocess.run(  # noqa: S603 - a program of the system, no shell
                [file, *words, "-T", self.place],
                input=given,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                env={"PATH": _PATH, "LC_ALL": "C", "TSS2_LOG": "all+NONE"},
            )
        except (OSError, subprocess.TimeoutExpired):
            raise TpmAway(tpm=self.place) from None
        if done.returncode == 0:
            return done.stdout
        raise self._refusal(done.returncode, done.stderr.decode("ascii", "replace"))

    def _refusal(self, ended: int, said: str) -> TpmError:
        codes = [int(it, 16) for it in _CODE.findall(said)]
        if ended == _NOT_REACHED or not codes:
            return TpmAway(tpm=self.place)
        if codes[0] in _WRONG_PASSWORD:
            return TpmOwned(tpm=self.place)
        if codes[0] in _NO_SUCH_KEY:
            return TpmKeyGone(tpm=self.place)
        return TpmRefused(tpm=self.place, why=f"{codes[0]:#x}")


def digest_of(message: bytes) -> bytes:
    """Return what the TPM signs for a message: its SHA-256."""
    hashed = hashes.Hash(hashes.SHA256())
    hashed.update(message)
    return hashed.finalize()
