"""An audit into the ledger: load, diff, apply; and again for what a racing writer changed in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chalicelib.audit import Audit
from chalicelib.diff import DAY, diff
from chalicelib.ledger import Change
from chalicelib.ports import Clock, FindingStore

ROUNDS = 5
"""How often a lost change is tried. Whoever loses five times lost to five writers, each of whom wrote."""


class StillRacing(Exception):  # noqa: N818 - says what happened
    """Some changes were lost to other writers each time. `won` are the others: they are in the ledger."""

    def __init__(self, won: Sequence[Change], lost: Sequence[Change]) -> None:
        self.won = won
        self.lost = lost
        super().__init__(f"{len(lost)} findings were changed by others at each of {ROUNDS} attempts")


def record(store: FindingStore, audit: Audit, run: str, clock: Clock, touch_after: timedelta = DAY) -> Sequence[Change]:
    """Bring the ledger in step with an audit; the changes that this run made, and what persists, the gravest first.

    Two runs that race on one account end with the same ledger as one after the other, and each change is among the
    results of one of them. Recording an audit again does what a first time that was cut short left undone, and no more.

    Raises:
        StillRacing: other writers were faster, again and again.
    """
    done: dict[str, Change] = {}
    lost: Sequence[Change] = ()
    for attempt in range(ROUNDS):
        changes = diff(audit, store.load(audit.account, audit.asked), run, clock(), touch_after)
        if attempt:
            again = {change.fingerprint for change in lost}
            changes = [change for change in changes if change.fingerprint in again]
        won = store.apply(changes)
        done |= {change.fingerprint: change for change in won}
        lost = [change for change in changes if change.fingerprint not in done]
        if not lost:
            break
    found = sorted(done.values(), key=lambda change: change.after.order)
    if lost:
        raise StillRacing(found, lost)
    return found
