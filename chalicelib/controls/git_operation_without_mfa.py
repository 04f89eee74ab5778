"""git-operation-without-mfa: CloudTrail recorded that somebody used Git without MFA.

The one control that judges what happened. Somebody must hear of it even where the hole was closed a second later, so
it is raised for a day in any case; then for as long as the same would get through again, and a month at the most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.analysis.git_hops import Operation
from chalicelib.analysis.surface import Entry
from chalicelib.controls.base import Control, NotEvaluated, Result, State
from chalicelib.controls.git_commands import commands_for
from chalicelib.controls.git_passage import Now, Passage, passage_of
from chalicelib.controls.proof import hops_of, statements_of
from chalicelib.events.git_activity import GitActivity, Seen
from chalicelib.events.git_operation import CredentialUsed
from chalicelib.findings import Finding, Severity, Witness, witness_of
from chalicelib.iam.account import User

IN_ANY_CASE = timedelta(hours=24)
"""For so long after the last operation it is raised whatever became of the hole."""
AT_MOST = timedelta(days=30)
"""For so long after the last operation it is raised while the hole is open."""

NO_GUARD = "still open: no policy asks for MFA"

_SEVERITIES = {Operation.PUSH: Severity.HIGH, Operation.PULL: Severity.MEDIUM}
"""What an operation is worth, the gravest first."""
_CREDENTIALS = {
    CredentialUsed.SSH_KEY: "an SSH key",
    CredentialUsed.GIT_CREDENTIAL: "an HTTPS Git credential",
    CredentialUsed.ACCESS_KEY: "an access key",
    CredentialUsed.SESSION_WITHOUT_MFA: "a session",
    CredentialUsed.UNKNOWN: "a credential that is not known",
}


def _check(control: Control, state: State) -> Iterator[Result]:
    seen = state.observed.git if state.observed else ()
    results = [_judge(control, state, one) for one in seen if one.without_mfa and _is_asked(state, one)]
    yield from (result for result in results if isinstance(result, Finding))
    yield from dict.fromkeys(result for result in results if isinstance(result, NotEvaluated))


def _is_asked(state: State, activity: GitActivity) -> bool:
    """Whether the activity's user is to be judged; what is about the account is judged with all of it."""
    return state.only is None or (activity.account == state.snapshot.account and activity.user in state.only)


def _judge(control: Control, state: State, activity: GitActivity) -> Result | None:
    """The finding by the gravest operation that is worth one, or that there is no saying; None where none is."""
    for operation in _SEVERITIES:
        age = _age(activity.last_of(operation), state.snapshot.taken)
        if not activity.has(operation) or (age is not None and age >= AT_MOST):
            continue
        passage = passage_of(state, activity, operation)
        if passage.now is Now.OPEN or (age is not None and age < IN_ANY_CASE):
            return _finding(control, state, activity, operation, passage)
        if passage.now is Now.UNKNOWN:
            return control.not_evaluated(activity.user or activity.principal, passage.why)
    return None


def _age(moment: datetime | None, now: datetime) -> timedelta | None:
    return None if moment is None else now - moment


def _finding(control: Control, state: State, activity: GitActivity, operation: Operation, passage: Passage) -> Finding:
    access = passage.access
    evidence: dict[str, object] = {
        "summary": _summary(activity, operation, passage),
        "operation": str(operation),
        "repository": activity.repository,
        "credential": str(activity.credential),
        "now": str(passage.now),
        **({"why": passage.why} if passage.why else {}),
        **({"cause": _cause(passage), "exemptions": list(passage.exemptions)} if passage.exemptions else {}),
        **({"now_uncertain": list(passage.doubts)} if passage.doubts else {}),
    }
    witness: Witness | None = None
    if access is not None:
        evidence["hops"] = hops_of(access)
        passing = access.repository if access.works else None
        evidence["statements"] = statements_of(passing.decision if isinstance(passing, Entry) else access.denied[0])
        witness = witness_of(passing.decision, passing.context) if isinstance(passing, Entry) else None
    evidence["activity"] = _counted(activity)
    if activity.doubts:
        evidence["uncertain"] = list(activity.doubts)
    is_user = activity.user is not None and activity.account == state.snapshot.account
    return control.finding(
        state,
        activity.principal,
        _SEVERITIES[operation],
        evidence,
        # The user may be gone: of whoever it was the name is known.
        user=User(activity.user, activity.principal) if is_user and activity.user else None,
        witness=witness,
        distinction=f"{activity.repository} {activity.credential}",
        touched=[activity.repository],
        commands=_commands(state, activity, passage),
    )


def _commands(state: State, activity: GitActivity, passage: Passage) -> tuple[str, ...]:
    """How the user does it with MFA; none for whoever is no user of the account, or is gone."""
    user = state.snapshot.users.get(activity.user or "") if activity.account == state.snapshot.account else None
    if user is None:
        return ()
    surface = state.subject(user).surface.own if passage.access else None
    return commands_for(user, [activity.repository], surface, passage.access)


def _cause(passage: Passage) -> str:
    """Why the deny that was meant does not stop the first hop; empty where nobody asked."""
    return str(passage.exemptions[0]["cause"]) if passage.exemptions else ""


# --- what was counted ------------------------------------------------------------------------------------------------


def _summary(activity: GitActivity, operation: Operation, passage: Passage) -> str:
    name = activity.repository.rpartition(":")[2] or "a repository that is not named"
    done = "git push to" if operation is Operation.PUSH else "git pull from"
    told = f"{done} {name} with {_CREDENTIALS[activity.credential]}, without MFA: {_times(activity)}"
    if activity.first is not None:
        told += f" since {activity.first.date()}"
    if activity.addresses:
        told += f", last from {activity.addresses[-1].text}"
    return f"{told}; {standing}" if (standing := _standing(passage)) else told


def _standing(passage: Passage) -> str:
    """How it stands now, in a few words."""
    if passage.now is Now.CLOSED:
        return "closed by now"
    if passage.now is Now.UNKNOWN or not passage.exemptions:
        return ""
    guard = passage.exemptions[0].get("guard")
    return f"still open: spared by {guard['policy']} Statement[{guard['statement']}]" if guard else NO_GUARD


def _times(activity: GitActivity) -> str:
    """How often what was done: 3 pushes and 12 pulls."""
    counts = (
        (activity.pushes, "push", "pushes", ""),
        (activity.idle_pushes, "push", "pushes", " that sent nothing"),
        (activity.pulls, "pull", "pulls", ""),
    )
    told = [f"{count} {one if count == 1 else many}{more}" for count, one, many, more in counts if count]
    return " and ".join(filter(None, (", ".join(told[:-1]), told[-1])))


def _counted(activity: GitActivity) -> dict[str, Any]:
    """What was counted, as JSON values: under one key, which moves with each operation."""
    moments = {"first": activity.first, "last": activity.last, "last_push": activity.last_push}
    return {
        "pulls": activity.pulls,
        "pulls_with_data": activity.pulls_with_data,
        "pushes": activity.pushes,
        "pushes_that_sent_nothing": activity.idle_pushes,
        "refused": activity.refused,
        **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
        "addresses": _texts(activity.addresses),
        "agents": _texts(activity.agents),
        "protocols": _texts(activity.protocols),
        "references": _texts(activity.references),
    }


def _texts(seen: Sequence[Seen]) -> list[str]:
    """The texts, what was seen last first."""
    return [one.text for one in reversed(seen)]


CONTROL = Control(
    id="git-operation-without-mfa",
    title="Git was used without MFA",
    why=(
        "This is no hole that somebody might use: somebody did. CloudTrail recorded that the user's SSH key, Git "
        "credential or access key, or a session without MFA, read code or changed it. Where nobody knows the address "
        "or the machine, take the credential for stolen."
    ),
    fix=(
        "Ask the user whether it was them. If not, deactivate the credential, and look through what was pushed. If so, "
        "let them use Git with an MFA session (`mfawatch session`) or through a role that asks for MFA, by "
        "git-remote-codecommit, and close the exemption that the evidence names; or accept it for this user and "
        "repository in mfawatch.toml."
    ),
    needs=frozenset(),
    check=_check,
    from_records=True,
    accepted_with=("codecommit-exemption",),
)
