"""Would AWS allow this request? The order in which AWS asks its policies, and the statements that decided.

    explicit Deny in any policy → Denied
    service control policies    → each level of the organisation must allow
    resource policy             → may allow by itself (same account), must allow (other account, KMS keys, roles)
    identity policies, permissions boundary, session policy → each must allow

Source: IAM User Guide, "Policy evaluation logic"; KMS Developer Guide, "Key policies"; the table of rules in the tests
names each one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import ARN_SEGMENTS, Readings
from chalicelib.iam.policy import Effect, PolicyDocument, PolicyKind, Statement, parse_policy
from chalicelib.iam.principals import ISSUERS, Naming, PrincipalKind
from chalicelib.iam.request import Request

ALWAYS_ALLOWED = frozenset({"sts:getcalleridentity", "sts:getsessiontoken"})
"""Actions that need no permission and that no policy denies (STS API reference)."""

RCP_SERVICES = frozenset(
    {"aoss", "cognito-identity", "cognito-idp", "dynamodb", "ecr", "kms", "logs", "s3", "secretsmanager", "sqs", "sts"}
)
"""Services on whose resources resource control policies act (Organizations User Guide)."""


class Verdict(StrEnum):
    """AWS's three answers. An implicit denial is the absence of an Allow."""

    ALLOWED = "Allowed"
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    IMPLICITLY_DENIED = "ImplicitlyDenied"


@dataclass(frozen=True, slots=True)
class Policy:
    """A document, and the name under which a reader knows it."""

    name: str
    document: PolicyDocument


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


class Layer(StrEnum):
    """The kinds of policy a request passes."""

    RCP = "resource control policy"
    SCP = "service control policy"
    RESOURCE = "resource policy"
    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that matches a request, by one of its readings at least.

    `level` numbers the levels of an organisation from 0; `naming` says how a resource policy names the principal.
    """

    layer: Layer
    policy: Policy
    statement: Statement
    readings: Readings
    least: bool
    most: bool
    level: int = 0
    naming: Naming = Naming.NOT_AT_ALL

    @property
    def place(self) -> str:
        """The policy and the statement, for a reader."""
        return f"{self.policy.name} {self.statement.place}"

    def to_json(self) -> dict[str, Any]:
        """Where the statement stands and what it does."""
        return {
            "layer": str(self.layer),
            "policy": self.policy.name,
            "statement": self.statement.index,
            "sid": self.statement.sid,
            "effect": str(self.statement.effect),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a request, what decided, and whether another reading of AWS's documentation changes it."""

    verdict: Verdict
    request: Request
    matched: tuple[Match, ...]
    """The statements that decided: the Denies, or the Allows; none for an implicit denial."""
    reason: str
    """What decided, in words."""
    possible: frozenset[Verdict] = frozenset()
    """The verdicts that other readings give, where there are any."""
    doubts: tuple[Match, ...] = ()
    """The statements that can be read in two ways, where that changes the verdict."""

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed."""
        return self.verdict is Verdict.ALLOWED

    @property
    def may_be_allowed(self) -> bool:
        """Whether some reading of the policies allows the request."""
        return self.allowed or Verdict.ALLOWED in self.possible

    @property
    def sentence(self) -> str:
        """The decision as a sentence."""
        request = self.request
        verb = "may" if self.allowed else "may not"
        by = f": {', '.join(match.place for match in self.matched)}" if self.matched else ""
        return f"{request.principal.arn} {verb} {request.name} on {request.resource}; {self.reason}{by}"

    @property
    def uncertain(self) -> bool:
        """Whether the readings disagree."""
        return bool(self.possible - {self.verdict})


_Chooser = Callable[[Match], bool]


def evaluate(request: Request, policies: PolicySet) -> Decision:
    """Decide the request."""
    if request.action in ALWAYS_ALLOWED:
        return Decision(Verdict.ALLOWED, request, (), "needs no permission, and no policy can deny it")
    matches = _matches(request, policies)
    taken = _decide(request, policies, [match for match in matches if match.readings.taken])
    doubtful = tuple(match for match in matches if match.least is not match.most)
    if not doubtful:
        return taken
    lenient = _decide(request, policies, [m for m in matches if (m.most if _allows(m) else m.least)])
    strict = _decide(request, policies, [m for m in matches if (m.least if _allows(m) else m.most)])
    possible = frozenset({lenient.verdict, strict.verdict, taken.verdict})
    if possible == {taken.verdict}:
        return taken
    return Decision(taken.verdict, request, taken.matched, taken.reason, possible, doubtful)


def _allows(match: Match) -> bool:
    return match.statement.effect is Effect.ALLOW


# --- which statements match ------------------------------------------------------------------------------------------


def _matches(request: Request, policies: PolicySet) -> list[Match]:
    found: list[Match] = []
    if request.service in RCP_SERVICES:
        for level, rcps in enumerate(policies.rcps):
            _collect(found, request, policies, Layer.RCP, rcps, level)
    for level, scps in enumerate(policies.scps):
        _collect(found, request, policies, Layer.SCP, scps, level)
    resource = policies.resource or default_resource_policy(request)
    if resource is not None:
        _collect(found, request, policies, Layer.RESOURCE, (resource,))
    _collect(found, request, policies, Layer.IDENTITY, policies.identity)
    if policies.boundary is not None:
        _collect(found, request, policies, Layer.BOUNDARY, (policies.boundary,))
    if policies.session is not None:
        _collect(found, request, policies, Layer.SESSION, (policies.session,))
    return found


def _collect(
    found: list[Match], request: Request, policies: PolicySet, layer: Layer, documents: Iterable[Policy], level: int = 0
) -> None:
    """Append the matches of one layer."""
    colons = request.resource.count(":")
    for policy in documents:
        for statement in policy.document.about(request.action):
            naming = Naming.NOT_AT_ALL
            if statement.principals is not None:
                naming = _naming(statement, request, bounded=policies.boundary is not None)
                if naming is Naming.NOT_AT_ALL:
                    continue
            if statement.in_doubt or (statement.resources and (statement.resources.odd or colons >= ARN_SEGMENTS)):
                readings = list(_readings(statement, request))
                taken = all(reading.taken for reading in readings)
                least = all(reading.taken and reading.other for reading in readings)
                most = all(reading.taken or reading.other for reading in readings)
                if most:
                    both = Readings(taken, most if taken is least else least)
                    found.append(Match(layer, policy, statement, both, least, most, level, naming))
            elif _covers(statement, request) and all(c.holds(request.context) for c in statement.conditions):
                found.append(Match(layer, policy, statement, _SURE, True, True, level, naming))


_SURE = Readings(taken=True, other=True)


def _covers(statement: Statement, request: Request) -> bool:
    """Whether the statement covers the request's resource."""
    if statement.resources is None:
        return True
    return statement.resources.matches(request.resource, request.context) is not statement.not_resource


def _readings(statement: Statement, request: Request) -> Iterable[Readings]:
    if statement.resources is not None:
        readings = statement.resources.readings(request.resource, request.context)
        yield Readings(*(reading is not statement.not_resource for reading in readings))
    for condition in statement.conditions:
        yield condition.readings(request.context)


def _naming(statement: Statement, request: Request, *, bounded: bool) -> Naming:
    assert statement.principals is not None
    naming = statement.principals.naming(request.principal)
    if not statement.not_principal:
        return naming
    # A Deny with NotPrincipal reaches every principal with a permissions boundary (IAM User Guide, NotPrincipal).
    if naming is Naming.NOT_AT_ALL or (bounded and statement.effect is Effect.DENY):
        return Naming.ANYONE
    return Naming.NOT_AT_ALL


# --- the order of the questions --------------------------------------------------------------------------------------


def _decide(request: Request, policies: PolicySet, matches: Sequence[Match]) -> Decision:
    denies = tuple(match for match in matches if not _allows(match))
    if denies:
        kinds = ", ".join(dict.fromkeys(str(match.layer) for match in denies))
        return Decision(Verdict.EXPLICITLY_DENIED, request, denies, f"an explicit deny in: {kinds}")
    for level in range(len(policies.scps)):
        if not any(match.layer is Layer.SCP and match.level == level for match in matches):
            return _implicit(request, f"no service control policy at level {level} of the organisation allows it")
    grant = max((match.naming for match in matches if match.layer is Layer.RESOURCE), default=Naming.NOT_AT_ALL)
    if request.principal.kind is PrincipalKind.SERVICE:
        return (
            _granted(request, matches, grant) if grant else _implicit(request, "no resource policy names the service")
        )
    if missing := _missing_on_resource_side(request, grant):
        return _implicit(request, missing)
    if missing := _missing_on_identity_side(request, policies, matches, _free_layers(request, policies, grant)):
        return _implicit(request, missing)
    return _granted(request, matches, grant)


def _implicit(request: Request, reason: str) -> Decision:
    return Decision(Verdict.IMPLICITLY_DENIED, request, (), reason)


def _granted(request: Request, matches: Sequence[Match], grant: Naming) -> Decision:
    by = "the resource policy and the caller's own" if grant else "the caller's own policies"
    return Decision(Verdict.ALLOWED, request, tuple(matches), f"allowed by {by}")


def _missing_on_resource_side(request: Request, grant: Naming) -> str:
    if grant is not Naming.NOT_AT_ALL:
        return ""
    if needs_resource_policy(request):
        return (
            "the key policy does not allow it"
            if request.service == "kms"
            else "the role's trust policy does not allow it"
        )
    return "" if request.same_account else "no policy of the resource's account allows it"


def _free_layers(request: Request, policies: PolicySet, grant: Naming) -> frozenset[Layer]:
    """The layers that need not allow because the resource policy grants by itself (same account alone)."""
    if not request.same_account:
        return frozenset()
    kind = request.principal.kind
    if grant is Naming.ISSUER or (grant is Naming.ITSELF and kind is PrincipalKind.ROLE):
        return frozenset({Layer.IDENTITY})
    if grant is Naming.ITSELF and kind in ISSUERS:
        return frozenset({Layer.IDENTITY, Layer.BOUNDARY, Layer.SESSION})
    if grant in (Naming.ITSELF, Naming.ANYONE):
        return frozenset({Layer.IDENTITY, Layer.BOUNDARY})
    return frozenset()


def _missing_on_identity_side(
    request: Request, policies: PolicySet, matches: Sequence[Match], free: frozenset[Layer]
) -> str:
    allowing = {match.layer for match in matches} | free
    # The root user of an account has every permission that no organisation policy takes away.
    if Layer.IDENTITY not in allowing and request.principal.kind is not PrincipalKind.ROOT:
        return "no identity policy allows it"
    if policies.boundary is not None and Layer.BOUNDARY not in allowing:
        return "the permissions boundary does not allow it"
    if policies.session is not None and Layer.SESSION not in allowing:
        return "the session policy does not allow it"
    return ""


# --- resource policies that must allow -------------------------------------------------------------------------------


def needs_resource_policy(request: Request) -> bool:
    """Whether the resource's own policy must allow even within one account: KMS keys, and roles that are assumed."""
    tail = request.resource.split(":", ARN_SEGMENTS - 1)[-1]
    if request.service == "kms":
        return tail.startswith("key/")
    return request.action.startswith("sts:assumerole") and tail.startswith("role/")


def default_resource_policy(request: Request) -> Policy | None:
    """The policy AWS gives to a new KMS key, and a trust in the account for a role; None for other resources."""
    if not needs_resource_policy(request):
        return None
    return _account_policy("kms:*" if request.service == "kms" else "sts:*", request.resource_account)


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


# --- near misses -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A statement about the action that does not match: what of it fails.

    `resource` says that its resources do not cover the request's; `conditions` are those that do not hold.
    """

    layer: Layer
    policy: Policy
    statement: Statement
    resource: bool
    conditions: tuple[Condition, ...]

    @property
    def place(self) -> str:
        """The policy and the statement, for a reader."""
        return f"{self.policy.name} {self.statement.place}"


def near_misses(request: Request, policies: PolicySet, effect: Effect) -> list[NearMiss]:
    """The statements of that effect that are about the action and the principal and do not match the request."""
    layers: list[tuple[Layer, tuple[Policy, ...]]] = [
        *((Layer.RCP, level) for level in policies.rcps if request.service in RCP_SERVICES),
        *((Layer.SCP, level) for level in policies.scps),
        (Layer.RESOURCE, tuple(filter(None, [policies.resource or default_resource_policy(request)]))),
        (Layer.IDENTITY, policies.identity),
        (Layer.BOUNDARY, tuple(filter(None, [policies.boundary]))),
        (Layer.SESSION, tuple(filter(None, [policies.session]))),
    ]
    found: list[NearMiss] = []
    for layer, documents in layers:
        for policy in documents:
            for statement in policy.document.about(request.action):
                if statement.effect is not effect or (
                    statement.principals is not None
                    and _naming(statement, request, bounded=policies.boundary is not None) is Naming.NOT_AT_ALL
                ):
                    continue
                resource = not _covers(statement, request)
                failing = tuple(c for c in statement.conditions if not c.holds(request.context))
                if resource or failing:
                    found.append(NearMiss(layer, policy, statement, resource, failing))
    return found
