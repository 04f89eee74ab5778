"""The requests that stand for a class of actions: one for each cell of resources, origins and condition values.

What the policies name is tried, and for each thing they name something that they do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.analysis.arns import Patterns, Places, Target, places, targets
from chalicelib.analysis.contexts import Values, contexts
from chalicelib.analysis.decide import carried, region_of
from chalicelib.analysis.known import Known
from chalicelib.analysis.names import GLOBAL_SERVICES, NOTHING
from chalicelib.analysis.origins import (
    ANY_SERVICE,
    CALLED_VIA,
    FORWARDED,
    GIT_SERVICE,
    SERVICES,
    VIA_SERVICE,
    Origin,
    services_apart,
)
from chalicelib.analysis.partition import ActionClass
from chalicelib.analysis.suppositions import OF_AN_ORGANISATION, base_organisation, own_organisation
from chalicelib.analysis.universe import Actions, actions_named
from chalicelib.iam.account import AccountSnapshot, User, principal_context
from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import fold
from chalicelib.iam.policy_set import MANAGED_KEY, MANAGED_KEY_ACTIONS, PolicySet
from chalicelib.iam.request import MFA_KEYS, MfaState, Request, build_request, is_supported
from chalicelib.iam.statement import Effect, Statement

KMS = "kms"
MANY_PATTERNS = "more resource patterns meet than are tried together, or hold values that are not known"
MANY_VALUES = "more combinations of condition values are in play than are tried"


def managed_keys() -> Actions:
    """What the policy of an AWS managed key lets the account's users do through its service, whatever their own say."""
    return actions_named(MANAGED_KEY_ACTIONS)


def managed_key(partition: str, region: str, account: str, service: str) -> str:
    """The ARN that stands for the AWS managed key of a service."""
    return f"arn:{partition}:kms:{region}:{account}:{MANAGED_KEY}{service}"


class Caller:
    """A user as the origin of requests."""

    def __init__(self, snapshot: AccountSnapshot, user: User) -> None:
        self.snapshot = snapshot
        self.user = user
        self.own = {**_folded(principal_context(user)), **own_organisation(snapshot)}
        """The values that the caller cannot choose."""
        self.general = {**_NETWORK, **base_organisation(snapshot)}
        """What every request carries, whatever the value, and no answer about the account shows."""
        self.base = {**self.general, **_folded(carried(snapshot, user, "", "*", MfaState.ABSENT)), **self.own}
        """What every request carries, one value of each key."""

    def request(self, origin: Origin, action: str, resource: str, chosen: Mapping[str, str]) -> Request:
        """A request of that origin with the values that were chosen."""
        region = region_of(resource) or chosen.get("aws:requestedregion", "us-east-1")
        given = _folded(carried(self.snapshot, self.user, action, resource, origin.mfa))
        settled = origin.carried(region, kms=action.startswith(f"{KMS}:"))
        context = {**given, **self.own, **chosen, **settled}
        return build_request(self.user.principal, action, resource, context)


_NETWORK = {"aws:sourceip": "198.51.100.1", "aws:useragent": NOTHING}
"""Where a request comes from, if a policy asks and nothing else is chosen."""


def _folded(context: Mapping[str, str]) -> dict[str, str]:
    return {fold(key): value for key, value in context.items()}


@dataclass(frozen=True, slots=True)
class _Case:
    """What the statements about a class tell apart."""

    where: Places
    patterns: Patterns
    services: tuple[Origin, ...]


class Cells:
    """The cells of one caller's policies."""

    def __init__(self, caller: Caller, policies: PolicySet) -> None:
        self.caller = caller
        self._about_keys = [
            statement
            for policy in policies.binding
            for action in ("kms:decrypt", "kms:encrypt", "kms:generatedatakey")
            for statement in policy.document.about(action)
        ]
        self._of_resource = policies.resource.document if policies.resource else None
        read = (*policies.binding, *([policies.resource] if policies.resource else ()))
        self._asks_for_organisation = any(
            key.startswith(OF_AN_ORGANISATION) for policy in read for s in policy.document.statements for key in s.keys
        )
        self._cases: dict[tuple[int, ...], _Case] = {}
        self._values: dict[tuple[object, ...], tuple[list[Values], bool]] = {}
        self._known: dict[tuple[Origin, str], Known] = {}
        self.untried = ""
        """Why not all combinations that matter have been among those tried so far; empty where they have."""

    def _case(self, group: ActionClass) -> _Case:
        service = (KMS, GIT_SERVICE, group.service).index(group.service)
        about = self.in_play(group, group.name)
        key = (*map(id, group.identity), 0, *map(id, about[len(group.identity) :]), service)
        if key not in self._cases:
            # Git goes on to KMS in the repository's region: what tells regions apart there does so here.
            further = self._about_keys if group.service == GIT_SERVICE else ()
            where = places((*about, *further), self.caller.user.principal)
            patterns = Patterns((group.identity, *group.limits), self.caller.own)
            calling = tuple(c for s in about for c in s.conditions if c.key in (VIA_SERVICE, *CALLED_VIA))
            services = services_apart(calling, where.regions) if group.service == KMS else (FORWARDED,)
            self._cases[key] = _Case(where, patterns, services)
        return self._cases[key]

    def targets(
        self, group: ActionClass, origins: Sequence[Origin], *, managed: bool = False
    ) -> Iterator[tuple[Target, Origin]]:
        """The resources of the class, for each of the origins; with `managed`, the AWS managed keys of services too."""
        case = self._case(group)
        expanded = self.expanded(group, origins)
        if not group.has_resources:
            yield from ((Target(group.name, "*"), origin) for origin in expanded)
            return
        if not case.patterns.whole:
            self.untried = self.untried or MANY_PATTERNS
        for target in targets(group, case.patterns, case.where):
            yield from ((target, origin) for origin in expanded)
        if not managed or not group.members & managed_keys():
            return
        where = case.where
        for origin in expanded:
            if origin.via not in ("", ANY_SERVICE):
                for region in where.regions:
                    yield Target(group.name, managed_key(where.partition, region, where.account, origin.via)), origin

    def expanded(self, group: ActionClass, origins: Sequence[Origin]) -> list[Origin]:
        """The origins, with the services that the statements about the class tell apart in the place of `SERVICES`."""
        services = self._case(group).services
        return [one for origin in origins for one in (services if origin == SERVICES else (origin,))]

    def elsewhere(self, group: ActionClass, account: str) -> tuple[Iterator[Target], bool]:
        """The resources of the class in another account, in one region, and whether all patterns are among them."""
        case = self._case(group)
        where = replace(case.where, account=account, regions=case.where.regions[:1])
        return targets(group, case.patterns, where), case.patterns.whole

    def variants(self, group: ActionClass, origin: Origin, target: Target) -> Sequence[dict[str, str]]:
        """The choices of condition values, the plain one first; each only as far as the request carries the key."""
        found, whole = self._choices(group, origin, target)
        if not whole:
            self.untried = self.untried or MANY_VALUES
        return found

    def best(self, group: ActionClass, origin: Origin, target: Target) -> Sequence[dict[str, str]] | None:
        """The choices of which one is allowed if any choice is; None where that cannot be said of a few."""
        found, whole = self._choices(group, origin, target, best=True)
        return found if whole else None

    def _choices(
        self, group: ActionClass, origin: Origin, target: Target, *, best: bool = False
    ) -> tuple[Sequence[dict[str, str]], bool]:
        regions = self._case(group).where.regions
        region = region_of(target.resource) or regions[0]
        # Where the resource or the service says where, the region is no matter of choice.
        fixed = bool(region_of(target.resource)) or group.service in GLOBAL_SERVICES
        choice = (region,) if fixed else regions
        values, whole = self._values_of(group, origin, region, choice, target.action, best=best)
        chosen: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
        for variant in values:
            kept = {
                key: value
                for key, value in variant.items()
                if value is not None and not (fixed and key == "aws:requestedregion")
            }
            chosen.setdefault(tuple(kept.items()), kept)
        return list(chosen.values()), whole

    def in_play(self, group: ActionClass, action: str) -> tuple[Statement, ...]:
        """The statements about a class, with those of the resource's own policy about an action of it, if known.

        The resource's own policy treats all actions of the class alike.
        """
        of_resource = self._of_resource.about(fold(action)) if self._of_resource else ()
        return (*group.identity, *group.bound, *of_resource)

    def _values_of(
        self, group: ActionClass, origin: Origin, region: str, regions: Sequence[str], action: str, *, best: bool
    ) -> tuple[list[Values], bool]:
        statements = self.in_play(group, action)
        keys = frozenset(c.key for s in statements for c in s.conditions if is_supported(action, c.key))
        if not keys:
            return [{}], True
        key = (*map(id, statements), keys, origin, region, tuple(regions), best)
        if key not in self._values:
            where = region if len(regions) == 1 and is_supported(action, VIA_SERVICE) else ""
            known = self.known(origin, where)
            # A statement that does not match for want of what nobody chooses has no say, whatever else is chosen.
            open_to = [s for s in statements if not known.excludes(s)]
            conditions = [c for s in open_to for c in s.conditions if c.key in keys and c.key not in MFA_KEYS]
            wanted = [s.conditions for s in open_to if s.effect is Effect.ALLOW and s.conditions]
            evaded = [c for s in open_to if s.effect is Effect.DENY for c in s.conditions if c.key in keys]
            allowing = frozenset(id(c) for found in wanted for c in found) if best else None
            base, own = self.caller.base, self.caller.own
            self._values[key] = contexts(
                conditions, base, own, regions, origin.forced(region), wanted, evaded=evaded, allowing=allowing
            )
        return self._values[key]

    def of_organisation(self, group: ActionClass, action: str) -> Sequence[Condition]:
        """The conditions on the organisation of the account or the resource that requests of the class meet."""
        if not self._asks_for_organisation:
            return ()
        of_resource = self._of_resource.about(fold(action)) if self._of_resource else ()
        statements = (*group.identity, *group.bound, *of_resource)
        return [c for s in statements for c in s.conditions if c.key.startswith(OF_AN_ORGANISATION)]

    def leaves_open(self, group: ActionClass, origin: Origin, resource: str) -> bool:
        """Whether some condition values may get a request on the resource through: asked once, before any is tried."""
        own = self.caller.own
        # A policy of the resource may allow by itself.
        if (
            not origin.via
            and self._of_resource is None
            and not any(_may_allow(s, resource, own) for s in group.identity)
        ):
            return False
        known = self.known(origin, region_of(resource) if is_supported(group.name, VIA_SERVICE) else "")
        return not any(known.denies(s) and _surely_covers(s, resource, own) for s in (*group.identity, *group.bound))

    def known(self, origin: Origin, region: str = "") -> Known:
        """What no request of that origin can choose, in a region if one is given."""
        if (origin, region) not in self._known:
            self._known[origin, region] = Known(self.caller.own, origin, region)
        return self._known[origin, region]


def _may_allow(statement: Statement, resource: str, own: Mapping[str, str]) -> bool:
    """Whether it allows on the resource by some reading or some value of a variable."""
    if statement.effect is not Effect.ALLOW:
        return False
    return _waits_for_values(statement, own) or statement.coverage(resource, own).most


def _surely_covers(statement: Statement, resource: str, own: Mapping[str, str]) -> bool:
    """Whether the statement covers the resource by every reading and whatever values its variables take."""
    return not _waits_for_values(statement, own) and statement.coverage(resource, own).least


def _waits_for_values(statement: Statement, own: Mapping[str, str]) -> bool:
    """Whether its resources name variables that are not the caller's own."""
    return statement.resources is not None and not statement.resources.keys <= own.keys()
