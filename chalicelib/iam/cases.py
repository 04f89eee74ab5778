"""Neutral cases: a request with all its policies in one JSON object, decided on its own.

`{"id", "principal", "identityPolicies": [{"name", "policy"}], "boundary", "scps": [[policy, ...] per level],
"rcps", "sessionPolicy", "resourcePolicy", "action", "resource", "resourceAccount", "context": {key: value or [values]},
"expected"?}`; what is missing is null or empty. The levels of
an organisation stand with the root first. A policy in a list may stand bare or as {"name", "policy"}.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from chalicelib.iam.decision import Decision, evaluate
from chalicelib.iam.documents import kind_of
from chalicelib.iam.policy import PolicyDocument, parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import build_request
from chalicelib.iam.statement import PolicyError, PolicyKind

ERROR = "Error"
"""The decision on a case that holds a document or a name that AWS would refuse."""


class CaseError(ValueError):
    """A case of the wrong shape; the message names the field."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decided case: AWS's answer or `Error`, what decided, and what was expected."""

    id: str
    decision: str
    reason: str
    detail: Decision | None = None
    expected: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether the decision is the expected one, or nothing was expected."""
        return self.expected in (None, self.decision)

    def to_json(self) -> dict[str, Any]:
        """One line of output."""
        found = self.detail
        result: dict[str, Any] = {
            "id": self.id,
            "decision": self.decision,
            "matched": [match.to_json() for match in found.matched] if found else [],
            "reason": self.reason,
        }
        if found and found.uncertain:
            result["uncertain"] = sorted(map(str, found.possible))
        if found and found.request.ignored_keys:
            result["ignoredContextKeys"] = list(found.request.ignored_keys)
        if not self.agrees:
            result["expected"] = self.expected
        return result


def decide_case(value: object) -> Outcome:
    """Decide one case.

    Raises:
        CaseError: it is no case.
    """
    case = _Case(value)
    identifier, expected = case.text("id", default=""), case.text("expected", default="") or None
    # The shape of the whole case is read first: a case of the wrong shape is no case, whatever its policies hold.
    principal, action, resource = case.text("principal"), case.text("action"), case.text("resource")
    account, context = case.text("resourceAccount", default=""), case.context()
    groups = case.policies("identityPolicies"), case.levels("scps"), case.levels("rcps")
    try:
        identity, scps, rcps = groups
        policies = PolicySet(
            identity=_parse(identity, "identityPolicies", PolicyKind.IDENTITY),
            boundary=case.single("boundary", PolicyKind.IDENTITY),
            scps=tuple(_parse(level, f"scps[{i}]", PolicyKind.SCP) for i, level in enumerate(scps)),
            rcps=tuple(_parse(level, f"rcps[{i}]", PolicyKind.RCP) for i, level in enumerate(rcps)),
            session=case.single("sessionPolicy", PolicyKind.IDENTITY),
            resource=case.single("resourcePolicy", PolicyKind.RESOURCE),
        )
        request = build_request(principal, action, resource, context, account or None)
    except ValueError as error:
        return Outcome(identifier, ERROR, str(error), expected=expected)
    found = evaluate(request, policies)
    return Outcome(identifier, str(found.verdict), found.reason, found, expected)


def _parse(entries: Sequence[tuple[str, Any]], where: str, kind: PolicyKind) -> tuple[Policy, ...]:
    parsed: list[Policy] = []
    for index, (name, document) in enumerate(entries):
        try:
            parsed.append(Policy(name or f"{where}[{index}]", _parsed(document, kind)))
        except PolicyError as error:
            raise PolicyError(
                " ".join(filter(None, (name or f"{where}[{index}]", error.where))), error.reason
            ) from None
    return tuple(parsed)


def _parsed(document: object, kind: PolicyKind) -> PolicyDocument:
    """The document, parsed once for all the cases that hold the same one."""
    try:
        text = json.dumps(document)
    except RecursionError:
        raise PolicyError("", "nested too deep") from None
    except (TypeError, ValueError):
        raise PolicyError("", "holds a value that is no JSON") from None
    return _parsed_text(text, kind)


@lru_cache(maxsize=4096)
def _parsed_text(text: str, kind: PolicyKind) -> PolicyDocument:
    return parse_policy(json.loads(text), kind)


class _Case:
    """The fields of a case, each checked for its shape."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, Mapping):
            raise CaseError(f"a case is an object, not {kind_of(value)}")
        self._value = value

    def text(self, name: str, default: str | None = None) -> str:
        found = self._value.get(name)
        if found is None and default is not None:
            return default
        if not isinstance(found, str):
            raise CaseError(f"{name}: must be a string, not {kind_of(found)}")
        return found

    def _list(self, name: str, value: object) -> Sequence[Any]:
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            raise CaseError(f"{name}: must be an array, not {kind_of(value)}")
        return value

    def policies(self, name: str, value: object = None) -> list[tuple[str, Any]]:
        """The (name, document) of each policy in a list."""
        found: list[tuple[str, Any]] = []
        for entry in self._list(name, self._value.get(name) if value is None else value):
            if isinstance(entry, Mapping) and "policy" in entry:
                found.append((str(entry.get("name") or ""), entry["policy"]))
            else:
                found.append(("", entry))
        return found

    def levels(self, name: str) -> list[list[tuple[str, Any]]]:
        """The policies of each level of an organisation."""
        levels = self._list(name, self._value.get(name))
        return [self.policies(f"{name}[{i}]", self._list(f"{name}[{i}]", level)) for i, level in enumerate(levels)]

    def single(self, name: str, kind: PolicyKind) -> Policy | None:
        """A policy that stands alone; None where there is none."""
        document = self._value.get(name)
        return None if document is None else _parse([(name, document)], name, kind)[0]

    def context(self) -> dict[str, str | list[str]]:
        """The condition keys, with booleans and numbers as IAM writes them."""
        found = self._value.get("context")
        if found is None:
            return {}
        if not isinstance(found, Mapping):
            raise CaseError(f"context: must be an object, not {kind_of(found)}")
        return {key: self._context_value(key, value) for key, value in found.items()}

    def _context_value(self, key: str, value: object) -> str | list[str]:
        if isinstance(value, list | tuple):
            return [self._scalar(key, one) for one in value]
        return self._scalar(key, value)

    @staticmethod
    def _scalar(key: str, value: object) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | int | float):
            return str(value)
        raise CaseError(f"context.{key}: must be a string, a number or a boolean, not {kind_of(value)}")
