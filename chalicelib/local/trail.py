"""What CloudTrail and EventBridge say of calls, of an AWS that has neither: written down where the calls are made.

Sources: AWS CloudTrail User Guide, "CloudTrail record contents"; AWS CodeCommit User Guide, "Logging AWS CodeCommit API
calls with AWS CloudTrail"; Amazon EventBridge User Guide, "AWS service events delivered via AWS CloudTrail".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from chalicelib.iam.actions import AccessLevel, catalogue
from chalicelib.local.caller import Caller

ONE_REGION = "us-east-1"
"""Where what is done in services without regions is recorded."""

_GLOBAL = frozenset({"iam", "organizations"})
_READ_ONLY = frozenset({"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "Decrypt", "Encrypt"})
"""Of what is no reading by its access level, what CloudTrail takes for it all the same."""
_WITHOUT_PARAMETERS = frozenset({"ChangePassword"})
_SECRET = frozenset(
    {
        "authenticationCode1", "authenticationCode2", "base32StringSeed", "newPassword", "oldPassword", "password",
        "qRCodePNG", "secretAccessKey", "secretBinary", "secretString", "servicePassword", "sessionToken",
    }
)  # fmt: skip
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_LOSES_PARAMETERS = frozenset({"iam", "sts"})
"""The services of whose denied calls no parameters are recorded."""
_PARAMETERS = "mfawatch_parameters"


def _now() -> datetime:
    return datetime.now(UTC)


class Trail:
    """The records of an account, in the order of the calls. `region` is where Git is used and people sign in."""

    def __init__(self, account: str, region: str = ONE_REGION, clock: Callable[[], datetime] = _now) -> None:
        self._account = account
        self._region = region
        self._clock = clock
        self._records: list[dict[str, Any]] = []

    def records(self) -> list[dict[str, Any]]:
        """What has been recorded since the last time that somebody took it."""
        taken, self._records = self._records, []
        return taken

    def events(self) -> list[dict[str, Any]]:
        """The same as `records`, each as the event that EventBridge sends."""
        return [event_of(record) for record in self.records()]

    def watch(self, client: Any, caller: Caller) -> None:
        """Record what a client of boto3 does, but for reading, as called by this caller. Failed calls count as well."""
        client.meta.events.register("provide-client-params", self._keep)
        client.meta.events.register("after-call", partial(self._note, region=client.meta.region_name, caller=caller))

    def git(
        self,
        caller: Caller,
        repository: str,
        operation: str = "push",
        *,
        protocol: str = "SSH",
        references: Sequence[str] = ("refs/heads/main",),
        transferred: bool = True,
        refused: bool = False,
        agent: str | None = None,
    ) -> None:
        """Record a `git pull` or `git push`; `repository` is a name. Of a push that sends something there are two."""
        spoken = agent or ("SSH-2.0-OpenSSH_9.6" if protocol == "SSH" else "git/2.47.1")
        name = "GitPush" if operation == "push" else "GitPull"
        arn = f"arn:aws:codecommit:{self._region}:{self._account}:{repository}"
        sent = transferred and not refused
        additional: dict[str, Any] = {
            "protocol": protocol,
            "dataTransferred": False,
            "repositoryName": repository,
            "repositoryId": str(uuid.uuid5(uuid.NAMESPACE_URL, arn)),
        }
        common: dict[str, Any] = {
            "userAgent": spoken,
            "resources": [{"accountId": self._account, "type": "AWS::CodeCommit::Repository", "ARN": arn}],
        }
        if refused:
            told = f"User: {caller.arn} is not authorized to perform: codecommit:{name} on resource: {arn}"
            common |= {"errorCode": "AccessDenied", "errorMessage": f"{told} with an explicit deny"}
        moved = {"dataTransferred": True, "capabilities": ["side-band-64k", "report-status", "agent"]}
        if operation == "push" or not sent:
            self._add(caller, "codecommit", name, additionalEventData=additional, readOnly=True, **common)
        if sent and operation == "push":
            updated = [{"ref": ref, "commit": uuid.uuid4().hex.ljust(40, "0")} for ref in references]
            more = {"requestParameters": {"references": updated}, "readOnly": False}
            self._add(caller, "codecommit", name, additionalEventData=additional | moved, **more, **common)
        elif sent:
            more = {"additionalEventData": additional | moved | {"shallow": False}, "readOnly": True}
            self._add(caller, "codecommit", name, **more, **common)

    def sign_in(self, caller: Caller, *, mfa: bool, failed: bool = False) -> None:
        """Record a sign-in to the console."""
        outcome = {"ConsoleLogin": "Failure" if failed else "Success"}
        used = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No"}
        message = {"errorMessage": "Failed authentication"} if failed else {}
        self._add(
            caller,
            "signin",
            "ConsoleLogin",
            responseElements=outcome,
            additionalEventData=used | {"MFAUsed": "Yes" if mfa else "No"},
            eventType="AwsConsoleSignIn",
            **message,
        )

    def refuse(self, caller: Caller, service: str, name: str, message: str) -> None:
        """Record a call that AWS denies: of most of them nothing is recorded of what was asked for."""
        self._add(caller, service, name, errorCode="AccessDenied", errorMessage=message)

    def _keep(self, params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        """What a client is asked for, until its answer comes."""
        context[_PARAMETERS] = params

    def _note(
        self,
        *,
        parsed: Mapping[str, Any],
        model: Any,
        context: Mapping[str, Any],
        region: str,
        caller: Caller,
        **_: Any,
    ) -> None:
        """A call has been answered."""
        service, name = model.service_model.signing_name, model.name
        action = catalogue().find(f"{service}:{name}")
        if action and action.access_level in (AccessLevel.READ, AccessLevel.LIST):
            return
        code = parsed.get("Error", {}).get("Code")
        details: dict[str, Any] = {
            "awsRegion": ONE_REGION if service in _GLOBAL else region,
            "requestParameters": _elements(context[_PARAMETERS]),
            "readOnly": name in _READ_ONLY or name.startswith("GenerateDataKey"),
        }
        if code:
            shape = model.service_model.shape_for_error_code(code)
            details |= {"errorCode": shape.name if shape else code, "errorMessage": parsed["Error"].get("Message", "")}
        else:
            answer = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
            details["responseElements"] = _elements(answer, answered=True)
        if name in _WITHOUT_PARAMETERS or (code in _DENIED and service in _LOSES_PARAMETERS):
            details["requestParameters"] = None
        self._add(caller, service, name, **details)

    def _add(self, caller: Caller, service: str, name: str, **details: Any) -> None:
        """Record a call, with what differs from the usual."""
        now = self._clock().astimezone(UTC)
        self._records.append(
            {
                "eventVersion": "1.11",
                "userIdentity": caller.identity(now),
                "eventTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
                "eventSource": f"{service}.amazonaws.com",
                "eventName": name,
                "awsRegion": self._region,
                "sourceIPAddress": caller.address,
                "userAgent": caller.agent,
                "requestParameters": None,
                "responseElements": None,
                "requestID": str(uuid.uuid4()),
                "eventID": str(uuid.uuid4()),
                "readOnly": False,
                "eventType": "AwsApiCall",
                "managementEvent": True,
                "recipientAccountId": self._account,
                "eventCategory": "Management",
                **details,
            }
        )


def event_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The event that EventBridge sends for a record."""
    sign_in = record["eventType"] == "AwsConsoleSignIn"
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS Console Sign In via CloudTrail" if sign_in else "AWS API Call via CloudTrail",
        "source": f"aws.{record['eventSource'].partition('.')[0]}",
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
    }


def _elements(found: Mapping[str, Any], *, answered: bool = False) -> dict[str, Any] | None:
    """What was asked for, or answered, as CloudTrail writes it; None where that is nothing."""
    return {
        name: _element(value, answered=answered, name=name)
        for key, value in found.items()
        if (name := key[:1].lower() + key[1:]) not in _SECRET and not isinstance(value, bytes)
    } or None


def _element(value: Any, *, answered: bool, name: str) -> Any:
    if name.endswith("olicyDocument") and answered and not isinstance(value, str):
        return quote(json.dumps(value), safe="")  # boto3 has read it
    if isinstance(value, Mapping):
        return _elements(value, answered=answered) or {}
    if isinstance(value, list | tuple):
        return [_element(one, answered=answered, name="") for one in value]
    if isinstance(value, datetime):
        return f"{value:%b} {value.day}, {value.year} {value.hour % 12 or 12}:{value:%M:%S %p}"
    return value
