"""What carrying out a plan asks of the world, as protocols. The adapters stand in `aws` and `local`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.alerts.entry import Entry
from chalicelib.cause import Cause
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.run import RemediationRun, RunStep
from chalicelib.remediation.step import Step


class StepFailed(Exception):  # noqa: N818 - says what happened
    """AWS refused a step, or gave no answer that tells whether it was taken; the text says why, and holds no secret."""


class LostHold(Exception):  # noqa: N818 - says what happened
    """Another executor holds the account by now, or the run is another's to go on with; the text says so. Nothing was
    written."""


def lost_hold(account: str, holder: str | None, run: str | None) -> LostHold:
    """The error for one who holds an account no longer; another one does, for a run, or nobody."""
    return LostHold(f"account {account} is held by {f'{holder} for run {run}' if holder else 'nobody'} by now")


def moved_on(run: str) -> LostHold:
    """The error for one who would go on with a run as it is no longer."""
    return LostHold(f"somebody decided something of run {run} in between")


class StepExecutor(Protocol):
    """Takes steps in one account."""

    def look(self, step: Step) -> Mapping[str, str]:
        """What the keys of `step.expected` are now, in the same words; a key of which nothing could be found is absent.

        Raises:
            StepFailed: it could not be read.
        """
        ...

    def taken(self, step: Step) -> Step | None:
        """The step as it was taken, if all that it does is so already, by whomever; None where it is not.

        Raises:
            StepFailed: it could not be read.
        """
        ...

    def take(self, step: Step) -> Step:
        """Make the call; the step as it was taken, with the version that AWS made.

        Raises:
            StepFailed: it was not taken, or nobody can say.
        """
        ...


class Journal(Protocol):
    """Keeps runs. Several executors may use one journal at once, and any may die between writes."""

    def keep(self, run: RemediationRun, entries: Sequence[Entry] = ()) -> bool:
        """Keep a new run with its steps, and what is to be told of it, which come together or not at all.

        False where there is one of that id already: nothing is written.
        """
        ...

    def load(self, account: str, id_: str) -> RemediationRun | None:
        """A run with its steps; None where there is none."""
        ...

    def runs(self, account: str, since: datetime) -> Sequence[RemediationRun]:
        """The runs of an account that were made from a moment on, the latest first, without their steps."""
        ...

    def move(self, run: RemediationRun, entries: Sequence[Entry] = (), holder: str | None = None) -> bool:
        """Write a run in another state (all but its steps), with what is to be told of it.

        False where it is not in the version before by now: nothing is written. With a `holder` it is written only while
        that holds the account.

        Raises:
            LostHold: another one does.
        """
        ...

    def note(self, run: RemediationRun, step: RunStep, holder: str) -> None:
        """Write a step as it stands, while `holder` holds the account and the run is in the version that is given.

        Raises:
            LostHold: another one holds it, or somebody decided something of the run since.
        """
        ...

    def hold(self, account: str, holder: str, run: str, until: datetime, now: datetime) -> str | None:
        """Hold an account for a run until a moment, or for longer; None where that succeeds.

        Where another one holds it, and that moment is not over, the id of the run that it holds it for.
        """
        ...

    def release(self, account: str, holder: str) -> None:
        """Let go of an account; of one that another holds by now nothing changes."""
        ...


class StopSwitch(Protocol):
    """Stops all remediation, everywhere."""

    def __call__(self) -> str:
        """Why nothing may be changed now, in words; empty where it may. What cannot be read stops."""
        ...


class Tells(Protocol):
    """Says what is to be told of a run."""

    def __call__(self, run: RemediationRun, undoes: Cause | None = None) -> Sequence[Entry]:
        """The entries for a run as it stands; `undoes` is what undid the last time that mfawatch put the same right."""
        ...


class ReadAccount(Protocol):
    """Reads the account that is to be changed, as a whole, as it is now."""

    def __call__(self, users: Sequence[str]) -> AccountSnapshot:
        """The account; of these users nothing is in it that may be hours old, of the first of them if they are many."""
        ...
