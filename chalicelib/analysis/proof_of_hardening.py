"""What proves that a mended policy is tight: its surface lies in what is accepted, and with MFA nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.analysis.administrator import Accepted
from chalicelib.analysis.rewriting import Json
from chalicelib.analysis.surface import Entry
from chalicelib.iam.policy import PolicyDocument
from chalicelib.iam.request import MFA_KEYS, MFA_PRESENT, MfaState
from chalicelib.iam.statement import Effect, Statement

LARGEST = 6144
"""Characters of a managed policy, white space not counted (IAM User Guide, "IAM and AWS STS quotas")."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What is open without MFA: as what it is accepted, the actions, the resources and who makes the requests."""

    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    origins: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The opening as JSON values."""
        return {
            "accepted_as": self.why,
            "actions": list(self.actions),
            "resources": list(self.resources),
            "made_with": list(self.origins),
        }


def openings(entries: Iterable[Entry], accepted: Accepted) -> Iterator[Opening]:
    """The entries by what they are accepted as; those that are not come last, as "not accepted"."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(accepted.why(entry) or _NOT, []).append(entry)
    for why in sorted(found, key=lambda why: (why == _NOT, why)):
        yield Opening(
            why,
            tuple(sorted({name for entry in found[why] for name in entry.group.actions})),
            tuple(sorted({pattern for entry in found[why] for pattern in entry.target.patterns or ("*",)})),
            tuple(dict.fromkeys(entry.origin.words for entry in found[why])),
        )


_NOT = "not accepted"


@dataclass(frozen=True, slots=True)
class Kept:
    """Why a statement of the result takes nothing away from who has MFA; `holds` says whether that is so."""

    statement: str
    why: str
    holds: bool = True

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {"statement": self.statement, "why": self.why, "holds": self.holds}


def kept_with_mfa(before: PolicyDocument, after: PolicyDocument, narrowed: Sequence[int]) -> tuple[Kept, ...]:
    """For each statement of the result, why what was allowed with MFA is still allowed.

    A Deny either stood there before or is lifted by MFA whatever else a request holds; an Allow stands as it was, but
    for those that were narrowed on purpose. The statements of the result begin with those there were, in their order.
    """
    old = [statement.to_json() for statement in before.statements]
    return tuple(_kept(statement, old, statement.index in narrowed) for statement in after.statements) + tuple(
        Kept(statement.place, "is missing", holds=False) for statement in before.statements[len(after.statements) :]
    )


def _kept(statement: Statement, old: Sequence[Any], narrowed: bool) -> Kept:
    if statement.index < len(old) and statement.to_json() == old[statement.index]:
        return Kept(statement.place, "stands as it was")
    if statement.effect is Effect.ALLOW:
        return Kept(statement.place, "narrowed on purpose: other users' names that begin alike", holds=narrowed)
    if _fails_with_mfa(statement, frozenset({MFA_PRESENT})):
        return Kept(statement.place, "does not hold for a request made with MFA")
    if _fails_with_mfa(statement, MFA_KEYS):
        return Kept(statement.place, "does not hold for a request made with MFA that is young enough for it")
    return Kept(statement.place, "was changed and may hold for a request made with MFA", holds=False)


def _fails_with_mfa(statement: Statement, keys: frozenset[str]) -> bool:
    """Whether the conditions on these keys alone say that a Deny holds for no request made with MFA."""
    context = MfaState.TRUE.context
    return any(condition.keys <= keys and not condition.readings(context).most for condition in statement.conditions)


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the statement, what became of it, and the finding that this closes."""

    statement: str
    what: str
    closes: str

    def to_json(self) -> dict[str, Any]:
        """The change as JSON values."""
        return {"statement": self.statement, "what": self.what, "closes": self.closes}


@dataclass(frozen=True, slots=True)
class Hardened:
    """The result: the policy, whether it is tight and if not why, what was changed, and the proof.

    `surface` is what stays open without MFA, `kept` says of each statement why nothing is lost with MFA.
    """

    policy: Json
    changes: tuple[Change, ...]
    reasons: tuple[str, ...]
    remarks: tuple[str, ...]
    surface: tuple[Opening, ...]
    kept: tuple[Kept, ...]

    @property
    def tight(self) -> bool:
        """Whether nothing but what is accepted is open without MFA, and nothing is lost with it."""
        return not self.reasons

    @property
    def size(self) -> int:
        """Characters without white space, as IAM counts them."""
        return size_of(self.policy)

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "tight": self.tight,
            "size": self.size,
            "policy": self.policy,
            "changes": [change.to_json() for change in self.changes],
            "reasons": list(self.reasons),
            "remarks": list(self.remarks),
            "proof": {
                "open_without_mfa": [opening.to_json() for opening in self.surface],
                "kept_with_mfa": [kept.to_json() for kept in self.kept],
            },
        }


def size_of(policy: Json) -> int:
    """Characters of a policy without white space, as IAM counts them."""
    return len("".join(json.dumps(policy, separators=(",", ":"), ensure_ascii=False).split()))
