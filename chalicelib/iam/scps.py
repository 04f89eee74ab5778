"""The answer about service control policies → the policies of each level of the organisation, parsed.

AWS has no one call for it: the levels stand in an object of their own, from the root to the account, each with what
DescribePolicy says of the policies attached there. No level at all says that no such policy binds the account.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.iam.account import StoredPolicy
from chalicelib.iam.answers import ExportError, Node
from chalicelib.iam.policy import PolicyDocument, parse_policy
from chalicelib.iam.statement import PolicyError, PolicyKind

_TYPE = "SERVICE_CONTROL_POLICY"
_ROOT, _UNIT, _ACCOUNT = re.compile(r"r-[0-9a-z]{4,32}"), re.compile(r"ou-[0-9a-z-]{6,70}"), re.compile(r"[0-9]{12}")
_ARN = re.compile(r"arn:[^:]+:organizations::[0-9]{12}:policy/(?P<id>o-[0-9a-z]{4,32})/service_control_policy/p-.+")


@dataclass(frozen=True, slots=True)
class Level:
    """The root, an organisational unit or the account, with the policies attached to it."""

    target: str
    where: str
    policies: tuple[StoredPolicy, ...]
    organization: str = ""
    """The id of the organisation, where the ARN of one of the policies holds it: those that AWS made hold none."""


def read_levels(answer: Node) -> list[Level]:
    """The levels, the root first and the account last; equal documents are parsed once.

    Raises:
        ExportError: the answer is not what it is said to be, or not all of it is there.
    """
    nodes = list(answer.items("Levels", required=True))
    parsed: dict[str, tuple[PolicyDocument | None, PolicyError | None]] = {}
    levels = [_level(node, parsed) for node in nodes]
    for number, level in enumerate(levels):
        wanted = _ROOT if number == 0 else _ACCOUNT if level is levels[-1] else _UNIT
        if not wanted.fullmatch(level.target):
            raise ExportError(
                answer.read,
                f"{level.where}.TargetId",
                f"{json.dumps(level.target[:64])} stands out of place: the root is first, the account last, "
                "and organisational units in between",
            )
    if len(levels) == 1:
        raise ExportError(answer.read, levels[0].where, "the account is missing, which comes last")
    return levels


def _level(node: Node, parsed: dict[str, tuple[PolicyDocument | None, PolicyError | None]]) -> Level:
    target = node.text("TargetId")
    arns = (one.get("PolicySummary").maybe_text("Arn") for one in node.items("Policies", required=True))
    ids = (match["id"] for match in map(_ARN.fullmatch, arns) if match)
    return Level(target, node.where, tuple(_policies(node, target, parsed)), next(ids, ""))


def _policies(
    node: Node, target: str, parsed: dict[str, tuple[PolicyDocument | None, PolicyError | None]]
) -> Iterator[StoredPolicy]:
    for policy in node.items("Policies", required=True):
        summary, content = policy.get("PolicySummary"), policy.text("Content")
        kind = summary.maybe_text("Type")
        if kind not in ("", _TYPE):
            raise ExportError(node.read, f"{summary.where}.Type", f"must be {_TYPE}, not {json.dumps(kind[:64])}")
        if content not in parsed:
            try:
                parsed[content] = parse_policy(content, PolicyKind.SCP), None
            except PolicyError as error:
                parsed[content] = None, error
        name = summary.maybe_text("Name") or summary.text("Id")
        yield StoredPolicy(f"service control policy {name} ({target})", *parsed[content])
