"""Trails and rules that somebody has switched off, narrowed or deleted, as CloudTrail recorded it, and on again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.accounts.build import ACCOUNT, TAKEN, Json
from tests.controls.cases.base import Case
from tests.events.git_records import record as git
from tests.events.records import record_of

HOUR = timedelta(hours=1)
TRAIL = f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/main"
RULE = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/mfawatch-hear-change"
OTHER = "444455556666"
ADDRESS, AGENT = "203.0.113.9", "aws-cli/2.27.1"


def happened(event: str, hours: float = 1, **case: Any) -> Json:
    """An event so many hours before the audit; `case` as of `tests.events.records`."""
    told = {"eventTime": (TAKEN - hours * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")} | case.pop("record", {})
    return record_of({"id": f"{event} {hours}", "event": event, **case, "record": told})


def of_trail(event: str, hours: float = 1, **parameters: Any) -> Json:
    """An event about the trail."""
    return happened(f"cloudtrail {event}", hours, parameters={"name": "main", **parameters})


def of_rule(event: str, hours: float = 1, name: str = "mfawatch-hear-change", **parameters: Any) -> Json:
    """An event about a rule."""
    key = "rule" if event.endswith("Targets") else "name"
    return happened(f"events {event}", hours, parameters={key: name, **parameters})


def case(name: str, records: Sequence[Json], summary: str = "", resource: str = TRAIL) -> Case:
    """A case of auditing-switched-off: what the evidence says in short, or nothing where nothing is found."""
    found: dict[str, Any] = {"severity": "high", "told": {"summary": summary}, "resource": resource} if summary else {}
    return Case("auditing-switched-off", name, records=records, about_root=True, **found)


NARROW: Json = {"eventSelectors": [{"readWriteType": "ReadOnly", "includeManagementEvents": True}], "trailName": "main"}
WIDE: Json = {"eventSelectors": [{"readWriteType": "All", "includeManagementEvents": True}], "trailName": "main"}
STOPPED = "main: it records no events"
BY = {"actor": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/deployer", "address": ADDRESS, "agent": AGENT}

RAISED = [
    case("a trail is stopped", [of_trail("StopLogging")], STOPPED),
    case("a trail is deleted", [of_trail("DeleteTrail")], STOPPED),
    case("a trail is named by its ARN", [of_trail("StopLogging", name=TRAIL)], STOPPED),
    case(
        "a trail leaves out regions",
        [of_trail("UpdateTrail", isMultiRegionTrail=False)],
        "main: it leaves out regions or global services, as IAM is one",
    ),
    case(
        "a trail leaves out what changes something",
        [of_trail("PutEventSelectors", **NARROW)],
        "main: it leaves out events that change something",
    ),
    case(
        "a rule is disabled",
        [of_rule("DisableRule")],
        "mfawatch-hear-change: it is disabled or deleted",
        RULE,
    ),
    case("a rule is deleted", [of_rule("DeleteRule")], "mfawatch-hear-change: it is disabled or deleted", RULE),
    case(
        "a rule is put as disabled",
        [of_rule("PutRule", state="DISABLED")],
        "mfawatch-hear-change: it is disabled or deleted",
        RULE,
    ),
    case(
        "a rule loses targets",
        [of_rule("RemoveTargets", ids=["1"])],
        "mfawatch-hear-change: it leads to fewer targets",
        RULE,
    ),
    case(
        "one thing in several ways",
        [of_trail("PutEventSelectors", 3, **NARROW), of_trail("StopLogging", 2)],
        "main: it records no events; it leaves out events that change something",
    ),
    case(
        "one way is undone and another is not",
        [of_trail("StopLogging", 3), of_trail("PutEventSelectors", 2, **NARROW), of_trail("StartLogging", 1)],
        "main: it leaves out events that change something",
    ),
    case(
        "switched off, on and off again, told in any order",
        [of_trail("StartLogging", 2), of_trail("StopLogging", 1), of_trail("StopLogging", 3)],
        STOPPED,
    ),
    case("long ago", [of_trail("StopLogging", 24 * 80)], STOPPED),
]

SILENT = [
    case("nothing was seen", []),
    case("only Git was seen", [git()]),
    case("a trail is started again", [of_trail("StopLogging", 2), of_trail("StartLogging", 1)]),
    case("told in the other order", [of_trail("StartLogging", 1), of_trail("StopLogging", 2)]),
    case(
        "selectors are as they were",
        [of_trail("PutEventSelectors", 2, **NARROW), of_trail("PutEventSelectors", 1, **WIDE)],
    ),
    case("regions are recorded again", [of_trail("UpdateTrail", isMultiRegionTrail=True)]),
    case("a rule is enabled again", [of_rule("DisableRule", 2), of_rule("EnableRule", 1)]),
    case("a rule has its targets again", [of_rule("RemoveTargets", 2), of_rule("PutTargets", 1, targets=[])]),
    case("somebody else's rule", [of_rule("DeleteRule", name="nightly-backup")]),
    case("a trail changes something else", [of_trail("UpdateTrail", s3BucketName="logs")]),
    case(
        "a refused try",
        [happened("cloudtrail StopLogging", denied=TRAIL, parameters={"name": "main"})],
    ),
    case("another account's trail", [of_trail("StopLogging", name=TRAIL.replace(ACCOUNT, OTHER))]),
]

SIGHT = [*RAISED, *SILENT]
