"""AWS's answers → snapshot: what each shape says, and what it leaves unknown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.iam.account import AccountSnapshot, CredentialKind, Gap, Read
from chalicelib.iam.answers import ExportError
from chalicelib.iam.exports import Exports, read_exports
from tests.accounts import build
from tests.accounts.build import (
    ADMIN,
    FINE,
    FOUND,
    GUARD,
    NOT_EVALUATED,
    TAKEN,
    Json,
    Person,
    Root,
    allow,
    audit,
    document,
    exports,
    found,
    group,
    managed,
    managed_arn,
    swap,
    verdict,
)

ENFORCED, DEVICE, EVALUABLE = "mfa-not-enforced", "user-without-mfa", "policy-not-evaluable"


def read(answers: Exports) -> AccountSnapshot:
    """The snapshot."""
    return read_exports(answers, TAKEN)


def changed(answers: Exports, **fields: Callable[[Any], None]) -> Exports:
    """The answers with some of them changed in place, on a copy."""
    new: dict[str, Any] = {}
    for name, change in fields.items():
        new[name] = deepcopy(getattr(answers, name))
        change(new[name])
    return swap(answers, **new)


def gaps(answers: Exports) -> set[tuple[str, str]]:
    """(read, subject) of the gaps, without those of answers that these accounts do not have."""
    left_out = (Read.SERVICE_CONTROL_POLICIES, Read.REPOSITORY_KEYS)
    return {(str(gap.read), gap.subject) for gap in read(answers).gaps if gap.read not in left_out}


# --- users, groups, policies -----------------------------------------------------------------------------------------


def test_policies_of_a_user_come_from_five_places() -> None:
    """Inline and attached, of the user and of the groups, and the boundary."""
    everything = [document(allow(f"s3:Get{i}")) for i in range(5)]
    answers = exports(
        Person(inline=[everything[0]], attached=["a"], groups=["staff"], boundary="limit"),
        groups=[group("staff", everything[2], attached=["b"])],
        policies=[managed("a", everything[1]), managed("b", everything[3]), managed("limit", everything[4])],
    )
    snapshot = read(answers)
    found_policies = snapshot.policies_of(snapshot.users["alice"])
    assert [policy.document.statements[0].actions.entries for policy in found_policies.policies.identity] == [
        ("s3:Get0",), ("s3:Get1",), ("s3:Get2",), ("s3:Get3",)
    ]  # fmt: skip
    assert found_policies.policies.boundary is not None
    assert found_policies.policies.boundary.document.statements[0].actions.entries == ("s3:Get4",)
    assert not found_policies.missing
    assert not found_policies.broken


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda body: body, id="an object"),
        pytest.param(json.dumps, id="JSON text"),
        pytest.param(lambda body: quote(json.dumps(body)), id="URL-encoded"),
        pytest.param(lambda body: quote(json.dumps(body), safe=""), id="URL-encoded, slashes too"),
        pytest.param(lambda body: json.dumps(body, indent=4), id="indented text"),
    ],
)
def test_documents_in_any_encoding_decide_the_same(encode: Callable[[Json], Any]) -> None:
    answers = exports(
        Person(inline=[encode(ADMIN)], attached=["guard"], groups=["staff"]),
        groups=[group("staff", encode(document(allow("s3:*"))))],
        policies=[managed("guard", encode(GUARD))],
        roles=[build.role("deploy", encode({"Version": "2012-10-17", "Statement": []}))],
    )
    result = audit(answers)
    assert [verdict(result, control, "alice") for control in (ENFORCED, EVALUABLE)] == [FINE, FINE]


def test_equal_inline_documents_are_parsed_once() -> None:
    """5,000 users with the same inline policy hold one document."""
    snapshot = read(exports(*(Person(f"user-{i}", inline=[deepcopy(GUARD)]) for i in range(5))))
    assert len({id(user.inline[0].document) for user in snapshot.users.values()}) == 1


def test_a_missing_managed_policy_leaves_its_users_unjudged() -> None:
    result = audit(exports(Person(inline=[ADMIN], attached=["gone"]), Person("bob", inline=[GUARD])))
    assert verdict(result, ENFORCED, "alice") == NOT_EVALUATED
    assert verdict(result, ENFORCED, "bob") == FINE
    assert any(managed_arn("gone") in item.reason for item in result.not_evaluated)


def test_a_missing_boundary_leaves_its_users_unjudged() -> None:
    assert verdict(audit(exports(Person(inline=[ADMIN], boundary="gone"))), ENFORCED, "alice") == NOT_EVALUATED


def test_a_missing_group_leaves_its_members_unjudged() -> None:
    result = audit(exports(Person(inline=[ADMIN], groups=["gone"]), Person("bob", inline=[ADMIN, GUARD])))
    assert [verdict(result, ENFORCED, name) for name in ("alice", "bob")] == [NOT_EVALUATED, FINE]


@pytest.mark.parametrize("place", ["attached", "groups", "boundary"])
def test_a_policy_that_nobody_read_is_not_called_evaluable(place: str) -> None:
    traits: dict[str, Any] = {place: "gone" if place == "boundary" else ["gone"]}
    assert verdict(audit(exports(Person(**traits))), EVALUABLE, "alice") == NOT_EVALUATED


def test_policies_that_the_report_alone_implies_are_not_called_evaluable() -> None:
    assert verdict(audit(exports(Person(in_details=False, virtual=False))), EVALUABLE, "alice") == NOT_EVALUATED


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(managed("guard", GUARD, default=7), id="a default that is not listed"),
        pytest.param(managed("guard") | {"PolicyVersionList": []}, id="no versions"),
        pytest.param({k: v for k, v in managed("guard").items() if k != "PolicyVersionList"}, id="no list of versions"),
        pytest.param(managed("guard", None), id="a default without its document"),
    ],
)
def test_a_policy_without_its_default_version_is_a_gap(policy: Json) -> None:
    answers = exports(Person(inline=[ADMIN], attached=["guard"]), policies=[policy])
    assert ("authorization-details", managed_arn("guard")) in gaps(answers)
    assert verdict(audit(answers), ENFORCED, "alice") == NOT_EVALUATED


def test_the_default_version_is_known_by_its_flag_where_no_id_names_it() -> None:
    policy = managed("guard", document(allow()), GUARD, default=2)
    del policy["DefaultVersionId"]
    assert verdict(audit(exports(Person(attached=["guard"]), policies=[policy])), ENFORCED, "alice") == FINE


def test_a_broken_document_is_named_and_leaves_the_rest_in_doubt() -> None:
    broken = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*"}]}
    result = audit(exports(Person(inline=[broken, ADMIN, GUARD]), Person("bob", inline=[broken, ADMIN])))
    assert found(result, "alice")[EVALUABLE].evidence["where"] == "Statement[0]"
    assert verdict(result, ENFORCED, "alice") == NOT_EVALUATED
    assert found(result, "bob")[ENFORCED].uncertain


def test_a_broken_document_that_nobody_carries_concerns_nobody() -> None:
    assert not found(audit(exports(Person(), policies=[managed("draft", {"Statement": 1})])), "alice")


def test_a_user_without_lists_has_no_policies() -> None:
    """AWS leaves out the list of inline policies where there are none."""

    def bare(details: Json) -> None:
        [user] = details["UserDetailList"]
        for name in ("UserPolicyList", "Tags", "PermissionsBoundary", "GroupList", "AttachedManagedPolicies"):
            user.pop(name, None)

    assert verdict(audit(changed(exports(Person()), authorization_details=bare)), ENFORCED, "alice") == FINE


def test_the_order_of_answers_changes_nothing() -> None:
    def turn(details: Json) -> None:
        for found_list in details.values():
            found_list.reverse()

    def turn_rows(answers: Exports) -> Exports:
        head, *rows = (answers.credential_report or "").splitlines()
        return replace(answers, credential_report="\n".join([head, *reversed(rows)]))

    answers = exports(
        Person("alice", groups=["a", "b"]),
        Person("bob", inline=[ADMIN]),
        Person("carl", attached=["p", "q"]),
        groups=[group("a", ADMIN), group("b", GUARD)],
        policies=[managed("p", ADMIN), managed("q", document(allow("s3:*")))],
    )
    turned = turn_rows(changed(answers, authorization_details=turn, virtual_mfa_devices=turn))
    assert json.dumps(audit(turned).to_json()) == json.dumps(audit(answers).to_json())


def test_names_are_found_in_any_case_and_by_arn() -> None:
    snapshot = read(exports(Person("Alice")))
    for name in ("Alice", "alice", "ALICE", snapshot.users["Alice"].arn):
        assert snapshot.user_named(name) is snapshot.users["Alice"]
    assert snapshot.user_named("bob") is None


# --- truncated answers -----------------------------------------------------------------------------------------------


def truncate(answer: Json) -> None:
    """Mark the answer as one of several pages."""
    answer["IsTruncated"] = True


def truncate_alice(answer: Json) -> None:
    """Mark alice's answer as one of several pages."""
    truncate(answer["alice"])


def test_truncated_details_are_a_gap() -> None:
    assert ("authorization-details", "") in gaps(changed(exports(Person()), authorization_details=truncate))


def test_truncated_virtual_devices_are_a_gap() -> None:
    assert ("virtual-mfa-devices", "") in gaps(changed(exports(Person()), virtual_mfa_devices=truncate))


@pytest.mark.parametrize("name", ["ssh_public_keys", "service_credentials"])
def test_truncated_credentials_of_a_user_are_a_gap_and_leave_them_unread(name: str) -> None:
    idle = Person(keys=("false", "false"), virtual=False, mfa="false")
    assert verdict(audit(exports(idle)), DEVICE, "alice") == FINE
    answers = changed(exports(idle), **{name: truncate_alice})
    assert (name.replace("_", "-"), "alice") in gaps(answers)
    assert verdict(audit(answers), DEVICE, "alice") == NOT_EVALUATED


def test_a_truncated_list_of_a_users_devices_proves_no_lack() -> None:
    person = Person(virtual=False, mfa="N/A", devices=0)
    answers = changed(exports(person), mfa_devices=truncate_alice)
    assert ("mfa-devices", "alice") in gaps(answers)
    assert verdict(audit(answers), DEVICE, "alice") == NOT_EVALUATED


@pytest.mark.parametrize("truncated", [True, False])
def test_one_truncated_answer_about_all_users_leaves_all_unread(truncated: bool) -> None:
    answer = {"ServiceSpecificCredentials": [], "IsTruncated": truncated}
    answers = replace(exports(Person()), service_credentials=answer)
    assert (CredentialKind.GIT_CREDENTIAL in read(answers).users["alice"].unread) is truncated


# --- Git credentials -------------------------------------------------------------------------------------------------

GIT = CredentialKind.GIT_CREDENTIAL
CREDENTIALS = [
    ("active", build.service_credential("alice"), True),
    ("inactive", build.service_credential("alice", status="Inactive"), False),
    ("expired, ISO 8601", build.service_credential("alice", expires="2026-05-31T00:00:00Z"), False),
    ("expired, seconds", build.service_credential("alice", expires=1780000000), False),
    ("to expire, ISO 8601", build.service_credential("alice", expires="2026-07-01T00:00:00+00:00"), True),
    ("to expire, seconds", build.service_credential("alice", expires=1790000000.5), True),
]


@pytest.mark.parametrize("form", ["per user", "all users"])
@pytest.mark.parametrize(("credential", "active"), [c[1:] for c in CREDENTIALS], ids=[c[0] for c in CREDENTIALS])
def test_git_credentials(credential: Json, active: bool, form: str) -> None:
    item = {"ServiceSpecificCredentials": [credential]}
    answer: Json = item if form == "all users" else {"alice": item}
    user = read(replace(exports(Person()), service_credentials=answer)).users["alice"]
    assert [found.active for found in user.credentials if found.kind is GIT] == [active]
    assert GIT not in user.unread


@pytest.mark.parametrize("service", ["cassandra.amazonaws.com", "bedrock.amazonaws.com"])
def test_credentials_of_other_services_are_no_git_credentials(service: str) -> None:
    answer = {"ServiceSpecificCredentials": [build.service_credential("alice", service=service)]}
    user = read(replace(exports(Person()), service_credentials=answer)).users["alice"]
    assert not [credential for credential in user.credentials if credential.kind is GIT]


@pytest.mark.parametrize(("status", "active"), [("Active", True), ("Inactive", False)])
def test_ssh_keys(status: str, active: bool) -> None:
    user = read(exports(Person(ssh_keys=[status]))).users["alice"]
    assert [c.active for c in user.credentials if c.kind is CredentialKind.SSH_KEY] == [active]


def test_one_answer_about_all_users_speaks_for_those_without_credentials() -> None:
    answers = replace(exports(Person(), Person("bob")), service_credentials={"ServiceSpecificCredentials": []})
    assert all(GIT not in user.unread for user in read(answers).users.values())


def test_a_user_whom_a_per_user_file_leaves_out_is_a_gap() -> None:
    people = Person(ssh_keys=None, git_credentials=None), Person("bob")
    assert {("ssh-public-keys", "alice"), ("service-credentials", "alice")} <= gaps(exports(*people))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("ssh_public_keys", {"ghost": {"SSHPublicKeys": []}}),
        ("service_credentials", {"ghost": {"ServiceSpecificCredentials": []}}),
        ("service_credentials", {"ServiceSpecificCredentials": [build.service_credential("ghost")]}),
        ("mfa_devices", {"ghost": {"MFADevices": []}}),
        (
            "virtual_mfa_devices",
            {"VirtualMFADevices": [build.virtual_device("x", "arn:aws:iam::111122223333:user/ghost")]},
        ),
    ],
)
def test_a_user_whom_one_answer_alone_knows_is_a_gap(name: str, answer: Json) -> None:
    assert (name.replace("_", "-"), "ghost") in gaps(swap(exports(Person()), **{name: answer}))


# --- MFA devices -----------------------------------------------------------------------------------------------------

DEVICES = [
    ("a virtual device that is younger than the report", Person(mfa="false", virtual=True), FINE),
    ("a hardware token that is younger than the report", Person(mfa="false", virtual=False, devices=1), FINE),
    ("a security key, which only the report shows", Person(mfa="true", virtual=False), FINE),
    ("a device that is gone since the report", Person(mfa="true", virtual=False, devices=0), FOUND),
    ("none at all", Person(mfa="false", virtual=False, devices=0), FOUND),
    ("none in the report, and nobody asked again", Person(mfa="false", virtual=False), FOUND),
    ("nobody knows", Person(mfa="N/A", virtual=False), NOT_EVALUATED),
    (
        "nobody knows, and there is nothing to sign in with",
        Person(mfa="N/A", virtual=False, keys=("false", "false")),
        FINE,
    ),
]


@pytest.mark.parametrize(("person", "expected"), [case[1:] for case in DEVICES], ids=[case[0] for case in DEVICES])
def test_devices(person: Person, expected: str) -> None:
    assert verdict(audit(exports(person)), DEVICE, "alice") == expected


def test_a_lack_that_the_report_alone_knows_is_uncertain() -> None:
    sure = Person(mfa="false", virtual=False, devices=0)
    for person, uncertain in ((sure, False), (replace(sure, devices=None), True)):
        assert bool(found(audit(exports(person)), "alice")[DEVICE].uncertain) is uncertain


@pytest.mark.parametrize("user", ["missing", None, {}])
def test_a_device_that_nobody_uses_is_nobodys(user: object) -> None:
    device = build.virtual_device("spare", None) | ({} if user == "missing" else {"User": user})
    answer = {"VirtualMFADevices": [device]}
    person = Person(mfa="false", virtual=False)
    assert verdict(audit(replace(exports(person), virtual_mfa_devices=answer)), DEVICE, "alice") == FOUND


def test_the_root_users_device_is_no_users() -> None:
    answers = exports(Person(mfa="false", virtual=False), root=Root(mfa="false", virtual=True))
    assert not found(audit(answers), None)
    assert verdict(audit(answers), DEVICE, "alice") == FOUND


# --- what is refused -------------------------------------------------------------------------------------------------

OTHER = "999988887777"


def another_account(details: Json) -> None:
    """Move the last user to another account."""
    details["UserDetailList"][-1]["Arn"] = f"arn:aws:iam::{OTHER}:user/bob"


def twice(details: Json) -> None:
    """List the first user twice."""
    details["UserDetailList"].append(details["UserDetailList"][0])


def of_another_account(answer: Json) -> None:
    """Let a device be another account's."""
    answer["VirtualMFADevices"][0]["User"]["Arn"] = f"arn:aws:iam::{OTHER}:user/alice"


REFUSED: dict[str, tuple[dict[str, Callable[[Any], None]], str]] = {
    "users of two accounts": (
        {"authorization_details": another_account},
        f"UserDetailList[1].Arn: is of account {OTHER}",
    ),
    "a device of another account": ({"virtual_mfa_devices": of_another_account}, f"is of account {OTHER}"),
    "a user twice": ({"authorization_details": twice}, "UserDetailList[2]: user alice stands twice"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str) -> None:
    changes, told = REFUSED[name]
    with pytest.raises(ExportError) as caught:
        read(changed(exports(Person(), Person("bob")), **changes))
    assert told in str(caught.value)


@pytest.mark.parametrize("which", ["GroupDetailList", "Policies"])
def test_a_group_or_policy_that_stands_twice_with_two_meanings_is_refused(which: str) -> None:
    """Which of the two AWS applies cannot be known; taking either may hide a hole."""
    twofold: Mapping[str, Any] = {
        "GroupDetailList": {"groups": [group("staff", ADMIN), group("staff", GUARD)]},
        "Policies": {"policies": [managed("guard", ADMIN), managed("guard", GUARD)]},
    }[which]
    person = Person(groups=["staff"] if which == "GroupDetailList" else [], attached=["guard"] * (which == "Policies"))
    with pytest.raises(ExportError, match="twice"):
        read(exports(person, **twofold))


def test_devices_of_another_account_are_refused_by_their_serial_number() -> None:
    device = build.mfa_device("alice") | {"SerialNumber": f"arn:aws:iam::{OTHER}:mfa/alice"}
    answers = replace(exports(Person(mfa="false", virtual=False)), mfa_devices={"alice": {"MFADevices": [device]}})
    with pytest.raises(ExportError, match=OTHER):
        read(answers)


WRONG: list[Any] = [[], "text", 7, True, [{}], {"alice": []}, {"alice": None}, {"alice": {}}]
WRONG_SHAPES: list[tuple[str, Any]] = [
    (name, value)
    for name in (
        "authorization_details",
        "virtual_mfa_devices",
        "mfa_devices",
        "service_credentials",
        "ssh_public_keys",
        "repository_keys",
    )
    for value in WRONG
]


@pytest.mark.parametrize(("name", "value"), WRONG_SHAPES)
def test_an_answer_of_the_wrong_shape_is_one_line(name: str, value: object) -> None:
    with pytest.raises(ExportError) as caught:
        read(swap(exports(Person()), **{name: value}))
    assert "\n" not in str(caught.value)
    assert caught.value.read.name.lower() == name


def test_gaps_of_whoever_read_the_answers_stay() -> None:
    gap = Gap(Read.SSH_PUBLIC_KEYS, "alice", "throttled")
    snapshot = read(replace(exports(Person(ssh_keys=None)), gaps=(gap,)))
    assert gap in snapshot.gaps
    assert CredentialKind.SSH_KEY in snapshot.users["alice"].unread
