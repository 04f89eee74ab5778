"""SARIF: valid, complete, and with nothing in it that a viewer would run or follow."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from markdown_it import MarkdownIt

from chalicelib.audit import Audit, judge
from chalicelib.findings import Severity, Status
from chalicelib.local.example import read_example
from chalicelib.report import sarif
from chalicelib.report.sarif import Artifact, page_of, render_sarif, sarif_log
from chalicelib.report.sentences import sentence
from tests.accounts.build import Person, swap
from tests.accounts.build import audit as judged
from tests.accounts.build import exports as answers_about
from tests.hostile import each_trap
from tests.report.audits import audit_with, example, finding_with, texts, trapped, unsafe

FOLDER = Path(__file__).parent / "data"
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and re.fullmatch(r"[!-~]+", value))


@FORMATS.checks("uri-reference")
def _is_reference(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"[!#-;=?-Z\[\]_a-z~]+(%[0-9A-F]{2}[!-~]*)*", value))


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def validator() -> Any:
    schema = json.loads((FOLDER / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema, format_checker=FORMATS)


def run_of(audit: Audit, *, docs: str = "", artifact: Artifact | None = None) -> Any:
    """The one run of a valid log."""
    log = json.loads(render_sarif(audit, docs=docs, artifact=artifact))
    assert log == sarif_log(audit, docs=docs, artifact=artifact)
    assert not [f"{error.json_path}: {error.message}" for error in validator().iter_errors(log)]
    [run] = log["runs"]
    return run


def messages(run: Any) -> list[str]:
    """What a viewer shows of a run's results and notifications."""
    [invocation] = run["invocations"]
    return [item["message"]["text"] for item in [*run["results"], *invocation["toolExecutionNotifications"]]]


def markup(text: str) -> set[str]:
    """The links, images and HTML that a viewer of Markdown finds in a text."""
    tokens = MarkdownIt("commonmark").parse(text)
    found = {token.type for parent in tokens for token in (parent, *(parent.children or ()))}
    return found & {"link_open", "image", "html_inline", "html_block"}


def as_text(markdown: str) -> str:
    """What a viewer of Markdown shows."""
    tokens = MarkdownIt("commonmark").parse(markdown)
    return "".join(part.content for token in tokens for part in token.children or ())


def test_the_schema_is_not_satisfied_by_anything() -> None:
    """The validator validates."""
    log = sarif_log(example())
    log["runs"][0]["results"][0]["level"] = "grave"
    assert not validator().is_valid(log)
    assert not validator().is_valid({"version": "2.1.0", "runs": [{}]})
    rule: Any = sarif_log(example(), docs="docs")
    assert not validator().is_valid(rule), "a relative help page is no URI"


def test_every_finding_is_a_result() -> None:
    run = run_of(example())
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(example().findings)
    for result, finding in zip(run["results"], example().findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.control
        assert result["partialFingerprints"] == {"mfawatch/v1": finding.fingerprint}
        [location] = result["locations"]
        [place] = location["logicalLocations"]
        assert (place["fullyQualifiedName"], place["kind"]) == (finding.resource, "resource")
        assert "physicalLocation" not in location
        assert result["message"]["text"].endswith(sentence(finding))
        assert result["properties"]["evidence"] == finding.evidence
        assert result["properties"]["witness"] == (finding.witness.to_json() if finding.witness else None)


def test_every_control_is_a_rule() -> None:
    driver = run_of(example())["tool"]["driver"]
    assert driver["name"] == "mfawatch"
    assert driver["version"] == version("mfawatch")
    for rule, control in zip(driver["rules"], example().controls, strict=True):
        assert rule["id"] == control.id
        assert rule["shortDescription"]["text"] == control.title
        assert rule["fullDescription"]["text"] == control.why
        assert rule["help"]["text"] == control.fix.replace("{", "{{").replace("}", "}}")
        assert as_text(rule["help"]["markdown"]) == rule["help"]["text"]
        assert "helpUri" not in rule
    assert "MfaNotEnforced" in {rule["name"] for rule in driver["rules"]}


def test_a_rule_is_as_grave_as_the_gravest_of_its_findings() -> None:
    rules = {rule["id"]: rule for rule in run_of(example())["tool"]["driver"]["rules"]}
    told = {name: (rule["defaultConfiguration"]["level"], rule["properties"]) for name, rule in rules.items()}
    tags = ["aws", "iam", "mfa", "security"]
    assert told["root-access-key"] == ("error", {"security-severity": "9.5", "tags": tags})
    assert told["mfa-not-enforced"] == ("error", {"security-severity": "8.0", "tags": tags})
    assert told["policy-not-evaluable"] == ("warning", {"security-severity": "5.5", "tags": tags})


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.CRITICAL, "error"),
        (Severity.HIGH, "error"),
        (Severity.MEDIUM, "warning"),
        (Severity.LOW, "note"),
        (Severity.INFO, "note"),
    ],
)
def test_severities_are_levels(severity: Severity, level: str) -> None:
    [result] = run_of(audit_with(finding_with(severity=severity)))["results"]
    assert result["level"] == level


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (Status.OPEN, {}),
        (Status.SUPPRESSED, {"suppressions": [{"kind": "external", "status": "accepted"}]}),
        (Status.RESOLVED, {"baselineState": "absent"}),
    ],
)
def test_the_status_says_where_a_finding_stands(status: Status, told: dict[str, Any]) -> None:
    [result] = run_of(audit_with(finding_with(status=status)))["results"]
    assert {key: result[key] for key in ("suppressions", "baselineState") if key in result} == told


def test_gaps_and_what_was_not_evaluated_are_notifications() -> None:
    answers = swap(answers_about(Person(attached=["gone"])), credential_report=None)
    run = run_of(judged(answers))
    [invocation] = run["invocations"]
    assert invocation["executionSuccessful"] is True
    notes = invocation["toolExecutionNotifications"]
    told = {(item["descriptor"]["id"], item["level"], item["message"]["text"]) for item in notes}
    assert (
        "not-read",
        "note",
        "credential-report: not read (passwords, access keys and the root user are not known)",
    ) in told
    assert (
        "not-evaluated",
        "warning",
        "mfa-not-enforced could not judge user alice: not read: arn:aws:iam::111122223333:policy/gone",
    ) in told
    assert any(text.startswith("root-without-mfa could not judge the whole account: ") for _, _, text in told)
    rules = run["tool"]["driver"]["rules"]
    for item in notes:
        if rule := item.get("associatedRule"):
            assert rules[rule["index"]]["id"] == rule["id"]


def test_rules_link_to_their_pages_where_the_documentation_can_be_read() -> None:
    for docs in ("https://example.com/mfawatch", "https://example.com/mfawatch/"):
        rules = run_of(example(), docs=docs)["tool"]["driver"]["rules"]
        assert {rule["helpUri"] for rule in rules} == {
            f"https://example.com/mfawatch/docs/controls/{control.id}.md" for control in example().controls
        }
    assert page_of("root-without-mfa") == "docs/controls/root-without-mfa.md"


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("policies/guard.json", "policies/guard.json"),
        ("./policies/guard.json", "policies/guard.json"),
        ("my policies/[a]#1?.json", "my%20policies/%5Ba%5D%231%3F.json"),
        ("c:/é.json", "c%3A/%C3%A9.json"),
        ("\udcff.json", "%FF.json"),
    ],
)
def test_a_finding_with_a_file_has_a_place_in_it(file: str, uri: str) -> None:
    wanted = finding_with(resource="arn:aws:iam::111122223333:policy/p", user=None)
    run = run_of(audit_with(wanted, finding_with()), artifact=lambda finding: file if finding.user is None else None)
    places = [result["locations"][0].get("physicalLocation") for result in run["results"]]
    assert places == [{"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}, None]


def test_logs_of_several_accounts_are_kept_apart() -> None:
    assert run_of(example())["automationDetails"] == {"id": "mfawatch/111122223333/"}
    assert "automationDetails" not in run_of(audit_with(finding_with(account=""), account=""))


def test_a_finding_of_a_control_that_was_not_asked_has_no_index() -> None:
    [result] = run_of(audit_with(finding_with(control="other")))["results"]
    assert "ruleIndex" not in result


def test_the_version_is_left_out_where_nobody_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(sarif, "version", unknown)
    assert "version" not in run_of(example())["tool"]["driver"]


@each_trap
def test_hostile_names_do_nothing_in_a_viewer(name: str) -> None:
    run = run_of(trapped(name))
    assert len(run["results"]) > 5
    assert not [text for text in texts(run) if unsafe(text)]
    for text in messages(run):
        assert not markup(text)
        assert not re.search(r"(?<!\{)(\{\{)*\{(?!\{)|(?<!\})(\}\})*\}(?!\})", text), "a brace that is not doubled"


@pytest.mark.parametrize(
    ("summary", "shown"),
    [
        ("Statement[0] of s3:* in role_a", "Statement[0] of s3:* in role_a"),
        ("[x](http://example.com)", "[x\\](http://example.com)"),
        ("[x\\](http://example.com)", "[x\\\\\\](http://example.com)"),
        ("[x][y]", "[x\\][y]"),
        ("<b>", "\\<b>"),
        ("{0}", "{{0}}"),
        ("a\u202eb", "a\\<202e>b"),
    ],
)
def test_a_message_says_what_was_typed(summary: str, shown: str) -> None:
    [result] = run_of(audit_with(finding_with({"summary": summary})))["results"]
    assert result["message"]["text"] == f"user alice: {shown}"


def test_a_message_that_begins_with_a_link_is_none() -> None:
    finding = finding_with({"summary": "x"}, user=None, resource="[x]: http://example.com")
    [result] = run_of(audit_with(finding))["results"]
    assert result["message"]["text"] == "\\[x]: http://example.com: x"


def test_the_same_audit_has_the_same_bytes() -> None:
    assert render_sarif(example()) == render_sarif(judge(read_example()))
