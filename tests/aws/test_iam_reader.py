"""The live account: few calls, the same verdicts as by all answers, and no verdict on what could not be read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chalicelib.audit import Audit, judge
from chalicelib.aws.iam_reader import REPORT_CHECKS, IamReader
from chalicelib.aws.organization import OrganizationReader
from chalicelib.aws.repository_reader import RepositoryReader
from chalicelib.iam.account import Read
from chalicelib.iam.exports import Exports, read_exports
from chalicelib.iam.snapshot_file import parse_snapshot, snapshot_to_json
from chalicelib.local.example import read_example
from tests.accounts import DEMO, load_exports
from tests.accounts.build import (
    ADMIN,
    FINE,
    FOUND,
    GUARD,
    NOT_EVALUATED,
    TAKEN,
    Person,
    deny_all_but,
    document,
    exports,
    key_arn,
    repository_arn,
    swap,
    verdict,
)
from tests.aws.fake_iam import FakeIam, refused
from tests.aws.fake_organization import FakeOrganization

NO_KEYS = ("false", "false")
FORM_A = document(
    deny_all_but(
        "codecommit:GitPull",
        "codecommit:GitPush",
        when={
            "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"},
            "StringNotLike": {"kms:ViaService": "codecommit.*.amazonaws.com"},
        },
    )
)
PEOPLE = [
    Person("fine", inline=[ADMIN, GUARD]),
    Person("open", inline=[ADMIN]),
    Person("git", inline=[ADMIN, FORM_A], keys=NO_KEYS, ssh_keys=["Active"], mfa="false", virtual=False, devices=0),
    Person("key", inline=[ADMIN, FORM_A], ssh_keys=["Active"]),
    Person("bare", inline=[ADMIN, GUARD], mfa="false", virtual=False, devices=0),
    Person("token", inline=[ADMIN, GUARD], mfa="false", virtual=False, devices=1),
    Person("credential", inline=[ADMIN, GUARD], keys=NO_KEYS, git_credentials=["Active"], mfa="false", virtual=False),
    Person("idle", inline=[ADMIN], keys=NO_KEYS, mfa="false", virtual=False),
    Person("broken", inline=["{"]),
]
OPERATIONS = (
    "GetAccountAuthorizationDetails",
    "ListVirtualMFADevices",
    "ListServiceSpecificCredentials",
    "GetCredentialReport",
    "GenerateCredentialReport",
    "ListMFADevices",
    "ListSSHPublicKeys",
)


def reader(iam: FakeIam) -> IamReader:
    """A reader that does not wait."""
    return IamReader(iam, now=lambda: TAKEN, pause=lambda _: None)


def audit_live(iam: FakeIam) -> Audit:
    """The audit of what is read."""
    return judge(read_exports(*reader(iam).read_account()))


def whole(answers: Exports) -> Audit:
    """The audit by every answer there is."""
    return judge(read_exports(answers, TAKEN))


def told(result: Audit) -> set[tuple[str | None, str, str]]:
    """Who is accused of what, and how gravely."""
    return {(finding.user, finding.control, str(finding.severity)) for finding in result.findings}


@pytest.mark.parametrize("page", [1000, 3, 1])
def test_the_live_account_is_judged_as_its_answers_are(page: int) -> None:
    answers = exports(*PEOPLE)
    live = audit_live(FakeIam(answers, page=page))
    assert told(live) == told(whole(answers))
    assert {gap.read for gap in live.gaps} == {Read.SERVICE_CONTROL_POLICIES, Read.REPOSITORY_KEYS}


def test_the_example_account_is_judged_as_its_answers_are() -> None:
    assert told(audit_live(FakeIam(load_exports(DEMO)))) == told(judge(read_example()))


def test_users_who_are_fine_cost_nothing() -> None:
    few, many = (FakeIam(exports(*(Person(f"u{i}", inline=[ADMIN, GUARD]) for i in range(n)))) for n in (5, 400))
    for iam in (few, many):
        audit_live(iam)
    assert few.calls == many.calls
    assert sum(many.calls.values()) <= 8


def test_single_users_are_asked_only_where_a_verdict_hangs_on_them() -> None:
    iam = FakeIam(exports(*PEOPLE))
    audit_live(iam)
    asked = {"bare", "token", "git", "credential", "idle"}
    assert iam.calls["ListMFADevices"] == len(asked)
    # Git is open to them, or their policies are not known, or an SSH key may be all they have.
    assert iam.calls["ListSSHPublicKeys"] == len({"open", "git", "key", "idle", "broken"})


def test_a_report_of_an_hour_ago_does_not_accuse_who_enrolled_since() -> None:
    answers = exports(Person(inline=[ADMIN, GUARD], mfa="false", virtual=False, devices=1))
    assert verdict(audit_live(FakeIam(answers)), "user-without-mfa", "alice") == "fine"


def test_what_was_confirmed_is_certain() -> None:
    answers = exports(Person(inline=[ADMIN, GUARD], mfa="false", virtual=False))
    [finding] = [f for f in audit_live(FakeIam(answers)).findings if f.control == "user-without-mfa"]
    assert not finding.uncertain


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling"])
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("after", [0, 1])
def test_a_failed_call_loses_no_finding(operation: str, code: str, after: int) -> None:
    """What the whole account shows is, with a call that fails, shown still or not evaluated, and the gap is told."""
    answers = exports(*PEOPLE)
    iam = FakeIam(answers, page=4, failing={operation: code}, after=after)
    live = audit_live(iam)
    for finding in whole(answers).findings:
        assert verdict(live, finding.control, finding.user or "") in (FOUND, NOT_EVALUATED), finding
    failed = operation != "GenerateCredentialReport" and (after == 0 or iam.calls[operation] > 1)
    paged = operation.startswith(("GetAccount", "ListVirtual"))
    if failed and (after == 0 or paged):
        assert any(code in gap.reason for gap in live.gaps)


def test_a_report_that_is_never_made_is_a_gap_and_the_wait_is_bounded() -> None:
    waits: list[float] = []
    iam = FakeIam(exports(*PEOPLE), pending=10_000)
    found, taken = IamReader(iam, now=lambda: TAKEN, pause=waits.append).read_account()
    assert iam.calls["GetCredentialReport"] == REPORT_CHECKS
    assert len(waits) == REPORT_CHECKS - 1
    assert Read.CREDENTIAL_REPORT in {gap.read for gap in read_exports(found, taken).gaps}


def test_nothing_readable_says_why() -> None:
    iam = FakeIam(exports(*PEOPLE), failing=dict.fromkeys(OPERATIONS, "AccessDenied"))
    found, _ = reader(iam).read_account()
    assert found.authorization_details is None
    assert {"AccessDenied" in gap.reason for gap in found.gaps} == {True}


def test_a_snapshot_of_the_live_account_is_judged_as_the_account() -> None:
    found, taken = reader(FakeIam(exports(*PEOPLE))).read_account()
    again, moment = parse_snapshot(snapshot_to_json(found, taken))
    assert moment == taken
    assert judge(read_exports(again, moment)) == judge(read_exports(found, taken))


@pytest.mark.parametrize("value", ["ssh-public-keys", ["nothing"], [7], {}])
def test_a_snapshot_says_which_answers_were_asked_for_as_needed(value: Any) -> None:
    found, taken = reader(FakeIam(exports(*PEOPLE))).read_account()
    with pytest.raises(ValueError, match="as_needed"):
        parse_snapshot(snapshot_to_json(found, taken) | {"as_needed": value})


def names(result: Audit, control: str) -> Sequence[str | None]:
    """The users whom a control accuses."""
    return [finding.user for finding in result.findings if finding.control == control]


def test_nobody_is_named_for_a_key_that_nobody_needed_to_ask_about() -> None:
    """A user with a device and no credential but perhaps an SSH key, to whom Git is closed, is as good as gone."""
    live = audit_live(FakeIam(exports(Person(inline=[GUARD, "{"], keys=NO_KEYS, ssh_keys=[]))))
    assert names(live, "policy-not-evaluable") == []


def test_five_hundred_users_of_whom_ten_use_git_cost_a_call_for_each_of_those() -> None:
    fine = [Person(f"u{i:03}", inline=[ADMIN, GUARD]) for i in range(490)]
    with_git = [Person(f"g{i}", inline=[ADMIN, FORM_A], ssh_keys=["Active"]) for i in range(10)]
    iam = FakeIam(exports(*fine, *with_git))
    audit_live(iam)
    assert sum(iam.calls.values()) <= 20 + len(with_git)


# --- the organisation ------------------------------------------------------------------------------------------------


def read_below(client: FakeOrganization, iam: FakeIam) -> tuple[Exports, Audit]:
    """What is read of an account and of the organisation above it, and its audit."""
    organization = OrganizationReader(client).service_control_policies
    found, taken = IamReader(iam, now=lambda: TAKEN, pause=lambda _: None, organization=organization).read_account()
    return found, judge(read_exports(found, taken))


def test_policies_of_the_organisation_are_read_with_the_account() -> None:
    answers, client = exports(*PEOPLE), FakeOrganization()
    found, live = read_below(client, FakeIam(answers))
    assert told(live) == told(whole(swap(answers, service_control_policies=found.service_control_policies)))
    assert verdict(whole(answers), "mfa-not-enforced", "open") == FOUND
    assert verdict(live, "mfa-not-enforced", "open") == FINE
    assert not live.gaps


def test_an_account_of_an_organisation_costs_few_calls_too() -> None:
    client, iam = FakeOrganization(), FakeIam(exports(*(Person(f"u{i}", inline=[ADMIN, GUARD]) for i in range(50))))
    client.parents["ou-ab12-11111111"] = ("ou-ab12-22222222", "ORGANIZATIONAL_UNIT")
    client.parents["ou-ab12-22222222"] = ("r-ab12", "ROOT")
    client.attached["ou-ab12-22222222"] = client.attached["r-ab12"]
    read_below(client, iam)
    assert client.calls.total() + iam.calls.total() <= 20


def test_an_ssh_key_is_not_asked_for_where_the_organisation_closes_git() -> None:
    open_to_git = [Person("git", inline=[ADMIN, FORM_A], ssh_keys=["Active"])]
    iam = FakeIam(exports(*open_to_git))
    read_below(FakeOrganization(), iam)
    assert iam.calls["ListSSHPublicKeys"] == 0


@pytest.mark.parametrize(
    "operation", ["DescribeOrganization", "ListParents", "ListPoliciesForTarget", "DescribePolicy"]
)
def test_an_organisation_that_cannot_be_read_is_a_gap_and_accuses_as_before(operation: str) -> None:
    answers = exports(*PEOPLE)
    client = FakeOrganization(failing={operation: refused(operation, "AccessDeniedException")})
    found, live = read_below(client, FakeIam(answers))
    assert found.service_control_policies is None
    assert told(live) == told(whole(answers))
    assert {(gap.read, gap.reason) for gap in live.gaps} == {
        (Read.SERVICE_CONTROL_POLICIES, f"AccessDeniedException: not now: {operation}"),
        (Read.REPOSITORY_KEYS, "not read"),
    }


def test_nobody_asks_an_organisation_about_an_account_that_is_not_known() -> None:
    client = FakeOrganization()
    found, _ = read_below(client, FakeIam(exports(*PEOPLE), failing={"GetAccountAuthorizationDetails": "AccessDenied"}))
    assert found.service_control_policies is None
    assert not client.calls


def test_the_readme_names_the_permissions_that_reading_takes() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    [block] = [b for b in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if "GetAccountAuthorizationDetails" in b]
    own, above, optional = json.loads(block)["Statement"]
    iam, client = FakeIam(exports(*PEOPLE)), FakeOrganization()
    read_below(client, FakeIam(exports(*PEOPLE)))
    assert {f"organizations:{operation}" for operation in client.calls} == set(above["Action"])
    regional = FakeRegion()
    repositories = RepositoryReader(lambda _: (regional.client("codecommit"), regional.client("kms")), ["eu-west-1"])
    IamReader(iam, lambda: TAKEN, lambda _: None, repositories=repositories).read_account()
    assert {f"iam:{operation}" for operation in iam.calls} == set(own["Action"])
    assert set(regional.asked) == set(optional["Action"])


class FakeRegion:
    """One repository with a key of its own, and the permissions of the calls that ask about it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def client(self, service: str) -> Any:
        """A client of a service, of which every method answers alike."""
        region = self

        class Client:
            """Notes what it is asked."""

            def __getattr__(self, method: str) -> Any:
                def call(**_: Any) -> Any:
                    region.asked.append(f"{service}:{''.join(part.capitalize() for part in method.split('_'))}")
                    one = {"repositoryName": "app", "Arn": repository_arn("app"), "kmsKeyId": key_arn("one")}
                    return {"repositories": [one], "Policy": "{}"}

                return call

        return Client()
