"""An audit into the ledger: load, diff, apply; and again for what a racing writer changed in between."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from chalicelib.audit import Audit
from chalicelib.cause import Cause, may_explain
from chalicelib.diff import DAY, diff
from chalicelib.iam.account import Read
from chalicelib.ledger import Change, Stored
from chalicelib.ports import Clock, FindingStore

ROUNDS = 5
"""How often a lost change is tried. Whoever loses five times lost to five writers, each of whom wrote."""


class StillRacing(Exception):  # noqa: N818 - says what happened
    """Some changes were lost to other writers each time. `won` are the others: they are in the ledger."""

    def __init__(self, won: Sequence[Change], lost: Sequence[Change]) -> None:
        self.won = won
        self.lost = lost
        super().__init__(f"{len(lost)} findings were changed by others at each of {ROUNDS} attempts")


def record(
    store: FindingStore,
    audit: Audit,
    run: str,
    clock: Clock,
    touch_after: timedelta = DAY,
    lost: Collection[Read] = (),
    known: Sequence[Stored] | None = None,
    cause: Cause | None = None,
) -> Sequence[Change]:
    """Bring the ledger in step with an audit; the changes that this run made, and what persists, the gravest first.

    Two runs that race on one account end with the same ledger as one after the other, and each change is among the
    results of one of them. Recording an audit again does what a first time that was cut short left undone, and no more;
    what the first time did is among the results, marked as done before. `lost` is as of `diff`; `known` is what the
    ledger was found to hold, where somebody has loaded it; `cause` is the event after which the audit looked.

    Raises:
        StillRacing: other writers were faster, again and again.
    """
    done: dict[str, Change] = {}
    beaten: Sequence[Change] = ()
    for attempt in range(ROUNDS):
        stored = known if known is not None and not attempt else store.load(audit.account, audit.asked)
        changes = diff(audit, stored, run, clock(), touch_after, lost)
        changes = [_with_cause(change, cause, audit) if change.is_news else change for change in changes]
        if not attempt:
            before = [one for one in stored if one.run == run]
            done = {one.fingerprint: Change(one.kind, None, one, clock(), again=True) for one in before}
        else:
            again = {change.fingerprint for change in beaten}
            changes = [change for change in changes if change.fingerprint in again]
        won = store.apply(changes)
        done |= {one.fingerprint: one for one in won if one.is_news or one.fingerprint not in done}
        names = {change.fingerprint for change in won}
        beaten = [change for change in changes if change.fingerprint not in names]
        if not beaten:
            break
    found = sorted(done.values(), key=lambda change: change.after.order)
    if beaten:
        raise StillRacing(found, beaten)
    return found


def _with_cause(change: Change, cause: Cause | None, audit: Audit) -> Change:
    from_records = any(one.from_records for one in audit.controls if one.id == change.after.control)
    return replace(change, cause=cause) if may_explain(cause, what_happened=from_records) else change
