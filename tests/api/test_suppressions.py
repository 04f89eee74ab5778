"""Findings accepted over HTTP by who signs for AWS: what is taken, what is refused, and in which words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.api.fields import MOST_ERRORS
from chalicelib.api.routes import MOST_BYTES
from chalicelib.findings import Status
from chalicelib.ledger import LONGEST, Stored
from chalicelib.report.stored import finding_to_json
from tests.api.world import AUDITOR, Served, now
from tests.functions.watching import refusal

REASON = "the build server has no person to ask"
PROBLEM = "application/problem+json"


def day(days: int) -> str:
    """So many days from today."""
    return (now().date() + timedelta(days=days)).isoformat()


def wanted(stored: Stored, **changes: Any) -> dict[str, Any]:
    """A body that is taken, or with other values is not."""
    return {"account": stored.account, "until": day(30), "reason": REASON, **changes}


def test_a_finding_is_accepted_and_no_longer(served: Served) -> None:
    stored = served.finding()
    made = served.asks("POST", stored.fingerprint, wanted(stored))
    assert (made.status, made.headers["content-type"]) == (201, "application/json")
    accepted = served.stored(stored)
    assert made.json == finding_to_json(accepted)
    assert made.json["suppression"] == {"until": day(30), "severity": "high", "reason": REASON, "by": AUDITOR}
    assert accepted.status is Status.SUPPRESSED
    back = served.asks("DELETE", stored.fingerprint, account=stored.account)
    assert back.status == 200
    again = served.stored(stored)
    assert back.json == finding_to_json(again)
    assert (again.status, again.suppression, again.run) == (Status.OPEN, None, AUDITOR)
    assert served.notices() == [(stored.fingerprint, "suppressed"), (stored.fingerprint, "reopened")]
    assert {made.headers[name] for name in ("cache-control", "x-content-type-options")} == {"no-store", "nosniff"}


def test_one_that_is_accepted_is_accepted_anew(served: Served) -> None:
    stored = served.finding()
    for days in (1, LONGEST.days):
        assert served.asks("POST", stored.fingerprint, wanted(stored, until=day(days))).status == 201
    accepted = served.stored(stored).suppression
    assert accepted is not None
    assert accepted.until.isoformat() == day(LONGEST.days)


BODIES: dict[str, tuple[Any, int, str]] = {
    "nothing": ("", 400, "is no JSON"),
    "half of it": ('{"account": "1', 400, "is no JSON"),
    "a list": ([], 400, "must be an object"),
    "nested too deep": ("[" * 20_000, 400, "nested too deep"),
    "a name twice": ('{"until": "2026-01-31", "until": "2026-02-01"}', 400, "until: stands twice"),
    "too large": ({"reason": "x" * MOST_BYTES}, 413, f"{MOST_BYTES:,} bytes"),
    "an account that is a number": ({"account": 111122223333}, 422, "account must be an account id"),
    "digits of another script": ({"account": "١" * 12}, 422, "account must be an account id"),
    "a short reason": ({"reason": "ok"}, 422, "reason must have 3 characters"),
    "a reason of blanks": ({"reason": " \n\t "}, 422, "reason must have 3 characters"),
    "a long reason": ({"reason": "x" * 501}, 422, "reason must have 500 characters"),
    "half a character": ({"reason": "abc\ud800"}, 422, "reason must hold no control characters"),
    "a reason with an escape": ({"reason": "abc\x1b[2J"}, 422, "reason must hold no control characters"),
    "a week": ({"until": "2026-W05-6"}, 422, "until must be a day"),
    "a time": ({"until": "2026-01-31T12:00:00Z"}, 422, "until must be a day"),
    "no day of the calendar": ({"until": "2026-02-30"}, 422, "there is no 2026-02-30"),
    "null": ({"until": None}, 422, "until must be a day"),
    "yesterday": ({"until": day(-1)}, 422, "until"),
    "too far ahead": ({"until": day(LONGEST.days + 1)}, 422, "until"),
    "an unknown field": ({"by": "somebody else"}, 422, "by is unknown"),
}


@pytest.mark.parametrize(("body", "status", "told"), BODIES.values(), ids=BODIES)
def test_a_body_that_is_wrong_changes_nothing_and_is_told(served: Served, body: Any, status: int, told: str) -> None:
    stored = served.finding()
    before = served.seen()
    answer = served.asks("POST", stored.fingerprint, wanted(stored, **body) if isinstance(body, dict) else body)
    assert (answer.status, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json["type"] == "about:blank"
    assert answer.json["title"]
    assert told in answer.json["detail"]
    assert served.seen() == before


def test_all_that_is_wrong_is_told_at_once_by_its_place(served: Served) -> None:
    stored = served.finding()
    odd = {f"<script>/{number}~\u202e": 1 for number in range(100)}
    answer = served.asks("POST", stored.fingerprint, {"reason": 1, "until": "", **odd})
    pointers = [one["pointer"] for one in answer.json["errors"]]
    assert len(pointers) == MOST_ERRORS
    assert "#/<script>~10~0?" in pointers
    few = served.asks("POST", stored.fingerprint, {"reason": 1, "until": ""}).json["errors"]
    assert {one["pointer"]: one["detail"] for one in few} == {
        "#/account": "is missing",
        "#/until": "must be a day such as 2026-01-31",
        "#/reason": "must be a text",
    }


@pytest.mark.parametrize(
    ("fingerprint", "method", "status"),
    [
        ("0" * 32, "POST", 404),
        ("0" * 32, "DELETE", 404),
        ("0" * 31, "POST", 404),
        ("F" * 32, "POST", 404),
        ("%20", "DELETE", 404),
    ],
)
def test_what_is_not_there_is_not_found(served: Served, fingerprint: str, method: str, status: int) -> None:
    stored = served.finding()
    before = served.seen()
    body, query = (wanted(stored), {}) if method == "POST" else (None, {"account": stored.account})
    answer = served.asks(method, fingerprint, body, **query)
    assert (answer.status, answer.headers["content-type"], answer.json["why"]) == (status, PROBLEM, "unknown")
    assert served.seen() == before


def test_a_finding_of_another_account_is_not_found(served: Served) -> None:
    stored = served.finding()
    assert served.asks("POST", stored.fingerprint, wanted(stored, account="999999999999")).status == 404


def test_what_is_not_accepted_cannot_be_taken_back(served: Served) -> None:
    stored = served.finding()
    before = served.seen()
    answer = served.asks("DELETE", stored.fingerprint, account=stored.account)
    assert (answer.status, answer.json["why"]) == (409, "not-accepted")
    for query in ({}, {"account": "1"}, {"account": stored.account, "fingerprint": stored.fingerprint}):
        assert served.asks("DELETE", stored.fingerprint, **query).status == 422
    assert served.seen() == before


def test_what_fails_is_told_without_what_aws_said(served: Served) -> None:
    stored = served.finding()
    served.world.watching.faults["dynamodb:Query"] = refusal("AccessDeniedException")
    answer = served.asks("POST", stored.fingerprint, wanted(stored))
    assert (answer.status, answer.headers["content-type"]) == (500, PROBLEM)
    assert "not now" not in answer.text


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", ["", "nobody", "arn:aws:iam::1:user/a\nb"])
def test_who_signs_nothing_is_told_nothing(served: Served, caller: str) -> None:
    """API Gateway lets them in nowhere; the function would not take a caller that is none either."""
    stored = served.finding()
    before = served.seen()
    assert served.asks("POST", stored.fingerprint, wanted(stored), caller=caller).status == 403
    assert served.asks("DELETE", stored.fingerprint, caller=caller, account=stored.account).status == 403
    assert served.seen() == before


@pytest.mark.parametrize(
    ("method", "path", "kind", "status"),
    [
        ("POST", "/v1/findings/x/suppressions", "text/plain", 415),
        ("POST", "/v1/slack/actions", "application/json", 415),
        ("GET", "/v1/slack/actions", "application/json", 403),
        ("GET", "/v1/nothing", "application/json", 403),
    ],
)
def test_what_there_is_no_route_for(served: Served, method: str, path: str, kind: str, status: int) -> None:
    """Of what API Gateway refuses it tells in words of its own; what Chalice refuses is a problem too."""
    answer = served.world.deployment.request(method, path, {"Content-Type": kind}, "{}", AUDITOR)
    assert (answer.status, answer.headers["content-type"] == PROBLEM) == (status, status == 415)
