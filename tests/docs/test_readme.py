"""README.md: its commands, its settings and its links, held against what is there."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from chalicelib.cli import cli
from chalicelib.config import parse_settings
from chalicelib.report.next_steps import Source
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
    assert {command.split()[1] for command in COMMANDS} >= {"audit", "demo", "explain", "git", "snapshot"}


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


def test_the_settings_are_some() -> None:
    [block] = [block for block in PAGE.blocks if block.language == "toml"]
    settings = parse_settings(block.text, {}, CONTROL_IDS)
    for policy in settings.canonical:
        assert policy.document is not None
        assert (ROOT / policy.document).is_file()


def test_links_lead_somewhere() -> None:
    for link in PAGE.links:
        if not link.startswith("https://"):
            file, _, anchor = link.partition("#")
            assert not file or (ROOT / file).exists(), link
            assert file or anchor in PAGE.anchors, link
