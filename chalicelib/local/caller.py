"""Who calls AWS, and with what: the userIdentity of CloudTrail's records, for each kind of credential.

Source: AWS CloudTrail User Guide, "CloudTrail userIdentity element".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ADDRESS = "203.0.113.10"
AGENT = "aws-cli/2.31.1 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 lang/python#3.13.7"


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal with one credential. Those of the functions below are like AWS's."""

    arn: str
    kind: str
    """The `type` of the userIdentity."""
    principal_id: str
    access_key_id: str = ""
    mfa: bool | None = None
    """Whether the session was made with MFA; None where there is no session, but a key that lasts."""
    address: str = ADDRESS
    agent: str = AGENT

    @property
    def account(self) -> str:
        """The account that the principal belongs to."""
        return self.arn.split(":")[4]

    @property
    def name(self) -> str:
        """The name of a user; of others the last part of the ARN."""
        return self.arn.rpartition("/")[2]

    def identity(self, now: datetime) -> dict[str, Any]:
        """The userIdentity of what is called now."""
        found: dict[str, Any] = {
            "type": self.kind,
            "principalId": self.principal_id,
            "arn": self.arn,
            "accountId": self.account,
        }
        if self.access_key_id:
            found["accessKeyId"] = self.access_key_id
        if self.kind == "IAMUser":
            found["userName"] = self.name
        if self.mfa is not None:
            found["sessionContext"] = {
                "sessionIssuer": self._issuer(),
                "webIdFederationData": {},
                "attributes": {
                    "creationDate": f"{now:%Y-%m-%dT%H:00:00Z}",
                    # A text, and not a boolean.
                    "mfaAuthenticated": "true" if self.mfa else "false",
                },
            }
        return found

    def _issuer(self) -> dict[str, str]:
        if self.kind != "AssumedRole":
            return {}
        role = self.arn.split("/")[1]
        return {
            "type": "Role",
            "principalId": self.principal_id.partition(":")[0],
            "arn": f"arn:aws:iam::{self.account}:role/{role}",
            "accountId": self.account,
            "userName": role,
        }


def key_of(account: str, user: str) -> Caller:
    """A user with an access key, which knows nothing of MFA."""
    return Caller(_user(account, user), "IAMUser", _id("AIDA", account, user), _id("AKIA", account, user))


def session_of_user(account: str, user: str, *, mfa: bool) -> Caller:
    """A user in a session of the console, or of GetSessionToken."""
    return Caller(_user(account, user), "IAMUser", _id("AIDA", account, user), _id("ASIA", account, user), mfa)


def git_credential_of(account: str, user: str) -> Caller:
    """A user with an SSH key, or with a user name and password for Git: neither is named in a record."""
    return Caller(_user(account, user), "IAMUser", _id("AIDA", account, user))


def session_of_role(account: str, role: str, session: str) -> Caller:
    """A session of a role. Whether MFA was used in assuming it is not in what the session does."""
    arn = f"arn:aws:sts::{account}:assumed-role/{role}/{session}"
    return Caller(arn, "AssumedRole", f"{_id('AROA', account, role)}:{session}", _id("ASIA", account, role), mfa=False)


def root_of(account: str, *, mfa: bool) -> Caller:
    """The root user in the console."""
    return Caller(f"arn:aws:iam::{account}:root", "Root", account, _id("ASIA", account, ""), mfa)


def _user(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:user/{name}"


def _id(prefix: str, account: str, name: str) -> str:
    """An id such as AWS gives, the same for the same name."""
    return prefix + hashlib.sha256(f"{account}/{name}".encode()).hexdigest()[:16].upper()
