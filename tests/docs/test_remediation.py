"""The page about putting right: its settings and commands, and that no state, mode or decision is left out."""

from __future__ import annotations

import re

from chalicelib.config import parse_settings
from chalicelib.local.deployment import REMEDIATIONS_QUEUE
from chalicelib.remediation.run import WAITS, RunState
from chalicelib.remediation_settings import Mode
from tests.docs.examples import CONTROL_IDS
from tests.docs.pages import DOCS, ROOT, read_page

PAGE = read_page(DOCS / "remediation.md")


def rows(heading: str) -> set[str]:
    """What stands in the first column of the table with that heading."""
    table = PAGE.text.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return {name for line in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", line.split("|")[1])}


def test_every_state_and_mode_stands_in_its_table_and_no_other() -> None:
    assert rows("state") == set(map(str, RunState))
    assert rows("mode") == set(map(str, Mode))


def test_the_settings_are_some() -> None:
    [block] = [block for block in PAGE.blocks if block.language == "toml"]
    settings = parse_settings(block.text, {}, CONTROL_IDS)
    assert (settings.remediation.mode, settings.remediation.approvers) == (Mode.APPROVE, ("U0123456789",))
    assert [one.mode for one in settings.remediation.overrides] == [Mode.AUTO]
    assert (ROOT / str(settings.canonical[0].document)).is_file()


def test_every_command_of_remediation_is_shown() -> None:
    shown = {(command.split()[1], *re.findall(r"--[a-z]+", command)) for command in PAGE.commands}
    assert {name for name, *_ in shown} >= {"remediate", "runs", "approve", "decline"}
    assert {option for _, *options in shown for option in options} >= {"--apply", "--continue", "--rollback", "--table"}


def test_names_and_times_are_those_of_the_deployment() -> None:
    assert f"`{REMEDIATIONS_QUEUE}`" in PAGE.text
    assert WAITS.days == 1
    assert "for a day, once" in " ".join(PAGE.text.split())
