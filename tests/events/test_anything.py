"""No record raises, however odd; and whatever comes of one can be used."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.events.causes import cause_of
from chalicelib.events.effects import EFFECTS, is_known
from chalicelib.events.envelopes import records_in
from chalicelib.events.impact import impact_of
from chalicelib.events.record import parse_record
from chalicelib.events.sight import parse_sight_loss, sight_of
from tests.accounts.build import ACCOUNT
from tests.events.records import CASES, Json, record_of

RECORDS = [record_of(case) for case in CASES]
ROLES = [f"arn:aws:iam::{ACCOUNT}:role/ci/deploy", "", "arn:aws:iam::x"]
WORDS = st.sampled_from(
    [
        "", "AWS ROOT USER", "HIDDEN_DUE_TO_SECURITY_REASONS", "alice", ACCOUNT, "\ud800", "\x00", "arn:", "arn:::::",
        "::::::", "arn:aws:iam::aws:policy/x", f"arn:aws:iam::{ACCOUNT}:user/", " on resource: user ", " on resource: ",
        f"arn:aws:sts::{ACCOUNT}:assumed-role//x", "true", "No", "mfawatch", "eventName", "x" * 5000, "7" * 5000,
    ]
)  # fmt: skip
NAMES = st.sampled_from(sorted({name for record in RECORDS for name in record})) | WORDS
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def places(value: object, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value that holds something."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, inner in items for found in [(*place, name), *places(inner, (*place, name))]]


@st.composite
def mutations(draw: st.DrawFn) -> Json:
    """A record of the cases, of which some fields are gone or hold something else."""
    record = copy.deepcopy(draw(st.sampled_from(RECORDS)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(places(record) or [("eventName",)]))
        holder: Any = record
        for step in way:
            holder = holder[step]
        if draw(st.booleans()) and isinstance(holder, dict):
            holder.pop(last, None)
        else:
            holder[last] = draw(VALUES)
    return record


def check(value: object) -> None:
    """Read it by all ways; what they give holds together."""
    assert all(parse_record(found) is not None for found in records_in(value))
    record = parse_record(value)
    if record is None:
        return
    assert is_known(record.source, record.name) or (record.source, record.name) not in EFFECTS
    assert re.fullmatch(r"([0-9]{12})?", record.account, re.ASCII)
    assert record.identity
    json.dumps(cause_of(record, ROLES).to_json(), ensure_ascii=False).encode()
    impact, sight = impact_of(record), sight_of(record)
    if impact is not None and impact.scope is not None:
        scope = impact.scope
        assert re.fullmatch(r"[0-9]{12}", scope.account, re.ASCII)
        assert not impact.everywhere
        assert scope.users is None or scope.users or scope.groups or scope.policies
        assert all(re.fullmatch(r"[\w+=,.@-]+", name, re.ASCII) for name in (scope.users or set()) | scope.groups)
        assert all(re.fullmatch(r"arn:[!-~]+:policy/[!-~]+", arn) for arn in scope.policies)
    if sight is not None:
        assert impact is not None
        assert impact.scope is not None
        assert sight.account == impact.scope.account
        assert parse_sight_loss(json.loads(json.dumps(sight.to_json()))).to_json() == sight.to_json()


@given(value=VALUES)
def test_any_json(value: object) -> None:
    check(value)


@given(event=st.sampled_from(sorted(EFFECTS)), fields=st.dictionaries(NAMES, VALUES, max_size=6))
def test_any_record_of_a_known_event(event: tuple[str, str], fields: Json) -> None:
    check({**fields, "eventSource": event[0], "eventName": event[1]})


@given(value=mutations())
def test_any_mutation_of_a_record(value: Json) -> None:
    check(value)


@given(value=mutations())
def test_any_mutation_in_an_envelope(value: Json) -> None:
    for wrapped in (
        {"Records": [value]},
        {"detail": value},
        [value],
        {"Events": [{"CloudTrailEvent": json.dumps(value)}]},
    ):
        for found in records_in(wrapped):
            check(found)
