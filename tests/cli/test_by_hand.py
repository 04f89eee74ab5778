"""What is told while a run is carried out does nothing to a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.cli.by_hand import _tell
from chalicelib.remediation.run import RunStep, StepState
from chalicelib.remediation.step import Step, StepKind
from tests.execution.runs import a_run
from tests.hostile import each
from tests.report.test_hostile_names import assert_safe


@each
def test_steps_are_told_in_a_line_each(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    step = Step(StepKind.PUT_USER_POLICY, user=name, policy=name, document=name, reason=name, effect=name)
    run = replace(a_run(), steps=(RunStep(1, step),))
    for state in StepState:
        _tell(run, RunStep(1, step, state))
    told = capsys.readouterr()
    assert told.out == ""
    assert_safe(told.err, lines=len(StepState) - 1)
