"""The cases of `impacts.jsonl`: whom an event concerns, and what it does to the auditor's sight."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from chalicelib.events.causes import cause_of
from chalicelib.events.effects import EFFECTS, GIT, is_known
from chalicelib.events.impact import impact_of
from chalicelib.events.record import Record, parse_record
from chalicelib.events.refusals import Target, target_of
from chalicelib.events.rules import Effect
from chalicelib.events.sight import Aspect, SightLoss, parse_sight_loss, sight_of
from tests.accounts.build import ACCOUNT, TAKEN
from tests.events.records import CASES, Json, impact_expected, record_of

SIGHTS = ("cloudtrail.amazonaws.com", "events.amazonaws.com")


def parsed(case: Json) -> Record:
    record = parse_record(record_of(case))
    assert record is not None
    return record


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case: Json) -> None:
    record = parsed(case)
    assert is_known(record.source, record.name)
    assert impact_of(record) == impact_expected(case)
    sight, expected = sight_of(record), case["expected"].get("sight")
    if expected is None:
        assert sight is None
        return
    found = {"account": ACCOUNT} | expected
    assert sight == SightLoss(
        account=found["account"],
        resource=found["resource"],
        name=found["name"],
        at=TAKEN,
        off=found["off"],
        cause=cause_of(record),
        aspect=Aspect(found["aspect"]),
    )


def test_the_cases_are_well_formed() -> None:
    ids = [case["id"] for case in CASES]
    assert sorted(ids) == sorted(set(ids))
    assert [name for name in ids if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []


def test_every_event_has_a_case() -> None:
    shown = {(record.source, record.name) for record in map(parsed, CASES)}
    assert set(EFFECTS) - shown == set()


def test_every_effect_is_shown() -> None:
    assert {case["expected"]["effect"] for case in CASES} == {effect.name for effect in Effect}


def test_every_event_of_sight_is_shown_off_or_on() -> None:
    shown = {case["event"] for case in CASES if "sight" in case["expected"]}
    known = {f"{source.partition('.')[0]} {name}" for source, name in EFFECTS if source in SIGHTS}
    assert shown == known


def test_services_share_names() -> None:
    iam = parse_record({"eventSource": "iam.amazonaws.com", "eventName": "CreateUser"})
    directory = parse_record({"eventSource": "sso-directory.amazonaws.com", "eventName": "CreateUser"})
    assert iam is not None
    assert directory is not None
    found = impact_of(iam), impact_of(directory)
    assert [impact.effect for impact in found if impact] == [Effect.USER_CREATED, Effect.DIRECTORY]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("iam.amazonaws.com", "ListUsers"),
        ("iam.amazonaws.com", "CreateGroup"),
        ("iam.amazonaws.com", "TagPolicy"),
        ("iam.amazonaws.com", "detachuserpolicy"),
        ("codecommit.amazonaws.com", "DetachUserPolicy"),
        ("", ""),
        (None, None),
        (["iam.amazonaws.com"], {"a": "DetachUserPolicy"}),
    ],
)
def test_other_events_are_nobodys_business(source: object, name: object) -> None:
    assert not is_known(source, name)
    record = parse_record({"eventSource": source, "eventName": name})
    assert record is None or (impact_of(record), sight_of(record)) == (None, None)


def test_git_is_known_and_changes_nothing() -> None:
    for source, name in GIT:
        record = parse_record({"eventSource": source, "eventName": name, "recipientAccountId": ACCOUNT})
        assert record is not None
        assert is_known(source, name)
        assert impact_of(record) is None
    assert {name for _, name in GIT} == {"GitPull", "GitPush"}


# --- refusals --------------------------------------------------------------------------------------------------------

ACCOUNT_ARN = f"arn:aws:organizations::{ACCOUNT}:account/o-exampleorgid/444455556666"
UNIT_ARN = f"arn:aws:organizations::{ACCOUNT}:ou/o-exampleorgid/444455556666"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/guards/require-mfa"


@pytest.mark.parametrize(
    ("resource", "target"),
    [
        ("user alice", Target(user="alice")),
        ("user alice because it is so", Target(user="alice")),
        ("group staff with an explicit deny", Target(group="staff")),
        (f"policy {POLICY} version v2", Target(arn=POLICY, policy=POLICY)),
        (POLICY, Target(arn=POLICY, policy=POLICY)),
        (ACCOUNT_ARN, Target(arn=ACCOUNT_ARN, account="444455556666")),
        (UNIT_ARN, Target(arn=UNIT_ARN)),
        ("policy require-mfa", Target()),
        ("role deploy", Target()),
        ("user <!channel>", Target()),
        ("user", Target()),
        ("*", Target()),
        ("", Target()),
    ],
)
def test_what_a_refusal_names(resource: str, target: Target) -> None:
    caller = f"User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: iam:X"
    assert target_of(f"{caller} on resource: {resource}") == target
    assert target_of(f"{caller} on {resource}") == Target()


# --- sight -----------------------------------------------------------------------------------------------------------


def sight(event: str, **parameters: object) -> SightLoss:
    found = sight_of(parsed({"id": "x", "event": event, "parameters": parameters}))
    assert found is not None
    return found


def test_what_undoes_a_loss_has_its_id_and_nothing_else_has() -> None:
    stopped, started = sight("cloudtrail StopLogging", name="audit"), sight("cloudtrail StartLogging", name="audit")
    selectors = [{"readWriteType": "ReadOnly"}]
    narrowed = sight("cloudtrail PutEventSelectors", trailName="audit", eventSelectors=selectors)
    other = sight("cloudtrail StopLogging", name="archive")
    assert stopped.id == started.id
    assert len({stopped.id, narrowed.id, other.id}) == 3
    assert sight("events RemoveTargets", rule="mfawatch-x").id == sight("events PutTargets", rule="mfawatch-x").id
    assert sight("events RemoveTargets", rule="mfawatch-x").id != sight("events EnableRule", name="mfawatch-x").id


def test_a_loss_as_json() -> None:
    loss = sight("cloudtrail StopLogging", name="audit")
    for one in (loss, replace(loss, at=None, off=False, aspect=Aspect.TARGETS)):
        assert parse_sight_loss(json.loads(json.dumps(one.to_json()))) == one
