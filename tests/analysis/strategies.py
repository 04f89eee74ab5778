"""Policies around an MFA deny with exemptions, and requests without MFA, drawn for searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from chalicelib.iam.request import MfaState
from tests.accounts.build import ACCOUNT, ADMIN, WITHOUT_MFA, Json, allow, deny, deny_all_but, document

REGIONS = ("us-east-1", "eu-west-1", "ap-south-1")
SERVICES = ("codecommit", "s3", "ec2")
"""Services that call KMS for the user."""

ACTIONS: Mapping[str, str] = {
    "codecommit:GitPull": "repository",
    "codecommit:GitPush": "repository",
    "codecommit:PutFile": "repository",
    "codecommit:ListRepositories": "any",
    "kms:Decrypt": "key",
    "kms:Encrypt": "key",
    "kms:GenerateDataKey": "key",
    "kms:PutKeyPolicy": "key",
    "kms:CreateKey": "any",
    "sts:AssumeRole": "role",
    "iam:CreateAccessKey": "user",
    "iam:EnableMFADevice": "user",
    "iam:DeleteVirtualMFADevice": "device",
    "s3:PutObject": "object",
    "dynamodb:Scan": "table",
}
"""Actions, and the kind of resource that each is made on."""

NAMES = ("app", "app-two", "x", "alice", "bob")
SHAPES: Mapping[str, Any] = {
    "repository": lambda name, region: f"arn:aws:codecommit:{region}:{ACCOUNT}:{name}",
    "key": lambda name, region: f"arn:aws:kms:{region}:{ACCOUNT}:key/{name}",
    "role": lambda name, _: f"arn:aws:iam::{ACCOUNT}:role/{name}",
    "user": lambda name, _: f"arn:aws:iam::{ACCOUNT}:user/{name}",
    "device": lambda name, _: f"arn:aws:iam::{ACCOUNT}:mfa/{name}",
    "object": lambda name, _: f"arn:aws:s3:::{name}/file",
    "table": lambda name, region: f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{name}",
    "any": lambda _, __: "*",
}

PATTERNS = st.sampled_from(
    [*ACTIONS, "*", "codecommit:*", "codecommit:Git*", "kms:*", "kms:*crypt", "iam:*AccessKey*", "iam:*", "sts:*"]
)
SOME_ACTIONS = st.lists(PATTERNS, min_size=1, max_size=3)
PLACES = st.one_of(
    st.just("*"),
    st.builds(
        lambda kind, name, region: SHAPES[kind](name, region),
        st.sampled_from([kind for kind in SHAPES if kind != "any"]),
        st.sampled_from([*NAMES, "*", "app*", "*p*", "${aws:username}", "${aws:username}*"]),
        st.sampled_from([*REGIONS, "*", "eu-*"]),
    ),
)
SOME_PLACES = st.lists(PLACES, min_size=1, max_size=2)

SERVICE_NAMES = st.sampled_from(
    [
        "codecommit.*.amazonaws.com", "codecommit.eu-west-1.amazonaws.com", "*.amazonaws.com", "s3.*.amazonaws.com",
        "*.eu-west-1.amazonaws.com", "*eu-west-1*", "code*", "ec2.us-east-1.amazonaws.com",
        "codecommit*south-1.amazonaws.com",
    ]
)  # fmt: skip
STRINGS = st.sampled_from(
    ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringLikeIfExists", "StringNotLikeIfExists"]
)
PRESENT = st.sampled_from(["true", "false", True, False])


def one_condition(operators: st.SearchStrategy[str], key: str, values: st.SearchStrategy[Any]) -> Any:
    """A condition of one operator on one key."""
    return st.builds(lambda operator, value: {operator: {key: value}}, operators, values)


ORGANISATIONS = ("StringEquals", "StringNotEquals", "StringNotEqualsIfExists")
CONDITIONS = st.one_of(
    st.just({}),
    st.just({}),
    one_condition(STRINGS, "kms:ViaService", SERVICE_NAMES),
    one_condition(st.just("Null"), "kms:ViaService", PRESENT),
    one_condition(st.sampled_from(["Bool", "BoolIfExists"]), "aws:ViaAWSService", PRESENT),
    one_condition(st.sampled_from(ORGANISATIONS), "aws:PrincipalOrgID", st.sampled_from(["o-ab12", "o-zz99"])),
    one_condition(st.just("Null"), "aws:PrincipalOrgID", PRESENT),
    one_condition(STRINGS, "aws:RequestedRegion", st.sampled_from(REGIONS)),
    one_condition(STRINGS, "aws:SourceVpce", st.sampled_from(["vpce-1", "vpce-2"])),
    one_condition(STRINGS, "aws:PrincipalTag/team", st.sampled_from(["red", "blue"])),
    one_condition(STRINGS, "aws:username", st.sampled_from(["alice", "a*", "bob"])),
    one_condition(st.just("IpAddress"), "aws:SourceIp", st.just("203.0.113.0/24")),
    one_condition(
        st.sampled_from(["ForAllValues:StringNotEquals", "ForAnyValue:StringEquals"]),
        "aws:CalledVia",
        st.just(["codecommit.amazonaws.com"]),
    ),
)
MFA = st.sampled_from(
    [
        WITHOUT_MFA,
        WITHOUT_MFA,
        {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
        {"Null": {"aws:MultiFactorAuthPresent": "true"}},
        {},
    ]
)


def together(one: Json, other: Json) -> Json:
    """The conditions of both."""
    return {operator: {**one.get(operator, {}), **other.get(operator, {})} for operator in {**one, **other}}


TOGETHER = st.one_of(CONDITIONS, st.builds(together, CONDITIONS, CONDITIONS))
"""One condition, as most statements have it, or two, both of which must hold."""
ALLOWS = st.builds(lambda actions, on, when: allow(*actions, on=on, when=when), SOME_ACTIONS, SOME_PLACES, CONDITIONS)
DENIES = st.builds(
    lambda actions, on, mfa, when: deny(*actions, on=on, when=together(mfa, when)),
    SOME_ACTIONS,
    SOME_PLACES,
    MFA,
    TOGETHER,
)
GUARDS = st.builds(
    lambda actions, on, mfa, when: deny_all_but(*actions, but_on=on, when=together(mfa, when)),
    SOME_ACTIONS,
    st.one_of(st.just(()), SOME_PLACES),
    MFA,
    TOGETHER,
)
POLICIES = st.lists(st.one_of(ALLOWS, ALLOWS, DENIES, GUARDS), min_size=1, max_size=4).map(lambda s: document(*s))
SCPS = st.lists(
    st.builds(lambda full, found: [ADMIN] * full + found, st.booleans(), st.lists(POLICIES, max_size=2)),
    min_size=2,
    max_size=2,
).filter(all)
"""The service control policies of two levels; with FullAWSAccess beside others, as most have it, and without."""


@dataclass(frozen=True)
class Asked:
    """A request without MFA, as it may be made: by the user, or by a service that acts for the user."""

    action: str
    resource: str
    mfa: MfaState
    via: str = ""
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    """A request, and a context that agrees with it."""
    action = draw(st.sampled_from(list(ACTIONS)))
    kind, region = ACTIONS[action], draw(st.sampled_from(REGIONS))
    resource = SHAPES[kind](draw(st.sampled_from(NAMES)), region)
    via = draw(st.sampled_from(["", *SERVICES])) if kind == "key" else ""
    called = "us-east-1" if action.startswith("iam:") else region
    context = {"aws:RequestedRegion": [called]}
    if draw(st.booleans()):
        context["aws:SourceVpce"] = [draw(st.sampled_from(["vpce-1", "vpce-2", "vpce-3"]))]
    if draw(st.booleans()):
        context["aws:SourceIp"] = [draw(st.sampled_from(["203.0.113.7", "8.8.8.8"]))]
    if draw(st.booleans()):
        context["aws:PrincipalOrgID"] = ["o-ab12"]
    if via and draw(st.booleans()):
        context["aws:CalledVia"] = [f"{via}.amazonaws.com"]
    mfa = MfaState.FALSE if via else draw(st.sampled_from([MfaState.ABSENT, MfaState.FALSE]))
    return Asked(action, resource, mfa, via, context)
