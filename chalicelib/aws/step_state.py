"""What a step of a remediation is conditional on, as it is in the account now.

Source: IAM API reference. That nothing is there is said only of what could be there: where the user, the group or the
policy itself is gone, nothing is said, and no expectation holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property, partial
from typing import Any

from chalicelib.aws.errors import Pages, code_of
from chalicelib.aws.exact_calls import digest_in
from chalicelib.iam.account import PolicyVersion
from chalicelib.remediation.building import carrying
from chalicelib.remediation.step import ABSENT, PRESENT, Step, StepKind

PAGE = 1000
"""Items a page, the most that IAM gives."""


class _GoneError(Exception):
    """The user, group, policy or version that was asked about does not exist."""


def state_of(iam: Any, step: Step) -> dict[str, str]:
    """What the keys of `step.expected` are now; one of which nothing can be said is absent.

    `iam` is a client that is exact. What a call fails with is caught neither here nor in the other functions.
    """
    state, found = _State(iam, step), {}
    for key in step.expected:
        if key in _KEYS:
            try:
                found[key] = _KEYS[key](state)
            except _GoneError:
                continue
    return found


def versions_of(iam: Any, policy: str | None) -> list[str]:
    """The ids of a managed policy's versions, by number; none where the policy is gone: it would have one."""
    return state_of(iam, _asking_for_versions(policy)).get("versions", "").split()


def version_saying(iam: Any, policy: str | None, digest: str, known: Collection[str]) -> str | None:
    """The first version of a managed policy that says that and is none of those known; None where there is none."""
    state = _State(iam, _asking_for_versions(policy))
    try:
        new = [version for version in state.versions().split() if version not in known]
        return next((version for version in new if state.says(version) == digest), None)
    except _GoneError:
        return None


def _asking_for_versions(policy: str | None) -> Step:
    return Step(StepKind.CREATE_POLICY_VERSION, policy=policy, expected={"versions": ""})


class _State:
    """One look at what surrounds a step. Each thing is asked for once, however many keys depend on it."""

    def __init__(self, iam: Any, step: Step) -> None:
        self._iam = iam
        self._step = step
        self._asked: dict[tuple[str, str], str] = {}

    # --- the keys ----------------------------------------------------------------------------------------------------

    def attachment(self) -> str:
        """Whether the policy is attached to the user or the group; a policy that is gone could not be."""
        call = self._iam.list_attached_user_policies if self._of_user else self._iam.list_attached_group_policies
        if any(one["PolicyArn"] == self._step.policy for one in self._pages(call, "AttachedPolicies", **self._owner)):
            return PRESENT
        return self._absent_from(lambda: self._default)

    def membership(self) -> str:
        """Whether the user is in the group."""
        groups = self._pages(self._iam.list_groups_for_user, "Groups", UserName=self._step.user)
        if any(one["GroupName"] == self._step.group for one in groups):
            return PRESENT
        return self._absent_from(lambda: self._group_policies)

    def carries(self) -> str:
        """All that the group's members inherit."""
        inline = [(name, self._group_inline(name)) for name in self._group_policies]
        call = partial(self._iam.list_attached_group_policies, GroupName=self._step.group)
        arns = [one["PolicyArn"] for one in self._pages(call, "AttachedPolicies")]
        return carrying([(arn, self._version(arn, self._default_of(arn))) for arn in arns], inline)

    def document(self) -> str:
        """What the inline policy, or the version, says."""
        of_version = self._step.user is None and self._step.group is None
        try:
            return self.says(self._step.version) if of_version else self._inline(self._step.policy)
        except _GoneError:
            return self._absent_from(lambda: self._default if of_version else self._inline_names())

    def default(self) -> str:
        """Which version is the default one."""
        return self._default

    def default_document(self) -> str:
        """What the default version says."""
        return self.says(self._default)

    def versions(self) -> str:
        """The versions that there are."""
        return " ".join(one["VersionId"] for one in self._versions)

    def boundary(self) -> str:
        """The user's boundary."""
        found = self._ask(self._iam.get_user, UserName=self._step.user)["User"].get("PermissionsBoundary")
        return str(found["PermissionsBoundaryArn"]) if found else ABSENT

    def status(self) -> str:
        """Whether the key is active."""
        if self._step.kind in (StepKind.ACTIVATE_SSH_KEY, StepKind.DEACTIVATE_SSH_KEY):
            call, name, id_ = self._iam.list_ssh_public_keys, "SSHPublicKeys", "SSHPublicKeyId"
        else:
            call, name, id_ = self._iam.list_access_keys, "AccessKeyMetadata", "AccessKeyId"
        for one in self._pages(call, name, UserName=self._step.user):
            if one[id_] == self._step.key:
                return str(one["Status"])
        raise _GoneError

    def says(self, version: str | None) -> str:
        """What a version of the step's policy says."""
        return self._version(self._step.policy, version)

    # --- what they are made of ---------------------------------------------------------------------------------------

    @property
    def _of_user(self) -> bool:
        return self._step.user is not None

    @property
    def _owner(self) -> Mapping[str, Any]:
        return {"UserName": self._step.user} if self._of_user else {"GroupName": self._step.group}

    @cached_property
    def _default(self) -> str:
        """The default version of the step's policy; a list of versions that is needed anyway tells it as well."""
        if "versions" in self._step.expected:
            [default] = [str(one["VersionId"]) for one in self._versions if one["IsDefaultVersion"]]
            return default
        return self._default_of(self._step.policy)

    def _default_of(self, arn: str | None) -> str:
        return str(self._ask(self._iam.get_policy, PolicyArn=arn)["Policy"]["DefaultVersionId"])

    @cached_property
    def _versions(self) -> list[Mapping[str, Any]]:
        found = self._pages(self._iam.list_policy_versions, "Versions", PolicyArn=self._step.policy)
        return sorted(found, key=lambda one: PolicyVersion(one["VersionId"], "").number)

    @cached_property
    def _group_policies(self) -> list[str]:
        return list(self._pages(self._iam.list_group_policies, "PolicyNames", GroupName=self._step.group))

    def _inline_names(self) -> Any:
        """Asks for a list that every user and group has, if an empty one."""
        return self._ask(self._iam.list_user_policies, **self._owner) if self._of_user else self._group_policies

    def _inline(self, name: str | None) -> str:
        if not self._of_user:
            return self._group_inline(name)
        answer = self._ask(self._iam.get_user_policy, UserName=self._step.user, PolicyName=name)
        return digest_in("GetUserPolicy", answer)

    def _group_inline(self, name: str | None) -> str:
        answer = self._ask(self._iam.get_group_policy, GroupName=self._step.group, PolicyName=name)
        return digest_in("GetGroupPolicy", answer)

    def _version(self, arn: str | None, version: str | None) -> str:
        key = str(arn), str(version)
        if key not in self._asked:
            answer = self._ask(self._iam.get_policy_version, PolicyArn=arn, VersionId=version)
            self._asked[key] = digest_in("GetPolicyVersion", answer)
        return self._asked[key]

    @staticmethod
    def _absent_from(ask: Callable[[], Any]) -> str:
        """That something is absent, unless what it would belong to is gone as well."""
        ask()
        return ABSENT

    def _ask(self, call: Callable[..., Any], **named: Any) -> Any:
        try:
            return call(**named)
        except Exception as error:
            if code_of(error) == "NoSuchEntity":
                raise _GoneError from None
            raise

    def _pages(self, call: Callable[..., Any], name: str, **named: Any) -> Iterator[Any]:
        """The items of a list, of which no more pages are asked for than are looked at."""
        pages, marker = Pages(), dict[str, str]()
        while True:
            page = self._ask(call, MaxItems=PAGE, **named, **marker)
            yield from page[name]
            if not page.get("IsTruncated"):
                return
            marker = {"Marker": pages.next(page["Marker"])}


_KEYS: Mapping[str, Callable[[_State], str]] = {
    "attachment": _State.attachment,
    "membership": _State.membership,
    "carries": _State.carries,
    "document": _State.document,
    "default": _State.default,
    "default_document": _State.default_document,
    "versions": _State.versions,
    "boundary": _State.boundary,
    "status": _State.status,
}
