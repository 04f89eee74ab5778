"""authorize: lets in who shows a token, where a deployment is packaged so (`MFAWATCH_API_AUTHORIZER` = bearer)."""

from __future__ import annotations

from typing import Any

from chalicelib.api.tokens import parse_tokens, token_in
from chalicelib.functions.telemetry import logger
from chalicelib.hub import Hub

TTL = 60
"""Seconds for which API Gateway remembers whom it let in; a token that is taken back is good for so much longer."""


def authorize_bearer(header: str, hub: Hub) -> dict[str, Any]:
    """What API Gateway is to do with whoever sends this header: the policy for all routes, and what is known of them.

    Raises:
        TokensError: the secret says nothing of tokens. Nobody is let in then.
    """
    token = token_in(header, parse_tokens(hub.api_tokens()), hub.clock())
    logger.info("let in" if token else "not let in", extra={"token": token.name if token else ""})
    return {
        "principalId": f"token:{token.name}" if token else "nobody",
        "policyDocument": {
            "Version": "2012-10-17",
            # What is allowed is remembered for the token, whichever route it was shown at first.
            "Statement": [{"Effect": "Allow" if token else "Deny", "Action": "execute-api:Invoke", "Resource": "*"}],
        },
        "context": token.context if token else {},
    }
