"""The canonical policies: the files of the folder policies/, one link each, so that they come with the package."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from importlib.resources.abc import Traversable


def names() -> tuple[str, ...]:
    """The names of the canonical policies, sorted."""
    return tuple(sorted(file.name.removesuffix(".json") for file in _files()))


def read_policy(name: str) -> str:
    """The text of a canonical policy.

    Raises:
        KeyError: there is none of that name.
    """
    if name not in names():
        raise KeyError(name)
    return (importlib.resources.files(__name__) / f"{name}.json").read_text(encoding="utf-8")


def _files() -> Iterator[Traversable]:
    return (file for file in importlib.resources.files(__name__).iterdir() if file.name.endswith(".json"))
