"""An event in the words of a timeline: what was done, to whom, by whom and from where. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.cause import LONGEST, Cause, parse_cause
from chalicelib.events.about import LONGEST_TOLD, about_of, short_name
from chalicelib.events.causes import cause_of
from chalicelib.events.impact import Impact
from chalicelib.events.record import Record
from chalicelib.scope import Scope

_OF_ROOT = frozenset(
    {
        "iam:ChangePassword", "iam:CreateAccessKey", "iam:DeactivateMFADevice", "iam:DeleteAccessKey",
        "iam:EnableMFADevice", "iam:UpdateAccessKey", "signin:ConsoleLogin", "signin:PasswordRecoveryCompleted",
        "signin:PasswordRecoveryRequested", "signin:PasswordUpdated", "sts:AssumeRole", "sts:GetSessionToken",
    }
)  # fmt: skip
"""The events that concern the root user where it called, and the call names no user."""
_REFUSALS = ("denied", "unauthorized", "not authorized", "forbidden")


@dataclass(frozen=True, slots=True)
class Happening:
    """One event that changes something, or was to change it."""

    cause: Cause
    account: str
    region: str
    effect: str
    """What it does, in words that follow the name of whom it concerns."""
    scope: Scope | None
    everywhere: bool
    error: str
    """Why AWS refused it; empty where it did not."""
    what: str
    """The policy, the group, the key, …; as far as the record says."""
    mfa: str
    """Whether the caller's session had MFA: `true` or `false`; empty where there was no session to have any."""

    @property
    def refused(self) -> bool:
        """Whether it remained an attempt."""
        return self.error != ""

    @property
    def whole_account(self) -> bool:
        """Whether anybody in the account may be concerned."""
        return self.scope is not None and self.scope.users is None

    @property
    def subject(self) -> str:
        """Whom it concerns, in words."""
        if self.everywhere:
            return "each account of the organisation"
        if self.whole_account and self.cause.event in _OF_ROOT and self.cause.actor.endswith(":root"):
            return "the root user"
        named = list(_named(self.scope)) if self.scope else []
        return ", ".join(named) or f"account {self.scope.account if self.scope else self.account or 'unknown'}"

    @property
    def sentence(self) -> str:
        """What was done, in words; clean them before printing."""
        about = f": {self.what}" if self.what else ""
        if self.refused:
            how = "refused" if any(word in self.error.lower() for word in _REFUSALS) else "failed"
            return f"attempt, {how} ({self.error}): {self.cause.event} on {self.subject}{about}"
        return f"{self.subject} {self.effect}{about}"

    def to_json(self) -> dict[str, Any]:
        """The event as JSON values."""
        scope = self.scope
        return {
            **{name: value for name, value in self.cause.to_json().items() if name != "about"},
            "account": self.account,
            "region": self.region,
            "effect": self.effect,
            "scope": None
            if scope is None
            else {
                "account": scope.account,
                "users": None if scope.users is None else sorted(scope.users),
                "groups": sorted(scope.groups),
                "policies": sorted(scope.policies),
            },
            "everywhere": self.everywhere,
            "error": self.error,
            "what": self.what,
            "mfa": self.mfa,
        }


@dataclass(frozen=True, slots=True)
class Repeated:
    """An event, and how often its like was on that day."""

    happening: Happening
    times: int
    first: datetime | None
    last: datetime | None


def happening_of(record: Record, impact: Impact) -> Happening:
    """The event of a record, with what it does."""
    return Happening(
        cause=replace(cause_of(record), about=""),  # `what` says it
        account=record.account,
        region=record.region[:LONGEST],
        effect=str(impact.effect),
        scope=impact.scope,
        everywhere=impact.everywhere,
        error=(record.error_code or record.error_message or "failed")[:LONGEST_TOLD] if impact.refused else "",
        what=", ".join(about_of(record, impact.scope)),
        mfa=record.actor.mfa,
    )


def parse_happening(value: Mapping[str, Any]) -> Happening:
    """The event by its JSON values, as `Happening.to_json` gives them."""
    found = {name: value[name] for name in ("account", "region", "effect", "everywhere", "error", "what", "mfa")}
    cause = parse_cause({name: value[name] for name in asdict(Cause("", "")) if name != "about"})
    scope = value["scope"]
    if scope is not None:
        users = None if scope["users"] is None else frozenset(scope["users"])
        scope = Scope(scope["account"], users, frozenset(scope["groups"]), frozenset(scope["policies"]))
    return Happening(cause=cause, scope=scope, **found)


def _named(scope: Scope) -> Iterator[str]:
    yield from sorted(scope.users or ())
    yield from (f"group {name}" for name in sorted(scope.groups))
    yield from (f"policy {short_name(arn)}" for arn in sorted(scope.policies))
