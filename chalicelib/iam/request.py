"""A request as AWS's policies see it: who, which action, on what, with which condition keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from chalicelib.iam.actions import catalogue
from chalicelib.iam.patterns import ARN_SEGMENTS, Context, ContextValue, fold
from chalicelib.iam.principals import Principal, parse_principal

MFA_PRESENT = "aws:multifactorauthpresent"
MFA_AGE = "aws:multifactorauthage"
MFA_KEYS = frozenset({MFA_PRESENT, MFA_AGE})


class MfaState(StrEnum):
    """aws:MultiFactorAuthPresent as a request carries it.

    ABSENT: an access key, an SSH key, an HTTPS Git credential. FALSE: a session made without MFA, in the console or by
    GetSessionToken, and a request that a service makes on with the caller's identity. TRUE: a session made with MFA.
    (IAM User Guide, "AWS global condition context keys".)
    """

    ABSENT = "absent"
    FALSE = "false"
    TRUE = "true"

    @property
    def context(self) -> dict[str, str]:
        """The condition keys of this state; a session's MFA is taken to be five minutes old."""
        if self is MfaState.ABSENT:
            return {}
        return {MFA_PRESENT: str(self)} | ({MFA_AGE: "300"} if self is MfaState.TRUE else {})


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Make it with `build_request`, which brings names and keys into the form that `decision` compares.

    `name` is the action as AWS spells it, `action` the same in lower case. `context` has lower-case keys.
    `resource_account` is the account that owns the resource.
    """

    principal: Principal
    name: str
    action: str
    resource: str
    resource_account: str
    context: Context
    ignored_keys: tuple[str, ...] = ()
    """Keys that were given and that the service does not put into a request of this action."""

    @property
    def service(self) -> str:
        """The service prefix of the action."""
        return self.action.partition(":")[0]

    @property
    def same_account(self) -> bool:
        """Whether the principal's account owns the resource."""
        return self.resource_account == self.principal.account


def build_request(
    principal: str | Principal,
    action: str,
    resource: str,
    context: Mapping[str, str | Sequence[str]] | None = None,
    resource_account: str | None = None,
) -> Request:
    """The request that AWS would evaluate.

    An action without resource types is evaluated on "*", whatever resource is named. A condition key that AWS does not
    put into a request of this action is left out and listed in `ignored_keys`.

    Raises:
        ValueError: the principal is none, or the action is not `service:name`.
    """
    who = parse_principal(principal) if isinstance(principal, str) else principal
    service, colon, name = action.partition(":")
    if not (service and colon and name) or "*" in action or "?" in action or ":" in name:
        raise ValueError(f"{action[:200]!r} is not an action such as codecommit:GitPull")
    known = catalogue().find(action)
    if known and not known.resource_types:
        resource = "*"
    kept: dict[str, ContextValue] = {}
    ignored: list[str] = []
    for key, value in (context or {}).items():
        form = _form(key)
        if not form.everywhere and not is_supported(action, key):
            ignored.append(key)
        elif isinstance(value, str):
            kept[form.name] = (value,) if form.multivalued else value
        else:
            kept[form.name] = value[0] if len(value) == 1 and not form.multivalued else tuple(value)
    return Request(
        principal=who,
        name=known.name if known else action,
        action=fold(action),
        resource=resource,
        resource_account=resource_account or account_of_resource(resource) or who.account,
        context=MappingProxyType(kept),
        ignored_keys=tuple(ignored),
    )


class _Form(NamedTuple):
    """What a condition key's name says of it."""

    name: str
    everywhere: bool
    """Whether a request of any action may carry it.

    Keys of AWS as a whole are taken as given: the caller says what the request carries, and the lists of actions that
    carry aws:RequestTag and its like are not complete.
    """
    multivalued: bool


@lru_cache(maxsize=16_384)
def _form(key: str) -> _Form:
    name = fold(key)
    return _Form(name, name.startswith("aws:"), catalogue().is_multivalued(name))


@lru_cache(maxsize=65_536)
def is_supported(action: str, key: str) -> bool:
    """Whether AWS can put the key into a request of the action: never kms:ViaService into codecommit:GitPull."""
    return catalogue().supports_key(action, key)


def account_of_resource(arn: str) -> str:
    """The account in an ARN; empty where it names none (S3 buckets, "*")."""
    segments = arn.split(":", ARN_SEGMENTS - 1)
    return segments[4] if len(segments) == ARN_SEGMENTS and segments[4].isdigit() else ""
