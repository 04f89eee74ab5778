"""Deciding again, before a run goes on, whether it may: what was planned, settings and accounts move. Pure."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.config import Settings
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.applying import NotApplicableError, apply_steps
from chalicelib.remediation.plan import plan_remediation
from chalicelib.remediation.run import TAKEN, RemediationRun, StepState, Verb
from chalicelib.remediation.stage import Stage, Verdicts
from chalicelib.remediation_settings import Mode

CARRIED_OUT = frozenset({Mode.APPROVE, Mode.AUTO})
"""The modes in which an approved plan is carried out."""
THERE = frozenset({*TAKEN, StepState.SKIPPED})
"""The states of a step whose effect is there, by whomever."""


def why_not(run: RemediationRun, snapshot: AccountSnapshot, settings: Settings, accepted: Collection[str]) -> str:
    """Why the run must not go on in an account as it is now, in words; empty where it may.

    `accepted` are the fingerprints of what somebody has accepted.
    """
    if found := {aim.fingerprint for aim in run.aims}.intersection(accepted):
        return f"somebody accepted {len(found)} of the findings that it is to mend"
    for control in dict.fromkeys(aim.control for aim in run.aims):
        mode = settings.remediation.mode_of(run.account, control)
        if mode not in _modes_of(run):
            lacking = " and nobody approved it" if mode is Mode.APPROVE else ""
            return f"the settings do not let findings of {control} be put right so: their mode is {mode}{lacking}"
    taken = [entry.step for entry in run.steps if entry.state in THERE]
    try:
        before = apply_steps(snapshot, [step.inverse() for step in reversed(taken)])
    except NotApplicableError as error:
        return f"what the run has done so far was changed by somebody else: {error}"
    there = verdicts_on(run, Stage(before, settings)).findings
    wanted = [there[aim.fingerprint] for aim in run.aims if aim.fingerprint in there]
    if len(wanted) < len(run.aims):
        return f"{len(run.aims) - len(wanted)} of the findings that it is to mend are not there any more"
    plan = plan_remediation(before, wanted, settings)
    if plan.id == run.plan:
        return ""
    refused = "; ".join(dict.fromkeys(refusal.reason for refusal in plan.refusals))
    return (
        f"planned anew it would be other steps: the account is another one by now{f' ({refused})' if refused else ''}"
    )


def verdicts_on(run: RemediationRun, stage: Stage) -> Verdicts:
    """What the controls say of those whom the run aims at, as far as they are there, and of the canonical policies."""
    users = dict.fromkeys(aim.user for aim in run.aims if aim.user in stage.snapshot.users)
    return stage.verdicts(user for user in users if user)


def _modes_of(run: RemediationRun) -> frozenset[Mode]:
    """The modes in which the run may go on. Whoever applies at a command line is not bound by them."""
    verbs = {decision.verb for decision in run.decisions}
    if Verb.APPLY in verbs:
        return frozenset(Mode)
    return CARRIED_OUT if verbs & {Verb.APPROVE, Verb.CONTINUE} else frozenset({Mode.AUTO})
