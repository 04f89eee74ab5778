"""/v1/lint and /v1/harden: policy documents judged by themselves, and made tight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response

from chalicelib.analysis.administrator import Accepted
from chalicelib.analysis.hardening import harden
from chalicelib.analysis.proof_of_hardening import size_of
from chalicelib.api.answers import answered
from chalicelib.api.exchange import DEEPEST, parts_of
from chalicelib.api.fields import pointer_to, unprocessable
from chalicelib.api.models.policies import HardenedTold, HardenWanted, LintTold, LintWanted
from chalicelib.api.problems import Wrong
from chalicelib.iam.documents import JsonError, parse_document
from chalicelib.iam.statement import PolicyError
from chalicelib.linting import lint_document

LARGEST = 10_240
"""Characters of a document without white space: no identity policy of IAM's has more (role's inline policies)."""


def post_lint(body: LintWanted) -> Response[LintTold]:
    """Judge policy documents by themselves, as if each were attached to an administrator."""
    values = [_value(one.policy, "documents", number, "policy") for number, one in enumerate(body.documents)]
    return answered(
        {"documents": [_linted(one.name, value) for one, value in zip(body.documents, values, strict=True)]}
    )


def post_harden(body: HardenWanted) -> Response[HardenedTold]:
    """Make a policy that asks for MFA tight, with the least change to its text, and the proof.

    What of Git was denied stays denied. Where it cannot be made tight, `tight` is false and `reasons` says why.
    """
    if body.repositories and not body.git:
        raise unprocessable(Wrong(pointer_to("repositories"), "names what git says is not to be free"))
    value = _value(body.policy, "policy")
    try:
        result = harden(value, Accepted(git=body.git, repositories=tuple(dict.fromkeys(body.repositories))))
    except PolicyError as error:
        raise unprocessable(Wrong(pointer_to("policy"), f"is no policy that AWS would store: {error}")) from None
    return answered(result.to_json())


def _linted(name: str, value: object) -> dict[str, Any]:
    found = lint_document(name, value, name)
    return {
        "name": name,
        "asks_for_mfa": found.guard,
        "remark": found.told or None,
        "findings": [finding.to_json() for finding in found.audit.findings],
        "not_evaluated": [{"control": one.control, "reason": one.reason} for one in found.audit.not_evaluated],
    }


def _value(document: Mapping[str, Any] | str, *place: str | int) -> Any:
    """The JSON value of a document, whichever way it came."""
    try:
        value = parse_document(document) if isinstance(document, str) else dict(document)
    except JsonError as error:
        raise unprocessable(Wrong(pointer_to(*place), f"is no JSON: {error}")) from None
    if any(depth > DEEPEST for depth, _ in parts_of(value)):
        raise unprocessable(Wrong(pointer_to(*place), "is no JSON: nested too deep"))
    if size_of(value) > LARGEST:
        raise unprocessable(Wrong(pointer_to(*place), f"has more than {LARGEST:,} characters without white space"))
    return value
