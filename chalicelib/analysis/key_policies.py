"""What the policies of KMS keys that were read let a user do by themselves: such a policy needs no Allow beside it.

Keys whose policies leave it to the account's own are what the rest of the surface is about (KMS Developer Guide, "Key
policies").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chalicelib.analysis.keys import Key, key_policy, keys_with_policies
from chalicelib.analysis.origins import Origin
from chalicelib.analysis.partition import actions_about
from chalicelib.analysis.scopes import on_keys
from chalicelib.analysis.shared import UserSurface
from chalicelib.analysis.surface import Answer, Entry, Surface
from chalicelib.analysis.universe import Actions, union
from chalicelib.iam.principals import Naming, Principal
from chalicelib.iam.statement import Effect, Statement


@dataclass(frozen=True, slots=True)
class Question:
    """A set of actions on keys, and how the requests are made."""

    within: Actions
    origins: tuple[Origin, ...]


def by_key_policies(surface: UserSurface, within: Actions, origins: Sequence[Origin]) -> Answer:
    """The entries on keys whose policies name the user, or everybody."""
    question = Question(within & on_keys(), tuple(origins))
    keys: Sequence[Key] = surface.shared(
        "keys with policies", lambda shared: keys_with_policies(shared.caller.snapshot)
    )
    answers = [_on_key(surface, question, key) for key in keys if question.origins]
    untried = next((answer.untried for answer in answers if answer.untried), "")
    return Answer(tuple(entry for answer in answers for entry in answer.entries), untried)


def as_key_policies_say(surface: UserSurface, entries: Sequence[Entry]) -> tuple[Sequence[Entry], str]:
    """The entries, those on one key whose policy was read decided by that; and why not all was tried."""
    found: list[Entry] = []
    untried = ""
    for entry in entries:
        policy = key_policy(surface.caller.snapshot, entry.request.resource)
        if policy is None:
            found.append(entry)
            continue
        actions = entry.group.members & on_keys()
        answer = surface.own.on(policy).entries_on(entry.request.resource, actions, (entry.origin,))
        found += answer.entries
        untried = untried or answer.untried
    return found, untried


def _on_key(surface: UserSurface, question: Question, key: Key) -> Answer:
    """The entries on one key, found once for all whom its policy sees alike."""
    caller, policy = surface.caller, key.policy
    granted = _granted(key, caller.user.principal) & question.within
    if policy is None or not granted:
        return Answer(())

    def ask(_: Surface) -> Answer:
        return surface.own.on(policy).entries_on(key.arn, granted, question.origins)

    alike = key.tells_of(caller.user.principal, caller.own)
    answer: Answer = surface.shared(("by its policy", question, key.arn, alike), ask)
    if not answer.entries or answer.best.request.principal == caller.user.principal:
        return answer
    entries = tuple(_of_user(surface.own.on(policy), answer))
    return Answer(entries, answer.untried) if entries else ask(surface.own)


def _of_user(own: Surface, answer: Answer) -> Iterator[Entry]:
    """The entries found for another user, with the proof decided for this one; none where that comes out otherwise."""
    proof = answer.best
    mine = own.with_values(proof, {})
    if mine is not None and mine.certain is proof.certain:
        yield from (mine if entry is proof else entry for entry in answer.entries)


def _granted(key: Key, principal: Principal) -> Actions:
    """The actions that the key's policy allows the user by itself; of another account's key, those it may allow."""
    least = Naming.ISSUER if principal.account in key.arn.split(":")[4:5] else Naming.ACCOUNT
    statements = key.policy.document.statements if key.policy else ()
    return union(actions_about(one) for one in statements if _lets_in(one, principal, least))


def _lets_in(statement: Statement, principal: Principal, least: Naming) -> bool:
    if statement.effect is not Effect.ALLOW or statement.principals is None:
        return False
    return statement.not_principal or statement.principals.naming(principal) >= least
