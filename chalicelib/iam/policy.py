"""Policy documents: JSON in, frozen statements out, with errors that name the statement and the field.

A document that IAM would not have stored is an error and never evaluated: which of its statements AWS would apply is
anybody's guess. Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.iam.documents import JsonError, kind_of, parse_document
from chalicelib.iam.statement import PolicyError, PolicyKind, Statement, StatementParser, check_names, object_at

CURRENT_VERSION = "2012-10-17"
VERSIONS = ("2008-10-17", CURRENT_VERSION)
LONGEST = 1_000_000
"""Characters without white space, far beyond what AWS stores: the largest of customers' are KMS key policies of 32 KB,
of its own managed ones AWSSupportServiceRolePolicy has some 150 KB."""
MOST_REMEMBERED = 4096
"""Actions of which a document remembers the statements."""


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A parsed policy document."""

    version: str
    statements: tuple[Statement, ...]
    id: str | None = None
    _about: dict[str, tuple[Statement, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements that cover the action, a lower-case `service:name`; remembered, as requests come in groups."""
        found = self._about.get(action)
        if found is None:
            if len(self._about) >= MOST_REMEMBERED:
                self._about.clear()
            found = tuple(statement for statement in self.statements if statement.covers_action(action))
            self._about[action] = found
        return found

    @property
    def keys(self) -> frozenset[str]:
        """Every condition key on which its effect can depend."""
        return frozenset[str]().union(*(statement.keys for statement in self.statements))

    def to_json(self) -> dict[str, Any]:
        """The document as JSON values; parsing it gives a document that decides the same."""
        result: dict[str, Any] = {"Version": self.version}
        if self.id is not None:
            result["Id"] = self.id
        result["Statement"] = [statement.to_json() for statement in self.statements]
        return result


def parse_policy(source: object, kind: PolicyKind = PolicyKind.IDENTITY) -> PolicyDocument:
    """Parse a policy document: JSON text (plain or with percent signs), or the values of one.

    Raises:
        PolicyError: IAM would not have stored it as that kind of policy.
    """
    try:
        value = parse_document(source) if isinstance(source, str) else source
        document = object_at(value, "")
        _check_size(source, document)
    except JsonError as error:
        raise PolicyError("", f"no JSON: {error}") from None
    check_names(document, "", ("Version", "Id", "Statement"))
    version = document.get("Version", VERSIONS[0])
    if version not in VERSIONS:
        raise PolicyError("Version", f"must be one of {', '.join(VERSIONS)}")
    identifier = document.get("Id")
    if "Id" in document and not isinstance(identifier, str):
        raise PolicyError("Id", f"must be a string, not {kind_of(identifier)}")
    if "Statement" not in document:
        raise PolicyError("Statement", "is missing")
    found = document["Statement"]
    bodies = found if isinstance(found, list | tuple) else [found]
    parser = StatementParser(kind, variables=version == CURRENT_VERSION)
    return PolicyDocument(version, tuple(parser.parse(index, body) for index, body in enumerate(bodies)), identifier)


def _check_size(source: object, document: Mapping[str, Any]) -> None:
    try:
        text = source if isinstance(source, str) else json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        raise PolicyError("", "nested too deep") from None
    except (TypeError, ValueError):
        raise PolicyError("", "holds a value that is no JSON") from None
    if len(text) > LONGEST and len("".join(text.split())) > LONGEST:
        raise PolicyError("", f"is longer than any policy AWS stores ({LONGEST:,} characters without white space)")
