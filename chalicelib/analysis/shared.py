"""Users whom their policies cannot tell apart share one surface.

What is found for one of them is decided again for every other, so a witness is always the user's own; where that fails,
the user's surface is computed alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from chalicelib.analysis.arns import filled
from chalicelib.analysis.cells import Caller
from chalicelib.analysis.names import NOTHING
from chalicelib.analysis.origins import Origin
from chalicelib.analysis.scopes import self_service
from chalicelib.analysis.surface import Answer, Entry, Surface
from chalicelib.analysis.universe import Actions, actions_named
from chalicelib.iam.account import AccountSnapshot, User
from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import compile_source, glob_source, is_everything, plain
from chalicelib.iam.policy_set import PolicySet
from chalicelib.iam.resources import service_of
from chalicelib.iam.statement import Statement


class Surfaces:
    """The surfaces of one account's users."""

    def __init__(self, snapshot: AccountSnapshot) -> None:
        self._snapshot = snapshot
        self._shared: dict[object, tuple[Surface, dict[object, Any]]] = {}

    def of(self, user: User, policies: PolicySet) -> UserSurface:
        """The surface of a user."""
        caller = Caller(self._snapshot, user)
        signature = _signature(caller, policies)
        if signature not in self._shared:
            self._shared[signature] = Surface(caller, policies), {}
        return UserSurface(caller, policies, *self._shared[signature])


@dataclass
class UserSurface:
    """A user's surface, answered from the shared one as far as that holds for the user."""

    caller: Caller
    policies: PolicySet
    _shared: Surface
    _answers: dict[object, Any]
    _own: Surface | None = None

    @property
    def own(self) -> Surface:
        """The surface computed for this user alone."""
        if self._shared.caller.user is self.caller.user:
            return self._shared
        if self._own is None:
            self._own = Surface(self.caller, self.policies)
        return self._own

    def entries(self, within: Actions, origins: Sequence[Origin], *, managed: bool = False) -> Answer:
        """As of `Surface`."""
        key = ("entries", within, tuple(origins), managed)
        return self._answer(key, lambda surface: surface.entries(within, origins, managed=managed))

    def gravest(self, reached: Mapping[Origin, Actions], unknown: Sequence[Origin] = ()) -> Answer:
        """As of `Surface`."""
        key = ("gravest", tuple(reached.items()), tuple(unknown))
        return self._answer(key, lambda surface: surface.gravest(reached, unknown))

    def shared(self, key: object, question: Callable[[Surface], Any]) -> Any:
        """The answer to a question that all users of the shared surface have in common."""
        if key not in self._answers:
            self._answers[key] = question(self._shared)
        return self._answers[key]

    def _answer(self, key: object, question: Callable[[Surface], Answer]) -> Answer:
        answer: Answer = self.shared(key, question)
        if not answer.entries or self.own is self._shared:
            return answer
        # What is made on the user's own resources is decided anew, and so is what will be shown as proof; the rest are
        # the same requests but for the caller, whom the policies cannot tell apart.
        proof = answer.best
        entries: list[Entry] = []
        for entry in answer.entries:
            mine = self.own.again(entry) if entry is proof or entry.target.personal else entry
            if mine is None or mine.certain is not entry.certain:
                return question(self.own)
            entries.append(mine)
        return Answer(tuple(entries), answer.untried)


def _signature(caller: Caller, policies: PolicySet) -> object:
    """What a surface depends on: the documents, and what the policies make of the caller.

    A value that fills a policy variable counts as it is. One that conditions merely test counts by their answers: a
    deny that spares one ARN tells its owner from all others, and not the others from each other. Variables of
    statements about self-service alone (`user/${aws:username}`) would make every user a case of their own: they count
    by the patterns of the policies that the user's own resources fall into.
    """
    own = caller.own
    documents = [policy.document for policy in policies.binding]
    values: list[object] = []
    named: list[str] = []
    mine: list[str] = []
    for document in documents:
        looked = _looks_at(document.statements)
        values.append(tuple((key, own.get(key)) for key in looked.filled))
        values.append(tuple(test.readings(own) for test in looked.tests if test.key in own))
        values.append(tuple(test.key in own for test in looked.tests))
        mine += (text for template in looked.mine if (text := filled(template, own)) is not None)
        named += looked.named
    values.append(tuple(_lies_in(text, pattern) for text in mine for pattern in named))
    return tuple(map(id, documents)), policies.boundary is None, tuple(values)


def _lies_in(text: str, pattern: str) -> bool:
    return _compiled(pattern).fullmatch(plain(text.replace("*", NOTHING).replace("?", NOTHING[0]))) is not None


@lru_cache(maxsize=16_384)
def _compiled(pattern: str) -> re.Pattern[str]:
    return compile_source(glob_source(pattern))


@dataclass(frozen=True, slots=True)
class _Looked:
    """What statements look at: keys that fill variables, conditions, the user's own resources and other users'."""

    filled: tuple[str, ...]
    tests: tuple[Condition, ...]
    mine: tuple[str, ...]
    named: tuple[str, ...]


@lru_cache(maxsize=16_384)
def _looks_at(statements: tuple[Statement, ...]) -> _Looked:
    filled_by: set[str] = set()
    tests: list[Condition] = []
    mine: list[str] = []
    named: list[str] = []
    for statement in statements:
        resources = statement.resources
        personal = _is_self_service(statement)
        if resources and not personal:
            filled_by |= resources.keys
        for entry in resources.entries if resources else ():
            if resources and resources.has_variables and "${" in entry:
                mine += [entry] if personal else []
            elif service_of(entry) in ("", "iam") and not is_everything(entry):
                named.append(entry)
        for condition in statement.conditions:
            filled_by |= condition.keys - {condition.key}
            tests.append(condition)
    return _Looked(tuple(sorted(filled_by)), tuple(tests), tuple(mine), tuple(named))


def _is_self_service(statement: Statement) -> bool:
    return not statement.not_action and not actions_named(statement.actions.entries) & ~self_service()
