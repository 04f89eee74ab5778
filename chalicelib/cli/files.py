"""Reading and writing files for the commands: the exported answers of an account, and results."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from chalicelib.cli.errors import InputError
from chalicelib.iam.account import AccountSnapshot, Read, User
from chalicelib.iam.answers import ExportError
from chalicelib.iam.documents import JsonError, parse_json
from chalicelib.iam.exports import Exports, read_exports
from chalicelib.iam.snapshot_file import ANSWERS, SnapshotError, parse_snapshot

F = TypeVar("F", bound=Callable[..., Any])

_PATH = click.Path(dir_okay=False, path_type=Path)
_ANSWER_OPTIONS = {
    Read.AUTHORIZATION_DETAILS: "`aws iam get-account-authorization-details`",
    Read.CREDENTIAL_REPORT: "`aws iam get-credential-report`: its JSON, or the CSV in it",
    Read.LOGIN_PROFILES: "one object: user name → `aws iam get-login-profile --user-name …`, null without a password",
    Read.ACCESS_KEYS: "the same of `aws iam list-access-keys`",
    Read.VIRTUAL_MFA_DEVICES: "`aws iam list-virtual-mfa-devices`",
    Read.MFA_DEVICES: "one object: user name → `aws iam list-mfa-devices --user-name …`",
    Read.SERVICE_CREDENTIALS: "the same of `aws iam list-service-specific-credentials`, or its answer with --all-users",
    Read.SSH_PUBLIC_KEYS: "the same of `aws iam list-ssh-public-keys`",
    Read.SERVICE_CONTROL_POLICIES: "the organisation's SCPs, from the root to the account (see docs/exports.md)",
    Read.REPOSITORY_KEYS: "CodeCommit's repositories and their keys' policies, in one object (see docs/exports.md)",
}


@dataclass(frozen=True, slots=True)
class AccountFiles:
    """The files that say what an account is, None for those not given; without any, how to reach the live account."""

    snapshot: Path | None
    authorization_details: Path | None
    credential_report: Path | None
    login_profiles: Path | None
    access_keys: Path | None
    virtual_mfa_devices: Path | None
    mfa_devices: Path | None
    service_credentials: Path | None
    ssh_public_keys: Path | None
    service_control_policies: Path | None
    repository_keys: Path | None
    profile: str | None = None
    endpoint_url: str | None = None
    regions: tuple[str, ...] = ()
    """Of the live account those whose repositories are read; by default the region of the credentials."""
    users: tuple[str, ...] = ()
    """The names or ARNs of the users whom the live account is read for; without any, all of them."""
    repositories: bool = False
    """Whether the keys of repositories are read for these users even where no verdict hangs on them."""

    @property
    def live(self) -> bool:
        """Whether the account is to be read from AWS."""
        return self.snapshot is None and all(getattr(self, name) is None for name in ANSWERS.values())

    @classmethod
    def taken_from(
        cls,
        options: dict[str, Any],
        *,
        regions: Sequence[str] = (),
        users: Sequence[str] = (),
        repositories: bool = False,
    ) -> AccountFiles:
        """Take the options of `account_options` out of a command's options."""
        asked: dict[str, Any] = {"regions": tuple(regions), "users": tuple(users), "repositories": repositories}
        names = [field.name for field in fields(cls) if field.name not in asked]
        return cls(**{name: options.pop(name, None) for name in names}, **asked)


def answer_options(command: F) -> F:
    """Adds the options that name AWS's answers."""
    for read, text in reversed(_ANSWER_OPTIONS.items()):
        command = click.option(f"--{read}", type=_PATH, metavar="FILE", help=text)(command)
    return command


def account_options(command: F) -> F:
    """Adds the options that name an account's state: a snapshot, or AWS's answers."""
    text = "an account in one file, as `mfawatch snapshot` writes it"
    return click.option("--snapshot", type=_PATH, metavar="FILE", help=text)(answer_options(live_options(command)))


def given(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The options of `account_options` as they were given, to give them to another command."""
    found = [(f"--{name.replace('_', '-')}", str(value)) for name, value in options.items() if value is not None]
    return tuple(word for option in found for word in option)


def live_options(command: F) -> F:
    """Adds the options that say how to reach the live account, which is read where no file is given."""
    profile = click.option("--profile", metavar="NAME", help="read the live account with this profile of the AWS CLI")
    endpoint = click.option("--endpoint-url", metavar="URL", help="read from here instead of AWS, as from an emulator")
    return profile(endpoint(command))


def read_account(files: AccountFiles) -> AccountSnapshot:
    """The account that the files tell of.

    Raises:
        InputError: a file cannot be read or is not what it is said to be.
        click.UsageError: no files, or files that exclude each other.
    """
    return understand(files, *read_answers(files))


def understand(files: AccountFiles, exports: Exports, taken: datetime) -> AccountSnapshot:
    """The account that the answers of these files tell of.

    Raises:
        InputError: an answer is not what it is said to be.
    """
    if exports.authorization_details is None and exports.credential_report is None:
        if files.live:
            reasons = "; ".join(dict.fromkeys(gap.reason for gap in exports.gaps))
            raise InputError("AWS", f"{reasons} (for an account in files: --snapshot, or --authorization-details)")
        raise InputError(str(files.snapshot), "answers: holds neither authorization-details nor credential-report")
    try:
        return read_exports(exports, taken)
    except ExportError as error:
        source = files.snapshot or getattr(files, ANSWERS[error.read]) or f"AWS {error.read}"
        place = f"answers.{error.read}: " if files.snapshot else ""
        raise InputError(str(source), f"{place}{error}") from None


def user_in(snapshot: AccountSnapshot, name: str) -> User:
    """The user of that name or ARN.

    Raises:
        click.UsageError: there is none.
    """
    user = snapshot.user_named(name)
    if user is None:
        raise click.UsageError(f"no user {name!r} in account {snapshot.account or '(unknown)'}")
    return user


def read_answers(files: AccountFiles) -> tuple[Exports, datetime]:
    """AWS's answers in the files, and the moment whose state they tell.

    Raises:
        InputError: a file cannot be read or is not what it is said to be.
        click.UsageError: files that exclude each other, or say too little.
    """
    _refuse_both(files)
    given = {field: path for field in ANSWERS.values() if (path := getattr(files, field)) is not None}
    if files.snapshot is not None:
        if given:
            raise click.UsageError("--snapshot stands alone: it holds all of an account")
        try:
            return parse_snapshot(read_json(files.snapshot))
        except SnapshotError as error:
            raise InputError(str(files.snapshot), str(error)) from None
    if files.live:
        return _read_live(files)
    if not (files.authorization_details or files.credential_report):
        raise click.UsageError("give --authorization-details or --credential-report as well, at best both")
    report = given.pop("credential_report", None)
    answers = {field: read_json(path) for field, path in given.items()}
    for field, answer in answers.items():
        if answer is None:
            raise InputError(str(given[field]), "must be an object, not null")
    now = datetime.now(UTC).replace(microsecond=0)
    return Exports(credential_report=read_text(report) if report else None, **answers), now


def _refuse_both(files: AccountFiles) -> None:
    """Files say what the account is: how to reach the live one would go unheeded."""
    given = {"--profile": files.profile, "--endpoint-url": files.endpoint_url}
    unheeded = [option for option, value in given.items() if value is not None]
    if unheeded and not files.live:
        raise click.UsageError(f"{' and '.join(unheeded)} reach the live account, and files say what it is: give one")


def _read_live(files: AccountFiles) -> tuple[Exports, datetime]:
    """The answers of the live account, and what could not be read.

    Raises:
        InputError: there are no credentials, or none that AWS takes for anything.
    """
    # boto3 takes long to load, and most commands never need it.
    from botocore.exceptions import BotoCoreError

    from chalicelib.bootstrap import iam_reader

    try:
        reader = iam_reader(files.profile, endpoint_url=files.endpoint_url, regions=files.regions)
        names = [name.rpartition("/")[2] for name in files.users]  # of an ARN, too
        return reader.read_users(names, repositories=files.repositories) if names else reader.read_account()
    except (BotoCoreError, ValueError) as error:
        raise InputError("AWS", str(error)) from None


def read_text(path: Path) -> str:
    """The text of a file, UTF-8; "-" is standard input."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(str(path), f"is no UTF-8 text: byte {error.start}") from None
    except OSError as error:
        raise InputError(str(path), error.strerror or "cannot be read") from None


def read_json(path: Path) -> Any:
    """The JSON value of a file."""
    try:
        return parse_json(read_text(path))
    except JsonError as error:
        raise InputError(str(path), f"is no JSON: {error}") from None


def write_result(text: str, output: Path | None) -> None:
    """Print a result, or write it to a file: all of it or nothing, readable by its owner alone."""
    write_pieces([text, "\n"], output)


def write_pieces(pieces: Iterable[str], output: Path | None) -> None:
    """The same for a result that is made piece by piece, and ends its last line itself."""
    if output is None:
        for piece in pieces:
            # Whoever made the text has decided on its colours: click would take them out of whatever is no terminal.
            click.echo(piece, nl=False, color=True)
        return
    # A link is followed, and what is no file (a pipe, a terminal) is written to as it is.
    output = output.resolve()
    try:
        if output.exists() and not output.is_file():
            with output.open("w", encoding="utf-8") as stream:
                stream.writelines(pieces)
            return
        descriptor, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.writelines(pieces)
            temporary.replace(output)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(str(output), f"cannot be written: {error.strerror}") from None
