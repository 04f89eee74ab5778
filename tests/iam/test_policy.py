"""Policy documents: what is parsed, what is refused, and how the errors name the place."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.iam.policy import parse_policy
from chalicelib.iam.statement import Effect, PolicyError, PolicyKind

Json = Any

STATEMENT: Json = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(**changes: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": [STATEMENT, {"Sid": "Guard", **STATEMENT, **changes}]}


def without(name: str, **changes: Json) -> Json:
    found = document(**changes)
    del found["Statement"][1][name]
    return found


PLACE = 'Statement[1] ("Guard")'
PAIR = 'must be "Allow" or "Deny"'
STRINGS = "must be a string or an array of strings, not"
SCALAR = "must be a string, a number or a boolean, not"


@pytest.mark.parametrize(
    ("source", "where", "reason"),
    [
        (None, "", "must be an object, not null"),
        ([], "", "must be an object, not an array"),
        ({1: 2}, "", "holds a name that is no string"),
        ({}, "Statement", "is missing"),
        ({"Statement": [], "statement": []}, "", 'unknown element "statement"'),
        ({"Version": "2020-01-01", "Statement": []}, "Version", "must be one of 2008-10-17, 2012-10-17"),
        ({"Id": None, "Statement": []}, "Id", "must be a string, not null"),
        ({"Statement": "Allow"}, "Statement[0]", "must be an object, not a string"),
        ({"Statement": [STATEMENT, 7]}, "Statement[1]", "must be an object, not a number"),
        ({"Statement": [STATEMENT, {"Action": "*"}]}, "Statement[1].Effect", PAIR),
        (document(Comment="x"), PLACE, 'unknown element "Comment"'),
        (document(Sid=7), "Statement[1].Sid", "must be a string, not a number"),
        (document(Sid=""), None, None),
        (document(Effect="allow"), f"{PLACE}.Effect", PAIR),
        (without("Action"), PLACE, "needs Action or NotAction"),
        (document(NotAction="s3:*"), PLACE, "holds both Action and NotAction"),
        (document(Action=None), f"{PLACE}.Action", f"{STRINGS} null"),
        (document(Action=[]), f"{PLACE}.Action", "must not be empty"),
        (document(Action=["s3:*", ""]), f"{PLACE}.Action", "must not hold an empty string"),
        (document(Action=["s3:*", True]), f"{PLACE}.Action", f"{STRINGS} a boolean"),
        (document(Action="s3"), f"{PLACE}.Action", '"s3" is neither "*" nor service:action'),
        (document(Action="s*:Get"), f"{PLACE}.Action", 'the service of "s*:Get" must not hold a wildcard'),
        (document(Action="s3: Get"), f"{PLACE}.Action", '"s3: Get" is no action'),
        (without("Action", NotAction={}), f"{PLACE}.NotAction", f"{STRINGS} an object"),
        (without("Action", NotAction="s3"), f"{PLACE}.NotAction", '"s3" is neither "*" nor service:action'),
        (without("Resource"), PLACE, "needs Resource or NotResource"),
        (document(NotResource="*"), PLACE, "holds both Resource and NotResource"),
        (document(Resource=[7]), f"{PLACE}.Resource", f"{STRINGS} a number"),
        (document(Resource="ledger"), f"{PLACE}.Resource", '"ledger" is neither an ARN nor "*"'),
        (without("Resource", NotResource=[]), f"{PLACE}.NotResource", "must not be empty"),
        (document(Principal="*"), PLACE, 'unknown element "Principal"'),
        (document(Condition=[]), f"{PLACE}.Condition", "must be an object, not an array"),
        (document(Condition={"BoolEquals": {}}), f"{PLACE}.Condition", 'unknown operator "BoolEquals"'),
        (document(Condition={"Bool": "x"}), f"{PLACE}.Condition.Bool", "must be an object, not a string"),
        (document(Condition={"Bool": {"a:b": None}}), f"{PLACE}.Condition.Bool.a:b", f"{SCALAR} null"),
        (document(Condition={"Bool": {"a:b": [["x"]]}}), f"{PLACE}.Condition.Bool.a:b", f"{SCALAR} an array"),
    ],
)
def test_an_error_names_statement_and_field(source: Json, where: str | None, reason: str) -> None:
    if where is None:
        assert parse_policy(source).statements[1].place == "Statement[1]"
        return
    with pytest.raises(PolicyError) as raised:
        parse_policy(source)
    assert (raised.value.where, raised.value.reason) == (where, reason)
    assert str(raised.value) == (f"{where}: {reason}" if where else reason)


EVERYTHING_BUT = "is not allowed in a resource control policy"


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (PolicyKind.RESOURCE, {}, "Statement[0]: needs Principal or NotPrincipal"),
        (PolicyKind.RESOURCE, {"Principal": "x"}, "Statement[0].Principal: must be an object, not a string"),
        (PolicyKind.RESOURCE, {"Principal": {"aws": "*"}}, 'Statement[0].Principal: unknown element "aws"'),
        (PolicyKind.RESOURCE, {"Principal": {"AWS": []}}, "Statement[0].Principal.AWS: must not be empty"),
        (PolicyKind.RESOURCE, {"Principal": {"AWS": 7}}, f"Statement[0].Principal.AWS: {STRINGS} a number"),
        (
            PolicyKind.RESOURCE,
            {"Principal": "*", "NotPrincipal": "*"},
            "Statement[0]: holds both Principal and NotPrincipal",
        ),
        (PolicyKind.SCP, {"Principal": "*"}, 'Statement[0]: unknown element "Principal"'),
        (PolicyKind.SCP, {"NotPrincipal": "*"}, 'Statement[0]: unknown element "NotPrincipal"'),
        (
            PolicyKind.RCP,
            {"Principal": {"AWS": "1" * 12}},
            'Statement[0].Principal: must be "*" in a resource control policy',
        ),
        (PolicyKind.RCP, {"Principal": "*", "Effect": "Deny"}, f'Statement[0].Action: "*" {EVERYTHING_BUT}'),
    ],
)
def test_errors_by_kind_of_policy(kind: PolicyKind, changes: Json, message: str) -> None:
    with pytest.raises(PolicyError, match=f"^{re.escape(message)}$"):
        parse_policy({"Statement": STATEMENT | changes}, kind)


def test_long_names_are_cut_in_errors() -> None:
    long = "x" * 5_000
    sources = [
        {long: 1, "Statement": []},
        document(Sid=long, Effect="x"),
        document(Condition={long: {}}),
        document(Action=long),
        document(Resource=long),
        document(Condition={"Bool": {long: None}}),
    ]
    for source in sources:
        with pytest.raises(PolicyError) as raised:
            parse_policy(source)
        assert len(str(raised.value)) < 300


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\u2028b"])
def test_an_error_is_one_line_whatever_the_names(name: str) -> None:
    sources = [
        {name: 1, "Statement": []},
        document(Sid=name, Effect="x"),
        document(Condition={name: {}}),
        document(Action=name),
        document(Resource=name),
        document(Condition={"Bool": {name: None}}),
    ]
    for source in sources:
        with pytest.raises(PolicyError) as raised:
            parse_policy(source)
        assert len(str(raised.value).splitlines()) == 1


# --- what is parsed --------------------------------------------------------------------------------------------------


def test_a_document_as_it_is_understood() -> None:
    found = parse_policy(
        {
            "Id": "office",
            "Statement": {
                "Sid": "Guard",
                "Effect": "Deny",
                "NotAction": "IAM:List*",
                "NotResource": ["arn:aws:s3:::a", "*"],
                "Condition": {
                    "boolIfExists": {"AWS:MultiFactorAuthPresent": False},
                    "NumericLessThan": {"a:b": [1, 2.5]},
                },
            },
        }
    )
    (statement,) = found.statements
    assert (found.version, found.id, found.keys) == (
        "2008-10-17",
        "office",
        frozenset({"aws:multifactorauthpresent", "a:b"}),
    )
    assert (statement.sid, statement.index, statement.effect) == ("Guard", 0, Effect.DENY)
    assert (statement.not_action, statement.actions.entries) == (True, ("IAM:List*",))
    assert statement.resources is not None
    assert (statement.not_resource, statement.resources.entries) == (True, ("arn:aws:s3:::a", "*"))
    assert [(one.operator.name, one.name, one.key, one.values) for one in statement.conditions] == [
        ("boolIfExists", "AWS:MultiFactorAuthPresent", "aws:multifactorauthpresent", ("false",)),
        ("NumericLessThan", "a:b", "a:b", ("1", "2.5")),
    ]
    assert statement.place == 'Statement[0] ("Guard")'


def test_variables_are_among_the_keys_where_the_version_has_them() -> None:
    statement = {
        "Effect": "Allow",
        "Action": "*",
        "Resource": "arn:aws:s3:::b/${aws:UserName}/${aws:PrincipalTag/Team, 'none'}",
        "Condition": {"StringLike": {"s3:prefix": "${aws:userid}/*"}},
    }
    new = parse_policy({"Version": "2012-10-17", "Statement": statement})
    old = parse_policy({"Statement": statement})
    assert new.keys == {"aws:username", "aws:principaltag/team", "aws:userid", "s3:prefix"}
    assert old.keys == {"s3:prefix"}


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        (PolicyKind.IDENTITY, {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}),
        (PolicyKind.IDENTITY, {"Sid": "a b", "Effect": "Deny", "NotAction": ["S3:*"], "NotResource": ["arn:aws:s3"]}),
        (PolicyKind.RESOURCE, {"Effect": "Allow", "Principal": "*", "Action": ["*"]}),
        (PolicyKind.RESOURCE, {"Effect": "Deny", "NotPrincipal": {"AWS": ["x"], "Service": ["y"]}, "Action": ["*"]}),
        (
            PolicyKind.SCP,
            {
                "Effect": "Deny",
                "Action": ["*"],
                "Resource": ["*"],
                "Condition": {"Bool": {"a:b": ["false"], "A:c": ["true", "x"]}, "Null": {"a:b": ["true"]}},
            },
        ),
    ],
)  # fmt: skip
def test_a_written_statement_is_the_one_that_was_read(kind: PolicyKind, statement: Json) -> None:
    written = {"Version": "2012-10-17", "Id": "x", "Statement": [statement]}
    assert parse_policy(written, kind).to_json() == written


def test_everybody_is_written_as_a_star() -> None:
    found = parse_policy({"Statement": STATEMENT | {"Principal": {"AWS": "*"}}}, PolicyKind.RESOURCE)
    assert found.to_json()["Statement"][0]["Principal"] == "*"


def test_the_statements_about_an_action() -> None:
    found = parse_policy(
        {"Statement": [STATEMENT, STATEMENT | {"Action": "s3:*"}, without("Action", NotAction="s3:*")["Statement"][1]]}
    )
    assert [one.index for one in found.about("s3:getobject")] == [0, 1]
    assert [one.index for one in found.about("kms:decrypt")] == [0, 2]
    assert found.about("kms:decrypt") is found.about("kms:decrypt")


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.iam.policy.MOST_REMEMBERED", 3)
    found = parse_policy({"Statement": STATEMENT})
    for number in range(10):
        assert [one.index for one in found.about(f"s3:get{number}")] == [0]
    assert len(found._about) <= 3
