"""What Slack says that a member of the workspace did: pressed a button, or submitted a form. Pure.

Source: Slack's developer documentation, "block_actions payload" and "view_submission payload".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from chalicelib.iam.documents import JsonError, parse_object
from chalicelib.notify.buttons import ACCEPT_FINDING, APPROVE_RUN, DECLINE_RUN
from chalicelib.report.text import clean

LONGEST_NAME = 80

_OURS = frozenset({APPROVE_RUN, DECLINE_RUN, ACCEPT_FINDING})
"""The ids of the buttons."""

_VALUE = re.compile(r"([0-9]{12})/([A-Za-z0-9._-]{1,64})")
_MEMBER = re.compile(r"[UW][A-Z0-9]{2,30}")
_TRIGGER = re.compile(r"[!-~]{1,200}")


class PayloadError(ValueError):
    """The body is nothing that Slack says; the text says why."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the workspace."""

    id: str
    name: str = ""
    """As they call themselves: others may call themselves so too."""

    def __str__(self) -> str:
        """The id, and the name for whoever reads it."""
        return f"{self.id} ({self.name})" if self.name else self.id


@dataclass(frozen=True, slots=True)
class Subject:
    """What a button or a form is about: something of an account."""

    account: str
    name: str
    """The id of a run, or the fingerprint of a finding."""

    def __str__(self) -> str:
        """It as the value of a button."""
        return f"{self.account}/{self.name}"


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button."""

    action: str
    subject: Subject
    member: Member
    response_url: str = field(default="", repr=False)
    """Where they can be told something about it."""
    trigger: str = field(default="", repr=False)
    """What a form can be opened for, within three seconds."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Somebody submitted the form."""

    form: str
    subject: Subject
    member: Member
    values: Mapping[str, Any] = field(default_factory=dict)
    """Id of an input → what they put into it."""


def parse_payload(body: bytes) -> Press | Submission | None:
    """What somebody did; None for what is none of ours, such as a link that was followed.

    Raises:
        PayloadError: the body is no payload.
    """
    try:
        fields = parse_qs(body.decode(), strict_parsing=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise PayloadError("is no form") from None
    [payload] = found if len(found := fields.get("payload", [])) == 1 else [None]
    if payload is None:
        raise PayloadError("has no payload, or more than one")
    try:
        value = parse_object(payload)
    except JsonError as error:
        raise PayloadError(f"has a payload that {error}") from None
    try:
        return _parsed(value)
    except (KeyError, TypeError, IndexError, AttributeError):
        raise PayloadError("has a payload that lacks what Slack says") from None


def _parsed(value: Mapping[str, Any]) -> Press | Submission | None:
    match value["type"]:
        case "block_actions":
            action = value["actions"][0]
            if action["action_id"] not in _OURS:
                return None
            trigger, url = value.get("trigger_id"), value.get("response_url")
            return Press(
                action=action["action_id"],
                subject=_subject(action["value"]),
                member=_member(value["user"]),
                response_url=url if isinstance(url, str) else "",
                trigger=trigger if isinstance(trigger, str) and _TRIGGER.fullmatch(trigger) else "",
            )
        case "view_submission":
            view = value["view"]
            if view["callback_id"] != ACCEPT_FINDING:
                return None
            inputs = [one for block in view["state"]["values"].values() for one in block.items()]
            values = {name: one.get("selected_date", one.get("value")) for name, one in inputs}
            return Submission(ACCEPT_FINDING, _subject(view["private_metadata"]), _member(value["user"]), values)
        case str():
            return None
    raise PayloadError("has a payload of no type")


def _subject(value: Any) -> Subject:
    found = _VALUE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise PayloadError("has a payload about nothing that is known")
    return Subject(found[1], found[2])


def _member(value: Mapping[str, Any]) -> Member:
    id_, name = value["id"], value.get("username") or value.get("name") or ""
    if not isinstance(id_, str) or not _MEMBER.fullmatch(id_):
        raise PayloadError("has a payload of nobody")
    return Member(id_, clean(name, most=LONGEST_NAME) if isinstance(name, str) else "")
