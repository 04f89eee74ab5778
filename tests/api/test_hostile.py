"""What somebody typed to do harm, and the API tells: JSON in UTF-8 that moves no terminal, and says what was typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.api.exchange import Answer
from chalicelib.diff import diff
from chalicelib.findings import Finding
from chalicelib.ledger import suppress
from chalicelib.local.http_events import HttpAnswer
from tests.accounts.build import ACCOUNT
from tests.api.world import AUDITOR, Served, now
from tests.hostile import ALL, each_of_all
from tests.ledger.build import audit, finding

STORED = {what: text for what, text in ALL.items() if len(text) < 2_000}
"""Those that a key of the ledger has room for."""


def about(text: str) -> Finding:
    """A finding with the text wherever somebody else chooses one."""
    evidence: dict[str, Any] = {
        "summary": text,
        "uncertain": [text],
        "statements": [{"layer": "identity policy", "policy": text, "sid": text, "statement": 0, "effect": text}],
    }
    return finding(user=whole(text), action=text, evidence=evidence)


@pytest.fixture(scope="module")
def told(shared: Served) -> dict[str, Any]:
    """Fingerprint → what the API tells of the finding; all are accepted, for a reason."""
    ledger, seen = shared.world.deployment.ledger, now()
    found = {one.fingerprint: text for text in STORED.values() for one in [about(text)]}
    opened = ledger.apply(diff(audit(*map(about, STORED.values())), [], "one", seen))
    ledger.apply([suppress(one.after, seen.date(), f"a{found[one.fingerprint]}", "olga", seen) for one in opened])
    answers = list(pages(shared))
    assert all(answer.text.isascii() and answer.text.isprintable() for answer in answers)
    return {one["fingerprint"]: one for answer in answers for one in answer.json["findings"]}


def pages(served: Served) -> Iterator[HttpAnswer]:
    """All pages of findings."""
    cursor: str | None = ""
    while cursor is not None:
        asked = urlencode({"account": ACCOUNT, "limit": 50, **({"cursor": cursor} if cursor else {})})
        answer = served.world.deployment.request("GET", f"/v1/findings?{asked}", caller=AUDITOR)
        assert answer.status == 200
        yield answer
        cursor = answer.json["next"]


@pytest.mark.parametrize("text", STORED.values(), ids=list(STORED))
def test_a_finding_is_told_as_it_was_and_moves_no_terminal(told: dict[str, Any], text: str) -> None:
    one = about(text)
    value = told[one.fingerprint]
    assert value["user"] == one.user
    assert value["evidence"] == whole(one.evidence)
    assert value["suppression"]["reason"] == f"a{text}".strip()


def whole(value: Any) -> Any:
    """The value without half characters, which no finding in the table keeps."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))


@each_of_all
def test_any_answer_is_json_in_ascii(name: str) -> None:
    text = Answer(value={name: [name]}).text
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text) == {name: [name]}


@each_of_all
def test_who_asks_so_is_answered_as_anybody(shared: Served, name: str) -> None:
    """Names that there cannot be are refused, and what is told of it moves no terminal."""
    body = json.dumps({"account": ACCOUNT, "user": name, "action": name, "resource": name, "context": {name: name}})
    answer = shared.world.deployment.request(
        "POST", "/v1/decisions", {"content-type": "application/json"}, body, AUDITOR
    )
    assert 400 <= answer.status < 500
    assert answer.text.isascii()
    assert answer.text.isprintable()
