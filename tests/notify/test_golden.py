"""Messages as people get them: the files beside this one, to be read by a person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.local.slack_limits import complaint
from chalicelib.notify.plain import body, subject_line
from chalicelib.notify.run_plain import run_body, run_subject
from chalicelib.notify.slack_blocks import render
from tests.notify.golden_messages import golden_messages
from tests.notify.golden_runs import golden_runs, slack_of

FOLDER = Path(__file__).parent / "golden"
MESSAGES = golden_messages()
RUNS = golden_runs()


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_in_slack(name: str) -> None:
    wanted = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    rendered = render(MESSAGES[name])
    assert {"text": rendered.text, "blocks": rendered.blocks} == wanted
    assert not complaint(wanted)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_in_mail(name: str) -> None:
    subject, _, text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")
    assert (subject_line(MESSAGES[name]), body(MESSAGES[name])) == (subject, text.removesuffix("\n"))


def test_there_is_no_file_of_another_message() -> None:
    assert {path.stem for path in FOLDER.iterdir() if path.is_file()} == set(MESSAGES)
    assert {path.stem for path in (FOLDER / "runs").iterdir()} == set(RUNS)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_in_slack(name: str) -> None:
    wanted = json.loads((FOLDER / "runs" / f"{name}.json").read_text(encoding="utf-8"))
    rendered = slack_of(RUNS[name])
    assert {"text": rendered.text, "blocks": rendered.blocks} == wanted
    assert not complaint(wanted)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_in_mail(name: str) -> None:
    subject, _, text = (FOLDER / "runs" / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")
    assert (run_subject(RUNS[name]), run_body(RUNS[name])) == (subject, text.removesuffix("\n"))
