"""Requests that are decided, and what a user can do, as they are asked for and answered."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from chalicelib.api.models.values import Account, Action, Document, Resource, Told, UserArn, UserName, Values, Wanted
from chalicelib.iam.request import MFA_KEYS, MfaState

Text = Annotated[str, Field(max_length=2048)]
Documents = Annotated[list[Document], Field(max_length=50)]


class PoliciesWanted(Wanted):
    """The policies that decide."""

    identity: Annotated[Documents, Field(description="The principal's own, and those of its groups.")]
    boundary: Document | None = None
    scps: Annotated[
        list[Documents], Field(max_length=10, description="Those of each level of an organisation, the root first.")
    ] = []  # noqa: RUF012 - pydantic copies it
    rcps: Annotated[list[Documents], Field(max_length=10)] = []  # noqa: RUF012
    session: Document | None = None
    resource: Annotated[
        Document | None,
        Field(description="A key's policy, or a role's trust policy; AWS's default where it is not given."),
    ] = None


class DecisionWanted(Wanted):
    """One request to decide: of a user of an account, who is read now, or by policies that are given."""

    account: Account | None = None
    user: UserName | None = None
    principal: Annotated[
        UserArn | None, Field(description="With `policies`: the ARN of the user who makes the request.")
    ] = None
    policies: PoliciesWanted | None = None
    action: Action
    resource: Resource = "*"
    mfa: Annotated[
        MfaState | None,
        Field(strict=False, description="What the request says of MFA: absent, or false with `via`, where not given."),
    ] = None
    via: Annotated[
        str | None,
        Field(pattern=r"^[a-z0-9.-]{1,100}$", description="A service that makes the request on the user's behalf."),
    ] = None
    context: Annotated[
        dict[Annotated[str, Field(max_length=256)], Text | Annotated[list[Text], Field(max_length=100)]],
        Field(max_length=100, description="Condition keys of the request, each with a value or several."),
    ] = {}  # noqa: RUF012 - pydantic copies it

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        given = {name for name in ("account", "user", "principal", "policies") if getattr(self, name) is not None}
        if given not in ({"account", "user"}, {"principal", "policies"}):
            raise ValueError("must name an account and a user, or else a principal and policies")
        if len({key.lower() for key in self.context}) < len(self.context):
            raise ValueError("must have each condition key once in context, in small letters or not")
        if self.mfa and any(key.lower() in MFA_KEYS for key in self.context):
            raise ValueError("mfa and context say both what of MFA the request carries: give one")
        return self


class MatchTold(Told):
    """A statement that decided."""

    layer: str
    policy: str
    statement: int
    sid: str | None
    effect: str


class DecisionTold(Told):
    """The decision, what decided, what nearly did, and what is in doubt."""

    principal: str
    action: str
    resource: str
    context: dict[str, str | list[str]]
    ignoredContextKeys: list[str]  # noqa: N815 - as everywhere else
    decision: str
    reason: str
    matched: list[MatchTold]
    nearMisses: list[Values]  # noqa: N815
    possible: list[str]
    uncertain: list[str]


class OpenEntry(Told):
    """Actions that are allowed without MFA, on what, on which conditions and through whom."""

    actions: list[str]
    allows: str
    by: str
    resource: Annotated[str, Field(description="An instance, on which it was decided.")]
    resources: list[str]
    needs: dict[str, str]
    always: bool
    mfa: str
    context: Values
    statements: list[MatchTold]
    uncertain: list[str]


class SurfaceTold(Told):
    """All that a user can do without MFA."""

    principal: str
    ways: Annotated[list[str], Field(description="The credentials that requests can be made with.")]
    exhaustive: bool
    untried: str | None
    uncertain: list[str]
    entries: list[OpenEntry]
