"""What one person in Slack sees: where an answer goes to, and a form within Slack's limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from slack_sdk.webhook import WebhookClient, WebhookResponse

from chalicelib.local.slack_limits import view_complaint
from chalicelib.notify.accept_form import accept_form
from chalicelib.notify.slack_api import SLACK_API
from chalicelib.notify.slack_person import LONGEST, open_form, whisper
from chalicelib.notify.slack_secret import BotToken
from tests.ledger.build import audit, finding, ledger_after

LOCAL, GOV = "http://127.0.0.1:4321/api/", "https://slack-gov.com/api/"
URLS = [
    ("https://hooks.slack.com/actions/T0/1/x", SLACK_API, True),
    ("https://hooks.slack.com:443/actions/T0/1/x", SLACK_API, True),
    ("https://hooks.slack-gov.com/actions/T0/1/x", GOV, True),
    ("http://127.0.0.1:4321/actions/T0/1/x", LOCAL, True),
    ("https://hooks.slack-gov.com/actions/T0/1/x", SLACK_API, False),
    ("http://hooks.slack.com/actions/T0/1/x", SLACK_API, False),
    ("https://hooks.slack.com:8443/actions/T0/1/x", SLACK_API, False),
    ("https://hooks.slack.com.example.com/x", SLACK_API, False),
    ("https://hooks.slack.com@example.com/x", SLACK_API, False),
    ("https://anna@hooks.slack.com/x", SLACK_API, False),
    ("https://example.com/hooks.slack.com", SLACK_API, False),
    ("https://slack.com/api/chat.postMessage", SLACK_API, False),
    ("http://169.254.169.254/latest/meta-data", SLACK_API, False),
    ("http://127.0.0.1:4322/actions/T0/1/x", LOCAL, False),
    ("http://127.0.0.1/actions/T0/1/x", LOCAL, False),
    ("file:///etc/passwd", SLACK_API, False),
    ("https://[hooks.slack.com/x", SLACK_API, False),
    ("https://hooks.slack.com:x/x", SLACK_API, False),
    ("", SLACK_API, False),
]


@pytest.mark.parametrize(("url", "api", "expected"), URLS)
def test_an_answer_goes_to_slack_and_nowhere_else(
    url: str, api: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Mapping[str, Any]] = []

    def send(client: WebhookClient, body: dict[str, Any]) -> WebhookResponse:
        sent.append(body)
        return WebhookResponse(url=client.url, status_code=200, body="ok", headers={})

    monkeypatch.setattr(WebhookClient, "send_dict", send)
    assert (whisper(url, "<!channel> & more", api) == "") is expected
    told = {"response_type": "ephemeral", "replace_original": False, "text": "&lt;!channel&gt; &amp; more"}
    assert sent == ([told] if expected else [])


def test_what_is_told_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def send(client: WebhookClient, body: dict[str, Any]) -> WebhookResponse:
        sent.append(body["text"])
        return WebhookResponse(url=client.url, status_code=500, body="", headers={})

    monkeypatch.setattr(WebhookClient, "send_dict", send)
    assert whisper("https://hooks.slack.com/x", "&" * 5000) == "answered with status 500"
    assert len(sent[0]) <= LONGEST


def test_no_form_is_asked_for_where_others_could_read_it() -> None:
    assert "must begin with https://" in open_form(BotToken("xoxb-1"), "a-trigger", {}, "http://example.com/api/")


@pytest.mark.parametrize("text", ["A title", "<!channel> & `x`", "\u202e\x1b[2J", "&" * 5000, ""])
def test_a_form_holds_whatever_a_finding_says(text: str) -> None:
    [stored] = ledger_after(audit(finding(user=text[:60].replace("#", "") or "alice")))
    stored = replace(stored, finding={**stored.finding, "title": text})
    form = accept_form(stored, date(2026, 1, 31), 3, 500)
    assert view_complaint(form) == ""
    shown = form["blocks"][0]["text"]["text"]
    assert "<!" not in shown
    assert "\x1b" not in shown
    assert form["blocks"][2]["element"]["initial_date"] == "2026-03-02"
    assert form["private_metadata"] == f"{stored.account}/{stored.fingerprint}"
