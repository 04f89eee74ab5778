"""No request that is allowed without MFA belongs to a user who is called fine: a search for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.analysis.decide import decide_for_user
from chalicelib.audit import judge
from chalicelib.iam.exports import read_exports
from chalicelib.iam.request import MfaState
from tests.accounts.build import (
    ACCOUNT,
    ADMIN,
    FINE,
    TAKEN,
    WITHOUT_MFA,
    Json,
    Person,
    allow,
    deny,
    deny_all_but,
    document,
    exports,
    managed,
    verdict,
)

NAMES = st.sampled_from(["a", "ab", "abc", "x", "pay", "logs", "team-a"])
PATTERNS = st.one_of(NAMES, st.sampled_from(["*", "a*", "*b", "x*", "?", "a?c", "*a*", "team-*"]))

ACTIONS = {
    "s3:PutObject": "object",
    "s3:GetObject": "object",
    "s3:DeleteObjectTagging": "object",
    "s3:PutBucketPolicy": "bucket",
    "s3:ListBucket": "bucket",
    "s3:GetBucketAcl": "bucket",
    "dynamodb:DeleteTable": "table",
    "dynamodb:Scan": "table",
    "dynamodb:PutResourcePolicy": "table",
    "iam:AttachUserPolicy": "user",
    "iam:CreateUser": "user",
    "iam:ListRoles": "any",
    "ec2:DescribeInstances": "any",
}
"""Actions, and the kind of resource that each is made on."""

SHAPES: Mapping[str, Any] = {
    "object": lambda a, b, _: f"arn:aws:s3:::{a}/{b}",
    "bucket": lambda a, _, __: f"arn:aws:s3:::{a}",
    "table": lambda a, _, region: f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{a}",
    "user": lambda a, _, __: f"arn:aws:iam::{ACCOUNT}:user/{a}",
    "any": lambda _, __, ___: "*",
}
REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"]

ACTION_PATTERNS = st.sampled_from(
    [*ACTIONS, "*", "s3:*", "s3:Get*", "s3:*Object*", "s3:*Bucket*", "dynamodb:*", "iam:*User*", "iam:*", "ec2:*"]
)
ON = st.one_of(
    st.just("*"),
    st.builds(
        lambda shape, a, b, region: SHAPES[shape](a, b, region),
        st.sampled_from(["object", "bucket", "table", "user"]),
        PATTERNS,
        PATTERNS,
        st.sampled_from([*REGIONS, "*"]),
    ),
)
VALUES: Mapping[str, Sequence[str]] = {
    "aws:RequestedRegion": REGIONS,
    "aws:SourceVpce": ["vpce-1", "vpce-2"],
    "aws:PrincipalTag/team": ["red", "blue"],
    "aws:SecureTransport": ["true", "false"],
    "aws:username": ["alice", "bob"],
}
OPERATORS = ["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists", "StringNotLikeIfExists"]
CONDITIONS = st.dictionaries(
    st.sampled_from(OPERATORS),
    st.sampled_from(list(VALUES)).flatmap(lambda key: st.builds(lambda v: {key: v}, st.sampled_from(VALUES[key]))),
    max_size=1,
)
MFA = st.sampled_from(
    [
        WITHOUT_MFA,
        {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
        {"Null": {"aws:MultiFactorAuthPresent": "true"}},
        {},
    ]
)
SOME_ACTIONS = st.lists(ACTION_PATTERNS, min_size=1, max_size=3)
SOME_PLACES = st.lists(ON, min_size=1, max_size=2)

ALLOWS = st.builds(lambda a, on, when: allow(*a, on=on, when=when), SOME_ACTIONS, SOME_PLACES, CONDITIONS)
DENIES = st.builds(
    lambda a, on, mfa, when: deny(*a, on=on, when={**mfa, **when}), SOME_ACTIONS, SOME_PLACES, MFA, CONDITIONS
)
GUARDS = st.builds(
    lambda a, on, mfa, when: deny_all_but(*a, but_on=on, when={**mfa, **when}),
    SOME_ACTIONS,
    st.one_of(st.just(()), SOME_PLACES),
    MFA,
    CONDITIONS,
)
POLICIES = st.lists(st.one_of(ALLOWS, DENIES, GUARDS), min_size=1, max_size=4).map(lambda found: document(*found))
PEOPLE = st.builds(
    Person,
    inline=st.lists(POLICIES, min_size=1, max_size=2),
    boundary=st.sampled_from(["", "", "limit"]),
    tags=st.sampled_from([{}, {"team": "red"}]),
    password=st.sampled_from(["true", "false"]),
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, str]]:
    """An action, a resource that it can be made on, and a context that agrees with it."""
    action = draw(st.sampled_from(list(ACTIONS)))
    region = draw(st.sampled_from(REGIONS))
    resource = SHAPES[ACTIONS[action]](draw(NAMES), draw(NAMES), region)
    # IAM is called in one region, wherever the caller is.
    called = "us-east-1" if action.startswith("iam:") else region
    context = {"aws:RequestedRegion": called, "aws:SecureTransport": "true"}
    if draw(st.booleans()):
        context["aws:SourceVpce"] = draw(st.sampled_from(["vpce-1", "vpce-2", "vpce-3"]))
    return action, resource, context


LEVEL = st.builds(lambda full, found: [ADMIN] * full + found, st.booleans(), st.lists(POLICIES, max_size=2)).filter(
    bool
)
SCPS = st.one_of(st.none(), st.lists(LEVEL, min_size=2, max_size=2))
"""No service control policies, or those of two levels, with FullAWSAccess among them and without."""


@settings(max_examples=1500)
@given(person=PEOPLE, limit=POLICIES, scps=SCPS, tried=st.lists(requests(), min_size=20, max_size=20))
def test_nobody_is_called_fine_who_can_act(
    person: Person,
    limit: Json,
    scps: Sequence[Sequence[Json]] | None,
    tried: Sequence[tuple[str, str, dict[str, str]]],
) -> None:
    snapshot = read_exports(exports(person, policies=[managed("limit", limit)], scps=scps), TAKEN)
    assume(verdict(judge(snapshot), "mfa-not-enforced", "alice") == FINE)
    states = [MfaState.ABSENT] + [MfaState.FALSE] * (person.password == "true")
    for action, resource, context in tried:
        for state in states:
            decided = decide_for_user(snapshot, snapshot.users["alice"], action, resource, state, context=context)
            assert not decided.decision.allowed, (action, resource, context, state)
