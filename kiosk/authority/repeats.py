"""A call that may come again: its effect happens once, and its answer is the same.

A station that did not hear an answer asks again with the same key. What was asked (as a
keyed digest) and what was answered are kept in the transaction of the effect, so a call
whose answer was lost is known after a restart, on another thread and on another host.
Secrets in a kept answer are sealed by the vault, each to its station, key and place. A
call without a key is not kept: a station that is its own authority loses no answer.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

import msgspec

from kiosk.authority.errors import AuthorityError, KeyReused, SealedSecretUnreadable
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import wipe
from kiosk.authority.wire import errors
from kiosk.authority.wire.calls import CALLS
from kiosk.authority.wire.codec import decode, encode
from kiosk.authority.wire.messages import Answered
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from storage.errors import DuplicateRecord, RegistryError
from storage.known_types import known
from storage.records import Repeat
from storage.registry import Tx
from storage.vault import Vault, VaultError

if TYPE_CHECKING:
    from storage.view import View

T = TypeVar("T")
P = ParamSpec("P")


class Once:
    """One call of a station. Used by one thread, for one call if it has a key."""

    def __init__(self, parts: RequiredPorts, station: str, key: str = "") -> None:
        """`key`: the station's own name for the call; empty: it does not come again."""
        self._parts = parts
        self._station, self._key = station, key
        self._digest = b""
        self._answer: Any = None
        """The type of what is kept."""
        self._is_new = False
        """Was it looked for, and not there?"""

    @property
    def may_repeat(self) -> bool:
        """Say whether this call may have come before."""
        return bool(self._key)

    def asks(self, name: str, request: msgspec.Struct, answer: Any) -> None:
        """Say what is asked; `answer` is the type of what will be kept."""
        key = self._parts.vault.derive("repeated calls")
        asked = name.encode() + b"\0" + encode(request, _Digests(key))
        self._digest = hmac.digest(key, asked, "sha256")
        self._answer = answer

    def kept(self) -> tuple[Any] | None:
        """Return what was answered before; None: it was not asked, or had no effect.

        Raises the error that was answered; KeyReused, SealedSecretUnreadable.
        """
        if not self._key:
            return None
        found = self._parts.registry.read(self._found)
        self._is_new = found is None
        return None if found is None else (self._read(found),)

    def commit(self, fn: Callable[[Tx], T | AuthorityError]) -> T:
        """Run `fn` in one transaction, and keep its answer there.

        An error that `fn` returns is committed and then raised; one that it raises
        leaves nothing. What was answered before is answered again, and `fn` not run.
        """
        made: list[T | AuthorityError] = []

        def run(tx: Tx) -> Repeat | None:
            _forget(made)
            found = self._found(tx) if self._key and not self._is_new else None
            if found is None:
                made.append(fn(tx))
                if self._key:
                    tx.save_repeat(self._repeat(made[0]))
            return found

        try:
            found = self._parts.registry.run(run)
        except BaseException as error:
            _forget(made)
            # It was not looked for again: the same call may be answered since.
            in_the_way = isinstance(error, KioskError | DuplicateRecord)
            if in_the_way and self._is_new and (kept := self.kept()) is not None:
                return kept[0]  # type: ignore[no-any-return]  # as it was kept
            raise
        if found is not None:
            return self._read(found)  # type: ignore[no-any-return]  # as it was kept
        if isinstance(made[0], AuthorityError):
            raise made[0]
        return made[0]

    # --- inside -----------------------------------------------------------------

    def _found(self, view: View) -> Repeat | None:
        found = view.repeat(self._station, self._key)
        if found is not None and not hmac.compare_digest(found.request, self._digest):
            raise KeyReused
        return found

    def _repeat(self, answer: object) -> Repeat:
        error = isinstance(answer, AuthorityError)
        plain = b"null" if error else encode(answer, self._sealing())
        kept = Answered(
            msgspec.Raw(plain),
            error=errors.told(answer) if isinstance(answer, AuthorityError) else None,
        )
        return Repeat(
            station=self._station,
            key=self._key,
            request=self._digest,
            answer=msgspec.json.encode(kept).decode(),
            at=self._parts.clock.now(),
        )

    def _read(self, found: Repeat) -> Any:
        kept = msgspec.json.decode(found.answer, type=known(Answered))
        if kept.error is not None:
            raise errors.rebuilt(kept.error)
        return decode(bytes(kept.answer), self._answer, self._sealing())

    def _sealing(self) -> _InVault:
        return _InVault(self._parts.vault, f"{self._station}\t{self._key}")


class _InVault:
    """`codec.Sealing` of an answer that is kept."""

    def __init__(self, vault: Vault, record: str) -> None:
        self._vault = vault
        self._record = record

    def seal(self, secret: Secret, place: int) -> str:
        return self._vault.seal(secret.reveal(), **self._at(place))

    def open(self, sealed: str, place: int) -> Secret:
        try:
            plain = self._vault.open(sealed, **self._at(place))
        except VaultError:
            raise SealedSecretUnreadable from None  # its key is gone, or it is not ours
        try:
            return Secret(plain)
        finally:
            plain[:] = bytes(len(plain))

    def _at(self, place: int) -> dict[str, str]:
        return {"table": "repeats", "record": self._record, "field": str(place)}


class _Digests:
    """`codec.Sealing` of what is asked. A typed code is short: its digest is keyed."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, secret: Secret, place: int) -> str:
        digest = hmac.new(self._key, b"%d\0" % place, "sha256")
        digest.update(secret.reveal())
        return digest.hexdigest()

    def open(self, sealed: str, place: int) -> Secret:
        raise NotImplementedError  # a digest has no way back


def _forget(made: list[Any]) -> None:
    """Wipe what a run came to that was not committed."""
    for each in made:
        wipe(each)
    made.clear()


# --- calls of the port -------------------------------------------------------


class _Port(Protocol):
    """Whose calls they are."""

    _once: Once


_Self = TypeVar("_Self", bound=_Port)
_Method = Callable[Concatenate[_Self, P], T]


def answers_once(method: _Method[_Self, P, T]) -> _Method[_Self, P, T]:
    """Answer a call of the port as it was answered before, whatever is true since."""
    call = CALLS[method.__name__]

    @wraps(method)
    def answered(self: _Self, /, *args: P.args, **named: P.kwargs) -> T:
        once = self._once
        if not once.may_repeat:
            return method(self, *args, **named)
        once.asks(call.name, call.bound(args, named), call.answer)
        if (kept := once.kept()) is not None:
            return kept[0]  # type: ignore[no-any-return]  # as the call answers
        try:
            return method(self, *args, **named)
        except (KioskError, RegistryError):
            # The same call may have been answered meanwhile, on another thread.
            if (kept := once.kept()) is not None:
                return kept[0]  # type: ignore[no-any-return]  # as above
            raise

    return answered


def happens_once(method: _Method[_Self, P, T]) -> _Method[_Self, P, T]:
    """Let the effect of a call happen once; what it says is of now, each time."""
    call = CALLS[method.__name__]

    @wraps(method)
    def judged(self: _Self, /, *args: P.args, **named: P.kwargs) -> T:
        if self._once.may_repeat:
            self._once.asks(call.name, call.bound(args, named), None)
        return method(self, *args, **named)

    return judged
