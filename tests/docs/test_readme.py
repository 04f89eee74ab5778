"""README.md: its commands, its settings and its links, held against what is there."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from chalicelib.audit import judge
from chalicelib.cli import cli
from chalicelib.config import parse_settings
from chalicelib.controls import canonical_policy_drift
from chalicelib.local.example import SETTINGS, read_example
from chalicelib.remediation.plan import plan_remediation
from chalicelib.remediation_settings import Mode
from chalicelib.report.next_steps import Source
from chalicelib.report.plan import render_plan
from chalicelib.report.table_audit import render_audit
from tests.docs.examples import CONTROL_IDS
from tests.docs.pages import ROOT, read_page
from tests.report.audits import example
from tests.report.terminal import terminal

PAGE = read_page(ROOT / "README.md")
COMMANDS = [command for command in PAGE.commands if command.startswith("mfawatch ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_mfawatch_has_the_command_and_its_options(command: str) -> None:
    _, name, *rest = shlex.split(command, comments=True)
    assert isinstance(cli, click.Group)
    found = {option for one in cli.commands[name].params for option in [*one.opts, *one.secondary_opts]}
    assert {word for word in rest if word.startswith("-")} <= found


def test_commands_are_found() -> None:
    found = {command.split()[1] for command in COMMANDS}
    assert found >= {"audit", "demo", "explain", "git", "remediate", "runs", "snapshot"}


def test_every_command_stands_in_the_table() -> None:
    assert isinstance(cli, click.Group)
    assert set(re.findall(r"^\| `mfawatch ([a-z]+)` \|", PAGE.text, re.MULTILINE)) == set(cli.commands)


def test_the_audit_is_shown_as_it_is() -> None:
    """But for the moment, and for what is left out."""
    [block] = [block.text for block in PAGE.blocks if "audit --snapshot example.json\nAccount " in block.text]
    with terminal(118) as to:
        text = render_audit(example(), source=Source(("--snapshot", "example.json")), to=to)
    shown = block.splitlines()[2:]
    assert len(shown) > 20
    assert not set(shown) - set(text.splitlines())


def test_the_plan_is_shown_as_it_is() -> None:
    """But for the moment, and for what is left out."""
    [block] = [block.text for block in PAGE.blocks if "canonical-policy-drift\nPlan " in block.text]
    settings, snapshot = parse_settings(SETTINGS), read_example()
    audit = judge(snapshot, [canonical_policy_drift.CONTROL], settings=settings)
    text = render_plan(plan_remediation(snapshot, audit.findings, settings), snapshot, audit)
    lines = block.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("Plan "))
    shown = [line for line in lines[first + 1 :] if line != "      …"]
    assert len(shown) > 15
    assert not set(shown) - {line.rstrip() for line in text.splitlines()}
    assert lines[first].partition(" as of ")[0] == text.partition(" as of ")[0]


def test_every_mode_is_told_and_no_other() -> None:
    table = PAGE.text.partition("| mode |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([a-z]+)` \|", table, re.MULTILINE) == list(map(str, Mode))


def test_the_settings_are_some() -> None:
    [block] = [block for block in PAGE.blocks if block.language == "toml"]
    settings = parse_settings(block.text, {}, CONTROL_IDS)
    for policy in settings.canonical:
        assert policy.document is not None
        assert (ROOT / policy.document).is_file()
    assert settings.remediation.overrides
    assert settings.api.access


def test_links_lead_somewhere() -> None:
    for link in PAGE.links:
        if not link.startswith("https://"):
            file, _, anchor = link.partition("#")
            assert not file or (ROOT / file).exists(), link
            assert not anchor or anchor in (read_page(ROOT / file) if file else PAGE).anchors, link


def test_pictures_are_there_and_light() -> None:
    shown = re.findall(r"!\[[^]]+\]\(([^)]+)\)", PAGE.text)
    assert {ROOT / name for name in shown} == set((ROOT / "docs" / "images").iterdir())
    assert all((ROOT / name).stat().st_size < 300_000 for name in shown)
