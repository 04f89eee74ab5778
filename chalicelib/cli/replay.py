"""mfawatch replay: what CloudTrail's records tell of Git without MFA, and of what opened a way past it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from chalicelib.cli.errors import FINDINGS, USAGE, InputError
from chalicelib.cli.files import write_pieces
from chalicelib.cli.settings import read_settings, settings_option
from chalicelib.cli.standing import Standing, read_standing
from chalicelib.config import NEVER, Settings
from chalicelib.controls.git_operation_without_mfa import CONTROL
from chalicelib.analysis.git_hops import Operation
from chalicelib.events.git_activity import GitActivity
from chalicelib.events.happening import Happening
from chalicelib.findings import Severity
from chalicelib.local.log_files import STANDARD_INPUT, LogFiles
from chalicelib.local.replaying import Choice, Replay
from chalicelib.local.timeline_store import TimelineStore
from chalicelib.report.timeline import Counted, Timeline, timeline_csv, timeline_json
from chalicelib.report.timeline_table import timeline_table

STYLES: dict[str, Callable[[Timeline, bool], Iterator[str]]] = {
    "table": lambda timeline, to_file: timeline_table(timeline, plain=to_file),
    "json": lambda timeline, _: timeline_json(timeline),
    "csv": lambda timeline, _: timeline_csv(timeline),
}
"""Format → the text of a timeline in it; the second argument is whether it goes to a file."""
_MOST_TOLD = 10
"""Broken places that are told one by one."""
_EVERY = 2_000


class _Moment(click.ParamType):
    """A day, or a moment; without a zone it is UTC's."""

    name = "time"

    def __init__(self, *, end: bool) -> None:
        self._end = end

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment; as the end of a span a day is meant with all of it."""
        if isinstance(value, datetime):
            return value
        text = str(value)
        try:
            day = date.fromisoformat(text)
        except ValueError:
            pass
        else:
            try:
                return datetime.combine(day + timedelta(days=int(self._end)), time(), UTC)
            except OverflowError:
                self.fail(f"{text!r} is too far away", param, ctx)
        try:
            moment = datetime.fromisoformat(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is neither a day such as 2026-01-31 nor a moment such as 2026-01-31T12:00:00Z", param, ctx)
