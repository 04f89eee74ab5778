"""Cases as data: events, and whom they concern.

Each line of `impacts.jsonl` is a case. `event` is the service and the name, `by` a caller of `callers.json` (where it
is missing, a session of the role deploy); `parameters`, `response` and `additional` are the fields that mean these;
`denied` is what stands after "on resource:" in the message of a denied call; `record` replaces whatever else.

`expected` has the effect; `users`, `groups` and `policies`, or `whole` for the account, `everywhere` or `nobody`;
`account` where it is not the record's; `refused`; and `sight`, where `sight_of` gives something.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chalicelib.events.impact import Impact
from chalicelib.events.rules import Effect
from chalicelib.scope import Scope
from tests.accounts.build import ACCOUNT, TAKEN

Json = dict[str, Any]

FOLDER = Path(__file__).parent
CALLERS: dict[str, Json] = json.loads((FOLDER / "callers.json").read_text(encoding="utf-8"))
CASES: list[Json] = [json.loads(line) for line in (FOLDER / "impacts.jsonl").read_text(encoding="utf-8").splitlines()]


def record_of(case: Json) -> Json:
    """The record of a case."""
    service, name = case["event"].split()
    caller = CALLERS[case.get("by", "deployer")]
    record: Json = {
        "eventVersion": "1.11",
        "userIdentity": caller,
        "eventTime": TAKEN.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.9",
        "userAgent": "aws-cli/2.27.1",
        "requestParameters": case.get("parameters"),
        "responseElements": case.get("response"),
        "additionalEventData": case.get("additional"),
        "eventID": f"of {case['id']}",
        "readOnly": False,
        "recipientAccountId": ACCOUNT,
    }
    replaced: Json = case.get("record", {})
    return record | _denial(f"{service}:{name}", caller, case) | replaced


def _denial(action: str, caller: Json, case: Json) -> Json:
    if "denied" not in case:
        return {}
    what = f"{action} on resource: {case['denied']} because no identity-based policy allows the {action} action"
    message = f"User: {caller['arn']} is not authorized to perform: {what}"
    return {"errorCode": "AccessDenied", "errorMessage": message}


def impact_expected(case: Json) -> Impact:
    """What a case expects."""
    expected = case["expected"]
    return Impact(
        effect=Effect[expected["effect"]],
        scope=_scope(expected),
        everywhere=expected.get("everywhere", False),
        refused=expected.get("refused", False),
    )


def _scope(expected: Json) -> Scope | None:
    if expected.get("nobody") or expected.get("everywhere"):
        return None
    account = expected.get("account", ACCOUNT)
    if expected.get("whole"):
        return Scope(account)
    named = {name: frozenset(expected.get(name, ())) for name in ("users", "groups", "policies")}
    assert any(named.values())
    return Scope(account, **named)
