"""What the deployed rules let through of what CloudTrail records: EventBridge's patterns, as data. Pure.

Every pattern asks for a source of AWS's own, `aws.`: with such a one nobody but AWS can put events on a bus
(EventBridge API reference, PutEvents), so that what looks like a record is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.events.effects import EFFECTS

Pattern = dict[str, Any]

RECORDS = (
    "AWS API Call via CloudTrail",
    "AWS Console Sign In via CloudTrail",
    "AWS Console Signin via CloudTrail",
    "AWS Service Event via CloudTrail",
)
"""The detail-types of records. Of sign-ins AWS's pages and its events write it in two ways."""

IAM, CODECOMMIT, KMS, STS = "iam.amazonaws.com", "codecommit.amazonaws.com", "kms.amazonaws.com", "sts.amazonaws.com"

OPERATIONS = ("GitPull", "GitPush")
"""What Git does. A pull is a reading event: its rule has to be in the state that lets those through."""

TOO_MANY = frozenset({(STS, "AssumeRole"), (STS, "GetSessionToken")})
"""(eventSource, eventName) that the rules leave out: uses of roles and of sessions, of which there are millions.

They change nothing. Log files have them nevertheless; nobody is looked at after one."""

WHOLE = frozenset(
    {
        IAM,
        "identitystore.amazonaws.com",
        "organizations.amazonaws.com",
        "rolesanywhere.amazonaws.com",
        "sso-directory.amazonaws.com",
    }
)
"""Services of which every event that writes is let through: they are few, and new ones are heard from the first day."""

OWN_READING = "GenerateCredentialReport"
"""The one event of IAM's that an audit causes itself and that a rule would let through."""

BY_HAND: Pattern = {"userIdentity": {"invokedBy": [{"exists": False}]}}
NARROWER: Mapping[tuple[str, str], Pattern] = {(KMS, "CreateGrant"): BY_HAND}
"""What else is asked of an event. Services give themselves a grant for each volume and each database that they make."""

LONGEST = 2048
"""Characters that EventBridge takes for a pattern (EventBridge User Guide, "Amazon EventBridge quotas")."""


def changes_of(events: Iterable[tuple[str, str]]) -> Pattern:
    """The pattern of these events by (eventSource, eventName), and of the services that are whole; without Git's own.

    It lets a few more through, which nobody has to know: it asks for one of the services and one of the names, as a
    pattern with the names of each service would be longer than EventBridge takes.
    """
    left_out = TOO_MANY | {(CODECOMMIT, name) for name in OPERATIONS}
    wanted = set(events) - left_out
    plain = [event for event in wanted if event[0] not in WHOLE and event not in NARROWER]
    alternatives: list[Pattern] = [
        {"eventSource": sorted(WHOLE), "eventName": [{"anything-but": [OWN_READING]}]},
        *(
            {"eventSource": [one[0]], "eventName": [one[1]], **NARROWER[one]}
            for one in sorted(wanted & NARROWER.keys())
        ),
        {"eventSource": sorted({source for source, _ in plain}), "eventName": sorted({name for _, name in plain})},
    ]
    return {"source": [{"prefix": "aws."}], "detail-type": list(RECORDS), "detail": {"$or": alternatives}}


CHANGES: Pattern = changes_of(EFFECTS)
"""What `hear_change` hears."""

GIT: Pattern = {
    "source": [{"prefix": "aws."}],
    "detail-type": [RECORDS[0]],
    "detail": {"eventSource": [CODECOMMIT], "eventName": list(OPERATIONS)},
}
"""What `hear_git` hears."""

FORWARDED: Pattern = {
    "source": [{"prefix": "aws."}],
    "detail-type": [{"suffix": " via CloudTrail"}],
    "detail": {"eventName": [{"anything-but": list(OPERATIONS)}]},
}
"""What `hear_change` hears on the bus of what other accounts and regions forward: they have chosen already."""
