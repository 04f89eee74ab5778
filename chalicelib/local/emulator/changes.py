"""How moto is changed: for as long as a stack is open, and only where it lacks something."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch


class Changes:
    """Changes of moto's classes and modules, undone when the stack closes."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def add(self, owner: type, **operations: Callable[..., Any]) -> bool:
        """Add operations that belong together; leaves the owner as it is where it has the first of them already."""
        if hasattr(owner, next(iter(operations))):
            return False
        for name, operation in operations.items():
            self._stack.enter_context(patch.object(owner, name, operation, create=True))
        return True

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Put another in the place of what the owner has by that name."""
        self._stack.enter_context(patch.object(owner, name, value))
