"""What a decision says besides its verdict: the statements that decided, the reason, and near misses."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.iam.cases import decide_case
from chalicelib.iam.decision import Decision, Verdict, evaluate
from chalicelib.iam.near_misses import NearMiss, near_misses
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Layer, Policy, PolicySet
from chalicelib.iam.request import MfaState, Request, build_request
from chalicelib.iam.statement import Effect, PolicyKind

Json = Any

ACCOUNT, FOREIGN = "111122223333", "444455556666"
NINA = f"arn:aws:iam::{ACCOUNT}:user/nina"
FARID = f"arn:aws:iam::{FOREIGN}:user/farid"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"
REPOSITORY = f"arn:aws:codecommit:eu-west-1:{ACCOUNT}:ledger"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/5e1b7c3a"
MFA = "aws:MultiFactorAuthPresent"

ALLOW: Json = {"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"}
GUARD: Json = {
    "Sid": "Guard",
    "Effect": "Deny",
    "Action": "*",
    "Resource": "*",
    "Condition": {"BoolIfExists": {MFA: "false"}},
}


def doc(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def policy(name: str, *statements: Json, kind: PolicyKind = PolicyKind.IDENTITY) -> Policy:
    return Policy(name, parse_policy(doc(*statements), kind))


def decide(**fields: Json) -> Decision:
    case = {"principal": NINA, "action": "codecommit:GitPull", "resource": REPOSITORY} | fields
    outcome = decide_case(case)
    assert outcome.detail is not None, outcome.reason
    return outcome.detail


def pull(principal: str = NINA, **context: str) -> Request:
    return build_request(principal, "codecommit:GitPull", REPOSITORY, {f"aws:{k}": v for k, v in context.items()})


# --- matched ---------------------------------------------------------------------------------------------------------


def test_the_denies_are_what_decided() -> None:
    """Every Deny that holds is named, and no Allow."""
    found = decide(
        identityPolicies=[{"name": "own", "policy": doc(ALLOW, GUARD)}, {"name": "group", "policy": doc(GUARD)}],
        boundary=doc(ALLOW, GUARD),
    )
    assert found.verdict is Verdict.EXPLICITLY_DENIED
    assert [match.place for match in found.matched] == [
        'own Statement[1] ("Guard")',
        'group Statement[0] ("Guard")',
        'boundary Statement[1] ("Guard")',
    ]
    assert found.reason == "an explicit deny in: identity policy, permissions boundary"


@pytest.mark.parametrize(
    ("fields", "layer"),
    [
        ({"identityPolicies": [doc(ALLOW, GUARD)]}, Layer.IDENTITY),
        ({"identityPolicies": [doc(ALLOW)], "boundary": doc(ALLOW, GUARD)}, Layer.BOUNDARY),
        ({"identityPolicies": [doc(ALLOW)], "scps": [[doc(ALLOW)], [doc(ALLOW), doc(GUARD)]]}, Layer.SCP),
        ({"principal": SESSION, "identityPolicies": [doc(ALLOW)], "sessionPolicy": doc(ALLOW, GUARD)}, Layer.SESSION),
        ({"identityPolicies": [doc(ALLOW)], "resourcePolicy": doc(GUARD | {"Principal": "*"})}, Layer.RESOURCE),
        (
            {
                "identityPolicies": [doc(ALLOW)],
                "rcps": [[], [doc(GUARD | {"Principal": "*", "Action": "kms:*"})]],
                "action": "kms:Decrypt",
                "resource": KEY,
            },
            Layer.RCP,
        ),
    ],
)
def test_a_deny_is_named_with_its_layer(fields: Json, layer: Layer) -> None:
    found = decide(**fields)
    assert found.reason == f"an explicit deny in: {layer}"
    (match,) = found.matched
    assert (match.layer, match.statement.sid, match.statement.effect) == (layer, "Guard", Effect.DENY)
    assert match.to_json() == {
        "layer": str(layer),
        "policy": match.policy.name,
        "statement": match.statement.index,
        "sid": "Guard",
        "effect": "Deny",
    }
    if layer in (Layer.SCP, Layer.RCP):
        assert match.level == 1


def test_the_allows_of_every_layer_are_what_decided() -> None:
    found = decide(
        principal=SESSION,
        identityPolicies=[doc(ALLOW), doc(ALLOW | {"Action": "s3:*"}), doc(ALLOW | {"Action": "kms:*"})],
        boundary=doc(ALLOW),
        sessionPolicy=doc(ALLOW),
        scps=[[doc(ALLOW)], [doc(ALLOW)]],
        rcps=[[doc(ALLOW | {"Principal": "*"})]],
        resourcePolicy=doc(ALLOW | {"Principal": {"AWS": ACCOUNT}}),
        action="kms:Decrypt",
        resource=KEY,
    )
    assert found.verdict is Verdict.ALLOWED
    assert [(match.layer, match.policy.name) for match in found.matched] == [
        (Layer.RCP, "rcps[0][0]"),
        (Layer.SCP, "scps[0][0]"),
        (Layer.SCP, "scps[1][0]"),
        (Layer.RESOURCE, "resourcePolicy"),
        (Layer.IDENTITY, "identityPolicies[0]"),
        (Layer.IDENTITY, "identityPolicies[2]"),
        (Layer.BOUNDARY, "boundary"),
        (Layer.SESSION, "sessionPolicy"),
    ]
    assert found.reason == "allowed by the resource policy and the caller's own"


def test_an_allow_by_identity_alone() -> None:
    found = decide(identityPolicies=[doc(ALLOW)])
    assert found.reason == "allowed by the caller's own policies"
    assert (found.allowed, found.uncertain, found.may_be_allowed) == (True, False, True)


def test_the_default_policies_are_named() -> None:
    key = decide(identityPolicies=[doc(ALLOW)], action="kms:Decrypt", resource=KEY)
    role = decide(identityPolicies=[doc(ALLOW)], action="sts:AssumeRole", resource=ROLE)
    assert key.matched[0].policy.name == f"default key policy of account {ACCOUNT}"
    assert role.matched[0].policy.name == f"default trust policy of account {ACCOUNT}"


def test_what_is_always_allowed() -> None:
    found = decide(identityPolicies=[doc(GUARD)], action="sts:GetSessionToken", resource="*")
    assert (found.verdict, found.matched) == (Verdict.ALLOWED, ())
    assert found.reason == "needs no permission, and no policy can deny it"


# --- reasons of an implicit denial -----------------------------------------------------------------------------------

S3: Json = ALLOW | {"Action": "s3:*"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "no identity policy allows it"),
        ({"identityPolicies": [doc(S3)]}, "no identity policy allows it"),
        ({"identityPolicies": [doc(ALLOW)], "boundary": doc(S3)}, "the permissions boundary does not allow it"),
        (
            {"identityPolicies": [doc(ALLOW)], "sessionPolicy": doc(S3), "principal": SESSION},
            "the session policy does not allow it",
        ),
        (
            {"identityPolicies": [doc(ALLOW)], "scps": [[doc(ALLOW)], [doc(S3)]]},
            "no service control policy at level 1 of the organisation allows it",
        ),
        (
            {"identityPolicies": [doc(ALLOW)], "scps": [[], []]},
            "no service control policy at level 0 of the organisation allows it",
        ),
        (
            {"identityPolicies": [doc(ALLOW)], "principal": FARID},
            "no policy of the resource's account allows it",
        ),
        (
            {
                "identityPolicies": [doc(ALLOW)],
                "resourcePolicy": doc(ALLOW | {"Principal": {"AWS": ROLE}}),
                "action": "kms:Decrypt",
                "resource": KEY,
            },
            "the key policy does not allow it",
        ),
        (
            {
                "identityPolicies": [doc(ALLOW)],
                "resourcePolicy": doc(ALLOW | {"Principal": {"AWS": SESSION}}),
                "action": "sts:AssumeRole",
                "resource": ROLE,
            },
            "the role's trust policy does not allow it",
        ),
        ({"principal": "sns.amazonaws.com", "resourceAccount": ACCOUNT}, "no resource policy names the service"),
    ],
)
def test_an_implicit_denial_says_what_is_missing(fields: Json, reason: str) -> None:
    found = decide(**fields)
    assert (found.verdict, found.reason, found.matched) == (Verdict.IMPLICITLY_DENIED, reason, ())
    assert not found.allowed


# --- doubts ----------------------------------------------------------------------------------------------------------


def test_a_doubt_names_its_statement() -> None:
    found = decide(identityPolicies=[doc(ALLOW, GUARD | {"Condition": {"ForAnyValue:BoolIfExists": {MFA: "false"}}})])
    assert found.verdict is Verdict.ALLOWED
    assert found.possible == {Verdict.ALLOWED, Verdict.EXPLICITLY_DENIED}
    assert [match.statement.sid for match in found.doubts] == ["Guard"]
    assert [match.statement.sid for match in found.matched] == ["Everything"]
    assert found.may_be_allowed


def test_a_denial_in_doubt_may_be_an_allow() -> None:
    found = decide(identityPolicies=[doc(ALLOW | {"Resource": "arn:aws:codecommit:*:*:*/ledger"})])
    assert (found.verdict, found.uncertain, found.may_be_allowed) == (Verdict.IMPLICITLY_DENIED, False, False)
    typed = decide(
        identityPolicies=[doc(ALLOW | {"Resource": "arn:aws:iam::*:u*/nina"})], action="iam:GetUser", resource=NINA
    )
    assert (typed.verdict, typed.uncertain, typed.may_be_allowed) == (Verdict.IMPLICITLY_DENIED, True, True)


def test_a_doubt_that_changes_nothing_is_none() -> None:
    doubtful = GUARD | {"Condition": {"ForAnyValue:BoolIfExists": {MFA: "false"}}}
    denied = decide(identityPolicies=[doc(ALLOW, doubtful), doc(GUARD)])
    implicit = decide(identityPolicies=[doc(ALLOW | {"Condition": doubtful["Condition"]}), doc(ALLOW)])
    for found in (denied, implicit):
        assert (found.uncertain, found.doubts, found.possible) == (False, (), frozenset())


def test_two_doubts_of_different_statements() -> None:
    """The Allow and the Deny are both in doubt: all three verdicts are possible."""
    condition = {"Condition": {"ForAnyValue:BoolIfExists": {MFA: "false"}}}
    found = decide(identityPolicies=[doc(ALLOW | condition, GUARD | condition)])
    assert found.verdict is Verdict.IMPLICITLY_DENIED
    assert found.possible >= {Verdict.IMPLICITLY_DENIED, Verdict.EXPLICITLY_DENIED}
    assert found.may_be_allowed


# --- near misses -----------------------------------------------------------------------------------------------------


def misses(effect: Effect, request: Request, *identity: Policy, **layers: Any) -> list[NearMiss]:
    return near_misses(request, PolicySet(identity=identity, **layers), effect)


def test_a_condition_that_fails_for_want_of_its_key() -> None:
    bool_guard = GUARD | {"Condition": {"Bool": {MFA: "false"}, "StringLike": {"aws:username": "n*"}}}
    request = pull(username="nina")
    (miss,) = misses(Effect.DENY, request, policy("own", ALLOW, bool_guard))
    assert (miss.layer, miss.place, miss.resource) == (Layer.IDENTITY, 'own Statement[1] ("Guard")', False)
    (condition,) = miss.conditions
    assert (condition.operator.name, condition.name, condition.values) == ("Bool", MFA, ("false",))
    assert condition.key not in request.context


def test_a_condition_that_fails_with_its_key() -> None:
    request = pull(MultiFactorAuthPresent="true")
    (miss,) = misses(Effect.DENY, request, policy("own", ALLOW, GUARD))
    (condition,) = miss.conditions
    assert condition.operator.name == "BoolIfExists"
    assert request.context[condition.key] == "true"


def test_several_conditions_that_fail() -> None:
    guard = GUARD | {"Condition": {"Bool": {MFA: "false"}, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
    (miss,) = misses(Effect.DENY, pull(), policy("own", guard))
    assert [condition.name for condition in miss.conditions] == [MFA, "aws:SourceIp"]


def test_a_resource_that_is_not_covered() -> None:
    (miss,) = misses(Effect.DENY, pull(), policy("own", GUARD | {"Resource": REPOSITORY + "-2"}))
    assert (miss.resource, miss.conditions) == (True, ())


def test_resource_and_condition_that_fail() -> None:
    other = GUARD | {"Resource": KEY, "Condition": {"Bool": {MFA: "false"}}}
    (miss,) = misses(Effect.DENY, pull(), policy("own", other))
    assert (miss.resource, len(miss.conditions)) == (True, 1)


def test_a_statement_that_matches_or_is_about_something_else_is_no_near_miss() -> None:
    assert misses(Effect.DENY, pull(), policy("own", GUARD)) == []
    assert misses(Effect.DENY, pull(MultiFactorAuthPresent="true"), policy("own", GUARD | {"Action": "s3:*"})) == []
    assert misses(Effect.ALLOW, pull(MultiFactorAuthPresent="true"), policy("own", ALLOW, GUARD)) == []


def test_near_misses_of_an_allow() -> None:
    allow = ALLOW | {"Condition": {"Bool": {MFA: "true"}}}
    (miss,) = misses(Effect.ALLOW, pull(), policy("own", allow, GUARD))
    assert (miss.statement.effect, miss.conditions[0].key) == (Effect.ALLOW, MFA.lower())


def test_near_misses_of_every_layer() -> None:
    guard = GUARD | {"Condition": {"Bool": {MFA: "false"}}}
    named = guard | {"Principal": "*"}
    request = build_request(SESSION, "kms:Decrypt", KEY)
    found = near_misses(
        request,
        PolicySet(
            identity=(policy("own", guard),),
            boundary=policy("limit", guard),
            session=policy("scope", guard),
            scps=((policy("root", guard),), (policy("unit", guard),)),
            rcps=((policy("data", named | {"Action": "kms:*"}, kind=PolicyKind.RCP),),),
            resource=policy("key", named, kind=PolicyKind.RESOURCE),
        ),
        Effect.DENY,
    )
    assert [(miss.layer, miss.policy.name) for miss in found] == [
        (Layer.RCP, "data"),
        (Layer.SCP, "root"),
        (Layer.SCP, "unit"),
        (Layer.RESOURCE, "key"),
        (Layer.IDENTITY, "own"),
        (Layer.BOUNDARY, "limit"),
        (Layer.SESSION, "scope"),
    ]


def test_a_statement_for_another_principal_is_no_near_miss() -> None:
    guard = GUARD | {"Principal": {"AWS": ROLE}, "Condition": {"Bool": {MFA: "false"}}}
    request = build_request(NINA, "kms:Decrypt", KEY)
    policies = PolicySet(resource=policy("key", guard, kind=PolicyKind.RESOURCE))
    assert near_misses(request, policies, Effect.DENY) == []


def test_a_control_policy_that_does_not_reach_the_service_is_no_near_miss() -> None:
    guard = GUARD | {"Principal": "*", "Action": "codecommit:*", "Condition": {"Bool": {MFA: "false"}}}
    assert misses(Effect.DENY, pull(), rcps=((policy("data", guard, kind=PolicyKind.RCP),),)) == []


# --- requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (MfaState.ABSENT, Verdict.EXPLICITLY_DENIED),
        (MfaState.FALSE, Verdict.EXPLICITLY_DENIED),
        (MfaState.TRUE, Verdict.ALLOWED),
    ],
)
def test_the_states_of_mfa(state: MfaState, verdict: Verdict) -> None:
    request = build_request(NINA, "codecommit:GitPull", REPOSITORY, state.context)
    assert evaluate(request, PolicySet((policy("own", ALLOW, GUARD),))).verdict is verdict
    assert ("aws:multifactorauthage" in request.context) is (state is MfaState.TRUE)


def test_a_request_is_brought_into_form() -> None:
    request = build_request(NINA, "CODECOMMIT:gitpull", REPOSITORY, {"AWS:UserName": ["nina"], "kms:ViaService": "x"})
    assert (request.name, request.action, request.service) == ("codecommit:GitPull", "codecommit:gitpull", "codecommit")
    assert dict(request.context) == {"aws:username": "nina"}
    assert request.ignored_keys == ("kms:ViaService",)
    assert (request.resource_account, request.same_account) == (ACCOUNT, True)


def test_an_unknown_action_keeps_its_name_and_resource() -> None:
    request = build_request(NINA, "codecommit:GitTickle", REPOSITORY, {"kms:ViaService": "x"})
    assert (request.name, request.resource) == ("codecommit:GitTickle", REPOSITORY)
    assert request.ignored_keys == ()


def test_an_action_without_resource_types_is_asked_about_everything() -> None:
    assert build_request(NINA, "kms:ListKeys", KEY).resource == "*"
