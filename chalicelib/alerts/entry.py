"""An entry of the outbox: a notice, of a finding or of a run, that waits for one destination. Pure.

Entries are written together with the change that they tell of, and deleted when the destination has taken them:
whatever dies or is down in between, nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.alerts.notice import Notice
from chalicelib.alerts.run_notice import RunNotice


@dataclass(frozen=True, slots=True)
class Entry:
    """One notice for one destination, to be told from `due` on."""

    notice: Notice | RunNotice
    destination: str
    """The route's id, as `alerts.routing` gives it: slack:C0123456789, sns, event-bus, security-hub."""
    due: datetime
    digest: bool = False
    """Whether it is told together with whatever else waits, as one message."""
    attempts: int = 0

    @property
    def key(self) -> str:
        """Names the entry: one for each destination, finding or run, and version of it."""
        notice = self.notice
        return f"{self.destination}#{notice.account}#{notice.fingerprint}#{notice.version:08}"
