"""One of AWS's answers, walked with care: every step checks the type and knows its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.iam.account import Read
from chalicelib.iam.documents import kind_of, name_twice


class ExportError(ValueError):
    """An answer that is not what it is said to be. `read` says which, `where` the place in it."""

    def __init__(self, read: Read, where: str, reason: str) -> None:
        self.read = read
        super().__init__(f"{where}: {reason}" if where else reason)


class Node:
    """A JSON value and its place in an answer; every access checks the type."""

    def __init__(self, read: Read, value: object, where: str = "") -> None:
        self.read = read
        self.value = value
        self.where = where

    def _fail(self, wanted: str) -> ExportError:
        return ExportError(self.read, self.where, f"must be {wanted}, not {kind_of(self.value)}")

    def mapping(self) -> Mapping[str, Any]:
        """The value as an object."""
        if not isinstance(self.value, Mapping):
            raise self._fail("an object")
        if (twice := name_twice(self.value)) is not None:
            raise ExportError(self.read, self.where, f"the name {json.dumps(twice[:64])} stands twice")
        return self.value

    def get(self, name: str) -> Node:
        """The value of that name; null where there is none."""
        return Node(self.read, self.mapping().get(name), f"{self.where}.{name}".removeprefix("."))

    def items(self, name: str, *, required: bool = False) -> Iterator[Node]:
        """The elements of the array of that name; none where it is missing and not `required`."""
        node = self.get(name)
        if node.value is None and not required:
            return
        if not isinstance(node.value, list):
            raise node._fail("an array")
        for index, value in enumerate(node.value):
            yield Node(self.read, value, f"{node.where}[{index}]")

    def text(self, name: str) -> str:
        """The string of that name, with something in it."""
        node = self.get(name)
        if not isinstance(node.value, str) or not node.value:
            raise node._fail("a string with something in it")
        return node.value

    def maybe_text(self, name: str) -> str:
        """The string of that name; empty where there is none."""
        node = self.get(name)
        if node.value is None:
            return ""
        if not isinstance(node.value, str):
            raise node._fail("a string")
        return node.value

    @property
    def truncated(self) -> bool:
        """Whether AWS says that there are later pages."""
        return self.mapping().get("IsTruncated") is True
