"""The organisation's reader: the whole of what binds an account, or a gap; and few calls."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from chalicelib.aws.organization import NONE_BIND, OrganizationReader
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.exports import read_exports
from tests.accounts.build import ADMIN, GUARD, TAKEN, Json, Person, exports, swap
from tests.aws.fake_iam import refused
from tests.aws.fake_organization import FULL, MANAGEMENT, MEMBER, OTHER, SCP, FakeOrganization


def shown(answer: Json | Gap) -> list[tuple[str, list[str]]]:
    """The targets of an answer, each with the ids of its policies."""
    assert not isinstance(answer, Gap), answer
    return [
        (level["TargetId"], [policy["PolicySummary"]["Id"] for policy in level["Policies"]])
        for level in answer["Levels"]
    ]


def reason_of(answer: Json | Gap) -> str:
    """Why there is a gap."""
    assert isinstance(answer, Gap), answer
    assert (answer.read, answer.subject) == (Read.SERVICE_CONTROL_POLICIES, "")
    return answer.reason


def test_every_level_is_shown_from_the_root_to_the_account() -> None:
    answer = OrganizationReader(FakeOrganization()).service_control_policies(MEMBER)
    assert shown(answer) == [("r-ab12", [FULL]), ("ou-ab12-11111111", [FULL, "p-guard"]), (MEMBER, [FULL])]
    snapshot = read_exports(swap(exports(Person(inline=[ADMIN])), service_control_policies=answer), TAKEN)
    assert [len(level) for level in snapshot.scps] == [1, 2, 1]


def test_a_usual_account_costs_few_calls_and_its_neighbour_hardly_any() -> None:
    client = FakeOrganization()
    reader = OrganizationReader(client)
    reader.service_control_policies(MEMBER)
    assert sum(client.calls.values()) == 1 + 2 + 3 + 2
    client.calls.clear()
    assert shown(reader.service_control_policies(OTHER))[-1] == (OTHER, [FULL])
    assert client.calls == Counter(ListParents=1, ListPoliciesForTarget=1)


def test_the_management_account_is_bound_by_none() -> None:
    assert OrganizationReader(FakeOrganization()).service_control_policies(MANAGEMENT) == NONE_BIND


def test_an_organisation_for_billing_alone_binds_nobody() -> None:
    assert OrganizationReader(FakeOrganization(feature_set="CONSOLIDATED_BILLING")).service_control_policies(
        MEMBER
    ) == {"Levels": []}


def test_where_such_policies_are_not_enabled_they_bind_nobody() -> None:
    """AWS detaches all of them then; otherwise it leaves no target without."""
    client = FakeOrganization()
    client.attached = {target: [] for target in client.attached}
    assert OrganizationReader(client).service_control_policies(MEMBER) == {"Levels": []}


@pytest.mark.parametrize("target", ["r-ab12", "ou-ab12-11111111", MEMBER])
def test_one_target_without_any_is_no_answer(target: str) -> None:
    client = FakeOrganization()
    client.attached[target] = []
    assert f"is shown for {target}" in reason_of(OrganizationReader(client).service_control_policies(MEMBER))


def test_an_account_of_no_organisation_is_bound_by_none() -> None:
    client = FakeOrganization(failing={"DescribeOrganization": refused("x", "AWSOrganizationsNotInUseException")})
    assert OrganizationReader(client).service_control_policies(MEMBER) == {"Levels": []}
    assert OrganizationReader(client, own=MEMBER).service_control_policies(MEMBER) == {"Levels": []}


def test_that_the_hub_is_in_no_organisation_says_nothing_of_others() -> None:
    client = FakeOrganization(failing={"DescribeOrganization": refused("x", "AWSOrganizationsNotInUseException")})
    told = reason_of(OrganizationReader(client, own=MANAGEMENT).service_control_policies(MEMBER))
    assert told.startswith("AWSOrganizationsNotInUseException")


OPERATIONS = ("DescribeOrganization", "ListParents", "ListPoliciesForTarget", "DescribePolicy")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (refused("x", "AccessDeniedException"), "AccessDeniedException: not now: x"),
        (refused("x", "TooManyRequestsException"), "TooManyRequestsException: not now: x"),
        (EndpointConnectionError(endpoint_url="https://organizations"), "Could not connect"),
    ],
)
def test_any_failure_is_a_gap_and_the_next_account_is_tried_anew(operation: str, error: Exception, told: str) -> None:
    client = FakeOrganization(failing={operation: error})
    reader = OrganizationReader(client)
    assert reason_of(reader.service_control_policies(MEMBER)).startswith(told)
    client.failing = {}
    assert len(shown(reader.service_control_policies(MEMBER))) == 3


def test_an_account_of_another_organisation_is_a_gap() -> None:
    told = reason_of(OrganizationReader(FakeOrganization()).service_control_policies("777788889999"))
    assert told.startswith("ChildNotFoundException")


@pytest.mark.parametrize(
    "parent",
    [("", ""), ("ou-ab12-11111111", "ORGANIZATIONAL_UNIT"), (MEMBER, "ORGANIZATIONAL_UNIT"), ("r-ab12", "")],
)
def test_a_path_that_leads_to_no_root_is_a_gap(parent: tuple[str, str]) -> None:
    client = FakeOrganization()
    client.parents["ou-ab12-11111111"] = parent
    assert "is shown" in reason_of(OrganizationReader(client).service_control_policies(MEMBER))


def test_a_policy_without_its_document_is_a_gap() -> None:
    client = FakeOrganization(documents={FULL: ADMIN, "p-guard": None})
    assert "p-guard is shown without" in reason_of(OrganizationReader(client).service_control_policies(MEMBER))


@pytest.mark.parametrize("name", ["State", "Status"])
def test_the_active_accounts_are_listed(name: str) -> None:
    states = {MANAGEMENT: "ACTIVE", MEMBER: "SUSPENDED", OTHER: "ACTIVE", "777788889999": "PENDING_CLOSURE"}
    client = FakeOrganization(accounts=[{"Id": i, "Name": f"n{i}", name: state} for i, state in states.items()])
    found = OrganizationReader(client).accounts()
    assert [(account.id, account.name) for account in found] == [(i, f"n{i}") for i in (MANAGEMENT, OTHER)]


def test_the_newer_name_of_an_accounts_state_counts() -> None:
    client = FakeOrganization(accounts=[{"Id": MEMBER, "Name": "n", "Status": "ACTIVE", "State": "CLOSED"}])
    assert OrganizationReader(client).accounts() == ()


# --- against boto3's own client --------------------------------------------------------------------------------------


@pytest.fixture
def organizations(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An emulated organisation's client."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("organizations", region_name="us-east-1")


def test_an_emulated_organisation_is_read(organizations: Any) -> None:
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="teams")["OrganizationalUnit"]["Id"]
    account = organizations.create_account(AccountName="team", Email="team@example.com")["CreateAccountStatus"][
        "AccountId"
    ]
    organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    organizations.enable_policy_type(RootId=root, PolicyType=SCP)
    guard = organizations.create_policy(Content=json.dumps(GUARD), Description="", Name="guard", Type=SCP)
    guard_id = guard["Policy"]["PolicySummary"]["Id"]
    for target in (root, unit, account):
        attached = [
            one["Id"] for one in organizations.list_policies_for_target(TargetId=target, Filter=SCP)["Policies"]
        ]
        if FULL not in attached:
            organizations.attach_policy(PolicyId=FULL, TargetId=target)
    organizations.attach_policy(PolicyId=guard_id, TargetId=unit)
    reader = OrganizationReader(organizations)
    assert shown(reader.service_control_policies(account)) == [
        (root, [FULL]),
        (unit, [FULL, guard_id]),
        (account, [FULL]),
    ]
    assert account in [one.id for one in reader.accounts()]
    assert json.dumps(reader.service_control_policies(account))


def test_an_emulated_account_of_no_organisation_is_bound_by_none(organizations: Any) -> None:
    assert OrganizationReader(organizations).service_control_policies(MEMBER) == {"Levels": []}


def test_what_aws_refuses_is_told_in_its_words(organizations: Any) -> None:
    with Stubber(organizations) as stub:
        stub.add_client_error("describe_organization", "AccessDeniedException", "You don't have permissions", 400)
        told = reason_of(OrganizationReader(organizations).service_control_policies(MEMBER))
    assert told == "AccessDeniedException: You don't have permissions"


def test_accounts_that_cannot_be_listed_are_an_error(organizations: Any) -> None:
    with Stubber(organizations) as stub:
        stub.add_client_error("list_accounts", "AccessDeniedException")
        with pytest.raises(ClientError, match="AccessDeniedException"):
            OrganizationReader(organizations).accounts()
