"""What happens to the calls of AWS that the functions make: each is recorded, and some fail as a test asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse, HTTPHeaders

Fault = Callable[[], Any]
"""Called in place of a call: it raises, or gives the answer."""


@dataclass(frozen=True)
class Call:
    """One call: `iam:ListUsers`, its parameters, its region, and whether with a member's credentials."""

    operation: str
    parameters: Mapping[str, Any]
    region: str
    member: bool


@dataclass
class Watching:
    """The calls so far, and the faults of those to come by operation; "*" is any."""

    calls: list[Call] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    """The keys and tokens of the sessions that STS gave."""

    def watch(self, client: Any, member: bool) -> None:
        """Record the calls of a client, and let them fail."""

        def before(model: Any, context: Mapping[str, Any], **_: Any) -> Any:
            operation = f"{model.service_model.service_name}:{model.name}"
            parameters = context["mfawatch"]
            self.calls.append(Call(operation, parameters, client.meta.region_name, member))
            fault = self.faults.get(operation) or self.faults.get("*")
            return fault() if fault else None

        def parameters_of(params: Any, context: dict[str, Any], **_: Any) -> None:
            context["mfawatch"] = dict(params)

        def keep_secrets(parsed: Mapping[str, Any], **_: Any) -> None:
            found = parsed.get("Credentials", {})
            self.secrets.update(found[name] for name in ("SecretAccessKey", "SessionToken") if name in found)

        client.meta.events.register("after-call.sts.AssumeRole", keep_secrets)
        client.meta.events.register("provide-client-params", parameters_of)
        client.meta.events.register("before-call", before)

    def operations(self) -> list[str]:
        """The operations that were called, each once, in the order of their first calls."""
        return list(dict.fromkeys(call.operation for call in self.calls))


def refusal(code: str, status: int = 400) -> Fault:
    """AWS refuses the call."""

    def answer() -> Any:
        http = AWSResponse("http://refused", status, HTTPHeaders(), None)
        return http, {"Error": {"Code": code, "Message": "not now"}, "ResponseMetadata": {"HTTPStatusCode": status}}

    return answer


def raising(error: BaseException) -> Fault:
    """The call fails on the way."""

    def answer() -> Any:
        raise error

    return answer


def after(calls: int, fault: Fault) -> Fault:
    """The fault, once so many calls went through."""
    left = [calls]

    def answer() -> Any:
        if left[0]:
            left[0] -= 1
            return None
        return fault()

    return answer
