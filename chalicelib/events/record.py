"""One CloudTrail record, as far as it is used. Pure, and lenient: whatever a record holds, nothing raises."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who made the call. Texts are empty where the record does not say."""

    kind: str
    arn: str
    account: str
    user_name: str
    access_key_id: str
    issuer_arn: str
    mfa: str
    has_session: bool
    address: str
    agent: str
    invoked_by: str

    @property
    def name(self) -> str:
        """The best to show."""
        return self.arn or self.user_name or self.invoked_by or self.account or self.kind


@dataclass(frozen=True, slots=True)
class Record:
    """One record."""

    event_id: str
    shared_event_id: str
    source: str
    name: str
    at: datetime | None
    region: str
    account: str
    actor: Actor
    parameters: Mapping[str, Any]
    response: Mapping[str, Any]
    additional: Mapping[str, Any]
    resources: tuple[Mapping[str, Any], ...]
    read_only: bool | None
    error_code: str
    error_message: str
    fallback: str = ""

    @property
    def identity(self) -> str:
        """Names the event."""
        return self.shared_event_id or self.event_id or self.fallback

    @property
    def action(self) -> str:
        """As IAM writes actions."""
        return f"{self.source.partition('.')[0]}:{self.name}"

    @property
    def refused(self) -> bool:
        """Whether AWS said no."""
        return bool(self.error_code)


def parse_record(value: object) -> Record | None:
    """The record; None where it is none."""
    fields = _mapping(value)
    source, name = _text(fields.get("eventSource")), _text(fields.get("eventName"))
    if not source or not name:
        return None
    identity = _mapping(fields.get("userIdentity"))
    session = _mapping(identity.get("sessionContext"))
    attributes = _mapping(session.get("attributes"))
    kind, account = _text(identity.get("type")), _text(identity.get("accountId"))
    accounts = (_text(fields.get("recipientAccountId")), account)
    resources, read_only = fields.get("resources"), fields.get("readOnly")
    actor = Actor(
        kind=kind,
        arn=_text(identity.get("arn")),
        account=account,
        user_name=_text(identity.get("userName")) if kind == "IAMUser" else "",
        access_key_id=_text(identity.get("accessKeyId")),
        issuer_arn=_text(_mapping(session.get("sessionIssuer")).get("arn")),
        mfa=_text(attributes.get("mfaAuthenticated")),
        has_session=bool(attributes),
        address=_text(fields.get("sourceIPAddress")),
        agent=_text(fields.get("userAgent")),
        invoked_by=_text(identity.get("invokedBy")),
    )
    return Record(
        event_id=_text(fields.get("eventID")),
        shared_event_id=_text(fields.get("sharedEventID")),
        source=source,
        name=name,
        at=_moment(fields.get("eventTime")),
        region=_text(fields.get("awsRegion")),
        account=next((one for one in accounts if _ACCOUNT.fullmatch(one)), ""),
        actor=actor,
        parameters=_mapping(fields.get("requestParameters")),
        response=_mapping(fields.get("responseElements")),
        additional=_mapping(fields.get("additionalEventData")),
        resources=tuple(map(_mapping, resources)) if isinstance(resources, list) else (),
        read_only=read_only if isinstance(read_only, bool) else None,
        error_code=_text(fields.get("errorCode")),
        error_message=_text(fields.get("errorMessage")),
        fallback=hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode()).hexdigest(),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(_text(value))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
