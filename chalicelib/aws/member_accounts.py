"""The way into accounts: the auditor's own by its own credentials, a member by the read-only role that it offers.

Source: IAM User Guide, "Access to AWS accounts owned by third parties" (external ids); STS API reference, AssumeRole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.aws.errors import ERRORS, code_of, reason_of
from chalicelib.ports import AccountClosed, SnapshotReader

SECONDS = 3600
"""How long a session lasts: the most that a role which takes on another role is given."""
_CLOSED = frozenset({"AccessDenied", "AccessDeniedException", "RegionDisabledException"})
"""Refusals that stay the same when asked again; what AWS says of them names the caller and the role."""
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_OTHER = re.compile(r"[^A-Za-z0-9=,.@-]")


class NoSession(RuntimeError):  # noqa: N818 - says what happened
    """STS gave no session; asked again it may. The text holds nothing that STS said."""


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
            NoSession: STS gave no session, for now or for what it was asked.
        """
        return self.open(self.credentials_of(account))

    def credentials_of(self, account: str) -> Credentials | None:
        """A session in the account; None for the auditor's own, where nobody needs one.

        Raises:
            AccountClosed, NoSession: as of `reader_of`.
        """
        if account == self.own:
            return None
        arn = f"arn:{self.partition}:iam::{account}:role/{self.role}"
        try:
            found = self._assume(arn)
            assumed = str(found["AssumedRoleUser"]["Arn"])
            given = found["Credentials"]
            session = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        except ERRORS as error:
            # What STS says of a request may quote the external id, and a broken answer may hold a session's keys.
            if code_of(error) in _CLOSED:
                raise AccountClosed(f"{arn} cannot be assumed: {reason_of(error)}") from None
            raise NoSession(f"{arn} was not assumed: {code_of(error) or type(error).__name__}") from None
        if assumed.split(":")[4:5] != [account]:
            raise AccountClosed(f"assuming {arn} led to {assumed}")
        return session

    def _assume(self, arn: str) -> Any:
        external_id = self.external_id()
        if not _EXTERNAL_ID.fullmatch(external_id):
            raise NoSession("the external id has characters that STS does not take, or is too short or too long")
        return self.sts.assume_role(
            RoleArn=arn,
            RoleSessionName=_OTHER.sub("-", f"mfawatch-{self.session}")[:64],
            ExternalId=external_id,
            DurationSeconds=SECONDS,
        )
