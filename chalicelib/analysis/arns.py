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
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations, islice, product

from chalicelib.iam.actions import catalogue
from chalicelib.iam.patterns import (
    ARN_SEGMENTS,
    compile_source,
    glob_source,
    has_wildcard,
    is_everything,
    parse_template,
)
from chalicelib.iam.policy import Effect, Statement
from chalicelib.iam.resources import service_of

REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-2", "sa-east-1", "ca-central-1")
"""Regions to choose from; those that no policy names stand for all that none names."""
NOTHING = "mfawatch-example"
"""A name that no policy names."""
WORDS = (NOTHING, "q7", "0-x", "Kd_", "zz9")
"""Names to choose from; the first one that falls into no pattern that denies."""
MOST_REGIONS = 4
MOST_TYPES = 64
MOST_STATES = 20_000
MOST_PAIRS = 200

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the resources of a search lie: the account, and regions that the policies name with one they do not."""

    account: str
    regions: tuple[str, ...]


def places(statements: Iterable[Statement], account: str) -> Places:
    """The account, the regions in play, and a region that no policy names; that one first."""
    named: dict[str, None] = {}
    for statement in statements:
        for condition in statement.conditions:
            if condition.key == "aws:requestedregion":
                named.update(dict.fromkeys(text for text in condition.values if not has_wildcard(text)))
        for entry in statement.resources.entries if statement.resources else ():
            segments = entry.split(":", ARN_SEGMENTS - 1)
            if len(segments) == ARN_SEGMENTS and segments[3] and not has_wildcard(segments[3]):
                named[segments[3]] = None
    unnamed = next((region for region in REGIONS if region not in named), REGIONS[0])
    return Places(account, (unnamed, *list(named)[:MOST_REGIONS]))


class Patterns:
    """The resource patterns of the statements about a class, with one user's values in them.

    `groups` are the patterns, and the pairs of patterns, in which an allowed request may have to lie together: what one
    statement grants or exempts, and another one too. `barred` are those that a request does well to avoid.
    """

    def __init__(self, statements: Iterable[Statement], values: Mapping[str, str]) -> None:
        positive: list[tuple[str, ...]] = []
        barred: dict[str, None] = {}
        for statement in statements:
            if statement.resources is None:
                continue
            found = (entry for entry in statement.resources.entries if not is_everything(entry))
            resolved = tuple(dict.fromkeys(filter(None, (_resolve(entry, values) for entry in found))))
            if (statement.effect is Effect.ALLOW) is not statement.not_resource:
                positive.append(resolved)
            else:
                barred.update(dict.fromkeys(resolved))
        single = dict.fromkeys((entry,) for entry in (*chain.from_iterable(positive), *barred))
        pairs = dict.fromkeys(
            (one, other)
            for ours, theirs in combinations(positive, 2)
            for one, other in product(ours, theirs)
            if one != other
        )
        self.groups = (*single, *islice(pairs, MOST_PAIRS))
        self.barred = tuple(barred)
        self.whole = len(pairs) <= MOST_PAIRS
        """Whether all pairs are there."""


def _resolve(entry: str, values: Mapping[str, str]) -> str | None:
    """The pattern with its policy variables replaced, padded to six segments; None where a variable has no value."""
    segments = entry.split(":", ARN_SEGMENTS - 1)
    if len(segments) < ARN_SEGMENTS:
        return ":".join([*segments, *["*"] * (ARN_SEGMENTS - len(segments))])
    template = parse_template(segments[-1])
    tail = template.resolve(values, taken=True) if template else segments[-1]
    return None if tail is None else ":".join((*segments[:-1], tail))


def targets(actions: Sequence[str], patterns: Patterns, where: Places) -> Iterator[tuple[str, str]]:
    """(action, ARN) for a class of actions; the ARN is of a type that the action takes."""
    types = _types(tuple(actions))
    if not types:
        yield actions[0], "*"
    services = {"", *(service_of(arn) for _, arn in types)}
    groups = [group for group in patterns.groups if services.issuperset(map(service_of, group))]
    barred = tuple(entry for entry in patterns.barred if service_of(entry) in services)
    # Where no pattern is about these services, all their types are decided alike and one speaks for them.
    for name, kind in types if groups else types[:1]:
        for region in where.regions:
            found = _meet_a_type(((name, kind),), (), barred, region, where.account)
            if found:
                yield found
    for group in groups:
        for region in where.regions:
            found = _meet_a_type(types, group, barred, region, where.account)
            if found:
                yield found


@lru_cache(maxsize=4096)
def _types(actions: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(action, ARN template): the types of resource of a class, each with the first action that takes it."""
    found: dict[str, str] = {}
    for name in actions:
        action = catalogue().find(name)
        kinds = sorted(action.resource_types, key=lambda kind: (not kind.required, len(kind.arn))) if action else []
        for kind in kinds:
            found.setdefault(kind.arn, name)
    return tuple((name, arn) for arn, name in found.items())[:MOST_TYPES]


@lru_cache(maxsize=65_536)
def _meet_a_type(
    types: tuple[tuple[str, str], ...], group: tuple[str, ...], barred: tuple[str, ...], region: str, account: str
) -> tuple[str, str] | None:
    """The first type of resource of which an ARN lies in all patterns of the group, with that ARN.

    It lies in no barred pattern where a name can be found that does not.
    """
    for name, kind in types:
        template = _placed(kind, region, account)
        named = [arn for word in WORDS if (arn := meet((template, *group), word)) and _is_of(kind, arn)]
        if named:
            return name, next((arn for arn in named if not any(_lies_in(arn, entry) for entry in barred)), named[0])
    return None


def _placed(arn: str, region: str, account: str) -> str:
    """An ARN template in a region and an account; what is left to choose is a star."""
    known = {"Partition": "aws", "Region": region, "Account": account}
    return _PLACEHOLDER.sub(lambda match: known.get(match[1], "*"), arn)


def _is_of(kind: str, arn: str) -> bool:
    """Whether the ARN can be of the type: the name of a bucket holds no slash."""
    return not kind.endswith(":::${BucketName}") or "/" not in arn


def _lies_in(arn: str, pattern: str) -> bool:
    return compile_source(glob_source(pattern)).fullmatch(arn) is not None


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


@lru_cache(maxsize=65_536)
def _meet(patterns: tuple[str, ...], word: str) -> str | None:
    """A text that lies in all the patterns.

    First the plain way: one pattern with its stars filled. Then a search over the positions in all patterns at once,
    breadth first, which finds the shortest such text.
    """
    for pattern in patterns:
        text = re.sub(r"\*+", word, pattern).replace("?", word[0])
        if all(_lies_in(text, other) for other in patterns):
            return text
    return _search(patterns, word[0])


def _search(patterns: tuple[str, ...], free: str) -> str | None:
    start = tuple(0 for _ in patterns)
    seen = {start}
    queue: deque[tuple[tuple[int, ...], str]] = deque([(start, "")])
    while queue and len(seen) < MOST_STATES:
        state, text = queue.popleft()
        if all(set(pattern[at:]) <= {"*"} for pattern, at in zip(patterns, state, strict=True)):
            return text
        for following, character in _steps(patterns, state, free):
            if following not in seen:
                seen.add(following)
                queue.append((following, text + character))
    return None


def _steps(patterns: tuple[str, ...], state: tuple[int, ...], free: str) -> Iterator[tuple[tuple[int, ...], str]]:
    """The positions that one more character, or the end of a star, leads to."""
    here = [pattern[at] if at < len(pattern) else "" for pattern, at in zip(patterns, state, strict=True)]
    for index, piece in enumerate(here):
        if piece == "*":
            yield (*state[:index], state[index] + 1, *state[index + 1 :]), ""
    wanted = {piece for piece in here if piece not in ("*", "?")}
    if "" in wanted or len(wanted) > 1:
        return
    character = wanted.pop() if wanted else free
    yield tuple(at if piece == "*" else at + 1 for at, piece in zip(state, here, strict=True)), character
