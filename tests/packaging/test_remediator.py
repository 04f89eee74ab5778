"""The roles that change accounts, the hub's and a member's, decided: what parameters name, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.iam.decision import Decision, evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.remediation.step import StepKind
from tests.packaging.rendering import ACCOUNT, REGION, rendered
from tests.packaging.test_roles import IAM_WRITES, REMEDIATION_MEMBER, asking, examples, policy_of

EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
GIVEN = {
    "RemediationPolicies": "RequireMfa,mfa/RequireMfaGit",
    "RemediationGroup": "staff/everybody",
    "RemediationWrittenPolicies": "RequireMfa,ours/Tight",
    "RemediationInlineUsers": "dev/*",
    "RemediationInlineGroups": "dev/*",
    "RemediationKeyUsers": "dev/*",
    "RemediationSparedUsers": "emergency-*,root2",
}
"""A value of each parameter."""
each_role = pytest.mark.parametrize("name", ["remediate", REMEDIATION_MEMBER])


def own(resource: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:{resource}"


@cache
def policies_of(name: str, chosen: frozenset[str], more: bool = False) -> PolicySet:
    """What a role carries where these parameters are given; with `more`, and somebody allowed it everything as well."""
    nothing = dict.fromkeys(GIVEN, "")
    document = policy_of(name, **nothing | {parameter: GIVEN[parameter] for parameter in chosen})
    found = [Policy("own", parse_policy(document))]
    return PolicySet(identity=(*found, Policy("more", parse_policy(EVERYTHING))) if more else tuple(found))


def decided(name: str, action: str, resource: str, policy: str, chosen: frozenset[str], more: bool = False) -> Decision:
    """What AWS decides of a request of the role's; `policy` is the managed policy that it is about, if any."""
    context = {"iam:PolicyARN": policy} if policy else {}
    return evaluate(asking(action, resource, context), policies_of(name, chosen, more))


# --- what steps need -------------------------------------------------------------------------------------------------

ALICE, BOB, STAFF, DEVELOPERS = "user/dev/alice", "user/bob", "group/staff/everybody", "group/dev/all"
CANONICAL, WRITTEN = own("policy/mfa/RequireMfaGit"), "policy/RequireMfa"
ATTACHES, WRITES = ("RemediationPolicies",), ("RemediationWrittenPolicies",)
TO_GROUP = ("RemediationPolicies", "RemediationGroup")

NEEDS: Mapping[StepKind, tuple[str, str, str, tuple[str, ...]]] = {
    StepKind.ATTACH_USER_POLICY: ("AttachUserPolicy", BOB, CANONICAL, ATTACHES),
    StepKind.DETACH_USER_POLICY: ("DetachUserPolicy", ALICE, CANONICAL, ATTACHES),
    StepKind.ATTACH_GROUP_POLICY: ("AttachGroupPolicy", STAFF, CANONICAL, TO_GROUP),
    StepKind.DETACH_GROUP_POLICY: ("DetachGroupPolicy", STAFF, CANONICAL, TO_GROUP),
    StepKind.ADD_USER_TO_GROUP: ("AddUserToGroup", STAFF, "", ("RemediationGroup",)),
    StepKind.REMOVE_USER_FROM_GROUP: ("RemoveUserFromGroup", STAFF, "", ("RemediationGroup",)),
    StepKind.PUT_USER_POLICY: ("PutUserPolicy", ALICE, "", ("RemediationInlineUsers",)),
    StepKind.DELETE_USER_POLICY: ("DeleteUserPolicy", ALICE, "", ("RemediationInlineUsers",)),
    StepKind.PUT_GROUP_POLICY: ("PutGroupPolicy", DEVELOPERS, "", ("RemediationInlineGroups",)),
    StepKind.DELETE_GROUP_POLICY: ("DeleteGroupPolicy", DEVELOPERS, "", ("RemediationInlineGroups",)),
    StepKind.CREATE_POLICY_VERSION: ("CreatePolicyVersion", WRITTEN, "", WRITES),
    StepKind.DELETE_POLICY_VERSION: ("DeletePolicyVersion", WRITTEN, "", WRITES),
    StepKind.SET_DEFAULT_POLICY_VERSION: ("SetDefaultPolicyVersion", WRITTEN, "", WRITES),
    StepKind.DEACTIVATE_ACCESS_KEY: ("UpdateAccessKey", ALICE, "", ("RemediationKeyUsers",)),
    StepKind.ACTIVATE_ACCESS_KEY: ("UpdateAccessKey", ALICE, "", ("RemediationKeyUsers",)),
    StepKind.DEACTIVATE_SSH_KEY: ("UpdateSSHPublicKey", ALICE, "", ("RemediationKeyUsers",)),
    StepKind.ACTIVATE_SSH_KEY: ("UpdateSSHPublicKey", ALICE, "", ("RemediationKeyUsers",)),
}
"""Step → its call, on what, about which managed policy, and the parameters without which it is refused."""
NOBODYS = {StepKind.PUT_USER_BOUNDARY, StepKind.DELETE_USER_BOUNDARY}
"""Steps that no plan has: boundaries are left alone, and no parameter allows them."""
READS = {
    "iam:GetUserPolicy iam:ListAccessKeys iam:ListAttachedUserPolicies iam:ListGroupsForUser": ALICE,
    "iam:ListSSHPublicKeys iam:ListUserPolicies": ALICE,
    "iam:GetGroupPolicy iam:ListAttachedGroupPolicies iam:ListGroupPolicies": STAFF,
    "iam:GetPolicy iam:GetPolicyVersion iam:ListPolicyVersions": WRITTEN,
}
"""What is looked at before and after a step."""


@each_role
@pytest.mark.parametrize("kind", StepKind)
def test_a_step_is_allowed_by_its_parameters_and_by_no_others(name: str, kind: StepKind) -> None:
    assert NEEDS.keys() == set(StepKind) - NOBODYS
    if kind in NOBODYS:
        action = {StepKind.PUT_USER_BOUNDARY: "Put", StepKind.DELETE_USER_BOUNDARY: "Delete"}[kind]
        found = decided(name, f"iam:{action}UserPermissionsBoundary", own(ALICE), "", frozenset(GIVEN))
        assert not found.may_be_allowed
        return
    action, resource, policy, needed = NEEDS[kind]
    assert decided(name, f"iam:{action}", own(resource), policy, frozenset(needed)).allowed
    for parameter in needed:
        others = frozenset(GIVEN) - {parameter}
        assert not decided(name, f"iam:{action}", own(resource), policy, others).may_be_allowed


@each_role
def test_what_a_step_hangs_on_can_be_read(name: str) -> None:
    for actions, resource in READS.items():
        for action in actions.split():
            assert decided(name, action, own(resource), "", frozenset()).allowed
    for action in ("iam:GetPolicy", "iam:GetPolicyVersion"):  # groups carry policies of AWS's too
        assert decided(name, action, own("policy/ReadOnlyAccess", "aws"), "", frozenset()).allowed


# --- what is refused -------------------------------------------------------------------------------------------------

SELF = f"role/mfawatch-remediate-{REGION}"
ADMINISTRATOR = own("policy/AdministratorAccess", "aws")
REFUSED = [
    ("AttachUserPolicy", ALICE, ADMINISTRATOR),
    ("AttachUserPolicy", ALICE, own("policy/Other")),
    ("AttachUserPolicy", ALICE, own("policy/ours/Tight")),  # it may be written, and not attached
    ("AttachUserPolicy", ALICE, own("policy/RequireMfaGit")),
    ("AttachUserPolicy", ALICE, own("policy/mfa/RequireMfa")),
    ("AttachUserPolicy", ALICE, own("policy/mfa/RequireMfaGit/more")),
    ("AttachUserPolicy", ALICE, own("policy/RequireMfa", "aws")),
    ("AttachUserPolicy", ALICE, own("policy/RequireMfa", "444455556666")),
    ("AttachUserPolicy", ALICE, own("policy/RequireMfa").replace("aws", "aws-cn")),
    ("AttachUserPolicy", ALICE, ""),
    ("AttachUserPolicy", SELF, CANONICAL),
    ("DetachUserPolicy", ALICE, ADMINISTRATOR),
    ("AttachGroupPolicy", STAFF, ADMINISTRATOR),
    ("AttachGroupPolicy", DEVELOPERS, CANONICAL),
    ("DetachGroupPolicy", STAFF, own("policy/Other")),
    ("AddUserToGroup", "group/everybody", ""),
    ("AddUserToGroup", "group/other/staff/everybody", ""),
    ("AddUserToGroup", "group/admins", ""),
    ("RemoveUserFromGroup", "group/admins", ""),
    ("CreatePolicyVersion", "policy/Other", ""),
    ("CreatePolicyVersion", "policy/mfa/RequireMfaGit", ""),  # it may be attached, and not written
    ("CreatePolicyVersion", "policy/mfa/RequireMfa", ""),
    ("SetDefaultPolicyVersion", "policy/Other", ""),
    ("DeletePolicyVersion", "policy/Other", ""),
    ("PutUserPolicy", BOB, ""),
    ("PutGroupPolicy", STAFF, ""),
    ("UpdateAccessKey", BOB, ""),
    ("UpdateSSHPublicKey", BOB, ""),
    ("CreatePolicy", "policy/RequireMfa", ""),
    ("DeletePolicy", "policy/RequireMfa", ""),
    ("CreateUser", ALICE, ""),
    ("DeleteUser", ALICE, ""),
    ("CreateAccessKey", ALICE, ""),
    ("DeleteAccessKey", ALICE, ""),
    ("CreateLoginProfile", ALICE, ""),
    ("UpdateLoginProfile", ALICE, ""),
    ("UploadSSHPublicKey", ALICE, ""),
    ("CreateServiceSpecificCredential", ALICE, ""),
    ("DeactivateMFADevice", ALICE, ""),
    ("EnableMFADevice", ALICE, ""),
    ("AttachRolePolicy", SELF, CANONICAL),
    ("PutRolePolicy", SELF, ""),
    ("DeleteRolePolicy", SELF, ""),
    ("UpdateAssumeRolePolicy", SELF, ""),
    ("DeleteRolePermissionsBoundary", SELF, ""),
    ("PassRole", SELF, ""),
    ("AttachRolePolicy", "role/admin", CANONICAL),
    ("UpdateAssumeRolePolicy", "role/admin", ""),
    ("CreateRole", "role/new", ""),
    ("PassRole", "role/admin", ""),
]
"""Requests that no parameters allow, with all of them given."""


@each_role
@pytest.mark.parametrize(("action", "resource", "policy"), REFUSED)
def test_what_is_refused_whatever_the_parameters_say(name: str, action: str, resource: str, policy: str) -> None:
    assert not decided(name, f"iam:{action}", own(resource), policy, frozenset(GIVEN)).may_be_allowed


@each_role
def test_the_same_in_another_account_is_refused(name: str) -> None:
    for action, resource, policy, _ in NEEDS.values():
        elsewhere = own(resource, "444455556666")
        assert not decided(name, f"iam:{action}", elsewhere, policy, frozenset(GIVEN)).may_be_allowed


# --- all that can be asked -------------------------------------------------------------------------------------------

RESOURCES = [
    *map(own, (ALICE, BOB, "user/dev/emergency-1", "user/emergency-1", "user/root2", "user/dev/x/root2")),
    *map(own, (STAFF, DEVELOPERS, "group/everybody", WRITTEN, "policy/ours/Tight", "policy/mfa/RequireMfaGit")),
    *map(own, ("policy/Other", SELF, "role/admin", "mfa/alice", "*")),
    own(ALICE, "444455556666"), own(WRITTEN, "444455556666"), own(WRITTEN, "aws"), "*",
]  # fmt: skip
ABOUT = ["", CANONICAL, own("policy/RequireMfa"), own("policy/RequireMfa", "aws"), own("policy/Other"), ADMINISTRATOR]
OF_USERS = {"AttachUserPolicy", "DetachUserPolicy", "PutUserPolicy", "DeleteUserPolicy", "UpdateAccessKey"}
OF_USERS |= {"UpdateSSHPublicKey"}
GRANTED = {action for action, *_ in NEEDS.values()}


MEANT = {
    "AttachGroupPolicy DetachGroupPolicy AddUserToGroup RemoveUserFromGroup": ("RemediationGroup", "group"),
    "CreatePolicyVersion DeletePolicyVersion SetDefaultPolicyVersion": ("RemediationWrittenPolicies", "policy"),
    "PutUserPolicy DeleteUserPolicy": ("RemediationInlineUsers", "user"),
    "PutGroupPolicy DeleteGroupPolicy": ("RemediationInlineGroups", "group"),
    "UpdateAccessKey UpdateSSHPublicKey": ("RemediationKeyUsers", "user"),
    "AttachUserPolicy DetachUserPolicy": ("RemediationPolicies", "user"),
}
"""Actions → the parameter that says on what, and what that is."""


def is_meant(action: str, resource: str, policy: str, chosen: frozenset[str]) -> bool:
    """Whether the request is to be allowed, by what the parameters are for."""
    [(parameter, kind)] = [told for actions, told in MEANT.items() if action in actions.split()] or [("", "")]
    if parameter not in chosen:
        return False
    if "Attach" in action or "Detach" in action:
        attached = {own(f"policy/{one}") for one in GIVEN["RemediationPolicies"].split(",")}
        if policy not in attached or "RemediationPolicies" not in chosen:
            return False
    if action in OF_USERS and "RemediationSparedUsers" in chosen and re.search(r"/(emergency-1|root2)$", resource):
        return False
    if parameter == "RemediationPolicies":
        return resource.startswith(own("user/"))
    if GIVEN[parameter] == "dev/*":
        return resource.startswith(own(f"{kind}/dev/"))
    return resource in {own(f"{kind}/{one}") for one in GIVEN[parameter].split(",")}


writes = st.sampled_from([action.name.removeprefix("iam:") for action in IAM_WRITES])
of_any = st.one_of(st.sampled_from(sorted(GRANTED)), writes)
some = st.one_of(
    st.just(frozenset(GIVEN)), st.sampled_from(sorted(GIVEN)).map(lambda one: frozenset(GIVEN) - {one}),
    st.frozensets(st.sampled_from(sorted(GIVEN))),
)  # fmt: skip


@each_role
@settings(max_examples=200, deadline=None)
@given(action=of_any, resource=st.sampled_from(RESOURCES), policy=st.sampled_from(ABOUT), chosen=some)
def test_what_is_allowed_is_what_the_parameters_are_for(
    name: str, action: str, resource: str, policy: str, chosen: frozenset[str]
) -> None:
    found = decided(name, f"iam:{action}", resource, policy, chosen)
    assert found.allowed is found.may_be_allowed is is_meant(action, resource, policy, chosen)


@each_role
@settings(max_examples=100, deadline=None)
@given(action=of_any, resource=st.sampled_from(RESOURCES), policy=st.sampled_from(ABOUT))
def test_with_nothing_given_nothing_is_written(name: str, action: str, resource: str, policy: str) -> None:
    assert not decided(name, f"iam:{action}", resource, policy, frozenset()).may_be_allowed


@each_role
def test_whatever_else_the_role_is_allowed_roles_are_not_touched_and_nothing_is_created(name: str) -> None:
    """The last statements hold for what others attach to the role as well."""
    asked = 0
    for action in IAM_WRITES:
        for resource in examples(action) if action.resource_types else ():
            if action.name.removeprefix("iam:") not in GRANTED:
                asked += 1
                assert not decided(name, action.name, resource, "", frozenset(GIVEN), more=True).may_be_allowed
    assert asked > 80
    for written in GRANTED:
        for resource in (own(SELF), own("role/admin"), own(ALICE, "444455556666"), own(WRITTEN, "aws")):
            assert not decided(name, f"iam:{written}", resource, CANONICAL, frozenset(GIVEN), more=True).may_be_allowed
    for written in OF_USERS:
        for user in ("user/emergency-1", "user/break/glass/emergency-2", "user/root2"):
            found = decided(name, f"iam:{written}", own(user), CANONICAL, frozenset(GIVEN), more=True)
            assert not found.may_be_allowed


def test_a_policy_that_names_much_fits_into_the_role() -> None:
    """Into 10,240 characters, white space aside (IAM User Guide, "IAM and AWS STS quotas")."""
    names = ",".join(f"security/baseline/RequireMultiFactorAuthentication-{number}" for number in range(8))
    lists = ("RemediationPolicies", "RemediationWrittenPolicies")
    document = policy_of("remediate", **GIVEN | dict.fromkeys(lists, names))
    assert len(re.sub(r"\s", "", json.dumps(document))) < 10_240


# --- the parameters --------------------------------------------------------------------------------------------------

LISTS = {"RemediationPolicies", "RemediationWrittenPolicies", "RemediationSparedUsers"}


def test_parameters_are_empty_by_default() -> None:
    parameters = rendered("prod")["Parameters"]
    assert {name for name in parameters if name.startswith("Remediation")} == GIVEN.keys()
    for name in GIVEN:
        assert parameters[name]["Default"] == ""
        assert parameters[name]["Type"] == ("CommaDelimitedList" if name in LISTS else "String")


@pytest.mark.parametrize("parameter", GIVEN)
def test_a_parameter_takes_names_and_nothing_that_means_more(parameter: str) -> None:
    """A pattern counts for each value of a list. Managed policies and the group have to be named one by one."""
    pattern = rendered("prod")["Parameters"][parameter]["AllowedPattern"]
    values = GIVEN[parameter].split(",")
    assert all(re.fullmatch(pattern, value, re.ASCII) for value in ["", *values])
    refused = ["a b", "${aws:username}", "a:b", '"', "ü"]
    if not any("*" in value for value in values):
        refused += ["*", "mfa/*", "Require?fa", "/RequireMfa", "mfa//RequireMfa", "mfa/", "policy/*"]
    for value in refused:
        assert not re.fullmatch(pattern, value, re.ASCII), value
