"""A process that verifies signatures for another one: `signature_checks.SharedOut`.

Standard input: each batch of claims behind its length. Standard output: a byte for each
claim, 1 where it is true. It ends when its input does, and with its parent.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from typing import IO

import msgspec

from kiosk.authority.proof.signature_checks import LENGTH_BYTES, Claim
from storage.known_types import known

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Serve until there is nothing more to come."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    serve(sys.stdin.buffer, sys.stdout.buffer)
    return 0


def serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Answer each batch. msgspec.DecodeError: it is none."""
    read = msgspec.msgpack.Decoder(known(list[Claim])).decode
    while length := asked.read(LENGTH_BYTES):
        batch = read(asked.read(int.from_bytes(length, "big")))
        answers.write(bytes(claim.is_true() for claim in batch))
        answers.flush()


if __name__ == "__main__":
    sys.exit(main())
