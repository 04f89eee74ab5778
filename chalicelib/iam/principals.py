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


ISSUERS = {PrincipalKind.ROLE_SESSION: "role", PrincipalKind.FEDERATED_USER: "user"}
"""Kinds of session, and what kind of identity is behind each."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity behind a request. `name` is without path; `account` is empty for a service."""

    arn: str
    kind: PrincipalKind
    account: str
    name: str

    @property
    def partition(self) -> str:
        """The partition in the ARN; `aws` for a service."""
        return self.arn.split(":")[1] if self.arn.startswith("arn:") else "aws"


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
    ISSUER = 2
    """The role or the user behind a session."""
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
            # A star is for services too: control policies on resources are written so, and topics that S3 writes to.
            by_star = Naming.ANYONE if self.anyone else Naming.NOT_AT_ALL
            return Naming.ITSELF if principal.arn.lower() in self._service else by_star
        if principal.arn in self._aws:
            return Naming.ITSELF
        if self.anyone:
            return Naming.ANYONE
        if principal.kind in ISSUERS and any(self._is_issuer_of(entry, principal) for entry in self._aws):
            return Naming.ISSUER
        return Naming.ACCOUNT if self.names_account(principal) else Naming.NOT_AT_ALL

    def names_account(self, principal: Principal) -> bool:
        """Whether an entry names the principal's account as a whole."""
        return any(account_of(entry) == principal.account for entry in self._aws)

    @staticmethod
    def _is_issuer_of(entry: str, session: Principal) -> bool:
        match = _ARN.fullmatch(entry)
        if not match or match["account"] != session.account:
            return False
        kind, _, name = match["rest"].partition("/")
        # A session's ARN has lost the path; names are unique in an account, whatever the path. The session of a
        # federated user bears a name of its caller's choice, by custom the user's.
        return kind == ISSUERS[session.kind] and name.rpartition("/")[2] == session.name.partition("/")[0]


@lru_cache(maxsize=16_384)
def account_of(entry: str) -> str | None:
    """The account that an entry names as a whole (12 digits or its root ARN), or None."""
    if _ACCOUNT.fullmatch(entry):
        return entry
    match = _ARN.fullmatch(entry)
    return match["account"] if match and match["rest"] == "root" and match["service"] == "iam" else None
