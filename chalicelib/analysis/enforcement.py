"""Is MFA enforced? The gravest request beyond enrolment that a user's credentials reach without MFA.

Exemptions for Git, KMS and self-service are questions of their own as long as MFA is asked for otherwise; where it is
not, they are part of what is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.analysis.causes import is_guard
from chalicelib.analysis.exemptions import KeyExceptions, key_exceptions
from chalicelib.analysis.git import git_without_mfa
from chalicelib.analysis.origins import ABSENT, DIRECT, FALSE, Origin
from chalicelib.analysis.scopes import beyond_enrolment, care, key_reading, unguarded
from chalicelib.analysis.shared import UserSurface
from chalicelib.analysis.surface import Answer, Entry, Surface
from chalicelib.analysis.ways import Reach, Way, reached_by, way_to
from chalicelib.iam.decision import Decision, Verdict
from chalicelib.iam.request import MFA_KEYS, MfaState, Request
from chalicelib.iam.statement import Effect, Statement


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What was found for a user: the gravest hole and the way to it, or none, and why not all was tried.

    `untried_of_others` is the same of other people's credentials, on which no other question hangs. `guarded` are the
    origins for which MFA is asked, but for exemptions; `keys` is what those open of KMS.
    """

    hole: Entry | None
    way: Way | None
    untried: str
    untried_of_others: str
    guarded: tuple[Origin, ...]
    keys: KeyExceptions


def enforcement_of(surface: UserSurface, ways: Sequence[Way]) -> Enforcement:
    """Whether MFA is enforced for a user who can make requests in these ways."""
    denied: tuple[Origin, ...] = surface.shared("denied", _denied)
    guarded: tuple[Origin, ...] = surface.shared("guarded", lambda own: _guarded(own, denied))
    keys = key_exceptions(surface, guarded, denied=FALSE in denied)
    # Where keys can be used without MFA, that they can be listed as well is no finding of its own.
    beyond = beyond_enrolment() | (0 if keys.any else key_reading())
    scopes = {origin: beyond if origin in guarded else unguarded() for origin in DIRECT}
    unknown = [origin for origin in DIRECT if any(w.origin == origin and w.reach is not Reach.GIT for w in ways)]
    able = [way for way in ways if way.reach is not Reach.GIT]
    answer = surface.gravest(reached_by(able, scopes), unknown)
    if not answer.entries and ABSENT not in guarded and len(able) < len(ways):
        # A credential that is good for Git alone: what CodeCommit lets pass, KMS may stop.
        git = git_without_mfa(surface, (ABSENT,))
        untried = answer.untried or git.untried
        if any(access.works for access in git.accesses):
            able, answer = list(ways), surface.gravest(reached_by(ways, scopes))
        answer = Answer(answer.entries, untried or answer.untried)
    others = Answer(()) if answer.entries else _on_others(surface, able)
    hole = next(iter((*answer.entries, *others.entries)), None)
    # Of the ways that were asked about: a credential for Git alone is not how it is done where another was found.
    way = way_to(hole.origin, hole.group.members, able) if hole else None
    return Enforcement(hole, way, answer.untried, others.untried, guarded, keys)


def passes_codecommit(surface: UserSurface, ways: Sequence[Way], enforcement: Enforcement) -> bool:
    """Whether the verdicts on the user heed what becomes of Git at KMS: CodeCommit lets it pass without MFA."""
    if git_without_mfa(surface, enforcement.guarded).accesses:
        return True
    if enforcement.hole is not None and enforcement.way is not None and enforcement.way.reach is not Reach.GIT:
        return False
    only_git = ABSENT not in enforcement.guarded and any(way.reach is Reach.GIT for way in ways)
    return only_git and bool(git_without_mfa(surface, (ABSENT,)).accesses)


def _on_others(surface: UserSurface, ways: Sequence[Way]) -> Answer:
    """That other people's credentials can be changed or deleted: one entry at most."""
    origins = tuple(origin for origin in DIRECT if any(w.origin == origin and w.reach is Reach.ANYTHING for w in ways))
    own = surface.caller.user.name
    found: Answer = surface.shared(("others", origins), lambda shared: _impersonal(shared, origins))
    others = (surface.own.again(entry) for entry in found.entries if entry.request.resource.rpartition("/")[2] != own)
    entry = next((entry for entry in others if entry is not None), None)
    return Answer((entry,) if entry else (), found.untried)


def _impersonal(surface: Surface, origins: Sequence[Origin]) -> Answer:
    """What changes credentials on resources that are no matter of who asks, the surest and gravest first."""
    answer = surface.entries(care(), origins)
    entries = (entry for entry in answer.entries if not entry.target.personal)
    return Answer(tuple(sorted(entries, key=lambda entry: (not entry.certain, entry.kind))), answer.untried)


def _denied(surface: Surface) -> tuple[Origin, ...]:
    """The origins for which a deny asks for MFA in general: it stops an action that no policy names, whatever it is."""
    return tuple(origin for origin in DIRECT if surface.guarded(origin, _is_denied_for_want_of_mfa))


def _guarded(surface: Surface, denied: Sequence[Origin]) -> tuple[Origin, ...]:
    """The origins for which MFA is asked: by such a deny, or by anything else that nothing beyond enrolment passes."""
    return tuple(origin for origin in DIRECT if origin in denied or _is_asked(surface, origin))


def _is_asked(surface: Surface, origin: Origin) -> bool:
    statements = [s for policy in surface.policies.binding for s in policy.document.statements]
    if not any(_asks(statement, origin.mfa) for statement in statements):
        return False
    return not surface.gravest({origin: beyond_enrolment()}).entries


def _is_denied_for_want_of_mfa(request: Request, decision: Decision) -> bool:
    return decision.verdict is Verdict.EXPLICITLY_DENIED and any(
        is_guard(match.statement, request.context) for match in decision.matched
    )


def _asks(statement: Statement, mfa: MfaState) -> bool:
    """Whether MFA makes a difference to the statement: a deny that it lifts, an allow that it opens."""
    conditions = [condition for condition in statement.conditions if condition.key in MFA_KEYS]
    without, with_mfa = (all(c.holds(state.context) for c in conditions) for state in (mfa, MfaState.TRUE))
    return without is not with_mfa and without is (statement.effect is Effect.DENY)
