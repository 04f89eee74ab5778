"""Would AWS allow this request? The order in which AWS asks its policies, and the statements that decided.

    explicit Deny in any policy → Denied
    service control policies    → each level of the organisation must allow
    resource policy             → may allow by itself (same account), must allow (other account, KMS keys, roles)
    identity policies, permissions boundary, session policy → each must allow

Source: IAM User Guide, "Policy evaluation logic"; KMS Developer Guide, "Key policies"; the test cases name the rule
that each one is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.iam.matching import Match, find_matches
from chalicelib.iam.patience import check_patience
from chalicelib.iam.policy_set import Layer, PolicySet, needs_resource_policy
from chalicelib.iam.principals import ISSUERS, Naming, PrincipalKind
from chalicelib.iam.request import Request
from chalicelib.iam.statement import Effect

ALWAYS_ALLOWED = frozenset({"sts:getcalleridentity", "sts:getsessiontoken"})
"""Actions that need no permission and that no policy denies (STS API reference)."""


class Verdict(StrEnum):
    """AWS's three answers. An implicit denial is the absence of an Allow."""

    ALLOWED = "Allowed"
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    IMPLICITLY_DENIED = "ImplicitlyDenied"


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
    lacking: Layer | None = None
    """Whose Allow an implicit denial lacks, where it is the organisation's."""

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed."""
        return self.verdict is Verdict.ALLOWED

    @property
    def may_be_allowed(self) -> bool:
        """Whether some reading of the policies allows the request."""
        return self.allowed or Verdict.ALLOWED in self.possible

    @property
    def doubts_told(self) -> tuple[str, ...]:
        """The doubts in words."""
        return tuple(f"{match.place} can be read in two ways" for match in self.doubts)

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


def evaluate(request: Request, policies: PolicySet) -> Decision:
    """Decide the request.

    Raises:
        OutOfPatience: whoever asks waits no longer.
    """
    check_patience()
    if request.action in ALWAYS_ALLOWED:
        return Decision(Verdict.ALLOWED, request, (), "needs no permission, and no policy can deny it")
    matches = find_matches(request, policies)
    taken = _decide(request, policies, [match for match in matches if match.taken])
    doubtful = tuple(match for match in matches if not match.least)
    if not doubtful:
        return taken
    lenient = _decide(request, policies, [match for match in matches if match.least or _allows(match)])
    strict = _decide(request, policies, [match for match in matches if match.least or not _allows(match)])
    possible = frozenset({lenient.verdict, strict.verdict, taken.verdict})
    if possible == {taken.verdict}:
        return taken
    return Decision(taken.verdict, request, taken.matched, taken.reason, possible, doubtful, taken.lacking)


def _allows(match: Match) -> bool:
    return match.statement.effect is Effect.ALLOW


# --- the order of the questions --------------------------------------------------------------------------------------


def _decide(request: Request, policies: PolicySet, matches: Sequence[Match]) -> Decision:
    denies = tuple(match for match in matches if not _allows(match))
    if denies:
        kinds = ", ".join(dict.fromkeys(str(match.layer) for match in denies))
        return Decision(Verdict.EXPLICITLY_DENIED, request, denies, f"an explicit deny in: {kinds}")
    # None of them bears on what a service asks for itself.
    levels = () if request.principal.kind is PrincipalKind.SERVICE else range(len(policies.scps))
    for level in levels:
        if not any(match.layer is Layer.SCP and match.level == level for match in matches):
            told = f"no service control policy at level {level} of the organisation allows it"
            return _implicit(request, told, Layer.SCP)
    grant = max((match.naming for match in matches if match.layer is Layer.RESOURCE), default=Naming.NOT_AT_ALL)
    if request.principal.kind is PrincipalKind.SERVICE:
        return (
            _granted(request, matches, grant) if grant else _implicit(request, "no resource policy names the service")
        )
    if missing := _missing_on_resource_side(request, grant):
        return _implicit(request, missing)
    if missing := _missing_on_identity_side(request, policies, matches, _free_layers(request, grant)):
        return _implicit(request, missing)
    return _granted(request, matches, grant)


def _implicit(request: Request, reason: str, lacking: Layer | None = None) -> Decision:
    return Decision(Verdict.IMPLICITLY_DENIED, request, (), reason, lacking=lacking)


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


def _free_layers(request: Request, grant: Naming) -> frozenset[Layer]:
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
