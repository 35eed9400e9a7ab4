"""A certificate authority that exists only while a demo or a rehearsal runs."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from kiosk.certificates.local_ca import Issuer, new_issuer


@functools.cache
def rehearsal_issuer(now: float) -> Issuer:
    """Return it; one for each moment it is asked for."""
    certificate, key = new_issuer("Rehearsal issuer", now=now)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ca.pem").write_bytes(certificate)
        (folder / "ca.key").touch(0o600)
        (folder / "ca.key").write_bytes(key)
        return Issuer.from_files(folder / "ca.pem", folder / "ca.key", days=365)
