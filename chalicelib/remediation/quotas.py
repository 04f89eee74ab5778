"""What IAM would refuse for its size or number (IAM User Guide, "IAM and AWS STS quotas"). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.analysis.proof_of_hardening import LARGEST
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.step import Step, StepKind

MOST_ATTACHED = 10
"""Managed policies attached to a user, as long as nobody asked AWS for more."""
MOST_GROUPS = 10
"""Groups of a user."""
LARGEST_OF_USER = 2_048
"""Characters of all inline policies of a user, white space not counted."""
LARGEST_OF_GROUP = 5_120
"""The same of a group."""


def too_much(snapshot: AccountSnapshot, steps: Iterable[Step]) -> str:
    """Which of the steps IAM would refuse, in words; empty where it takes all of them."""
    return next(filter(None, (_too_much(snapshot, step) for step in steps)), "")


def _too_much(snapshot: AccountSnapshot, step: Step) -> str:
    user = snapshot.users.get(step.user or "")
    if step.kind is StepKind.ATTACH_USER_POLICY and user and len(user.attached) >= MOST_ATTACHED:
        return f"{user.name} has {len(user.attached)} policies attached, and IAM takes {MOST_ATTACHED}"
    if step.kind is StepKind.ADD_USER_TO_GROUP and user and len(user.groups) >= MOST_GROUPS:
        return f"{user.name} is in {len(user.groups)} groups, and IAM takes {MOST_GROUPS}"
    if step.kind is StepKind.CREATE_POLICY_VERSION and (size := _size(step.document or "")) > LARGEST:
        return f"the document has {size:,} characters, and IAM takes {LARGEST:,}"
    if step.kind in (StepKind.PUT_USER_POLICY, StepKind.PUT_GROUP_POLICY):
        owner = user if step.user is not None else snapshot.groups.get(step.group or "")
        others = [one.text for one in owner.inline if one.name != step.policy] if owner else []
        size = sum(map(_size, [*others, step.document or ""]))
        most = LARGEST_OF_USER if step.user is not None else LARGEST_OF_GROUP
        if size > most:
            return f"the inline policies of {step.target} would have {size:,} characters, and IAM takes {most:,}"
    return ""


def _size(document: str) -> int:
    return len("".join(document.split()))
