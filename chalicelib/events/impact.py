"""From a record to whom it concerns. Pure.

An event is a hint where to look. Where its record should name somebody and does not, the hint is wider: the account, or
all accounts. A name that nobody can have, such as the one that stands for the root user, names nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.events.effects import EFFECTS
from chalicelib.events.fields import account_in, entity_of, is_account, is_name, mapping_in, text_in
from chalicelib.events.record import Record
from chalicelib.events.refusals import is_refused, target_of
from chalicelib.events.rules import Effect, Finder, Otherwise
from chalicelib.events.sight import sight_of, watched_resource
from chalicelib.scope import Scope

_DECIDING = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
_NO_USERS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Impact:
    """What an event does, and to whom. A refused one changed nothing: its scope says at whom the attempt was aimed."""

    effect: Effect
    scope: Scope | None
    """None where it concerns nobody that can be named, or everybody."""
    everywhere: bool = False
    """Whether it concerns all accounts of the organisation."""
    refused: bool = False


def impact_of(record: Record) -> Impact | None:
    """What the event does; None where it is none that this tool knows."""
    rule = EFFECTS.get((record.source, record.name))
    if rule is None:
        return None
    refused, finder = is_refused(record), rule.finder
    scope = _named(record, finder) or (_attempted(record, finder) if refused else None)
    everywhere = scope is None and finder.otherwise is Otherwise.EVERYWHERE and not _decides_nothing(record)
    if scope is None:
        scope = _OTHERWISE[finder.otherwise](record, refused)
    if scope is not None and not is_account(scope.account):
        scope = None
    without_mfa = rule.without_mfa if scope is not None and not refused else None
    return Impact(without_mfa or _cut(record, rule.effect) or rule.effect, scope, everywhere, refused)


def _cut(record: Record, effect: Effect) -> Effect | None:
    """That an event which may go either way takes sight away, where its record says so."""
    if effect is not Effect.SIGHT_CHANGED:
        return None
    loss = sight_of(record)
    return Effect.SIGHT_CUT if loss is not None and loss.off else None


def _named(record: Record, finder: Finder) -> Scope | None:
    """Whom the parameters name; the whole account where they name what cannot be, None where they name nobody."""
    parameters, account = record.parameters, record.account
    for name in finder.accounts:
        if found := account_in(parameters, name):
            return Scope(found)
    if users := _values(parameters, finder.users):
        is_root = record.actor.is_root and record.actor.alias in users
        names = None if is_root else _texts(users, is_name)
        return Scope(account, users=names)
    if groups := _values(parameters, finder.groups):
        names = _texts(groups, is_name)
        return Scope(account) if names is None else Scope(account, users=_NO_USERS, groups=names)
    if policies := _values(parameters, finder.policies):
        names = _texts(policies, _is_policy)
        return Scope(account) if names is None else Scope(account, users=_NO_USERS, policies=names)
    return None


def _values(parameters: Mapping[str, Any], names: tuple[str, ...]) -> list[object]:
    return [value for name in names if (value := parameters.get(name)) is not None and value != ""]


def _texts(values: list[object], can_be: Callable[[str], bool]) -> frozenset[str] | None:
    """The values; None where one of them is no text, or cannot be what it should be."""
    texts = [value for value in values if isinstance(value, str) and can_be(value)]
    return frozenset(texts) if len(texts) == len(values) else None


def _is_policy(arn: str) -> bool:
    entity = entity_of(arn)
    return entity is not None and entity[1] == "policy"


def _attempted(record: Record, finder: Finder) -> Scope | None:
    """Whom the message of a refused call names, where the call is about such; None where it names nobody."""
    target, account = target_of(record.error_message), record.account
    if finder.accounts:
        return Scope(target.account) if target.account else None
    if target.user and (finder.users or finder.otherwise is Otherwise.OWNER):
        return Scope(account, users=frozenset({target.user}))
    if target.group and finder.groups:
        return Scope(account, users=_NO_USERS, groups=frozenset({target.group}))
    if target.policy and finder.policies:
        return Scope(account, users=_NO_USERS, policies=frozenset({target.policy}))
    return None


# --- whom an event concerns whose parameters name nobody ------------------------------------------------------------


def _caller(record: Record, account: str) -> Scope | None:
    actor = record.actor
    if actor.is_root:
        return Scope(account)
    return Scope(account, users=frozenset({actor.user_name})) if actor.user_name else None


def _account(record: Record, _: bool) -> Scope:
    return Scope(record.account)


def _nobody(_: Record, __: bool) -> None:
    return None


def _owner(record: Record, refused: bool) -> Scope:
    """A refused call loses its parameters, so that it names nobody does not make it the caller's own matter."""
    whole = Scope(record.account)
    if refused or record.actor.is_root:
        return whole
    answered = (text_in(held, "userName") for held in record.response.values() if isinstance(held, Mapping))
    name = next(filter(is_name, answered), "")
    return Scope(record.account, users=frozenset({name})) if name else _caller(record, record.account) or whole


def _self(record: Record, _: bool) -> Scope:
    return _caller(record, record.account) or Scope(record.account)


def _caller_without_mfa(record: Record, refused: bool) -> Scope | None:
    """The caller's own account: for a role of another account it is not the one that has the record."""
    used = _used_mfa(record)
    if used or (used is None and not refused):
        return None
    return _caller(record, record.actor.account or record.account)


def _used_mfa(record: Record) -> bool | None:
    """Whether the caller proved an MFA device; None where the record does not say."""
    if record.source == "signin.amazonaws.com":
        return {"yes": True, "no": False}.get(text_in(record.additional, "MFAUsed").lower())
    return record.actor.mfa == "true" or text_in(record.parameters, "serialNumber") != ""


def _grantee(record: Record, _: bool) -> Scope | None:
    entity = entity_of(text_in(record.parameters, "granteePrincipal"))
    return Scope(entity[0], users=frozenset({entity[2]})) if entity and entity[1] == "user" else None


def _new_policy(record: Record, _: bool) -> Scope:
    arn = text_in(mapping_in(record.response, "policy"), "arn")
    policies = frozenset({arn}) if _is_policy(arn) else None
    return Scope(record.account, users=_NO_USERS, policies=policies) if policies else Scope(record.account)


def _new_account(record: Record, _: bool) -> Scope | None:
    for said in (record.response, record.details):
        if account := account_in(mapping_in(said, "createAccountStatus"), "accountId"):
            return Scope(account)
    return None


def _home(record: Record, _: bool) -> Scope:
    """Caller and resource may be of two accounts; both have a record of the event then, and the resource in it."""
    service = record.source.partition(".")[0]
    arns = [text_in(resource, "ARN") for resource in record.resources]
    for arn in (*arns, text_in(record.parameters, "keyId")):
        segments = arn.split(":", 5)
        if segments[2:3] == [service] and is_account(segments[4] if len(segments) > 4 else ""):
            return Scope(segments[4])
    return Scope(record.account)


def _watched(record: Record, refused: bool) -> Scope | None:
    """Of another account only where the call succeeded: whoever is refused may have named any account's trail."""
    watched = watched_resource(record)
    return Scope(record.account if refused else watched.account) if watched else None


_OTHERWISE: Mapping[Otherwise, Callable[[Record, bool], Scope | None]] = {
    Otherwise.ACCOUNT: _account,
    Otherwise.NOBODY: _nobody,
    Otherwise.OWNER: _owner,
    Otherwise.SELF: _self,
    Otherwise.CALLER_WITHOUT_MFA: _caller_without_mfa,
    Otherwise.GRANTEE: _grantee,
    Otherwise.NEW_POLICY: _new_policy,
    Otherwise.NEW_ACCOUNT: _new_account,
    Otherwise.HOME: _home,
    Otherwise.EVERYWHERE: _nobody,
    Otherwise.WATCHED: _watched,
}


def _decides_nothing(record: Record) -> bool:
    """Whether the event is about policies of the organisation that decide no request, as those about tags."""
    summary = mapping_in(mapping_in(record.response, "policy"), "policySummary")
    kind = text_in(record.parameters, "policyType") or text_in(summary, "type")
    return kind != "" and kind not in _DECIDING
