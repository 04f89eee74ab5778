"""What a record says of a call that AWS refused. Pure.

Most refused calls lose their parameters, and only the message says what they were about: "User: … is not authorized to
perform: iam:AttachUserPolicy on resource: user alice because …". The caller stands before the resource, never after.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.events.fields import entity_of, is_account, is_name, mapping_in, text_in
from chalicelib.events.record import Record

_RESOURCE = " on resource: "
_LONGEST = 2048
"""Characters of a message that are read after the resource's beginning; an ARN has fewer."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a refused call was about, as far as its message says."""

    arn: str = ""
    user: str = ""
    group: str = ""
    policy: str = ""
    """By ARN."""
    account: str = ""
    """A member of the organisation."""


def is_refused(record: Record) -> bool:
    """Whether the event came to nothing. Sign-ins that fail and accounts that are not made have no error code."""
    return (
        record.refused
        or text_in(record.response, record.name) == "Failure"
        or text_in(mapping_in(record.details, "createAccountStatus"), "state") == "FAILED"
    )


def target_of(message: str) -> Target:
    """What a message of this kind names; nothing where it names nothing, or nothing of interest."""
    words = message.partition(_RESOURCE)[2][:_LONGEST].split(None, 2)
    arn = next((word for word in words[:2] if word.startswith("arn:")), "")
    if not arn:
        return _by_name(words)
    entity = entity_of(arn)
    if entity is None:
        return Target(arn=arn, account=_member(arn))
    _, kind, name = entity
    return Target(
        arn=arn,
        user=name if kind == "user" else "",
        group=name if kind == "group" else "",
        policy=arn if kind == "policy" else "",
    )


def _by_name(words: list[str]) -> Target:
    kind, name = [*words, "", ""][:2]
    if not is_name(name):
        return Target()
    return Target(user=name if kind == "user" else "", group=name if kind == "group" else "")


def _member(arn: str) -> str:
    """The account in arn:aws:organizations::111122223333:account/o-a1b2c3d4e5/444455556666."""
    segments = arn.split(":", 5)
    kind, *names = segments[-1].split("/")
    found = segments[2:3] == ["organizations"] and kind == "account" and len(names) == 2
    return names[1] if found and is_account(names[1]) else ""
