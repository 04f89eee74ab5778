"""codecommit-exemption: Git works without MFA, at CodeCommit and at KMS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.analysis.git import git_without_mfa
from chalicelib.analysis.git_hops import Access
from chalicelib.analysis.surface import Entry
from chalicelib.controls.base import Control, Result, State, Subject
from chalicelib.controls.git_commands import commands_for
from chalicelib.controls.proof import hops_of, patterns_of, statements_of, uncertain, unread_keys
from chalicelib.findings import Finding, Severity, witness_of
from chalicelib.iam.account import GIT_KINDS, CredentialKind, Read

_USED_BY_GIT = GIT_KINDS | {CredentialKind.ACCESS_KEY}


def _check(control: Control, state: State) -> Iterator[Result]:
    def judge(subject: Subject) -> tuple[Sequence[Finding], str]:
        answer = git_without_mfa(subject.surface, subject.enforcement.guarded)
        open_to = [access for access in answer.accesses if access.works]
        return [_finding(control, state, subject, open_to, answer.untried)] if open_to else [], answer.not_tried

    return control.of_each_user(state, judge, unread_keys)


def _finding(control: Control, state: State, subject: Subject, open_to: Sequence[Access], untried: str) -> Finding:
    # A push proves more than a pull, certainty more than a doubt.
    proof = min(open_to, key=lambda access: (not access.certain, access.operation == "pull"))
    entry = proof.repository
    assert isinstance(entry, Entry)
    entries = [access.repository for access in open_to if isinstance(access.repository, Entry)]
    operations = sorted({str(access.operation) for access in open_to})
    usable = sorted(map(str, subject.user.active() & _USED_BY_GIT))
    verb = "works" if len(operations) == 1 else "work"
    told = f"git {' and '.join(operations)} on {', '.join(patterns_of(entries))} {verb} without MFA"
    evidence: dict[str, object] = {
        "summary": f"{told}, with {', '.join(usable) or 'no credential active now that Git takes'}",
        "operations": operations,
        "repositories": patterns_of(entries),
        "credentials": usable,
        "hops": hops_of(proof),
        "statements": statements_of(entry.decision),
        **({"not_exhaustive": untried} if untried else {}),
        **uncertain(subject, proof.doubts),
    }
    severity = Severity.HIGH if usable else Severity.MEDIUM
    return control.finding(
        state,
        subject.user.arn,
        severity,
        evidence,
        user=subject.user,
        witness=witness_of(entry.decision, entry.context),
        # What was not tried is not accepted: a star stands for it, which no exemption names.
        touched=sorted({*map(_widest, entries), *(["*"] if untried else [])}),
        commands=commands_for(subject.user, patterns_of(entries), subject.surface.own, proof),
    )


def _widest(entry: Entry) -> str:
    """What the repositories of an entry lie in, as an ARN pattern of the account."""
    pattern = entry.resources[0] if len(entry.resources) == 1 else "*"
    partition, account = entry.request.principal.partition, entry.request.resource_account
    segments = (pattern if pattern != "*" else f"arn:{partition}:codecommit:*:{account}:*").split(":", 5)
    return ":".join((segments[0], partition, *segments[2:4], account, segments[5]))


CONTROL = Control(
    id="codecommit-exemption",
    title="Git works without MFA",
    why=(
        "Git over SSH or HTTPS cannot carry MFA, so the deny was opened for it. Whoever holds the user's SSH key, Git "
        "credential or access key reads, and where pushing is open changes, the code without a second factor."
    ),
    fix=(
        "Let people use Git with an MFA session (`mfawatch session`) or through a role that asks for MFA (a profile "
        "with mfa_serial), by git-remote-codecommit, and take codecommit:GitPull and codecommit:GitPush out of the "
        "deny's exemptions. Where a machine needs Git, give it a role instead of a user; or accept the exemption for "
        "these users and repositories in mfawatch.toml."
    ),
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=_check,
)
