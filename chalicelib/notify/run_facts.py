"""What is told of a run of a remediation, in words that Slack and mail share. Pure.

All of it may hold what somebody typed: whoever shows it escapes it.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from chalicelib.alerts.run_notice import RunNotice
from chalicelib.notify.facts import LONGEST_COMMAND, MARKS
from chalicelib.remediation.run import RunState

QUIET = frozenset({RunState.READY, RunState.RUNNING, RunState.UNDOING})
"""States that pass by themselves: people are told what comes of them."""

MOST_USERS = 5
"""Users that are named; of more it says how many."""
MOST_IN_A_COMMAND = 10
"""Users and controls in a command together."""

_COMMAND = ("mfawatch", "remediate")
_HEADS = {
    RunState.PROPOSED: ("💡", "Proposed"),
    RunState.WAITING: ("✋", "Waiting for approval"),
    RunState.READY: ("👍", "Approved"),
    RunState.RUNNING: ("⏳", "Being put right"),
    RunState.DONE: ("✅", "Put right and verified"),
    RunState.STOPPED: ("🛑", "Remediation stopped"),
    RunState.DECLINED: ("🚫", "Declined"),
    RunState.EXPIRED: ("⌛", "Expired"),
    RunState.UNDOING: ("⏳", "Being undone"),
    RunState.UNDONE: ("↩️", "Undone"),
}
"""State → a sign and words for it; the words say all that the sign does."""


def state_in_words(notice: RunNotice) -> str:
    """The state with its sign."""
    return " ".join(_HEADS[notice.state])


def run_headline(notice: RunNotice) -> str:
    """The notice in a line."""
    parts = [state_in_words(notice), f"account {notice.account}"]
    if notice.undoes:
        parts.insert(1, "somebody undoes what mfawatch puts right")
    return " · ".join([*parts, matter(notice)])


def matter(notice: RunNotice) -> str:
    """What the run is about: the gravest of its findings, and whom it changes."""
    if not notice.aims:
        return changed_users(notice)
    more = f", and {notice.aim_count - 1} more" if notice.aim_count > 1 else ""
    first = notice.aims[0]
    who = f"user {first.user}" if first.user else "the account"
    return f"{MARKS[first.severity]} {first.severity.capitalize()}: {first.title}, {who}{more}"


def changed_users(notice: RunNotice) -> str:
    """Whom the run changes."""
    if not notice.users:
        return "no user"
    more = f" and {len(notice.users) - MOST_USERS} more" if len(notice.users) > MOST_USERS else ""
    return f"{'user' if len(notice.users) == 1 else 'users'} {', '.join(notice.users[:MOST_USERS])}{more}"


def steps_in_words(count: int) -> str:
    """How many steps."""
    return "1 step" if count == 1 else f"{count} steps"


def plan_command(notice: RunNotice) -> str:
    """The command that plans it again, to paste into a shell; it changes nothing as it stands.

    Where it cannot name what the plan is for, it plans for all that there is.
    """
    if notice.aim_count > len(notice.aims):
        return _command([])
    controls = dict.fromkeys(aim.control for aim in notice.aims)
    users = dict.fromkeys(aim.user for aim in notice.aims)
    if len(controls) + len(users) > MOST_IN_A_COMMAND:
        return _command([])
    words = [word for control in controls for word in ("--control", control)]
    if None not in users:
        words += [word for user in users if user for word in ("--user", user)]
    return _command(words)


def _command(words: Sequence[str]) -> str:
    line = shlex.join([*_COMMAND, *words])
    # One that is cut or holds what cannot be shown is another command.
    fits = line.isascii() and line.isprintable() and "`" not in line and len(line) <= LONGEST_COMMAND
    return line if fits else shlex.join(_COMMAND)


def rollback_command(notice: RunNotice) -> str:
    """The command that undoes the run."""
    return shlex.join([*_COMMAND, "--rollback", notice.run])
