"""What the core asks of the world, as protocols. The adapters stand in `aws` and `local`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.ledger import Change, Event, Stored


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """The moment, with its time zone."""
        ...


class FindingStore(Protocol):
    """Keeps findings and their history. Several writers may use one store at once, and any may die between writes."""

    def load(self, account: str, users: Collection[str] | None = None) -> Sequence[Stored]:
        """All findings of an account, resolved ones too; or those of some users, without those about the account.

        What was applied before, by whomever, is in it. The order is that of nothing in particular.
        """
        ...

    def apply(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Write what the changes say, and give back those that were won, in their order.

        A change is written if the finding still has the version that the change was made from (none, for one that is
        opened) and was not seen later than the change tells of. Otherwise another writer was faster, and the change is
        lost: it leaves no trace, and whoever made it loads and diffs again. Of each version of a finding there is thus
        one change, and one writer who won it. One change of each finding goes into one call.

        A finding and the entry in its history are written together or not at all. A failure raises what the store's
        library raises: what was written before then stays, and applying again what was not is safe.
        A persisting finding enters no history, and counts as won unwritten where nothing of it moves.
        """
        ...

    def history(self, account: str, fingerprint: str) -> Sequence[Event]:
        """What happened to a finding, the oldest first. Entries are added and never changed.

        Resolved findings and their history are forgotten some time after they were resolved.
        """
        ...
