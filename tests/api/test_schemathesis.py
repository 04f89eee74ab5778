"""Requests made of the OpenAPI document, as it says and otherwise, to the API on loopback: the answers are as it says.

`make fuzz` makes many more of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from chalicelib.api.edge import document
from chalicelib.local.api_server import ApiServer, api_server
from chalicelib.local.signatures import SERVICE, Key
from chalicelib.runs import report_of
from chalicelib.sweep import Run
from tests.accounts.build import ACCOUNT, ADMIN
from tests.api.world import AUDITOR, Served, now
from tests.functions.conftest import OWN
from tests.ledger.build import audit

EXAMPLES = int(os.environ.get("MFAWATCH_FUZZ", "5"))
"""Requests for each route, as the document says and otherwise."""
KEY = Key(AUDITOR)
REGION = "eu-west-1"
SCHEMA: Any = schemathesis.openapi.from_dict(dict(document()))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
WAYS = [
    pytest.param(operation, mode, id=f"{operation.label}, {mode.value}")
    for operation in OPERATIONS
    for mode in GenerationMode
    # Where nothing is to be told, nothing can be told wrong.
    if mode is GenerationMode.POSITIVE or operation.body or "{" in operation.path or operation.query
]
CHECKS_OF: Any = CHECKS.get_all()
NOT_HELD = [check for check in CHECKS_OF if check.__name__ in ("positive_data_acceptance", "ignored_auth")]
"""What a schema takes may be refused all the same: a day that is over, a control character in a reason. And whatever
Authorization is made up for a request, it is signed in place of that."""


class Signing(AuthBase):
    """Signs a request as AWS wants it."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        made = AWSRequest(request.method, request.url, headers={}, data=body or b"")
        SigV4Auth(Credentials(KEY.id, KEY.secret), SERVICE, REGION).add_auth(made)
        request.headers.update(made.headers.items())
        return request


@pytest.fixture(scope="module")
def url(shared: Served) -> Iterator[str]:
    """The API on loopback."""
    with api_server(ApiServer(shared.world.deployment.request, KEY, REGION, "/v1/health", lambda: None)) as found:
        yield found


@pytest.fixture(scope="module")
def known(shared: Served) -> dict[str, list[Any]]:
    """Names that there are, by the parameter or the field that they are for."""
    stored, made = shared.finding(), Run("sweep-1", now())
    shared.world.deployment.ledger.keep_report(report_of(audit(), [], made, made.started))
    iam = shared.world.iam(OWN)
    iam.create_user(UserName="alice")
    iam.put_user_policy(UserName="alice", PolicyName="all", PolicyDocument=json.dumps(ADMIN))
    iam.create_access_key(UserName="alice")
    return {
        "fingerprint": [stored.fingerprint],
        "run": [made.id],
        "name": ["alice"],
        "user": ["alice", stored.user],
        "users": [["alice"]],
        "account": [ACCOUNT, OWN],
    }


@pytest.mark.parametrize(("operation", "mode"), WAYS)
def test_what_is_answered_is_what_the_document_says(
    url: str, known: dict[str, list[Any]], operation: Any, mode: GenerationMode
) -> None:
    @given(operation.as_strategy(generation_mode=mode), st.sampled_from([None, 0, 1]))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case: Case[Any], about: int | None) -> None:
        for told in (case.path_parameters, case.query, case.body):
            if about is not None and mode is GenerationMode.POSITIVE and isinstance(told, dict):
                told.update({name: known[name][about % len(known[name])] for name in told if name in known})
        response = case.call(base_url=url, auth=Signing())
        # API Gateway refuses so as well, in words of its own; and the schema knows of no limit.
        if response.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            case.validate_response(response, excluded_checks=NOT_HELD)

    ask()
