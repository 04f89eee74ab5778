"""mfawatch evaluate: decisions line by line, in order, and all or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.accounts.build import ADMIN, GUARD, Json
from tests.cli.conftest import Run


def case(identifier: str, policy: Any = ADMIN, **more: Any) -> Json:
    """A neutral case: alice gets an object."""
    return {
        "id": identifier,
        "principal": "arn:aws:iam::111122223333:user/alice",
        "identityPolicies": [{"name": "p", "policy": policy}],
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::b/o",
        **more,
    }


def write(folder: Path, *cases: Any, name: str = "cases.jsonl") -> Path:
    """A file of JSON lines; text stands as it is."""
    path = folder / name
    path.write_text("".join((c if isinstance(c, str) else json.dumps(c)) + "\n" for c in cases), encoding="utf-8")
    return path


def lines(out: str) -> list[Json]:
    """The decisions."""
    return [json.loads(line) for line in out.splitlines()]


def test_one_line_for_each_case_in_order(run: Run, tmp_path: Path) -> None:
    names = [f"case-{i}" for i in (3, 1, 2)]
    result = run("evaluate", write(tmp_path, *map(case, names)))
    assert result.code == 0
    assert [line["id"] for line in lines(result.out)] == names


def test_files_stand_in_the_order_in_which_they_are_named(run: Run, tmp_path: Path) -> None:
    paths = [write(tmp_path, case(name), name=name) for name in ("b", "a")]
    assert [line["id"] for line in lines(run("evaluate", *paths).out)] == ["b", "a"]


def test_a_line_says_what_was_decided_and_by_what(run: Run, tmp_path: Path) -> None:
    denied = case("denied", context={"aws:MultiFactorAuthPresent": False})
    denied["identityPolicies"].append({"name": "guard", "policy": GUARD})
    allowed, refused = lines(run("evaluate", write(tmp_path, case("allowed"), denied)).out)
    assert {"id", "decision", "matched"} <= set(allowed)
    assert (allowed["decision"], [match["effect"] for match in allowed["matched"]]) == ("Allowed", ["Allow"])
    assert (refused["decision"], [match["policy"] for match in refused["matched"]]) == ("ExplicitlyDenied", ["guard"])


def test_a_document_that_aws_would_refuse_decides_error_with_the_reason(run: Run, tmp_path: Path) -> None:
    result = run("evaluate", write(tmp_path, case("bad", {"Statement": [{"Effect": "Allow"}]}), case("good")))
    assert result.code == 0
    assert [line["decision"] for line in lines(result.out)] == ["Error", "Allowed"]
    assert "Statement[0]" in lines(result.out)[0]["reason"]


@pytest.mark.parametrize(("expected", "code"), [("Allowed", 0), ("ImplicitlyDenied", 3), ("Error", 3), ("allowed", 3)])
def test_expectations(expected: str, code: int, run: Run, tmp_path: Path) -> None:
    result = run("evaluate", write(tmp_path, case("one"), case("two", expected=expected), case("three")))
    assert result.code == code
    assert len(lines(result.out)) == 3
    assert ("expected" in lines(result.out)[1]) is bool(code)
    assert f"3 cases, {code // 3} not as expected" in result.err


def test_one_case_is_one_case(run: Run, tmp_path: Path) -> None:
    assert run("evaluate", write(tmp_path, case("one"))).err == "1 case, 0 not as expected\n"


def test_empty_lines_and_a_byte_order_mark_are_no_cases(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(case("one")).encode() + b"\r\n\r\n  \n" + json.dumps(case("two")).encode()
    )
    assert [line["id"] for line in lines(run("evaluate", path).out)] == ["one", "two"]


def test_standard_input_is_a_file(run: Run) -> None:
    assert [line["id"] for line in lines(run("evaluate", "-", stdin=json.dumps(case("one")).encode()).out)] == ["one"]


BROKEN = {
    "truncated JSON": '{"id": "two", ',
    "HTML": "<html>",
    "NaN": '{"id": NaN}',
    "nested 10,000 deep": "[" * 10_000,
    "an array": "[]",
    "text": '"case"',
    "null": "null",
    "no action": json.dumps({k: v for k, v in case("two").items() if k != "action"}),
    "no principal": json.dumps({k: v for k, v in case("two").items() if k != "principal"}),
    "policies that are no list": json.dumps(case("two", identityPolicies={})),
    "a level that is no list": json.dumps(case("two", scps=[{}])),
    "a context that is no object": json.dumps(case("two", context=[])),
    "a context value that is an object": json.dumps(case("two", context={"aws:username": {}})),
    "an expectation that is no text": json.dumps(case("two", expected=True)),
    "an id that is no text": json.dumps(case("two", id=2)),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_line_is_named_and_nothing_is_printed(broken: str, run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, case("one"), BROKEN[broken], case("three"))
    run("evaluate", path).assert_refused(f"{path}:2:")


def test_a_broken_line_in_the_second_file_leaves_the_first_unprinted(run: Run, tmp_path: Path) -> None:
    whole, broken = write(tmp_path, case("one"), name="a"), write(tmp_path, "{", name="b")
    run("evaluate", whole, broken).assert_refused(f"{broken}:1:")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x80abc"])
def test_a_file_that_is_no_text_is_named(content: bytes, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(content)
    run("evaluate", path).assert_refused(str(path), "UTF-8")


def test_what_cannot_be_opened_is_named(run: Run, tmp_path: Path) -> None:
    run("evaluate", tmp_path).assert_refused(str(tmp_path), "directory")
    run("evaluate", tmp_path / "none").assert_refused(str(tmp_path / "none"), "No such file")
    run("evaluate").assert_refused("CASES")


def test_an_empty_file_has_no_cases(run: Run, tmp_path: Path) -> None:
    result = run("evaluate", write(tmp_path))
    assert (result.code, result.out) == (0, "")


def test_hostile_ids_leave_as_json_escapes(run: Run, tmp_path: Path) -> None:
    identifier = "\u001b[31m\u202e\n\ud800"
    result = run("evaluate", write(tmp_path, json.dumps(case(identifier))))
    assert result.out.rstrip("\n").isprintable()
    assert lines(result.out)[0]["id"] == identifier
