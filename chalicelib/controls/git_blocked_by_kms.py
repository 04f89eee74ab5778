"""git-blocked-by-kms: Git is exempted at CodeCommit and still fails at KMS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.analysis.git import GitAnswer, git_without_mfa
from chalicelib.analysis.git_hops import Access
from chalicelib.analysis.surface import Entry
from chalicelib.controls.base import Control, Result, State, Subject
from chalicelib.controls.git_commands import commands_for
from chalicelib.controls.proof import hops_of, patterns_of, statements_of, uncertain
from chalicelib.findings import Finding, Severity, witness_of
from chalicelib.iam.account import Read


def _check(control: Control, state: State) -> Iterator[Result]:
    def judge(subject: Subject) -> tuple[Sequence[Finding], str]:
        answer = _answer(subject)
        works = {access.operation for access in answer.accesses if access.works}
        # Where not all was tried, the operation may work all the same.
        untried = {access.operation: access.untried for access in _unsettled(answer) if access.untried}
        blocked = [access for access in answer.accesses if access.operation not in works | untried.keys()]
        findings = [_finding(control, state, subject, blocked)] if blocked else []
        return findings, answer.untried_at_codecommit or next(iter(untried.values()), "")

    return control.of_each_user(state, judge, lambda subject: _unread(_answer(subject)))


def _answer(subject: Subject) -> GitAnswer:
    return git_without_mfa(subject.surface, subject.enforcement.guarded)


def _unsettled(answer: GitAnswer) -> Iterator[Access]:
    """The accesses of operations of which it is not certain that they work."""
    settled = {access.operation for access in answer.accesses if access.works and access.certain}
    return (access for access in answer.accesses if access.operation not in settled)


def _unread(answer: GitAnswer) -> str:
    """What was not read although it hangs on it whether Git works, in words; empty where it hangs on nothing."""
    return next((access.unread for access in _unsettled(answer) if access.unread), "")


def _finding(control: Control, state: State, subject: Subject, blocked: Sequence[Access]) -> Finding:
    entries = [access.repository for access in blocked if isinstance(access.repository, Entry)]
    operations = sorted({str(access.operation) for access in blocked})
    proof, denial = entries[0], next(iter(blocked[0].denied))
    verbs = ("passes", "fails") if len(operations) == 1 else ("pass", "fail")
    told = f"git {' and '.join(operations)} on {', '.join(patterns_of(entries))} {verbs[0]} CodeCommit"
    evidence: dict[str, object] = {
        "summary": f"{told} without MFA and {verbs[1]} at KMS: {denial.reason}",
        "operations": operations,
        "repositories": patterns_of(entries),
        "hops": hops_of(blocked[0]),
        "statements": statements_of(denial),
        **uncertain(subject, [*proof.doubts, *filter(None, (access.unread for access in blocked))]),
    }
    witness = witness_of(proof.decision, proof.context)
    commands = commands_for(subject.user, patterns_of(entries), subject.surface.own, blocked[0])
    return control.finding(
        state, subject.user.arn, Severity.INFO, evidence, user=subject.user, witness=witness, commands=commands
    )


CONTROL = Control(
    id="git-blocked-by-kms",
    title="Git is exempted from MFA and fails at KMS",
    why=(
        "The exemption was meant to make Git work and does not: the repository's key is used on the user's behalf, and "
        "that request is denied. Somebody will widen the policy soon, and mostly too far."
    ),
    fix=(
        "Either take the Git actions out of the exemptions and let people use Git with MFA, by `mfawatch session` or a "
        "role, or free KMS for CodeCommit alone: add the condition "
        'StringNotLike kms:ViaService "codecommit.*.amazonaws.com" to the deny.'
    ),
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=_check,
)
