"""A terminal of a width, for what is written to one."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch


class Terminal(io.StringIO):
    """What a terminal looks like to whoever asks."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@contextmanager
def terminal(width: int, **variables: str) -> Iterator[Terminal]:
    """A terminal of this many columns; without colours, unless the variables say what it can do."""
    with patch.dict(os.environ, {"TERM": "dumb"} | variables | {"COLUMNS": str(width)}):
        for name in {"NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLORTERM"} - set(variables):
            os.environ.pop(name, None)
        yield Terminal()
