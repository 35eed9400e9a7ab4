"""What another process has in its memory, read as root may."""

from __future__ import annotations

from pathlib import Path

_LARGEST = 256 << 20


def occurrences(pid: int, wanted: bytes) -> int:
    """Count where the writable memory of a process holds these bytes."""
    count = 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights, *_ = line.split()
            begin, end = (int(part, 16) for part in place.split("-"))
            if not rights.startswith("rw") or end - begin > _LARGEST:
                continue
            try:
                memory.seek(begin)
                held = memory.read(end - begin)
            except OSError:  # a hole
                continue
            count += held.count(wanted)
    return count
