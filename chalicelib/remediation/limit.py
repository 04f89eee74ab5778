"""How many users a plan changes, and the plan that changes no more of them than one run may. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.applying import apply_steps
from chalicelib.remediation.planned import Plan, refusal_of
from chalicelib.remediation.proof import touched
from chalicelib.remediation.step import Step


def repairs_in(plan: Plan) -> list[tuple[Step, ...]]:
    """The steps of a plan, those that are taken together or not at all side by side."""
    return [tuple(steps) for _, steps in groupby(plan.steps, key=lambda step: step.findings)]


def users_changed(plan: Plan, snapshot: AccountSnapshot) -> frozenset[str]:
    """The names of the users whose policies or credentials are others after the plan."""
    return frozenset[str]().union(*_changed(plan, snapshot))


def findings_of_large(plan: Plan, snapshot: AccountSnapshot, most: int) -> frozenset[str]:
    """The fingerprints of the findings of each repair that by itself changes more than `most` users."""
    pairs = zip(repairs_in(plan), _changed(plan, snapshot), strict=True)
    return frozenset(
        fingerprint for steps, changed in pairs if len(changed) > most for fingerprint in steps[0].findings
    )


def limited(plan: Plan, snapshot: AccountSnapshot, findings: Iterable[Finding], most: int) -> Plan:
    """The plan up to the first repair with which it would change more than `most` users.

    What comes after that repair is left as well: it is proved on the account that the repair leaves behind.
    """
    users: frozenset[str] = frozenset()
    repairs = repairs_in(plan)
    for taken, changed in enumerate(_changed(plan, snapshot)):
        users |= changed
        if len(users) > most:
            left = {fingerprint for steps in repairs[taken:] for fingerprint in steps[0].findings}
            told = f"one run changes {most} users at most, and with this it would be {len(users)}"
            later = "it comes after a repair that is left for another run"
            first = repairs[taken][0].findings
            refusals = [
                refusal_of(one, told if one.fingerprint in first else later)
                for one in findings
                if one.fingerprint in left
            ]
            steps = tuple(step for steps in repairs[:taken] for step in steps)
            return replace(plan, steps=steps, refusals=(*plan.refusals, *refusals))
    return plan


def _changed(plan: Plan, snapshot: AccountSnapshot) -> Iterator[frozenset[str]]:
    """The names of the users whom each repair changes."""
    for steps in repairs_in(plan):
        after = apply_steps(snapshot, steps)
        yield frozenset(touched(snapshot, after))
        snapshot = after
