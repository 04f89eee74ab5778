"""role-assumable-without-mfa: the user can assume a role without MFA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.analysis.origins import DIRECT
from chalicelib.analysis.roles import Reached
from chalicelib.analysis.ways import Way
from chalicelib.controls.base import Control, Result, State, Subject
from chalicelib.controls.proof import MOST_NAMED, statements_of, uncertain
from chalicelib.findings import Finding, Severity, witness_of
from chalicelib.iam.account import Read

ANY_ROLE = ("*",)


def _check(control: Control, state: State) -> Iterator[Result]:
    def judge(subject: Subject) -> tuple[Sequence[Finding], str]:
        enforcement = subject.enforcement
        # Where a hole is open and nothing asks for MFA, mfa-not-enforced alone says so.
        asked = enforcement.guarded if enforcement.hole else DIRECT
        origins = [o for o in dict.fromkeys(way.origin for way in subject.ways if way.assumes) if o in asked]
        reached = state.roles.reached(subject.surface, origins)
        untried = state.roles.untried
        known, anywhere = ([role for role in reached if role.anywhere is so] for so in (False, True))
        if known and "accepted" not in (told := _finding(control, state, subject, known, anywhere, untried)).evidence:
            return [told], untried
        # Whoever accepts that somebody assumes the roles they know of accepts none that only a pattern names.
        found = [_finding(control, state, subject, known, [], untried)] if known else []
        return [*found, *(_anywhere(control, state, subject, role) for role in anywhere)], untried

    return control.of_each_user(state, judge)


def _finding(
    control: Control,
    state: State,
    subject: Subject,
    reached: Sequence[Reached],
    anywhere: Sequence[Reached],
    untried: str,
) -> Finding:
    """The roles that are known, and beside them those of whatever account."""
    proof = min(reached, key=lambda role: (bool(role.doubts), len(role.path)))
    names = [role.name for role in reached]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    way = _way(subject, proof)
    beside = f"; and, where it trusts the user, {' or '.join(map(_words, anywhere))}" if anywhere else ""
    evidence: dict[str, object] = {
        "summary": f"can assume {', '.join(names[:MOST_NAMED])}{more} without MFA ({way.label}){beside}",
        "roles": [
            {"role": role.role, "path": list(role.path), **({"uncertain": list(role.doubts)} if role.doubts else {})}
            for role in reached
        ],
        **({"anywhere": [role.name for role in anywhere]} if anywhere else {}),
        "way": way.label,
        "statements": statements_of(proof.decision),
        # There may be more roles than are listed: none of them is accepted by its name.
        **({"untried": untried} if untried else {}),
        **uncertain(subject, proof.doubts, way),
    }
    return control.finding(
        state,
        subject.user.arn,
        Severity.HIGH,
        evidence,
        user=subject.user,
        witness=witness_of(proof.decision, proof.needs),
        touched=[*_touched(reached), *(["*"] if untried else [])],
    )


def _anywhere(control: Control, state: State, subject: Subject, role: Reached) -> Finding:
    """Roles of whatever account: a finding for each pattern."""
    way = _way(subject, role)
    evidence: dict[str, object] = {
        "summary": f"can assume {_words(role)} without MFA, where it trusts the user ({way.label})",
        "roles": [{"role": role.name, "path": [role.name], "uncertain": list(role.doubts)}],
        "way": way.label,
        "statements": statements_of(role.decision),
        **uncertain(subject, role.doubts, way),
    }
    return control.finding(
        state,
        subject.user.arn,
        Severity.MEDIUM if role.named == ANY_ROLE else Severity.HIGH,
        evidence,
        user=subject.user,
        witness=witness_of(role.decision, role.needs),
        distinction=role.name,
        touched=_touched([role]),
    )


def _words(role: Reached) -> str:
    """Roles of whatever account, in words."""
    return "any role of any other account" if role.named == ANY_ROLE else f"{role.name} of any other account"


def _way(subject: Subject, role: Reached) -> Way:
    return next(way for way in subject.ways if way.origin == role.origin and way.assumes)


def _touched(reached: Sequence[Reached]) -> list[str]:
    return [one for role in reached for one in role.named or (role.role,)]


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
