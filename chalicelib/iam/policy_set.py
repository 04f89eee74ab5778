"""All policies that bear on a request, and the layers they form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import chain

from chalicelib.iam.patterns import ARN_SEGMENTS
from chalicelib.iam.policy import PolicyDocument, parse_policy
from chalicelib.iam.principals import PrincipalKind
from chalicelib.iam.request import Request
from chalicelib.iam.statement import PolicyKind, Statement

RCP_SERVICES = frozenset(
    {"aoss", "cognito-identity", "cognito-idp", "dynamodb", "ecr", "kms", "logs", "s3", "secretsmanager", "sqs", "sts"}
)
"""Services on whose resources resource control policies act (Organizations User Guide)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A document, and the name under which a reader knows it."""

    name: str
    document: PolicyDocument

    def place_of(self, statement: Statement) -> str:
        """The policy and one of its statements, for a reader."""
        return f"{self.name} {statement.place}"


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All policies that bear on a request. `scps` and `rcps` have one tuple for each level, the root first.

    Without a resource policy a KMS key is judged as under AWS's default key policy and a role as trusting its account.
    """

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    scps: tuple[tuple[Policy, ...], ...] = ()
    rcps: tuple[tuple[Policy, ...], ...] = ()
    session: Policy | None = None
    resource: Policy | None = None

    @property
    def binding(self) -> tuple[Policy, ...]:
        """What binds the caller whatever the request: the identity policies, the boundary, the organisation's SCPs."""
        boundary = () if self.boundary is None else (self.boundary,)
        return (*self.identity, *boundary, *chain.from_iterable(self.scps))

    def layers(self, request: Request) -> Iterator[tuple[Layer, int, tuple[Policy, ...]]]:
        """(layer, level, policies) as far as they bear on the request; the levels of an organisation from 0."""
        if request.service in RCP_SERVICES:
            yield from ((Layer.RCP, level, policies) for level, policies in enumerate(self.rcps))
        # They bind what acts in the organisation's accounts, and no service (Organizations User Guide, "SCPs").
        if request.principal.kind is not PrincipalKind.SERVICE:
            yield from ((Layer.SCP, level, policies) for level, policies in enumerate(self.scps))
        resource = self.resource or default_resource_policy(request)
        if resource is not None:
            yield Layer.RESOURCE, 0, (resource,)
        yield Layer.IDENTITY, 0, self.identity
        if self.boundary is not None:
            yield Layer.BOUNDARY, 0, (self.boundary,)
        if self.session is not None:
            yield Layer.SESSION, 0, (self.session,)


class Layer(StrEnum):
    """The kinds of policy a request passes."""

    RCP = "resource control policy"
    SCP = "service control policy"
    RESOURCE = "resource policy"
    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


_TRUSTED_ACTIONS = ("sts:assumerole", "sts:tagsession", "sts:setsourceidentity")
"""How actions begin that a role's trust policy must allow (IAM User Guide, "Pass session tags in AWS STS")."""


def needs_resource_policy(request: Request) -> bool:
    """Whether the resource's own policy must allow even within one account: KMS keys, and roles that are assumed."""
    tail = request.resource.split(":", ARN_SEGMENTS - 1)[-1]
    if request.service == "kms":
        return tail.startswith("key/")
    return request.action.startswith(_TRUSTED_ACTIONS) and tail.startswith("role/")


MANAGED_KEY = "key/aws-managed-"
"""How the id of a key begins that stands for the AWS managed key of the service named after it.

The ids of real keys are UUIDs; which of them is the AWS managed key of a service, an account's IAM does not show.
"""
MANAGED_KEY_ACTIONS = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")


def default_resource_policy(request: Request) -> Policy | None:
    """The policy AWS gives to a new KMS key, and a trust in the account for a role; None for other resources.

    An AWS managed key lets every principal of the account use it through its service, and nobody otherwise (KMS
    Developer Guide, kms:ViaService; CodeCommit User Guide, "AWS KMS and encryption").
    """
    if not needs_resource_policy(request):
        return None
    if request.service == "kms":
        _, _, _, region, account, key = request.resource.split(":", ARN_SEGMENTS - 1)
        if key.startswith(MANAGED_KEY):
            return managed_key_policy(key.removeprefix(MANAGED_KEY), region, account)
    return _account_policy("kms:*" if request.service == "kms" else "sts:*", request.resource_account)


@lru_cache(maxsize=1024)
def managed_key_policy(service: str, region: str, account: str) -> Policy:
    """The policy of the AWS managed key of a service."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": list(MANAGED_KEY_ACTIONS),
        "Resource": "*",
        "Condition": {
            "StringEquals": {"kms:CallerAccount": account, "kms:ViaService": f"{service}.{region}.amazonaws.com"}
        },
    }
    document = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, PolicyKind.RESOURCE)
    return Policy(f"key policy of the AWS managed key aws/{service}", document)


def trust_in_account(account: str) -> Policy:
    """The trust policy of a role that trusts a whole account."""
    return _account_policy("sts:*", account)


@lru_cache(maxsize=1024)
def _account_policy(actions: str, account: str) -> Policy:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": actions,
        "Resource": "*",
    }
    kind = "key" if actions.startswith("kms") else "trust"
    document = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, PolicyKind.RESOURCE)
    return Policy(f"default {kind} policy of account {account}", document)
