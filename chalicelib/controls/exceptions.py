"""What the controls of exemptions have in common: entries of a user's surface that a deny for want of MFA spares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from chalicelib.analysis.surface import Answer
from chalicelib.analysis.ways import Reach
from chalicelib.controls.base import Control, Result, State, Subject
from chalicelib.controls.proof import MOST_SPOKEN, actions_of, patterns_of, some_of, statements_of, uncertain
from chalicelib.findings import Finding, Severity, witness_of

NOBODY = ", if the user had a credential that makes such calls"

Question = Callable[[Subject], Answer]
"""What to ask of a user's surface."""


def check_exemption(question: Question, severity: Severity) -> Callable[[Control, State], Iterator[Result]]:
    """A check that raises one finding for a user of whom the question finds an entry."""

    def check(control: Control, state: State) -> Iterator[Result]:
        def judge(subject: Subject) -> tuple[Sequence[Finding], str]:
            answer = question(subject)
            findings = [_finding(control, state, subject, answer, severity)] if answer.entries else []
            return findings, answer.untried or subject.enforcement.untried

        return control.of_each_user(state, judge)

    return check


def _finding(control: Control, state: State, subject: Subject, answer: Answer, severity: Severity) -> Finding:
    entries, proof = answer.entries, answer.best
    services = sorted({entry.origin.via for entry in entries if entry.origin.via})
    through = f"through {', '.join(services[:MOST_SPOKEN])}" if services else "in a direct call"
    told = f"{some_of(entries)} on {', '.join(patterns_of(entries)[:MOST_SPOKEN])}"
    # Git credentials call nothing but Git: the hole is there, and nobody can use it with what is active now.
    idle = all(way.reach is Reach.GIT for way in subject.ways)
    evidence: dict[str, object] = {
        "summary": f"{told} allowed without MFA {through}{NOBODY if idle else ''}",
        "actions": actions_of(entries),
        "resources": patterns_of(entries),
        "way": proof.origin.words,
        "statements": statements_of(proof.decision),
        **({"services": services} if services else {}),
        **uncertain(subject, proof.doubts),
    }
    witness = witness_of(proof.decision, proof.context)
    return control.finding(state, subject.user.arn, severity, evidence, user=subject.user, witness=witness)
