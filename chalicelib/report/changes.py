"""What one step of a plan changes, as a unified diff, and what undoes it, in words. Pure.

Documents are shown in one form, whoever wrote them: keys in their usual order, lists of actions, resources and values
sorted, and a list of one as what the one is.
The lines hold what somebody typed: clean them before printing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import unified_diff
from typing import Any

from chalicelib.iam.account import AccountSnapshot, Group, ManagedPolicy, User
from chalicelib.iam.documents import JsonError, parse_document
from chalicelib.remediation.step import Step, StepKind

_NOTHING = "/dev/null"
_SAME = "(the same but for how it is written)"
_ORDER = (
    *("Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal"),
    *("Action", "NotAction", "Resource", "NotResource", "Condition"),
)
_LISTS = frozenset({"Action", "NotAction", "Resource", "NotResource"})

_WORDS: Mapping[StepKind, str] = {
    StepKind.ATTACH_USER_POLICY: "attach {0.policy} to {0.target}",
    StepKind.DETACH_USER_POLICY: "detach {0.policy} from {0.target}",
    StepKind.ATTACH_GROUP_POLICY: "attach {0.policy} to {0.target}",
    StepKind.DETACH_GROUP_POLICY: "detach {0.policy} from {0.target}",
    StepKind.ADD_USER_TO_GROUP: "put user {0.user} into group {0.group}",
    StepKind.REMOVE_USER_FROM_GROUP: "take user {0.user} out of group {0.group}",
    StepKind.PUT_USER_POLICY: 'write the inline policy "{0.policy}" of {0.target}',
    StepKind.DELETE_USER_POLICY: 'delete the inline policy "{0.policy}" of {0.target}',
    StepKind.PUT_GROUP_POLICY: 'write the inline policy "{0.policy}" of {0.target}',
    StepKind.DELETE_GROUP_POLICY: 'delete the inline policy "{0.policy}" of {0.target}',
    StepKind.CREATE_POLICY_VERSION: "create version {0.version} of {0.policy}",
    StepKind.DELETE_POLICY_VERSION: "delete version {0.version} of {0.policy}",
    StepKind.SET_DEFAULT_POLICY_VERSION: "make {0.version} the default version of {0.policy}",
    StepKind.PUT_USER_BOUNDARY: "make {0.policy} the boundary of {0.target}",
    StepKind.DELETE_USER_BOUNDARY: "take the boundary {0.policy} from {0.target}",
    StepKind.DEACTIVATE_ACCESS_KEY: "deactivate access key {0.key} of {0.target}",
    StepKind.ACTIVATE_ACCESS_KEY: "activate access key {0.key} of {0.target}",
    StepKind.DEACTIVATE_SSH_KEY: "deactivate SSH key {0.key} of {0.target}",
    StepKind.ACTIVATE_SSH_KEY: "activate SSH key {0.key} of {0.target}",
}
"""Kind of step → what it does."""
_AS_BEFORE = frozenset({StepKind.PUT_USER_POLICY, StepKind.PUT_GROUP_POLICY, StepKind.CREATE_POLICY_VERSION})


def words_of(step: Step) -> str:
    """What the step does, in words."""
    return _WORDS[step.kind].format(step)


def undoing(step: Step) -> str:
    """What undoes the step, in words."""
    inverse = step.inverse()
    return words_of(inverse) + (" with the document that it has now" if inverse.kind in _AS_BEFORE else "")


def changes_of(step: Step, before: AccountSnapshot, after: AccountSnapshot, *, told: Iterable[str] = ()) -> list[str]:
    """What the step changes between the account before it and after it.

    `told` are the versions, as `version_name` names them, whose documents the reader has seen.
    """
    found = _CHANGES[step.kind](step, before, after)
    if step.kind is StepKind.SET_DEFAULT_POLICY_VERSION and version_name(step) not in told:
        was, will_be = _managed(before, step), _managed(after, step)
        names = f"{was.arn} {was.version}", f"{was.arn} {will_be.version}"
        found += document_diff(was.stored.text, will_be.stored.text, *names)
    return found


def version_name(step: Step) -> str:
    """The version of a policy that the step is about."""
    return f"{step.policy} {step.version}"


def document_diff(before: str | None, after: str | None, name: str, new_name: str = "") -> list[str]:
    """Two documents compared in the form of all; None for one that is not there."""
    found = _diff(_lines(before), _lines(after), name, new_name, gone=after is None, new=before is None)
    return found or [f"--- {name}", f"+++ {new_name or name}", f" {_SAME}"]


def _diff(
    before: Sequence[str], after: Sequence[str], name: str, new_name: str = "", *, gone: bool = False, new: bool = False
) -> list[str]:
    names = _NOTHING if new else name, _NOTHING if gone else new_name or name
    return list(unified_diff(before, after, *names, lineterm=""))


# --- documents -------------------------------------------------------------------------------------------------------


def _lines(text: str | None) -> list[str]:
    """A document in the form of all, line by line; as it stands where it is no JSON."""
    if text is None:
        return []
    try:
        value = parse_document(text)
    except JsonError:
        return text.split("\n")
    return json.dumps(_formed(value), indent=2, ensure_ascii=False).split("\n")


def _formed(value: Any, key: str = "") -> Any:
    if key == "Condition" and isinstance(value, Mapping):
        return {operator: _tests(tests) for operator, tests in sorted(value.items())}
    if key in _LISTS:
        return _values(value)
    if key == "Statement" and isinstance(value, Mapping):
        return [_formed(value)]
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
        return {name: _formed(value[name], name) for name in names}
    return [_formed(one) for one in value] if isinstance(value, list) else value


def _tests(tests: Any) -> Any:
    return {key: _values(value) for key, value in sorted(tests.items())} if isinstance(tests, Mapping) else tests


def _values(value: Any) -> Any:
    """One value or many, in which `true` is what "true" is and the order says nothing."""
    values = [
        str(one).lower() if isinstance(one, bool) else one for one in (value if isinstance(value, list) else [value])
    ]
    return values[0] if len(values) == 1 else sorted(values, key=json.dumps)


# --- the kinds of step -----------------------------------------------------------------------------------------------

_Change = Callable[[Step, AccountSnapshot, AccountSnapshot], list[str]]


def _owner(snapshot: AccountSnapshot, step: Step) -> User | Group:
    return snapshot.users[step.user] if step.user is not None else snapshot.groups[step.group or ""]


def _managed(snapshot: AccountSnapshot, step: Step) -> ManagedPolicy:
    return snapshot.policies[step.policy or ""]


def _attachments(step: Step, before: AccountSnapshot, after: AccountSnapshot) -> list[str]:
    was, will_be = _owner(before, step).attached, _owner(after, step).attached
    return _diff(sorted(was), sorted(will_be), f"policies attached to {step.target}")


def _memberships(step: Step, before: AccountSnapshot, after: AccountSnapshot) -> list[str]:
    was, will_be = before.users[step.user or ""].groups, after.users[step.user or ""].groups
    return _diff(sorted(was), sorted(will_be), f"groups of {step.target}")


def _inline(step: Step, before: AccountSnapshot, after: AccountSnapshot) -> list[str]:
    was, will_be = (
        next((one.text for one in _owner(state, step).inline if one.name == step.policy), None)
        for state in (before, after)
    )
    return document_diff(was, will_be, f'inline policy "{step.policy}" of {step.target}')


def _created(step: Step, before: AccountSnapshot, _: AccountSnapshot) -> list[str]:
    was = _managed(before, step)
    return document_diff(was.stored.text, step.document, f"{was.arn} {was.version}", version_name(step))


def _deleted(step: Step, _: AccountSnapshot, __: AccountSnapshot) -> list[str]:
    return document_diff(step.document, None, version_name(step))


def _default(step: Step, before: AccountSnapshot, after: AccountSnapshot) -> list[str]:
    was, will_be = _managed(before, step).version, _managed(after, step).version
    return _diff([f"{was}"], [f"{will_be}"], f"default version of {step.policy}")


def _boundary(step: Step, before: AccountSnapshot, after: AccountSnapshot) -> list[str]:
    was, will_be = (state.users[step.user or ""].boundary for state in (before, after))
    return _diff([was] if was else [], [will_be] if will_be else [], f"boundary of {step.target}")


def _status(step: Step, before: AccountSnapshot, after: AccountSnapshot) -> list[str]:
    was, will_be = (
        [
            f"{one.kind} {one.id}: {'Active' if one.active else 'Inactive'}"
            for one in state.users[step.user or ""].credentials
        ]
        for state in (before, after)
    )
    return _diff(was, will_be, f"credentials of {step.target}")


_CHANGES: Mapping[StepKind, _Change] = {
    StepKind.ATTACH_USER_POLICY: _attachments,
    StepKind.DETACH_USER_POLICY: _attachments,
    StepKind.ATTACH_GROUP_POLICY: _attachments,
    StepKind.DETACH_GROUP_POLICY: _attachments,
    StepKind.ADD_USER_TO_GROUP: _memberships,
    StepKind.REMOVE_USER_FROM_GROUP: _memberships,
    StepKind.PUT_USER_POLICY: _inline,
    StepKind.DELETE_USER_POLICY: _inline,
    StepKind.PUT_GROUP_POLICY: _inline,
    StepKind.DELETE_GROUP_POLICY: _inline,
    StepKind.CREATE_POLICY_VERSION: _created,
    StepKind.DELETE_POLICY_VERSION: _deleted,
    StepKind.SET_DEFAULT_POLICY_VERSION: _default,
    StepKind.PUT_USER_BOUNDARY: _boundary,
    StepKind.DELETE_USER_BOUNDARY: _boundary,
    StepKind.DEACTIVATE_ACCESS_KEY: _status,
    StepKind.ACTIVATE_ACCESS_KEY: _status,
    StepKind.DEACTIVATE_SSH_KEY: _status,
    StepKind.ACTIVATE_SSH_KEY: _status,
}
