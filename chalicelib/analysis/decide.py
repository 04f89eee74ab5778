"""One request of one user, decided with all that the account knows of the user and the resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.analysis.keys import key_policy
from chalicelib.analysis.names import GLOBAL_SERVICES, regions_of
from chalicelib.iam.account import AccountSnapshot, User, principal_context
from chalicelib.iam.decision import Decision, evaluate
from chalicelib.iam.patterns import ARN_SEGMENTS
from chalicelib.iam.policy_set import MANAGED_KEY, Policy, PolicySet, default_resource_policy, trust_in_account
from chalicelib.iam.request import MfaState, Request, account_of_resource, build_request


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, the policies it was made by, and what of them is not known."""

    decision: Decision
    policies: PolicySet
    doubts: tuple[str, ...]


def decide_for_user(
    snapshot: AccountSnapshot,
    user: User,
    action: str,
    resource: str,
    mfa: MfaState,
    via: str | None = None,
    context: Mapping[str, Sequence[str]] | None = None,
    policies: PolicySet | None = None,
) -> Decided:
    """Decide a request of the user. `via` names a service that makes it on the user's behalf; `context` wins over all.

    With `policies` it is decided by these, whatever the account holds.

    Raises:
        ValueError: the action is none.
    """
    given: dict[str, str | Sequence[str]] = {
        **carried(snapshot, user, action, resource, mfa),
        **principal_context(user),
    }
    if via:
        given |= _forwarded(via, resource)
    lowered = {key.lower() for key in context or {}}
    values = {key: value for key, value in given.items() if key.lower() not in lowered} | dict(context or {})
    request = build_request(user.principal, action, resource, values)
    trust, doubt = _trust(snapshot, request)
    if policies is not None:
        doubt, policies = [] if policies.resource else doubt, replace(policies, resource=policies.resource or trust)
        return Decided(evaluate(request, policies), policies, tuple(doubt))
    policies = replace(snapshot.policies_of(user).policies, resource=trust)
    return Decided(evaluate(request, policies), policies, (*doubts_of(snapshot, user), *doubt))


def mfa_of(told: str | None, via: str | None) -> MfaState:
    """What a request says of MFA, where somebody told so; else what it says that a key makes, or a service."""
    return MfaState(told) if told else MfaState.FALSE if via else MfaState.ABSENT


def doubts_of(snapshot: AccountSnapshot, user: User) -> list[str]:
    """What is not known of the user's policies, in words."""
    found = snapshot.policies_of(user)
    doubts = [policy.complaint for policy in found.broken]
    doubts += [f"{name} was not read" for name in found.missing]
    return doubts if user.policies_read else [*doubts, "the user's policies were not read"]


def carried(snapshot: AccountSnapshot, user: User, action: str, resource: str, mfa: MfaState) -> dict[str, str]:
    """The condition keys that a request carries whoever makes it, where their values can be known."""
    context = {
        "aws:CurrentTime": snapshot.taken.isoformat(timespec="seconds"),
        "aws:EpochTime": str(int(snapshot.taken.timestamp())),
        "aws:ResourceAccount": account_of_resource(resource) or snapshot.account,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        **mfa.context,
    }
    if snapshot.organization:
        context["aws:PrincipalOrgID"] = snapshot.organization
    if action.startswith("kms:"):
        context["kms:CallerAccount"] = user.principal.account
    region = region_of(resource)
    if action.partition(":")[0].lower() in GLOBAL_SERVICES:
        region = regions_of(user.principal.partition)[0]
    if region:
        context["aws:RequestedRegion"] = region
    if mfa is not MfaState.ABSENT:
        # Sessions alone have a time of issue; these are as old as the snapshot.
        context["aws:TokenIssueTime"] = context["aws:CurrentTime"]
    return context


def region_of(arn: str) -> str:
    """The region in an ARN; empty where it names none."""
    segments = arn.split(":", ARN_SEGMENTS - 1)
    return segments[3] if len(segments) == ARN_SEGMENTS and segments[3] != "*" else ""


def _forwarded(service: str, resource: str) -> dict[str, str]:
    """The keys of a request that a service makes on with the caller's identity.

    kms:ViaService holds service.region.amazonaws.com in every partition (KMS Developer Guide); it is dropped again from
    requests of any other service. The region is the resource's, or us-east-1 where it names none.
    """
    region = region_of(resource) or "us-east-1"
    host = service if service.endswith(".amazonaws.com") else f"{service}.{region}.amazonaws.com"
    return {"aws:ViaAWSService": "true", "kms:ViaService": host}


def _trust(snapshot: AccountSnapshot, request: Request) -> tuple[Policy | None, list[str]]:
    """The resource policy that the snapshot knows: a role's trust policy, or a key's policy."""
    default = default_resource_policy(request)
    if default is None:
        return None, []
    if request.service == "kms":
        if MANAGED_KEY in request.resource:
            return None, []
        policy = key_policy(snapshot, request.resource)
        return policy, [] if policy else ["the key's policy was not read: AWS's default key policy is assumed"]
    role = next((role for role in snapshot.roles.values() if role.arn == request.resource), None)
    if role is None:
        told = "the role's trust policy was not read: it is assumed to trust"
        if request.same_account:
            return None, [f"{told} its account"]
        return trust_in_account(request.principal.account), [f"{told} the account of {request.principal.arn}"]
    if role.trust.document is None:
        return None, [f"{role.trust.complaint}: it is assumed to trust its account"]
    return Policy(role.trust.name, role.trust.document), []
