"""The audit as a SARIF 2.1.0 log, for code scanning and for editors. Sections are those of the OASIS standard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from chalicelib.audit import Audit
from chalicelib.controls.base import Control
from chalicelib.findings import Finding, Severity, Status
from chalicelib.report.sentences import sentence, subject
from chalicelib.report.text import clean

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
PAGES = "docs/controls"
"""Where the controls' pages lie, seen from the root of the documentation."""

Json = dict[str, Any]
Artifact = Callable[[Finding], str | None]
"""Finding → the file that it was found in, by its path from the root of the repository; None where there is no file."""

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SCORES = {
    Severity.CRITICAL: 9.5,
    Severity.HIGH: 8.0,
    Severity.MEDIUM: 5.5,
    Severity.LOW: 3.0,
    Severity.INFO: 0.0,
}
"""Out of ten; code scanning says critical from 9, high from 7, medium from 4, low from 0.1."""

_TAGS = ("aws", "iam", "mfa", "security")


def sarif_log(audit: Audit, *, docs: str = "", artifact: Artifact | None = None) -> Json:
    """The log: a rule for each control, a result for each finding, a notification for all that was not judged or read.

    `docs` is the absolute URI under which `page_of` a control can be read; rules link there if it is given. `artifact`
    says where a finding has a file; code scanning shows only results that have one.
    """
    indices = {control.id: index for index, control in enumerate(audit.controls)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(audit, docs)},
                **_automation(audit),
                "invocations": [
                    {"executionSuccessful": True, "toolExecutionNotifications": list(_notifications(audit, indices))}
                ],
                "results": [_result(finding, indices, artifact) for finding in audit.findings],
                "properties": {
                    "account": clean(audit.account),
                    "generatedAt": audit.generated_at.isoformat(timespec="seconds"),
                    "users": audit.users,
                },
            }
        ],
    }


def render_sarif(audit: Audit, *, docs: str = "", artifact: Artifact | None = None) -> str:
    """The log as text."""
    return json.dumps(sarif_log(audit, docs=docs, artifact=artifact), indent=2)


def page_of(control: str) -> str:
    """The page that explains a control, seen from the root of the documentation."""
    return f"{PAGES}/{quote(control, safe='')}.md"


def _driver(audit: Audit, docs: str) -> Json:
    try:
        known = {"version": version("mfawatch")}
    except PackageNotFoundError:  # the code runs from a bundle, as in Lambda
        known = {}
    worst: dict[str, Severity] = {}
    for finding in audit.findings:  # the gravest stand first
        worst.setdefault(finding.control, finding.severity)
    return {
        "name": "mfawatch",
        **known,
        "rules": [_rule(control, worst.get(control.id, Severity.MEDIUM), docs) for control in audit.controls],
        "notifications": [
            {"id": "not-evaluated", "shortDescription": {"text": "A control could not judge a subject"}},
            {"id": "not-read", "shortDescription": {"text": "State of the account was not read"}},
        ],
    }


def _rule(control: Control, worst: Severity, docs: str) -> Json:
    """A control; as grave as the gravest of its findings, since code scanning asks the rule and not the result."""
    rule = {
        "id": control.id,
        "name": "".join(part.capitalize() for part in control.id.split("-")),
        "shortDescription": {"text": _text(control.title)},
        "fullDescription": {"text": _text(control.why)},
        "help": {"text": _text(control.fix), "markdown": _markdown(control.fix)},
        "defaultConfiguration": {"level": _LEVELS[worst]},
        "properties": {"security-severity": f"{_SCORES[worst]:.1f}", "tags": [*_TAGS]},
    }
    # A relative URI would be none here (3.49.12), and would lead nowhere from a reader's own repository.
    return rule | ({"helpUri": f"{docs.rstrip('/')}/{page_of(control.id)}"} if docs else {})


def _automation(audit: Audit) -> Json:
    """Keeps the accounts apart where code scanning collects the logs of several."""
    return {"automationDetails": {"id": f"mfawatch/{clean(audit.account)}/"}} if audit.account else {}


def _result(finding: Finding, indices: Mapping[str, int], artifact: Artifact | None) -> Json:
    result: Json = {
        "ruleId": finding.control,
        **({"ruleIndex": indices[finding.control]} if finding.control in indices else {}),
        "level": _LEVELS[finding.severity],
        "rank": _SCORES[finding.severity] * 10,
        "message": {"text": _text(f"{subject(finding)}: {sentence(finding)}")},
        "locations": [_location(finding, artifact(finding) if artifact else None)],
        "partialFingerprints": {"mfawatch/v1": finding.fingerprint},
        "properties": _clean(
            {
                "severity": str(finding.severity),
                "status": str(finding.status),
                "user": finding.user,
                "evidence": finding.evidence,
                "witness": finding.witness.to_json() if finding.witness else None,
                **({"commands": list(finding.commands)} if finding.commands else {}),
            }
        ),
    }
    if finding.status is Status.SUPPRESSED:
        result["suppressions"] = [{"kind": "external", "status": "accepted"}]
    if finding.status is Status.RESOLVED:
        result["baselineState"] = "absent"
    return result


def _location(finding: Finding, file: str | None) -> Json:
    arn = clean(finding.resource)
    name = clean(finding.user) if finding.user else arn.rpartition(":")[2]
    location: Json = {"logicalLocations": [{"name": name, "fullyQualifiedName": arn, "kind": "resource"}]}
    if file is not None:
        uri = quote(PurePath(file).as_posix(), errors="surrogateescape")
        location["physicalLocation"] = {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}
    return location


def _notifications(audit: Audit, indices: Mapping[str, int]) -> Iterator[Json]:
    for gap, effect in audit.effects():
        of = f" of {gap.subject}" if gap.subject else ""
        yield _notification("not-read", "note", f"{gap.read}{of}: {gap.reason} ({effect})")
    for item in audit.not_evaluated:
        whom = f"user {item.subject}" if item.subject else "the whole account"
        told = _notification("not-evaluated", "warning", f"{item.control} could not judge {whom}: {item.reason}")
        yield told | {"associatedRule": {"id": item.control, "index": indices[item.control]}}


def _notification(descriptor: str, level: str, text: str) -> Json:
    return {"descriptor": {"id": descriptor}, "level": level, "message": {"text": _text(text)}}


def _text(text: str) -> str:
    """A plain message that says what `text` says, whoever typed it.

    Braces are placeholders unless doubled (3.11.5), and `[text](target)` is a link even in plain text (3.11.6). Many
    viewers take the text for Markdown, so HTML and a link that begins the line must not survive either.
    """
    shown = re.sub(r"([{}])", r"\1\1", clean(text).replace("\\", "\\\\"))
    return re.sub(r"^\[|<|\](?=[(\[])", r"\\\g<0>", shown)


def _markdown(text: str) -> str:
    """The same as Markdown without any markup."""
    return re.sub(r"([{}])", r"\1\1", re.sub(r"([\\`*_\[\]<>|~#!])", r"\\\1", clean(text)))


def _clean(value: Any) -> Any:
    """A JSON value with every text in it on one line and safe to show."""
    if isinstance(value, Mapping):
        return {clean(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return clean(value) if isinstance(value, str) else value
