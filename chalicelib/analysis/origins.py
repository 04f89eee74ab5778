"""How a request is made without MFA: by the user directly, or by a service that acts on with the user's identity.

Sources: IAM User Guide, "AWS global condition context keys", aws:MultiFactorAuthPresent and "Forward access sessions";
KMS Developer Guide, kms:ViaService. Whether a service names itself in aws:CalledVia is documented for a few alone: both
are tried.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.iam.actions import catalogue
from chalicelib.iam.conditions import Condition
from chalicelib.iam.patterns import Context
from chalicelib.iam.request import MfaState

VIA_AWS = "aws:viaawsservice"
VIA_SERVICE = "kms:viaservice"
CALLED_VIA = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
ANY_SERVICE = "*"
GIT_SERVICE = "codecommit"


@dataclass(frozen=True, slots=True)
class Origin:
    """The MFA state of a request and the service that makes it; "" where the user does, `ANY_SERVICE` for some one."""

    mfa: MfaState
    via: str = ""

    @property
    def words(self) -> str:
        """The origin, for a reader."""
        if not self.via:
            return "a long-term credential" if self.mfa is MfaState.ABSENT else "a session without MFA"
        return "a service acting for the user" if self.via == ANY_SERVICE else f"{self.via} acting for the user"

    def forced(self, region: str) -> Mapping[str, Sequence[str | None]]:
        """The keys whose values the origin settles, for a request in that region: what each can be."""
        if not self.via:
            return {VIA_AWS: ("false",), VIA_SERVICE: (None,), **dict.fromkeys(CALLED_VIA, (None,))}
        if self.via == ANY_SERVICE:
            return {VIA_AWS: ("true",), VIA_SERVICE: (None,)}
        host = f"{self.via}.amazonaws.com"
        return {
            VIA_AWS: ("true",),
            VIA_SERVICE: (f"{self.via}.{region}.amazonaws.com",),
            **dict.fromkeys(CALLED_VIA, (None, host)),
        }

    def settled(self, region: str = "") -> dict[str, str | None]:
        """Those of the keys that can be one thing alone; None for one that is absent.

        Without a region those are left out that hold it.
        """
        found = {key: values[0] for key, values in self.forced(region).items() if len(values) == 1}
        if self.via not in ("", ANY_SERVICE) and not region:
            del found[VIA_SERVICE]
        return found

    def carried(self, region: str, *, kms: bool) -> dict[str, str]:
        """The keys that every request of the origin carries beside MFA's."""
        if not self.via:
            return {VIA_AWS: "false"}
        named = kms and self.via != ANY_SERVICE
        return {VIA_AWS: "true"} | ({VIA_SERVICE: f"{self.via}.{region}.amazonaws.com"} if named else {})


ABSENT, FALSE = Origin(MfaState.ABSENT), Origin(MfaState.FALSE)
DIRECT = (ABSENT, FALSE)
FORWARDED = Origin(MfaState.FALSE, ANY_SERVICE)
SERVICES = Origin(MfaState.FALSE, "each service")
"""Stands for each service that the policies tell apart."""
GIT = Origin(MfaState.FALSE, GIT_SERVICE)

_COMMON = ("s3", "ec2", "secretsmanager", "ssm", "lambda", "sqs", "dynamodb", "rds", "logs", "sns")
"""Services that use a caller's keys on the caller's behalf; they speak for the others."""


@lru_cache(maxsize=16_384)
def services_of_region(conditions: tuple[Condition, ...], region: str) -> tuple[object, ...]:
    """What conditions on kms:ViaService make of the services of a region."""
    if not conditions:
        return ()
    contexts: list[Context] = [
        {VIA_SERVICE: f"{service}.{region}.amazonaws.com"}
        for service in (GIT_SERVICE, *_COMMON, *_named_in(conditions))
    ]
    return tuple(condition.readings(context) for condition in conditions for context in contexts)


@lru_cache(maxsize=4096)
def _named_in(conditions: tuple[Condition, ...]) -> tuple[str, ...]:
    """The services that the conditions' values begin to name, before a wildcard or a dot."""
    starts = {
        re.split(r"[.*?$]", value.lower(), maxsplit=1)[0] for condition in conditions for value in condition.values
    }
    return tuple(service for service in catalogue().services() if service.startswith(tuple(starts - {""})))


@lru_cache(maxsize=4096)
def services_apart(conditions: tuple[Condition, ...], regions: Sequence[str]) -> tuple[Origin, ...]:
    """CodeCommit, and of the other services one for each way in which conditions on what calls KMS tell them apart.

    `conditions` are those on kms:ViaService and aws:CalledVia that policies make of a request to KMS.
    """
    if not conditions:
        return GIT, Origin(MfaState.FALSE, _COMMON[0])
    found: dict[object, Origin] = {}
    for service in dict.fromkeys((*_COMMON, *catalogue().services())):
        contexts: list[Context] = [
            {VIA_SERVICE: f"{service}.{region}.amazonaws.com", "aws:calledvia": (f"{service}.amazonaws.com",)}
            for region in regions
        ]
        answers = tuple(condition.readings(context) for condition in conditions for context in contexts)
        if service != GIT_SERVICE:
            found.setdefault(answers, Origin(MfaState.FALSE, service))
    return (GIT, *found.values())
