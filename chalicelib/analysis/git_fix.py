"""The smallest change to a user's policies that makes Git work and opens nothing more.

Each change is tried: the documents are changed, the operation is decided again, and only what makes it work is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.analysis.git_hops import Access, Operation
from chalicelib.analysis.git_together import access_of
from chalicelib.analysis.origins import VIA_SERVICE, Origin
from chalicelib.analysis.surface import Surface
from chalicelib.iam.decision import Decision, Verdict
from chalicelib.iam.matching import Match
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import MANAGED_KEY, Layer, Policy, PolicySet
from chalicelib.iam.request import MFA_KEYS

CODECOMMIT = "codecommit.*.amazonaws.com"
_SPARING = "StringNotLike"
_EVERYTHING = Policy(
    "everything",
    parse_policy({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}),
)
_MOST_CHANGES = 8
_OF_THE_ORGANISATION = "that is the organisation's, and no change to the user's own policies mends it"


@dataclass(frozen=True, slots=True)
class Change:
    """A change to a statement, in words, and the statement as it should be (JSON values)."""

    place: str
    words: str
    statement: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fix:
    """The changes, and why they do not suffice where they do not."""

    changes: tuple[Change, ...]
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A Git operation: on which repository, how it is asked for, and the repository's key."""

    operation: Operation
    repository: str
    origin: Origin
    key: str
    key_policy: Policy | None = None

    def ask(self, surface: Surface) -> Access:
        """Both hops."""
        return access_of(surface, self.operation, self.repository, self.origin, self.key, self.key_policy)


def fix_of(surface: Surface, question: Question) -> Fix:
    """What makes the operation work.

    Where no change to the user's own policies does, because the organisation's or the key's stand in the way, nothing
    is to be changed: it would open what is closed, and Git would work no better.
    """
    in_the_way = question.ask(_with_everything_allowed(surface)).denied
    if in_the_way:
        return Fix((), _standing(in_the_way[0]))
    changes: dict[str, Change] = {}
    for _ in range(_MOST_CHANGES):
        access = question.ask(surface)
        if access.works:
            return Fix(tuple(changes.values()))
        denial = access.denied[0]
        if denial.verdict is not Verdict.EXPLICITLY_DENIED:
            return Fix(tuple(changes.values()), _missing(denial))
        match = denial.matched[0]
        change = _change(match, denial)
        if change is None:
            return Fix(tuple(changes.values()), _standing(denial))
        before = changes.get(match.place)
        changes[match.place] = replace(change, words=f"{before.words}; {change.words}") if before else change
        surface = Surface(surface.caller, _with(surface.policies, match, change.statement))
    return Fix(tuple(changes.values()), "more statements deny it than can be changed with care")


def _with_everything_allowed(surface: Surface) -> Surface:
    """The surface of the user if their own policies allowed everything and denied nothing."""
    return Surface(surface.caller, replace(surface.policies, identity=(_EVERYTHING,), boundary=None))


def _standing(denial: Decision) -> str:
    """What denies it and cannot be changed here, in words."""
    if denial.verdict is not Verdict.EXPLICITLY_DENIED:
        told = _missing(denial)
        return f"{told} there; {_OF_THE_ORGANISATION}" if denial.lacking is Layer.SCP else told
    match = denial.matched[0]
    if match.layer is Layer.SCP:
        return f"{match.place} denies it; {_OF_THE_ORGANISATION}"
    return f"{match.place} denies it, and no exemption can be put into that statement"


def _missing(denial: Decision) -> str:
    request = denial.request
    return f"{denial.reason}: it takes an Allow of {request.name} on {request.resource}"


def _change(match: Match, denial: Decision) -> Change | None:
    """The statement with an exemption for the request; None where it cannot have one, or should not."""
    if match.layer not in (Layer.IDENTITY, Layer.BOUNDARY) or not _is_about_mfa(match):
        return None
    body: dict[str, Any] = match.statement.to_json()
    if denial.request.service == "kms":
        words = _spare_codecommit(body)
        return Change(match.place, words, body)
    if "NotAction" not in body:
        return None
    body["NotAction"] = [*body["NotAction"], denial.request.name]
    return Change(match.place, f"add {denial.request.name} to its NotAction", body)


def _spare_codecommit(body: dict[str, Any]) -> str:
    """Put the exemption of KMS through CodeCommit into the statement, and say how.

    All conditions of a statement must hold, and of a negated one none of the values may match: whatever it asks and
    spares so far stays as it is.
    """
    conditions = body["Condition"] = {operator: dict(keys) for operator, keys in body["Condition"].items()}
    operator = next((name for name in conditions if name.lower() == _SPARING.lower()), _SPARING)
    asked = conditions.setdefault(operator, {})
    key = next((name for name in asked if name.lower() == VIA_SERVICE), "")
    if key:
        spared = [asked[key]] if isinstance(asked[key], str) else asked[key]
        asked[key] = [*spared, CODECOMMIT]
        return f'add "{CODECOMMIT}" to its {operator} {key}, which spares KMS through CodeCommit beside the rest'
    asked["kms:ViaService"] = [CODECOMMIT]
    return f'add the condition {operator} kms:ViaService "{CODECOMMIT}", which spares KMS through CodeCommit'


def _is_about_mfa(match: Match) -> bool:
    return any(condition.key in MFA_KEYS for condition in match.statement.conditions)


def _with(policies: PolicySet, match: Match, statement: Mapping[str, Any]) -> PolicySet:
    """The policies with one statement replaced."""

    def changed(policy: Policy) -> Policy:
        if policy is not match.policy:
            return policy
        body = policy.document.to_json()
        body["Statement"][match.statement.index] = dict(statement)
        return Policy(policy.name, parse_policy(body))

    boundary = changed(policies.boundary) if policies.boundary else None
    return replace(policies, identity=tuple(map(changed, policies.identity)), boundary=boundary)


def words_of_error(access: Access) -> Iterator[str]:
    """What the user sees of a denial; Git's and CodeCommit's own words where these are known to be printed."""
    for denial in access.denied[:1]:
        explicit = denial.verdict is Verdict.EXPLICITLY_DENIED
        by = "with an explicit deny" if explicit else f"because {denial.reason}"
        request = denial.request
        if request.service != "kms":
            yield f"Git prints 403 or access denied: the user is not authorized to perform {request.name}, {by}"
        elif MANAGED_KEY in request.resource:
            yield (
                "Git prints that the user is not authorized for the KMS default master key of the repository: "
                f"CodeCommit may not {request.name} on the user's behalf, {by}"
            )
        else:
            yield (
                f"Git is refused at the repository's own key: CodeCommit may not {request.name} with "
                f"{request.resource} on the user's behalf, {by}"
            )
