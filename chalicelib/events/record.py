"""A CloudTrail record: one call, as AWS recorded it. Pure.

Every field may be missing, null or of another type, and whoever made the call chose some of the texts. So reading never
raises: a text that is none is empty, an object that is none has nothing in it, and what cannot be known is not guessed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chalicelib.events.fields import account_in, entity_of, is_name, mapping_in, text_in

FAILURE = "Failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who called: the userIdentity of a record."""

    kind: str = ""
    """IAMUser, Root, AssumedRole, AWSService, AWSAccount, …; empty where the record does not say."""
    principal_id: str = ""
    arn: str = ""
    account: str = ""
    user_name: str = ""
    """Of an IAM user; empty for anybody else, and where the name is hidden."""
    alias: str = ""
    """What the record calls the root user, where it calls it anything: the alias of the account."""
    access_key_id: str = ""
    issuer_arn: str = ""
    """The role that a session is of."""
    mfa: str = ""
    """`true` or `false` as the session was made; empty where the record does not say, as for every long-term key."""
    has_session: bool = False
    """Whether the call was made in a session: the record has its attributes."""
    address: str = ""
    agent: str = ""
    invoked_by: str = ""

    @property
    def is_root(self) -> bool:
        """Whether it is the account's root user."""
        return self.kind == "Root"

    @property
    def name(self) -> str:
        """The best that the record says of who it was."""
        return (
            self.arn
            or self.user_name
            or self.issuer_arn
            or self.invoked_by
            or self.principal_id
            or self.account
            or self.kind
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record. Accounts are of 12 digits, or empty."""

    source: str
    """The service: iam.amazonaws.com."""
    name: str
    """The call, or what happened: DetachUserPolicy."""
    event_id: str = ""
    shared_event_id: str = ""
    """Joins the copies of one event that the caller's account and the resource's account have."""
    digest: str = ""
    """Of the whole record, where it has no id at all."""
    at: datetime | None = None
    region: str = ""
    account: str = ""
    """Whose CloudTrail recorded it."""
    actor: Actor = Actor()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Empty for most calls that were denied: AWS leaves the parameters out."""
    response: Mapping[str, Any] = field(default_factory=dict)
    additional: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    """What a service says of an event that is no call: serviceEventDetails."""
    resources: tuple[Mapping[str, Any], ...] = ()
    read_only: bool | None = None
    error_code: str = ""
    error_message: str = ""

    @property
    def identity(self) -> str:
        """The same for all copies of one event, and for no other event."""
        return self.shared_event_id or self.event_id or self.digest

    @property
    def action(self) -> str:
        """The call as IAM writes actions: iam:DetachUserPolicy."""
        return f"{self.source.partition('.')[0]}:{self.name}"

    @property
    def refused(self) -> bool:
        """Whether AWS answered with an error: nothing was changed."""
        return self.error_code != ""


def is_record(value: object) -> bool:
    """Whether it is a record: an object that names a service and an event."""
    return isinstance(value, Mapping) and bool(text_in(value, "eventSource") and text_in(value, "eventName"))


def parse_record(value: object) -> Record | None:
    """The record by its JSON value; None where it is none."""
    if not isinstance(value, Mapping):
        return None
    source, name = text_in(value, "eventSource"), text_in(value, "eventName")
    if not source or not name:
        return None
    event_id, shared = text_in(value, "eventID"), text_in(value, "sharedEventID")
    actor = _actor(value)
    resources, read_only = value.get("resources"), value.get("readOnly")
    return Record(
        source=source,
        name=name,
        event_id=event_id,
        shared_event_id=shared,
        digest="" if event_id or shared else _digest(value),
        at=_moment(text_in(value, "eventTime") or text_in(value, "@timestamp")),
        region=text_in(value, "awsRegion"),
        account=account_in(value, "recipientAccountId") or actor.account,
        actor=actor,
        parameters=mapping_in(value, "requestParameters"),
        response=mapping_in(value, "responseElements"),
        additional=mapping_in(value, "additionalEventData"),
        details=mapping_in(value, "serviceEventDetails"),
        resources=tuple(item for item in resources if isinstance(item, Mapping)) if isinstance(resources, list) else (),
        read_only=read_only if isinstance(read_only, bool) else None,
        error_code=text_in(value, "errorCode"),
        error_message=text_in(value, "errorMessage"),
    )


def _actor(value: Mapping[str, Any]) -> Actor:
    identity = mapping_in(value, "userIdentity")
    session = mapping_in(identity, "sessionContext")
    attributes = session.get("attributes")
    has_session = isinstance(attributes, Mapping) and len(attributes) > 0
    kind, arn, called = text_in(identity, "type"), text_in(identity, "arn"), text_in(identity, "userName")
    return Actor(
        kind=kind,
        principal_id=text_in(identity, "principalId"),
        arn=arn,
        account=account_in(identity, "accountId"),
        user_name=_user_name(kind, arn, called),
        alias=called if kind == "Root" else "",
        access_key_id=text_in(identity, "accessKeyId"),
        issuer_arn=text_in(mapping_in(session, "sessionIssuer"), "arn"),
        mfa=_truth(attributes.get("mfaAuthenticated")) if isinstance(attributes, Mapping) else "",
        has_session=has_session,
        address=text_in(value, "sourceIPAddress"),
        agent=text_in(value, "userAgent"),
        invoked_by=text_in(identity, "invokedBy"),
    )


def _user_name(kind: str, arn: str, called: str) -> str:
    if kind not in ("IAMUser", ""):
        return ""
    if kind == "IAMUser" and is_name(called):
        return called
    found = entity_of(arn)
    return found[2] if found and found[1] == "user" else ""


def _truth(value: object) -> str:
    """A truth, which CloudTrail writes as a text and what others made of its records may hold as a truth."""
    text = value if isinstance(value, str) else str(value) if isinstance(value, bool) else ""
    return text.lower() if text.lower() in ("true", "false") else ""


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _digest(value: Mapping[str, Any]) -> str:
    try:
        text = json.dumps(value, sort_keys=True)
    except (RecursionError, TypeError, ValueError):  # too deep, no JSON, a number of thousands of digits
        names = ("eventSource", "eventName", "eventTime", "@timestamp", "requestID", "sourceIPAddress")
        text = json.dumps([text_in(value, name) for name in names])
    return hashlib.sha256(text.encode()).hexdigest()
