"""Accepting a finding in Slack: the form that a button opens, and what comes of submitting it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.api.fields import LONGEST_REASON
from chalicelib.diff import diff
from chalicelib.findings import Status
from chalicelib.ledger import LONGEST, Stored
from chalicelib.local.slack_buttons import SIGNING_SECRET, press
from chalicelib.local.slack_workspace import Opened, broken, refusing
from chalicelib.notify.accept_form import SUGGESTED
from chalicelib.notify.buttons import ACCEPT_FINDING
from tests.api.world import ANNA, EVE, Served, now
from tests.functions.watching import refusal
from tests.ledger.build import audit

REASON = "the build server has no person to ask"


def opened(served: Served, stored: Stored) -> Opened:
    """The form for a finding, as somebody sees it."""
    answer = served.press(stored, ACCEPT_FINDING)
    assert (answer.status, answer.text) == (200, "")
    return served.slack.opened[-1]


def resolved(served: Served, stored: Stored) -> None:
    """An audit no longer finds it."""
    seen = replace(audit(users=["somebody else"]), generated_at=now() + timedelta(seconds=1))
    changes = diff(seen, [served.stored(stored)], "two", now())
    assert served.world.deployment.ledger.apply(changes)
    assert served.stored(stored).status is Status.RESOLVED


def test_a_finding_is_accepted_with_a_reason_and_through_a_day(served: Served) -> None:
    stored = served.finding()
    form = opened(served, stored)
    assert served.whispers() == []
    until = now().date() + timedelta(days=3)
    answer = served.submit(form, {"reason": f"  {REASON}\n", "until": until.isoformat()})
    assert (answer.status, answer.text) == (200, "")
    after_it = served.stored(stored)
    accepted = after_it.suppression
    assert (after_it.status, after_it.version) == (Status.SUPPRESSED, 2)
    assert accepted is not None
    assert (accepted.reason, accepted.until, accepted.by) == (REASON, until, f"{ANNA} ({ANNA.lower()})")
    assert served.notices() == [(stored.fingerprint, "suppressed")]
    assert served.tasks() == []


def test_who_leaves_the_day_alone_accepts_it_for_a_month(served: Served) -> None:
    stored = served.finding()
    assert served.submit(opened(served, stored), {"reason": REASON}).status == 200
    accepted = served.stored(stored).suppression
    assert accepted is not None
    assert accepted.until == now().date() + SUGGESTED


def day(days: int) -> str:
    """So many days from today."""
    return (now().date() + timedelta(days=days)).isoformat()


WRONG: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "no reason": ({}, {"reason": "must be a text"}),
    "a short reason": ({"reason": " ok   "}, {"reason": "must have 3 characters at least"}),
    "a reason that nobody sees": ({"reason": "\u200b\u200e\u2060a"}, {"reason": "must have 3 characters at least"}),
    "a long reason": ({"reason": "x" * (LONGEST_REASON + 1)}, {"reason": "must have 500 characters at most"}),
    "control characters": ({"reason": "because\x1b[2J"}, {"reason": "must hold no control characters"}),
    "yesterday": ({"reason": REASON, "until": day(-1)}, {"until": "is over already"}),
    "for ever": ({"reason": REASON, "until": day(LONGEST.days + 1)}, {"until": "is too far ahead"}),
    "no day": ({"reason": REASON, "until": "tomorrow"}, {"until": "must be a day"}),
    "nothing right": ({"until": "2026-02-30"}, {"until": "there is no 2026-02-30", "reason": "must be a text"}),
}


@pytest.mark.parametrize(("values", "wrong"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_shown_in_the_form(served: Served, values: dict[str, str], wrong: dict[str, str]) -> None:
    form = opened(served, served.finding())
    before = served.seen()
    answer = served.submit(form, values)
    assert answer.status == 200
    assert answer.json["response_action"] == "errors"
    told = answer.json["errors"]
    assert told.keys() == wrong.keys()
    assert all(text in told[name] for name, text in wrong.items())
    assert served.seen() == before


def test_a_finding_that_is_resolved_meanwhile_is_shown_in_the_form(served: Served) -> None:
    stored = served.finding()
    form = opened(served, stored)
    resolved(served, stored)
    before = served.seen()
    answer = served.submit(form, {"reason": REASON})
    assert "is resolved" in answer.json["errors"]["reason"]
    assert served.seen() == before


def lost() -> Any:
    """Another writer was faster with the finding."""
    http, parsed = refusal("TransactionCanceledException")()
    # For the finding, its history and the outbox.
    reasons = [{"Code": code} for code in ("ConditionalCheckFailed", "None", "None")]
    return http, parsed | {"CancellationReasons": reasons}


def test_who_is_beaten_by_an_audit_accepts_what_it_left(served: Served) -> None:
    """And says so where audits are faster again and again."""
    form, other = (opened(served, stored) for stored in (served.finding(), served.finding()))
    faults, attempts = served.world.watching.faults, iter([True, True, False])
    faults["dynamodb:TransactWriteItems"] = lambda: lost() if next(attempts) else None
    assert served.submit(form, {"reason": REASON}).text == ""
    assert [kind for _, kind in served.notices()] == ["suppressed"]
    faults["dynamodb:TransactWriteItems"] = lost
    answer = served.submit(other, {"reason": REASON})
    assert "others changed the finding at each of 5 attempts" in answer.json["errors"]["reason"]


# --- who may, and what cannot be -------------------------------------------------------------------------------------


def test_another_member_opens_and_submits_nothing(served: Served) -> None:
    stored = served.finding()
    form = opened(served, stored)
    before = served.seen()
    answer = served.press(stored, ACCEPT_FINDING, by=EVE)
    assert (answer.status, answer.json["why"]) == (403, "not-an-approver")
    [told] = served.whispers()
    assert told.startswith("You are not among the approvers")
    assert served.submit(form, {"reason": REASON}, by=EVE).status == 403
    assert served.seen() == before


def test_nothing_opens_for_what_cannot_be_accepted(served: Served) -> None:
    stored, gone = served.finding(), served.finding()
    resolved(served, gone)
    before = served.seen()
    unknown = press(served.message(stored.account, "0" * 32), ACCEPT_FINDING, ANNA, now())
    assert [served.post(*unknown).status, served.press(gone, ACCEPT_FINDING).status] == [404, 409]
    told = served.whispers()
    assert told[0].startswith(f"No finding {'0' * 32} is known")
    assert told[1].startswith("The finding is resolved")
    assert served.seen() == before


@pytest.mark.parametrize(
    ("fault", "trouble"), [(refusing("expired_trigger_id"), "expired_trigger_id"), (broken(), "status 503")]
)
def test_a_form_that_slack_does_not_open_is_told(served: Served, fault: Any, trouble: str) -> None:
    request = served.pressed(served.finding(), ACCEPT_FINDING)
    served.slack.faults.append(fault)
    answer = served.post(*request)
    assert (answer.status, answer.json["why"]) == (502, "not-opened")
    [told] = served.whispers()
    assert trouble in told


def test_a_form_takes_a_bot(served: Served) -> None:
    served.secret(json.dumps({"webhook": served.slack.webhook, "signing_secret": SIGNING_SECRET}))
    answer = served.press(served.finding(), ACCEPT_FINDING)
    assert (answer.status, answer.json["why"]) == (409, "no-bot")
    assert served.slack.opened == []
