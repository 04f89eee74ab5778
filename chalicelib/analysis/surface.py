"""The surface: all that a user can do without MFA, by the partition that the user's own policies induce.

For every class of actions, every resource that the policies tell apart, every origin of requests and every choice of
condition values in play, one request is decided. What is allowed becomes an entry: the actions, a resource and the
patterns it was taken from, the condition values it needs, and the statements that let it through. No request that is
allowed without MFA lies outside, as long as the answer is exhaustive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.analysis.arns import Patterns, Target, filled, lies_in
from chalicelib.analysis.cells import Caller, Cells, managed_keys
from chalicelib.analysis.origins import DIRECT, VIA_AWS, VIA_SERVICE, Origin
from chalicelib.analysis.partition import ActionClass, Partition, actions_about
from chalicelib.analysis.suppositions import organisation_supposed, supposed_of
from chalicelib.analysis.universe import Actions, Kind, actions_named, carrying, everything, union
from chalicelib.analysis.ways import apart
from chalicelib.iam.decision import Decision, evaluate
from chalicelib.iam.patience import check_patience
from chalicelib.iam.policy_set import Layer, Policy, PolicySet
from chalicelib.iam.request import Request
from chalicelib.iam.statement import Effect, Statement

MOST_REQUESTS = 20_000
"""Requests tried for one question about a user; where they do not suffice, the answer is not exhaustive."""
MOST_NEEDS = 8
"""Choices of condition values told for one class on one resource."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Requests that are allowed without MFA, and one of them, decided.

    `target` has the resource and the patterns of the policies in which it lies; none where no policy names it. `needs`
    are the condition values that the request needs; `always` says that no condition in play can stop it.
    """

    group: ActionClass
    origin: Origin
    target: Target
    decision: Decision
    needs: Mapping[str, str]
    suppositions: tuple[str, ...]
    """What had to be supposed of the request, in words."""
    always: bool = False

    @property
    def kind(self) -> Kind:
        """What the actions do."""
        return self.group.kind

    @property
    def request(self) -> Request:
        """The request that speaks for the entry."""
        return self.decision.request

    @property
    def resources(self) -> tuple[str, ...]:
        """The patterns of the policies for the resources it stands for; a star alone where any will do."""
        if self.target.patterns:
            return self.target.patterns
        found: dict[str, None] = {}
        for match in self.decision.matched:
            if match.layer is Layer.IDENTITY and match.statement.effect is Effect.ALLOW:
                found.update(dict.fromkeys(_covering(match.statement, self.request)))
        return ("*",) if "*" in found or not found else tuple(found)

    @property
    def context(self) -> Mapping[str, str]:
        """The condition values that the request needs, with those that say which service makes it."""
        via = {key: str(value) for key in (VIA_AWS, VIA_SERVICE) if (value := self.request.context.get(key))}
        return {**(via if self.origin.via else {}), **self.needs}

    @property
    def certain(self) -> bool:
        """Whether nothing is left in doubt: every reading allows it, and nothing about it had to be supposed."""
        return self.decision.allowed and not self.decision.uncertain and not self.suppositions

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the entry may be wrong, in words; none where it is certain."""
        return (*self.decision.doubts_told, *self.suppositions)


@dataclass(frozen=True, slots=True)
class Answer:
    """The entries found for a question, and why not every combination was tried; empty where each was."""

    entries: tuple[Entry, ...]
    untried: str = ""

    @property
    def exhaustive(self) -> bool:
        """Whether every combination was tried."""
        return not self.untried

    @property
    def best(self) -> Entry:
        """The entry that proves most: the gravest of those that are certain, else the gravest."""
        return min(self.entries, key=lambda entry: (not entry.certain, entry.kind))


class Surface:
    """The surface of one user, asked part by part."""

    def __init__(self, caller: Caller, policies: PolicySet, partition: Partition | None = None) -> None:
        self.caller = caller
        self.policies = policies
        self._partition = partition or Partition(policies)
        self._cells = Cells(caller, policies)
        self._left = 0

    def entries(self, within: Actions, origins: Sequence[Origin] = DIRECT, *, managed: bool = False) -> Answer:
        """All entries for a set of actions and some origins, the gravest kind first.

        `SERVICES` among the origins stands for each service that the policies tell apart; with `managed`, what the AWS
        managed keys of those services let every user do counts as well.
        """
        self._begin()
        found: list[Entry] = []
        unknown = origins if within == everything() else ()
        for group, chosen in self._classes(dict.fromkeys(origins, within), unknown, managed=managed):
            for target, origin in self._cells.targets(group, chosen, managed=managed):
                found += self._at(group, target, origin)
        return self._answer(found)

    def entries_on(self, resource: str, within: Actions, origins: Sequence[Origin]) -> Answer:
        """All entries for a set of actions on one resource whose own policy is known, the gravest kind first.

        That policy may allow by itself, so nothing is taken to be closed because no other allows it.
        """
        self._begin()
        statements = self.policies.resource.document.statements if self.policies.resource else ()
        keys = dict.fromkeys(condition.key for statement in statements for condition in statement.conditions)
        divided = (*map(actions_about, statements), *map(carrying, keys))
        open_to = {origin: within & ~self._closed(origin) for origin in origins}
        found: list[Entry] = []
        for group in self._partition.classes(union(open_to.values()), (*apart(), *divided)):
            chosen = [origin for origin in origins if open_to[origin] & group.members]
            target = Target(group.name, resource, (resource,), (resource,))
            for origin in self._cells.expanded(group, chosen):
                found += self._at(group, target, origin)
        return self._answer(found)

    def gravest(self, reached: Mapping[Origin, Actions], unknown: Sequence[Origin] = ()) -> Answer:
        """The gravest entry for the actions that each origin reaches, a certain one if any; at most one entry.

        `unknown` are the origins for which actions count that the catalogue does not know.
        """
        self._begin()
        doubtful: Entry | None = None
        for group, chosen in self._classes(reached, unknown):
            for target, origin in self._cells.targets(group, chosen):
                for entry in self._lazily(group, target, origin):
                    if entry.certain:
                        return self._answer([self._needing_least(entry)])
                    doubtful = doubtful or entry
        return self._answer([self._needing_least(doubtful)] if doubtful else [])

    def closes(self, name: str, origin: Origin) -> bool:
        """Whether a deny shuts an action on every resource for requests of that origin."""
        return bool(self._closed(origin) & actions_named((name,)))

    def guarded(self, origin: Origin, guards: Callable[[Request, Decision], bool]) -> bool:
        """Whether an action that no policy names is denied whatever the request holds, and by what `guards` accepts."""
        name = self._partition.unnamed()
        if name is None:
            return False
        group = self._partition.class_of(name)
        target, _ = next(self._cells.targets(group, [origin]))
        for chosen in self._cells.variants(group, origin, target):
            request = self.caller.request(origin, name, target.resource, chosen)
            if not guards(request, evaluate(request, self.policies)):
                return False
        return True

    def elsewhere(self, name: str, account: str) -> tuple[Iterator[Target], bool]:
        """As of `Cells`, for one action."""
        return self._cells.elsewhere(self._partition.class_of(name), account)

    def patterns(self, name: str) -> tuple[str, ...]:
        """The patterns of resources that the policies name for an action, with the caller's values in them."""
        group = self._partition.class_of(name)
        return tuple(Patterns((group.identity, *group.limits), self.caller.own).written)

    @property
    def untried(self) -> str:
        """Why not every combination that matters was tried for the last question; empty where each was."""
        return self._cells.untried

    def on(self, own_policy: Policy | None) -> Surface:
        """The surface on a resource whose own policy is this one; the same where that is not known."""
        if own_policy is None:
            return self
        # What a resource's policy says tells no actions of the caller's apart.
        return Surface(self.caller, replace(self.policies, resource=own_policy), self._partition)

    def at(
        self, name: str, resource: str, origin: Origin, given: Mapping[str, str | None] | None = None
    ) -> Entry | Decision:
        """What one action on one resource comes to: the entry if some choice of values is allowed, else the denial.

        `given` are values that are not for choice; None stands for an absent key.
        """
        self._begin()
        group, target = self._partition.class_of(name), Target(name, resource)
        if not self._cells.leaves_open(group, origin, resource):
            return evaluate(self.caller.request(origin, name, resource, {}), self.policies)
        variants = [_with(chosen, given) for chosen in self._cells.variants(group, origin, target)]
        for chosen in variants:
            entry = self._decide(group, target, origin, chosen)
            if entry is not None:
                return self._needing_least(entry)
        return evaluate(self.caller.request(origin, name, resource, variants[0]), self.policies)

    def with_values(self, entry: Entry, values: Mapping[str, str]) -> Entry | None:
        """The entry decided again for a request that holds further values; None where that is denied."""
        return self._decide(entry.group, entry.target, entry.origin, {**entry.needs, **values})

    def in_play(self, name: str) -> tuple[Statement, ...]:
        """The statements about an action."""
        return self._cells.in_play(self._partition.class_of(name), name)

    def again(self, entry: Entry) -> Entry | None:
        """The entry decided for this surface's user, where it was found for another with the same policies."""
        target: Target | None = entry.target
        if entry.target.personal:
            same = (t for t, _ in self._cells.targets(entry.group, [entry.origin]) if t.written == entry.target.written)
            target = next((t for t in same if t.action == entry.target.action), None)
        found = self._decide(entry.group, target, entry.origin, entry.needs) if target else None
        return replace(found, always=entry.always) if found else None

    def _begin(self) -> None:
        self._left = MOST_REQUESTS
        self._cells.untried = ""

    def _answer(self, found: Sequence[Entry]) -> Answer:
        untried = "" if self._left > 0 else f"there are more than {MOST_REQUESTS:,} requests to try"
        return Answer(tuple(found), untried or self._cells.untried)

    def _classes(
        self, reached: Mapping[Origin, Actions], unknown: Sequence[Origin] = (), *, managed: bool = False
    ) -> Iterator[tuple[ActionClass, list[Origin]]]:
        """The classes that something may be allowed of, each with the origins for which it may."""
        open_to: dict[Origin, Actions] = {}
        for origin, actions in reached.items():
            granted = self._partition.granted | (managed_keys() if managed else 0)
            open_to[origin] = actions & granted & ~self._closed(origin)
        within = union(open_to.values())
        for group in self._partition.classes(within, apart()):
            yield group, [origin for origin, actions in open_to.items() if actions & group.members]
        if unknown:
            for group in self._partition.unknown():
                yield group, list(unknown)

    def _closed(self, origin: Origin) -> Actions:
        """The actions that a deny shuts on every resource for requests of that origin, whatever else they hold."""
        known = self._cells.known(origin)
        return self._partition.about(
            statement
            for policy in self.policies.binding
            for statement in policy.document.statements
            if statement.covers_everything and known.denies(statement)
        )

    def _at(self, group: ActionClass, target: Target, origin: Origin) -> list[Entry]:
        """The entries at one place, one for each choice of values that is needed."""
        allowed = list(self._lazily(group, target, origin))
        if not allowed:
            return []
        always = len(allowed) == len(self._cells.variants(group, origin, target))
        # A request that needs nothing makes all others of the place superfluous. One that holds what every request
        # carries (an address, a region) does not: another value may be let through by another statement.
        plain = next((entry for entry in allowed if entry.certain and not entry.needs), None)
        if plain is not None:
            return [replace(plain, always=always)]
        found: dict[tuple[tuple[tuple[str, str], ...], bool], Entry] = {}
        for entry in map(self._needing_least, allowed):
            found.setdefault((tuple(entry.needs.items()), entry.certain), entry)
        return [replace(entry, always=always and not entry.needs) for entry in found.values()][:MOST_NEEDS]

    def _lazily(self, group: ActionClass, target: Target, origin: Origin) -> Iterator[Entry]:
        """The entries at one place, one for each choice of values that is allowed."""
        check_patience()  # all places may be closed: nothing is decided then
        if not self._cells.leaves_open(group, origin, target.resource):
            return
        # First the few choices of which one is allowed if any is.
        best = self._cells.best(group, origin, target)
        passing = next(self._allowed(group, target, origin, best), None) if best is not None else None
        if best is not None and passing is None:
            return
        for entry in self._allowed(group, target, origin, self._cells.variants(group, origin, target)):
            passing = None
            yield entry
        if passing is not None:
            yield passing

    def _allowed(
        self, group: ActionClass, target: Target, origin: Origin, choices: Sequence[Mapping[str, str]]
    ) -> Iterator[Entry]:
        for chosen in choices:
            if self._left <= 0:
                return
            self._left -= 1
            entry = self._decide(group, target, origin, chosen)
            if entry is not None:
                yield entry

    def _needing_least(self, entry: Entry) -> Entry:
        """The entry without the condition values that it can do without; what every request carries stays."""
        for key in entry.needs.keys() - self.caller.base.keys():
            needs = {name: value for name, value in entry.needs.items() if name != key}
            less = self._decide(entry.group, entry.target, entry.origin, needs)
            if less is not None and (less.certain or not entry.certain):
                entry = less
        return entry

    def _decide(self, group: ActionClass, target: Target, origin: Origin, chosen: Mapping[str, str]) -> Entry | None:
        def ask(chosen: Mapping[str, str]) -> Request:
            return self.caller.request(origin, target.action, target.resource, chosen)

        def allowed(chosen: Mapping[str, str]) -> bool:
            return evaluate(ask(chosen), self.policies).allowed

        request = ask(chosen)
        decision = evaluate(request, self.policies)
        if not decision.may_be_allowed:
            return None
        conditions = self._cells.of_organisation(group, target.action)
        supposed = (
            *supposed_of(request, origin, chosen),
            *organisation_supposed(conditions, self.caller.base, self.caller.own, chosen, allowed),
        )
        return Entry(group, origin, target, decision, chosen, supposed)


def _with(chosen: Mapping[str, str], given: Mapping[str, str | None] | None) -> dict[str, str]:
    return {key: value for key, value in {**chosen, **(given or {})}.items() if value is not None}


def _covering(statement: Statement, request: Request) -> Iterator[str]:
    """The entries of an Allow's resources in which the request's resource lies."""
    if statement.resources is None or statement.not_resource or statement.resources.everything:
        yield "*"
        return
    for entry in statement.resources.entries:
        pattern = filled(entry, {key: str(value) for key, value in request.context.items()})
        if pattern is not None and lies_in(request.resource, pattern):
            yield pattern
