"""Texts that somebody may choose for a name, a tag or a user agent to do harm where they are shown: one file of them.

Each sort is a dictionary, what it is → the text. A long one stands in the file as a piece and how often it comes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

_SORTS = json.loads(Path(__file__).with_suffix(".json").read_text())


def _sort(name: str) -> dict[str, str]:
    return {what: text if isinstance(text, str) else text[0] * text[1] for what, text in _SORTS[name].items()}


HOSTILE = _sort("control characters")
"""What moves a terminal, or is not seen, or turns the order of what stands around it."""
MARKUP = _sort("markup")
"""What browsers and viewers of Markdown make something of."""
TRAPS = HOSTILE | _sort("formulas") | MARKUP | _sort("lengths")
"""With it what spreadsheets, browsers and viewers of Markdown make something of."""
SLACK = _sort("slack")
"""What Slack makes something of."""
CONSOLE = _sort("console")
"""What the library that draws tables makes something of."""
ALL = TRAPS | {f"{what} in Slack": text for what, text in SLACK.items()}

each = pytest.mark.parametrize("name", HOSTILE.values(), ids=list(HOSTILE))
each_trap = pytest.mark.parametrize("name", TRAPS.values(), ids=list(TRAPS))
each_of_all = pytest.mark.parametrize("name", ALL.values(), ids=list(ALL))
