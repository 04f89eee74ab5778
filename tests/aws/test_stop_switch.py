"""The stop switch in a parameter: which of its answers stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.aws.stop_switch import ParameterStopSwitch


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "because"}}, "GetParameter")


@dataclass
class Ssm:
    """Answers with a value, or fails."""

    answer: Any

    def get_parameter(self, **_: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"Parameter": {"Value": self.answer}}


CASES = [
    ("run", "", ""),
    ("Run", "does not say run", "does not say run"),
    ("run\n", "does not say run", "does not say run"),
    ("", "does not say run", "does not say run"),
    ("stop", "does not say run", "does not say run"),
    (refusal("ParameterNotFound"), "cannot be read: ParameterNotFound: because", ""),
    (
        refusal("AccessDeniedException"),
        "cannot be read: AccessDeniedException",
        "cannot be read: AccessDeniedException",
    ),
    (refusal("ThrottlingException"), "cannot be read: Throttling", "cannot be read: Throttling"),
    (EndpointConnectionError(endpoint_url="http://nowhere"), "cannot be read: Could not", "cannot be read: Could not"),
    (KeyError("Parameter"), "cannot be read: an answer that is none", "cannot be read: an answer that is none"),
]


@pytest.mark.parametrize(("answer", "deployed", "may_be_missing"), CASES, ids=lambda one: repr(one)[:30])
def test_what_stops(answer: Any, deployed: str, may_be_missing: str) -> None:
    for told, switch in [
        (deployed, ParameterStopSwitch(Ssm(answer), "/p")),
        (may_be_missing, ParameterStopSwitch(Ssm(answer), "/p", may_be_missing=True)),
    ]:
        found = switch()
        assert bool(found) is bool(told)
        assert told in found
        assert not found or found.startswith("the parameter /p ")
