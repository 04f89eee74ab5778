"""What the core asks of the world, as protocols. The adapters stand in `aws` and `local`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.notice import Notice
from chalicelib.alerts.run_notice import RunNotice
from chalicelib.events.git_operation import GitOperation
from chalicelib.events.heard import Heard
from chalicelib.events.observed import Observed
from chalicelib.events.sight import SightLoss
from chalicelib.iam.exports import Exports
from chalicelib.ledger import Change, Event, Stored
from chalicelib.paging import ANY, FindingPage, Wanted
from chalicelib.runs import RunReport


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """The moment, with its time zone."""
        ...


class AccountClosed(Exception):  # noqa: N818 - says what is the matter
    """An account does not let the auditor in, and will not when asked again; the text says why."""


class TooManyUsers(Exception):  # noqa: N818 - says what is the matter
    """More users are in question than are read one by one: the whole account is to be read instead."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} users")


class SnapshotReader(Protocol):
    """Reads one account as it is now. What cannot be read is among the gaps of the answer, and never an error."""

    def read_account(self, recent: Collection[str] = ()) -> tuple[Exports, datetime]:
        """The whole account, and the moment whose state the answers tell; of the users of these names with passwords
        and access keys as they are now, and not as they were when the credential report was made."""
        ...

    def read_users(
        self,
        users: Collection[str],
        groups: Collection[str] = (),
        policies: Collection[str] = (),
        *,
        most: int | None = None,
    ) -> tuple[Exports, datetime]:
        """The account as far as it bears on the users of a scope, without anything that may be hours old.

        The answer names those of them who are there: the users of these names, the groups' members, the policies'
        carriers.

        Raises:
            TooManyUsers: they are more than `most`.
        """
        ...


class Accounts(Protocol):
    """Leads into accounts."""

    def reader_of(self, account: str) -> SnapshotReader:
        """A reader of the account of that id.

        Raises:
            AccountClosed: it lets nobody in.
        """
        ...


class Work(Protocol):
    """What is handed to a worker."""

    @property
    def delay(self) -> int:
        """Seconds that it waits before."""
        ...

    @property
    def label(self) -> str:
        """Names it where it could not be handed over."""
        ...

    def to_json(self) -> str:
        """What the worker is told."""
        ...


class WorkQueue(Protocol):
    """Hands work to workers. Each piece is handed over once at least, in no order."""

    def send(self, work: Sequence[Work]) -> None:
        """Hand over all of it; a failure raises what the queue's library raises, and may leave some handed over."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger holds of an account, or of some users: the findings, and what was observed of them."""

    findings: Sequence[Stored]
    observed: Observed


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


class Ledger(FindingStore, Protocol):
    """A store that also keeps what was observed."""

    def known(self, account: str, users: Collection[str] | None = None) -> Known:
        """All findings of an account and all that was observed in it; or those of some users, without those about the
        account."""
        ...


class FindingPages(Protocol):
    """Shows the findings of an account page by page."""

    def page(self, account: str, after: str | None, most: int, wanted: Wanted = ANY) -> FindingPage:
        """Up to `most` findings that are wanted, resolved ones too; from the beginning, or from where a page left off.

        A finding keeps its place for as long as it is kept: over all pages each that was there throughout and matched
        throughout comes once, whatever becomes of others meanwhile. A page may be short, or empty, and lead on: a store
        that had to leave out many goes through some of them at a time.

        Raises:
            CursorError: `after` is no cursor, or one for another account or for other findings.
        """
        ...


class Observations(Protocol):
    """Keeps what was observed by events, for as long as resolved findings are kept."""

    def count(self, operation: GitOperation) -> bool:
        """Count a Git operation; whether it is news, so that somebody should look at the activity that it is part of.

        One that is told again soon after is counted once, and is the news that it was; over a longer time whoever
        calls leaves out what was counted.
        """
        ...

    def keep_sight(self, loss: SightLoss) -> None:
        """Keep what became of a trail or a rule, unless something later is known of it."""
        ...


class EventLog(Protocol):
    """Keeps the events that were heard."""

    def keep(self, heard: Heard) -> Heard:
        """Keep one, the same one once: as it was heard first, which is given back."""
        ...

    def heard(self, account: str, since: datetime, until: datetime) -> Sequence[Heard]:
        """Those of an account that were made from a moment on and before another, the earliest first."""
        ...


class RunLog(Protocol):
    """Keeps what runs say of accounts, for as long as resolved findings are kept."""

    def keep_report(self, report: RunReport) -> None:
        """Keep what a run says of an account, in place of what the same run said of it before."""
        ...

    def reports(self, account: str, most: int) -> Sequence[RunReport]:
        """What the last runs on an account said, the latest first; `most` of them at the most."""
        ...


class Outbox(Protocol):
    """Keeps what is still to be told. Entries come into it with the changes that they tell of."""

    def due(self, now: datetime, most: int) -> Sequence[Entry]:
        """Entries that are due, the earliest first, with earlier ones of the same findings; `most` at the most."""
        ...

    def earlier(self, entries: Sequence[Entry], now: datetime) -> Sequence[Entry]:
        """What happened to the same findings before, still waits for the same destinations, and is held by nobody."""
        ...

    def claim(self, entries: Sequence[Entry], until: datetime) -> Sequence[Entry]:
        """Take entries for oneself until a moment; those that nobody else took or told in between."""
        ...

    def postpone(self, entries: Sequence[Entry], until: datetime) -> None:
        """Let entries wait until a moment, and count the attempt."""
        ...

    def done(self, entries: Sequence[Entry]) -> None:
        """Forget entries that were told."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling: the notices that the destination took, and why it took no more; empty where it took all."""

    taken: Sequence[Notice | RunNotice]
    trouble: str = ""
    retry_after: float | None = None
    """Seconds for which the destination asked to be left alone."""


def always() -> bool:
    """There is time."""
    return True


class Notifier(Protocol):
    """Tells one destination. What goes wrong is in the answer, and never an error."""

    def tell(self, notices: Sequence[Notice], *, digest: bool = False) -> Told:
        """Tell notices, in their order; with `digest` as one message."""
        ...

    def tell_runs(self, notices: Sequence[RunNotice]) -> Told:
        """Tell what has become of remediations, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation that a message began: where it stands, and what names it there."""

    channel: str
    ts: str


class Threads(Protocol):
    """Remembers in which thread of a destination a finding was told, for as long as the finding is kept."""

    def find(self, destination: str, account: str, fingerprint: str) -> Thread | None:
        """The thread in which the finding was told last; None where none is known."""
        ...

    def keep(self, destination: str, account: str, fingerprints: Sequence[str], thread: Thread) -> None:
        """Remember the thread for these findings of an account, in place of any before."""
        ...
