"""Tasks of remediation: the message that carries one, and what names it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.execution.tasks import LONGEST_NAME, MOST_FINGERPRINTS, Task, TaskError, TaskKind, parse_task
from tests.accounts.build import ACCOUNT, TAKEN

PRINT = "0123456789abcdef" * 2
TASK = Task(TaskKind.CARRY_OUT, ACCOUNT, "20260131T120000Z-0123abcd-ef4567", (PRINT,), "U0123456789", TAKEN)

seconds = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))


@given(
    st.builds(
        Task,
        kind=st.sampled_from(TaskKind),
        account=st.from_regex(r"[0-9]{12}", fullmatch=True),
        run=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
        fingerprints=st.lists(st.from_regex(r"[0-9a-f]{32}", fullmatch=True), max_size=4).map(tuple),
        by=st.text(st.characters(exclude_categories=["Cs"]), max_size=LONGEST_NAME),
        at=st.none() | seconds,
    )
)
def test_a_task_comes_back_as_it_was(task: Task) -> None:
    assert parse_task(task.to_json()) == task


def test_the_message_has_room() -> None:
    prints = tuple(f"{number:032x}" for number in range(MOST_FINGERPRINTS))
    text = replace(TASK, fingerprints=prints, by="\N{PILE OF POO}" * 10_000).to_json()
    assert len(text.encode()) < 256 * 1024
    assert len(parse_task(text).by) == LONGEST_NAME


def test_what_names_it_tells_other_work_apart() -> None:
    others = [
        replace(TASK, kind=TaskKind.UNDO),
        replace(TASK, account="444455556666"),
        replace(TASK, run="another"),
        replace(TASK, fingerprints=("f" * 32,)),
        replace(TASK, at=TAKEN + timedelta(seconds=1)),
        replace(TASK, at=None),
    ]
    names = [json.dumps(dict(one.work), sort_keys=True) for one in (TASK, *others)]
    assert len(set(names)) == len(names)
    assert parse_task(replace(TASK, by="somebody else", delay=5).to_json()).work == TASK.work


def message(**changes: Any) -> str:
    """A task's message with other values."""
    return json.dumps({**json.loads(TASK.to_json()), **changes})


REFUSED = {
    "nothing": ("", "is no JSON"),
    "half of it": (message()[:-1], "is no JSON"),
    "a list": ("[]", "must be an object"),
    "another kind": (message(kind="delete"), "kind: must be one of look, carry-out, undo"),
    "a kind that is a list": (message(kind=["look"]), "kind: must be"),
    "no account": (message(account=None), "account: must be an account id"),
    "an account with more behind it": (message(account=f"{ACCOUNT}\n"), "account: must be"),
    "a run that is a number": (message(run=7), "run: must be letters"),
    "a run with a separator": (message(run="a#b"), "run: must be letters"),
    "no list": (message(fingerprints=PRINT), "fingerprints: must be a list"),
    "no fingerprints": (message(fingerprints=["x"]), "fingerprints: must be a list"),
    "too many": (message(fingerprints=[PRINT] * (MOST_FINGERPRINTS + 1)), "2,000 at most"),
    "nobody's name": (message(by=None), "by: must be a text"),
    "a long name": (message(by="x" * (LONGEST_NAME + 1)), "by: must be a text"),
    "no moment": (message(at="soon"), "at: must be a time"),
    "a number": (message(at=7), "at: must be a time"),
    "a moment nowhere": (message(at="2026-01-31T12:00:00"), "at: must be a time"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_task_is_refused(text: str, reason: str) -> None:
    with pytest.raises(TaskError, match=reason):
        parse_task(text)
