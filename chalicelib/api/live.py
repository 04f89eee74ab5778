"""What views read of an account now, and what they answer where that cannot be."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from chalicelib.api.call import Call
from chalicelib.api.problems import Problem
from chalicelib.aws.iam_reader import IamReader
from chalicelib.aws.member_accounts import NoSession
from chalicelib.functions.telemetry import logger
from chalicelib.iam.account import AccountSnapshot, Read, User
from chalicelib.iam.answers import ExportError
from chalicelib.iam.exports import Exports
from chalicelib.moments import to_second
from chalicelib.pipeline import read_snapshot
from chalicelib.ports import Accounts, SnapshotReader
from chalicelib.recording import StillRacing
from chalicelib.scope import Scope
from chalicelib.sweep import Run


def new_run(account: str, now: datetime) -> Run:
    """A run that somebody asks for over HTTP. Its id tells of which account it is, and since when."""
    now = to_second(now)
    return Run(f"api-{now:%Y%m%dT%H%M%SZ}-{account}-{secrets.token_hex(4)}", now)


def check_ours(call: Call, account: str) -> None:
    """That an account is one that this deployment audits.

    Raises:
        Problem: it is not.
    """
    if not call.hub.is_ours(account):
        raise Problem(HTTPStatus.FORBIDDEN, f"account {account} is none that the settings name", "not-ours")


@contextmanager
def reading() -> Iterator[None]:
    """Reads meanwhile.

    Raises:
        Problem: the account cannot be read now.
    """
    try:
        yield
    except (NoSession, StillRacing) as error:
        logger.warning("not read", extra={"reason": str(error)})
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the account could not be read now: ask again", "busy") from None
    except ExportError as error:
        logger.warning("not read", extra={"reason": str(error)})
        raise Problem(HTTPStatus.BAD_GATEWAY, "AWS gave an answer that is none", "not-read") from None


def read_users(call: Call, account: str, users: frozenset[str], *, repositories: bool = False) -> AccountSnapshot:
    """An account as far as it bears on some users, as it is now; with `repositories` those and their keys too.

    Raises:
        Problem: it cannot be read.
    """
    return _read(call, Scope(account, users), repositories=repositories)


def read_whole(call: Call, account: str, recent: Collection[str]) -> AccountSnapshot:
    """A whole account; of these users nothing is in it that may be hours old.

    Raises:
        Problem: it cannot be read.
    """
    return _read(call, Scope(account), recent)


def _read(call: Call, scope: Scope, recent: Collection[str] = (), *, repositories: bool = False) -> AccountSnapshot:
    check_ours(call, scope.account)
    with reading():
        ports = call.hub.ports(new_run(scope.account, call.hub.clock()).id)
        accounts = _WithRepositories(ports.accounts) if repositories else ports.accounts
        snapshot, _ = read_snapshot(scope, accounts, call.hub.clock, recent)
    if Read.AUTHORIZATION_DETAILS not in snapshot.reads:
        why = "; ".join(dict.fromkeys(gap.reason for gap in snapshot.gaps))
        raise Problem(HTTPStatus.BAD_GATEWAY, f"account {scope.account} could not be read: {why}", "not-read")
    return snapshot


def read_user(call: Call, account: str, name: str) -> tuple[AccountSnapshot, User]:
    """The same for one user, and the user.

    Raises:
        Problem: the account cannot be read, or has no such user.
    """
    snapshot = read_users(call, account, frozenset({name}), repositories=True)
    user = snapshot.user_named(name)
    if user is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"account {account} has no user {name}", "unknown")
    return snapshot, user


@dataclass(frozen=True)
class _WithRepositories:
    """`Accounts` whose readers read the repositories, whether a verdict hangs on them or not."""

    accounts: Accounts

    def reader_of(self, account: str) -> SnapshotReader:
        reader = self.accounts.reader_of(account)
        assert isinstance(reader, IamReader)
        return _Reader(reader)


@dataclass(frozen=True)
class _Reader:
    reader: IamReader

    def read_account(self, recent: Collection[str] = ()) -> tuple[Exports, datetime]:
        return self.reader.read_account(recent)

    def read_users(
        self,
        users: Collection[str],
        groups: Collection[str] = (),
        policies: Collection[str] = (),
        *,
        most: int | None = None,
    ) -> tuple[Exports, datetime]:
        return self.reader.read_users(users, groups, policies, most=most, repositories=True)
