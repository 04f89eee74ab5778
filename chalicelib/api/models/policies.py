"""Policy documents that are judged or made tight, as they are asked for and answered."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.api.models.findings import Found
from chalicelib.api.models.values import Document, Told, Values, Wanted

MOST_DOCUMENTS = 20
REPOSITORY = r"^arn:aws[a-z-]*:codecommit:[a-z0-9*?-]+:([0-9]{12}|\*):[A-Za-z0-9._*?-]+$"
"""The pattern of a repository's ARN, as JSON Schema and Python both take it."""


class NamedDocument(Wanted):
    """A document, and what it is called in the answer."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    policy: Document


class LintWanted(Wanted):
    """Judge documents by themselves."""

    documents: Annotated[list[NamedDocument], Field(min_length=1, max_length=MOST_DOCUMENTS)]


class Skipped(Told):
    """A control that could not judge a document."""

    control: str
    reason: str


class LintedTold(Told):
    """What is found of a document."""

    name: str
    asks_for_mfa: Annotated[bool, Field(description="Whether it has a Deny that MFA lifts.")]
    remark: Annotated[str | None, Field(description="Why it was not judged as one that asks for MFA.")]
    findings: list[Found]
    not_evaluated: list[Skipped]


class LintTold(Told):
    """What is found of the documents, in their order."""

    documents: list[LintedTold]


class HardenWanted(Wanted):
    """Make a policy that asks for MFA tight."""

    policy: Document
    git: Annotated[bool, Field(description="Whether Git may stay free.")] = True
    repositories: Annotated[
        list[Annotated[str, Field(pattern=REPOSITORY, max_length=300)]],
        Field(max_length=100, description="Free Git for these CodeCommit repositories alone; they may hold wildcards."),
    ] = []  # noqa: RUF012 - pydantic copies it


class ChangeTold(Told):
    """Something that was changed in a policy."""

    statement: str
    what: str
    closes: str


class OpeningTold(Told):
    """What is open without MFA to whoever carries the result."""

    accepted_as: str
    actions: list[str]
    resources: list[str]
    made_with: list[str]


class KeptTold(Told):
    """Why a statement of the result takes nothing away from who has MFA."""

    statement: str
    why: str
    holds: bool


class ProofTold(Told):
    """What proves that the result is tight."""

    open_without_mfa: list[OpeningTold]
    kept_with_mfa: list[KeptTold]


class HardenedTold(Told):
    """The tight policy and the proof; or how far it came, and why not further."""

    tight: bool
    size: Annotated[int, Field(description="Characters without white space, as IAM counts them.")]
    policy: Values
    changes: list[ChangeTold]
    reasons: Annotated[list[str], Field(description="Why it is not tight.")]
    remarks: list[str]
    proof: ProofTold
