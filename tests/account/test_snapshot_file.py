"""The snapshot file: nothing is lost in it, and what is none is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.audit import judge
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.documents import parse_json
from chalicelib.iam.exports import Exports, read_exports
from chalicelib.iam.snapshot_file import FORMAT, SnapshotError, parse_snapshot, snapshot_to_json
from tests.accounts import DEMO, SEEDS, load_exports
from tests.accounts.build import ADMIN, FULL_ACCESS, GUARD, TAKEN, Person, exports, report, swap

STORED = [DEMO, *sorted(path for path in SEEDS.iterdir() if path.is_dir())]


def audited(answers: Exports, taken: Any = TAKEN) -> str:
    """The audit, byte for byte."""
    return json.dumps(judge(read_exports(answers, taken)).to_json())


def assert_survives(answers: Exports) -> None:
    """Written and read again, the answers give the same audit; written once more, the same file."""
    text = json.dumps(snapshot_to_json(answers, TAKEN))
    again, taken = parse_snapshot(parse_json(text))
    assert taken == TAKEN
    assert audited(again, taken) == audited(answers)
    assert json.dumps(snapshot_to_json(again, taken)) == text


@pytest.mark.parametrize("folder", STORED, ids=lambda folder: folder.name)
def test_a_stored_account_survives(folder: Path) -> None:
    assert_survives(load_exports(folder))


@pytest.mark.parametrize("field", [str(read) for read in Read])
def test_a_missing_answer_stays_missing(field: str) -> None:
    whole = exports(Person(inline=[ADMIN]), scps=[FULL_ACCESS, [GUARD]])
    assert_survives(swap(whole, **{field.replace("-", "_"): None}))


def test_gaps_survive() -> None:
    gaps = (Gap(Read.SSH_PUBLIC_KEYS, "alice", "throttled"), Gap(Read.MFA_DEVICES, "", "AccessDenied: \u202e no"))
    assert_survives(swap(exports(Person()), gaps=gaps))


def test_an_empty_answer_is_not_a_missing_one() -> None:
    assert_survives(swap(exports(Person()), mfa_devices={}, ssh_public_keys={}))


def test_a_report_in_the_clis_json_survives() -> None:
    text = report([])
    assert_survives(swap(exports(Person()), credential_report=text.replace("\n", "\r\n")))


TWICE = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Effect": "Allow", "Action": "*", "Resource": "*"}]}'
)


@pytest.mark.parametrize("document", [TWICE, json.dumps(TWICE)], ids=["an object", "text"])
def test_a_name_that_stands_twice_in_a_document_survives(document: str) -> None:
    """Which of two effects AWS would take is not known, before the file is written and after."""
    text = json.dumps(exports(Person(inline=["HERE"])).authorization_details).replace('"HERE"', document)
    assert_survives(swap(exports(Person()), authorization_details=parse_json(text)))


# --- what is refused -------------------------------------------------------------------------------------------------

WHOLE = snapshot_to_json(exports(Person()), TAKEN)
BROKEN: list[tuple[str, Any]] = [
    ("no object", []),
    ("null", None),
    ("empty", {}),
    ("details in its place", exports(Person()).authorization_details),
    ("another format", WHOLE | {"format": "mfawatch-snapshot/2"}),
    ("a format that is no text", WHOLE | {"format": [FORMAT]}),
    ("no time", {key: value for key, value in WHOLE.items() if key != "taken_at"}),
    ("a time that is none", WHOLE | {"taken_at": "yesterday"}),
    ("a time that is true", WHOLE | {"taken_at": True}),
    ("no answers", {key: value for key, value in WHOLE.items() if key != "answers"}),
    ("answers that are none", WHOLE | {"answers": []}),
    ("an unknown answer", WHOLE | {"answers": {"policies": {}}}),
    ("an answer with a hostile name", WHOLE | {"answers": {"\u001b[31m\n": {}}}),
    ("a report that is no text", WHOLE | {"answers": {"credential-report": {}}}),
    ("gaps that are no list", WHOLE | {"gaps": {}}),
    ("a gap that is text", WHOLE | {"gaps": ["throttled"]}),
    ("a gap about nothing", WHOLE | {"gaps": [{}]}),
    ("a gap in an unknown read", WHOLE | {"gaps": [{"read": "tea-leaves", "subject": "", "reason": ""}]}),
    ("a gap whose subject is no text", WHOLE | {"gaps": [{"read": "mfa-devices", "subject": None, "reason": ""}]}),
]


@pytest.mark.parametrize("value", [case[1] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_what_is_no_snapshot_is_one_line(value: object) -> None:
    with pytest.raises(SnapshotError) as caught:
        parse_snapshot(value)
    assert str(caught.value).strip()
    assert "\n" not in str(caught.value)


def test_a_snapshot_of_nothing_says_nothing() -> None:
    """Without one answer about users there is no account to call fine."""
    answers, taken = parse_snapshot(WHOLE | {"answers": {}})
    told = judge(read_exports(answers, taken)).to_json()
    assert {control["status"] for control in told["controls"]} == {"not evaluated"}
