"""mfawatch git: would git pull or git push work, hop by hop, and if not, why and what would mend it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from chalicelib.analysis.cells import Caller
from chalicelib.analysis.decide import doubts_of
from chalicelib.analysis.git_fix import Fix, Question, fix_of, words_of_error
from chalicelib.analysis.git_hops import Access, Operation, managed_key_of
from chalicelib.analysis.git_with_mfa import commands_with_mfa
from chalicelib.analysis.keys import Key, key_of_repository, key_policy
from chalicelib.analysis.names import regions_of
from chalicelib.analysis.origins import ABSENT, FALSE, Origin
from chalicelib.analysis.surface import Surface
from chalicelib.cli.errors import InputError
from chalicelib.cli.files import AccountFiles, account_options, read_account, read_text, user_in
from chalicelib.cli.options import format_option
from chalicelib.controls.proof import hops_of
from chalicelib.iam.account import AccountSnapshot, CredentialKind, User
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy
from chalicelib.iam.request import MfaState
from chalicelib.iam.statement import PolicyError, PolicyKind
from chalicelib.report.fitted import fitted
from chalicelib.report.text import clean

_REPOSITORY = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):codecommit:(?P<region>[a-z0-9-]+):[0-9]{12}:[A-Za-z0-9._-]{1,100}"
)
_KEY = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+")

CREDENTIALS = {
    "ssh-key": ABSENT,
    "git-credential": ABSENT,
    "access-key": ABSENT,
    "session": FALSE,
    "mfa-session": Origin(MfaState.TRUE),
}
"""Credential → how its requests are made. Sessions are the caller's own, by GetSessionToken."""
_KINDS = {
    "ssh-key": CredentialKind.SSH_KEY,
    "git-credential": CredentialKind.GIT_CREDENTIAL,
    "access-key": CredentialKind.ACCESS_KEY,
    "session": CredentialKind.ACCESS_KEY,
    "mfa-session": CredentialKind.ACCESS_KEY,
}


@click.command()
@account_options
@click.option("--user", "name", required=True, metavar="NAME", help="who runs Git")
@click.option("--repository", required=True, metavar="NAME|ARN", help="the repository; a name goes with --region")
@click.option("--region", metavar="REGION", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="where it is")
@click.option("--operation", type=click.Choice(list(map(str, Operation))), help="what Git does (default: both)")
@click.option(
    "--credential",
    type=click.Choice(list(CREDENTIALS)),
    default="ssh-key",
    show_default=True,
    help="what Git is called with; session is one made without MFA",
)
@click.option(
    "--key",
    metavar="ARN",
    help="the key it is encrypted with (default: the one that was read, else the AWS managed key)",
)
@click.option(
    "--key-policy", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="the policy of that key"
)
@format_option(("text", "json"))
def git(
    name: str,
    repository: str,
    region: str | None,
    operation: str | None,
    credential: str,
    key: str | None,
    key_policy: Path | None,
    style: str,
    **options: Any,
) -> None:
    """Say whether Git works for a user: both authorisations, what decided, and the smallest change that mends it."""
    files = AccountFiles.taken_from(options, regions=_regions(repository, region), users=[name], repositories=True)
    snapshot = read_account(files)
    user = user_in(snapshot, name)
    arn = _arn(repository, region, snapshot)
    found = _KEY.fullmatch(key) if key else None
    if key and (found is None or found["region"] != arn.split(":")[3]):
        raise click.UsageError(f"--key {key!r} is no ARN of a KMS key in the repository's region")
    if key_policy and not key:
        raise click.UsageError("--key-policy goes with --key")
    used, notes = _key(snapshot, arn, key)
    policy = _policy(key_policy) if key_policy else used.policy
    surface = Surface(Caller(snapshot, user), snapshot.policies_of(user).policies)
    answers = []
    for one in [Operation(operation)] if operation else list(Operation):
        question = Question(one, arn, CREDENTIALS[credential], used.arn, policy)
        access = question.ask(surface)
        fix = Fix(()) if access.works else fix_of(surface, question)
        answers.append((access, fix, _commands(user, surface, question)))
    if style == "json":
        click.echo(json.dumps([_to_json(*answer) for answer in answers], indent=2))
    else:
        doubts = [*doubts_of(snapshot, user), *notes, *_idle(user, credential)]
        for access, fix, _ in answers:
            told = [*doubts, *access.doubts, *([f"not certain: {access.untried}"] if access.untried else [])]
            lines = (*_lines(access, fix, arn), *(f"  note: {one}" for one in told))
            click.echo(fitted(map(clean, lines)), color=True)
        able = [(access.operation, commands) for access, _, commands in answers if commands]
        if able:
            _tell_commands([one for one, _ in able], able[0][1])


def _commands(user: User, surface: Surface, question: Question) -> tuple[str, ...]:
    """How the user does it with MFA, where that works; none where the question is about it."""
    with_mfa = CREDENTIALS["mfa-session"]
    if question.origin == with_mfa or not replace(question, origin=with_mfa).ask(surface).works:
        return ()
    principal = user.principal
    devices = [device.serial for device in user.mfa_devices]
    return commands_with_mfa([question.repository], principal.account, principal.partition, devices)


def _tell_commands(operations: Sequence[Operation], commands: Sequence[str]) -> None:
    click.echo(f"git {' and '.join(operations)} with MFA {'works' if len(operations) == 1 else 'work'}:")
    click.echo("\n".join(f"  {clean(line)}" for line in commands))


def _idle(user: User, credential: str) -> Iterator[str]:
    """That the user has no such credential, as far as is known."""
    kind = _KINDS[credential]
    if kind not in user.possible():
        yield f"the user has no active {kind}"


def _regions(repository: str, region: str | None) -> tuple[str, ...]:
    """The region of a repository, as far as it was given."""
    match = _REPOSITORY.fullmatch(repository)
    return (match["region"],) if match else (region,) if region else ()


def _arn(repository: str, region: str | None, snapshot: AccountSnapshot) -> str:
    partition = next((user.principal.partition for user in snapshot.users.values()), "aws")
    if not repository.startswith("arn:"):
        if not region:
            raise click.UsageError("--repository with a name needs --region")
        repository = f"arn:{partition}:codecommit:{region}:{snapshot.account}:{repository}"
    match = _REPOSITORY.fullmatch(repository)
    if match is None or match["region"] not in regions_of(partition):
        raise click.UsageError(f"{repository!r} is no ARN of a CodeCommit repository in partition {partition}")
    if match["partition"] != partition:
        raise click.UsageError(f"--repository {repository!r}: the account is in partition {partition}")
    return repository


def _key(snapshot: AccountSnapshot, repository: str, named: str | None) -> tuple[Key, list[str]]:
    """The key that was named or, without one, that the repository is known to have, and what is not known of it."""
    if named:
        return Key(named, key_policy(snapshot, named)), []
    key = key_of_repository(snapshot, repository)
    if key is None:
        note = f"not read which key {repository} is encrypted with: it is taken to be the AWS managed key"
        return Key(managed_key_of(repository)), [note]
    return key, [] if key.read else [f"{key.doubt}: it is taken to allow what CodeCommit asks for"]


def _policy(path: Path) -> Policy:
    try:
        return Policy(f"key policy {path.name}", parse_policy(read_text(path), PolicyKind.RESOURCE))
    except PolicyError as error:
        raise InputError(str(path), str(error)) from None


def _lines(access: Access, fix: Fix, repository: str) -> Iterator[str]:
    works = "works" if access.works else "fails"
    yield f"git {access.operation} on {repository}: {works}"
    for hop in hops_of(access):
        by = ", ".join(f"{s['policy']} Statement[{s['statement']}]" for s in hop["statements"])
        yield f"  {hop['decision']}: {hop['action']} on {hop['resource']}; {hop['reason']}{f': {by}' if by else ''}"
    for told in words_of_error(access):
        yield f"  {told}"
    for change in fix.changes:
        yield f"  to mend it: {change.place}: {change.words}"
        yield from (f"    {line}" for line in json.dumps(dict(change.statement), indent=2).splitlines())
    if fix.obstacle:
        yield f"  {'and then' if fix.changes else 'to mend it'}: {fix.obstacle}"


def _to_json(access: Access, fix: Fix, commands: Sequence[str]) -> dict[str, Any]:
    return {
        "operation": str(access.operation),
        "works": access.works,
        "hops": hops_of(access),
        "error": list(words_of_error(access)),
        "changes": [{"place": c.place, "words": c.words, "statement": dict(c.statement)} for c in fix.changes],
        "obstacle": fix.obstacle or None,
        "commands": list(commands),
    }
