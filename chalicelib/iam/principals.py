"""Who makes a request, and whom a Principal or NotPrincipal element names.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "... NotPrincipal".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache

_ARN = re.compile(
    r"arn:(?P<partition>[\w-]+):(?P<service>iam|sts)::(?P<account>\d{12}):(?P<rest>.+)", re.DOTALL | re.ASCII
)
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


class PrincipalKind(StrEnum):
    """What kind of identity a principal is."""

    ROOT = "root"
    USER = "user"
    ROLE = "role"
    ROLE_SESSION = "assumed-role"
    FEDERATED_USER = "federated-user"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity behind a request. `name` is without path; `account` is empty for a service."""

    arn: str
    kind: PrincipalKind
    account: str
    name: str

    @property
    def role_name(self) -> str:
        """The role behind a role or its session, without path; empty for anything else."""
        if self.kind is PrincipalKind.ROLE:
            return self.name
        return self.name.partition("/")[0] if self.kind is PrincipalKind.ROLE_SESSION else ""


@lru_cache(maxsize=16_384)
def parse_principal(text: str) -> Principal:
    """The principal of an ARN, or of a service name such as `codecommit.amazonaws.com`.

    Raises:
        ValueError: the text is neither.
    """
    if match := _ARN.fullmatch(text):
        kind, _, name = match["rest"].partition("/")
        if match["rest"] == "root":
            return Principal(text, PrincipalKind.ROOT, match["account"], "root")
        if name and kind in {"user", "role"} and match["service"] == "iam":
            return Principal(text, PrincipalKind(kind), match["account"], name.rpartition("/")[2])
        if name and kind in {"assumed-role", "federated-user"} and match["service"] == "sts":
            return Principal(text, PrincipalKind(kind), match["account"], name)
    elif re.fullmatch(r"[\w.-]+\.amazonaws\.com(\.cn)?", text, re.ASCII):
        return Principal(text, PrincipalKind.SERVICE, "", text)
    raise ValueError(f"{text[:200]!r} is no ARN of a root user, user, role or session, and no service")


class Naming(IntEnum):
    """How a Principal element names a principal, the weakest first."""

    NOT_AT_ALL = 0
    ACCOUNT = 1
    """Its account, which hands the question on to the account's own policies."""
    ROLE = 2
    """The role behind a session."""
    ANYONE = 3
    ITSELF = 4


class PrincipalPatterns:
    """The entries of a Principal or NotPrincipal element: `"*"`, or type → names."""

    __slots__ = ("_aws", "_service", "anyone", "entries")

    def __init__(self, entries: Mapping[str, Sequence[str]]) -> None:
        self.entries = {kind: tuple(names) for kind, names in entries.items()}
        self._aws = frozenset(self.entries.get("AWS", ()))
        self._service = frozenset(name.lower() for name in self.entries.get("Service", ()))
        self.anyone = "*" in self._aws

    def naming(self, principal: Principal) -> Naming:
        """How these entries name the principal, by the strongest of them."""
        if principal.kind is PrincipalKind.SERVICE:
            return Naming.ITSELF if principal.arn.lower() in self._service else Naming.NOT_AT_ALL
        if principal.arn in self._aws:
            return Naming.ITSELF
        if self.anyone:
            return Naming.ANYONE
        if principal.kind is PrincipalKind.ROLE_SESSION and any(
            self._is_role_of(entry, principal) for entry in self._aws
        ):
            return Naming.ROLE
        return (
            Naming.ACCOUNT if any(account_of(entry) == principal.account for entry in self._aws) else Naming.NOT_AT_ALL
        )

    @staticmethod
    def _is_role_of(entry: str, session: Principal) -> bool:
        match = _ARN.fullmatch(entry)
        if not match or match["account"] != session.account or not match["rest"].startswith("role/"):
            return False
        # A session's ARN has lost its role's path; role names are unique in an account, whatever the path.
        return match["rest"].rpartition("/")[2] == session.role_name


@lru_cache(maxsize=16_384)
def account_of(entry: str) -> str | None:
    """The account that an entry names as a whole (12 digits or its root ARN), or None."""
    if _ACCOUNT.fullmatch(entry):
        return entry
    match = _ARN.fullmatch(entry)
    return match["account"] if match and match["rest"] == "root" and match["service"] == "iam" else None
