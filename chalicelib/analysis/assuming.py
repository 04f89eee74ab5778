"""Whether one principal can assume one role without MFA: the first choice of condition values that lets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.analysis.arns import meet_texts, places
from chalicelib.analysis.contexts import contexts
from chalicelib.analysis.known import Known
from chalicelib.analysis.names import WORDS
from chalicelib.analysis.origins import ABSENT, Origin
from chalicelib.analysis.suppositions import organisation_supposed
from chalicelib.iam.conditions import Condition
from chalicelib.iam.decision import Decision, evaluate
from chalicelib.iam.matching import named_in
from chalicelib.iam.policy_set import PolicySet
from chalicelib.iam.request import MFA_KEYS, Request, is_supported
from chalicelib.iam.statement import Effect

USER_ID = "aws:userid"


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a role, and how: what every request carries, and what the principal cannot choose."""

    policies: PolicySet
    base: Mapping[str, str]
    own: Mapping[str, str]
    request: Callable[[Mapping[str, str]], Request]
    origin: Origin = ABSENT
    stays: frozenset[str] = frozenset()
    """The keys that every request carries, with values that no answer shows: told wherever they are in play."""
    free: tuple[str, ...] = ()
    """How the keys begin whose values were given to a session by whoever began it."""
    user_id: str = ""
    """How the session's aws:userid begins, if that is known; the session's name follows."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """How the role can be assumed: the decision, the condition values that it needs, and what is in doubt."""

    decision: Decision
    needs: Mapping[str, str]
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """The answer: how, or None; and whether the choices tried are all that matter."""

    found: Assumed | None
    whole: bool


def first_allowed(asking: Asking) -> Tried:
    """The first choice of condition values that is allowed, a certain one if there is any."""
    plain = asking.request({})
    if not _may_pass(asking.policies, plain):
        return Tried(None, True)
    known = Known(asking.own, asking.origin, free=asking.free)
    policies = [policy for _, _, layer in asking.policies.layers(plain) for policy in layer]
    about = [s for policy in policies for s in policy.document.about(plain.action) if not known.excludes(s)]
    conditions = [c for s in about for c in s.conditions if c.key not in MFA_KEYS and is_supported(plain.action, c.key)]
    wanted = [s.conditions for s in about if s.effect is Effect.ALLOW and s.conditions]
    regions = places(about, plain.principal).regions
    forced = {**asking.origin.forced(regions[0]), **_user_ids(asking, conditions)}

    def choices(allowing: frozenset[int] | None = None) -> tuple[list[dict[str, str]], bool]:
        found, whole = contexts(
            conditions, asking.base, asking.own, regions, forced, wanted, free=asking.free, allowing=allowing
        )
        return [{key: value for key, value in one.items() if value is not None} for one in found], whole

    def allowed(found: Sequence[Mapping[str, str]]) -> Iterator[Assumed]:
        for chosen in found:
            decision = evaluate(asking.request(chosen), asking.policies)
            if decision.may_be_allowed:
                yield _needing_least(asking, conditions, decision, chosen)

    # First the few choices of which one is allowed if any is.
    best, told = choices(frozenset(id(c) for found in wanted for c in found))
    passing = next(allowed(best), None) if told else None
    if told and passing is None:
        return Tried(None, True)
    variants, whole = choices()
    doubtful: Assumed | None = None
    for assumed in allowed(variants):
        if not assumed.doubts:
            return Tried(assumed, whole)
        doubtful = doubtful or assumed
    return Tried(doubtful or passing, whole)


def _needing_least(
    asking: Asking, conditions: Sequence[Condition], decision: Decision, chosen: Mapping[str, str]
) -> Assumed:
    for key in [key for key in chosen if key not in asking.stays]:
        less = {name: value for name, value in chosen.items() if name != key}
        if (other := evaluate(asking.request(less), asking.policies)).may_be_allowed and not other.uncertain:
            decision, chosen = other, less
    return Assumed(decision, chosen, (*decision.doubts_told, *_supposed(asking, conditions, chosen)))


def _supposed(asking: Asking, conditions: Sequence[Condition], chosen: Mapping[str, str]) -> Iterator[str]:
    def allowed(others: Mapping[str, str]) -> bool:
        return evaluate(asking.request(others), asking.policies).allowed

    yield from organisation_supposed(conditions, asking.base, asking.own, chosen, allowed)
    for key, value in chosen.items():
        if key.startswith(asking.free) and asking.base.get(key) != value:
            yield f"a session of {asking.base['aws:principalarn']} has {key} {value} if whoever begins it says so"
    unknown = USER_ID.startswith(asking.free) and not asking.user_id
    if unknown and any(USER_ID in condition.keys for condition in conditions):
        yield f"not read which id {asking.base['aws:principalarn']} has"


def _user_ids(asking: Asking, conditions: Sequence[Condition]) -> dict[str, Sequence[str]]:
    """What aws:userid of a session can be: the role's id, with any name and with those that the conditions ask for."""
    if not asking.user_id:
        return {}
    found: dict[str, None] = {asking.base[USER_ID]: None, f"{asking.user_id}{WORDS[1]}": None}
    for condition in conditions:
        if condition.key == USER_ID:
            met = (meet_texts((text, f"{asking.user_id}?*")) for text in condition.values)
            found.update(dict.fromkeys(text for text in met if text is not None))
    return {USER_ID: tuple(found)}


def _may_pass(policies: PolicySet, request: Request) -> bool:
    """Whether the trust policy is about assuming the role, and about this principal: asked before all else."""
    trust = policies.resource
    if trust is None:
        return True
    return any(
        statement.effect is Effect.ALLOW and named_in(statement, request, bounded=False)[1].most
        for statement in trust.document.about(request.action)
    )
