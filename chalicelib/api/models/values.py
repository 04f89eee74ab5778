"""Values that more than one request or answer has."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from chalicelib.api import fields


class Wanted(BaseModel):
    """What somebody asks for, in a body: nothing is taken for what it is not, and what is unknown is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Told(BaseModel):
    """What is answered. An answer may hold more one day, and whoever reads it should not mind."""

    model_config = ConfigDict(extra="allow")


# What stands first is told by the document; the reader knows the same in words, and says them where it refuses.
Account = Annotated[
    str, Field(pattern=r"^[0-9]{12}$", description="The id of an account, 12 digits."), BeforeValidator(fields.account)
]
Fingerprint = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{32}$", description="Names a finding for as long as it lasts."),
    BeforeValidator(fields.fingerprint),
]
UserName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_+=,.@-]{1,64}$", description="The name of an IAM user."),
    BeforeValidator(fields.user),
]
UserArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:user/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}$", max_length=600
    ),
    BeforeValidator(fields.user_arn),
]
Day = Annotated[date, BeforeValidator(fields.day)]
Reason = Annotated[
    str,
    Field(
        min_length=fields.SHORTEST_REASON,
        max_length=fields.LONGEST_REASON,
        description="Why, in words, without control characters.",
    ),
    BeforeValidator(fields.reason),
]
ControlId = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$", description="The id of a control.")]
Action = Annotated[str, Field(max_length=200, description="An action of IAM, such as codecommit:GitPull.")]
Resource = Annotated[str, Field(min_length=1, max_length=2048, description="An ARN, or `*`.")]
Document = Annotated[
    dict[str, Any] | Annotated[str, Field(max_length=200_000)],
    Field(description="A policy document: its JSON, or the text of it as AWS hands it out."),
]

# What is answered goes out in the letters in which everything else of mfawatch tells it.
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Date = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
Values = dict[str, Any]
