"""mfawatch harden, the analysis: what comes out is tight, loses nothing with MFA, and changes as little as it can."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.analysis.administrator import SESSION, Accepted
from chalicelib.analysis.hardening import harden
from chalicelib.analysis.proof_of_hardening import LARGEST, Hardened, size_of
from chalicelib.analysis.scopes import ENROLMENT, HARMLESS
from chalicelib.iam.actions import catalogue
from chalicelib.iam.decision import evaluate
from chalicelib.iam.documents import parse_document
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import MfaState, Request, build_request
from chalicelib.iam.statement import PolicyError
from tests.accounts import DEMO, SEEDS
from tests.accounts.build import ADMIN, WITHOUT_MFA, Json, allow, deny, deny_all_but, document
from tests.accounts.build import ENROLMENT as FREED

MFA = "aws:MultiFactorAuthPresent"
GIT = ("codecommit:GitPull", "codecommit:GitPush")
KEYS = (
    "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncrypt*",
)  # fmt: skip
THROUGH_GIT = {"StringNotLike": {"kms:ViaService": "codecommit.*.amazonaws.com"}}
FORM_A = document(deny_all_but(*FREED, *GIT, when=WITHOUT_MFA | THROUGH_GIT))
FORM_B = document(deny_all_but(*FREED, *GIT, *KEYS), deny(*KEYS, when=WITHOUT_MFA | THROUGH_GIT))
REPOSITORY = "arn:aws:codecommit:eu-west-1:111122223333:app"
OTHER = "arn:aws:codecommit:eu-west-1:111122223333:other"


def documents() -> Iterator[Any]:
    """Each document of the set-ups and of the example account that a user or a group can carry."""
    for path in [*sorted(SEEDS.glob("*/authorization-details.json")), DEMO / "authorization-details.json"]:
        details = json.loads(path.read_text(encoding="utf-8"))
        for policy in details.get("Policies", ()):
            for version in policy["PolicyVersionList"]:
                yield pytest.param(version["Document"], id=f"{path.parent.name}-{policy['PolicyName']}")
        for owner in [*details.get("GroupDetailList", ()), *details["UserDetailList"]]:
            for policy in [*owner.get("GroupPolicyList", ()), *owner.get("UserPolicyList", ())]:
                yield pytest.param(policy["PolicyDocument"], id=f"{path.parent.name}-{policy['PolicyName']}")


# --- an oracle of its own: single requests, decided ------------------------------------------------------------------

RESOURCES = {
    "codecommit": [REPOSITORY, OTHER],
    "s3": ["arn:aws:s3:::public/x", "arn:aws:s3:::private/x"],
    "kms": ["arn:aws:kms:eu-west-1:111122223333:key/k"],
    "iam": ["arn:aws:iam::111122223333:user/administrator", "arn:aws:iam::111122223333:user/administrator2"],
}
ACTIONS = (
    "s3:PutObject", "s3:GetObject", "ec2:RunInstances", "iam:AttachUserPolicy", "iam:CreateAccessKey",
    "iam:DeactivateMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "iam:GetUser", "iam:ChangePassword",
    "sts:AssumeRole", "sts:GetSessionToken", "codecommit:DeleteRepository", "codecommit:GitPull", "codecommit:GitPush",
    "kms:Decrypt", "kms:Encrypt", "kms:ReEncryptFrom", "kms:DescribeKey", "kms:PutKeyPolicy", "kms:Sign",
)  # fmt: skip
ORIGINS: list[tuple[MfaState, dict[str, str]]] = [
    (MfaState.ABSENT, {"aws:ViaAWSService": "false"}),
    (MfaState.FALSE, {"aws:ViaAWSService": "false"}),
    (MfaState.FALSE, {"aws:ViaAWSService": "true", "kms:ViaService": "s3.eu-west-1.amazonaws.com"}),
    (MfaState.FALSE, {"aws:ViaAWSService": "true", "kms:ViaService": "codecommit.eu-west-1.amazonaws.com"}),
]
NETWORKS = ("203.0.113.7", "8.8.8.8")


def requests(*states: MfaState) -> Iterator[Request]:
    for action in ACTIONS:
        for resource in RESOURCES.get(action.partition(":")[0], ["*"]):
            for mfa, via in ORIGINS if MfaState.TRUE not in states else [(MfaState.TRUE, ORIGINS[0][1])]:
                for address in NETWORKS:
                    context = {"aws:username": "administrator", "aws:SourceIp": address, **via, **mfa.context}
                    principal = "arn:aws:iam::111122223333:user/administrator"
                    yield build_request(principal, action, resource, context)


def carried(policy: Json, *, with_admin: bool = True) -> PolicySet:
    admin = [Policy("administrator", parse_policy(ADMIN))] if with_admin else []
    return PolicySet(identity=(Policy("policy", parse_policy(policy)), *admin))


def through_codecommit(request: Request) -> bool:
    via = str(request.context.get("kms:viaservice", ""))
    return request.service == "kms" and via.startswith("codecommit.")


def is_accepted(request: Request) -> bool:
    names = {*ENROLMENT, *HARMLESS, *SESSION, *GIT}
    return request.name in names or through_codecommit(request)


def check(before: Json, result: Hardened) -> None:
    """What is promised of every result that is tight, by requests decided one by one."""
    old, new = carried(before), carried(result.policy)
    for request in requests(MfaState.ABSENT, MfaState.FALSE):
        allowed = evaluate(request, new).may_be_allowed
        assert not allowed or is_accepted(request), request
        # Nothing that was denied is freed, but for what CodeCommit asks of KMS.
        assert not allowed or evaluate(request, old).may_be_allowed or through_codecommit(request), request
    for request in requests(MfaState.TRUE):
        assert evaluate(request, new).allowed or not evaluate(request, old).allowed, request
    sids = [statement.get("Sid") for statement in listed(before)]
    assert [statement.get("Sid") for statement in listed(result.policy)][: len(sids)] == sids
    assert all(kept.holds for kept in result.kept)


def listed(policy: Json) -> list[Json]:
    found = policy["Statement"]
    return found if isinstance(found, list) else [found]


# --- what is known ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", list(documents()))
def test_stored_policies(policy: Any) -> None:
    """Tight or told why not, and the input untouched; a document that AWS would refuse is refused."""
    policy = parse_document(policy) if isinstance(policy, str) else policy
    try:
        parse_policy(policy)
    except PolicyError:
        with pytest.raises(PolicyError):
            harden(policy)
        return
    before = copy.deepcopy(policy)
    result = harden(policy)
    assert policy == before
    if result.tight:
        check(policy, result)
    else:
        assert any("whom it spares" in reason for reason in result.reasons)
    assert harden(result.policy).policy == result.policy


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(FORM_A, id="form A"),
        pytest.param(FORM_B, id="form B"),
        pytest.param(document(deny_all_but()), id="strict"),
        pytest.param(document(deny()), id="nothing at all, not even enrolment"),
        pytest.param(document(deny_all_but(when={"StringNotEquals": {MFA: "true"}})), id="StringNotEquals true"),
        pytest.param(
            document(deny_all_but(when={"Bool": {MFA: "false"}}), deny_all_but(when={"Null": {MFA: "true"}})),
            id="Bool and Null together",
        ),
        pytest.param(
            document(deny_all_but(*FREED, *GIT), deny(*GIT, on="*", when=WITHOUT_MFA)), id="Git denied by a second deny"
        ),
    ],
)
def test_what_is_tight_stays_as_it_is(policy: Json) -> None:
    result = harden(policy)
    assert result.tight
    assert json.dumps(result.policy) == json.dumps(policy)
    assert result.changes == ()


def only(policy: Json, **options: Any) -> Json:
    """The one statement of a tight result."""
    result = harden(policy, Accepted(**options))
    assert result.tight, result.reasons
    [statement] = listed(result.policy)
    return statement


@pytest.mark.parametrize("when", [{"Bool": {MFA: "false"}}, {"Null": {MFA: "true"}}, {"Bool": {MFA: False}}])
def test_the_mfa_condition_is_mended(when: Json) -> None:
    [statement] = [only(document(deny_all_but(when=when)))]
    assert list(statement["Condition"]) == ["BoolIfExists"]
    assert str(statement["Condition"]["BoolIfExists"][MFA]).lower() == "false"
    assert statement["NotAction"] == list(FREED)


@pytest.mark.parametrize(
    "via",
    [
        {"Null": {"kms:ViaService": True}},
        {"StringNotLike": {"kms:ViaService": "*.amazonaws.com"}},
        {"StringNotLike": {"kms:ViaService": ["codecommit.*.amazonaws.com", "s3.*.amazonaws.com"]}},
        {"BoolIfExists": {"aws:ViaAWSService": "false"}},
        {"StringNotEquals": {"aws:CalledViaFirst": "codecommit.amazonaws.com"}, "Null": {"kms:ViaService": "true"}},
    ],
)
def test_an_exemption_of_kms_becomes_one_for_codecommit(via: Json) -> None:
    when = {**via, "BoolIfExists": {**via.get("BoolIfExists", {}), MFA: "false"}}
    policy = document(deny_all_but(*FREED, *GIT, when=when))
    condition = only(policy)["Condition"]
    assert condition["BoolIfExists"][MFA] == "false"
    assert condition["StringNotLike"] == THROUGH_GIT["StringNotLike"]
    assert "kms:ViaService" not in json.dumps(only(policy, git=False))


def test_kms_actions_leave_the_exemptions_and_git_keeps_its_way() -> None:
    statement = only(document(deny_all_but(*FREED, *GIT, *KEYS)))
    assert statement["NotAction"] == [*FREED, *GIT]
    assert statement["Condition"] == WITHOUT_MFA | THROUGH_GIT


def test_form_b_half_there_is_completed() -> None:
    """The second deny is mended where it is wrong, and the first left alone."""
    wide = {"StringNotLike": {"kms:ViaService": "*.amazonaws.com"}}
    half = document(deny_all_but(*FREED, *GIT, *KEYS), deny(*KEYS[:-1], when=WITHOUT_MFA | wide))
    result = harden(half)
    assert result.tight
    first, second = result.policy["Statement"]
    assert first == half["Statement"][0]
    assert sorted(second["Action"]) == sorted(KEYS)
    assert second["Condition"] == WITHOUT_MFA | THROUGH_GIT


def test_codecommit_is_narrowed_to_git_or_taken_out() -> None:
    policy = document(deny_all_but(*FREED, "codecommit:*"))
    assert only(policy)["NotAction"] == [*FREED, *GIT]
    assert only(policy, git=False)["NotAction"] == list(FREED)
    assert any("KMS" in remark for remark in harden(policy).remarks)


def test_git_is_limited_to_repositories() -> None:
    accepted = Accepted(repositories=(REPOSITORY,))
    result = harden(FORM_A, accepted)
    assert result.tight
    first, second = result.policy["Statement"]
    assert first == FORM_A["Statement"][0]
    assert second["Action"] == list(GIT)
    assert second["NotResource"] == [REPOSITORY]
    assert second["Condition"] == WITHOUT_MFA
    assert [opening.resources for opening in result.surface if opening.why == "Git"] == [(REPOSITORY,)]
    assert harden(result.policy, accepted).policy == result.policy
    policies = carried(result.policy)
    for request in requests(MfaState.ABSENT):
        if request.name in GIT:
            assert evaluate(request, policies).allowed is (request.resource == REPOSITORY)


def test_repositories_limit_nothing_where_git_is_not_free() -> None:
    result = harden(document(deny_all_but()), Accepted(repositories=(REPOSITORY,)))
    assert result.tight
    assert not result.changes
    assert any("nothing to limit" in remark for remark in result.remarks)


@pytest.mark.parametrize(
    ("entry", "instead"),
    [
        ("s3:*", []),
        ("sts:AssumeRole", []),
        ("iam:DeactivateMFADevice", []),
        ("iam:CreateAccessKey", []),
        ("iam:*MFA*", ["iam:GetMFADevice"]),
        (
            "iam:Get*",
            ["iam:GetAccountPasswordPolicy", "iam:GetAccountSummary", "iam:GetLoginProfile", "iam:GetMFADevice"],
        ),
        ("iam:ChangePassword", ["iam:ChangePassword"]),
        ("iam:NoSuchThing", []),
    ],
)
def test_exemptions_beyond_enrolment_go(entry: str, instead: list[str]) -> None:
    """What stays of a wildcard are its actions that are accepted and not exempted beside it."""
    assert only(document(deny_all_but(*FREED, entry)))["NotAction"] == [*FREED, *instead]


def test_a_deny_without_exemptions_left_denies_all() -> None:
    assert only(document(deny_all_but("s3:*")))["Action"] == "*"


def test_a_list_of_actions_becomes_one_of_exemptions() -> None:
    """What it denied of enrolment it denies on."""
    statement = only(document(deny("s3:*", "iam:Enable*")))
    assert "iam:EnableMFADevice" not in statement["NotAction"]
    assert "iam:ListMFADevices" in statement["NotAction"]
    assert "Action" not in statement


@pytest.mark.parametrize(
    "when",
    [
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
        {"StringNotEquals": {"aws:ResourceTag/team": "open"}},
    ],
)
def test_conditions_beside_mfa_go(when: Json) -> None:
    assert only(document(deny_all_but(when=WITHOUT_MFA | when)))["Condition"] == WITHOUT_MFA


@pytest.mark.parametrize(
    "when",
    [
        {"StringNotEquals": {"aws:PrincipalTag/waiver": "granted"}},
        {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/breakglass"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    ],
)
def test_whom_a_deny_spares_is_for_a_person_to_say(when: Json) -> None:
    """The rest is mended; the condition stays, and a second deny for all makes it no matter."""
    policy = document(deny_all_but(*FREED, "s3:*", when=WITHOUT_MFA | when))
    result = harden(policy)
    assert not result.tight
    [reason] = result.reasons
    assert "Statement[0]" in reason
    [statement] = result.policy["Statement"]
    assert statement["Condition"] == WITHOUT_MFA | when
    assert statement["NotAction"] == list(FREED)
    assert harden(document(*policy["Statement"], deny_all_but())).tight


def test_spared_resources_are_covered() -> None:
    statement = only(document(deny_all_but(but_on=["arn:aws:s3:::public/*"])))
    assert statement["Resource"] == "*"
    assert "NotResource" not in statement


def test_without_an_mfa_deny_one_is_added() -> None:
    policy = {"Version": "2012-10-17", "Statement": allow("s3:*") | {"Sid": "NothingElseWithoutMfa"}}
    result = harden(policy)
    assert result.tight
    first, second = result.policy["Statement"]
    assert first == policy["Statement"]
    assert (second["Effect"], second["Sid"]) == ("Deny", "NothingElseWithoutMfa2")
    assert [change.closes for change in result.changes] == ["mfa-not-enforced: no-deny"]


def test_a_deny_of_git_alone_was_not_meant_to_ask_for_mfa_in_general() -> None:
    policy = document(deny("codecommit:GitPull", when={"Bool": {MFA: "false"}}))
    result = harden(policy)
    assert result.tight
    assert result.policy["Statement"][0] == policy["Statement"][0]
    assert len(result.policy["Statement"]) == 2


def test_other_peoples_names_are_left_out() -> None:
    """Of an Allow that is about the care of one's own credentials, and of no other."""
    own = "arn:aws:iam::*:user/${aws:username}"
    home = "arn:aws:s3:::home/${aws:username}*"
    care = allow("iam:EnableMFADevice", on=[f"{own}*", "arn:aws:iam::*:mfa/${aws:username}*"])
    result = harden(document(care, allow("s3:*", on=home), deny_all_but()))
    assert result.policy["Statement"][0]["Resource"] == [own, "arn:aws:iam::*:mfa/${aws:username}*"]
    assert result.policy["Statement"][1]["Resource"] == home
    assert [change.closes for change in result.changes] == ["mfa-self-takeover"]
    assert result.tight


def test_a_policy_too_large_is_said_to_be() -> None:
    large = document(allow(*(f"s3:{'A' * 60}{n}" for n in range(100))), deny_all_but())
    assert size_of(large) > LARGEST
    assert any("6,144" in remark for remark in harden(large).remarks)


@pytest.mark.parametrize("policy", [[], {}, document(deny_all_but(when={"BoolIfExist": {MFA: "false"}}))])
def test_what_aws_would_refuse_is_refused(policy: Any) -> None:
    with pytest.raises(PolicyError):
        harden(policy)


def test_other_accounts_and_partitions_are_judged_as_they_are_named() -> None:
    for arn in ("arn:aws:dynamodb:*:123456789012:table/x", "arn:aws-cn:s3:::b", "arn:aws:sqs:*:1234*:q"):
        assert only(document(deny_all_but(but_on=[arn])))["Resource"] == "*"


def test_many_accounts_matter_only_as_long_as_they_are_named() -> None:
    arns = [f"arn:aws:sqs:*:{number:012}:q" for number in range(1, 12)]
    assert only(document(deny_all_but(but_on=arns)))["Resource"] == "*"
    kept = harden(document(allow("sqs:*", on=arns), deny_all_but()))
    assert not kept.tight
    assert any("than are tried" in reason for reason in kept.reasons)


def test_the_proof_says_where_the_age_of_mfa_matters() -> None:
    when = {"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}
    result = harden(document(deny_all_but(*FREED, "s3:*", when=when)))
    assert result.tight
    [kept] = result.kept
    assert kept.why.endswith("young enough for it")


# --- any loose policy ------------------------------------------------------------------------------------------------

EXEMPTED = st.sampled_from(
    [*FREED, *GIT, *KEYS, "codecommit:*", "kms:*", "s3:*", "s3:Get*", "iam:*", "iam:*MFA*", "sts:*", "sts:AssumeRole",
     "iam:CreateAccessKey", "ec2:Describe*", "iam:ChangePassword", "new:Thing", "*"]
)  # fmt: skip
MFA_CONDITIONS = st.sampled_from(
    [
        ("Bool", "false"),
        ("BoolIfExists", "false"),
        ("BoolIfExists", ["false"]),
        ("Null", "true"),
        ("StringNotEquals", "true"),
    ]
)
EXTRA = st.sampled_from(
    [
        ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"),
        ("Null", "kms:ViaService", "true"),
        ("StringNotLike", "kms:ViaService", "*.amazonaws.com"),
        ("StringNotLike", "kms:ViaService", "codecommit.*.amazonaws.com"),
        ("Bool", "aws:ViaAWSService", "false"),
        ("StringEquals", "aws:RequestedRegion", "eu-west-1"),
    ]
)
PLACES: st.SearchStrategy[Json] = st.sampled_from(
    [
        {"Resource": "*"},
        {"Resource": "*"},
        {"NotResource": ["arn:aws:s3:::public/*"]},
        {"Resource": ["arn:aws:s3:::*", "arn:aws:codecommit:*:*:*"]},
    ]
)


@st.composite
def guards(draw: st.DrawFn) -> Json:
    element = draw(st.sampled_from(["NotAction", "NotAction", "Action"]))
    entries = draw(st.lists(EXEMPTED, min_size=1, max_size=8, unique=True))
    operator, value = draw(MFA_CONDITIONS)
    when: Json = {operator: {MFA: value}}
    for other, key, text in draw(st.lists(EXTRA, max_size=2)):
        when.setdefault(other, {})[key] = text
    return {"Effect": "Deny", element: entries, **draw(PLACES), "Condition": when}


ALLOWS = st.sampled_from(
    [
        allow("s3:*"),
        allow("iam:EnableMFADevice", "iam:GetUser", on="arn:aws:iam::*:user/${aws:username}*"),
        deny("ec2:*", when=None),
    ]
)


@st.composite
def loose(draw: st.DrawFn) -> Json:
    statements = [*draw(st.lists(ALLOWS, max_size=2)), *draw(st.lists(guards(), max_size=3))]
    named = [{"Sid": f"S{n}", **statement} for n, statement in enumerate(draw(st.permutations(statements)))]
    return document(*named)


@given(loose(), st.booleans())
@settings(max_examples=25)
def test_any_loose_policy_becomes_tight(policy: Json, git: bool) -> None:
    accepted = Accepted(git=git)
    result = harden(policy, accepted)
    assert result.tight, result.reasons
    check(policy, result)
    again = harden(result.policy, accepted)
    assert again.policy == result.policy
    assert not again.changes
    if not git:
        policies = carried(result.policy)
        closed = [one for one in requests(MfaState.FALSE) if one.name in GIT or through_codecommit(one)]
        assert not any(evaluate(request, policies).may_be_allowed for request in closed)


def test_the_oracle_knows_its_actions() -> None:
    assert all(catalogue().find(name) for name in ACTIONS)
