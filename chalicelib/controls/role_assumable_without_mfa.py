"""role-assumable-without-mfa: the user can assume a role without MFA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.analysis.origins import DIRECT
from chalicelib.analysis.roles import Reached
from chalicelib.controls.base import Control, Result, State, Subject
from chalicelib.controls.proof import MOST_NAMED, statements_of, uncertain
from chalicelib.findings import Finding, Severity, witness_of
from chalicelib.iam.account import Read


def _check(control: Control, state: State) -> Iterator[Result]:
    def judge(subject: Subject) -> tuple[Sequence[Finding], str]:
        enforcement = subject.enforcement
        # Where a hole is open and nothing asks for MFA, mfa-not-enforced alone says so.
        asked = enforcement.guarded if enforcement.hole else DIRECT
        origins = [o for o in dict.fromkeys(way.origin for way in subject.ways if way.assumes) if o in asked]
        reached = state.roles.reached(subject.surface, origins)
        untried = enforcement.untried or state.roles.untried
        return [_finding(control, state, subject, reached)] if reached else [], untried

    return control.of_each_user(state, judge)


def _finding(control: Control, state: State, subject: Subject, reached: Sequence[Reached]) -> Finding:
    proof = min(reached, key=lambda role: (bool(role.doubts), len(role.path)))
    names = [role.named or role.role for role in reached]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    way = next(way for way in subject.ways if way.origin == proof.origin and way.assumes)
    evidence: dict[str, object] = {
        "summary": f"can assume {', '.join(names[:MOST_NAMED])}{more} without MFA ({way.label})",
        "roles": [
            {"role": role.role, "path": list(role.path), **({"uncertain": list(role.doubts)} if role.doubts else {})}
            for role in reached
        ],
        "way": way.label,
        "statements": statements_of(proof.decision),
        **uncertain(subject, proof.doubts, way),
    }
    return control.finding(
        state,
        subject.user.arn,
        Severity.HIGH,
        evidence,
        user=subject.user,
        witness=witness_of(proof.decision, proof.needs),
        touched=names,
    )


CONTROL = Control(
    id="role-assumable-without-mfa",
    title="A role can be assumed without MFA",
    why=(
        "A deny on the user does not reach into the session of a role: whoever assumes one without MFA has its rights "
        "without a second factor, and may go on from there to further roles."
    ),
    fix=(
        'Ask for MFA in the role\'s trust policy: Condition Bool aws:MultiFactorAuthPresent "true" (or NumericLessThan '
        "aws:MultiFactorAuthAge); and leave sts:AssumeRole out of the deny's exemptions."
    ),
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=_check,
)
