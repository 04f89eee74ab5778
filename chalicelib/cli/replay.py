"""mfawatch replay: what CloudTrail's records tell of Git without MFA, and of what opened a way past it."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from chalicelib.analysis.git_hops import Operation
from chalicelib.cli.errors import FINDINGS, USAGE, InputError
from chalicelib.cli.files import write_pieces
from chalicelib.cli.options import fail_on_option, format_option, least_grave, output_option
from chalicelib.cli.settings import read_settings, settings_option
from chalicelib.cli.standing import Standing, read_standing
from chalicelib.config import Settings
from chalicelib.controls.git_operation_without_mfa import CONTROL
from chalicelib.events.fields import is_account
from chalicelib.events.git_activity import GitActivity
from chalicelib.events.happening import Happening
from chalicelib.findings import Severity
from chalicelib.local.log_files import STANDARD_INPUT, LogFiles
from chalicelib.local.replaying import Choice, Replay
from chalicelib.local.timeline_store import TimelineStore
from chalicelib.report.text import clean
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


def _moment(_: click.Context, param: click.Parameter, text: str | None) -> datetime | None:
    """A day, or a moment; without a zone it is UTC's. As the end of a span a day is meant with all of it."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    try:
        if day is not None:
            return datetime.combine(day + timedelta(days=int(param.name == "until")), time(), UTC)
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        reason = f"{text!r} is no day such as 2026-01-31, nor a moment such as 2026-01-31T12:00:00Z"
        raise click.BadParameter(reason, param=param) from None


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--user",
    "names",
    multiple=True,
    metavar="NAME",
    help="what this user did, and what concerns them (may be repeated)",
)
@click.option("--account", metavar="ID", help="what happened in this account alone")
@click.option("--since", metavar="TIME", callback=_moment, help="from this day or moment on")
@click.option("--until", metavar="TIME", callback=_moment, help="through this day, or up to this moment")
@click.option(
    "--snapshot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="an account as `mfawatch snapshot` writes it: what is open in it is told beside the events that concern it",
)
@format_option(STYLES)
@output_option
@fail_on_option("Git without MFA is at least this severe")
@settings_option
def replay(
    paths: Sequence[Path],
    names: Sequence[str],
    account: str | None,
    since: datetime | None,
    until: datetime | None,
    snapshot: Path | None,
    style: str,
    output: Path | None,
    fail_on: str | None,
    settings_file: Path | None,
) -> int:
    """Read CloudTrail's records from files: Git operations without MFA, and what changed, as a timeline.

    A FILE holds records in any shape (a log file, gzip or not, JSON lines, events of EventBridge, the output of `aws
    cloudtrail lookup-events`), or is a directory of such files, as a copy of the trail's bucket is; "-" is standard
    input. Nothing is sent anywhere. A broken file does not stop the others; in the end the exit code is 2.

    With --user, what concerns a group, a policy or the whole account is told as well, unless --snapshot shows that it
    does not concern the user.
    """
    if account is not None and not is_account(account):
        raise click.UsageError(f"--account {account!r} is no account id, 12 digits")
    if since is not None and until is not None and since >= until:
        raise click.UsageError("--until is not after --since: nothing can have been between them")
    settings = read_settings(settings_file)
    least = least_grave(fail_on, settings)
    standing = read_standing(snapshot, settings) if snapshot else None
    for path in paths:
        _check(path)
    users = frozenset(name.rpartition("/")[2].lower() for name in names) or None
    choice = Choice(
        account=account,
        since=since,
        until=until,
        users=users,
        concerns=None if users is None else partial(_concerns, users, standing),
    )
    try:
        with TimelineStore() as store:
            found = Replay(store, choice)
            broken, files = _read(found, paths)
            if broken and not found.records:
                return USAGE
            timeline = _timeline(found, store, settings, standing, files)
            write_pieces(STYLES[style](timeline, output is not None), output)
    except sqlite3.OperationalError as error:
        raise click.ClickException(f"the temporary database of the replay: {error}") from None
    if broken:
        return USAGE
    return FINDINGS if least is not None and any(one.severity.rank >= least.rank for one in timeline.git) else 0


def _check(path: Path) -> None:
    """A name that was typed wrong is told before hours of reading, and not after.

    Raises:
        InputError: the file is not there, or not to be read.
    """
    if str(path) == STANDARD_INPUT:
        return
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            next(path.iterdir(), None)
        elif stat.S_ISREG(mode):  # a pipe that was opened and left has lost its other end
            path.open("rb").close()
    except OSError as error:
        raise InputError(str(path), error.strerror or "cannot be read") from None


def _read(found: Replay, paths: Sequence[Path]) -> tuple[int, int]:
    """Replay the files; how many places in them were broken, and how many files there were."""
    console = Console(stderr=True)
    columns = (TextColumn("reading records"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    places, sources = 0, set[str]()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def broken(source: str, reason: str) -> None:
            nonlocal places
            places += 1
            sources.add(source)
            if places <= _MOST_TOLD:
                line = f"mfawatch: {clean(f'{source}: {reason}')}"
                progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

        task = progress.add_task("", total=None)
        files = LogFiles(paths, broken, lambda count: progress.advance(task, count))
        if console.is_terminal:
            progress.update(task, total=files.size())
        found.take(files.records())
    if places > _MOST_TOLD:
        click.echo(f"mfawatch: {places - _MOST_TOLD} more broken places, in {len(sources)} files in all", err=True)
    return places, files.files


def _timeline(
    found: Replay, store: TimelineStore, settings: Settings, standing: Standing | None, files: int
) -> Timeline:
    git = list(found.git())
    if standing:
        with Console(stderr=True).status("judging users"):
            standing.judge(store.happenings(), git)
    today = datetime.now(UTC).date()
    counted = [Counted(one, _severity(one, settings, today), standing.of_git(one) if standing else None) for one in git]
    about: dict[str, Any] = {"open_now": standing.open_now, "findings": standing.findings()} if standing else {}
    return Timeline(
        files=files,
        records=found.records,
        ignored=found.ignored,
        first=found.first,
        last=found.last,
        git=sorted(counted, key=_order),
        git_with_mfa=found.git_with_mfa,
        events=store.happenings,
        by_day=store.by_day,
        taken=standing.snapshot.taken if standing else None,
        **about,
    )


def _severity(activity: GitActivity, settings: Settings, today: date) -> Severity:
    """What Git operations are worth: nothing where all were refused, or the settings accept them."""
    name = activity.user or ""
    controls = (CONTROL.id, *CONTROL.accepted_with)
    accepted = any(settings.accepts(control, name, activity.repository, today) for control in controls)
    if accepted or settings.is_break_glass(name):
        return Severity.INFO
    if activity.has(Operation.PUSH):
        return Severity.HIGH
    return Severity.MEDIUM if activity.has(Operation.PULL) else Severity.INFO


def _order(counted: Counted) -> tuple[int, float, str]:
    """The gravest first, then what was last."""
    last = counted.activity.last
    return -counted.severity.rank, -last.timestamp() if last else 0.0, counted.activity.id


def _concerns(users: frozenset[str], standing: Standing | None, event: Happening) -> bool:
    """Whether one of the users did it, or it concerns one of them, as far as is known."""
    _, _, path = event.cause.actor.partition(":user/")
    if path.rpartition("/")[2].lower() in users:
        return True
    if standing and event.account == standing.snapshot.account:
        named = standing.concerned(event)
        return named is None or any(name.lower() in users for name in named)
    scope = event.scope
    if scope is None:
        return event.everywhere
    named_groups = scope.groups or scope.policies
    return scope.users is None or bool(named_groups) or any(name.lower() in users for name in scope.users)
