"""The steps of a plan one by one, with what each changes in the account that those before it leave. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chalicelib.audit import Audit
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.applying import apply_step
from chalicelib.remediation.limit import repairs_in, users_changed
from chalicelib.remediation.planned import Plan
from chalicelib.remediation.step import Step, StepKind
from chalicelib.report.changes import changes_of, undoing, version_name, words_of


@dataclass(frozen=True, slots=True)
class Shown:
    """A step, which repair it is part of and which of its steps it is, both from 1, and what it changes as a diff."""

    repair: int
    place: int
    step: Step
    changes: list[str]

    @property
    def number(self) -> str:
        """The step as a reader calls it."""
        return f"{self.repair}.{self.place}"


def shown_steps(plan: Plan, snapshot: AccountSnapshot) -> Iterator[Shown]:
    """The steps in their order. What is in the diffs somebody typed: clean it before printing."""
    for number, steps in enumerate(repairs_in(plan), 1):
        created: set[str] = set()
        for place, step in enumerate(steps, 1):
            after = apply_step(snapshot, step)
            yield Shown(number, place, step, changes_of(step, snapshot, after, told=created))
            if step.kind is StepKind.CREATE_POLICY_VERSION:
                created.add(version_name(step))
            snapshot = after


def plan_to_json(plan: Plan, audit: Audit) -> dict[str, Any]:
    """The plan as JSON values, with the findings that it is for and what the audit could not judge."""
    told = audit.to_json()
    return {**plan.to_json(), **{key: told[key] for key in ("findings", "gaps", "not_evaluated")}}


def plan_with_diffs(plan: Plan, audit: Audit, snapshot: AccountSnapshot) -> dict[str, Any]:
    """The same with what each step does in words, as a diff, and what undoes it; and whom the plan changes."""
    steps = [
        {
            **one.step.to_json(),
            "number": one.number,
            "title": words_of(one.step),
            "diff": one.changes,
            "undo": undoing(one.step),
        }
        for one in shown_steps(plan, snapshot)
    ]
    return {**plan_to_json(plan, audit), "steps": steps, "users": sorted(users_changed(plan, snapshot))}
