"""mfawatch harden: the tight version of a policy, and what proves it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from chalicelib.analysis.administrator import Accepted
from chalicelib.analysis.hardening import harden as mended
from chalicelib.analysis.proof_of_hardening import LARGEST, Hardened
from chalicelib.cli.errors import FINDINGS, InputError
from chalicelib.cli.files import read_text, write_result
from chalicelib.cli.options import format_option
from chalicelib.iam.documents import JsonError, parse_document
from chalicelib.iam.statement import PolicyError
from chalicelib.report.text import clean

_REPOSITORY = re.compile(r"arn:aws[a-z-]*:codecommit:[a-z0-9*?-]+:([0-9]{12}|\*):[A-Za-z0-9._*?-]+")


@click.command()
@click.argument("policy", type=click.Path(path_type=Path), metavar="POLICY.json")
@click.option(
    "--repository",
    "repositories",
    multiple=True,
    metavar="ARN",
    help="free Git for this CodeCommit repository alone (may be repeated, may hold wildcards)",
)
@click.option("--no-git", is_flag=True, help="free no Git at all")
@format_option(("text", "json"))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="write here: the policy, or with --format json all",
)
def harden(policy: Path, repositories: Sequence[str], no_git: bool, style: str, output: Path | None) -> int:
    """Print the tight version of a policy that asks for MFA, with the least change to its text, and the proof.

    The proof says what an administrator who carries the result can do without MFA, and why nothing is lost with MFA.
    What of Git was denied stays denied. Exit code 3: it cannot be made tight, and why.
    """
    if no_git and repositories:
        raise click.UsageError("--no-git and --repository exclude each other")
    for arn in repositories:
        if not _REPOSITORY.fullmatch(arn):
            raise click.UsageError(f"--repository {arn!r}: must be arn:aws:codecommit:REGION:ACCOUNT:NAME")
    result = _read(policy, Accepted(git=not no_git, repositories=tuple(dict.fromkeys(repositories))))
    if style == "json":
        write_result(json.dumps(result.to_json(), indent=2), output)
    else:
        text = json.dumps(result.policy, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
        write_result(text, output)
        click.echo("\n".join(([] if output else [""]) + [clean(line) for line in _lines(result)]))
    return 0 if result.tight else FINDINGS


def _read(path: Path, accepted: Accepted) -> Hardened:
    try:
        value = parse_document(read_text(path))
        # Exports hold some documents as text.
        return mended(parse_document(value) if isinstance(value, str) else value, accepted)
    except JsonError as error:
        raise InputError(str(path), f"is no JSON: {error}") from None
    except PolicyError as error:
        raise InputError(str(path), f"is no policy that AWS would store: {error}") from None


def _lines(result: Hardened) -> Iterator[str]:
    yield _verdict(result)
    if result.changes:
        yield "Changed:"
    for change in result.changes:
        yield f"  {change.statement}: {change.what} (closes {change.closes})"
    for reason in result.reasons:
        yield f"Not tight: {reason}"
    for remark in result.remarks:
        yield f"Note: {remark}"
    yield "Without MFA an administrator who carries it can do this and nothing else:"
    for opening in result.surface:
        yield f"  {opening.why}: {_some(opening.actions)} on {', '.join(opening.resources)}"
        yield f"    made with {', '.join(opening.origins)}"
    yield "With MFA all stays allowed that was:"
    for kept in result.kept:
        yield f"  {kept.statement} {kept.why}"
    yield f"Size: {result.size:,} of {LARGEST:,} characters without white space."


def _verdict(result: Hardened) -> str:
    if not result.tight:
        return "Could not be made tight."
    return "Tight." if result.changes else "Tight already: nothing was changed."


_MOST = 8


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
