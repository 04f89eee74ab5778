"""The way into accounts: the auditor's own by its own credentials, a member by the read-only role that it offers.

Source: IAM User Guide, "Access to AWS accounts owned by third parties" (external ids); STS API reference, AssumeRole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of, reason_of
from chalicelib.ports import AccountClosed, SnapshotReader

SECONDS = 3600
"""How long a session lasts: the most that a role which takes on another role is given."""
_CLOSED = frozenset({"AccessDenied", "AccessDeniedException", "RegionDisabledException", "ValidationError"})
"""Refusals that stay the same when asked again."""
_OTHER = re.compile(r"[^A-Za-z0-9=,.@-]")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A session in a member account."""

    access_key_id: str
    secret_access_key: str
    session_token: str

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id})"

    def for_client(self) -> dict[str, str]:
        """As boto3 takes them for a client."""
        return {
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "aws_session_token": self.session_token,
        }


Opener = Callable[[Credentials | None], SnapshotReader]
"""Credentials for an account (None for the auditor's own) → a reader of it."""


@dataclass(frozen=True)
class MemberAccounts:
    """Leads into accounts, as `Accounts` says, through an STS client.

    `role` is the name of the role in members; `external_id` is asked for when the first member is. `session` names the
    sessions, so that a member's CloudTrail tells which run it was.
    """

    sts: Any
    own: str
    partition: str
    role: str
    external_id: Callable[[], str]
    session: str
    open: Opener

    def reader_of(self, account: str) -> SnapshotReader:
        """See `Accounts`.

        Raises:
            AccountClosed: the role is missing or does not trust the auditor.
            botocore.exceptions.ClientError: STS did not answer for now.
        """
        if account == self.own:
            return self.open(None)
        arn = f"arn:{self.partition}:iam::{account}:role/{self.role}"
        try:
            answer = self.sts.assume_role(
                RoleArn=arn,
                RoleSessionName=_OTHER.sub("-", f"mfawatch-{self.session}")[:64],
                ExternalId=self.external_id(),
                DurationSeconds=SECONDS,
            )
        except ClientError as error:
            if code_of(error) in _CLOSED:
                raise AccountClosed(f"{arn} cannot be assumed: {reason_of(error)}") from None
            raise
        found = answer["Credentials"]
        return self.open(Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]))
