"""The account that is to be changed, read as a whole each time that somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.execution.ports import StepFailed
from chalicelib.iam.account import AccountSnapshot, Read
from chalicelib.iam.answers import ExportError
from chalicelib.pipeline import MOST_RECENT, read_snapshot
from chalicelib.ports import Clock, SnapshotReader
from chalicelib.scope import Scope


@dataclass(frozen=True)
class WholeAccount:
    """A `ReadAccount` through what reads one account."""

    account: str
    reader: SnapshotReader
    clock: Clock

    def __call__(self, users: Sequence[str]) -> AccountSnapshot:
        """See `ReadAccount`.

        Raises:
            StepFailed: its policies could not be read; without them nobody can say what is so.
        """
        try:
            snapshot, _ = read_snapshot(Scope(self.account), self, self.clock, users[:MOST_RECENT])
        except ExportError as error:
            raise StepFailed(f"account {self.account} could not be read: {error}") from None
        if Read.AUTHORIZATION_DETAILS not in snapshot.reads:
            reasons = "; ".join(dict.fromkeys(gap.reason for gap in snapshot.gaps))
            raise StepFailed(f"account {self.account} could not be read: {reasons}")
        return snapshot

    def reader_of(self, _account: str) -> SnapshotReader:
        """See `Accounts`: this one is open."""
        return self.reader
