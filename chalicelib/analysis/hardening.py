"""A loose policy that asks for MFA → the tight one, with the least change to its text, and the proof.

An administrator carrying the policy is asked for all that is open without MFA. For each request that is not accepted
the Deny is looked for that denies it with the least change; then the surface is asked again. What was denied without
MFA stays denied: Git and its way to KMS stay free where they were, and are freed nowhere.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from chalicelib.analysis.administrator import Accepted, Carrying, holes, places_named
from chalicelib.analysis.causes import is_guard
from chalicelib.analysis.cells import Caller
from chalicelib.analysis.mending import (
    GIT,
    IN_WORDS,
    WITHOUT_MFA,
    Goal,
    Mended,
    Part,
    is_about_caller,
    mend,
    without_caller,
)
from chalicelib.analysis.names import regions_of
from chalicelib.analysis.origins import GIT as GIT_ORIGIN
from chalicelib.analysis.proof_of_hardening import LARGEST, Change, Hardened, kept_with_mfa, openings, size_of
from chalicelib.analysis.rewriting import Json, with_rows
from chalicelib.analysis.scopes import git, self_service
from chalicelib.analysis.surface import Answer, Entry
from chalicelib.analysis.universe import actions_named
from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import CURRENT_VERSION, PolicyDocument, parse_policy
from chalicelib.iam.policy_set import PolicySet
from chalicelib.iam.statement import Effect, Statement, place_of

MOST_ROUNDS = 40
_OWN_NAME = re.compile(r"(arn:[^:]*:iam::[^:]*:user/(?:.*/)?\$\{aws:username\})\*+", re.IGNORECASE)


def harden(policy: Json, accepted: Accepted | None = None) -> Hardened:
    """The tight version of a policy, given as JSON values.

    Raises:
        PolicyError: IAM would not have stored it.
    """
    before = parse_policy(policy)
    return _Draft(copy.deepcopy(policy), before, accepted or Accepted()).result()


class _Draft:
    """A policy while it is being mended."""

    def __init__(self, policy: Json, before: PolicyDocument, accepted: Accepted) -> None:
        self.before = before
        self.accepted = accepted
        self.policy = policy
        found = policy["Statement"]
        self.listed = isinstance(found, list | tuple)
        self.statements: list[Json] = list(found) if self.listed else [found]
        self.changes: list[Change] = []
        self.narrowed: list[int] = []
        self.places = places_named([policy, list(accepted.repositories)])
        self.version = before.version
        self._asked: tuple[list[Json], Sequence[tuple[Caller, PolicySet]]] | None = None

    def result(self) -> Hardened:
        self._narrow_own_names()
        open_to = self._answer(self._judged())
        for _ in range(MOST_ROUNDS):
            if not self._close(open_to, self.goal):
                break
            open_to = self._answer(self._judged())
        # Accounts that the result no longer names are to it like any other.
        self.places = places_named([self._json(), list(self.accepted.repositories)])
        open_to = open_to if open_to.exhaustive else self._answer(self._judged())
        reasons = list(self._reasons(open_to))
        if not reasons and (spared := self._spared()):
            certain = self._answer(self._document(without=[statement.index for statement in spared]))
            if any(holes(certain, self.accepted)):
                reasons += [_about_people(statement) for statement in spared]
        after = parse_policy(self._json())
        kept = kept_with_mfa(self.before, after, self.narrowed)
        reasons += [f"{one.statement} {one.why}" for one in kept if not one.holds]
        surface = tuple(openings(open_to.entries, self.accepted))
        return Hardened(self._json(), tuple(self.changes), tuple(reasons), tuple(self._remarks(open_to)), surface, kept)

    # --- the policy as it stands -------------------------------------------------------------------------------------

    def _json(self) -> Json:
        statements: Any = self.statements if self.listed or len(self.statements) > 1 else self.statements[0]
        return {**self.policy, "Statement": statements}

    def _document(self, without: list[int] | None = None) -> PolicyDocument:
        left = [raw for index, raw in enumerate(self.statements) if index not in (without or ())]
        return parse_policy({**self.policy, "Statement": left})

    def _judged(self) -> PolicyDocument:
        """The document with each deny made to hold for whomever it spares: that is judged at the end."""
        found = parse_policy(self._json()).statements
        guards = {statement.index for statement in found if is_guard(statement, {})}
        raws = [
            without_caller(raw, statement) if statement.index in guards else raw
            for raw, statement in zip(self.statements, found, strict=True)
        ]
        return parse_policy({**self.policy, "Statement": raws})

    def _carrying(self, document: PolicyDocument) -> Carrying:
        return Carrying(document, self.places, self.accepted.repositories)

    def _answer(self, document: PolicyDocument) -> Answer:
        return self._carrying(document).without_mfa(self.accepted)

    def _guards(self) -> list[Statement]:
        return [statement for statement in parse_policy(self._json()).statements if is_guard(statement, {})]

    def _spared(self) -> list[Statement]:
        """The denies that ask who the caller is: for want of MFA, and those that MFA does not lift."""
        statements = parse_policy(self._json()).statements
        return [s for s in statements if s.effect is Effect.DENY and any(map(is_about_caller, s.conditions))]

    @cached_property
    def goal(self) -> Goal:
        """What of Git was free before, by an exemption that says so."""
        exempts = any(
            guard.not_action and not all(guard.covers_action(name.lower()) for name in GIT) for guard in self._guards()
        )
        free = self.accepted.git and exempts
        return Goal(self.accepted, git=free, keys=free and self._passes_keys(self._judged()))

    def _passes_keys(self, document: PolicyDocument) -> bool:
        """Whether KMS lets CodeCommit read a key for the administrator, in some region."""
        for caller, policies in self._carrying(document).callers:
            who = caller.user.principal
            for region in regions_of(who.partition):
                key = f"arn:{who.partition}:kms:{region}:{who.account}:key/of-a-repository"
                if evaluate(caller.request(GIT_ORIGIN, "kms:Decrypt", key, {}), policies).allowed:
                    return True
        return False

    # --- mending -----------------------------------------------------------------------------------------------------

    def _close(self, answer: Answer, goal: Goal) -> bool:
        """Close what the answer shows open; whether anything was changed."""
        changed = False
        for hole in holes(answer, self.accepted):
            if not self._denies(hole):
                changed = self._mend(hole, goal) or changed
        return changed

    def _denies(self, hole: Entry) -> bool:
        return not any(
            evaluate(hole.request, policies).may_be_allowed
            for caller, policies in self._callers()
            if caller.user.arn == hole.request.principal.arn
        )

    def _callers(self) -> Sequence[tuple[Caller, PolicySet]]:
        """Who carries the policy as it stands; the same until a statement is replaced, for all holes asked about."""
        known = self._asked[0] if self._asked else ()
        if self._asked is None or list(map(id, known)) != list(map(id, self.statements)):
            self._asked = list(self.statements), self._carrying(self._judged()).callers
        return self._asked[1]

    def _mend(self, hole: Entry, goal: Goal) -> bool:
        if goal.git and goal.accepted.repositories and not hole.group.members & ~git():
            if not any(GIT_LIMIT in change.what for change in self.changes):
                self._add("GitOnNamedRepositoriesAlone", _limit(goal), (Part(GIT_LIMIT, "codecommit-exemption"),))
                return True
            return False
        guards = self._guards()
        found: list[tuple[int, int, Mended]] = []
        for guard in guards:
            raw = self.statements[guard.index]
            others = [e for one in guards if one.not_action and one is not guard for e in one.actions.entries]
            mended = mend(raw, self.version, hole, goal, others)
            if mended is not None and mended.parts:
                found.append((mended.cost(raw), guard.index, mended))
        for _, index, mended in sorted(found, key=lambda one: one[:2]):
            before = self.statements[index]
            self.statements[index] = mended.raw
            if self._denies(hole):
                self.changes += [Change(place_of(index, before.get("Sid")), p.what, p.closes) for p in mended.parts]
                return True
            self.statements[index] = before
        told = "added: denies everything but enrolment without MFA; no Deny here was meant to"
        statements, changes = list(self.statements), list(self.changes)
        self._add("NothingElseWithoutMfa", _canonical(goal), (Part(told, "mfa-not-enforced: no-deny"),))
        if self._denies(hole):
            return True
        self.statements, self.changes = statements, changes
        return False

    def _add(self, sid: str, body: Json, parts: tuple[Part, ...]) -> None:
        taken = {raw.get("Sid") for raw in self.statements}
        name = next(one for one in (sid, *(f"{sid}{n}" for n in range(2, len(taken) + 3))) if one not in taken)
        self.statements.append({"Sid": name, **body})
        place = place_of(len(self.statements) - 1, name)
        self.changes += [Change(place, part.what, part.closes) for part in parts]

    def _narrow_own_names(self) -> None:
        """Take the star from behind the user's own name where a statement lets users care for their own credentials."""
        if self.version != CURRENT_VERSION:
            return  # without policy variables there is no name in it
        for statement in self.before.statements:
            about = actions_named(statement.actions.entries)
            if statement.effect is not Effect.ALLOW or statement.not_action or about & ~self_service():
                continue
            raw = self.statements[statement.index]
            value = raw.get("Resource")
            new = [_own_name(entry) for entry in value] if isinstance(value, list) else _own_name(value)
            if new != value:
                self.statements[statement.index] = {**raw, "Resource": new}
                self.narrowed.append(statement.index)
                what = "Resource: user/${aws:username}* became user/${aws:username}: it met other users' names too"
                self.changes.append(Change(statement.place, what, "mfa-self-takeover"))

    # --- what is told ------------------------------------------------------------------------------------------------

    def _reasons(self, answer: Answer) -> Iterator[str]:
        for hole in holes(answer, self.accepted):
            yield f"{hole.request.name} on {hole.request.resource} stays open to {hole.origin.words}"
        if not answer.exhaustive:
            yield "more combinations of resources and condition values are in play than are tried"

    def _remarks(self, answer: Answer) -> Iterator[str]:
        size = size_of(self._json())
        if size > LARGEST:
            yield f"{size:,} characters without white space: a managed policy takes {LARGEST:,}"
        frees = any(entry.group.members and not entry.group.members & ~git() for entry in answer.entries)
        if frees and self.accepted.git and not self._passes_keys(self._judged()):
            yield (
                "Git is exempted at CodeCommit and denied at KMS, so it does not work without MFA: either add the "
                f"condition {IN_WORDS} beside the MFA condition, or take Git out"
            )
        if self.accepted.repositories and not frees:
            yield "no Git is free without MFA: there was nothing to limit to the repositories named"


GIT_LIMIT = "added: Git without MFA on the repositories named, and on no other"


def _limit(goal: Goal) -> Json:
    body: Json = {"Effect": "Deny", "Action": list(GIT), "NotResource": list(goal.accepted.repositories)}
    return with_rows(body, [WITHOUT_MFA])


def _canonical(goal: Goal) -> Json:
    return with_rows({"Effect": "Deny", "NotAction": list(goal.exemptions), "Resource": "*"}, [WITHOUT_MFA])


def _own_name(entry: Any) -> Any:
    match = _OWN_NAME.fullmatch(entry) if isinstance(entry, str) else None
    return match[1] if match else entry


def _about_people(statement: Statement) -> str:
    named = ", ".join(f"{c.operator.name} {c.name}" for c in statement.conditions if is_about_caller(c))
    return f"{statement.place} does not hold for everybody at any time ({named}): whom it spares is for a person to say"
