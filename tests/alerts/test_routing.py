"""Who hears of a change, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.alert_settings import Route, Target
from chalicelib.alerts.notice import Notice
from chalicelib.alerts.routing import entries_of
from chalicelib.config import Settings, parse_settings
from chalicelib.findings import Severity, Status
from chalicelib.ledger import Change, ChangeKind
from tests.alerts.build import DETACHED, change
from tests.ledger.build import DEVICE, ENFORCED

INFO, LOW, MEDIUM, HIGH, CRITICAL = Severity
OPEN, RESOLVED, SUPPRESSED = Status.OPEN, Status.RESOLVED, Status.SUPPRESSED
EVERYWHERE = Settings(
    alerts=(
        Route(Target.SLACK, "C1"),
        Route(Target.SNS),
        Route(Target.EVENT_BUS, severity=INFO),
        Route(Target.SECURITY_HUB, severity=INFO),
    )
)
PEOPLE = ["slack:C1", "sns"]
SYSTEMS = ["event-bus", "security-hub"]

OPENED, REOPENED, CHANGED = ChangeKind.OPENED, ChangeKind.REOPENED, ChangeKind.CHANGED
CASES: list[tuple[str, Change, list[str]]] = [
    ("opened", change(OPENED), PEOPLE + SYSTEMS),
    ("opened, and grave enough", change(OPENED, MEDIUM), PEOPLE + SYSTEMS),
    ("opened, and not grave enough", change(OPENED, LOW), SYSTEMS),
    ("opened as info", change(OPENED, INFO), SYSTEMS),
    ("opened again", change(REOPENED, HIGH, (HIGH, RESOLVED)), PEOPLE + SYSTEMS),
    ("opened again, and accepted still", change(REOPENED, HIGH, (HIGH, RESOLVED), status=SUPPRESSED), SYSTEMS),
    ("a suppression is over", change(REOPENED, HIGH, (HIGH, SUPPRESSED)), PEOPLE + SYSTEMS),
    ("a suppression broke", change(REOPENED, HIGH, (MEDIUM, SUPPRESSED)), PEOPLE + SYSTEMS),
    ("worse", change(CHANGED, HIGH, (MEDIUM, OPEN)), PEOPLE + SYSTEMS),
    ("worse, from where nobody heard", change(CHANGED, MEDIUM, (LOW, OPEN)), PEOPLE + SYSTEMS),
    ("worse, and not grave enough", change(CHANGED, LOW, (INFO, OPEN)), SYSTEMS),
    ("less grave", change(CHANGED, MEDIUM, (HIGH, OPEN)), SYSTEMS),
    ("changed, as grave as before", change(CHANGED, HIGH, (HIGH, OPEN)), SYSTEMS),
    ("worse, and accepted", change(CHANGED, HIGH, (MEDIUM, SUPPRESSED), status=SUPPRESSED), SYSTEMS),
    ("accepted", change(ChangeKind.SUPPRESSED, HIGH, (HIGH, OPEN)), SYSTEMS),
    ("resolved", change(ChangeKind.RESOLVED, HIGH, (HIGH, OPEN)), PEOPLE + SYSTEMS),
    ("resolved, of which nobody heard", change(ChangeKind.RESOLVED, LOW, (LOW, OPEN)), SYSTEMS),
    ("resolved, which was accepted", change(ChangeKind.RESOLVED, HIGH, (HIGH, SUPPRESSED)), SYSTEMS),
    ("there still", change(ChangeKind.PERSISTING, HIGH, (HIGH, OPEN)), []),
]


@pytest.mark.parametrize(("one", "destinations"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_who_hears_of_what(one: Change, destinations: list[str]) -> None:
    entries = entries_of(replace(one, cause=DETACHED), EVERYWHERE)
    assert [entry.destination for entry in entries] == destinations
    for entry in entries:
        assert (entry.due, entry.digest, entry.attempts) == (one.at, False, 0)
        notice = entry.notice
        assert isinstance(notice, Notice)
        assert (notice.fingerprint, notice.version, notice.kind) == (one.fingerprint, one.after.version, one.kind)
        assert notice.cause == DETACHED
    assert len({entry.key for entry in entries}) == len(entries)


def test_nobody_is_told_without_routes() -> None:
    assert entries_of(change(), Settings()) == []


def test_systems_that_heard_of_a_finding_hear_that_it_is_less_grave() -> None:
    settings = Settings(alerts=(Route(Target.SECURITY_HUB, severity=HIGH),))
    assert entries_of(change(CHANGED, LOW, (HIGH, OPEN)), settings)
    assert not entries_of(change(CHANGED, LOW, (MEDIUM, OPEN)), settings)


@pytest.mark.parametrize(
    ("route", "fields", "told"),
    [
        ({}, {}, True),
        ({"accounts": frozenset({"999999999999"})}, {}, False),
        ({"accounts": frozenset({"999999999999"})}, {"account": "999999999999"}, True),
        ({"controls": frozenset({DEVICE})}, {"control": DEVICE}, True),
        ({"controls": frozenset({DEVICE})}, {"control": ENFORCED}, False),
        ({"users": ("al*",)}, {"user": "Alice"}, True),
        ({"users": ("al*",)}, {"user": "bob"}, False),
        ({"users": ("al*",)}, {"user": None}, False),
        ({}, {"user": None}, True),
        ({"severity": INFO}, {"severity": INFO}, True),
        ({"severity": CRITICAL}, {"severity": HIGH}, False),
    ],
)
def test_a_route_is_for_what_it_names(route: dict[str, Any], fields: dict[str, Any], told: bool) -> None:
    settings = Settings(alerts=(Route(Target.SNS, **route),))
    assert bool(entries_of(change(**fields), settings)) is told


# --- when ------------------------------------------------------------------------------------------------------------

NIGHT = 'quiet = {from = "20:00", until = "07:00", zone = "Europe/Berlin"}'
IN_THE_NIGHT, MORNING = datetime(2026, 6, 1, 23, 15, tzinfo=UTC), datetime(2026, 6, 2, 5, 0, tzinfo=UTC)
AT_NOON = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)


def told(text: str, severity: Severity, when: datetime, **fields: Any) -> list[tuple[str, datetime, bool]]:
    """Destination, moment and whether it is a digest, of each entry of a change."""
    entries = entries_of(change(severity=severity, when=when, **fields), parse_settings(text))
    return [(entry.destination, entry.due, entry.digest) for entry in entries]


@pytest.mark.parametrize(
    ("severity", "when", "due", "digest"),
    [
        (MEDIUM, IN_THE_NIGHT, MORNING, True),
        (HIGH, IN_THE_NIGHT, IN_THE_NIGHT, False),
        (MEDIUM, AT_NOON, AT_NOON, False),
        (MEDIUM, MORNING, MORNING, False),
    ],
)
def test_what_is_not_urgent_waits_for_the_morning(
    severity: Severity, when: datetime, due: datetime, digest: bool
) -> None:
    assert told(f'[[alerts]]\nto = "sns"\n{NIGHT}', severity, when) == [("sns", due, digest)]


def test_the_loudest_route_to_a_destination_counts() -> None:
    text = f"""
        [[alerts]]
        to = "slack"
        channel = "C1"
        {NIGHT}
        [[alerts]]
        to = "slack"
        channel = "C1"
        users = ["ceo"]
        [[alerts]]
        to = "slack"
        channel = "C2"
        {NIGHT}
    """
    waiting = ("slack:C2", MORNING, True)
    assert told(text, MEDIUM, IN_THE_NIGHT, user="alice") == [("slack:C1", MORNING, True), waiting]
    assert told(text, MEDIUM, IN_THE_NIGHT, user="ceo") == [("slack:C1", IN_THE_NIGHT, False), waiting]


def test_other_systems_hear_at_night() -> None:
    text = f'[[alerts]]\nto = "sns"\n{NIGHT}\n[[alerts]]\nto = "event-bus"'
    assert told(text, MEDIUM, IN_THE_NIGHT) == [("sns", MORNING, True), ("event-bus", IN_THE_NIGHT, False)]


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(list(Severity)),
    st.lists(
        st.sampled_from(["", NIGHT, NIGHT.replace("Berlin", "London"), 'severity = "low"']), min_size=1, unique=True
    ),
)
def test_whoever_hears_of_a_change_hears_once_and_within_a_day(
    when: datetime, severity: Severity, routes: list[str]
) -> None:
    text = "\n".join(f'[[alerts]]\nto = "sns"\nusers = ["*", "{n}"]\n{route}' for n, route in enumerate(routes))
    entries = told(text, severity, when)
    assert len(entries) <= 1
    for _, due, digest in entries:
        assert timedelta() <= due - when < timedelta(days=1)
        assert digest is (due != when)
