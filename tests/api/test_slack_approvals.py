"""Buttons that decide on runs: what counts is in the journal and handed over once; what does not changes nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib.execution.approval import NOBODY
from chalicelib.execution.tasks import Task, TaskKind
from chalicelib.local.slack_buttons import press
from chalicelib.local.slack_server import TOKEN
from chalicelib.local.slack_workspace import broken, gone
from chalicelib.notify.buttons import APPROVE_RUN, DECLINE_RUN
from chalicelib.remediation.run import WAITS, Decision, RemediationRun, RunState, Verb
from tests.api.world import ANNA, EVE, Served, now
from tests.functions.watching import after, raising, refusal

SECOND = timedelta(seconds=1)
FIVE_MINUTES = timedelta(minutes=5)
Request = tuple[dict[str, str], str]


def test_an_approved_run_is_ready_and_handed_over_within_seconds(served: Served) -> None:
    run, at = served.run(), now()
    began = time.monotonic()
    answer = served.press(run, APPROVE_RUN, at=at)
    assert time.monotonic() - began < 3
    assert (answer.status, answer.text) == (200, "")
    stored = served.stored_run(run)
    assert (stored.state, stored.decisions) == (RunState.READY, (Decision(Verb.APPROVE, ANNA, at),))
    assert stored.steps == run.steps
    assert served.tasks() == [Task(TaskKind.CARRY_OUT, run.account, run.id, (), ANNA, at)]
    [told] = served.whispers()
    assert told.startswith("You approved the plan")


def test_a_declined_run_is_over_and_nothing_is_handed_over(served: Served) -> None:
    run = served.run()
    assert served.press(run, DECLINE_RUN).status == 200
    assert served.stored_run(run).state is RunState.DECLINED
    assert (served.tasks(), served.notices()) == ([], [(f"run:{run.id}", "declined")])
    assert served.whispers() == ["You declined the plan: nothing comes of it."]


# --- what is refused -------------------------------------------------------------------------------------------------


def forged(served: Served, run: RemediationRun) -> Request:
    return press(served.message(run.account, run.id), APPROVE_RUN, ANNA, now(), secret="f" * 32)


def of_another_body(served: Served, run: RemediationRun) -> Request:
    headers, _ = served.pressed(run, DECLINE_RUN)
    return headers, served.pressed(run, APPROVE_RUN)[1]


def old(served: Served, run: RemediationRun) -> Request:
    return served.pressed(run, APPROVE_RUN, at=now() - FIVE_MINUTES - 2 * SECOND)


def to_come(served: Served, run: RemediationRun) -> Request:
    return served.pressed(run, APPROVE_RUN, at=now() + FIVE_MINUTES + 30 * SECOND)


def made_young(served: Served, run: RemediationRun) -> Request:
    """The signature is of the moment too."""
    headers, body = old(served, run)
    return {**headers, "X-Slack-Request-Timestamp": str(int(now().timestamp()))}, body


def replayed(served: Served, run: RemediationRun) -> Request:
    request = served.pressed(run, APPROVE_RUN)
    assert served.post(*request).status == 200
    served.slack.responded.clear()
    return request


def by_another(served: Served, run: RemediationRun) -> Request:
    return served.pressed(run, APPROVE_RUN, by=EVE)


def declined_by_another(served: Served, run: RemediationRun) -> Request:
    return served.pressed(run, DECLINE_RUN, by=EVE)


def of_no_run(served: Served, run: RemediationRun) -> Request:
    return press(served.message(run.account, f"{run.id}-no"), APPROVE_RUN, ANNA, now())


def decided_otherwise(served: Served, run: RemediationRun) -> Request:
    assert served.press(run, DECLINE_RUN).status == 200
    served.slack.responded.clear()
    return served.pressed(run, APPROVE_RUN)


def stopped(served: Served, run: RemediationRun) -> Request:
    served.switch("stop")
    return served.pressed(run, APPROVE_RUN)


def nearly_running(served: Served, run: RemediationRun) -> Request:
    served.switch("run ")
    return served.pressed(run, APPROVE_RUN)


def switch_unread(served: Served, run: RemediationRun) -> Request:
    # The first parameter is the secret, the second the settings, and the third the switch.
    served.world.watching.faults["ssm:GetParameter"] = after(2, refusal("AccessDeniedException"))
    return served.pressed(run, APPROVE_RUN)


def switched_off(served: Served, run: RemediationRun) -> Request:
    served.settings(f'[remediation]\napprovers = ["{ANNA}"]')
    return served.pressed(run, APPROVE_RUN)


Prepare = Callable[[Served, RemediationRun], Request]
REFUSED: dict[str, tuple[Prepare, int, str, str]] = {
    "forged signature": (forged, 401, "forged", ""),
    "the signature of another body": (of_another_body, 401, "forged", ""),
    "old timestamp": (old, 401, "not-now", ""),
    "a timestamp to come": (to_come, 401, "not-now", ""),
    "another timestamp than was signed": (made_young, 401, "forged", ""),
    "replayed body": (replayed, 409, "not-waiting", f"The plan waits for nobody any more: it is ready since {ANNA}"),
    "decided otherwise": (decided_otherwise, 409, "not-waiting", "The plan waits for nobody any more: it is declined"),
    "wrong approver": (by_another, 403, "not-an-approver", "You are not among the approvers"),
    "wrong approver declines": (declined_by_another, 403, "not-an-approver", "You are not among the approvers"),
    "no such run": (of_no_run, 404, "unknown", "There is no such plan"),
    "stop switch on": (stopped, 423, "stopped", "Nothing is changed now"),
    "a stop switch that nearly says so": (nearly_running, 423, "stopped", "Nothing is changed now"),
    "a stop switch that cannot be read": (switch_unread, 423, "stopped", "Nothing is changed now"),
    "switched off in the settings": (switched_off, 409, "switched-off", "The settings no longer let findings of"),
}


@pytest.mark.parametrize(("prepare", "status", "why", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_changes_nothing_and_says_why(
    served: Served, prepare: Prepare, status: int, why: str, told: str
) -> None:
    run = served.run()
    request = prepare(served, run)
    before = served.seen()
    answer = served.post(*request)
    assert served.seen() == before
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (answer.json["status"], answer.json["why"]) == (status, why)
    whispers = served.whispers()
    assert [one.startswith(told) for one in whispers] == ([True] if told else [])


def test_a_plan_past_its_time_is_expired_and_nothing_else_comes_of_it(served: Served) -> None:
    """That it is over is all that is written, and told once."""
    run = served.run(made=now() - WAITS)
    before = served.table()
    for number in range(2):
        answer = served.press(run, APPROVE_RUN)
        assert (answer.status, answer.json["why"]) == (410, "expired")
        if number == 0:
            expired = served.stored_run(run)
            assert (expired.state, expired.reason, expired.decisions) == (RunState.EXPIRED, NOBODY, ())
            assert served.notices() == [(f"run:{run.id}", "expired")]
            written = [item for item in served.table() if item not in before]
            assert len(written) == 2
            before = served.table()
    assert served.table() == before
    assert served.tasks() == []
    assert [one.startswith("The plan is out of date since") for one in served.whispers()] == [True, True]


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["refused", "gone"])
def test_a_run_that_could_not_be_handed_over_is_handed_over_when_it_is_pressed_again(
    served: Served, trouble: str
) -> None:
    run, at = served.run(), now() - 5 * SECOND
    fault = refusal("AccessDenied") if trouble == "refused" else raising(ConnectionResetError("reset"))
    served.world.watching.faults["sqs:SendMessageBatch"] = fault
    request = served.pressed(run, APPROVE_RUN, at=at)
    answer = served.post(*request)
    assert (answer.status, answer.json["why"]) == (503, "not-handed-over")
    assert served.stored_run(run).state is RunState.READY
    assert served.tasks() == []
    served.world.watching.faults.clear()
    written = served.table()
    # Slack sends nothing twice: whoever does has kept the request.
    assert served.post(*request).status == 409
    assert served.press(run, APPROVE_RUN, by=EVE).status == 403
    assert served.tasks() == []
    again = now()
    assert served.press(run, APPROVE_RUN, at=again).status == 200
    assert served.tasks() == [Task(TaskKind.CARRY_OUT, run.account, run.id, (), ANNA, again)]
    assert served.table() == written
    told = served.whispers()
    assert [told[0].partition(":")[0], told[-1].partition(":")[0]] == [
        "The plan is approved, and could not be handed over",
        "You approved the plan",
    ]


def test_what_fails_before_the_decision_changes_nothing_and_says_so(served: Served) -> None:
    run = served.run()
    request = served.pressed(run, APPROVE_RUN)
    before = served.seen()
    served.world.watching.faults["dynamodb:TransactWriteItems"] = refusal("AccessDeniedException")
    answer = served.post(*request)
    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "AccessDenied" not in answer.text
    assert served.seen() == before
    assert served.whispers() == ["Something went wrong in mfawatch, and was written down. Press again in a moment."]


@pytest.mark.parametrize("outage", [broken(), gone()])
def test_who_cannot_be_told_has_approved_all_the_same(served: Served, outage: object) -> None:
    run = served.run()
    request = served.pressed(run, APPROVE_RUN)
    served.slack.outage = outage  # type: ignore[assignment]
    assert served.post(*request).status == 200
    assert [task.run for task in served.tasks()] == [run.id]


def test_nothing_is_told_at_a_response_url_that_is_not_slacks(served: Served) -> None:
    run = served.run()
    posted = served.message(run.account, run.id)
    elsewhere = f"http://127.0.0.1:{served.slack.port + 1}/actions/T00000000/x"
    object.__setattr__(posted, "response_url", elsewhere)
    requests = served.slack.requests
    assert served.post(*press(posted, APPROVE_RUN, ANNA, now())).status == 200
    assert served.slack.requests == requests
    assert served.stored_run(run).state is RunState.READY


@pytest.mark.parametrize("secret", [TOKEN, json.dumps({"bot_token": TOKEN})], ids=["bare", "alone"])
def test_without_a_signing_secret_nobody_is_taken_for_slack(served: Served, secret: str) -> None:
    served.secret(secret)
    request = served.pressed(served.run(), APPROVE_RUN)
    before = served.seen()
    answer = served.post(*request)
    assert (answer.status, answer.json["why"]) == (401, "no-secret")
    assert served.seen() == before
