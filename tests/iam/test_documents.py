"""JSON texts read without trust."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest

from chalicelib.iam.documents import Ambiguous, JsonError, kind_of, name_twice, parse_document, parse_json
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.statement import PolicyError

DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Sid": "100%"}]}
TEXT = json.dumps(DOCUMENT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-0.5", -0.5),
        ('"x"', "x"),
        ("null", None),
        ("[true, false]", [True, False]),
        (' \n{"a": {}}\t', {"a": {}}),
        ('\ufeff{"a": 1}', {"a": 1}),
        (r'"\u0041\ud83d\ude00"', "A😀"),
        (r'"\ud800"', "\ud800"),
    ],
)
def test_json_is_read(text: str, value: object) -> None:
    assert parse_json(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 column 1: Expecting value"),
        ("{", "line 1 column 2: Expecting property name enclosed in double quotes"),
        ('{"a": 1,\n "b" 2}', "line 2 column 6: Expecting ':' delimiter"),
        ('{"a": 1} {"b": 2}', "line 1 column 10: Extra data"),
        ('{"a": "x', "line 1 column 7: Unterminated string starting at"),
        ("{'a': 1}", "line 1 column 2: Expecting property name enclosed in double quotes"),
        ('"a\tb"', "line 1 column 3: Invalid control character at"),
        ("<html>", "line 1 column 1: Expecting value"),
        ("NaN", "NaN is no JSON value"),
        ('{"a": [Infinity]}', "Infinity is no JSON value"),
        ("-Infinity", "-Infinity is no JSON value"),
        ("[" * 200_000, "nested too deep"),
        ('{"a":' * 200_000, "nested too deep"),
    ],
)
def test_what_is_no_json_is_an_error_that_says_where(text: str, message: str) -> None:
    with pytest.raises(JsonError, match=f"^{re.escape(message)}$"):
        parse_json(text)


def test_an_integer_of_thousands_of_digits_is_an_error() -> None:
    """Python refuses it on its own, in words of several sentences."""
    with pytest.raises(JsonError) as raised:
        parse_json("1" * 10_000)
    assert len(str(raised.value)) < 100
    assert parse_json("1" * 1_000) == int("1" * 1_000)


def test_a_name_that_stands_twice_stays_in_sight() -> None:
    found = parse_json('{"a": {"b": 1, "c": 2, "b": 3, "c": 4}}')["a"]
    assert isinstance(found, Ambiguous)
    assert name_twice(found) == "b"
    assert found["b"] == 3
    assert found != {"b": 3, "c": 4}
    assert found != parse_json('{"b": 3, "c": 4}')
    assert json.loads(json.dumps(found)) != {"b": 3, "c": 4}


def test_a_name_that_stands_once_in_each_of_two_objects() -> None:
    assert not isinstance(parse_json('{"a": {"a": 1}}'), Ambiguous)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"  {TEXT}\n",
        "\ufeff" + TEXT,
        quote(TEXT),
        quote(TEXT, safe=""),
        quote(TEXT, safe="/:*"),
        re.sub("%..", lambda sign: sign[0].lower(), quote(TEXT)),
        "\n" + quote(TEXT) + "\n",
        quote("\ufeff" + TEXT),
    ],
)
def test_a_document_may_come_with_percent_signs(text: str) -> None:
    """IAM hands documents out percent-encoded; a percent sign inside a plain one stays what it is."""
    assert parse_document(text) == DOCUMENT


def test_a_plus_sign_is_no_blank() -> None:
    """RFC 3986 knows no plus for a blank."""
    assert parse_document("%7B%22a%22:%22b+c%22%7D") == {"a": "b+c"}


@pytest.mark.parametrize("text", ["%", "%7B", "%zz", "%C3%28", "%00"])
def test_broken_percent_signs_are_an_error(text: str) -> None:
    with pytest.raises(JsonError):
        parse_document(text)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "a boolean"),
        ("", "a string"),
        (7, "a number"),
        (0.5, "a number"),
        ([], "an array"),
        ((), "an array"),
        ({}, "an object"),
        (b"", "no JSON value"),
        ({1}, "no JSON value"),
    ],
)
def test_kinds_of_values_in_words(value: object, words: str) -> None:
    assert kind_of(value) == words


# --- policy documents ------------------------------------------------------------------------------------------------


def text_with(body: str) -> str:
    return '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*",' + body + "}]}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Version":"2012-10-17","Version":"2008-10-17","Statement":[]}', 'the name "Version" stands twice'),
        (text_with('"Effect":"Deny"'), 'Statement[0]: the name "Effect" stands twice'),
        (text_with('"Sid":"One","Action":"s3:*"'), 'Statement[0] ("One"): the name "Action" stands twice'),
        (
            text_with('"Condition":{"Bool":{"a:b":"true"},"Bool":{"a:c":"true"}}'),
            'Statement[0].Condition: the name "Bool" stands twice',
        ),
        (
            text_with('"Condition":{"Bool":{"a:b":"true","a:b":"false"}}'),
            'Statement[0].Condition.Bool: the name "a:b" stands twice',
        ),
        (text_with('"Condition":{"NumericEquals":{"a:b":NaN}}'), "no JSON: NaN is no JSON value"),
        ('{"Version": "2012-10-17", "Statement": [', "no JSON: line 1 column 41: Expecting value"),
        ("<!DOCTYPE html>", "no JSON: line 1 column 1: Expecting value"),
        ("", "no JSON: line 1 column 1: Expecting value"),
        ("[" * 50_000, "no JSON: nested too deep"),
    ],
)
def test_a_text_that_is_no_policy(text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=f"^{re.escape(message)}$"):
        parse_policy(text)


def test_huge_numbers_as_condition_values() -> None:
    exact = parse_policy(text_with('"Condition":{"NumericEquals":{"a:b":' + "9" * 400 + "}}"))
    assert exact.statements[0].conditions[0].values == ("9" * 400,)
    with pytest.raises(PolicyError, match=r"^no JSON: Exceeds the limit"):
        parse_policy(text_with('"Condition":{"NumericEquals":{"a:b":' + "9" * 10_000 + "}}"))


def test_a_huge_number_among_values() -> None:
    """A number too long to be written is no value of a policy either."""
    document = {
        "Statement": {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*",
            "Condition": {"NumericEquals": {"a:b": 10**5_000}},
        }
    }
    with pytest.raises(PolicyError):
        parse_policy(document)


def test_a_document_longer_than_any_that_is_stored() -> None:
    """White space does not count, as it does not for AWS."""
    wide = TEXT.replace(" ", " " * 50_000)
    assert parse_policy(wide).to_json() == parse_policy(TEXT).to_json()
    long = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": f"arn:aws:s3:::{'x' * 1_000_000}"}]}
    for source in (long, json.dumps(long)):
        with pytest.raises(PolicyError, match=r"^is longer than any policy AWS stores"):
            parse_policy(source)


def test_a_document_as_long_as_those_that_aws_keeps_for_itself() -> None:
    """ReadOnlyAccess has some 95,000 characters, AWSSupportServiceRolePolicy some 152,000; customers' may not."""
    actions = [f"s3:Get{number:05}" for number in range(10_000)]
    long = {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    assert len(json.dumps(long)) > 150_000
    assert parse_policy(json.dumps(long)).statements[0].covers_action("s3:get09999")
