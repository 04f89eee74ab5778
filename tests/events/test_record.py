"""Records: what is read from them, whatever they hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.events.causes import cause_of
from chalicelib.events.record import Actor, Record, parse_record
from tests.accounts.build import ACCOUNT, TAKEN
from tests.events.records import CALLERS, Json, record_of

OTHER = "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ci/deploy"


def read(**fields: object) -> Record:
    found = parse_record({"eventSource": "iam.amazonaws.com", "eventName": "CreateUser", **fields})
    assert found is not None
    return found


def actor(**identity: object) -> Actor:
    return read(userIdentity=identity).actor


def test_a_record_is_read() -> None:
    value = record_of(
        {
            "id": "one",
            "event": "iam DetachUserPolicy",
            "parameters": {"userName": "alice"},
            "response": {"a": 1},
            "additional": {"b": 2},
            "record": {
                "sharedEventID": "shared",
                "errorCode": "AccessDenied",
                "errorMessage": "no",
                "resources": [{"ARN": "x"}, 7, None],
                "serviceEventDetails": {"c": 3},
            },
        }
    )
    issuer = CALLERS["deployer"]["sessionContext"]["sessionIssuer"]["arn"]
    assert parse_record(value) == Record(
        source="iam.amazonaws.com",
        name="DetachUserPolicy",
        event_id="of one",
        shared_event_id="shared",
        at=TAKEN,
        region="eu-west-1",
        account=ACCOUNT,
        actor=Actor(
            kind="AssumedRole",
            principal_id=CALLERS["deployer"]["principalId"],
            arn=CALLERS["deployer"]["arn"],
            account=ACCOUNT,
            access_key_id=CALLERS["deployer"]["accessKeyId"],
            issuer_arn=issuer,
            mfa="false",
            has_session=True,
            address="203.0.113.9",
            agent="aws-cli/2.27.1",
        ),
        parameters={"userName": "alice"},
        response={"a": 1},
        additional={"b": 2},
        details={"c": 3},
        resources=({"ARN": "x"},),
        read_only=False,
        error_code="AccessDenied",
        error_message="no",
    )


@pytest.mark.parametrize(
    "value",
    [
        None, 7, "record", [], {}, {"eventName": "CreateUser"}, {"eventSource": "iam.amazonaws.com"},
        {"eventSource": "", "eventName": "CreateUser"}, {"eventSource": "iam.amazonaws.com", "eventName": ["x"]},
    ],
)  # fmt: skip
def test_what_is_no_record(value: object) -> None:
    assert parse_record(value) is None


def test_a_record_with_nothing_in_it() -> None:
    record = read()
    assert record == Record(source="iam.amazonaws.com", name="CreateUser", digest=record.digest)
    assert record.actor == Actor()
    assert record.actor.name == ""
    assert record.action == "iam:CreateUser"
    assert not record.refused


@pytest.mark.parametrize("nothing", [None, "", 7, [], "HIDDEN_DUE_TO_SECURITY_REASONS", {"x": {}}])
def test_fields_of_other_types_are_empty(nothing: object) -> None:
    names = "userIdentity requestParameters responseElements additionalEventData resources readOnly eventTime".split()
    record = read(**dict.fromkeys(names, nothing))
    assert record.actor == Actor()
    assert (record.at, record.read_only, record.resources) == (None, None, ())
    assert all(isinstance(found, dict) or not found for found in (record.parameters, record.response))


@pytest.mark.parametrize(
    ("recipient", "caller", "account"),
    [
        (ACCOUNT, OTHER, ACCOUNT),
        (None, OTHER, OTHER),
        ("12345", OTHER, OTHER),
        (int(ACCOUNT), OTHER, OTHER),
        (f"{ACCOUNT}\n", OTHER, OTHER),
        ("١" * 12, None, ""),
        (None, "anonymous", ""),
    ],
)
def test_the_account(recipient: object, caller: object, account: str) -> None:
    assert read(recipientAccountId=recipient, userIdentity={"accountId": caller}).account == account


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (TAKEN.strftime("%Y-%m-%dT%H:%M:%SZ"), TAKEN),
        (TAKEN.strftime("%Y-%m-%dT%H:%M:%S"), TAKEN),
        (TAKEN.strftime("%Y-%m-%dT%H:%M:%S.500Z"), TAKEN + timedelta(milliseconds=500)),
        ((TAKEN + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00"), TAKEN),
        ("0001-01-01T00:00:00+14:00", None),
        ("May 31, 2026 9:00:00 AM", None),
        ("", None),
        (7, None),
    ],
)
def test_the_moment(text: object, moment: datetime | None) -> None:
    found = read(eventTime=text).at
    assert found == moment
    assert found is None or found.tzinfo is UTC


def test_the_moment_may_have_another_name() -> None:
    assert read(**{"@timestamp": TAKEN.isoformat()}).at == TAKEN
    assert read(**{"@timestamp": TAKEN.isoformat(), "eventTime": (TAKEN - timedelta(1)).isoformat()}).at < TAKEN  # type: ignore[operator]


# --- identity --------------------------------------------------------------------------------------------------------


def test_copies_of_one_event_have_one_identity() -> None:
    mine, theirs = read(eventID="one", sharedEventID="both"), read(eventID="two", sharedEventID="both")
    assert mine.identity == theirs.identity == "both"
    assert read(eventID="one").identity == "one"
    assert mine.digest == ""


def test_a_record_without_id_is_known_by_what_it_says() -> None:
    value: Json = {"requestParameters": {"userName": "alice", "path": "/"}}
    turned: Json = {"requestParameters": {"path": "/", "userName": "alice"}}
    other: Json = {"requestParameters": {"userName": "bob", "path": "/"}}
    assert read(**value).identity == read(**turned).identity != read(**other).identity
    assert len(read(**value).identity) == 64


def test_a_record_without_id_that_cannot_be_written_has_an_identity() -> None:
    deep: object = []
    for _ in range(100_000):
        deep = [deep]
    odd = [read(requestParameters={"x": value}, eventTime="x") for value in (deep, 10**5000, object())]
    assert len({record.identity for record in odd}) == 1
    assert odd[0].identity != read(requestParameters={"x": deep}, eventTime="y").identity


def test_texts_can_be_written() -> None:
    agent = read(userAgent=json.loads(r'"half \ud800 pair, whole \ud83d\ude00"')).actor.agent
    assert agent == "half ? pair, whole 😀"


# --- actors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ({"type": "IAMUser", "userName": "bob", "arn": f"arn:aws:iam::{ACCOUNT}:user/people/bob"}, "bob"),
        ({"type": "IAMUser", "userName": "bob"}, "bob"),
        ({"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/people/of/bob"}, "bob"),
        ({"type": "IAMUser", "userName": 7, "arn": f"arn:aws-cn:iam::{ACCOUNT}:user/bob"}, "bob"),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:user/bob"}, "bob"),
        ({"userName": "bob"}, ""),
        ({"type": "IAMUser", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}, ""),
        ({"type": "IAMUser", "userName": "my password"}, ""),
        ({"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:role/bob"}, ""),
        ({"type": "Root", "userName": "acme-payments"}, ""),
        ({"type": "AssumedRole", "userName": "bob"}, ""),
        ({"type": "AssumedRole", "arn": f"arn:aws:iam::{ACCOUNT}:user/bob"}, ""),
    ],
)
def test_the_name_of_a_user(identity: Json, name: str) -> None:
    assert actor(**identity).user_name == name


def test_the_alias_of_the_root_user() -> None:
    assert actor(type="Root", userName="acme-payments").alias == "acme-payments"
    assert actor(type="IAMUser", userName="bob").alias == ""


@pytest.mark.parametrize(
    ("said", "mfa"),
    [("true", "true"), ("False", "false"), (True, "true"), (False, "false"), ("perhaps", ""), (1, ""), (None, "")],
)
def test_mfa_as_the_session_says(said: object, mfa: str) -> None:
    found = actor(sessionContext={"attributes": {"mfaAuthenticated": said}})
    assert (found.mfa, found.has_session) == (mfa, True)


@pytest.mark.parametrize(
    "context", [None, {}, {"attributes": None}, {"attributes": {}}, {"sessionIssuer": {"arn": ROLE}}]
)
def test_no_session(context: object) -> None:
    found = actor(sessionContext=context)
    assert (found.mfa, found.has_session) == ("", False)


def test_the_best_name_of_an_actor() -> None:
    said: list[tuple[str, Json]] = [
        ("an ARN", {"arn": "an ARN"}),
        ("bob", {"type": "IAMUser", "userName": "bob"}),
        (ROLE, {"sessionContext": {"sessionIssuer": {"arn": ROLE}}}),
        ("config.amazonaws.com", {"invokedBy": "config.amazonaws.com"}),
        ("AIDA", {"principalId": "AIDA"}),
        (ACCOUNT, {"accountId": ACCOUNT}),
        ("IAMUser", {"type": "IAMUser"}),
    ]
    for index, (name, _) in enumerate(said):
        identity = {key: value for _, fields in said[index:] for key, value in fields.items()}
        assert actor(**identity).name == name


# --- causes ----------------------------------------------------------------------------------------------------------


def test_a_cause_says_who_did_what_from_where() -> None:
    value = record_of({"id": "one", "event": "iam DetachUserPolicy"})
    record = parse_record(value)
    assert record is not None
    assert cause_of(record).to_json() == {
        "event_id": "of one",
        "event": "iam:DetachUserPolicy",
        "at": TAKEN.isoformat(),
        "actor": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/deployer",
        "address": "203.0.113.9",
        "agent": "aws-cli/2.27.1",
        "own": False,
        "about": "",
    }


SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/session"


@pytest.mark.parametrize(
    ("arn", "issuer", "roles", "own"),
    [
        (SESSION, ROLE, [ROLE], True),
        (SESSION, ROLE, [f"{ROLE}-too", ROLE], True),
        (SESSION, ROLE, [], False),
        (SESSION, ROLE, [ROLE.replace("ci/", "")], False),
        (SESSION, ROLE, [ROLE.upper()], False),
        (SESSION, ROLE.replace(ACCOUNT, OTHER), [ROLE], False),
        (SESSION, "", [ROLE], True),
        (SESSION, "", [ROLE.replace("ci/", "")], True),
        (SESSION, "", [ROLE.replace(ACCOUNT, OTHER)], False),
        (SESSION, "", [ROLE.replace("arn:aws:", "arn:aws-cn:")], False),
        (SESSION, "", [ROLE.replace("deploy", "deployment")], False),
        (SESSION, "", [f"arn:aws:iam::{ACCOUNT}:role/deploy/other"], False),
        (SESSION, "", [f"arn:aws:iam::{ACCOUNT}:user/deploy", "deploy", "arn:aws:iam", ""], False),
        (f"{SESSION}/more", "", [ROLE], False),
        (SESSION.replace("assumed-role", "federated-user"), "", [ROLE], False),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy", "", [ROLE], False),
        (f"arn:aws:iam::{ACCOUNT}:user/deploy", "", [ROLE], False),
        ("", "", [ROLE, ""], False),
    ],
)
def test_what_is_our_own(arn: str, issuer: str, roles: list[str], own: bool) -> None:
    context = {"sessionContext": {"sessionIssuer": {"type": "Role", "arn": issuer}}} if issuer else {}
    record = read(userIdentity={"type": "AssumedRole", "arn": arn, **context})
    assert cause_of(record, roles).own is own
    assert cause_of(record, frozenset(roles)).own is own
