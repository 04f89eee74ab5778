"""The auditor's own sight: trails that stop recording and rules that stop handing on, and their undoing. Pure.

A trail or a rule can be blinded in several ways, and undoing one undoes no other: selectors that let nothing through do
so after StartLogging too. Each way is an aspect, and what is told of one is told of it alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.cause import Cause, parse_cause
from chalicelib.events.causes import cause_of
from chalicelib.events.fields import text_in
from chalicelib.events.patterns import CHANGES, FORWARDED, GIT
from chalicelib.events.record import Record
from chalicelib.events.refusals import is_refused, target_of
from chalicelib.events.selectors import select_changes

OURS = "mfawatch"
"""How the names of the rules begin that lead to mfawatch; other rules are nobody's business."""

_TRAIL, _RULE = "trail", "rule"
_ARN = re.compile(
    r"arn:(?P<partition>[\w-]+):(?P<service>cloudtrail|events):(?P<region>[\w-]*):(?P<account>[0-9]{12})"
    r":(?P<kind>trail|rule)/(?:[\w.-]{1,256}/)?(?P<name>[\w.-]{1,128})",
    re.ASCII,
)
_NAME = re.compile(r"[\w.-]{1,128}", re.ASCII)
_BUS = re.compile(r"(?:arn:.*:event-bus/)?(?P<name>[\w.-]{1,256})", re.ASCII)
_REGION = re.compile(r"[\w-]{0,64}", re.ASCII)


class Aspect(StrEnum):
    """A way in which a trail or a rule is blinded."""

    RECORDING = "records"
    COVERAGE = "regions and global services"
    SELECTION = "selected events"
    MATCHING = "matching"
    TARGETS = "targets"


@dataclass(frozen=True, slots=True)
class Watched:
    """A trail or a rule, by ARN and by name, and the account that it is in."""

    account: str
    resource: str
    name: str


@dataclass(frozen=True, slots=True)
class SightLoss:
    """One aspect of what shows the auditor an account, after the event that switched it off, or on again."""

    account: str
    resource: str
    name: str
    at: datetime | None
    off: bool
    cause: Cause
    aspect: Aspect = Aspect.RECORDING

    @property
    def id(self) -> str:
        """32 hexadecimal digits that name the aspect of the resource: of one id, the latest event counts."""
        parts = json.dumps([self.account, self.resource, self.aspect])
        return hashlib.sha256(parts.encode()).hexdigest()[:32]

    def to_json(self) -> dict[str, Any]:
        """The loss as JSON values."""
        return {
            "account": self.account,
            "resource": self.resource,
            "name": self.name,
            "at": self.at.isoformat() if self.at else None,
            "off": self.off,
            "cause": self.cause.to_json(),
            "aspect": str(self.aspect),
        }


def parse_sight_loss(value: Mapping[str, Any]) -> SightLoss:
    """The loss by its JSON values, as `SightLoss.to_json` gives them."""
    at = value["at"]
    return SightLoss(
        account=value["account"],
        resource=value["resource"],
        name=value["name"],
        at=datetime.fromisoformat(at) if at else None,
        off=bool(value["off"]),
        cause=parse_cause(value["cause"]),
        aspect=Aspect(value["aspect"]),
    )


def sight_of(record: Record) -> SightLoss | None:
    """What the event does to the auditor's sight; None where it does nothing to it, was refused, or does not say."""
    found = _SIGHTS.get((record.source, record.name))
    if found is None or is_refused(record):
        return None
    aspect, is_off = found
    watched, off = watched_resource(record), is_off(record)
    if watched is None or off is None:
        return None
    return SightLoss(watched.account, watched.resource, watched.name, record.at, off, cause_of(record), aspect)


def watched_resource(record: Record) -> Watched | None:
    """The trail, whichever, or the rule of mfawatch that the event is about; None where it is about another."""
    kind = _TRAIL if record.source == "cloudtrail.amazonaws.com" else _RULE
    parameters = record.parameters
    called = text_in(parameters, "rule" if record.name in ("PutTargets", "RemoveTargets") else "name")
    called = called or text_in(parameters, "trailName") or target_of(record.error_message).arn
    watched = _by_arn(called, kind) if called.startswith("arn:") else _by_name(called, kind, record)
    if watched is None or (kind == _RULE and not watched.name.startswith(OURS)):
        return None
    return watched


def _by_arn(arn: str, kind: str) -> Watched | None:
    found = _ARN.fullmatch(arn)
    return Watched(found["account"], arn, found["name"]) if found and found["kind"] == kind else None


def _by_name(name: str, kind: str, record: Record) -> Watched | None:
    if not record.account or not _NAME.fullmatch(name) or not _REGION.fullmatch(record.region):
        return None
    service = "cloudtrail" if kind == _TRAIL else "events"
    place = f"arn:{_partition(record.region)}:{service}:{record.region}:{record.account}"
    bus = _BUS.fullmatch(text_in(record.parameters, "eventBusName"))
    path = f"{bus['name']}/" if bus and bus["name"] != "default" else ""
    return Watched(record.account, f"{place}:{kind}/{path}{name}", name)


def _partition(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _covers_less(record: Record) -> bool | None:
    """Whether the trail is told to leave out regions, or global services such as IAM; None where it is told neither."""
    told = [record.parameters.get(name) for name in ("includeGlobalServiceEvents", "isMultiRegionTrail")]
    return True if any(one is False for one in told) else False if any(one is True for one in told) else None


def _selects_less(record: Record) -> bool | None:
    selects = select_changes(record.parameters)
    return None if selects is None else not selects


def _is_disabled(record: Record) -> bool | None:
    """Whether the rule is put as disabled. It is on again with a pattern of ours; of any other nobody knows what it
    lets through."""
    if text_in(record.parameters, "state") == "DISABLED":
        return True
    try:
        pattern = json.loads(text_in(record.parameters, "eventPattern") or "null")
    except (ValueError, RecursionError):
        return None
    return False if pattern in (CHANGES, GIT, FORWARDED) else None


def _leads_nowhere(record: Record) -> bool | None:
    """Not, as there are targets again; None where EventBridge did not take all of them."""
    return None if record.response.get("failedEntryCount") else False


def _off(_: Record) -> bool:
    return True


def _on(_: Record) -> bool:
    return False


# A new trail records nothing before StartLogging, but selects all management events: what narrowed an earlier trail of
# its name is gone.
_SIGHTS: Mapping[tuple[str, str], tuple[Aspect, Callable[[Record], bool | None]]] = {
    ("cloudtrail.amazonaws.com", "StopLogging"): (Aspect.RECORDING, _off),
    ("cloudtrail.amazonaws.com", "DeleteTrail"): (Aspect.RECORDING, _off),
    ("cloudtrail.amazonaws.com", "StartLogging"): (Aspect.RECORDING, _on),
    ("cloudtrail.amazonaws.com", "UpdateTrail"): (Aspect.COVERAGE, _covers_less),
    ("cloudtrail.amazonaws.com", "PutEventSelectors"): (Aspect.SELECTION, _selects_less),
    ("cloudtrail.amazonaws.com", "CreateTrail"): (Aspect.SELECTION, _on),
    ("events.amazonaws.com", "DisableRule"): (Aspect.MATCHING, _off),
    ("events.amazonaws.com", "DeleteRule"): (Aspect.MATCHING, _off),
    ("events.amazonaws.com", "EnableRule"): (Aspect.MATCHING, _on),
    ("events.amazonaws.com", "PutRule"): (Aspect.MATCHING, _is_disabled),
    ("events.amazonaws.com", "RemoveTargets"): (Aspect.TARGETS, _off),
    ("events.amazonaws.com", "PutTargets"): (Aspect.TARGETS, _leads_nowhere),
}
