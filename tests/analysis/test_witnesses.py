"""A finding's witness is a request that the engine, asked on its own, allows without MFA."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from chalicelib.analysis.decide import decide_for_user
from chalicelib.audit import judge
from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.exports import read_exports
from chalicelib.iam.request import MfaState
from tests.accounts import DEMO, SEEDS, load_exports
from tests.accounts.build import TAKEN, Person, allow, document, read
from tests.analysis.accounts import ALL, Case
from tests.controls.cases import CASES
from tests.controls.cases import Case as ControlCase

STORED = [DEMO, *sorted(path for path in SEEDS.iterdir() if path.is_dir())]


def assert_replays(snapshot: AccountSnapshot, finding: Finding) -> None:
    """The witness is allowed, or may be where the finding says that it is not sure."""
    witness = finding.witness
    assert witness is not None
    assert witness.mfa is not MfaState.TRUE
    user = snapshot.user_named(witness.principal)
    assert user is not None
    assert user.name == finding.user
    decided = decide_for_user(
        snapshot, user, witness.action, witness.resource, witness.mfa, context=witness.context
    ).decision
    assert decided.may_be_allowed if finding.uncertain else decided.allowed, witness


def witnessed(snapshot: AccountSnapshot) -> list[Finding]:
    """The findings with a witness."""
    return [finding for finding in judge(snapshot).findings if finding.witness]


@pytest.mark.parametrize("folder", STORED, ids=lambda folder: folder.name)
def test_replays_in_a_stored_account(folder: object) -> None:
    snapshot = read_exports(load_exports(folder), TAKEN)  # type: ignore[arg-type]
    for finding in witnessed(snapshot):
        assert_replays(snapshot, finding)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_replays_in_a_small_account(case: Case) -> None:
    snapshot = read(case.person, **case.traits)
    for finding in witnessed(snapshot):
        assert_replays(snapshot, finding)


@pytest.mark.parametrize("case", [c for c in CASES if c.severity], ids=lambda case: f"{case.control}: {case.name}")
def test_replays_for_every_control(case: ControlCase) -> None:
    snapshot = read(case.person, **case.traits)
    for finding in witnessed(snapshot):
        assert_replays(snapshot, finding)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_the_mfa_keys_are_told_apart_from_the_other_conditions(case: Case) -> None:
    """They are the witness's MFA state; a value among its conditions would override it."""
    for finding in witnessed(read(case.person, **case.traits)):
        assert finding.witness is not None
        assert not {key.lower() for key in finding.witness.context} & {
            "aws:multifactorauthpresent",
            "aws:multifactorauthage",
        }


@pytest.mark.parametrize(
    ("action", "on"),
    [
        ("dynamodb:PutItem", "arn:aws:dynamodb:*:999988887777:table/*"),
        ("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:999988887777:function:*"),
        ("s3:PutObject", "arn:aws:s3:::home/alice/*"),
        ("iam:AttachUserPolicy", "arn:aws:iam::111122223333:user/ops/*"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:*:secret:db-*"),
    ],
)
def test_a_witness_is_made_on_a_resource_that_can_exist(action: str, on: str) -> None:
    """No name holds another ARN's colons: what is allowed in another account is not allowed here under a mad name."""
    for finding in witnessed(read(Person(inline=[document(allow(action, on=on))]))):
        assert finding.witness is not None
        assert fnmatchcase(finding.witness.resource, on)
        account, name = finding.witness.resource.split(":", 5)[4:]
        assert account in ("", on.split(":")[4], "111122223333")
        assert "::" not in name
        assert "999988887777" not in name
