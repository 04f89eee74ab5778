"""The page of the API: its requests are answered as it says, and what else it shows is taken as it stands there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.api.routes import ROUTES
from chalicelib.api.tokens import parse_tokens
from chalicelib.config import parse_settings
from chalicelib.iam.policy import parse_policy
from tests.api.people import APPROVER, people
from tests.api.world import Served
from tests.docs.pages import DOCS

PAGE = DOCS / "api.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = [
    (words, text) for words, text in re.findall(r"^```(\S[^\n]*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
]
ASKED = [
    (words.removeprefix("json asks "), text, *BLOCKS[number + 1])
    for number, (words, text) in enumerate(BLOCKS)
    if words.startswith("json asks ")
]
PASSING = re.compile(r"api-\d{8}T\d{6}Z-\d{12}-[0-9a-f]{8}(-once)?|urn:uuid:[0-9a-f-]{36}")
"""What is another one each time."""


@pytest.fixture(scope="module")
def asked() -> Iterator[tuple[Served, str]]:
    with people() as found:
        yield found


def block(words: str) -> str:
    return dict(BLOCKS)[words]


def holds(real: Any, shown: Any) -> bool:
    """Whether an answer holds all that is shown of it; of a list each element, in its order."""
    if isinstance(shown, dict):
        return isinstance(real, dict) and all(key in real and holds(real[key], one) for key, one in shown.items())
    if isinstance(shown, list):
        rest = iter(real)
        return all(any(holds(other, one) for other in rest) for one in shown)
    if isinstance(shown, str) and PASSING.fullmatch(shown):
        return isinstance(real, str) and PASSING.fullmatch(real) is not None
    return bool(real == shown)


def test_the_requests_are_answered_as_it_says(asked: tuple[Served, str]) -> None:
    """One after the other, as somebody reads them."""
    served, run = asked
    assert len(ASKED) > len(ROUTES)
    for request, body, words, shown in ASKED:
        method, path = request.replace("/v1/audits/RUN", run).split(" ")
        text = body.replace('"DAY"', f'"{datetime.now(UTC).date()}"')
        answer = served.ask(method, path, text, APPROVER)
        assert words == f"json answers {answer.status}", (request, answer.text)
        assert holds(answer.json, json.loads(shown)), (request, answer.text)


def test_every_route_is_told_of_and_no_other() -> None:
    told = re.findall(r"^\| `(GET|POST|DELETE) (/v1/\S+)` \|", TEXT, re.MULTILINE)
    assert told == [(one.method, one.path) for one in ROUTES]
    shown = {request.split(" ")[0] + _template(request) for request, *_ in ASKED}
    left = {one.method + one.path for one in ROUTES} - shown
    assert left == {"GET/v1/openapi.json", "GET/v1/report"}


def _template(request: str) -> str:
    path = request.split(" ")[1].partition("?")[0]
    for one in ROUTES:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(one.path))
        if re.fullmatch(pattern, path):
            return one.path
    raise AssertionError(path)


def test_what_else_it_shows_is_taken() -> None:
    settings = parse_settings(block("toml settings"))
    assert settings.api.access is not None
    assert settings.remediation.may_approve("arn:aws:iam::111122223333:role/security")
    assert [one.name for one in parse_tokens(block("json tokens"))] == ["dashboard"]
    assert parse_policy(json.loads(block("json policy"))).statements
    config = json.loads((Path(PAGE).parents[1] / ".chalice" / "config.json").read_text())
    shown = json.loads(block("json config"))["stages"]
    assert shown.keys() <= config["stages"].keys()
    [variables] = [one["environment_variables"] for one in shown.values()]
    assert variables.keys() <= config["environment_variables"].keys()
