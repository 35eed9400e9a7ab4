"""What a request may be: so many bytes, within so many seconds.

No server bounds a body, and a header only in time: whoever sends slowly or for ever is
cut off here, before anything is judged.
"""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from kiosk.authority.errors import CallIncomplete, CallTooLarge

LARGEST_BODY = 64 * 1024
"""Bytes; the largest call of the port has less than four thousand."""
LARGEST_HEADERS = 16 * 1024
"""Bytes of all names and values."""
BODY_SECONDS = 5.0
"""From the last header to the last byte of the body."""


def check_headers(request: Request) -> None:
    """CallTooLarge, also for a body that only says that it is."""
    size = sum(len(name) + len(value) for name, value in request.headers.raw)
    told = request.headers.get("content-length", "0")
    if size > LARGEST_HEADERS or not told.isdigit() or int(told) > LARGEST_BODY:
        raise CallTooLarge


async def body_of(request: Request) -> bytes:
    """Return the whole body. CallTooLarge, CallIncomplete."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_BODY:
                    raise CallTooLarge
    except (TimeoutError, ClientDisconnect):
        raise CallIncomplete from None
    return bytes(body)
