"""Policy documents that moto would not have: AWS's own policies, and what its validator does not know.

moto loads AWS's own policies, more than a thousand, for each account and partition or not at all. Here one is loaded
when it is first asked for. An account's answers may tell another document of it than today's; that one counts then.

moto refuses documents that an account may well hold: AWS checks a document when it is written, by the rules of that
day, and they were made narrower since. Here a JSON object is a document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.iam.policy_validation import BaseIAMPolicyValidator

from chalicelib.local.emulator.changes import Changes
from chalicelib.local.emulator.facts import OF_AWS, Facts, text_of

_USES = ("attach_user_policy", "attach_group_policy", "attach_role_policy", "get_policy")
"""The backend's operations that begin with a policy's ARN and look for the policy."""


def accept_broken_documents(changes: Changes) -> None:
    """Let every JSON object be stored as a policy."""
    changes.replace(BaseIAMPolicyValidator, "validate", _validate)


def _validate(self: BaseIAMPolicyValidator) -> None:
    try:
        document = json.loads(self._policy_document)
    except (TypeError, ValueError):
        document = None
    if not isinstance(document, dict):
        raise MalformedPolicyDocument("Syntax errors in policy.")


def add_aws_policies(changes: Changes, facts: Mapping[str, Facts]) -> None:
    """Let AWS's own policies be found."""

    @cache
    def todays() -> dict[str, tuple[str, dict[str, Any]]]:
        """ARN → name and what moto knows of the policy."""
        known: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
        return {f"arn:aws:iam::aws:policy{one.get('Path', '/')}{name}": (name, one) for name, one in known.items()}

    def load(backend: IAMBackend, arn: str) -> None:
        if OF_AWS not in arn or arn in backend.managed_policies:
            return
        told = facts.get(backend.account_id, Facts()).aws_policies.get(arn)
        name, found = (told["PolicyName"], _as_moto(told)) if told else todays().get(arn, ("", None))
        if found:
            policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, found)
            backend.aws_managed_policies.append(policy)
            backend.managed_policies[arn] = policy

    for name in _USES:
        changes.replace(IAMBackend, name, _loading(getattr(IAMBackend, name), load))


def _loading(operation: Callable[..., Any], load: Callable[[IAMBackend, str], None]) -> Callable[..., Any]:
    def loaded(self: IAMBackend, policy_arn: str, *rest: Any, **named: Any) -> Any:
        load(self, policy_arn)
        return operation(self, policy_arn, *rest, **named)

    return loaded


def _as_moto(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A policy of the authorization details in the form in which moto keeps AWS's."""
    version = policy["DefaultVersionId"]
    document = next(one["Document"] for one in policy["PolicyVersionList"] if one["VersionId"] == version)
    return {
        "Path": policy["Path"],
        "DefaultVersionId": version,
        "Document": json.loads(text_of(document)),
        "CreateDate": policy["CreateDate"],
        "UpdateDate": policy["UpdateDate"],
    }
