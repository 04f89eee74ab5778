"""Tells other systems by an EventBridge bus. Limits: Amazon EventBridge API reference, PutEvents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.alerts.notice import Notice
from chalicelib.alerts.run_notice import RunNotice
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
RUN_DETAIL_TYPE = "MFA Remediation"
"""Of every run, in whatever state: rules look at the detail's `state`."""
MOST = 10
"""Events in one call."""
MOST_BYTES = 240_000
"""Of all events of a call together: 256 KB, with what EventBridge counts beside the detail."""
_BESIDE = 1_000
_LONGEST = (2_000, 400, 80)
"""Characters of a text in the event of a run: the first that makes it fit. What names it in the journal is shorter."""

_Entry = dict[str, Any]
_Notice = Notice | RunNotice


@dataclass(frozen=True)
class EventBusNotifier:
    """A `Notifier` through an EventBridge client: each notice is one event, a digest as well."""

    events: Any
    bus: str

    def tell(self, notices: Sequence[Notice], *, digest: bool = False) -> Told:
        """See `Notifier`. Each notice that the bus took is taken, whatever became of others of the same call."""
        told = [(notice, self._entry(notice)) for notice in notices if notice.kind in DETAIL_TYPES]
        return self._put(told, (notice for notice in notices if notice.kind not in DETAIL_TYPES))

    def tell_runs(self, notices: Sequence[RunNotice]) -> Told:
        """See `Notifier`."""
        return self._put([(notice, self._run_entry(notice)) for notice in notices])

    def _put(self, told: Sequence[tuple[_Notice, _Entry]], without: Iterable[_Notice] = ()) -> Told:
        """Put the events, and say of which notices they were taken; of those `without` one there is none."""
        taken, trouble = list(without), ""
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
        entry = self._event(DETAIL_TYPES[notice.kind], value, notice.at)
        resource = _with_bytes(str(notice.finding.get("resource", "")))
        return entry | ({"Resources": [resource]} if resource else {})

    def _run_entry(self, notice: RunNotice) -> _Entry:
        value = notice.to_json()
        longest = next(most for most in _LONGEST if len(_json(_shortened(value, most)).encode()) <= MOST_BYTES // 2)
        value = _shortened(value, longest)
        arns = dict.fromkeys(_with_bytes(aim["resource"]) for aim in value["aims"] if aim["resource"])
        return self._event(RUN_DETAIL_TYPE, value, notice.at) | ({"Resources": list(arns)} if arns else {})

    def _event(self, detail_type: str, detail: Mapping[str, Any], at: datetime) -> _Entry:
        return {
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": _json(detail),
            "EventBusName": self.bus,
            "Time": at,
        }


def _shortened(value: Any, most: int) -> Any:
    """JSON values with none of their texts longer."""
    if isinstance(value, str):
        return value if len(value) <= most else value[: most - 1] + "…"
    if isinstance(value, list):
        return [_shortened(one, most) for one in value]
    return {key: _shortened(one, most) for key, one in value.items()} if isinstance(value, dict) else value


def _json(value: Any) -> str:
    return _with_bytes(json.dumps(value, ensure_ascii=False, separators=TIGHT))


def _with_bytes(text: str) -> str:
    # Half a surrogate pair, which a record's JSON can write, has none.
    return text.encode(errors="replace").decode()


def _size(told: tuple[_Notice, _Entry]) -> int:
    _, entry = told
    return len(entry["Detail"].encode()) + sum(len(one.encode()) for one in entry.get("Resources", [])) + _BESIDE
