"""Who may ask about which accounts, where the settings say so: what is another's is not there, and is not changed."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.api.callers import caller_of, principal_of
from chalicelib.api.problems import Problem
from chalicelib.api_settings import ApiSettings, Grant
from chalicelib.ledger import Stored
from tests.api.test_routes import ALL
from tests.api.world import SETTINGS, Served, now
from tests.functions.conftest import OWN

READER = f"arn:aws:sts::{OWN}:assumed-role/reader/rita"
WRITER = f"arn:aws:iam::{OWN}:user/people/willy"
OUTSIDER = f"arn:aws:sts::{OWN}:assumed-role/outsider/otto"
EVERYBODY = f"arn:aws:iam::{OWN}:user/boss"
THEIRS = "111122223333"
"""The account of the findings of this world."""
ACCESS = f"""{SETTINGS}
[[api.access]]
principals = ["arn:aws:iam::{OWN}:role/read*"]
accounts = ["{THEIRS}"]

[[api.access]]
principals = ["arn:aws:iam::{OWN}:user/people/*"]
accounts = ["{THEIRS}"]
write = true

[[api.access]]
principals = ["arn:aws:iam::{OWN}:role/outsider"]
accounts = ["444455556666"]
write = true

[[api.access]]
principals = ["arn:aws:iam::{OWN}:user/boss"]
accounts = ["*"]
"""


@pytest.fixture
def granted(served: Served) -> Served:
    served.settings(ACCESS)
    return served


def requests(stored: Stored) -> dict[str, tuple[str, str, Any]]:
    """What can be asked about an account."""
    one = f"/v1/findings/{stored.fingerprint}"
    until = now().date().isoformat()
    return {
        "findings": ("GET", f"/v1/findings?account={THEIRS}", None),
        "finding": ("GET", f"{one}?account={THEIRS}", None),
        "run": ("GET", f"/v1/audits/a-sweep?account={THEIRS}", None),
        "surface": ("GET", f"/v1/users/anna/surface?account={THEIRS}", None),
        "report": ("GET", f"/v1/report?account={THEIRS}", None),
        "audit": ("POST", "/v1/audits", {"account": THEIRS}),
        "decision": ("POST", "/v1/decisions", {"account": THEIRS, "user": "anna", "action": "s3:GetObject"}),
        "plan": ("POST", f"{one}/remediation", {"account": THEIRS}),
        "remediation": ("POST", f"{one}/remediation", {"account": THEIRS, "apply": True, "plan": "0" * 16}),
        "suppression": ("POST", f"{one}/suppressions", {"account": THEIRS, "until": until, "reason": "accepted"}),
        "no suppression": ("DELETE", f"{one}/suppressions?account={THEIRS}", None),
    }


DECIDES = ("remediation", "suppression", "no suppression")
NAMES = ("findings", "finding", "run", "surface", "report", "audit", "decision", "plan", *DECIDES)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_granted_is_not_there_and_is_not_asked_for(granted: Served, name: str) -> None:
    stored = granted.finding()
    method, path, body = requests(stored)[name]
    before = granted.seen()
    answer = granted.ask(method, path, body, OUTSIDER)
    assert answer.status == (404 if method == "GET" else 403)
    assert answer.json["why"] == ("unknown" if method == "GET" else "not-granted")
    assert stored.fingerprint not in answer.text
    assert granted.seen() == before


@pytest.mark.parametrize("name", DECIDES)
def test_who_may_read_decides_nothing(granted: Served, name: str) -> None:
    stored = granted.finding()
    method, path, body = requests(stored)[name]
    before = granted.seen()
    answer = granted.ask(method, path, body, READER)
    assert (answer.status, answer.json["why"]) == (403, "not-granted")
    assert granted.seen() == before


def test_what_is_granted_is_answered(granted: Served) -> None:
    stored = granted.finding()
    asked = requests(stored)
    for name in ("findings", "finding"):
        assert granted.ask(*asked[name], READER).status == 200
    for name, status in (("suppression", 201), ("no suppression", 200)):
        assert granted.ask(*asked[name], WRITER).status == status


def test_lists_leave_out_what_is_not_granted(granted: Served) -> None:
    granted.finding()
    seen = {caller: granted.ask("GET", "/v1/findings", caller=caller).json["findings"] for caller in (READER, OUTSIDER)}
    assert {one["account"] for one in seen[READER]} == {THEIRS}
    assert seen[OUTSIDER] == []
    page = granted.ask("GET", "/v1/findings", caller=READER, limit="1").json
    answer = granted.ask("GET", "/v1/findings", caller=OUTSIDER, limit="1", cursor=page["next"] or "")
    assert (answer.status, "findings" in answer.json) == (422, False)


def test_all_accounts_are_granted_by_a_star(granted: Served) -> None:
    stored = granted.finding()
    assert granted.ask(*requests(stored)["finding"], EVERYBODY).status == 200
    assert granted.ask(*requests(stored)["suppression"], EVERYBODY).status == 403


def test_what_is_about_no_account_is_anybodys_who_is_let_in(granted: Served) -> None:
    body = {
        "principal": "arn:aws:iam::111122223333:user/anna",
        "policies": {"identity": [ALL]},
        "action": "s3:GetObject",
    }
    assert granted.ask("POST", "/v1/decisions", body, OUTSIDER).status == 200
    assert granted.ask("GET", "/v1/openapi.json", caller=OUTSIDER).status == 200


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        (READER, f"arn:aws:iam::{OWN}:role/reader"),
        ("arn:aws-cn:sts::111122223333:assumed-role/a/b/c", "arn:aws-cn:iam::111122223333:role/a"),
        (WRITER, WRITER),
        (f"arn:aws:iam::{OWN}:root", f"arn:aws:iam::{OWN}:root"),
        ("arn:aws:sts::111122223333:federated-user/a", "arn:aws:sts::111122223333:federated-user/a"),
    ],
)
def test_a_session_is_of_its_role(arn: str, principal: str) -> None:
    assert principal_of(arn) == principal


@pytest.mark.parametrize(
    ("pattern", "arn", "granted"),
    [
        ("arn:aws:iam::111122223333:role/*", "arn:aws:sts::111122223333:assumed-role/a/b", True),
        ("arn:aws:iam::111122223333:role/*", "arn:aws:sts::444455556666:assumed-role/a/b", False),
        ("arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:user/role/a", False),
        ("arn:aws:iam::*:role/a", "arn:aws:sts::111122223333:assumed-role/a/role-b", True),
        ("arn:aws:iam::111122223333:role/a", "arn:aws:sts::111122223333:assumed-role/ab/a", False),
        ("arn:aws:iam::111122223333:user/?", "arn:aws:iam::111122223333:user/a", True),
        ("arn:aws:iam::111122223333:user/?", "arn:aws:iam::111122223333:user/ab", False),
    ],
)
def test_whom_a_pattern_is_for(pattern: str, arn: str, granted: bool) -> None:
    settings = ApiSettings((Grant(frozenset({"111122223333"}), (pattern,)),))
    caller = caller_of({"identity": {"userArn": arn}}, lambda: settings, now())
    assert (caller.may_see("111122223333"), caller.may_change("111122223333")) == (granted, False)


@pytest.mark.parametrize("context", [{}, {"identity": None}, {"identity": {"userArn": None}}, {"authorizer": None}])
def test_who_is_not_named_is_nobody(context: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refused:
        caller_of(context, ApiSettings, now())
    assert refused.value.status == 403
