"""The Slack secret: the forms it may have, and that nothing tells what it holds."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.slack_secret import BotToken, SecretError, Webhook, parse_secret

TOKEN, HOOK = "xoxb-12-34-AbCd", "https://hooks.slack.com/services/T0/B0/secret"
SIGNING = "0123456789abcdefAbCd/secret"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (TOKEN, BotToken(TOKEN)),
        (f"  {TOKEN}\n", BotToken(TOKEN)),
        (HOOK, Webhook(HOOK)),
        (json.dumps({"bot_token": TOKEN}), BotToken(TOKEN)),
        (json.dumps({"webhook": HOOK}), Webhook(HOOK)),
        (json.dumps({"bot_token": TOKEN, "webhook": "", "note": "rotated in May"}), BotToken(TOKEN)),
        (json.dumps({"bot_token": TOKEN, "signing_secret": SIGNING}), BotToken(TOKEN, SIGNING)),
        (json.dumps({"webhook": HOOK, "signing_secret": SIGNING}), Webhook(HOOK, SIGNING)),
        (json.dumps({"bot_token": TOKEN, "signing_secret": ""}), BotToken(TOKEN)),
        (json.dumps({"bot_token": TOKEN, "signing_secret": None}), BotToken(TOKEN)),
        ("http://127.0.0.1:8080/x", Webhook("http://127.0.0.1:8080/x")),
        ("http://localhost/x", Webhook("http://localhost/x")),
        ("http://[::1]:1/x", Webhook("http://[::1]:1/x")),
    ],
)
def test_secrets(text: str, secret: object) -> None:
    assert parse_secret(text) == secret
    assert "AbCd" not in repr(secret)
    assert "secret" not in repr(secret)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "{" * 100_000,
        json.dumps({"bot_token": TOKEN, "webhook": HOOK}),
        json.dumps({"bot_token": 1}),
        json.dumps({"webhook": 1}),
        json.dumps({"webhook": TOKEN}),
        json.dumps({"bot_token": HOOK}),
        json.dumps({"signing_secret": SIGNING}),
        json.dumps({"bot_token": TOKEN, "signing_secret": "AbCd"}),
        json.dumps({"bot_token": TOKEN, "signing_secret": f"{SIGNING}\n"}),
        json.dumps({"bot_token": TOKEN, "signing_secret": "é" * 32}),
        json.dumps({"webhook": HOOK, "signing_secret": 10**32}),
        f"{TOKEN} {TOKEN}",
        f"{TOKEN}\r\nX-Other: 1",
        "http://hooks.slack.com/services/T0/B0/secret",
        "http://127.0.0.1.example/secret",
        "http://127.0.0.1@evil.example/secret",
        "https:///secret",
        "https://[secret",
        "ftp://localhost/secret",
        "https://hooks.slack.com/a b",
    ],
)
def test_what_is_no_secret_is_not_told(text: str) -> None:
    with pytest.raises(SecretError) as caught:
        parse_secret(text)
    told = str(caught.value)
    assert told.isprintable()
    assert "AbCd" not in told
    assert "secret/" not in told
    assert "/secret" not in told
    assert caught.value.__cause__ is None


@given(
    st.text()
    | st.text().map("https://".__add__)
    | st.dictionaries(st.sampled_from(["webhook", "signing_secret"]), st.text()).map(json.dumps)
)
def test_any_text_is_a_secret_or_none(text: str) -> None:
    found: object = None
    with suppress(SecretError):
        found = parse_secret(text)
    assert found is None or isinstance(found, BotToken | Webhook)
