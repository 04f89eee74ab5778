"""What is answered in place of what was asked for: problem details, as RFC 9457 has them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.api.models.values import Told


class ProblemPart(Told):
    """Something that is wrong with what was asked: in the body, or with a parameter."""

    pointer: Annotated[str | None, Field(description="Where in the body, as a JSON pointer in a fragment.")] = None
    parameter: Annotated[str | None, Field(description="Which parameter of the path or the query.")] = None
    detail: str


class ProblemDetails(Told):
    """Why a request came to nothing."""

    type: Annotated[str, Field(description="`about:blank`: the status says what kind of problem it is.")]
    title: str
    status: int
    detail: Annotated[str, Field(description="For people; it may be worded otherwise one day.")]
    instance: Annotated[str, Field(description="Names this answer in the log of the deployment.")]
    why: Annotated[str | None, Field(description="A word for machines, where the status does not say enough.")] = None
    errors: list[ProblemPart] | None = None


class GatewayMessage(Told):
    """What API Gateway answers itself, before anything of mfawatch is asked."""

    message: str | None
