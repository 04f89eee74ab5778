"""The least change to one Deny that makes it deny a request without MFA: of its text, the part that fails.

Which parts fail is found by asking them; what stands in their place frees enrolment, Git and its way to KMS as far as
they were free before, and nothing that was denied.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.analysis.administrator import Accepted
from chalicelib.analysis.names import GIVEN
from chalicelib.analysis.origins import CALLED_VIA, VIA_AWS, VIA_SERVICE
from chalicelib.analysis.rewriting import Json, Row, listed, replaced, rows_of, with_rows
from chalicelib.analysis.scopes import ENROLMENT, GIT_KEYS, git, key_administration, repositories, takeover
from chalicelib.analysis.surface import Entry
from chalicelib.analysis.universe import Actions, actions_named, matching, names_of
from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import ActionPatterns, fold
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.request import MFA_KEYS, MFA_PRESENT, MfaState, Request
from chalicelib.iam.statement import Statement

PRESENT = "aws:MultiFactorAuthPresent"
WITHOUT_MFA: Row = ("BoolIfExists", PRESENT, "false")
"""Holds for every request without MFA: where the key is false, and where it is missing."""
BUT_FOR_GIT: Row = ("StringNotLike", "kms:ViaService", "codecommit.*.amazonaws.com")
"""Holds for every request but those that CodeCommit makes to KMS: the key is missing from all others."""
IN_WORDS = " ".join(map(str, BUT_FOR_GIT))
CANONICAL = (*ENROLMENT, "sts:GetSessionToken")
GIT = ("codecommit:GitPull", "codecommit:GitPush")

_VIA = frozenset({VIA_SERVICE, VIA_AWS, *CALLED_VIA})
_SOME_KEY = "arn:aws:kms:us-east-1:111122223333:key/of-a-repository"
_GIT_HOP = {
    **MfaState.FALSE.context,
    VIA_AWS: "true",
    VIA_SERVICE: "codecommit.us-east-1.amazonaws.com",
    **dict.fromkeys(CALLED_VIA, "codecommit.amazonaws.com"),
}
"""What a request of CodeCommit to KMS carries of these keys, and of MFA's."""
_SAME_FOR_ALL_USERS = ("aws:principalisawsservice", "aws:principaltype")
_OF_THE_CALLER = (*(key for key in GIVEN if key != "aws:multifactorauth"), "aws:principalorg")


@dataclass(frozen=True, slots=True)
class Goal:
    """What a mended deny leaves free; `git` and `keys` say whether Git and its way to KMS were free before."""

    accepted: Accepted
    git: bool = False
    keys: bool = False

    @property
    def actions(self) -> Actions:
        """What may stay exempted from the deny."""
        return self.accepted.actions & ~(0 if self.git else git())

    @property
    def exemptions(self) -> tuple[str, ...]:
        """The NotAction of a deny that is written anew."""
        return (*GIT, *CANONICAL) if self.git else CANONICAL


@dataclass(frozen=True, slots=True)
class Part:
    """One change in words, and the finding that it closes: a control, for mfa-not-enforced with its cause."""

    what: str
    closes: str


@dataclass(frozen=True, slots=True)
class Mended:
    """A statement as it should be, with what was changed."""

    raw: Json
    parts: tuple[Part, ...]

    def cost(self, before: Json) -> int:
        """How much of the text changes, in characters."""
        old, new = (json.dumps(raw, indent=0).splitlines() for raw in (before, self.raw))
        blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        changed = (old[a:b] + new[c:d] for tag, a, b, c, d in blocks if tag != "equal")
        return sum(len(line) for lines in changed for line in lines)


def parse_statement(raw: Json, version: str) -> Statement:
    """A statement alone."""
    return parse_policy({"Version": version, "Statement": [raw]}).statements[0]


def is_about_caller(condition: Condition) -> bool:
    """Whether it asks who the caller is, or what else nobody can choose: whom a deny spares is for a person to say."""
    return condition.key.startswith(_OF_THE_CALLER) and condition.key not in _SAME_FOR_ALL_USERS


def without_caller(raw: Json, statement: Statement) -> Json:
    """The statement without its conditions on who the caller is."""
    spared = {(c.operator.name, c.name) for c in statement.conditions if is_about_caller(c)}
    return with_rows(raw, [row for row in rows_of(raw) if row[:2] not in spared]) if spared else raw


def mend(raw: Json, version: str, hole: Entry, goal: Goal, others: Sequence[str] = ()) -> Mended | None:
    """The statement with all mended that fails on the hole's request; None where that would be another statement.

    `others` are the NotAction entries of the document's other denies.
    """
    whole = parse_statement(raw, version)
    statement = parse_statement(without_caller(raw, whole), version)
    request = hole.request
    found: list[Part] = []
    if not _covers(statement, request):
        new = _mended_actions(raw, statement, hole, goal, others)
        if new is None:
            return None
        found += new.parts
        raw = new.raw
    if not statement.coverage(request.resource, request.context).least:
        if not actions_named(statement.actions.entries) & ~git():
            return None  # it limits Git to some repositories
        found.append(_spared_resources(statement))
        raw = replaced(raw, "NotResource" if statement.not_resource else "Resource", "Resource", "*")
    failing = [c for c in statement.conditions if not c.readings(request.context).least]
    if failing:
        raw = with_rows(raw, _mended_rows(rows_of(raw), failing, goal))
        found += _told(failing, request, goal)
    return _keeping_git(Mended(raw, tuple(found)), statement, version, goal)


# --- actions ---------------------------------------------------------------------------------------------------------


def _covers(statement: Statement, request: Request) -> bool:
    return statement.covers_action(request.action)


def _mended_actions(raw: Json, statement: Statement, hole: Entry, goal: Goal, others: Sequence[str]) -> Mended | None:
    if statement.not_action:
        return _narrowed(raw, hole, goal)
    about = actions_named(statement.actions.entries)
    if not about & ~git():
        return None
    if not about & ~actions_named(("kms:*",)) and any(c.key in _VIA for c in statement.conditions):
        return _extended(raw, hole, others)
    exempted = [name for name in goal.exemptions if not statement.covers_action(fold(name))] or [CANONICAL[-1]]
    what = f"Action became NotAction: everything is denied but {', '.join(exempted)}"
    return Mended(replaced(raw, "Action", "NotAction", exempted), (Part(what, "mfa-not-enforced: deny-too-narrow"),))


def _narrowed(raw: Json, hole: Entry, goal: Goal) -> Mended:
    """NotAction without what lets the hole through; a wildcard becomes those of its actions that are accepted."""
    entries = listed(raw["NotAction"])
    hits = [entry for entry in entries if _matches_any(entry, hole)]
    kept = actions_named(tuple(entry for entry in entries if entry not in hits))
    left: list[str] = []
    parts: list[Part] = []
    out: dict[str, list[str]] = {}
    for entry in entries:
        if entry not in hits:
            left.append(entry)
            continue
        instead = names_of(matching(entry) & goal.actions & ~kept)
        kept |= actions_named(instead)
        left += instead
        closes = _closed_by(matching(entry) & ~goal.actions)
        if instead:
            parts.append(Part(f"NotAction: {entry} became {', '.join(instead)}", closes))
        else:
            out.setdefault(closes, []).append(entry)
    parts += [Part(f"NotAction: {', '.join(names)} taken out", closes) for closes, names in out.items()]
    if not left:
        return Mended(replaced(raw, "NotAction", "Action", "*"), tuple(parts))
    value: Any = left if isinstance(raw["NotAction"], list) or len(left) > 1 else left[0]
    return Mended(replaced(raw, "NotAction", "NotAction", value), tuple(parts))


def _extended(raw: Json, hole: Entry, others: Sequence[str]) -> Mended | None:
    """A deny of KMS but through a service, extended to what another deny exempts of KMS."""
    if hole.group.service != "kms":
        return None
    more = list(
        dict.fromkeys(entry for entry in others if fold(entry).startswith("kms:") and _matches_any(entry, hole))
    )
    if not more:
        return None
    told = Part(f"Action: {', '.join(more)} added", _closed_by(hole.group.members))
    return Mended(replaced(raw, "Action", "Action", [*listed(raw["Action"]), *more]), (told,))


def _matches_any(entry: str, hole: Entry) -> bool:
    if hole.group.members & matching(entry):
        return True
    return any(map(ActionPatterns([entry]).matches, map(fold, hole.group.unknown)))


def _closed_by(actions: Actions) -> str:
    """The control that tells of the actions, where they are open without MFA."""
    for control, about in (
        ("mfa-self-takeover", takeover()),
        ("codecommit-exemption-too-broad", repositories()),
        ("codecommit-exemption", git()),
        ("kms-exception-admin", key_administration()),
        ("kms-exception-direct", actions_named(("kms:*",))),
        ("role-assumable-without-mfa", actions_named(("sts:AssumeRole*",))),
    ):
        service = names_of(actions & about)[0].partition(":")[0] if actions & about else ""
        if service and not actions & ~actions_named((f"{service}:*",)):
            return control
    return "mfa-not-enforced: not-action-too-wide"


# --- resources and conditions ----------------------------------------------------------------------------------------


def _spared_resources(statement: Statement) -> Part:
    named = ", ".join(statement.resources.entries[:4]) if statement.resources else ""
    spared = f"NotResource {named}" if statement.not_resource else f"Resource {named}"
    return Part(
        f'{spared} became Resource "*": all that was free beyond needs MFA', "mfa-not-enforced: deny-too-narrow"
    )


def _mended_rows(rows: Sequence[Row], failing: Sequence[Condition], goal: Goal) -> list[Row]:
    fail = {(condition.operator.name, condition.name) for condition in failing}
    without_mfa = any(condition.key in MFA_KEYS for condition in failing)
    result: list[Row] = []
    for row in rows:
        if without_mfa and fold(row[1]) in MFA_KEYS:
            result.append(_asking_for_mfa(rows))
        elif row[:2] not in fail:
            result.append(row)
        elif fold(row[1]) in _VIA and goal.keys:
            result.append(BUT_FOR_GIT)
    return list({row[:2]: row for row in result}.values())


def _asking_for_mfa(rows: Sequence[Row]) -> Row:
    """The condition that holds without MFA, with key and value spelt as they were."""
    for _, key, value in rows:
        if fold(key) == MFA_PRESENT:
            texts = [str(one).lower() for one in listed(value)]
            return WITHOUT_MFA[0], key, value if texts == ["false"] else WITHOUT_MFA[2]
    return WITHOUT_MFA


def _told(failing: Sequence[Condition], request: Request, goal: Goal) -> Iterator[Part]:
    cause = "null-guard" if MFA_PRESENT in request.context else "bool-without-if-exists"
    mfa = [condition for condition in failing if condition.key in MFA_KEYS]
    if mfa:
        named = ", ".join(f"{condition.operator.name} {condition.name}" for condition in mfa)
        yield Part(f'{named} became BoolIfExists {PRESENT} "false"', f"mfa-not-enforced: {cause}")
    for condition in failing:
        if condition.key in MFA_KEYS:
            continue
        named = f"{condition.operator.name} {condition.name}"
        if condition.key in _VIA and goal.keys:
            yield Part(f"{named} became {IN_WORDS}", "kms-exception-any-service")
        elif condition.key in _VIA:
            yield Part(f"condition {named} taken out", "kms-exception-any-service")
        else:
            yield Part(f"condition {named} taken out", "mfa-not-enforced: extra-condition")


def _keeping_git(mended: Mended, before: Statement, version: str, goal: Goal) -> Mended:
    """The same with KMS free for CodeCommit, where it was and the mended statement would deny it."""
    if not goal.keys or not _denied_to_git(parse_statement(mended.raw, version)) - _denied_to_git(before):
        return mended
    rows = [row for row in rows_of(mended.raw) if fold(row[1]) not in _VIA]
    what = f"condition {IN_WORDS} added: Git's way to KMS stays free, and no other"
    return Mended(with_rows(mended.raw, [*rows, BUT_FOR_GIT]), (*mended.parts, Part(what, "kms-exception-any-service")))


def _denied_to_git(statement: Statement) -> frozenset[str]:
    """What the statement denies of CodeCommit's requests to KMS, as far as MFA and who makes them can tell."""
    asked = [condition for condition in statement.conditions if condition.key in _VIA | MFA_KEYS]
    if not statement.coverage(_SOME_KEY, _GIT_HOP).most or not all(c.holds(_GIT_HOP) for c in asked):
        return frozenset()
    return frozenset(name for name in names_of(actions_named(GIT_KEYS)) if statement.covers_action(fold(name)))
