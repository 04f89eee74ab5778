"""Tells other systems by an EventBridge bus. Limits: Amazon EventBridge API reference, PutEvents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.alerts.notice import Notice
from chalicelib.aws.errors import ERRORS, reason_of
from chalicelib.aws.finding_items import TIGHT, fitted
from chalicelib.ledger import ChangeKind
from chalicelib.notify.batches import batches
from chalicelib.ports import Told

SOURCE = "mfawatch"
DETAIL_TYPES = {
    ChangeKind.OPENED: "MFA Finding Opened",
    ChangeKind.CHANGED: "MFA Finding Changed",
    ChangeKind.RESOLVED: "MFA Finding Resolved",
    ChangeKind.REOPENED: "MFA Finding Reopened",
    ChangeKind.SUPPRESSED: "MFA Finding Suppressed",
}
"""Kind of change → the detail type of its event. What persists is no event."""
MOST = 10
"""Events in one call."""
MOST_BYTES = 240_000
"""Of all events of a call together: 256 KB, with what EventBridge counts beside the detail."""
_BESIDE = 1_000

_Entry = dict[str, Any]


@dataclass(frozen=True)
class EventBusNotifier:
    """A `Notifier` through an EventBridge client: each notice is one event, a digest as well."""

    events: Any
    bus: str

    def tell(self, notices: Sequence[Notice], *, digest: bool = False) -> Told:
        """See `Notifier`. Each notice that the bus took is taken, whatever became of others of the same call."""
        taken = [notice for notice in notices if notice.kind not in DETAIL_TYPES]
        told = [(notice, self._entry(notice)) for notice in notices if notice.kind in DETAIL_TYPES]
        trouble = ""
        for batch in batches(told, MOST, MOST_BYTES, _size):
            try:
                results = self.events.put_events(Entries=[entry for _, entry in batch])["Entries"]
                errors = [str(one.get("ErrorCode") or "") for one in results]
                taken += [notice for (notice, _), error in zip(batch, errors, strict=True) if not error]
            except ERRORS as error:
                return Told(taken, f"EventBridge: {reason_of(error)}")
            trouble = trouble or next((f"EventBridge: {error}" for error in errors if error), "")
        return Told(taken, trouble)

    def _entry(self, notice: Notice) -> _Entry:
        value = notice.to_json()
        # The finding of a ledger may be larger than an event.
        value["finding"] = json.loads(fitted(_json(value["finding"]), MOST_BYTES // 2, "an event"))
        entry = {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPES[notice.kind],
            "Detail": _json(value),
            "EventBusName": self.bus,
            "Time": notice.at,
        }
        resource = _with_bytes(str(notice.finding.get("resource", "")))
        return entry | ({"Resources": [resource]} if resource else {})


def _json(value: Any) -> str:
    return _with_bytes(json.dumps(value, ensure_ascii=False, separators=TIGHT))


def _with_bytes(text: str) -> str:
    # Half a surrogate pair, which a record's JSON can write, has none.
    return text.encode(errors="replace").decode()


def _size(told: tuple[Notice, _Entry]) -> int:
    _, entry = told
    return len(entry["Detail"].encode()) + sum(len(one.encode()) for one in entry.get("Resources", [])) + _BESIDE
