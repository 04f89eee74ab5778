"""The session of a role, which may go on to another role.

It has no MFA of its own. Its name is chosen by whoever begins it, and so are its tags and its source identity, where
the role's trust policy lets them be set (IAM User Guide, "Pass session tags in AWS STS"; "Monitor and control actions
taken with assumed roles").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from chalicelib.analysis.assuming import USER_ID, Asking, Tried, first_allowed
from chalicelib.analysis.suppositions import base_organisation, own_organisation
from chalicelib.iam.account import AccountSnapshot, Role
from chalicelib.iam.patterns import fold
from chalicelib.iam.policy_set import Policy
from chalicelib.iam.principals import parse_principal
from chalicelib.iam.request import Request, account_of_resource, build_request
from chalicelib.iam.statement import Effect

ASSUME = "sts:AssumeRole"
NAME = "mfawatch"
"""The session's name, where none is asked for."""
_GIVEN = {"sts:tagsession": "aws:principaltag/", "sts:setsourceidentity": "aws:sourceidentity"}
"""What a trust policy allows beside assuming the role → how the keys begin that a session is then given."""


class Session:
    """A session of a role that came about without MFA."""

    def __init__(self, snapshot: AccountSnapshot, role: Role) -> None:
        found = snapshot.policies_of_role(role)
        self._unread = ("the role's policies were not read in full",) if found.missing or found.broken else ()
        self._policies = found.policies
        principal = parse_principal(role.arn)
        self._arn = f"arn:{principal.partition}:sts::{principal.account}:assumed-role/{role.name}/{NAME}"
        self._user_id = f"{role.id}:" if role.id else ""
        self._free = (USER_ID, *_given(role))
        self._own = {**_own(role), **own_organisation(snapshot)}
        self._base = {
            "aws:currenttime": snapshot.taken.isoformat(timespec="seconds"),
            "aws:epochtime": str(int(snapshot.taken.timestamp())),
            "aws:resourceaccount": account_of_resource(role.arn),
            "aws:securetransport": "true",
            "aws:tokenissuetime": snapshot.taken.isoformat(timespec="seconds"),
            "aws:viaawsservice": "false",
            **({USER_ID: f"{self._user_id}{NAME}"} if self._user_id else {}),
            **base_organisation(snapshot),
            **self._own,
        }

    def assumes(self, other: Role) -> Tried:
        """How the session can go on to the other role; a certain way if there is one."""
        trust, doubts = trust_of(other)

        def request(chosen: Mapping[str, str]) -> Request:
            return build_request(self._arn, ASSUME, other.arn, {**self._base, **chosen})

        asking = Asking(
            policies=replace(self._policies, resource=trust),
            base=self._base,
            own=self._own,
            request=request,
            free=self._free,
            user_id=self._user_id,
        )
        tried = first_allowed(asking)
        if tried.found is None:
            return tried
        return replace(tried, found=replace(tried.found, doubts=(*self._unread, *doubts, *tried.found.doubts)))


def trust_of(role: Role) -> tuple[Policy | None, tuple[str, ...]]:
    """The role's trust policy; where it cannot be evaluated the role is taken to trust its account."""
    if role.trust.document is None:
        return None, (f"{role.trust.complaint}: it is assumed to trust its account",)
    return Policy(role.trust.name, role.trust.document), ()


def _given(role: Role) -> Iterator[str]:
    """How the keys begin that whoever begins a session of the role may choose."""
    for action, keys in _GIVEN.items():
        document = role.trust.document
        if document is None or any(statement.effect is Effect.ALLOW for statement in document.about(action)):
            yield keys


def _own(role: Role) -> dict[str, str]:
    """The condition keys that say whose session it is."""
    return {
        "aws:principalarn": role.arn,
        "aws:principalaccount": account_of_resource(role.arn),
        "aws:principaltype": "AssumedRole",
        "aws:principalisawsservice": "false",
        **{f"aws:principaltag/{fold(key)}": value for key, value in role.tags.items()},
    }
