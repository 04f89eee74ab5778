"""What is told of a run of a remediation, in words that Slack and mail share. Pure.

All of it may hold what somebody typed: whoever shows it escapes it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from chalicelib.alerts.run_notice import RunNotice
from chalicelib.notify.facts import LONGEST_COMMAND, MARKS
from chalicelib.remediation.run import Aim, RunState
from chalicelib.remediation_settings import Mode

QUIET = frozenset({RunState.READY, RunState.RUNNING, RunState.UNDOING})
"""States that pass by themselves: people are told what comes of them."""
MOST_USERS = 5
"""Users that are named; of more it says how many."""
TABLE = "mfawatch-ledger"
"""Where a deployment keeps its runs."""
MOST_IN_A_COMMAND = 10
"""Users and controls in a command together."""

PROPOSAL = "Nothing is changed: this is a proposal."
APPROVERS = "Only those may decide whom the settings name as approvers."
VERIFIED = "All steps are taken, and deciding anew shows that the findings are gone."
LEFT = "What is left is planned anew, and waits for approval then, when the account is looked at next."
UNASKED = "Nobody was asked: the settings say auto."
UNTOUCHED = "Nothing was changed."
RESTORED = "What was before is so again."
FIGHT = (
    "Whoever undoes it will do so again. Let what stands behind them, such as a template or a script, keep what is put "
    "right; or accept the finding."
)

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
_DECIDED = {RunState.DECLINED: "Declined by", RunState.UNDOING: "Undone by", RunState.UNDONE: "Undone by"}


class Command(NamedTuple):
    """A command to paste into a shell, and what for."""

    label: str
    line: str


def latest_of(notices: Iterable[RunNotice]) -> Iterator[Sequence[RunNotice]]:
    """The notices of each run, the oldest first: the last one says all that is told of it."""
    found: dict[tuple[str, str], list[RunNotice]] = {}
    for notice in sorted(notices, key=lambda one: one.version):
        found.setdefault((notice.account, notice.run), []).append(notice)
    return iter(found.values())


def state_words(notice: RunNotice) -> tuple[str, str]:
    """A sign and words for the state."""
    mark, words = _HEADS[notice.state]
    return mark, f"{words}: somebody undoes it" if notice.undoes else words


def run_headline(notice: RunNotice) -> str:
    """The notice in a line."""
    return " · ".join(filter(None, [" ".join(state_words(notice)), _whom(notice), matter(notice)]))


def matter(notice: RunNotice) -> str:
    """What is the matter: the gravest of the findings, and how many there are beside it."""
    more = f", and {notice.aim_count - 1} more" if notice.aim_count > 1 else ""
    return f"{notice.aims[0].title}{more}" if notice.aims else ""


def _whom(notice: RunNotice) -> str:
    if not notice.users:
        return f"account {notice.account}"
    return f"{notice.user_count} users" if notice.user_count > 1 else f"user {notice.users[0]}"


def gravest(notice: RunNotice) -> str:
    """How grave the gravest of the findings is, with its sign."""
    return f"{MARKS[notice.severity]} {notice.severity.capitalize()}"


def aim_line(aim: Aim) -> str:
    """A finding that a run is to mend, in a line."""
    whose = f"user {aim.user}" if aim.user else aim.resource
    return f"{MARKS[aim.severity]} {aim.severity.capitalize()} · {whose} · {aim.title} ({aim.control})"


def step_lines(notice: RunNotice, most: int) -> list[str]:
    """The first steps, numbered, and how many there are beside them."""
    lines = [f"{number}. {step}" for number, step in enumerate(notice.steps[:most], 1)]
    return [*lines, f"and {notice.step_count - len(lines)} more"] if notice.step_count > len(lines) else lines


def aim_lines(notice: RunNotice, most: int) -> list[str]:
    """The gravest findings, and how many there are beside them."""
    lines = [aim_line(aim) for aim in notice.aims[:most]]
    return [*lines, f"and {notice.aim_count - len(lines)} more"] if notice.aim_count > len(lines) else lines


def changed_users(notice: RunNotice) -> tuple[Sequence[str], int]:
    """Names of users whom the run changes, and how many there are beside them."""
    some = notice.users[:MOST_USERS]
    return some, notice.user_count - len(some)


def steps_in_words(notice: RunNotice) -> str:
    """How many steps there are."""
    return "1 step" if notice.step_count == 1 else f"{notice.step_count} steps"


def decided(notice: RunNotice) -> tuple[str, str]:
    """What somebody decided, in words, and who; empty where nobody did."""
    if notice.by:
        otherwise = "Approved by" if notice.mode is Mode.APPROVE else "Decided by"
        return _DECIDED.get(notice.state, otherwise), notice.by
    return "", ""


def what_happened(notice: RunNotice) -> str:
    """What comes of the run, in a sentence; empty where that is still open."""
    match notice.state:
        case RunState.PROPOSED:
            return PROPOSAL
        case RunState.DONE:
            return f"{VERIFIED} {UNASKED}" if notice.mode is Mode.AUTO and not notice.by else VERIFIED
        case RunState.STOPPED:
            return f"{notice.taken} of {steps_in_words(notice)} taken. Reason: {notice.reason or 'not known'}"
        case RunState.DECLINED | RunState.EXPIRED:
            return f"{UNTOUCHED} Reason: {notice.reason}" if notice.reason else UNTOUCHED
        case RunState.UNDONE:
            return f"{RESTORED} Reason: {notice.reason}" if notice.reason else RESTORED
        case _:
            return f"Why it waits for somebody: {notice.reason}" if notice.reason else ""


def commands(notice: RunNotice, *, buttons: bool) -> list[Command]:
    """What can be done at a command line; what is decided with buttons is left to them."""
    of_account = ["--account", notice.account]
    deployed = ["--table", TABLE, *of_account]
    match notice.state:
        case RunState.PROPOSED:
            return [Command("To see all of it, and with --apply to carry it out", _plan_command(notice))]
        case RunState.WAITING:
            see = Command("To see all of it", shlex.join(["mfawatch", "runs", notice.run, *deployed]))
            approve = Command("To approve it", shlex.join(["mfawatch", "approve", notice.run, *of_account]))
            return [see] if buttons else [see, approve]
        case RunState.DONE | RunState.STOPPED:
            label = "To undo it" if notice.state is RunState.DONE else "To undo what was done"
            return [Command(label, shlex.join([*_COMMAND, "--rollback", notice.run, *deployed]))]
        case _:
            return []


def _plan_command(notice: RunNotice) -> str:
    """The command that plans it again; for all that there is where it cannot name what the plan is for."""
    controls = dict.fromkeys(aim.control for aim in notice.aims)
    users = dict.fromkeys(aim.user for aim in notice.aims)
    words = [word for control in controls for word in ("--control", control)]
    if None not in users:
        words += [word for user in users if user for word in ("--user", user)]
    if notice.aim_count > len(notice.aims) or len(words) > 2 * MOST_IN_A_COMMAND:
        return shlex.join(_COMMAND)
    line = shlex.join([*_COMMAND, *words])
    # One that is cut or holds what cannot be shown is another command.
    fits = line.isascii() and line.isprintable() and "`" not in line and len(line) <= LONGEST_COMMAND
    return line if fits else shlex.join(_COMMAND)
