"""Is MFA enforced? The gravest request beyond enrolment that a user's policies allow without MFA.

Requests are taken from the partition that the policies themselves induce (see `partition` and `instances`), not from a
list of probes: whatever the policies name, and one action that they do not name for each kind and several services.
Enrolment and the care of one's own credentials, CodeCommit, KMS and STS are left out here: exempting them is a question
of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.analysis.instances import REGION, contexts, resources
from chalicelib.analysis.partition import ActionClass, Kind, classes, is_known, matching
from chalicelib.analysis.ways import Way, ways_of
from chalicelib.iam.account import AccountSnapshot, User, principal_context
from chalicelib.iam.actions import catalogue
from chalicelib.iam.decision import Decision, Policy, PolicySet, evaluate
from chalicelib.iam.policy import Effect, Statement
from chalicelib.iam.request import Request, build_request

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
"""Services whose exemption is judged apart."""

UNNAMED = tuple(
    """
    iam:AttachUserPolicy iam:CreateUser iam:ListRoles s3:PutBucketPolicy s3:PutObject s3:GetObject s3:ListAllMyBuckets
    ec2:ModifySnapshotAttribute ec2:RunInstances ec2:TerminateInstances ec2:DescribeInstances lambda:AddPermission
    lambda:UpdateFunctionCode lambda:ListFunctions dynamodb:PutResourcePolicy dynamodb:DeleteTable dynamodb:Scan
    secretsmanager:PutResourcePolicy secretsmanager:PutSecretValue secretsmanager:GetSecretValue
    cloudtrail:StopLogging cloudtrail:LookupEvents ssm:StartSession ssm:GetParameter
    """.split()
)
"""Actions that stand for whatever the policies do not name: of each kind, with and without resources."""


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
        """Whether the request is allowed by every reading, and its action is one that AWS is known to have."""
        return self.decision.allowed and not self.decision.uncertain and is_known(self.request.name)


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What was found for a user: the gravest hole or none, and whether every combination of values was tried."""

    hole: Hole | None
    exhaustive: bool


_Signature = tuple[object, ...]
_FIXED = ("aws:multifactorauth", "aws:principal", "aws:userid", "aws:username", "aws:currenttime", "aws:epochtime")
"""How keys begin whose value nobody can choose: the caller is who they are, with the tags they have; so is the time."""


class Enforcements:
    """Answers for the users of one account; users whom their policies cannot tell apart share one search."""

    def __init__(self, snapshot: AccountSnapshot) -> None:
        self._snapshot = snapshot
        self._found: dict[_Signature, Enforcement] = {}

    def of(self, user: User, policies: PolicySet) -> Enforcement:
        """The answer for one user."""
        ways = ways_of(user)
        search = _Search(user, policies, ways, self._snapshot)
        signature = search.signature()
        if signature not in self._found:
            self._found[signature] = search.run()
        shared = self._found[signature]
        if shared.hole is None or shared.hole.request.principal == user.principal:
            return shared
        # The hole was found for another user with the same policies: decide the same request of this one.
        hole = search.again(shared.hole)
        return search.run() if hole is None else Enforcement(hole, shared.exhaustive)


class _Search:
    """The search for one user's hole."""

    def __init__(self, user: User, policies: PolicySet, ways: Sequence[Way], snapshot: AccountSnapshot) -> None:
        self._user = user
        self._policies = policies
        self._ways = ways
        self._account = snapshot.account
        self._principal = principal_context(user)
        self._base = {
            "aws:sourceip": "198.51.100.1",
            "aws:securetransport": "true",
            "aws:viaawsservice": "false",
            "aws:requestedregion": REGION,
            "aws:useragent": "mfawatch",
            "aws:currenttime": snapshot.taken.isoformat(timespec="seconds"),
            "aws:epochtime": str(int(snapshot.taken.timestamp())),
            "aws:resourceaccount": snapshot.account,
        }

    def _documents(self) -> Iterator[Policy]:
        yield from self._policies.identity
        if self._policies.boundary is not None:
            yield self._policies.boundary

    def signature(self) -> _Signature:
        """What the search depends on: the documents, the ways, and the caller's values that the policies look at."""
        keys = frozenset[str]().union(
            *(_keys_beyond_self_service(tuple(p.document.statements)) for p in self._documents())
        )
        lowered = {key.lower(): value for key, value in self._principal.items()}
        values = tuple(sorted((key, lowered[key]) for key in keys & lowered.keys()))
        identity = tuple(id(policy.document) for policy in self._policies.identity)
        boundary = self._policies.boundary
        return identity, boundary and id(boundary.document), self._ways, values

    def run(self) -> Enforcement:
        """Try one request for each cell of the partition, the gravest kind first."""
        statements = [statement for policy in self._documents() for statement in policy.document.statements]
        variants, whole = contexts(statements, _FIXED, self._base)
        doubtful: Hole | None = None
        for group in classes(statements, _excluded(), UNNAMED):
            if not self._is_granted(group.actions[0].lower()):
                continue
            for hole in self._holes(group, statements, variants):
                if hole.certain:
                    return Enforcement(hole, whole)
                doubtful = doubtful or hole
        return Enforcement(doubtful, whole)

    def _is_granted(self, action: str) -> bool:
        return any(
            statement.effect is Effect.ALLOW
            for policy in self._policies.identity
            for statement in policy.document.about(action)
        )

    def _holes(
        self, group: ActionClass, statements: Iterable[Statement], variants: Sequence[dict[str, str | None]]
    ) -> Iterator[Hole]:
        """The requests of one class that are or may be allowed."""
        principal = {key.lower(): value for key, value in self._principal.items()}
        targets = (
            list(resources(group.actions, statements, principal, self._account))
            if group.has_resources
            else [(group.actions[0], "*")]
        )
        for action, resource in targets:
            for variant in variants:
                extra = {key: value for key, value in variant.items() if value is not None}
                for way in self._ways:
                    hole = self._try(way, action, resource, extra, group.kind)
                    if hole is not None:
                        yield hole

    def _try(self, way: Way, action: str, resource: str, extra: dict[str, str], kind: Kind) -> Hole | None:
        if not way.can_call(action.lower()):
            return None
        context = self._base | self._principal | extra | way.mfa.context
        decision = evaluate(build_request(self._user.principal, action, resource, context), self._policies)
        if not decision.may_be_allowed:
            return None
        told = {key: value for key, value in extra.items() if self._base.get(key) != value}
        return Hole(decision, way, kind, told)

    def again(self, hole: Hole) -> Hole | None:
        """The hole's request, decided for this user."""
        return self._try(hole.way, hole.request.name, hole.request.resource, hole.context, hole.kind)


@lru_cache(maxsize=1)
def _excluded() -> frozenset[str]:
    return SELF_SERVICE.union(action.name for action in catalogue() if action.name.startswith(APART))


@lru_cache(maxsize=16_384)
def _keys_beyond_self_service(statements: tuple[Statement, ...]) -> frozenset[str]:
    """The condition keys that the statements look at, but for statements about self-service alone.

    Those name the user in their resources (`user/${aws:username}`), and would make every user a case of their own
    although no request that is tried here is theirs.
    """
    return frozenset[str]().union(*(s.keys for s in statements if not _is_self_service(s)))


def _is_self_service(statement: Statement) -> bool:
    return not statement.not_action and all(
        names and SELF_SERVICE.issuperset(names) for names in map(matching, statement.actions.entries)
    )
