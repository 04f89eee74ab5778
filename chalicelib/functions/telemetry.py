"""What the functions log, trace and measure. Nothing here is a secret: names, counts, and what AWS said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from aws_lambda_powertools import Logger, Tracer, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from chalicelib.controls.base import NotEvaluated
from chalicelib.delivery import Delivery
from chalicelib.ledger import Change, ChangeKind
from chalicelib.pipeline import Outcome

NAMESPACE = "mfawatch"
"""The CloudWatch namespace of the metrics, and the service that the logs name."""

logger = Logger(service=NAMESPACE)
tracer = Tracer(service=NAMESPACE)

METRICS = {
    ChangeKind.OPENED: "FindingsOpened",
    ChangeKind.REOPENED: "FindingsOpened",
    ChangeKind.CHANGED: "FindingsChanged",
    ChangeKind.RESOLVED: "FindingsResolved",
}
"""Change → the metric that counts it, by control and severity."""


def measure(name: str, value: float, unit: MetricUnit = MetricUnit.Count, **dimensions: str) -> None:
    """Write one value of a metric, in the embedded metric format."""
    with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE) as metric:
        for dimension, of in dimensions.items():
            metric.add_dimension(dimension, of)


def tell_outcome(outcome: Outcome, calls: Mapping[str, int], seconds: float) -> None:
    """Log what changed, what could not be read and who could not be judged, and measure it."""
    for change in outcome.news:
        logger.info("finding %s", change.kind, extra=_told(change))
    for gap in outcome.report.gaps:
        logger.warning("gap", extra={"read": str(gap.read), "subject": gap.subject, "reason": gap.reason})
    for (subject, reason), controls in _unjudged(outcome.report.not_evaluated).items():
        logger.warning("not evaluated", extra={"subject": subject, "reason": reason, "controls": controls})
    report = outcome.report.to_json()
    for told_above in ("gaps", "not_evaluated"):
        del report[told_above]
    logger.info("audited", extra={"report": report, "calls": dict(calls)})
    counted = Counter(
        (METRICS[change.kind], change.after.control, str(change.after.severity))
        for change in outcome.news
        if change.kind in METRICS
    )
    for (name, control, severity), count in sorted(counted.items()):
        measure(name, count, control=control, severity=severity)
    measure("AccountsAudited" if outcome.audit.reads else "AccountsNotRead", 1)
    measure("UsersJudged", outcome.report.users)
    measure("Gaps", outcome.report.gap_count)
    measure("Calls", sum(calls.values()))
    measure("Duration", seconds, MetricUnit.Seconds)


def tell_delivery(delivery: Delivery) -> None:
    """Log and measure what was told and what still waits."""
    for destination, count in sorted(delivery.told.items()):
        logger.info("told", extra={"destination": destination, "notices": count})
        measure("AlertsTold", count)
    for destination, count in sorted(delivery.waiting.items()):
        trouble = delivery.troubles[destination]
        logger.warning("not told", extra={"destination": destination, "notices": count, "trouble": trouble})
    if delivery.late:
        measure("AlertsNotTold", delivery.late)


def _unjudged(items: Iterable[NotEvaluated]) -> dict[tuple[str, str], list[str]]:
    """Subject and reason → the controls that could not judge the subject for that reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for item in items:
        found.setdefault((item.subject, item.reason), []).append(item.control)
    return found


def _told(change: Change) -> dict[str, object]:
    after = change.after
    return {
        "fingerprint": after.fingerprint,
        "control": after.control,
        "severity": str(after.severity),
        "user": after.user,
        "resource": after.resource,
        "parts": list(change.parts),
        **({"cause": change.cause.to_json()} if change.cause else {}),
    }
