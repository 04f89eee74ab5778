"""ARNs that are shortened in the middle where a line is too short for them, and no reader could take two for one."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ARN = re.compile(
    r"arn:[^:\s,;]+:[^:\s,;]+:[^:\s,;]*:(?P<account>[^:\s,;]+):(?P<end>[a-z-]+[/:](?:[^\s,;]|[,;](?=\S))+)"
)


class Arns:
    """The ARNs of an account's own resources in some texts, as far as their ends say what they are and tell them apart.

    Those of other accounts, of AWS and of nobody stay whole: whose they are is what counts in them.
    """

    def __init__(self, texts: Iterable[str], account: str) -> None:
        self._account = account
        starts: dict[str, set[str]] = {}
        for text in texts:
            for found in _ARN.finditer(text):
                starts.setdefault(found["end"], set()).add(text[found.start() : found.start("end")])
        self._unique = frozenset(end for end, found in starts.items() if len(found) == 1)

    def shortened(self, text: str) -> str:
        """The text with short ARNs."""
        return _ARN.sub(self._short, text)

    def _short(self, found: re.Match[str]) -> str:
        own = found["account"] == self._account and found["end"] in self._unique
        return f"arn:…:{found['end']}" if own else found[0]
