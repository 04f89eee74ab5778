"""The plan for what the options of mfawatch remediate name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.audit import Audit, judge
from chalicelib.cli.audit import users_named
from chalicelib.config import Settings
from chalicelib.controls.base import Control
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.limit import limited
from chalicelib.remediation.plan import Plan, plan_remediation


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be mended: what these controls find, about these users where any are named, and no more than so many
    users changed where it says how many.
    """

    controls: Sequence[Control]
    names: Sequence[str] = ()
    """Names or ARNs."""
    most: int | None = None

    @property
    def user_names(self) -> list[str]:
        """The users without their paths."""
        return [name.rpartition("/")[2] for name in self.names]


def planned(snapshot: AccountSnapshot, wanted: Wanted, settings: Settings) -> tuple[Plan, Audit]:
    """The plan for the account, and the audit that it is for.

    Raises:
        click.UsageError: there is no user of one of the names.
    """
    audit = judge(snapshot, wanted.controls, users_named(snapshot, wanted.names), settings)
    plan = plan_remediation(snapshot, audit.findings, settings)
    return limited(plan, snapshot, audit.findings, wanted.most or settings.remediation.max_users), audit
