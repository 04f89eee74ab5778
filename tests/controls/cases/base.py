"""What a case is, and the policies and people that the tables have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.config import Settings
from tests.accounts.build import ADMIN, ENROLMENT, WITHOUT_MFA, Json, Person, deny_all_but, document

MFA = "aws:MultiFactorAuthPresent"
NO_KEYS = ("false", "false")
NO_MFA: dict[str, Any] = {"mfa": "false", "virtual": False, "devices": 0}
BOOL = {"Bool": {MFA: "false"}}
NULL = {"Null": {MFA: "true"}}

CONSOLE: dict[str, Any] = {"password": "true", "keys": NO_KEYS}
SSH: dict[str, Any] = {"keys": NO_KEYS, "ssh_keys": ["Active"]}
HTTPS: dict[str, Any] = {"keys": NO_KEYS, "git_credentials": ["Active"]}
NOTHING: dict[str, Any] = {"keys": NO_KEYS, "ssh_keys": ["Inactive"], "git_credentials": ["Inactive"]}


@dataclass(frozen=True)
class Case:
    """An account, and what one control says of alice or, where `about_root`, of the root user.

    Without a severity the control must be silent; `told` are pieces of the evidence.
    """

    control: str
    name: str
    person: Person = field(default_factory=Person)
    severity: str | None = None
    uncertain: bool = False
    told: Json = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    about_root: bool = False
    """Whether the root user is the subject."""
    settings: Settings = field(default_factory=Settings)
    resource: str = ""
    """The ARN of the subject, where it is neither alice nor the root user."""
    records: Sequence[Json] | None = None
    """What CloudTrail recorded; None where nobody looked."""


def guard(*but: str, when: Mapping[str, Any] | None = None, **more: Any) -> Json:
    """The deny that does what it should, with further exempted actions and further conditions."""
    return document(deny_all_but(*ENROLMENT, *but, when={**WITHOUT_MFA, **(when or {})}, **more))


def admin(*policies: Json, **traits: Any) -> Person:
    """Alice, to whom everything is allowed, with these policies beside."""
    return Person(inline=[ADMIN, *policies], **traits)
