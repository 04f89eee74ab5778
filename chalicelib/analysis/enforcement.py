"""Is MFA enforced? The gravest request beyond enrolment that a user's policies allow without MFA.

Requests are taken from the partition that the policies themselves induce (`partition`, `arns`, `contexts`), not from a
list of probes: whatever the policies name, and one action of each kind that they do not name.
Enrolment and the care of one's own credentials, CodeCommit, KMS and STS are left out here: exempting them is a question
of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.analysis.arns import Patterns, Places, needs_several_resources, places, targets
from chalicelib.analysis.causes import MFA_KEYS
from chalicelib.analysis.contexts import Values, contexts
from chalicelib.analysis.decide import carried, region_of
from chalicelib.analysis.names import GLOBAL_SERVICES, NOTHING
from chalicelib.analysis.partition import ActionClass, Kind, classes, is_known, matching
from chalicelib.analysis.ways import Way, ways_of
from chalicelib.iam.account import AccountSnapshot, User, principal_context
from chalicelib.iam.actions import catalogue
from chalicelib.iam.conditions import Condition
from chalicelib.iam.decision import Decision, evaluate
from chalicelib.iam.policy_set import PolicySet
from chalicelib.iam.request import MfaState, Request, build_request, is_supported
from chalicelib.iam.statement import Effect, Statement

SELF_SERVICE = frozenset(
    f"iam:{name}"
    for name in """
    ChangePassword CreateLoginProfile DeleteLoginProfile GetLoginProfile UpdateLoginProfile GetAccountPasswordPolicy
    GetAccountSummary GetUser ListUsers PassRole
    CreateVirtualMFADevice DeactivateMFADevice DeleteVirtualMFADevice EnableMFADevice GetMFADevice ListMFADevices
    ListVirtualMFADevices ResyncMFADevice
    CreateAccessKey DeleteAccessKey GetAccessKeyLastUsed ListAccessKeys UpdateAccessKey
    DeleteSSHPublicKey GetSSHPublicKey ListSSHPublicKeys UpdateSSHPublicKey UploadSSHPublicKey
    CreateServiceSpecificCredential DeleteServiceSpecificCredential ListServiceSpecificCredentials
    ResetServiceSpecificCredential UpdateServiceSpecificCredential
    DeleteSigningCertificate ListSigningCertificates UpdateSigningCertificate UploadSigningCertificate
    """.split()
)
"""Enrolling MFA and caring for one's own credentials, with the lists that the console's pages for it read.

iam:PassRole is here because no request is made of it alone.
"""
APART = ("codecommit:", "kms:", "sts:")
"""Services whose exemption is a question of its own."""

WELL_KNOWN = tuple(
    """
    iam:AttachUserPolicy iam:CreateUser iam:ListRoles s3:PutBucketPolicy s3:PutObject s3:GetObject s3:ListAllMyBuckets
    ec2:ModifySnapshotAttribute ec2:RunInstances ec2:TerminateInstances ec2:DescribeInstances lambda:AddPermission
    lambda:UpdateFunctionCode lambda:ListFunctions dynamodb:PutResourcePolicy dynamodb:DeleteTable dynamodb:Scan
    secretsmanager:PutResourcePolicy secretsmanager:PutSecretValue secretsmanager:GetSecretValue
    cloudtrail:StopLogging cloudtrail:LookupEvents ssm:StartSession ssm:GetParameter
    """.split()
)
"""Well-known actions of each kind, with and without resources: they make the readable witnesses."""


MOST_REQUESTS = 20_000
"""Requests tried for one set of policies; where they do not suffice, the answer is not exhaustive."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A request that is allowed without MFA. `decision` is the engine's, on exactly this request."""

    decision: Decision
    way: Way
    kind: Kind
    context: dict[str, str]
    """The condition values that the request needs beside the caller's own."""

    @property
    def request(self) -> Request:
        """The request."""
        return self.decision.request

    @property
    def certain(self) -> bool:
        """Whether nothing is left in doubt: every reading allows it, and nothing about it had to be supposed."""
        return self.decision.allowed and not self.decision.uncertain and not self.suppositions

    @property
    def suppositions(self) -> list[str]:
        """What had to be supposed of the request, in words."""
        found: list[str] = []
        if not is_known(self.request.name):
            found.append(f"{self.request.name} is no action that this version knows")
        if needs_several_resources(self.request.name):
            found.append(f"{self.request.name} acts on several resources at once, of which one was decided")
        if _is_forwarded(self.context):
            found.append("a service makes the request on the user's behalf, if a call that starts it gets through")
        if any(key.startswith(("aws:principalorg", "aws:resourceorg")) for key in self.context):
            found.append("not read to which organisation the account belongs")
        return found


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What was found for a user: the gravest hole or none, and whether every combination of values was tried."""

    hole: Hole | None
    exhaustive: bool


_Carried = tuple[object, ...]
_Values = tuple[object, ...]


class Enforcements:
    """Answers for the users of one account; users whom their policies cannot tell apart share one search."""

    def __init__(self, snapshot: AccountSnapshot) -> None:
        self._snapshot = snapshot
        self._found: dict[tuple[_Carried, _Values], Enforcement] = {}
        self._grave: dict[_Carried, Hole] = {}

    def of(self, user: User, policies: PolicySet) -> Enforcement:
        """The answer for one user."""
        search = _Search(user, policies, ways_of(user), self._snapshot)
        carried, values = search.signature()
        # Nothing graver than this can be found: a hole of another user with the same policies need only be this one's
        # too, whatever the policies make of their names.
        grave = self._grave.get(carried)
        if grave is not None and (hole := search.again(grave)) is not None and hole.certain:
            return Enforcement(hole, exhaustive=True)
        if (carried, values) not in self._found:
            self._found[carried, values] = search.run()
        shared = self._found[carried, values]
        if shared.hole is not None and shared.hole.certain and shared.hole.kind is Kind.PERMISSIONS:
            self._grave.setdefault(carried, shared.hole)
        if shared.hole is None or shared.hole.request.principal == user.principal:
            return shared
        hole = search.again(shared.hole)
        return search.run() if hole is None else Enforcement(hole, shared.exhaustive)


@dataclass(frozen=True, slots=True)
class _Cells:
    """What tells requests of one class apart: where resources lie, their patterns, and condition values."""

    where: Places
    patterns: Patterns
    base: Mapping[str, str]
    own: Mapping[str, str]
    variants: Sequence[Values]
    whole: bool
    identity: tuple[Statement, ...]
    bound: tuple[Statement, ...]

    def leave_open(self, resource: str, mfa: MfaState) -> bool:
        """Whether some condition values may get a request on the resource through: asked once, before any is tried."""
        if not any(s.effect is Effect.ALLOW and _may_cover(s, resource, self.own) for s in self.identity):
            return False
        return not any(
            _asks_for_mfa_alone(s, mfa) and _surely_covers(s, resource, self.own) for s in (*self.identity, *self.bound)
        )


class _Search:
    """The search for one user's hole."""

    def __init__(self, user: User, policies: PolicySet, ways: Sequence[Way], snapshot: AccountSnapshot) -> None:
        self._user = user
        self._policies = policies
        self._ways = ways
        self._snapshot = snapshot
        self._principal = principal_context(user)
        self._remembered: dict[tuple[int, ...], _Cells] = {}
        self._left = MOST_REQUESTS

    def signature(self) -> tuple[_Carried, _Values]:
        """What the search depends on: the documents and the ways, and what the policies make of the caller.

        A value that fills a policy variable counts as it is. One that conditions merely test counts by their answers:
        a deny that spares one ARN tells its owner from all others, and not the others from each other.
        """
        documents = [policy.document for policy in self._policies.attached]
        own = _lowered(self._principal)
        values: list[object] = []
        for document in documents:
            filled, tests = _looks_at(document.statements)
            values.append(tuple((key, own.get(key)) for key in filled))
            values.append(tuple(test.readings(own) for test in tests if test.key in own))
            values.append(tuple(test.key in own for test in tests))
        return (tuple(map(id, documents)), self._policies.boundary is None, self._ways), tuple(values)

    def run(self) -> Enforcement:
        """Try one request for each cell of the partition, the gravest kind first."""
        statements = [statement for policy in self._policies.attached for statement in policy.document.statements]
        doubtful: Hole | None = None
        exhaustive = True
        for group in classes(statements, _excluded(), WELL_KNOWN):
            action = group.actions[0].lower()
            identity, bound = self._about(action)
            if not _grants(identity) or (self._policies.boundary is not None and not _grants(bound)):
                continue
            open_to = [w for w in self._ways if w.can_call(action) and not _bars((*identity, *bound), w)]
            if not open_to:
                continue
            cells = self._cells(identity, bound)
            exhaustive = exhaustive and cells.whole
            for hole in self._holes(group, open_to, cells):
                if hole.certain:
                    return Enforcement(hole, exhaustive)
                doubtful = doubtful or hole
        return Enforcement(doubtful, exhaustive and self._left > 0)

    def _about(self, action: str) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
        """The statements about the action: those of the identity policies and those of the boundary."""
        boundary = self._policies.boundary
        identity = (s for policy in self._policies.identity for s in policy.document.about(action))
        return tuple(identity), boundary.document.about(action) if boundary else ()

    def _cells(self, identity: tuple[Statement, ...], bound: tuple[Statement, ...]) -> _Cells:
        """The places, patterns and condition values by which these statements tell requests apart."""
        key = tuple(map(id, (*identity, None, *bound)))
        if key not in self._remembered:
            where = places((*identity, *bound), self._user.principal)
            own = _lowered(self._principal)
            base = {
                "aws:sourceip": "198.51.100.1",
                "aws:useragent": NOTHING,
                "aws:requestedregion": where.regions[0],
                **_lowered(carried(self._snapshot, self._user, "", "*", MfaState.ABSENT)),
            }
            variants, whole = contexts((*identity, *bound), base, own, where.regions)
            patterns = Patterns(identity, bound, own)
            self._remembered[key] = _Cells(
                where, patterns, base, own, variants, whole and patterns.whole, identity, bound
            )
        return self._remembered[key]

    def _holes(self, group: ActionClass, ways: Sequence[Way], cells: _Cells) -> Iterator[Hole]:
        """The requests of a class that are or may be allowed."""
        requests = (
            targets(group.actions, cells.patterns, cells.where) if group.has_resources else [(group.actions[0], "*")]
        )
        tried: set[tuple[str, str, tuple[tuple[str, str], ...]]] = set()
        for action, resource in requests:
            here = [way for way in ways if cells.leave_open(resource, way.mfa)]
            for variant in cells.variants if here else ():
                chosen = _in_request(variant, action, resource)
                key = action, resource, tuple(chosen.items())
                if key in tried:
                    continue
                tried.add(key)
                for way in here:
                    if self._left <= 0:
                        return
                    self._left -= 1
                    hole = self._try(way, action, resource, chosen, group.kind, cells.base)
                    if hole is not None:
                        yield hole

    def _try(
        self, way: Way, action: str, resource: str, chosen: dict[str, str], kind: Kind, base: Mapping[str, str]
    ) -> Hole | None:
        forwarded = _is_forwarded(chosen)
        mfa = MfaState.FALSE if forwarded else way.mfa
        own = _lowered(carried(self._snapshot, self._user, action, resource, mfa))
        context = {**base, **own, **self._principal, **chosen}
        if forwarded:
            context["aws:viaawsservice"] = "true"
        decision = evaluate(build_request(self._user.principal, action, resource, context), self._policies)
        return Hole(decision, way, kind, chosen) if decision.may_be_allowed else None

    def again(self, hole: Hole) -> Hole | None:
        """The hole's request, decided for this user."""
        return self._try(hole.way, hole.request.name, hole.request.resource, hole.context, hole.kind, {})


def _lowered(context: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in context.items()}


def _grants(statements: Iterable[Statement]) -> bool:
    return any(statement.effect is Effect.ALLOW for statement in statements)


def _bars(statements: Sequence[Statement], way: Way) -> bool:
    """Whether nothing gets through this way: a deny asks for no more than the lack of MFA."""
    return any(_is_blanket(statement, way.mfa) for statement in statements)


def _is_blanket(statement: Statement, mfa: MfaState) -> bool:
    """Whether the statement denies on every resource, whatever the request holds but MFA."""
    return statement.covers_everything and _asks_for_mfa_alone(statement, mfa)


def _surely_covers(statement: Statement, resource: str, own: Mapping[str, str]) -> bool:
    """Whether the statement covers the resource by every reading and whatever values its variables take."""
    return not _waits_for_values(statement, own) and statement.coverage(resource, own).least


def _may_cover(statement: Statement, resource: str, own: Mapping[str, str]) -> bool:
    """Whether the statement covers the resource by some reading or some value of a variable."""
    return _waits_for_values(statement, own) or statement.coverage(resource, own).most


def _waits_for_values(statement: Statement, own: Mapping[str, str]) -> bool:
    """Whether its resources name variables that are not the caller's own."""
    return statement.resources is not None and not statement.resources.keys <= own.keys()


def _asks_for_mfa_alone(statement: Statement, mfa: MfaState) -> bool:
    """Whether the statement is a deny whose conditions look at MFA and nothing else, and hold in that state."""
    if statement.effect is not Effect.DENY:
        return False
    if any(not condition.keys <= MFA_KEYS for condition in statement.conditions):
        return False
    return all(condition.readings(mfa.context).least for condition in statement.conditions)


def _in_request(variant: Values, action: str, resource: str) -> dict[str, str]:
    """The values of a variant that a request of the action carries."""
    fixed = region_of(resource) or action.partition(":")[0] in GLOBAL_SERVICES
    chosen: dict[str, str] = {}
    for key, value in variant.items():
        if value is None or not is_supported(action, key):
            continue
        if key == "aws:requestedregion" and fixed:
            continue  # the resource says where, or the service does
        chosen[key] = value
    return chosen


def _is_forwarded(chosen: Mapping[str, str]) -> bool:
    """Whether the values are those of a request that a service makes on with the caller's identity."""
    via = chosen.get("aws:viaawsservice", "false")
    return via == "true" or any(key.startswith("aws:calledvia") for key in chosen)


@lru_cache(maxsize=1)
def _excluded() -> frozenset[str]:
    return SELF_SERVICE.union(action.name for action in catalogue() if action.name.startswith(APART))


@lru_cache(maxsize=16_384)
def _looks_at(statements: tuple[Statement, ...]) -> tuple[tuple[str, ...], tuple[Condition, ...]]:
    """The keys that fill policy variables, and the conditions, of all statements but those about self-service alone.

    Those name the user in their resources (`user/${aws:username}`), and would make every user a case of their own
    although no request that is tried here is theirs.
    """
    filled: set[str] = set()
    tests: list[Condition] = []
    for statement in statements:
        if not _is_self_service(statement):
            filled |= statement.resources.keys if statement.resources else frozenset()
            for condition in statement.conditions:
                filled |= condition.keys - {condition.key}
                tests.append(condition)
    return tuple(sorted(filled)), tuple(tests)


def _is_self_service(statement: Statement) -> bool:
    return not statement.not_action and all(
        names and SELF_SERVICE.issuperset(names) for names in map(matching, statement.actions.entries)
    )
