"""mfawatch evaluate: decide neutral cases, a test runner for policies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from chalicelib.cli.errors import FINDINGS, InputError
from chalicelib.cli.files import read_text
from chalicelib.iam.cases import CaseError, Outcome, decide_case
from chalicelib.iam.documents import JsonError, parse_json
from chalicelib.report.plan import count


@click.command()
@click.argument("cases", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CASES.jsonl ...")
def evaluate(cases: Sequence[Path]) -> int:
    """Decide the cases in files of JSON lines ("-" is standard input), one line of output a case, in order.

    A case holds principal, action, resource, context and all policies; a document that AWS would refuse decides
    "Error". Where a case says what it expects and the decision is another, the exit code is 3.
    """
    # All cases are decided before anything is printed: a broken line at the end leaves no half-told result.
    outcomes = [_decide(source, value) for path in cases for source, value in _read(path)]
    disagreeing = sum(not outcome.agrees for outcome in outcomes)
    for outcome in outcomes:
        click.echo(json.dumps(outcome.to_json()))
    click.echo(f"{count(len(outcomes), 'case')}, {disagreeing} not as expected", err=True)
    return FINDINGS if disagreeing else 0


def _read(path: Path) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            try:
                yield f"{path}:{number}", parse_json(line)
            except JsonError as error:
                raise InputError(f"{path}:{number}", f"is no JSON: {error}") from None


def _decide(source: str, value: object) -> Outcome:
    try:
        return decide_case(value)
    except CaseError as error:
        raise InputError(source, f"is no case: {error}") from None
