"""What users prove themselves with, made in an account of the emulator as another account's answers tell it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import boto3

from chalicelib.iam.exports import Exports
from chalicelib.local.emulator.facts import report_rows

_PASSWORD = "Made-up-for-the-emulator-1"  # noqa: S105
_CODES = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
_UNKNOWN = {"", "N/A", "no_information", "not_supported"}


class Credentials:
    """Makes passwords, access keys, MFA devices, SSH keys and Git credentials."""

    def __init__(self, iam: Any, exports: Exports) -> None:
        self._iam = iam
        self._report = report_rows(exports.credential_report)
        virtual: Any = exports.virtual_mfa_devices or {}
        self._virtual: list[dict[str, Any]] = virtual.get("VirtualMFADevices", [])
        self._devices: Any = exports.mfa_devices or {}
        self._ssh: Any = exports.ssh_public_keys or {}
        self._git = _by_user(exports.service_credentials)
        self._session = boto3.Session()

    def fill(self, users: Iterable[str]) -> None:
        """Make those of the users, and the virtual devices that nobody has."""
        devices = self._virtual_devices()
        for user in users:
            row = self._report.get(user, {})
            if row.get("password_enabled") == "true":
                self._iam.create_login_profile(UserName=user, Password=_PASSWORD)
            for number in ("1", "2"):
                self._access_key(user, {name: row.get(f"access_key_{number}_{name}", "") for name in _OF_KEY})
            self._mfa(user, devices.get(user, []), row)
            self._ssh_keys(user)
            self._git_credentials(user)

    def _virtual_devices(self) -> dict[str, list[str]]:
        """Make the virtual devices; user → serial numbers."""
        found: dict[str, list[str]] = {}
        for device in self._virtual:
            *path, name = device["SerialNumber"].partition(":mfa/")[2].split("/")
            made = self._iam.create_virtual_mfa_device(
                Path="/".join(["", *path, ""]) if path else "/", VirtualMFADeviceName=name
            )
            if owner := (device.get("User") or {}).get("UserName"):
                found.setdefault(owner, []).append(made["VirtualMFADevice"]["SerialNumber"])
        return found

    def _mfa(self, user: str, virtual: list[str], row: Mapping[str, str]) -> None:
        listed = [device["SerialNumber"] for device in self._devices.get(user, {}).get("MFADevices", [])]
        serials = list(dict.fromkeys([*virtual, *listed]))
        if not serials and user not in self._devices and row.get("mfa_active") == "true":
            serials = [_made_up(user, "device")[:8].hex().upper()]  # only the report tells of it
        for serial in serials:
            self._iam.enable_mfa_device(UserName=user, SerialNumber=serial, **_CODES)

    def _access_key(self, user: str, told: Mapping[str, str]) -> None:
        active = told["active"] == "true"
        if not active and told["last_rotated"] in _UNKNOWN:
            return
        key = self._iam.create_access_key(UserName=user)["AccessKey"]
        if told["last_used_date"] not in _UNKNOWN:
            self._use(key, told["last_used_region"])
        if not active:
            self._iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Inactive")

    def _use(self, key: Mapping[str, str], region: str) -> None:
        """Make a call with the key, for AWS to note."""
        client: Any = self._session.client(
            "sts",
            region_name="us-east-1" if region in _UNKNOWN else region,
            endpoint_url=self._iam.meta.endpoint_url,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )
        client.get_caller_identity()

    def _ssh_keys(self, user: str) -> None:
        for told in self._ssh.get(user, {}).get("SSHPublicKeys", []):
            body = _ssh_key(user, told["SSHPublicKeyId"])
            made = self._iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=body)["SSHPublicKey"]
            if told["Status"] != made["Status"]:
                named = {"UserName": user, "SSHPublicKeyId": made["SSHPublicKeyId"]}
                self._iam.update_ssh_public_key(**named, Status=told["Status"])

    def _git_credentials(self, user: str) -> None:
        for told in self._git.get(user, []):
            answer = self._iam.create_service_specific_credential(UserName=user, ServiceName=told["ServiceName"])
            made = answer["ServiceSpecificCredential"]
            if told["Status"] != made["Status"]:
                named = {"UserName": user, "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
                self._iam.update_service_specific_credential(**named, Status=told["Status"])


_OF_KEY = ("active", "last_rotated", "last_used_date", "last_used_region")


def _by_user(answer: Any) -> dict[str, list[dict[str, Any]]]:
    """User → service-specific credentials, from the one answer for all users or from one for each."""
    told = answer or {}
    found: dict[str, list[dict[str, Any]]] = {}
    lists = [told] if isinstance(told.get("ServiceSpecificCredentials"), list) else told.values()
    for one in lists:
        for credential in one["ServiceSpecificCredentials"]:
            found.setdefault(credential["UserName"], []).append(credential)
    return found


def _ssh_key(user: str, name: str) -> str:
    """The public half of an RSA key of 2048 bits that nobody has the other half of: it is as long as one, and odd."""
    modulus = bytearray(_made_up(user, name))
    modulus[0] |= 0x80
    modulus[-1] |= 1
    parts = (b"ssh-rsa", b"\x01\x00\x01", b"\x00" + bytes(modulus))
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return f"ssh-rsa {base64.b64encode(blob).decode()} {user}"


def _made_up(*words: str) -> bytes:
    """256 bytes that are the same for the same words."""
    return hashlib.shake_256("\0".join(words).encode()).digest(256)
