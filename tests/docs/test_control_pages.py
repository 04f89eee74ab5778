"""The pages about controls: complete, and their examples are decided as they say."""

from __future__ import annotations

import shlex
from pathlib import Path

import botocore.session
import click
import pytest

from chalicelib.analysis.causes import Cause
from chalicelib.audit import judge
from chalicelib.cli import cli
from chalicelib.config import CanonicalPolicy, Settings, parse_settings
from chalicelib.controls import CONTROLS
from chalicelib.findings import Finding, Severity
from chalicelib.local.example import read_example
from chalicelib.report.sarif import page_of as page_told
from tests.accounts.build import FINE, verdict
from tests.accounts.build import audit_of as audit_of_people
from tests.controls.cases.sight import of_trail
from tests.docs.examples import ALICE, CONTROL_IDS, audit_of, person_of, settings_of
from tests.docs.pages import CONTROLS as FOLDER
from tests.docs.pages import DOCS, INDEX, ROOT, Block, Example, Page, page_of, read_page, rows_of
from tests.events.git_records import observed, record

SECTIONS = [
    "Why it matters",
    "An example that fails",
    "An example that passes",
    "How it is decided",
    "Fix",
    "Settings",
]
ABOUT_USERS = [control.id for control in CONTROLS if not control.about_account]
PAGES = sorted(DOCS.rglob("*.md"))

each_control = pytest.mark.parametrize("control", CONTROL_IDS)
each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))


def _cases(*, fails: bool) -> list[object]:
    return [
        pytest.param(control, example, id=f"{control}-{number}")
        for control in CONTROL_IDS
        for number, example in enumerate(page_of(control).examples)
        if example.fails is fails
    ]


def finding_of(control: str, example: Example, *more: Block, name: str = ALICE) -> Finding | None:
    """What a control says of an example."""
    found = [f for f in audit_of(page_of(control), example, *more, name=name).findings if f.control == control]
    assert len(found) <= 1
    return found[0] if found else None


# --- what is there ---------------------------------------------------------------------------------------------------


def test_every_control_has_a_page_and_every_page_a_control() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} - {"README"} == set(CONTROL_IDS)


@each_control
def test_a_page_stands_where_results_point_to(control: str) -> None:
    assert (ROOT / page_told(control)).is_file()


@each_control
def test_a_page_has_its_sections_in_order(control: str) -> None:
    page = page_of(control)
    assert [text for level, text in page.headings if level == 1] == [control]
    assert page.headings[0] == (1, control)
    assert [text for level, text in page.headings if level == 2] == SECTIONS
    lead = page.paragraphs[0]
    assert lead.count(". ") == 0
    assert lead.endswith(".")


@each_control
def test_examples_stand_in_their_sections(control: str) -> None:
    page = page_of(control)
    sections = {True: "An example that fails", False: "An example that passes"}
    for example in page.examples:
        assert {block.section for block in example.blocks} == {sections[example.fails]}
    assert {example.fails for example in page.examples} == {True, False}


@each_control
def test_no_block_is_left_out(control: str) -> None:
    page = page_of(control)
    judged = {id(block) for example in page.examples for block in example.blocks}
    for block in page.blocks:
        shown = block.language == "console" or block.traits.get("is") == "canonical"
        assert shown or block.language == "toml" or id(block) in judged, block


@each_page
def test_links_lead_somewhere(path: Path) -> None:
    for link in read_page(path).links:
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.is_relative_to(ROOT)
        assert target.exists(), link
        assert not anchor or anchor in read_page(target).anchors, link


@each_page
def test_lines_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")]


# --- examples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("control", "example"), _cases(fails=True))
def test_an_example_that_fails_raises_the_control(control: str, example: Example) -> None:
    finding = finding_of(control, example)
    assert finding is not None
    assert str(finding.severity) == example.traits["severity"]
    assert bool(finding.uncertain) is ("uncertain" in example.blocks[0].words)
    assert str(finding.evidence.get("cause", "")) == example.traits.get("cause", "")


@pytest.mark.parametrize(("control", "example"), _cases(fails=False))
def test_an_example_that_passes_raises_nothing(control: str, example: Example) -> None:
    assert verdict(audit_of(page_of(control), example), control, ALICE) == FINE
    assert finding_of(control, example) is None


def test_every_cause_has_an_example_under_its_name() -> None:
    page = page_of("mfa-not-enforced")
    assert {e.traits["cause"] for e in page.examples if e.fails} == set(map(str, Cause))
    assert {text.strip("`") for level, text in page.headings if level == 3} >= set(map(str, Cause))


PRESUPPOSE_MFA = [
    "codecommit-exemption",
    "codecommit-exemption-too-broad",
    "git-blocked-by-kms",
    "kms-exception-any-service",
    "kms-exception-direct",
    "kms-exception-admin",
    "mfa-self-takeover",
    "role-assumable-without-mfa",
]


@pytest.mark.parametrize("control", PRESUPPOSE_MFA)
def test_where_nothing_asks_for_mfa_another_control_says_so(control: str) -> None:
    """As the pages of exemptions say."""
    example = next(example for example in page_of(control).examples if example.fails)
    result = audit_of_people(person_of(example))
    assert verdict(result, control, ALICE) == FINE
    assert verdict(result, "mfa-not-enforced", ALICE) == "found"
    assert "mfa-not-enforced.md" in page_of(control).links


# --- the index -------------------------------------------------------------------------------------------------------


def test_the_index_names_all_controls_in_order_and_links_them() -> None:
    rows = list(rows_of(read_page(INDEX)))
    assert [row[0] for row in rows] == [f"[`{control}`]({control}.md)" for control in CONTROL_IDS]


@each_control
def test_the_index_names_the_severities_of_the_examples(control: str) -> None:
    row = next(row for row in rows_of(read_page(INDEX)) if f"({control}.md)" in row[0])
    severities = {Severity(example.traits["severity"]) for example in page_of(control).examples if example.fails}
    assert row[2] == ", ".join(severity for severity in reversed(Severity) if severity in severities)


# --- settings --------------------------------------------------------------------------------------------------------


@each_control
def test_settings_parse(control: str) -> None:
    page = page_of(control)
    blocks = [block for block in page.blocks if block.language == "toml"]
    assert any(block.section == "Settings" for block in blocks)
    for block in blocks:
        parse_settings(block.text, {}, CONTROL_IDS)


def accepting() -> list[object]:
    """Each control about users, with the settings that accept its findings and an example that fails."""
    return [
        pytest.param(control, block, example, id=f"{control}-{i}-{j}")
        for control in ABOUT_USERS
        for i, block in enumerate(page_of(control).settings("accepts"))
        for j, example in enumerate(page_of(control).examples)
        if example.fails
    ]


@pytest.mark.parametrize(("control", "block", "example"), accepting())
def test_settings_accept_what_they_say_and_no_more(control: str, block: Block, example: Example) -> None:
    meant = block.traits.get("accepts") in (None, example.traits.get("id", ""))
    for name in names_in(page_of(control), block):
        finding = finding_of(control, example, block, name=name)
        assert finding is not None
        assert ("accepted" in finding.evidence) is meant
        assert (str(finding.severity) == "info") is (meant or example.traits["severity"] == "info")
    finding = finding_of(control, example, block)
    assert finding is not None
    assert str(finding.severity) == example.traits["severity"], "alice is not among those whom the settings name"
    assert "accepted" not in finding.evidence


def names_in(page: Page, block: Block) -> list[str]:
    """A user name for each pattern of the settings, by which their findings are accepted."""
    settings = settings_of(page, block)
    patterns = [*settings.break_glass_users, *(user for one in settings.exemptions for user in one.users)]
    assert patterns
    return [pattern.replace("*", "1") for pattern in patterns]


@pytest.mark.parametrize("control", ABOUT_USERS)
def test_every_control_about_users_shows_how_a_finding_is_accepted(control: str) -> None:
    page = page_of(control)
    found = [parse_settings(block.text, {}, CONTROL_IDS) for block in page.settings("accepts")]
    assert any(one.control == control for settings in found for one in settings.exemptions)


# --- commands --------------------------------------------------------------------------------------------------------

OF_THE_CLI_ALONE = {"create-virtual-mfa-device": {"outfile", "bootstrap-method"}}
GLOBAL = {"query", "output", "profile", "region"}


def _commands(program: str) -> list[object]:
    return [
        pytest.param(command, id=f"{path.stem}-{number}")
        for path in PAGES
        for number, command in enumerate(read_page(path).commands)
        if command.split()[0] == program
    ]


def _options(words: list[str]) -> set[str]:
    return {word[2:].split("=")[0] for word in words if word.startswith("--")}


@pytest.mark.parametrize("command", _commands("aws"))
def test_the_aws_cli_has_the_command_and_its_options(command: str) -> None:
    _, service, name, *rest = shlex.split(command.partition(" > ")[0])
    model = botocore.session.get_session().get_service_model(service)
    operation = next(o for o in model.operation_names if botocore.xform_name(o, "-") == name)
    shape = model.operation_model(operation).input_shape
    members = {botocore.xform_name(member, "-"): member for member in (shape.members if shape else {})}
    given = _options(rest) - GLOBAL - OF_THE_CLI_ALONE.get(name, set())
    assert given <= members.keys()
    assert {members[option] for option in given} >= set(shape.required_members if shape else ())


@pytest.mark.parametrize("command", _commands("mfawatch"))
def test_mfawatch_has_the_command_and_its_options(command: str) -> None:
    _, name, *rest = shlex.split(command)
    assert isinstance(cli, click.Group)
    found = {option.removeprefix("--") for one in cli.commands[name].params for option in one.opts}
    assert _options(rest) <= found


def test_every_command_is_checked() -> None:
    for path in PAGES:
        for command in read_page(path).commands:
            assert command.split()[0] in {"aws", "mfawatch"}


# --- all at once -----------------------------------------------------------------------------------------------------


def test_the_example_account_raises_every_control() -> None:
    """With settings that want a policy of everybody, in a version that is not the account's; a push was seen, and that
    the trail was stopped."""
    settings = Settings(canonical=(CanonicalPolicy("RequireMfa", version="v9"),))
    snapshot = read_example()
    seen = observed(record(eventTime=snapshot.taken.isoformat()), of_trail("StopLogging"))
    raised = {finding.control for finding in judge(snapshot, settings=settings, observed=seen).findings}
    assert raised == set(CONTROL_IDS)
