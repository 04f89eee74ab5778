"""The surface holds all that is allowed without MFA, and nothing else: a search for what it should not be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.analysis.cells import Caller
from chalicelib.analysis.decide import Decided, decide_for_user
from chalicelib.analysis.origins import DIRECT, GIT_SERVICE, SERVICES
from chalicelib.analysis.shared import Surfaces, UserSurface
from chalicelib.analysis.surface import Answer, Entry, Surface
from chalicelib.analysis.universe import actions_named
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.request import Request
from chalicelib.iam.statement import Statement
from tests.accounts.build import Json, Person, group, managed, read
from tests.analysis.strategies import ACTIONS, ALLOWS, DENIES, GUARDS, POLICIES, SCPS, Asked, requests

PEOPLE = st.builds(
    Person,
    inline=st.lists(POLICIES, min_size=1, max_size=2),
    boundary=st.sampled_from(["", "", "", "limit"]),
    tags=st.sampled_from([{}, {"team": "red"}]),
)
REQUESTS = st.lists(requests(), min_size=20, max_size=20)
EVERYTHING = actions_named(tuple(ACTIONS))
KEYS = actions_named(("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:PutKeyPolicy"))


def account(person: Person, limit: Json) -> AccountSnapshot:
    """The account of one user."""
    return read(person, policies=[managed("limit", limit)])


def surface_of(snapshot: AccountSnapshot, name: str = "alice") -> Surface:
    """The surface of a user alone."""
    user = snapshot.users[name]
    return Surface(Caller(snapshot, user), snapshot.policies_of(user).policies)


def answers_of(surface: Surface | UserSurface) -> tuple[Answer, Answer]:
    """What the user can do directly, and what services can do with keys for the user."""
    return surface.entries(EVERYTHING, DIRECT), surface.entries(KEYS, (SERVICES,), managed=True)


def entries_of(surface: Surface | UserSurface) -> list[Entry]:
    """All entries of the surface."""
    return [entry for answer in answers_of(surface) for entry in answer.entries]


def decide(snapshot: AccountSnapshot, asked: Asked) -> Decided:
    """The engine's answer to a request, without the surface."""
    user = snapshot.users["alice"]
    return decide_for_user(
        snapshot, user, asked.action, asked.resource, asked.mfa, asked.via or None, context=asked.context
    )


# --- what it means that an entry covers a request --------------------------------------------------------------------


def covers(entry: Entry, request: Request, via: str, statements: Sequence[Statement]) -> bool:
    """Whether the entry speaks for the request."""
    return (
        bool(entry.group.members & actions_named((request.name,)))
        and entry.origin.mfa.context == {k: v for k, v in request.context.items() if "multifactor" in k}
        and (entry.origin.via == via or (bool(via and entry.origin.via) and GIT_SERVICE not in (via, entry.origin.via)))
        and all(lies_in(request.resource, pattern) for pattern in entry.target.patterns)
        and all(alike(key, value, request, entry.request, statements) for key, value in entry.context.items())
    )


def lies_in(arn: str, pattern: str) -> bool:
    """Whether an ARN lies in a pattern, segment by segment."""
    pairs = zip(arn.split(":", 5), pattern.split(":", 5), strict=False)
    return arn == "*" or all(fnmatchcase(text, glob) for text, glob in pairs)


def alike(key: str, value: str, request: Request, other: Request, statements: Sequence[Statement]) -> bool:
    """Whether all conditions that the request meets on a key answer alike for the entry's value and for its own."""
    changed = {**other.context, key: value}
    about = [c for s in statements if s.covers_action(request.action) for c in s.conditions if c.key == key]
    return all(condition.holds(changed) == condition.holds(request.context) for condition in about)


def statements_of(snapshot: AccountSnapshot) -> list[Statement]:
    """All statements in play."""
    policies = snapshot.policies_of(snapshot.users["alice"]).policies
    return [statement for policy in policies.binding for statement in policy.document.statements]


def uncovered(snapshot: AccountSnapshot, tried: Sequence[Asked], answers: Sequence[Answer]) -> Iterator[Asked]:
    """The requests that are allowed and that no entry covers, where the surface says that it is all there is."""
    statements = statements_of(snapshot)
    directly, by_services = answers
    for asked in tried:
        answer = by_services if asked.via else directly
        decision = decide(snapshot, asked).decision
        told = not answer.exhaustive or any(
            covers(one, decision.request, asked.via, statements) for one in answer.entries
        )
        if decision.allowed and not told:
            yield asked


# --- the properties --------------------------------------------------------------------------------------------------


@settings(max_examples=1500)
@given(person=PEOPLE, limit=POLICIES, tried=REQUESTS)
def test_no_request_that_is_allowed_without_mfa_lies_outside(
    person: Person, limit: Json, tried: Sequence[Asked]
) -> None:
    snapshot = account(person, limit)
    assert not list(uncovered(snapshot, tried, answers_of(surface_of(snapshot))))


@settings(max_examples=1500)
@given(person=PEOPLE, limit=POLICIES, scps=SCPS, tried=REQUESTS)
def test_no_request_that_an_organisation_lets_through_lies_outside(
    person: Person, limit: Json, scps: Sequence[Sequence[Json]], tried: Sequence[Asked]
) -> None:
    snapshot = read(person, policies=[managed("limit", limit)], scps=scps)
    assert not list(uncovered(snapshot, tried, answers_of(surface_of(snapshot))))


@settings(max_examples=1000)
@given(person=PEOPLE, limit=POLICIES)
def test_every_entry_is_a_request_that_is_allowed(person: Person, limit: Json) -> None:
    snapshot = account(person, limit)
    for entry in entries_of(surface_of(snapshot)):
        context = {key: [value] for key, value in entry.context.items()}
        asked = Asked(entry.request.name, entry.request.resource, entry.origin.mfa, context=context)
        decision = decide(snapshot, asked).decision
        assert decision.may_be_allowed
        assert decision.allowed or not entry.certain


@settings(max_examples=800)
@given(person=PEOPLE, limit=POLICIES, further=st.one_of(DENIES, GUARDS))
def test_a_further_deny_opens_nothing(person: Person, limit: Json, further: Json) -> None:
    before = account(person, limit)
    denied = Person(
        inline=[*person.inline, {"Version": "2012-10-17", "Statement": further}],
        tags=person.tags,
        boundary=person.boundary,
    )
    answers, statements = answers_of(surface_of(before)), statements_of(before)
    for entry in entries_of(surface_of(account(denied, limit))):
        answer = answers[bool(entry.origin.via)]
        via = entry.origin.via
        assert not answer.exhaustive or any(covers(one, entry.request, via, statements) for one in answer.entries)


@settings(max_examples=1500)
@given(statements=st.lists(st.one_of(ALLOWS, ALLOWS, DENIES, GUARDS), min_size=1, max_size=4), tags=st.booleans())
def test_whoever_shares_a_surface_gets_what_they_would_get_alone(statements: Sequence[Json], tags: bool) -> None:
    policies: Json = {"Version": "2012-10-17", "Statement": list(statements)}
    people = [
        Person("alice", groups=["staff"]),
        Person("alice-two", groups=["staff"], tags={"team": "red"} if tags else {}),
        Person("bob", groups=["staff"], path="/robots/"),
    ]
    snapshot = read(*people, groups=[group("staff", policies)])
    together = Surfaces(snapshot)
    for person in people:
        user = snapshot.users[person.name]
        shared = together.of(user, snapshot.policies_of(user).policies)
        for mine, alone in zip(answers_of(shared), answers_of(surface_of(snapshot, person.name)), strict=True):
            assert list(map(told, mine.entries)) == list(map(told, alone.entries))
            assert mine.exhaustive == alone.exhaustive
            assert not mine.entries or told(mine.best) == told(alone.best)


def told(entry: Entry) -> tuple[object, ...]:
    """What an entry says, whoever it was found for."""
    request = entry.request
    return (
        entry.group.actions,
        entry.origin,
        request.name,
        request.resource,
        dict(entry.needs),
        entry.certain,
        entry.always,
    )
