"""Resource and NotResource elements: which ARNs their entries cover.

A request for an action without resource types carries the resource "*": only an entry of nothing but stars covers it.

Two points of AWS's documentation decide between requests and can be read in two ways:

* whether a star that ends a segment of an ARN runs past the colons behind it, and whether a service may be a wildcard.
  An element that lets more through when it matches more (Resource in an Allow, NotResource in a Deny) takes the wider
  reading, any other the narrower: a doubt then raises a finding and never hides one;
* whether a wildcard may stand in the resource type ("u*/alice") and whether upper case counts in the segments before.
  Here simulators agree with each other, and their reading is taken.

Source: IAM User Guide, "IAM JSON policy elements: Resource".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from functools import partial

from chalicelib.iam.patterns import (
    ARN_SEGMENTS,
    NEVER,
    Alternatives,
    Context,
    Readings,
    Template,
    compile_source,
    glob_source,
    has_wildcard,
    is_everything,
    parse_template,
    plain,
)

UNTYPED_SERVICES = frozenset(
    {
        "aws-marketplace", "codecommit", "codepipeline", "execute-api", "kinesis", "mapcredits", "mediaconnect", "mgh",
        "neptune-db", "s3", "servicequotas", "sns", "sqs", "ssm-sap", "wafv2",
    }
)  # fmt: skip
"""Services with ARNs whose resource part begins with a name instead of a type (Service Authorization Reference)."""


class ShortArn(Enum):
    """What an ARN pattern with fewer than six segments stands for, by the kind of policy it is written in."""

    PADDED = "the missing segments are stars"
    PADDED_AFTER_STAR = "the missing segments are stars if the pattern ends with one"
    NOTHING = "it matches nothing"


class ResourcePatterns:
    """The entries of a Resource or NotResource element.

    `wide` chooses the reading of stars (see the module); `variables` says whether the document's version has policy
    variables, which count in the sixth segment alone.
    """

    __slots__ = ("_dynamic", "_fixed", "_other", "_short", "_wide", "entries", "everything", "keys", "odd")

    def __init__(
        self, entries: Sequence[str], *, wide: bool, variables: bool, short: ShortArn = ShortArn.PADDED
    ) -> None:
        self.entries = tuple(entries)
        self._wide = wide
        self._short = short
        fixed: list[str] = []
        self._dynamic: list[tuple[str, Template]] = []
        for entry in entries:
            head, tail = _split_tail(entry)
            if variables and (template := parse_template(tail)):
                self._dynamic.append((head, template))
            else:
                fixed.append(entry)
        self.everything = any(map(is_everything, fixed))
        fixed = [entry for entry in fixed if not is_everything(entry)]
        self._fixed = Alternatives(fixed, partial(self._source, taken=True))
        self._other = Alternatives(fixed, partial(self._source, taken=False))
        self.keys = frozenset[str]().union(*(template.keys for _, template in self._dynamic))
        """The condition keys that its policy variables name."""
        self.odd = any(map(_is_odd, entries)) or any(template.in_doubt for _, template in self._dynamic)
        """Whether the readings can differ even for an ARN of six segments."""

    @property
    def has_variables(self) -> bool:
        """Whether an entry has a policy variable or an escape, and the document's version lets it count."""
        return bool(self._dynamic)

    def matches(self, resource: str, context: Context) -> bool:
        """Whether an entry covers the ARN, or "*"."""
        if self.everything or self._fixed.matches(resource):
            return True
        return bool(self._dynamic) and self._matches_dynamic(resource, context, taken=True)

    def readings(self, resource: str, context: Context) -> Readings:
        """The reading that is taken and the other one."""
        taken = self.matches(resource, context)
        # With as many colons in the pattern as in the ARN there is nothing that a star could span.
        if self.everything or (not self.odd and resource.count(":") < ARN_SEGMENTS):
            return Readings(taken, taken)
        other = self._other.matches(resource) or self._matches_dynamic(resource, context, taken=False)
        return Readings(taken, other)

    def _matches_dynamic(self, resource: str, context: Context, *, taken: bool) -> bool:
        for head, template in self._dynamic:
            tail = template.resolve(context, taken=taken)
            if tail is None:
                continue
            # Most name the caller and nothing else: there is no need of an expression for each caller of an account.
            start = resource.removesuffix(plain(tail))
            if has_wildcard(tail):
                found = compile_source(self._source(head + tail, taken=taken)).fullmatch(resource)
            else:
                found = compile_source(self._source(head, taken=taken)).fullmatch(start) if start != resource else None
            if found:
                return True
        return False

    def _source(self, entry: str, *, taken: bool) -> str:
        """The entry as a regular expression, in one of its two readings."""
        segments = entry.split(":", ARN_SEGMENTS - 1)
        if missing := ARN_SEGMENTS - len(segments):
            if self._short is ShortArn.NOTHING:
                return NEVER
            if self._short is ShortArn.PADDED_AFTER_STAR and not entry.endswith("*"):
                return NEVER
            segments += ["*"] * missing
        *head, tail = segments
        wide = self._wide is taken
        if (taken and _has_wild_type(segments)) or (not wide and has_wildcard(head[2])):
            return NEVER
        char = "." if wide else "[^:]"
        flags = "ai" if taken else ""
        return f"(?{flags}:{':'.join(glob_source(segment, char) for segment in head)}):{glob_source(tail)}"


def service_of(entry: str) -> str:
    """The service that an entry names; empty for "*" and where the service is a wildcard or missing."""
    segments = entry.split(":", ARN_SEGMENTS - 1)
    return segments[2].lower() if len(segments) > 2 and not has_wildcard(segments[2]) else ""


def _split_tail(entry: str) -> tuple[str, str]:
    """What stands before the resource part, and the resource part: the only one that takes policy variables."""
    segments = entry.split(":", ARN_SEGMENTS - 1)
    tail = segments[-1] if len(segments) == ARN_SEGMENTS else ""
    return entry[: len(entry) - len(tail)], tail


def _has_wild_type(segments: Sequence[str]) -> bool:
    """Whether the resource type, what stands before the first / or :, holds a wildcard: "u*/alice"."""
    *head, tail = segments
    kind, separator, _ = re.sub(r"[/:].*", "/", tail, flags=re.DOTALL).partition("/")
    return (
        bool(separator) and has_wildcard(kind) and head[2].lower() not in UNTYPED_SERVICES and not has_wildcard(head[2])
    )


def _is_odd(entry: str) -> bool:
    if is_everything(entry):
        return False
    segments = entry.split(":", ARN_SEGMENTS - 1)
    if len(segments) < ARN_SEGMENTS:
        return True
    head = "".join(segments[:-1])
    return head != head.lower() or has_wildcard(segments[2]) or _has_wild_type(segments)
