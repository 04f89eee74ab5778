"""What a record says of the event after which an audit looks. Pure."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.cause import Cause
from chalicelib.events.about import about_of
from chalicelib.events.record import Actor, Record


def cause_of(record: Record, own_roles: Collection[str] = ()) -> Cause:
    """The event as a cause. It is mfawatch's own where one of these roles, named by their ARNs, made the call."""
    actor = record.actor
    return Cause(
        event_id=record.event_id or record.identity,
        event=record.action,
        at=record.at,
        actor=actor.name,
        address=actor.address,
        agent=actor.agent,
        own=is_own(actor, own_roles),
        about=", ".join(about_of(record, None)),
    )


def is_own(actor: Actor, own_roles: Collection[str]) -> bool:
    """Whether a session of one of these roles called.

    The record names the role that issued the session. Where it does not, the session's ARN names it without its path,
    which tells it from all others nevertheless: an account has each role's name once.
    """
    if actor.issuer_arn:
        return actor.issuer_arn in own_roles
    session = _role_of_session(actor.arn)
    return session is not None and any(_role(arn) == session for arn in own_roles)


def _role_of_session(arn: str) -> tuple[str, str, str] | None:
    """The partition, the account and the name in arn:aws:sts::111122223333:assumed-role/NAME/SESSION."""
    segments = arn.split(":", 5)
    if len(segments) < 6 or segments[0] != "arn" or segments[2:4] != ["sts", ""]:
        return None
    kind, *names = segments[5].split("/")
    return (segments[1], segments[4], names[0]) if kind == "assumed-role" and len(names) == 2 and all(names) else None


def _role(arn: str) -> tuple[str, str, str] | None:
    """The partition, the account and the name in arn:aws:iam::111122223333:role/PATH/NAME."""
    segments = arn.split(":", 5)
    if len(segments) < 6 or segments[0] != "arn" or segments[2:4] != ["iam", ""]:
        return None
    kind, *names = segments[5].split("/")
    return (segments[1], segments[4], names[-1]) if kind == "role" and names else None
