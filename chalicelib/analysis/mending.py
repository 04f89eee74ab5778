"""The least change to one Deny that makes it deny a request without MFA: of its text, the part that fails.

Which parts fail is found by asking them; what stands in their place frees enrolment, Git and its way to KMS as far as
they were free before, and nothing that was denied.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.analysis.administrator import ENROLMENT, Accepted
from chalicelib.analysis.cells import MFA_KEYS
from chalicelib.analysis.names import GIVEN
from chalicelib.analysis.origins import CALLED_VIA, VIA_AWS, VIA_SERVICE
from chalicelib.analysis.partition import Actions, actions_named, matching, names_of
from chalicelib.analysis.scopes import cryptographic, git, repositories, takeover
from chalicelib.analysis.surface import Entry
from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import ActionPatterns, fold
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.request import MFA_PRESENT, Request
from chalicelib.iam.statement import Statement

Json = dict[str, Any]
Row = tuple[str, str, Any]
"""A condition: operator, key, value or values."""

PRESENT = "aws:MultiFactorAuthPresent"
WITHOUT_MFA: Row = ("BoolIfExists", PRESENT, "false")
"""Holds for every request without MFA: where the key is false, and where it is missing."""
GIT_KEYS: Row = ("StringNotLike", "kms:ViaService", "codecommit.*.amazonaws.com")
"""Holds for every request but those that CodeCommit makes to KMS: the key is missing from all others."""
CANONICAL = (*ENROLMENT, "sts:GetSessionToken")
GIT = ("codecommit:GitPull", "codecommit:GitPush")

_VIA = frozenset({VIA_SERVICE, VIA_AWS, *CALLED_VIA})
_SAME_FOR_ALL_USERS = ("aws:principalisawsservice", "aws:principaltype")
_OF_THE_CALLER = tuple(key for key in GIVEN if key != "aws:multifactorauth") + ("aws:principalorg",)


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
        return CANONICAL[:-1] + CANONICAL[-1:] if not self.git else (*GIT, *CANONICAL)


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
        raw = _replaced(raw, "NotResource" if statement.not_resource else "Resource", "Resource", "*")
    failing = [c for c in statement.conditions if not c.readings(request.context).least]
    if failing:
        raw = with_rows(raw, _mended_rows(rows_of(raw), failing, goal))
        found += _told(failing, request, goal)
    return _keeping_git(Mended(raw, tuple(found)), version, goal)


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
    return Mended(_replaced(raw, "Action", "NotAction", exempted), (Part(what, "mfa-not-enforced: deny-too-narrow"),))


def _narrowed(raw: Json, hole: Entry, goal: Goal) -> Mended:
    """NotAction without what lets the hole through; a wildcard becomes those of its actions that are accepted."""
    entries = _listed(raw["NotAction"])
    hits = [entry for entry in entries if _matches_any(entry, hole)]
    kept = actions_named(tuple(entry for entry in entries if entry not in hits))
    left: list[str] = []
    parts: list[Part] = []
    for entry in entries:
        if entry not in hits:
            left.append(entry)
            continue
        instead = names_of(matching(entry) & goal.actions & ~kept)
        kept |= actions_named(instead)
        left += instead
        told = f"NotAction: {entry} became {', '.join(instead)}" if instead else f"NotAction: {entry} taken out"
        parts.append(Part(told, _closed_by(matching(entry) & ~goal.actions)))
    if not left:
        return Mended(_replaced(raw, "NotAction", "Action", "*"), tuple(parts))
    value: Any = left if isinstance(raw["NotAction"], list) or len(left) > 1 else left[0]
    return Mended(_replaced(raw, "NotAction", "NotAction", value), tuple(parts))


def _extended(raw: Json, hole: Entry, others: Sequence[str]) -> Mended | None:
    """A deny of KMS but through a service, extended to what another deny exempts of KMS."""
    if hole.group.service != "kms":
        return None
    more = list(dict.fromkeys(entry for entry in others if fold(entry).startswith("kms:") and _matches_any(entry, hole)))
    if not more:
        return None
    told = Part(f"Action: {', '.join(more)} added", _closed_by(hole.group.members))
    return Mended(_replaced(raw, "Action", "Action", [*_listed(raw["Action"]), *more]), (told,))


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
        ("kms-exception-direct", cryptographic()),
        ("kms-exception-admin", actions_named(("kms:*",))),
        ("role-assumable-without-mfa", actions_named(("sts:AssumeRole",))),
    ):
        if actions & about and not actions & ~about & ~takeover():
            return control
        if actions & about and control.startswith(("codecommit", "kms")):
            return control
    return "mfa-not-enforced: not-action-too-wide"


# --- resources and conditions ----------------------------------------------------------------------------------------


def _spared_resources(statement: Statement) -> Part:
    named = ", ".join(statement.resources.entries[:4]) if statement.resources else ""
    spared = f"NotResource {named}" if statement.not_resource else f"Resource {named}"
    return Part(f'{spared} became Resource "*"', "mfa-not-enforced: deny-too-narrow")


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
            result.append(GIT_KEYS)
    return list({row[:2]: row for row in result}.values())


def _asking_for_mfa(rows: Sequence[Row]) -> Row:
    """The condition that holds without MFA, with key and value spelt as they were."""
    for _, key, value in rows:
        if fold(key) == MFA_PRESENT:
            texts = [str(one).lower() for one in _listed(value)]
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
            yield Part(f"{named} became {GIT_KEYS[0]} {GIT_KEYS[1]} {GIT_KEYS[2]}", "kms-exception-any-service")
        elif condition.key in _VIA:
            yield Part(f"condition {named} taken out", "kms-exception-any-service")
        else:
            yield Part(f"condition {named} taken out", "mfa-not-enforced: extra-condition")


def _keeping_git(mended: Mended, version: str, goal: Goal) -> Mended:
    """The same with KMS free for CodeCommit, where it was and the mended statement would deny it."""
    if not goal.keys or not parse_statement(mended.raw, version).covers_action("kms:decrypt"):
        return mended
    rows = rows_of(mended.raw)
    via = [row for row in rows if fold(row[1]) in _VIA]
    if via:
        return mended
    what = f"condition {GIT_KEYS[0]} {GIT_KEYS[1]} {GIT_KEYS[2]} added: Git's way to KMS stays free, and no other"
    return Mended(with_rows(mended.raw, [*rows, GIT_KEYS]), (*mended.parts, Part(what, "kms-exception-any-service")))


# --- the text --------------------------------------------------------------------------------------------------------


def rows_of(raw: Json) -> list[Row]:
    """The conditions of a statement, in order."""
    block: Mapping[str, Mapping[str, Any]] = raw.get("Condition", {})
    return [(operator, key, value) for operator, keys in block.items() for key, value in keys.items()]


def with_rows(raw: Json, rows: Sequence[Row]) -> Json:
    """The statement with these conditions."""
    block: dict[str, Json] = {}
    for operator, key, value in rows:
        block.setdefault(operator, {})[key] = value
    rest = {name: value for name, value in raw.items() if name != "Condition"}
    if not block:
        return rest
    return {**raw, "Condition": block} if "Condition" in raw else {**rest, "Condition": block}


def _replaced(raw: Json, old: str, new: str, value: Any) -> Json:
    """The statement with one element in the place of another."""
    return {new if name == old else name: value if name == old else found for name, found in raw.items()}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
