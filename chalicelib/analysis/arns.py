"""Concrete resources for abstract patterns.

A policy can tell two resources apart only by a pattern that stands in it. So for every type of resource that the
actions of a class take: one ARN that no pattern names, one for each pattern that can match the type, and one for each
pair of patterns that an allowed request may have to match together. Patterns are met as patterns: an ARN that lies in
two of them is built from both, not guessed from one, and keeps out of those that deny where it can.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain, combinations, islice, product

from chalicelib.analysis.names import GIVEN, NOTHING, WORDS, regions_apart
from chalicelib.analysis.origins import VIA_SERVICE, services_of_region
from chalicelib.analysis.partition import ActionClass
from chalicelib.analysis.universe import needs_several, types_of
from chalicelib.iam.actions import catalogue
from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import (
    ARN_SEGMENTS,
    compile_source,
    fold,
    glob_source,
    has_wildcard,
    is_everything,
    parse_template,
    plain,
)
from chalicelib.iam.principals import Principal
from chalicelib.iam.resources import service_of
from chalicelib.iam.statement import Effect, Statement

MOST_TYPES = 1024
MOST_STATES = 4_000
MOST_MEETINGS = 200

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the resources of a search lie; of the regions, one for each way in which the policies tell them apart."""

    partition: str
    account: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A resource, an action of a class that is made on such, and the patterns that it was taken from.

    The patterns stand with the caller's values in them; `written` are the same as the policies have them.
    """

    action: str
    resource: str
    patterns: tuple[str, ...] = ()
    written: tuple[str, ...] = ()

    @property
    def personal(self) -> bool:
        """Whether another caller's would be another resource."""
        return self.patterns != self.written


def places(statements: Iterable[Statement], principal: Principal) -> Places:
    """The caller's partition and account, and the regions that the statements tell apart."""
    named: list[str] = []
    calling: list[Condition] = []
    for statement in statements:
        for condition in statement.conditions:
            if condition.key == "aws:requestedregion":
                named += condition.values
            elif condition.key == VIA_SERVICE:
                calling.append(condition)
        for entry in statement.resources.entries if statement.resources else ():
            segments = entry.lower().split(":", ARN_SEGMENTS - 1)
            named += segments[3:4]
    apart = regions_apart(named, principal.partition, partial(services_of_region, tuple(calling)))
    return Places(principal.partition, principal.account, apart)


class Patterns:
    """The resource patterns of the statements about a class, with one user's values in them.

    An allowed request lies in what an identity policy grants, in what the boundary and each level of service control
    policies grant, and in what each Deny with NotResource exempts. `groups` are the single patterns, and those of
    several of these layers together; `barred` are the patterns that a request does well to keep out of.
    """

    def __init__(self, limits: Iterable[Iterable[Statement]], own: Mapping[str, str]) -> None:
        layers: list[tuple[str, ...]] = []
        barred: list[str] = []
        self.written: dict[str, str] = {}
        """Pattern → the same without the caller's values."""
        self.whole = True
        """Whether all patterns and groups of them are there."""
        for statements in limits:
            granted: list[str] = []
            for statement in statements:
                entries = self._resolved(statement, own)
                if (statement.effect is Effect.ALLOW) is statement.not_resource:
                    barred += entries
                elif statement.effect is Effect.ALLOW:
                    granted += entries
                else:
                    layers.append(entries)
            layers.append(tuple(dict.fromkeys(granted)))
        layers = list(dict.fromkeys(layer for layer in layers if layer))
        single = dict.fromkeys((entry,) for entry in (*chain.from_iterable(layers), *barred))
        chosen = chain.from_iterable(combinations(layers, size) for size in range(2, len(layers) + 1))
        meetings = list(islice(chain.from_iterable(product(*some) for some in chosen), MOST_MEETINGS + 1))
        self.groups: tuple[tuple[str, ...], ...] = tuple(dict.fromkeys((*single, *meetings)))
        self.barred = tuple(dict.fromkeys(barred))
        self.whole = self.whole and len(meetings) <= MOST_MEETINGS

    def _resolved(self, statement: Statement, own: Mapping[str, str]) -> tuple[str, ...]:
        """The entries of a statement but stars, with the caller's values in them, padded to six segments."""
        found: list[str] = []
        resources = statement.resources
        for entry in resources.entries if resources else ():
            if is_everything(entry):
                continue
            written = ":".join(_padded(entry))
            text = filled(entry, own) if resources and resources.has_variables else written
            if text is not None:
                found.append(text)
                self.written[text] = written
            elif not all(key.startswith(GIVEN) for key in _keys_in(entry)):
                self.whole = False
        return tuple(found)


def _padded(entry: str) -> tuple[str, ...]:
    """The six segments of an ARN pattern, all but the last in lower case; missing ones are stars."""
    *head, tail = [*entry.split(":", ARN_SEGMENTS - 1), *["*"] * (ARN_SEGMENTS - 1)][:ARN_SEGMENTS]
    return (*map(fold, head), tail)


def _keys_in(entry: str) -> frozenset[str]:
    template = parse_template(_padded(entry)[-1])
    return template.keys if template else frozenset()


def filled(entry: str, own: Mapping[str, str]) -> str | None:
    """An ARN pattern, padded to six segments, with the caller's values in it; None where one is missing."""
    *head, tail = _padded(entry)
    template = parse_template(tail)
    resolved = template.resolve(own, taken=True) if template else tail
    return None if resolved is None else ":".join((*head, resolved))


def needs_several_resources(action: str) -> bool:
    """Whether a request of the action names resources of several types, each of which must be allowed."""
    found = catalogue().find(action)
    return found is not None and needs_several(found)


def targets(group: ActionClass, patterns: Patterns, where: Places) -> Iterator[Target]:
    """The resources of a class: of each type that its actions take, one for each set of patterns in which one lies."""
    types = _types(group)
    services = {"", group.service, *(service_of(arn) for _, arn in types)}
    groups = [met for met in patterns.groups if services.issuperset(map(service_of, met))]
    barred = tuple(entry for entry in patterns.barred if service_of(entry) in services)
    # Where no pattern is about these services, all their types are decided alike and one speaks for them.
    for name, kind in types if groups else types[:1]:
        for region in where.regions:
            found = _meet_a_type(((name, kind),), (), barred, replace(where, regions=(region,)))
            if found:
                yield Target(*found)
    for met in groups:
        named = {service_of(entry) for entry in met} - {""}
        of_service = types if len(named) != 1 else tuple(t for t in types if service_of(t[1]) in named)
        for region in where.regions:
            found = _meet_a_type(of_service, met, barred, replace(where, regions=(region,)))
            if found:
                yield Target(*found, met, tuple(patterns.written[entry] for entry in met))


def _types(group: ActionClass) -> tuple[tuple[str, str], ...]:
    """(action, ARN template): the types of resource of a class, each with an action that takes it."""
    if group.members:
        return types_of(group.members)[:MOST_TYPES]
    # One that AWS may have had since: nothing is known of its resources.
    arn = "arn:${Partition}:" + group.service + ":${Region}:${Account}:${Any}"
    return tuple((name, arn) for name in group.unknown)


@lru_cache(maxsize=65_536)
def _meet_a_type(
    types: tuple[tuple[str, str], ...], group: tuple[str, ...], barred: tuple[str, ...], where: Places
) -> tuple[str, str] | None:
    """The first type of resource of which an ARN lies in all patterns of the group, with that ARN.

    It lies in no barred pattern where a name can be found that does not.
    """
    for name, kind in types:
        template = _placed(kind, where)
        named = [arn for word in WORDS if (arn := meet((template, *group), word)) and _is_of(kind, arn)]
        if named:
            free = (arn for arn in named if not any(lies_in(arn, entry) for entry in barred))
            return name, plain(next(free, named[0]))
    return None


def _placed(arn: str, where: Places) -> str:
    """An ARN template in one region; what is left to choose is one character or more."""
    known = {"Partition": where.partition, "Region": where.regions[0], "Account": where.account}
    return _PLACEHOLDER.sub(lambda match: known.get(match[1], "?*"), arn)


def _is_of(kind: str, arn: str) -> bool:
    """Whether the ARN can be of the type: the name of a bucket holds no slash."""
    return not kind.endswith(":::${BucketName}") or "/" not in arn


def lies_in(arn: str, pattern: str) -> bool:
    """Whether an ARN lies in a pattern of six segments."""
    if not has_wildcard(pattern):
        return plain(arn) == plain(pattern)
    return compile_source(glob_source(pattern)).fullmatch(plain(arn)) is not None


def meet(patterns: Sequence[str], word: str = NOTHING) -> str | None:
    """An ARN that lies in all the patterns of six segments; None if there is none. `word` names what is free to choose.

    Segments are met one by one: no name of a resource holds another ARN's colons.
    """
    rows = [pattern.split(":", ARN_SEGMENTS - 1) for pattern in patterns]
    met: list[str] = []
    for segment in zip(*rows, strict=True):
        text = _meet(tuple(dict.fromkeys(segment)), word)
        if text is None:
            return None
        met.append(text)
    return ":".join(met)


def meet_texts(patterns: Sequence[str]) -> str | None:
    """A text that lies in all the patterns of texts; None if there is none."""
    return _meet(tuple(dict.fromkeys(patterns)), NOTHING)


@lru_cache(maxsize=65_536)
def _meet(patterns: tuple[str, ...], word: str) -> str | None:
    """A text that lies in all the patterns.

    First the plain way: one pattern with its stars filled. Then a search over the positions in all patterns at once,
    breadth first, which finds the shortest such text.
    """
    for pattern in patterns:
        text = re.sub(r"\?\*|\*+", word, pattern).replace("?", word[0])
        if all(lies_in(text, other) for other in patterns):
            return text
    # The search has no names to choose: what it finds for one word it finds for all.
    return _search(patterns) if word == NOTHING else None


def _search(patterns: tuple[str, ...]) -> str | None:
    start = tuple(0 for _ in patterns)
    seen = {start}
    queue: deque[tuple[tuple[int, ...], str]] = deque([(start, "")])
    while queue and len(seen) < MOST_STATES:
        state, text = queue.popleft()
        if all(set(pattern[at:]) <= {"*"} for pattern, at in zip(patterns, state, strict=True)):
            return text
        for following, character in _steps(patterns, state):
            if following not in seen:
                seen.add(following)
                queue.append((following, text + character))
    return None


def _steps(patterns: tuple[str, ...], state: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], str]]:
    """The positions that one more character, or the end of a star, leads to."""
    here = [pattern[at] if at < len(pattern) else "" for pattern, at in zip(patterns, state, strict=True)]
    for index, piece in enumerate(here):
        if piece == "*":
            yield (*state[:index], state[index] + 1, *state[index + 1 :]), ""
    wanted = {piece for piece in here if piece not in ("*", "?")}
    if "" in wanted or len(wanted) > 1:
        return
    character = wanted.pop() if wanted else NOTHING[0]
    yield tuple(at if piece == "*" else at + 1 for at, piece in zip(state, here, strict=True)), character
