"""mfawatch explain: one decision with its proof, as text and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chalicelib.findings import Finding
from tests.accounts import DEMO
from tests.accounts.build import (
    ACCOUNT,
    ADMIN,
    Person,
    allow,
    audit_of,
    deny,
    deny_all_but,
    document,
    exports,
    repositories,
    swap,
)
from tests.cli.conftest import Run, demo_options, write_exports

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
REPOSITORY = f"arn:aws:codecommit:eu-west-1:{ACCOUNT}:parts"
VIA = {"StringEquals": {"kms:ViaService": "codecommit.eu-west-1.amazonaws.com"}}
ALICE = exports(
    Person(
        inline=[
            ADMIN,
            document(deny_all_but("codecommit:GitPull", "kms:*", "sts:GetSessionToken")),
            document(deny("kms:*", when={"StringNotEquals": VIA["StringEquals"]})),
        ],
        tags={"team": "red"},
    ),
    Person("bob", inline=[document(allow("s3:GetObject", when={"StringEquals": {"aws:RequestTag/t": ["a", "b"]}}))]),
    Person("stig", inline=["{", ADMIN]),
)


@pytest.fixture
def explain(run: Run, tmp_path: Path) -> Any:
    """Runs explain on the account, for alice unless a test says otherwise."""
    options = write_exports(ALICE, tmp_path)

    def ask(*arguments: str, user: str = "alice") -> Any:
        return run("explain", *options, "--user", user, *arguments)

    return ask


@pytest.mark.parametrize(
    ("arguments", "decision"),
    [
        (("s3:GetObject", "arn:aws:s3:::b/o"), "ExplicitlyDenied"),
        (("s3:GetObject", "arn:aws:s3:::b/o", "--mfa", "absent"), "ExplicitlyDenied"),
        (("s3:GetObject", "arn:aws:s3:::b/o", "--mfa", "false"), "ExplicitlyDenied"),
        (("s3:GetObject", "arn:aws:s3:::b/o", "--mfa", "true"), "Allowed"),
        (("codecommit:GitPull", REPOSITORY), "Allowed"),
        (("CodeCommit:gitpull", REPOSITORY), "Allowed"),
        (("codecommit:GitPush", REPOSITORY), "ExplicitlyDenied"),
        (("kms:Decrypt", KEY), "ExplicitlyDenied"),
        (("kms:Decrypt", KEY, "--via", "codecommit"), "Allowed"),
        (("kms:Decrypt", KEY, "--via", "codecommit.eu-west-1.amazonaws.com"), "Allowed"),
        (("kms:Decrypt", KEY, "--via", "s3"), "ExplicitlyDenied"),
        (("kms:Decrypt", KEY, "--context", "kms:ViaService=codecommit.eu-west-1.amazonaws.com"), "Allowed"),
        (("s3:GetObject", "*", "--context", "aws:MultiFactorAuthPresent=true"), "Allowed"),
        (("s3:GetObject", "*", "--context", "AWS:multifactorauthpresent=true"), "Allowed"),
    ],
)
def test_decides(arguments: tuple[str, ...], decision: str, explain: Any) -> None:
    action, resource, *rest = arguments
    text = explain("--action", action, "--resource", resource, *rest)
    told = explain("--action", action, "--resource", resource, *rest, "--format", "json")
    assert (text.code, told.code) == (0, 0)
    assert text.out.startswith(f"{decision}: arn:aws:iam::{ACCOUNT}:user/alice")
    assert told.json["decision"] == decision


def test_text_names_the_statements_that_decided(explain: Any) -> None:
    out = explain("--action", "s3:GetObject", "--resource", "arn:aws:s3:::b/o").out
    assert 'Deny by identity policy inline policy "inline-1" of user alice Statement[0]' in out
    assert "aws:MultiFactorAuthPresent: absent" in out


def test_text_names_what_a_statement_lacks_to_apply(explain: Any) -> None:
    out = explain("--action", "s3:GetObject", "--resource", "arn:aws:s3:::b/o", user="bob").out
    assert out.startswith("ImplicitlyDenied")
    assert "StringEquals aws:RequestTag/t a or b: the request lacks the key" in out
    out = explain("--action", "s3:GetObject", "--context", "aws:RequestTag/t=c", user="bob").out
    assert "the request has c" in out


def test_json_names_the_same(explain: Any) -> None:
    told = explain("--action", "s3:GetObject", "--format", "json", user="bob").json
    [miss] = told["nearMisses"]
    assert miss["conditions"] == [
        {"operator": "StringEquals", "key": "aws:RequestTag/t", "values": ["a", "b"], "keyMissing": True}
    ]


def test_a_request_carries_the_callers_keys(explain: Any) -> None:
    context = explain("--action", "s3:GetObject", "--format", "json").json["context"]
    assert context["aws:username"] == "alice"
    assert context["aws:principaltag/team"] == "red"
    assert context["aws:viaawsservice"] == "false"


def test_a_service_acts_with_the_mfa_key_false(explain: Any) -> None:
    context = explain("--action", "kms:Decrypt", "--resource", KEY, "--via", "s3", "--format", "json").json["context"]
    assert context["aws:multifactorauthpresent"] == "false"
    assert context["aws:viaawsservice"] == "true"
    assert context["kms:viaservice"] == "s3.eu-west-1.amazonaws.com"


def test_a_key_given_twice_has_two_values(explain: Any) -> None:
    told = explain(
        "--action", "s3:GetObject", "--format", "json", "--context", "aws:TagKeys=a", "--context", "aws:TagKeys=b=c"
    ).json
    assert told["context"]["aws:tagkeys"] == ["a", "b=c"]


def test_a_key_that_the_action_never_carries_is_noted(explain: Any) -> None:
    out = explain("--action", "codecommit:GitPull", "--resource", REPOSITORY, "--context", "kms:ViaService=x").out
    assert "note: kms:ViaService" in out


def test_what_is_in_doubt_is_told(explain: Any) -> None:
    assert "uncertain" in explain("--action", "s3:GetObject", user="stig").out
    assert explain("--action", "s3:GetObject", "--format", "json", user="stig").json["uncertain"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--user", "nobody", "--action", "s3:GetObject"), "nobody"),
        (("--user", "alice", "--action", "s3:*"), "s3:*"),
        (("--user", "alice", "--action", "GetObject"), "GetObject"),
        (("--user", "alice", "--action", ""), "action"),
        (("--user", "alice", "--action", "s3:GetObject", "--mfa", "maybe"), "--mfa"),
        (("--user", "alice", "--action", "s3:GetObject", "--context", "novalue"), "KEY=VALUE"),
        (("--user", "alice", "--action", "s3:GetObject", "--context", "=x"), "KEY=VALUE"),
        (("--user", "alice"), "--action"),
        (("--action", "s3:GetObject"), "--user"),
        (("--user", "\x1b[31m\n\u202e", "--action", "s3:GetObject"), "no user"),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], told: str, run: Run, tmp_path: Path) -> None:
    run("explain", *write_exports(ALICE, tmp_path), *arguments).assert_refused("mfawatch explain", told)


def replay(run: Run, options: list[str], finding: Finding) -> str:
    """What explain decides on a finding's witness."""
    witness = finding.witness
    assert witness is not None
    context = [part for key, value in witness.context.items() for part in ("--context", f"{key}={value}")]
    told = run(
        "explain", *options, "--user", witness.principal, "--action", witness.action, "--resource", witness.resource,
        "--mfa", str(witness.mfa), *context, "--format", "json",
    )  # fmt: skip
    return str(told.json["decision"])


def test_whoever_doubts_a_finding_can_replay_its_witness(run: Run, tmp_path: Path) -> None:
    person = Person(inline=[ADMIN, document(deny_all_but("s3:*"))])
    [finding] = [f for f in audit_of(person).findings if f.witness]
    assert replay(run, write_exports(exports(person), tmp_path), finding) == "Allowed"


def test_the_example_accounts_witnesses_replay(run: Run) -> None:
    told = run("audit", *demo_options(DEMO), "--format", "json").json
    options = demo_options(DEMO)
    for finding in [f for f in told["findings"] if f["witness"]][:3]:
        witness = finding["witness"]
        context = [part for key, value in witness["context"].items() for part in ("--context", f"{key}={value}")]
        result = run(
            "explain", *options, "--user", finding["user"], "--action", witness["action"],
            "--resource", witness["resource"], "--mfa", witness["mfa"], *context,
        )  # fmt: skip
        assert result.out.startswith("Allowed")


def test_a_key_whose_policy_was_read_is_decided_by_it(run: Run, tmp_path: Path) -> None:
    policy = document({**allow("kms:*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/keeper"}})
    options = write_exports(swap(ALICE, repository_keys=repositories({"parts": KEY}, {KEY: policy})), tmp_path)
    ask = ("explain", *options, "--user", "alice", "--action", "kms:Decrypt", "--resource", KEY, "--via", "codecommit")
    out = run(*ask).out
    assert out.startswith("ImplicitlyDenied: ")
    assert "the key policy does not allow it" in out
    assert "was not read" not in out
