"""mfawatch session: a session that MFA was given for, in a profile of its own, and the Git configuration for it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chalicelib.analysis.git_with_mfa import FIDO, PROFILE, session_profile, use_by_helper, use_by_remote
from chalicelib.cli.errors import InputError
from chalicelib.report.text import clean

if TYPE_CHECKING:
    from chalicelib.aws.mfa_session import Session

MADE_WITH, EXPIRES = "mfawatch_made_with", "mfawatch_expires"
"""Settings of a profile that this command made: the access key that its session was made with, and until when."""
_KEY_ID, _SECRET, _TOKEN = "aws_access_key_id", "aws_secret_access_key", "aws_session_token"

_LEFT = timedelta(minutes=5)
"""A session that is valid for less is made anew: whoever begins to work wants to end it."""
_SHORTEST, _LONGEST = 900, 129_600
"""Seconds that AWS makes sessions of (STS API Reference, GetSessionToken)."""
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_OTHER_WAYS = (
    "role_arn",
    "credential_process",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
    "login_session",
)
"""Settings by which a profile has its credentials from elsewhere."""

_NAME = re.compile(r"[A-Za-z0-9_.+=-]{1,64}", re.ASCII)
_SERIAL = re.compile(r"[A-Za-z0-9_+=/:,.@-]{9,256}", re.ASCII)
_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", re.ASCII)


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    """Seconds, or a number with m or h."""
    match = re.fullmatch(r"([0-9]{1,6})([smh]?)", value, re.ASCII)
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not _SHORTEST <= seconds <= _LONGEST:
        raise click.BadParameter(f"{value!r} is no time from 15m to 36h")
    return seconds


def _fitting(pattern: re.Pattern[str], told: str) -> Any:
    """Refuses an option that the pattern does not fit; `told` says what it is meant to be."""

    def check(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
        if value is not None and not pattern.fullmatch(value):
            raise click.BadParameter(f"{value!r} is no {told}")
        return value

    return check


@dataclass(frozen=True, slots=True)
class _Keys:
    """The long-term keys of a profile: by what a session is made."""

    profile: str
    access_key_id: str
    serial: str
    """What the profile names as mfa_serial; empty where it names none."""
    clients: Any
    """A boto3 session that signs with them."""


@click.command()
@click.option(
    "--profile", envvar="AWS_PROFILE", default=PROFILE, show_default=True, metavar="P", help="whose access key it is"
)
@click.option(
    "--serial",
    metavar="ARN",
    callback=_fitting(_SERIAL, "serial number of an MFA device"),
    help="the MFA device (default: mfa_serial of the profile, else the user's only one)",
)
@click.option(
    "--code",
    metavar="123456",
    callback=_fitting(_CODE, "code of an MFA device: those are six digits"),
    help="what the device shows (default: it is asked for)",
)
@click.option("--duration", callback=_seconds, default="12h", show_default=True, metavar="TIME", help="from 15m to 36h")
@click.option(
    "--region",
    metavar="REGION",
    callback=_fitting(_REGION, "region"),
    help="where the repositories are (default: the profile's)",
)
@click.option(
    "--save-as",
    metavar="NAME",
    callback=_fitting(_NAME, "name for a profile that Git can use: letters, digits and _.+=- make one"),
    help="the profile for the session (default: P-mfa)",
)
@click.option("--force", is_flag=True, help="make a new session although the one that is there is valid")
@click.option("--endpoint-url", metavar="URL", help="ask here instead of AWS, as an emulator")
def session(
    profile: str,
    serial: str | None,
    code: str | None,
    duration: int,
    region: str | None,
    save_as: str | None,
    force: bool,
    endpoint_url: str | None,
) -> None:
    """Make a session with MFA from a profile's access key, and print the Git configuration that uses it.

    The session becomes a profile of its own in the shared credentials file, of which nothing else is touched. While it
    is valid nothing is done. No secret is printed.
    """
    # boto3 takes long to load, and most commands never need it.
    from botocore.exceptions import BotoCoreError

    from chalicelib.local.profile_text import ProfileError

    name = save_as or session_profile(profile)
    if not _NAME.fullmatch(name) or name in (profile, "DEFAULT"):
        raise click.UsageError(f"{name!r} is no name for the session's profile: give another one by --save-as")
    path = Path("~/.aws/credentials")
    try:
        from chalicelib.bootstrap import credentials_path

        path = credentials_path()
        keys = _keys(profile, region)
        _refuse_other_ways(name)
        expires = None if force else _valid_until(path, name, keys)
        if expires is None:
            made = _make(keys, serial, code, duration, endpoint_url)
            _keep(path, name, keys, made, region)
            expires = made.expires
        else:
            click.echo(clean(f"profile {name}: valid still, nothing was done (--force makes a new session)"), err=True)
        click.echo(f"profile {name}: a session with MFA until {expires:%Y-%m-%d %H:%M:%S} UTC", err=True)
        click.echo("\n".join(_configuration(name, region or keys.clients.region_name or "")))
    except ProfileError as error:
        raise InputError(str(path), str(error)) from None
    except BotoCoreError as error:
        raise InputError(f"profile {profile}", " ".join(str(error).split())) from None
    except OSError as error:
        raise InputError(str(error.filename or path), error.strerror or "cannot be written") from None


def _configuration(name: str, region: str) -> Iterator[str]:
    if not _REGION.fullmatch(region):
        region = ""
    yield from use_by_remote(name, region)
    yield from use_by_helper(name, region)


# --- the long-term keys ----------------------------------------------------------------------------------------------


def _keys(profile: str, region: str | None) -> _Keys:
    """The long-term keys of a profile.

    Raises:
        InputError: it has none.
    """
    from chalicelib.bootstrap import profile_session, settings_of

    settings = settings_of(profile)
    if settings is None:
        raise InputError(f"profile {profile}", "there is none of that name")
    if "role_arn" in settings:
        told = "is a role, for which the AWS CLI asks for MFA itself where the profile has mfa_serial: use it as it is"
        raise InputError(f"profile {profile}", told)
    if not settings.keys() & {_KEY_ID, "credential_process"}:
        raise InputError(f"profile {profile}", "has no access key, and a session is made with one")
    clients = profile_session(profile, region)
    found = clients.get_credentials()
    frozen = found.get_frozen_credentials() if found else None
    if frozen is None or frozen.token:
        told = "holds a session already, and no long-term access key" if frozen else "has no access key"
        raise InputError(f"profile {profile}", told)
    return _Keys(profile, frozen.access_key, str(settings.get("mfa_serial", "")), clients)


def _make(keys: _Keys, serial: str | None, code: str | None, duration: int, endpoint_url: str | None) -> Session:
    """A session by the device's code.

    Raises:
        InputError: there is no device that gives codes, no code, or AWS refuses it.
    """
    from chalicelib.aws.mfa_session import NO_FIDO, SessionError, make_session, serial_of
    from chalicelib.bootstrap import client

    def make(service: str) -> Any:
        return client(service, keys.clients, endpoint_url)

    try:
        serial = serial or keys.serial or serial_of(make("sts"), make("iam"))
        if FIDO in serial:
            raise SessionError(f"{serial} is FIDO: {NO_FIDO}")
        return make_session(make("sts"), serial, code or _asked_for(serial), duration)
    except SessionError as error:
        raise InputError(f"profile {keys.profile}", str(error)) from None


def at_terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


def _asked_for(serial: str) -> str:
    """The code that a person types."""
    if not at_terminal():
        raise click.UsageError("--code: nobody is at a terminal to ask for it")
    code = str(click.prompt(clean(f"Code of {serial}"), hide_input=True, err=True)).strip()
    if not _CODE.fullmatch(code):
        raise click.UsageError("that is no code of an MFA device: those are six digits")
    return code


# --- the session's profile -------------------------------------------------------------------------------------------


def _refuse_other_ways(name: str) -> None:
    """A session in a profile that has its credentials from elsewhere would not be used."""
    from chalicelib.bootstrap import settings_of

    if other := next((way for way in _OTHER_WAYS if way in (settings_of(name) or {})), None):
        raise InputError(f"profile {name}", f"has its credentials by {other}: give another name by --save-as")


def _valid_until(path: Path, name: str, keys: _Keys) -> datetime | None:
    """Until when the session that is there is valid; None where it is to be made anew."""
    from chalicelib.local.credentials_file import read_profiles

    there = read_profiles(path).get(name, {})
    _refuse_foreign(name, there)
    try:
        expires = datetime.fromisoformat(there[EXPIRES])
        valid = there[MADE_WITH] == keys.access_key_id and expires - datetime.now(UTC) > _LEFT
    except (KeyError, TypeError, ValueError):
        return None
    return expires.astimezone(UTC) if valid and there.get(_TOKEN) else None


def _refuse_foreign(name: str, there: Mapping[str, str]) -> None:
    """Somebody's own keys are never written over."""
    if MADE_WITH not in there and there.keys() & {_KEY_ID, _SECRET, _TOKEN}:
        told = "has keys that this command did not make: give another name by --save-as"
        raise InputError(f"profile {name}", told)


def _keep(path: Path, name: str, keys: _Keys, made: Session, region: str | None) -> None:
    """Write the session into its profile."""
    from chalicelib.bootstrap import settings_of
    from chalicelib.local.credentials_file import write_profile

    # What a person set for the profile stays, unless they say something else now.
    settled = "region" in (settings_of(name) or {})
    where = region or ("" if settled else keys.clients.region_name or "")
    settings = {
        _KEY_ID: made.access_key_id,
        _SECRET: made.secret_access_key,
        _TOKEN: made.token,
        **({"region": where} if where else {}),
        MADE_WITH: keys.access_key_id,
        EXPIRES: made.expires.isoformat(),
    }

    def decide(profiles: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
        _refuse_foreign(name, profiles.get(name, {}))
        return settings

    write_profile(path, name, decide)
