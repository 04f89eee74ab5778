"""An account in memory that steps are taken in, as AWS takes them: what is asked is answered from a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chalicelib.execution.ports import StepFailed
from chalicelib.iam.account import AccountSnapshot, Group, User
from chalicelib.remediation.applying import NotApplicableError, apply_step
from chalicelib.remediation.building import carried_by
from chalicelib.remediation.step import ABSENT, PRESENT, Step, StepKind, digest_of


@dataclass
class SnapshotExecutor:
    """A `StepExecutor`, and what reads the account. `calls` are the changes that were made, in order."""

    snapshot: AccountSnapshot
    calls: list[Step] = field(default_factory=list)
    next_version: int | None = None
    """What AWS calls the next version of a policy, where that is not the number after the last one's."""
    refuses: Callable[[Step], str] = lambda step: ""
    before_look: Callable[[], None] = lambda: None

    def read(self, _users: Sequence[str] = ()) -> AccountSnapshot:
        """The account."""
        return self.snapshot

    def look(self, step: Step) -> Mapping[str, str]:
        """See `StepExecutor`."""
        self.before_look()
        found = {key: _FACTS[key](self.snapshot, step) for key in step.expected}
        return {key: value for key, value in found.items() if value is not None}

    def taken(self, step: Step) -> Step | None:
        """See `StepExecutor`."""
        if step.kind is StepKind.CREATE_POLICY_VERSION:
            there = step.expected["versions"].split()
            made = [
                one.id
                for one in self.snapshot.policies[step.policy or ""].versions
                if one.id not in there and digest_of(one.text) == digest_of(step.document or "")
            ]
            return replace(step, version=made[0]) if made else None
        back = step.inverse()
        return step if self.look(back) == dict(back.expected) else None

    def take(self, step: Step) -> Step:
        """See `StepExecutor`."""
        if reason := self.refuses(step):
            raise StepFailed(reason)
        if step.kind is StepKind.CREATE_POLICY_VERSION and self.next_version is not None:
            step = replace(step, version=f"v{self.next_version}")
            self.next_version += 1
        try:
            self.snapshot = apply_step(self.snapshot, step)
        except NotApplicableError as error:
            raise StepFailed(str(error)) from None
        self.calls.append(step)
        return step


def _owner(snapshot: AccountSnapshot, step: Step) -> User | Group | None:
    return snapshot.users.get(step.user) if step.user else snapshot.groups.get(step.group or "")


def _attachment(snapshot: AccountSnapshot, step: Step) -> str | None:
    owner = _owner(snapshot, step)
    return None if owner is None else PRESENT if step.policy in owner.attached else ABSENT


def _membership(snapshot: AccountSnapshot, step: Step) -> str | None:
    user = snapshot.users.get(step.user or "")
    return None if user is None else PRESENT if step.group in user.groups else ABSENT


def _carries(snapshot: AccountSnapshot, step: Step) -> str | None:
    group = snapshot.groups.get(step.group or "")
    return None if group is None else carried_by(snapshot, group)


def _document(snapshot: AccountSnapshot, step: Step) -> str | None:
    if step.version is not None:
        policy = snapshot.policies.get(step.policy or "")
        texts = [one.text for one in policy.versions if one.id == step.version] if policy else []
    else:
        owner = _owner(snapshot, step)
        texts = [one.text for one in owner.inline if one.name == step.policy] if owner else []
    return digest_of(texts[0]) if texts else ABSENT


def _default(snapshot: AccountSnapshot, step: Step) -> str | None:
    policy = snapshot.policies.get(step.policy or "")
    return policy.version if policy else None


def _default_document(snapshot: AccountSnapshot, step: Step) -> str | None:
    policy = snapshot.policies.get(step.policy or "")
    return digest_of(policy.stored.text) if policy else None


def _versions(snapshot: AccountSnapshot, step: Step) -> str | None:
    policy = snapshot.policies.get(step.policy or "")
    return " ".join(one.id for one in policy.versions) if policy else None


def _boundary(snapshot: AccountSnapshot, step: Step) -> str | None:
    user = snapshot.users.get(step.user or "")
    return None if user is None else user.boundary or ABSENT


def _status(snapshot: AccountSnapshot, step: Step) -> str | None:
    user = snapshot.users.get(step.user or "")
    found = [one.active for one in user.credentials if one.id == step.key] if user else []
    return None if not found else "Active" if found[0] else "Inactive"


_FACTS: Mapping[str, Callable[[AccountSnapshot, Step], str | None]] = {
    "attachment": _attachment,
    "membership": _membership,
    "carries": _carries,
    "document": _document,
    "default": _default,
    "default_document": _default_document,
    "versions": _versions,
    "boundary": _boundary,
    "status": _status,
}
