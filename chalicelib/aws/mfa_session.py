"""Sessions that MFA was given for, by sts:GetSessionToken and the long-term keys of an IAM user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chalicelib.analysis.git_with_mfa import FIDO
from chalicelib.aws.errors import ERRORS, code_of, reason_of

NO_FIDO = (
    "passkeys and security keys (FIDO) give no codes, and GetSessionToken takes nothing else: enrol an authenticator "
    "app beside it, or sign in with `aws login`"
)


class SessionError(ValueError):
    """There is no session, and why, in a line that holds no secret."""


@dataclass(frozen=True, slots=True)
class Session:
    """Credentials of a session. Nothing shows the secret ones."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    token: str = field(repr=False)
    expires: datetime


def serial_of(sts: Any, iam: Any) -> str:
    """The serial number of the only device of whom the clients' keys belong to that gives codes.

    Raises:
        SessionError: there is none, or more than one, or nobody may say.
    """
    try:
        arn = str(sts.get_caller_identity()["Arn"])
        if ":user/" not in arn:
            raise SessionError(f"{arn} is no IAM user: sessions are made with a user's access key")
        name = arn.rpartition("/")[2]
        devices = [str(one["SerialNumber"]) for one in iam.list_mfa_devices(UserName=name)["MFADevices"]]
    except SessionError:
        raise
    except ERRORS as error:
        told = f"not known which MFA device it is ({reason_of(error)})"
        raise SessionError(f"{told}: give --serial, or set mfa_serial in the profile") from None
    return _only(name, devices)


def _only(name: str, devices: Sequence[str]) -> str:
    giving = [serial for serial in devices if FIDO not in serial]
    if not devices:
        raise SessionError(f"user {name} has no MFA device")
    if not giving:
        raise SessionError(f"all MFA devices of user {name} are FIDO: {NO_FIDO}")
    if len(giving) > 1:
        raise SessionError(f"user {name} has {len(giving)} MFA devices: choose by --serial {' or '.join(giving)}")
    return giving[0]


def make_session(sts: Any, serial: str, code: str, seconds: int) -> Session:
    """A session of that length by a code of the device.

    Raises:
        SessionError: AWS refuses it.
    """
    try:
        answer = sts.get_session_token(SerialNumber=serial, TokenCode=code, DurationSeconds=seconds)
        return _session(answer["Credentials"])
    except ERRORS as error:
        again = "; a code is taken once, and for a minute at most" if code_of(error) == "AccessDenied" else ""
        raise SessionError(f"{reason_of(error)}{again}") from None


def _session(found: Mapping[str, Any]) -> Session:
    return Session(
        access_key_id=str(found["AccessKeyId"]),
        secret_access_key=str(found["SecretAccessKey"]),
        token=str(found["SessionToken"]),
        expires=found["Expiration"].astimezone(UTC).replace(microsecond=0),
    )
