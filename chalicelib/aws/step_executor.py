"""Takes the steps of a remediation in one account, through its IAM client.

Source: IAM API reference; botocore's service model for the names of operations and of what they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from chalicelib.aws.errors import ERRORS, reason_of
from chalicelib.aws.exact_calls import be_exact
from chalicelib.aws.step_state import state_of, version_saying, versions_of
from chalicelib.execution.ports import StepFailed
from chalicelib.remediation.step import Step, StepKind, digest_of


@dataclass(frozen=True, slots=True)
class _Call:
    """The call that a kind of step makes."""

    action: str
    given: Mapping[str, str]
    """What the call is given → the field of the step that has it."""
    changes: tuple[str, ...]
    """The keys of an expectation that it changes itself."""
    reads: str
    """The actions by which all that such a step expects is read."""
    always: Mapping[str, Any] = field(default_factory=dict)


_USER = {"UserName": "user"}
_GROUP = {"GroupName": "group"}
_ARN = {"PolicyArn": "policy"}
_INLINE = {"PolicyName": "policy", "PolicyDocument": "document"}
_VERSION = {**_ARN, "VersionId": "version"}
_DOCUMENT_OF_POLICY = "GetPolicy GetPolicyVersion"
_OF_MEMBERSHIP = f"ListGroupsForUser ListGroupPolicies GetGroupPolicy ListAttachedGroupPolicies {_DOCUMENT_OF_POLICY}"
_OF_VERSIONS = "ListPolicyVersions GetPolicyVersion"

_ACTIVE = {"Status": "Active"}
_INACTIVE = {"Status": "Inactive"}


def _attaching(verb: str, owner: str, named: Mapping[str, str]) -> _Call:
    reads = f"ListAttached{owner}Policies {_DOCUMENT_OF_POLICY}"
    return _Call(f"{verb}{owner}Policy", {**named, **_ARN}, ("attachment",), reads)


def _joining(action: str) -> _Call:
    return _Call(action, {**_USER, **_GROUP}, ("membership",), _OF_MEMBERSHIP)


def _putting(owner: str, named: Mapping[str, str]) -> _Call:
    return _Call(f"Put{owner}Policy", {**named, **_INLINE}, ("document",), f"Get{owner}Policy List{owner}Policies")


def _deleting(owner: str, named: Mapping[str, str]) -> _Call:
    return replace(_putting(owner, named), action=f"Delete{owner}Policy", given={**named, "PolicyName": "policy"})


def _bounding(action: str, given: Mapping[str, str]) -> _Call:
    return _Call(action, given, ("boundary",), "GetUser")


def _switching(status: Mapping[str, str], action: str, key: str, reads: str) -> _Call:
    return _Call(action, {**_USER, key: "key"}, ("status",), reads, status)


def _access_key(status: Mapping[str, str]) -> _Call:
    return _switching(status, "UpdateAccessKey", "AccessKeyId", "ListAccessKeys")


def _ssh_key(status: Mapping[str, str]) -> _Call:
    return _switching(status, "UpdateSSHPublicKey", "SSHPublicKeyId", "ListSSHPublicKeys")


_CALLS: Mapping[StepKind, _Call] = {
    StepKind.ATTACH_USER_POLICY: _attaching("Attach", "User", _USER),
    StepKind.DETACH_USER_POLICY: _attaching("Detach", "User", _USER),
    StepKind.ATTACH_GROUP_POLICY: _attaching("Attach", "Group", _GROUP),
    StepKind.DETACH_GROUP_POLICY: _attaching("Detach", "Group", _GROUP),
    StepKind.ADD_USER_TO_GROUP: _joining("AddUserToGroup"),
    StepKind.REMOVE_USER_FROM_GROUP: _joining("RemoveUserFromGroup"),
    StepKind.PUT_USER_POLICY: _putting("User", _USER),
    StepKind.DELETE_USER_POLICY: _deleting("User", _USER),
    StepKind.PUT_GROUP_POLICY: _putting("Group", _GROUP),
    StepKind.DELETE_GROUP_POLICY: _deleting("Group", _GROUP),
    StepKind.CREATE_POLICY_VERSION: _Call(
        "CreatePolicyVersion",
        {**_ARN, "PolicyDocument": "document"},
        ("versions",),
        _OF_VERSIONS,
        {"SetAsDefault": False},
    ),
    StepKind.DELETE_POLICY_VERSION: _Call("DeletePolicyVersion", _VERSION, ("versions",), _OF_VERSIONS),
    StepKind.SET_DEFAULT_POLICY_VERSION: _Call(
        "SetDefaultPolicyVersion", _VERSION, ("default", "default_document"), _DOCUMENT_OF_POLICY
    ),
    StepKind.PUT_USER_BOUNDARY: _bounding("PutUserPermissionsBoundary", {**_USER, "PermissionsBoundary": "policy"}),
    StepKind.DELETE_USER_BOUNDARY: _bounding("DeleteUserPermissionsBoundary", _USER),
    StepKind.DEACTIVATE_ACCESS_KEY: _access_key(_INACTIVE),
    StepKind.ACTIVATE_ACCESS_KEY: _access_key(_ACTIVE),
    StepKind.DEACTIVATE_SSH_KEY: _ssh_key(_INACTIVE),
    StepKind.ACTIVATE_SSH_KEY: _ssh_key(_ACTIVE),
}

ACTIONS: Mapping[StepKind, frozenset[str]] = {
    kind: frozenset(f"iam:{action}" for action in (call.action, *call.reads.split())) for kind, call in _CALLS.items()
}
"""The IAM actions that looking at a step of each kind, taking it, and looking whether it was taken needs.

The inverse of a step is of a kind of its own, and needs that kind's.
"""

_TROUBLE = (*ERRORS, RecursionError)
"""What calls fail with; the last of them where somebody's document is nested too deep for Python."""


@dataclass(frozen=True, slots=True)
class IamStepExecutor:
    """Takes steps in the account that an IAM client belongs to: see `StepExecutor`.

    `ACTIONS` has the permissions that each kind of step needs. A look takes one to three calls, and where it is at
    what a group carries one more for each inline policy of the group, and two for each that is attached.

    A call that IAM throttles is sent again, as often as the client does that; and so is one of which no answer came,
    but for the one that would make a second version.
    """

    iam: Any

    def __post_init__(self) -> None:
        be_exact(self.iam)

    def look(self, step: Step) -> Mapping[str, str]:
        """What the keys of `step.expected` are now; of a user, group, policy or key that is gone, nothing."""
        try:
            return state_of(self.iam, step)
        except _TROUBLE as error:
            raise _unread(step, error) from error

    def taken(self, step: Step) -> Step | None:
        """The step as it was taken, if what it changes itself is so already.

        What it was conditional on besides may be otherwise by now, such as what an attached policy says: it was taken
        all the same, and its inverse finds that.
        """
        if step.kind in (StepKind.CREATE_POLICY_VERSION, StepKind.DELETE_POLICY_VERSION):
            return self._counted(step)
        undoing = step.inverse()
        left = {key: value for key, value in undoing.expected.items() if key in _CALLS[step.kind].changes}
        return step if left and self.look(replace(undoing, expected=left)) == left else None

    def take(self, step: Step) -> Step:
        """Make the call; the step with the version that AWS made, which is not the default one."""
        call = _CALLS[step.kind]
        given = {name: getattr(step, of) for name, of in call.given.items()}
        try:
            answer = getattr(self.iam, xform_name(call.action))(**given, **call.always)
            if step.kind is StepKind.CREATE_POLICY_VERSION:
                return replace(step, version=str(answer["PolicyVersion"]["VersionId"]))
        except _TROUBLE as error:
            told = "AWS refused it" if _is_refusal(error) else "nobody can say whether it was taken"
            raise StepFailed(f"{step.kind} of {step.target}: {told}: {reason_of(error)}") from error
        return step

    def _counted(self, step: Step) -> Step | None:
        """The step that made or deleted a version. AWS counts, and gives no number twice: one that is gone stays gone.

        One that was made is known by what it says, and by being new. Of several it is the first one: while another
        hand's version was there already, the step was not taken.
        """
        known = step.expected.get("versions", "").split()
        try:
            if step.kind is StepKind.DELETE_POLICY_VERSION:
                versions = versions_of(self.iam, step.policy)
                return step if versions and step.version not in versions else None
            made = version_saying(self.iam, step.policy, digest_of(step.document or ""), known) if known else None
        except _TROUBLE as error:
            raise _unread(step, error) from error
        return replace(step, version=made) if made else None


def _unread(step: Step, error: Exception) -> StepFailed:
    return StepFailed(f"{step.target} could not be read: {reason_of(error)}")


def _is_refusal(error: Exception) -> bool:
    """Whether it is AWS that says no; where it says that it failed itself, nobody knows how far it came."""
    if not isinstance(error, ClientError):
        return False
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) < 500
