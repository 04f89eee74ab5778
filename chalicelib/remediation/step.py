"""One step of a remediation: a single call to IAM, what it is conditional on, and what undoes it. Pure values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

ABSENT = "absent"
"""As an expectation: it is not there."""
PRESENT = "present"
"""As an expectation: it is there, whatever it says."""


class StepKind(StrEnum):
    """The calls that steps make."""

    ATTACH_USER_POLICY = "attach-user-policy"
    DETACH_USER_POLICY = "detach-user-policy"
    ATTACH_GROUP_POLICY = "attach-group-policy"
    DETACH_GROUP_POLICY = "detach-group-policy"
    ADD_USER_TO_GROUP = "add-user-to-group"
    REMOVE_USER_FROM_GROUP = "remove-user-from-group"
    PUT_USER_POLICY = "put-user-policy"
    DELETE_USER_POLICY = "delete-user-policy"
    PUT_GROUP_POLICY = "put-group-policy"
    DELETE_GROUP_POLICY = "delete-group-policy"
    CREATE_POLICY_VERSION = "create-policy-version"
    DELETE_POLICY_VERSION = "delete-policy-version"
    SET_DEFAULT_POLICY_VERSION = "set-default-policy-version"
    PUT_USER_BOUNDARY = "put-user-boundary"
    DELETE_USER_BOUNDARY = "delete-user-boundary"
    DEACTIVATE_ACCESS_KEY = "deactivate-access-key"
    ACTIVATE_ACCESS_KEY = "activate-access-key"
    DEACTIVATE_SSH_KEY = "deactivate-ssh-key"
    ACTIVATE_SSH_KEY = "activate-ssh-key"


@dataclass(frozen=True, slots=True)
class Step:
    """One call: what it changes, why, and on which condition.

    `policy` is the ARN of a managed policy, of a boundary, or the name of an inline policy. `document` is the JSON text
    that the step writes or deletes, `before` the document or the boundary that it replaces; None where there is none.
    `version` is the version that is created, deleted or made the default one. AWS counts versions itself: of one that
    is created it is the id to be expected.

    `expected` is what the plan saw. A step is to be taken only while that holds:

    | key | value | of |
    |---|---|---|
    | attachment | absent, present | the policy attached to the user or the group |
    | membership | absent, present | the user in the group |
    | carries | digest | all that the group's members inherit |
    | document | digest, or absent | the inline policy; the version that is deleted or becomes the default one |
    | default | version | which is the default one now |
    | default_document | digest | what the default version says |
    | versions | ids with spaces between them | the versions that there are |
    | boundary | ARN, or absent | the user's boundary |
    | status | Active, Inactive | the key |
    """

    kind: StepKind
    user: str | None = None
    group: str | None = None
    policy: str | None = None
    document: str | None = None
    before: str | None = None
    version: str | None = None
    key: str | None = None
    reason: str = ""
    """Why, in a sentence."""
    effect: str = ""
    """What will be so afterwards, in a sentence."""
    findings: tuple[str, ...] = ()
    """The fingerprints of the findings that it has a part in mending."""
    expected: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """What is changed, for a reader: the user, the group or the policy."""
        if self.user is not None:
            return f"user {self.user}"
        return f"group {self.group}" if self.group is not None else f"policy {self.policy}"

    def inverse(self) -> Step:
        """The step that undoes this one exactly."""
        undoing = replace(
            self,
            reason=f"undoes {self.kind} of {self.target}",
            effect="what was before is so again",
            findings=(),
        )
        return _INVERSES[self.kind](undoing)

    def to_json(self) -> dict[str, Any]:
        """The step as JSON values."""
        return {
            "kind": str(self.kind),
            "user": self.user,
            "group": self.group,
            "policy": self.policy,
            "document": self.document,
            "before": self.before,
            "version": self.version,
            "key": self.key,
            "reason": self.reason,
            "effect": self.effect,
            "findings": list(self.findings),
            "expected": dict(sorted(self.expected.items())),
        }


def parse_step(values: Mapping[str, Any]) -> Step:
    """The step by its JSON values, as `Step.to_json` gives them.

    Raises:
        KeyError, TypeError, ValueError: they are none.
    """
    return Step(**{**values, "kind": StepKind(values["kind"]), "findings": tuple(values["findings"])})


def digest_of(text: str) -> str:
    """32 hexadecimal digits that name a document, whatever the white space in its text."""
    try:
        text = json.dumps(json.loads(text), separators=(",", ":"))
    except (ValueError, RecursionError):
        text = "".join(text.split())
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


# --- inverses --------------------------------------------------------------------------------------------------------

_Undo = Callable[[Step], Step]


def _turned(kind: StepKind, key: str, seen: str) -> _Undo:
    """The same call the other way round, which finds what this one leaves behind."""
    return lambda step: replace(step, kind=kind, expected={**step.expected, key: seen})


def _put_again(put: StepKind, delete: StepKind) -> _Undo:
    """Of putting an inline policy: what was there is put again, or what was put is deleted."""

    def undo(step: Step) -> Step:
        written = {"document": digest_of(step.document or "")}
        if step.before is None:
            return replace(step, kind=delete, expected=written)
        return replace(step, kind=put, document=step.before, before=step.document, expected=written)

    return undo


def _put_what_was_deleted(put: StepKind) -> _Undo:
    return lambda step: replace(step, kind=put, expected={"document": ABSENT})


def _delete_version(step: Step) -> Step:
    versions = f"{step.expected.get('versions', '')} {step.version}".strip()
    expected = {**step.expected, "document": digest_of(step.document or ""), "versions": versions}
    return replace(step, kind=StepKind.DELETE_POLICY_VERSION, expected=expected)


def _create_version(step: Step) -> Step:
    left = [version for version in step.expected.get("versions", "").split() if version != step.version]
    expected = {key: value for key, value in step.expected.items() if key != "document"}
    return replace(step, kind=StepKind.CREATE_POLICY_VERSION, expected={**expected, "versions": " ".join(left)})


def _set_default(step: Step) -> Step:
    seen = step.expected
    expected = {
        "default": step.version or "",
        "default_document": seen.get("document", ""),
        "document": seen.get("default_document", ""),
    }
    return replace(step, version=seen["default"], expected={**seen, **expected})


def _boundary(step: Step) -> Step:
    """Of putting a boundary, in the place of another or of none, and of deleting one."""
    if step.kind is StepKind.DELETE_USER_BOUNDARY:
        return replace(step, kind=StepKind.PUT_USER_BOUNDARY, expected={"boundary": ABSENT})
    written = {"boundary": step.policy or ""}
    if step.before is None:
        return replace(step, kind=StepKind.DELETE_USER_BOUNDARY, expected=written)
    return replace(step, policy=step.before, before=step.policy, expected=written)


_INVERSES: Mapping[StepKind, _Undo] = {
    StepKind.ATTACH_USER_POLICY: _turned(StepKind.DETACH_USER_POLICY, "attachment", PRESENT),
    StepKind.DETACH_USER_POLICY: _turned(StepKind.ATTACH_USER_POLICY, "attachment", ABSENT),
    StepKind.ATTACH_GROUP_POLICY: _turned(StepKind.DETACH_GROUP_POLICY, "attachment", PRESENT),
    StepKind.DETACH_GROUP_POLICY: _turned(StepKind.ATTACH_GROUP_POLICY, "attachment", ABSENT),
    StepKind.ADD_USER_TO_GROUP: _turned(StepKind.REMOVE_USER_FROM_GROUP, "membership", PRESENT),
    StepKind.REMOVE_USER_FROM_GROUP: _turned(StepKind.ADD_USER_TO_GROUP, "membership", ABSENT),
    StepKind.PUT_USER_POLICY: _put_again(StepKind.PUT_USER_POLICY, StepKind.DELETE_USER_POLICY),
    StepKind.DELETE_USER_POLICY: _put_what_was_deleted(StepKind.PUT_USER_POLICY),
    StepKind.PUT_GROUP_POLICY: _put_again(StepKind.PUT_GROUP_POLICY, StepKind.DELETE_GROUP_POLICY),
    StepKind.DELETE_GROUP_POLICY: _put_what_was_deleted(StepKind.PUT_GROUP_POLICY),
    StepKind.CREATE_POLICY_VERSION: _delete_version,
    StepKind.DELETE_POLICY_VERSION: _create_version,
    StepKind.SET_DEFAULT_POLICY_VERSION: _set_default,
    StepKind.PUT_USER_BOUNDARY: _boundary,
    StepKind.DELETE_USER_BOUNDARY: _boundary,
    StepKind.DEACTIVATE_ACCESS_KEY: _turned(StepKind.ACTIVATE_ACCESS_KEY, "status", "Inactive"),
    StepKind.ACTIVATE_ACCESS_KEY: _turned(StepKind.DEACTIVATE_ACCESS_KEY, "status", "Active"),
    StepKind.DEACTIVATE_SSH_KEY: _turned(StepKind.ACTIVATE_SSH_KEY, "status", "Inactive"),
    StepKind.ACTIVATE_SSH_KEY: _turned(StepKind.DEACTIVATE_SSH_KEY, "status", "Active"),
}
