"""Cases as data: requests with all their policies, and the answer that the IAM User Guide's rules give.

Each `*.jsonl` file is one topic, each line one neutral case (see `chalicelib.iam.cases`) with three fields more: `rule`
numbers the rule of the evaluation logic that it shows, `reason` says what is not plain from its id, and `uncertain`
marks a verdict that another reading of AWS's documentation changes. `operators.json` is the matrix of condition
operators, see `tests.iam.test_operators`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TOPICS = tuple(sorted(path.stem for path in FOLDER.glob("*.jsonl")))


def load_cases(*topics: str) -> list[dict[str, Any]]:
    """The cases of these topics, of all when none is named, in the order of the files."""
    lines = ((FOLDER / f"{topic}.jsonl").read_text(encoding="utf-8").splitlines() for topic in topics or TOPICS)
    return [json.loads(line) for topic in lines for line in topic]


def load_table(name: str) -> Any:
    """A table of another shape, from a JSON file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
