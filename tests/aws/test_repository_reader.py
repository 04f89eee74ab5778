"""Repositories and the policies of their keys, read through botocore's own models: pages, batches, and what fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from chalicelib.audit import judge
from chalicelib.aws.iam_reader import IamReader
from chalicelib.aws.repository_reader import BATCH, RepositoryReader
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.exports import read_exports
from chalicelib.iam.snapshot_file import parse_snapshot, snapshot_to_json
from tests.accounts.build import ADMIN, FOUND, GUARD, TAKEN, Json, Person, exports, key_arn, repository_arn, verdict
from tests.aws.fake_iam import FakeIam
from tests.controls.cases.keys import FORM_A
from tests.controls.cases.repositories import FOREIGN, MANAGED, NOBODY, OF_THE_ACCOUNT, ONE, OWN_KEYS_DENIED

KEY = key_arn("1234abcd-12ab-34cd-56ef-1234567890ab")
DENIED = "AccessDeniedException"
Step = Callable[[Stubber, Stubber], None]
"""What CodeCommit or KMS is asked next in a region, and answers."""


def listing(*names: str, after: str = "", more: str = "") -> Step:
    """A page of ListRepositories."""
    answer = {"repositories": [{"repositoryName": name, "repositoryId": name} for name in names]}
    asked = {"nextToken": after} if after else {}
    return lambda codecommit, _: codecommit.add_response(
        "list_repositories", answer | ({"nextToken": more} if more else {}), asked
    )


def metadata(keys: dict[str, str | None], region: str = "eu-west-1", failed: Sequence[str] = ()) -> Step:
    """BatchGetRepositories about these, some of which fail."""
    answer: Json = {
        "repositories": [
            {"Arn": repository_arn(name, region), "repositoryName": name, "repositoryDescription": "ours"}
            | ({"kmsKeyId": key} if key else {})
            for name, key in keys.items()
        ],
        "errors": [{"repositoryName": name, "errorCode": "EncryptionKeyDisabledException"} for name in failed],
    }
    names = [*keys, *failed]
    return lambda codecommit, _: codecommit.add_response("batch_get_repositories", answer, {"repositoryNames": names})


def policy(key: str, body: Json) -> Step:
    """GetKeyPolicy."""
    answer, asked = {"Policy": json.dumps(body), "PolicyName": "default"}, {"KeyId": key, "PolicyName": "default"}
    return lambda _, kms: kms.add_response("get_key_policy", answer, asked)


def refused(operation: str, code: str = DENIED) -> Step:
    """An operation that AWS refuses."""

    def step(codecommit: Stubber, kms: Stubber) -> None:
        (kms if operation == "get_key_policy" else codecommit).add_client_error(operation, code, "not you")

    return step


@contextmanager
def reader(steps: dict[str, Sequence[Step]]) -> Iterator[RepositoryReader]:
    """A reader of these regions; each is asked for just these calls."""
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    clients: dict[str, tuple[Any, Any]] = {}
    with ExitStack() as stack:
        stubbers: list[Stubber] = []
        for region, calls in steps.items():
            codecommit, kms = (session.client(name, region_name=region) for name in ("codecommit", "kms"))
            clients[region] = codecommit, kms
            pair = [stack.enter_context(Stubber(client)) for client in (codecommit, kms)]
            for step in calls:
                step(*pair)
            stubbers += pair
        yield RepositoryReader(lambda region: clients[region], list(steps))
        for stubber in stubbers:
            stubber.assert_no_pending_responses()


def answer_of(*steps: Step) -> tuple[Any, dict[str, str]]:
    """What is read of one region, and the gaps, subject → reason."""
    with reader({"eu-west-1": steps}) as found:
        answer, gaps = found.read()
    assert {gap.read for gap in gaps} <= {Read.REPOSITORY_KEYS}
    return answer, {gap.subject: gap.reason for gap in gaps}


def test_repositories_come_by_pages_and_each_key_is_asked_for_once() -> None:
    answer, gaps = answer_of(
        listing("a", "b", more="next"),
        listing("c", "d", after="next"),
        metadata({"a": KEY, "b": None, "c": KEY, "d": FOREIGN}),
        policy(KEY, NOBODY),
        policy(FOREIGN, MANAGED),
    )
    assert gaps == {}
    assert answer == {
        "Regions": ["eu-west-1"],
        "Repositories": [
            {"Arn": repository_arn("a"), "repositoryName": "a", "kmsKeyId": KEY},
            {"Arn": repository_arn("b"), "repositoryName": "b"},
            {"Arn": repository_arn("c"), "repositoryName": "c", "kmsKeyId": KEY},
            {"Arn": repository_arn("d"), "repositoryName": "d", "kmsKeyId": FOREIGN},
        ],
        "KeyPolicies": {KEY: json.dumps(NOBODY), FOREIGN: json.dumps(MANAGED)},
    }


def test_a_region_without_repositories_was_read() -> None:
    assert answer_of(listing()) == ({"Regions": ["eu-west-1"], "Repositories": [], "KeyPolicies": {}}, {})


def test_metadata_comes_by_batches() -> None:
    names = [f"r{number}" for number in range(2 * BATCH + 1)]
    batches = [names[:BATCH], names[BATCH : 2 * BATCH], names[2 * BATCH :]]
    answer, gaps = answer_of(listing(*names), *(metadata(dict.fromkeys(batch)) for batch in batches))
    assert [one["repositoryName"] for one in answer["Repositories"]] == names
    assert gaps == {}


def test_an_id_alone_is_asked_about_by_its_arn_and_an_alias_not_at_all() -> None:
    answer, gaps = answer_of(
        listing("a", "b"), metadata({"a": KEY.rpartition("/")[2], "b": "alias/ours"}), policy(KEY, NOBODY)
    )
    assert list(answer["KeyPolicies"]) == [KEY]
    assert gaps == {}


@pytest.mark.parametrize("code", [DENIED, "ThrottlingException"])
def test_a_region_that_cannot_be_listed_is_a_gap(code: str) -> None:
    answer, gaps = answer_of(refused("list_repositories", code))
    assert answer == {"Regions": [], "Repositories": [], "KeyPolicies": {}}
    assert gaps == {"eu-west-1": f"{code}: not you"}


def test_what_came_before_a_failing_page_is_kept_and_the_region_not_whole() -> None:
    answer, gaps = answer_of(
        listing("a", more="next"), refused("list_repositories"), metadata({"a": KEY}), policy(KEY, NOBODY)
    )
    assert (answer["Regions"], len(answer["Repositories"]), list(answer["KeyPolicies"])) == ([], 1, [KEY])
    assert list(gaps) == ["eu-west-1"]


def test_a_batch_that_fails_is_a_gap() -> None:
    answer, gaps = answer_of(listing("a", "b"), refused("batch_get_repositories"))
    assert (answer["Regions"], answer["Repositories"]) == ([], [])
    assert gaps == {"eu-west-1": f"{DENIED}: not you"}


@pytest.mark.parametrize("code", ["EncryptionKeyAccessDeniedException", "MaximumRepositoryNamesExceededException"])
def test_one_repository_that_fails_does_not_hide_the_others(code: str) -> None:
    answer, gaps = answer_of(
        listing("a", "b", "c"),
        refused("batch_get_repositories", code),
        metadata({"a": None}),
        refused("batch_get_repositories", code),
        refused("batch_get_repositories", code),
        metadata({"c": None}),
    )
    assert [one["repositoryName"] for one in answer["Repositories"]] == ["a", "c"]
    assert (answer["Regions"], gaps) == ([], {"eu-west-1": f"{code}: not you"})


def test_a_repository_that_the_answer_names_as_failed_is_a_gap() -> None:
    answer, gaps = answer_of(listing("a", "b"), metadata({"a": None}, failed=["b"]))
    assert (answer["Regions"], gaps) == ([], {"eu-west-1": "EncryptionKeyDisabledException: b"})


def test_a_key_whose_policy_is_refused_is_a_gap_and_the_next_is_read() -> None:
    answer, gaps = answer_of(
        listing("a", "b"), metadata({"a": FOREIGN, "b": KEY}), refused("get_key_policy"), policy(KEY, NOBODY)
    )
    assert answer["Regions"] == ["eu-west-1"]
    assert list(answer["KeyPolicies"]) == [KEY]
    assert gaps == {FOREIGN: f"{DENIED}: not you"}


def test_each_region_is_read_whatever_becomes_of_another() -> None:
    steps: dict[str, Sequence[Step]] = {
        "eu-west-1": [refused("list_repositories")],
        "us-east-1": [listing("a"), metadata({"a": None}, "us-east-1")],
    }
    with reader(steps) as found:
        answer, gaps = found.read()
    assert answer is not None
    assert answer["Regions"] == ["us-east-1"]
    assert [gap.subject for gap in gaps] == ["eu-west-1"]


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url="https://nowhere"), ValueError("no such region")]
)
def test_a_region_without_clients_is_a_gap(error: Exception) -> None:
    def clients(region: str) -> tuple[Any, Any]:
        raise error

    answer, gaps = RepositoryReader(clients, ["mars-east-1"]).read()
    assert answer == {"Regions": [], "Repositories": [], "KeyPolicies": {}}
    assert [(gap.subject, gap.reason) for gap in gaps] == [("mars-east-1", str(error))]


def test_no_region_is_a_gap() -> None:
    answer, [gap] = RepositoryReader(lambda _: (None, None), []).read()
    assert answer is None
    assert gap == Gap(Read.REPOSITORY_KEYS, "", "no region: neither the settings nor the session names one")


# --- together with the account ---------------------------------------------------------------------------------------


def live(person: Person, *steps: Step) -> Any:
    """The answers of a live account with this person, and whose region answers so."""
    with reader({"eu-west-1": steps}) as found:
        return IamReader(FakeIam(exports(person)), lambda: TAKEN, lambda _: None, repositories=found).read_account()


@pytest.mark.parametrize(
    "person",
    [
        pytest.param(Person(inline=[ADMIN, GUARD]), id="the deny spares nothing"),
        pytest.param(Person(inline=[FORM_A]), id="nobody allowed Git"),
    ],
)
def test_where_git_is_closed_nobody_asks_and_nothing_is_missing(person: Person) -> None:
    found, taken = live(person)
    assert found.repository_keys is None
    assert Read.REPOSITORY_KEYS not in {gap.read for gap in judge(read_exports(found, taken)).gaps}


@pytest.mark.parametrize(("body", "control"), [(MANAGED, "codecommit-exemption"), (NOBODY, "git-blocked-by-kms")])
def test_where_git_is_open_the_key_decides(body: Json, control: str) -> None:
    found, taken = live(ONE, listing("app"), metadata({"app": KEY}), policy(KEY, body))
    result = judge(read_exports(found, taken))
    assert verdict(result, control, "alice") == FOUND
    assert [gap.read for gap in result.gaps] == [Read.SERVICE_CONTROL_POLICIES]
    assert judge(read_exports(*parse_snapshot(snapshot_to_json(found, taken)))) == result


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        pytest.param([refused("list_repositories")], "not evaluated", id="the list"),
        pytest.param([listing("app"), refused("batch_get_repositories")], "not evaluated", id="the metadata"),
        pytest.param([listing("app"), metadata({"app": FOREIGN}), refused("get_key_policy")], FOUND, id="the policy"),
    ],
)
def test_a_failed_call_loses_no_finding(steps: Sequence[Step], wanted: str) -> None:
    """Git works by a key that could not be read: the finding it would make is not evaluated, or told as uncertain."""
    whole = [listing("app"), metadata({"app": FOREIGN}), policy(FOREIGN, OF_THE_ACCOUNT)]
    for calls, expected in ((whole, FOUND), (steps, wanted)):
        result = judge(read_exports(*live(OWN_KEYS_DENIED, *calls)))
        assert verdict(result, "codecommit-exemption", "alice") == expected
    found = [finding for finding in result.findings if finding.control == "codecommit-exemption"]
    assert all(finding.uncertain for finding in found)
    assert any(gap.reason == f"{DENIED}: not you" for gap in result.gaps)
