"""mfawatch lint: judge policy documents by themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from chalicelib.audit import Audit
from chalicelib.cli.errors import FINDINGS, USAGE, InputError
from chalicelib.cli.files import read_text, write_result
from chalicelib.cli.options import format_option, output_option
from chalicelib.config import NEVER
from chalicelib.controls import policy_not_evaluable
from chalicelib.findings import Finding, Severity
from chalicelib.iam.documents import JsonError, parse_document
from chalicelib.linting import lint_document
from chalicelib.report.sarif import render_sarif
from chalicelib.report.sentences import sentence
from chalicelib.report.text import clean


@dataclass(frozen=True, slots=True)
class Judged:
    """A file, whether its document asks for MFA at all, and the audit."""

    path: Path
    guard: bool
    told: str
    """Why it was not judged as a guard; empty where it was."""
    audit: Audit

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "file": str(self.path),
            "asks_for_mfa": self.guard,
            "remark": self.told or None,
            "findings": [finding.to_json() for finding in self.audit.findings],
            "not_evaluated": [{"control": item.control, "reason": item.reason} for item in self.audit.not_evaluated],
        }


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="POLICY.json ...")
@format_option(("table", "json", "sarif"))
@output_option
@click.option(
    "--fail-on",
    type=click.Choice([*map(str, Severity), NEVER]),
    default=str(Severity.HIGH),
    show_default=True,
    help="exit with 3 when a finding is at least this severe",
)
def lint(paths: Sequence[Path], style: str, output: Path | None, fail_on: str) -> int:
    """Judge policy documents by themselves, as if each were attached to an administrator.

    Of a directory every *.json below it is taken. A document without a Deny that MFA lifts asks for no MFA: it is said
    to be none that does, and is not accused of it. A file that cannot be read is told after the others are judged.
    Whoever a deny spares by who they are is judged too. Exit code 2: a file is no policy that AWS would store.
    """
    judged: list[Judged] = []
    errors: list[str] = []
    for path in paths:
        try:
            for file in _files(path):
                _try(file, judged, errors)
        except InputError as error:
            errors.append(error.format_message())
    if judged:
        write_result(_render(judged, style), output)
    for told in errors:
        click.echo(f"mfawatch: {told}", err=True)
    if errors:
        return USAGE
    if any(finding.control == policy_not_evaluable.CONTROL.id for one in judged for finding in one.audit.findings):
        return USAGE
    return FINDINGS if fail_on != NEVER and any(one.audit.at_least(Severity(fail_on)) for one in judged) else 0


def _try(file: Path, judged: list[Judged], errors: list[str]) -> None:
    """Judge a file, or note why that cannot be."""
    try:
        judged.append(_judge(file))
    except InputError as error:
        errors.append(error.format_message())


def _files(path: Path) -> list[Path]:
    """The file, or those of a directory."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*.json") if file.is_file())
    if not found:
        raise InputError(str(path), "holds no *.json")
    return found


def _judge(path: Path) -> Judged:
    """The file's document, carried by an administrator.

    Raises:
        InputError: the file cannot be read, or is no JSON.
    """
    try:
        value = parse_document(read_text(path))
    except JsonError as error:
        raise InputError(str(path), f"is no JSON: {error}") from None
    found = lint_document(path.name, value, path.as_posix())
    return Judged(path, found.guard, found.told, found.audit)


# --- renderings ------------------------------------------------------------------------------------------------------


def _render(judged: Sequence[Judged], style: str) -> str:
    if style == "json":
        return json.dumps({"files": [one.to_json() for one in judged]}, indent=2)
    if style == "sarif":
        return render_sarif(_together(judged), artifact=_file_of)
    return "\n".join(clean(line) for one in judged for line in _lines(one))


def _together(judged: Sequence[Judged]) -> Audit:
    """The audits of all files as one."""
    controls = {control.id: control for one in judged for control in one.audit.controls}
    findings = [finding for one in judged for finding in one.audit.findings]
    return replace(
        judged[0].audit,
        findings=tuple(sorted(findings, key=lambda finding: (finding.order, finding.resource))),
        not_evaluated=tuple(item for one in judged for item in one.audit.not_evaluated),
        controls=tuple(controls.values()),
        users=len(judged),
    )


def _file_of(finding: Finding) -> str:
    return finding.resource


def _lines(one: Judged) -> Iterator[str]:
    counts = Counter(finding.severity for finding in one.audit.findings)
    told = ", ".join(f"{counts[severity]} {severity}" for severity in reversed(Severity) if counts[severity])
    yield f"{one.path}: {told or one.told or 'no findings'}"
    width = max((len(finding.control) for finding in one.audit.findings), default=0)
    for finding in one.audit.findings:
        yield f"  {finding.severity:<8}  {finding.control:<{width}}  {sentence(finding)}"
    for item in one.audit.not_evaluated:
        yield f"  not evaluated: {item.control}: {item.reason}"
