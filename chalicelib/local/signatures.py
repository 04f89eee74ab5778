"""Requests that are signed with AWS's Signature Version 4: who signed one, as API Gateway finds out.

The signature is made again, by botocore, out of what came, and compared. Source: IAM User Guide, "AWS Signature
Version 4 for API requests".
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SERVICE = "execute-api"
SKEW = timedelta(minutes=5)
"""By how much a client's clock may be wrong."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,"
    r" ?SignedHeaders=([!-+\--~]+?), ?Signature=([0-9a-f]{64})"
)
_MOMENT = re.compile(r"\d{8}T\d{6}Z")


class Unsigned(Exception):  # noqa: N818 - says what is the matter
    """Nobody known signed the request; the text is what API Gateway says."""


@dataclass(frozen=True, slots=True)
class Key:
    """A pair of credentials, and the ARN of whom it stands for. A new one is known to nobody else."""

    arn: str
    id: str = field(default_factory=lambda: "AKIA" + secrets.token_hex(8).upper())
    secret: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it came; header names in small letters."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


def signer_of(signed: Signed, keys: Sequence[Key], region: str, now: datetime) -> str:
    """The ARN of whoever signed a request.

    Raises:
        Unsigned: none of these keys did, or not for this, or not now.
    """
    given = signed.headers.get("authorization", "")
    if not given:
        raise Unsigned("Missing Authentication Token")
    found = _AUTHORIZATION.fullmatch(given)
    if not found:
        raise Unsigned("Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters.")
    id_, day, *scope, names, signature = found.groups()
    moment = _moment(signed.headers.get("x-amz-date", ""), now)
    if scope != [region, SERVICE] or moment[:8] != day:
        raise Unsigned("Credential should be scoped to a valid region, to the service and to the day.")
    key = next((one for one in keys if one.id == id_), None)
    if key is None:
        raise Unsigned("The security token included in the request is invalid.")
    headers = {name: signed.headers.get(name, "") for name in names.split(";")}
    if not {"host", "x-amz-date"} <= headers.keys() or not _is_of(signed):
        raise Unsigned(_MISMATCH)
    if not hmac.compare_digest(_signature(signed, key, region, headers, moment), signature):
        raise Unsigned(_MISMATCH)
    return key.arn


_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method."
)


def _moment(text: str, now: datetime) -> str:
    if not _MOMENT.fullmatch(text):
        raise Unsigned("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    try:
        made = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Unsigned(_MISMATCH) from None
    if abs(now - made) > SKEW:
        raise Unsigned(f"Signature not yet current or expired: it is of {text}")
    return text


def _is_of(signed: Signed) -> bool:
    """Whether the body is the one whose hash the client sent along, where it did."""
    told = signed.headers.get("x-amz-content-sha256")
    return told is None or told == hashlib.sha256(signed.body).hexdigest()


def _signature(signed: Signed, key: Key, region: str, headers: Mapping[str, str], moment: str) -> str:
    request = AWSRequest(signed.method, signed.url, headers=dict(headers), data=signed.body)
    request.context["timestamp"] = moment
    auth = SigV4Auth(Credentials(key.id, key.secret), SERVICE, region)
    return str(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))
