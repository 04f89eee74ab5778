"""The alarms of the deployment: each on what nobody would hear of otherwise."""

from __future__ import annotations

import json

import pytest

from chalicelib.delivery import LONGEST_PAUSE
from chalicelib.functions.telemetry import measure
from tests.packaging.rendering import HEARING, NAMES, TELLING, Json, function, made, rendered, resources
from tests.packaging.test_template import DEAD_QUEUES

MINUTE, HOUR = 60, 60 * 60
ALARMED = ("sweep", "audit_account", *HEARING, *TELLING, "remediate")
"""Whoever calls decide hears of the error, and it is mostly one in the cases that they sent."""
HELD_UP = ("sweep", "audit_account", "audit_change", "remediate")
"""For what is heard Lambda finds room for hours, and then sends it to the dead queue; deliver comes again at once."""


def alarms() -> list[Json]:
    return list(resources("AWS::CloudWatch::Alarm").values())


def alarms_on(metric: str, dimension: str, value: Json) -> list[Json]:
    dimensions = [{"Name": dimension, "Value": value}]
    return [one for one in alarms() if (one["MetricName"], one["Dimensions"]) == (metric, dimensions)]


def test_every_alarm_is_told() -> None:
    names = [alarm["AlarmName"] for alarm in alarms()]
    assert len(set(names)) == len(names) == 26
    for alarm in alarms():
        assert alarm["AlarmName"].startswith("mfawatch-")
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmsTopic"}]


@pytest.mark.parametrize(("metric", "alarmed"), [("Errors", ALARMED), ("Throttles", HELD_UP)])
@pytest.mark.parametrize("name", NAMES)
def test_alarms_on_what_nobody_waits_for(name: str, metric: str, alarmed: tuple[str, ...]) -> None:
    found = alarms_on(metric, "FunctionName", {"Ref": NAMES[name]})
    assert bool(found) is (name in alarmed)
    for alarm in found:
        assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/Lambda", "Sum")
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


@pytest.mark.parametrize("queue", DEAD_QUEUES)
def test_an_alarm_on_each_dead_queue(queue: str) -> None:
    dimension = {"Fn::GetAtt": [queue, "QueueName"]}
    [alarm] = alarms_on("ApproximateNumberOfMessagesVisible", "QueueName", dimension)
    assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/SQS", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


def age_of(queue: str) -> Json:
    [alarm] = alarms_on("ApproximateAgeOfOldestMessage", "QueueName", {"Fn::GetAtt": [queue, "QueueName"]})
    return alarm


def test_an_alarm_on_accounts_that_wait() -> None:
    # Later than a second attempt begins, and before the third one ends.
    visibility = resources("AWS::SQS::Queue")["AccountsQueue"]["VisibilityTimeout"]
    assert visibility < age_of("AccountsQueue")["Threshold"] < 3 * visibility


def test_an_alarm_on_changes_that_wait() -> None:
    """Later than the longest delay of a message, which is a second look's, and one audit; before a second attempt."""
    visibility = resources("AWS::SQS::Queue")["ChangesQueue"]["VisibilityTimeout"]
    assert function("audit_change")["Timeout"] + 90 < age_of("ChangesQueue")["Threshold"] < visibility


def test_an_alarm_on_remediations_that_wait() -> None:
    """Later than a second attempt begins, and before the third one."""
    visibility = resources("AWS::SQS::Queue")["RemediationsQueue"]["VisibilityTimeout"]
    assert visibility < age_of("RemediationsQueue")["Threshold"] < 2 * visibility


@pytest.mark.parametrize(
    ("metric", "writer", "within"),
    [
        ("AccountsNotRead", "audit_account", 26 * HOUR),
        ("AlertsNotTold", "deliver", 2 * HOUR),
        ("RemediationsStopped", "remediate", HOUR),
    ],
)
def test_alarms_on_what_functions_measure(
    metric: str, writer: str, within: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the metric as a function writes it in its environment; of accounts from one sweep to the next."""
    for variable, value in function(writer)["Environment"]["Variables"].items():
        monkeypatch.setenv(variable, str(value))
    measure(metric, 1)
    written = json.loads(capsys.readouterr().out)
    [told] = written["_aws"]["CloudWatchMetrics"]
    [dimensions] = told["Dimensions"]
    [alarm] = [one for one in alarms() if one["MetricName"] == metric]
    assert (alarm["Namespace"], alarm["MetricName"]) == (told["Namespace"], told["Metrics"][0]["Name"])
    assert alarm["Dimensions"] == [{"Name": name, "Value": written[name]} for name in dimensions]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Sum", "GreaterThanThreshold", 0)
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) == 1
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= within


def test_the_alarm_on_what_is_not_told_stays_until_it_is_tried_again() -> None:
    [alarm] = [one for one in alarms() if one["MetricName"] == "AlertsNotTold"]
    assert alarm["Period"] * alarm["EvaluationPeriods"] > LONGEST_PAUSE.total_seconds() + 2 * 5 * MINUTE


@pytest.mark.parametrize(("state", "expected"), [("ENABLED", True), ("DISABLED", False)])
def test_an_alarm_when_no_sweep_is_started(state: str, expected: bool) -> None:
    """Where no function runs there is no metric, so that what is missing has to count; unless nothing is to run."""
    [alarm] = alarms_on("Invocations", "FunctionName", {"Ref": "Sweep"})
    there = made(rendered("prod"), ScheduleState=state)
    assert (alarm in [one["Properties"] for one in there.values()]) is expected
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 26 * HOUR
    assert alarm["TreatMissingData"] == "breaching"


def test_an_alarm_when_nothing_is_delivered() -> None:
    [alarm] = alarms_on("Invocations", "FunctionName", {"Ref": "Deliver"})
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    # deliver runs every minute, so that in none of the periods there should be nothing.
    [event] = function("deliver")["Events"].values()
    assert event["Properties"] == {"Schedule": "rate(1 minute)", "Name": "mfawatch-deliver", "State": "ENABLED"}
    assert alarm["Period"] == 5 * MINUTE
    assert alarm["EvaluationPeriods"] == 6
    assert alarm["TreatMissingData"] == "breaching"
