"""mfa-self-takeover: without MFA the user can turn a stolen credential into more, or shed MFA altogether."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from chalicelib.analysis.origins import DIRECT
from chalicelib.analysis.scopes import enrolling, takeover
from chalicelib.analysis.surface import Answer, Entry
from chalicelib.analysis.ways import Reach
from chalicelib.controls.base import Control, Result, State, Subject
from chalicelib.controls.proof import actions_of, patterns_of, statements_of, uncertain
from chalicelib.findings import Finding, Severity, witness_of
from chalicelib.iam.account import Read
from chalicelib.iam.patterns import has_wildcard


def _check(control: Control, state: State) -> Iterator[Result]:
    def judge(subject: Subject) -> tuple[Sequence[Finding], str]:
        # Only what reaches IAM counts: neither Git credentials nor sessions that GetSessionToken made do.
        reaching = {way.origin for way in subject.ways if way.reach is Reach.ANYTHING}
        enforcement = subject.enforcement
        # Where a hole is open and nothing asks for MFA, mfa-not-enforced alone says so.
        asked = enforcement.guarded if enforcement.hole else DIRECT
        origins = [origin for origin in asked if origin in reaching]
        answers = [subject.surface.entries(scope, origins) for scope in (takeover(), enrolling())] if origins else []
        for answer, severity in zip(answers, (Severity.HIGH, Severity.LOW), strict=False):
            entries = tuple(entry for entry in answer.entries if _exists(state, entry))
            if entries:
                return [_finding(control, state, subject, replace(answer, entries=entries), severity)], answer.untried
        return [], next((answer.untried for answer in answers if answer.untried), "")

    return control.of_each_user(state, judge)


def _exists(state: State, entry: Entry) -> bool:
    """Whether there can be such a user: a name that a policy spells out is somebody's, or nobody's."""
    resource = entry.request.resource
    names = [pattern.rpartition(":")[2] for pattern in entry.target.patterns]
    if ":user/" not in resource or not names or any(map(has_wildcard, names)):
        return True
    return resource in state.arns


def _finding(control: Control, state: State, subject: Subject, answer: Answer, severity: Severity) -> Finding:
    entries, proof = answer.entries, answer.best
    way = next(way for way in subject.ways if way.origin == proof.origin and way.reach is Reach.ANYTHING)
    actions = actions_of(entries)
    told = ", ".join(name.removeprefix("iam:") for name in actions)
    lead = "can enrol one more MFA device" if severity is Severity.LOW else f"can {told}"
    evidence: dict[str, object] = {
        "summary": f"{lead} without MFA ({way.label}), on {', '.join(patterns_of(entries))}",
        "actions": actions,
        "resources": patterns_of(entries),
        "way": way.label,
        "statements": statements_of(proof.decision),
        **uncertain(subject, proof.doubts, way),
    }
    witness = witness_of(proof.decision, proof.context)
    return control.finding(state, subject.user.arn, severity, evidence, user=subject.user, witness=witness)


CONTROL = Control(
    id="mfa-self-takeover",
    title="Credentials can be taken over without MFA",
    why=(
        "A stolen password or key is stopped by MFA only as long as its thief cannot take the device away, add a "
        "credential that needs none, or set somebody's password. Whoever can do so without MFA has got past it for "
        "good, and keeps the access when the stolen credential is revoked. Where only a further device can be "
        "enrolled, a thief can still make one their own and sign in with it."
    ),
    fix=(
        "Leave in the deny's exemptions only what enrols the first device: iam:CreateVirtualMFADevice, "
        "iam:EnableMFADevice, iam:ListMFADevices, iam:ListVirtualMFADevices, iam:ResyncMFADevice and iam:GetUser; take "
        "out what the evidence lists. End resources in ${aws:username}, without a star behind it."
    ),
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=_check,
)
