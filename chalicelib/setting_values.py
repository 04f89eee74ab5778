"""Values that more than one part of the settings has: accounts, users, controls, and patterns of names. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from chalicelib.findings import Severity
from chalicelib.iam.patterns import ARN_SEGMENTS, compile_source, fold, glob_source
from chalicelib.settings_file import Node, hint, quoted

EVERYBODY = ("*",)

_ACCOUNT = re.compile(r"[0-9]{12}")
_USER = re.compile(r"[A-Za-z0-9_+=,.@*?-]+")
_PRINCIPAL = re.compile(r"arn:[a-z*-]+:iam::[0-9*?]{1,12}:(role/[\w+=,.@*?-]+|user/[\w+=,.@*?/-]+|root|\*)", re.ASCII)


def parse_accounts(node: Node) -> tuple[str, ...]:
    """The ids of accounts."""
    return node.elements("strings", lambda one: one.string(_ACCOUNT, "an account id, 12 digits"))


def parse_users(node: Node) -> tuple[str, ...]:
    """Patterns of user names."""
    return node.elements("strings", lambda one: one.string(_USER, "a user name, with * and ? as wildcards"))


def parse_some(node: Node, read: Callable[[Node], tuple[str, ...]]) -> tuple[str, ...]:
    """A list that narrows something down: an empty one could be taken for none, and narrow nothing."""
    found = read(node)
    if not found:
        raise node.wrong("must not be empty")
    return found


def parse_control(node: Node, known: Collection[str] | None) -> str:
    """The id of a control; None knows any."""
    found = node.string()
    if known is not None and found not in known:
        raise node.wrong(f"no control {quoted(found)}; {hint(found, known)}")
    return found


def parse_severity(node: Node) -> Severity:
    """A severity by its name."""
    if node.value not in list(map(str, Severity)):
        raise node.wrong(f"must be one of {', '.join(Severity)}")
    return Severity(node.value)


def names_user(patterns: Iterable[str], user_name: str) -> bool:
    """Whether one of the patterns is for the user."""
    return matches((glob_source(fold(pattern)) for pattern in patterns), fold(user_name))


def parse_principals(node: Node) -> tuple[str, ...]:
    """Patterns of the ARNs of users and roles, as `names_principal` takes them."""
    return node.elements("strings", parse_principal)


def parse_principal(node: Node) -> str:
    """A pattern of the ARNs of users or roles."""
    return node.string(
        _PRINCIPAL,
        "the ARN of a user, or of a role without its path, such as arn:aws:iam::111122223333:role/auditor,"
        " with * and ? as wildcards",
    )


def names_principal(patterns: Iterable[str], arn: str) -> bool:
    """Whether one of the patterns is for a user or role of that ARN."""
    return matches(map(arn_source, patterns), arn)


def arn_source(pattern: str) -> str:
    """The regular expression of a pattern of ARNs."""
    # What is accepted is read narrowly: a star for the region must not run on into another account, and a question mark
    # is for no star, where a pattern is what is found.
    *head, tail = pattern.split(":", ARN_SEGMENTS - 1)
    return ":".join([*(glob_source(segment, "[^:]", "[^:*]") for segment in head), glob_source(tail, one="[^*]")])


def matches(sources: Iterable[str], text: str) -> bool:
    """Whether one of the regular expressions is for all of the text."""
    return any(compile_source(source).fullmatch(text) for source in sources)
