"""What is true after a write was sent: read from the directory, never assumed.

| the DC said | what follows |
|---|---|
| nothing was sent (unreachable, not allowed any more) | as a refusal |
| no (an LDAP answer) | roll back where the card can go back, else out of step |
| yes, and the mark moved by just our write | done, if the bind agrees |
| yes, and the bind names a condition | done, the condition is a warning |
| yes, and the bind says wrong password | out of step |
| anything, and the mark moved by more | out of step: changed elsewhere |
| nothing (time out, connection lost) | done if the mark moved by just our write |
| | *and* the value binds, else out of step; never rolled back |

The bind alone proves nothing: the password before the last binds for an hour. At most
one trial bind per modify, so that no check of ours locks an account, and as the account
is called after the write.
"""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.operation import changed_elsewhere
from kiosk.authority.operation.write_endings import Before, Written, done, out_of_step
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import in_step
from kiosk.authority.rules.in_step import Compared, Moved
from kiosk.authority.values import Seen, WriteVerdict
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.directory.errors import DirectoryError
from kiosk.directory.ports import DomainController
from kiosk.directory.values import Account, BindResult, Spread


def decide_written(
    parts: RequiredPorts,
    once: Once,
    id: str,
    dc: DomainController,
    before: Before,
    password: Secret,
) -> WriteVerdict:
    """The DC said success: what it shows since must be that, and nothing more.

    Somebody else may set another password meanwhile, and ours binds for an hour all
    the same: only the mark, read before the bind and after it, tells.
    """
    ours = _look(dc, before.account)
    if ours is None:
        return out_of_step(parts, once, id, Message("reason.not_seen"))
    match in_step.moved(before.account, ours, before.origin):
        case Moved.ANOTHER:
            return _changed_elsewhere(parts, once, id)
        case Moved.NOTHING:
            return out_of_step(parts, once, id, Message("reason.bind_refused"))
    bind = dc.verify_password(ours, password)
    now = _look(dc, ours)
    if now is not None and _differs(before.dc, ours, now):
        return _changed_elsewhere(parts, once, id)
    if bind is BindResult.WRONG_PASSWORD:
        return out_of_step(parts, once, id, Message("reason.bind_refused"))
    written = Written(bind, _seen(before, ours))
    verdict = done(parts, once, id, before, written, password)
    return _with_spread(parts, verdict, dc, ours)


def _seen(before: Before, account: Account) -> Seen:
    """Return what is kept of the write; no mark where it was not judged by one."""
    seen = in_step.seen(account, before.dc)
    is_by_mark = before.account.mark is not None and before.origin
    return seen if is_by_mark else replace(seen, mark=None)


def _differs(dc: str, ours: Account, now: Account) -> bool:
    compared = in_step.compare(in_step.seen(ours, dc), in_step.seen(now, dc))
    return compared is not Compared.SAME


def _look(dc: DomainController, account: Account) -> Account | None:
    """Return the account as it is now; None: that could not be read."""
    try:
        return dc.account(account.guid)
    except DirectoryError:
        return None


def _with_spread(
    parts: RequiredPorts, verdict: WriteVerdict, dc: DomainController, account: Account
) -> WriteVerdict:
    """Add whether others know it yet: asked when all is committed, and only said."""
    spread = parts.directory.spread(dc, account)
    if spread not in (Spread.SPREADING, Spread.UNKNOWN):
        return verdict
    said = Message(f"directory.spread.{spread}")
    return replace(verdict, warnings=(*verdict.warnings, said))


def decide_unknown(
    parts: RequiredPorts, once: Once, id: str, before: Before, password: Secret
) -> WriteVerdict:
    """No answer came: ask the same DC whether it did it. One look, one bind."""
    unknown = Message("reason.no_answer")
    try:
        with parts.directory.connect(before.dc) as dc:
            ours = dc.account(before.account.guid)
            match in_step.moved(before.account, ours, before.origin):
                case Moved.ANOTHER:
                    return _changed_elsewhere(parts, once, id)
                case Moved.NOTHING | Moved.REPEATED:
                    return out_of_step(parts, once, id, unknown)
            bind = dc.verify_password(ours, password)
            now = dc.account(ours.guid)
    except DirectoryError:
        return out_of_step(parts, once, id, unknown)
    if _differs(before.dc, ours, now):
        return _changed_elsewhere(parts, once, id)
    if bind is not BindResult.OK:
        return out_of_step(parts, once, id, unknown)
    written = Written(bind, _seen(before, ours))
    return done(parts, once, id, before, written, password)


def _changed_elsewhere(parts: RequiredPorts, once: Once, id: str) -> WriteVerdict:
    return out_of_step(parts, once, id, Message(changed_elsewhere.REASON))
