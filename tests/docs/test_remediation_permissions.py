"""The page for whoever approves what may be changed: complete, and no word more than the policy grants."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.iam.decision import Verdict
from tests.docs.pages import DOCS, read_page
from tests.packaging.rendering import ACCOUNT, NO_VALUE, REGION, rendered, resources, role
from tests.packaging.test_remediator import GIVEN, decided, own

PAGE = read_page(DOCS / "remediation-permissions.md")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.text.splitlines() if line.startswith("| `")]


def statements() -> dict[str, Any]:
    """All statements of the role, with those that depend on parameters."""
    [policy] = role("remediate")["Policies"]
    found = [one["Fn::If"][1] if "Fn::If" in one else one for one in policy["PolicyDocument"]["Statement"]]
    assert NO_VALUE not in found
    return {one["Sid"]: one for one in found}


def test_every_statement_stands_in_one_row_with_its_actions() -> None:
    told: dict[str, set[str]] = {}
    for row in ROWS:
        named = [sid for sid in re.findall(r"`([A-Z]\w+)`", " ".join(row[:2])) if sid in statements()]
        actions = {action for sid in named for action in statements()[sid].get("Action", ())}
        shown = set(re.findall(r"`([a-z]+:[A-Z]\w+)`", " ".join(row[:3])))
        for sid in named:
            assert sid not in told
            told[sid] = shown
        if shown and named:
            assert shown == actions, named
    assert told.keys() == statements().keys()
    assert {sid for sid, shown in told.items() if not shown} == {
        sid for sid, one in statements().items() if one["Effect"] == "Deny"
    }


def test_every_parameter_is_told_and_no_other() -> None:
    parameters = {name for name in rendered("prod")["Parameters"] if name.startswith("Remediation")}
    assert {name for row in ROWS for name in re.findall(r"`(Remediation[A-Z]\w+)`", row[0])} == parameters
    assert set(re.findall(r"\bRemediation[A-Z]\w+", PAGE.text)) == parameters


def test_the_actions_are_as_many_as_it_says() -> None:
    assert len(statements()["NothingElsewhere"]["Action"]) == 15
    granted = {
        action
        for one in statements().values()
        if one["Effect"] == "Allow"
        for action in one["Action"]
        if action in statements()["NothingElsewhere"]["Action"]
    }
    assert sorted(granted) == statements()["NothingElsewhere"]["Action"]
    assert statements()["NothingElseInIam"]["NotAction"] == ["iam:Get*", "iam:List*", *sorted(granted)]


def test_the_switch_is_closed_as_it_says() -> None:
    parameter = resources("AWS::SSM::Parameter")["StopParameter"]
    assert f"| the parameter `{parameter['Name']}` says `{parameter['Value']}` |" in PAGE.text


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("policy/RequireMfa", Verdict.ALLOWED), ("policy/AdministratorAccess", Verdict.IMPLICITLY_DENIED)],
)
def test_the_simulator_is_to_say_what_our_engine_says(policy: str, expected: Verdict) -> None:
    account = ACCOUNT if expected is Verdict.ALLOWED else "aws"
    [command] = [one for one in PAGE.commands if f"ContextKeyValues={own(policy, account)}" in one]
    assert f"--policy-source-arn {own(f'role/mfawatch-remediate-{REGION}')} " in command
    found = decided("remediate", "iam:AttachUserPolicy", own("user/alice"), own(policy, account), frozenset(GIVEN))
    assert found.verdict is expected


def test_links_lead_somewhere() -> None:
    assert PAGE.links
    for link in PAGE.links:
        assert (DOCS / link).resolve().is_file(), link
