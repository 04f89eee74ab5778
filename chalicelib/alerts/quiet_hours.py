"""When quiet hours end. Pure, but for what the time zone database says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.alert_settings import QuietHours

_DAY = timedelta(days=1)


def end_of_quiet(hours: QuietHours, at: datetime) -> datetime | None:
    """The end of the quiet hours in which a moment lies, in UTC; None where it lies in none."""
    zone = ZoneInfo(hours.zone)
    local = at.astimezone(zone)
    now, overnight = local.time(), hours.until < hours.start
    quiet = (now >= hours.start or now < hours.until) if overnight else hours.start <= now < hours.until
    if not quiet:
        return None
    day = local.date() + _DAY if overnight and now >= hours.start else local.date()
    end = datetime.combine(day, hours.until, zone)
    # Where clocks are put back, a time comes twice, and the hours last until it comes for good; where they are put
    # forward past it, the later one of both readings is the first that lies behind the gap.
    return max(end.astimezone(UTC), end.replace(fold=1).astimezone(UTC))
