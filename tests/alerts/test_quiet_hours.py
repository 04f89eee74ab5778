"""Quiet hours: in any zone, over midnight, on the days on which clocks are put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.alert_settings import FEWEST_HOURS_AWAKE, QuietHours
from chalicelib.alerts.quiet_hours import end_of_quiet

BERLIN = "Europe/Berlin"


def hours(start: str, until: str, zone: str = BERLIN) -> QuietHours:
    return QuietHours(time.fromisoformat(start), time.fromisoformat(until), zone)


NIGHT = hours("20:00", "07:00")

CASES: list[tuple[QuietHours, str, str | None]] = [
    # winter: Berlin is an hour ahead of UTC
    (NIGHT, "2026-01-15T18:59", None),
    (NIGHT, "2026-01-15T19:00", "2026-01-16T06:00"),
    (NIGHT, "2026-01-15T23:30", "2026-01-16T06:00"),
    (NIGHT, "2026-01-16T05:59", "2026-01-16T06:00"),
    (NIGHT, "2026-01-16T06:00", None),
    # within one day
    (hours("12:00", "13:30"), "2026-01-15T10:59", None),
    (hours("12:00", "13:30"), "2026-01-15T11:00", "2026-01-15T12:30"),
    (hours("12:00", "13:30"), "2026-01-15T12:30", None),
    # clocks are put forward at night: 02:00 to 03:00, on 29 March
    (NIGHT, "2026-03-28T19:00", "2026-03-29T05:00"),
    (NIGHT, "2026-03-29T00:59", "2026-03-29T05:00"),
    (hours("20:00", "02:30"), "2026-03-29T00:30", "2026-03-29T01:30"),
    (hours("02:15", "02:45"), "2026-03-29T00:59", None),
    (hours("02:15", "02:45"), "2026-03-29T01:00", None),
    # clocks are put back: 02:00 to 03:00 comes twice, on 25 October
    (NIGHT, "2026-10-24T18:00", "2026-10-25T06:00"),
    (hours("20:00", "02:30"), "2026-10-25T00:00", "2026-10-25T01:30"),
    (hours("20:00", "02:30"), "2026-10-25T00:45", None),
    (hours("20:00", "02:30"), "2026-10-25T01:15", "2026-10-25T01:30"),
    # other zones: half an hour's change, no change, the other side of the date line, a day that never was
    (hours("22:00", "06:00", "Australia/Lord_Howe"), "2026-04-04T12:00", "2026-04-04T19:30"),
    (hours("22:00", "06:00", "Asia/Kolkata"), "2026-01-15T16:30", "2026-01-16T00:30"),
    (hours("22:00", "06:00", "Pacific/Kiritimati"), "2026-01-15T08:00", "2026-01-15T16:00"),
    (hours("22:00", "06:00", "Pacific/Apia"), "2011-12-30T09:30", "2011-12-30T16:00"),
]


@pytest.mark.parametrize(("quiet", "at", "end"), CASES)
def test_when_quiet_hours_end(quiet: QuietHours, at: str, end: str | None) -> None:
    wanted = datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert end_of_quiet(quiet, moment) == wanted
    assert end_of_quiet(quiet, moment.astimezone(ZoneInfo("America/New_York"))) == wanted


ZONES = sorted(zone for zone in available_timezones() if not zone.startswith(("posix", "right")))
MINUTES = st.integers(0, 24 * 60 - 1)


def clock(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


@st.composite
def any_hours(draw: st.DrawFn) -> QuietHours:
    start, length = draw(MINUTES), draw(st.integers(1, (24 - FEWEST_HOURS_AWAKE) * 60))
    return QuietHours(clock(start), clock((start + length) % (24 * 60)), draw(st.sampled_from(ZONES)))


@given(any_hours(), st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))
@example(hours("03:30", "23:30", "Antarctica/Troll"), datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
@example(hours("22:00", "06:00", "Pacific/Apia"), datetime(2011, 12, 30, 9, 59, tzinfo=UTC))
def test_whoever_waits_is_told_within_a_day_and_not_in_quiet_hours(quiet: QuietHours, at: datetime) -> None:
    end = end_of_quiet(quiet, at)
    if end is not None:
        assert at < end <= at + timedelta(days=1)
        assert end_of_quiet(quiet, end) is None


@given(any_hours(), st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))
def test_quiet_is_what_the_clock_on_the_wall_says(quiet: QuietHours, at: datetime) -> None:
    now, start, until = at.astimezone(ZoneInfo(quiet.zone)).time(), quiet.start, quiet.until
    inside = start <= now < until if start < until else not until <= now < start
    assert (end_of_quiet(quiet, at) is not None) is inside
