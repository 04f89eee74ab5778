"""What has to be supposed of a request for it to be made as it was decided, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chalicelib.analysis.arns import needs_several_resources
from chalicelib.analysis.origins import ANY_SERVICE, GIT_SERVICE, Origin
from chalicelib.analysis.universe import is_known
from chalicelib.iam.request import Request

_ENCRYPTION_CONTEXT = "kms:encryptioncontext"
"""How the keys begin that hold what a service encrypts under: its own names, which no account shows."""


def suppositions_of(request: Request, origin: Origin, chosen: Mapping[str, str]) -> Iterator[str]:
    """What has to be supposed of a request of that origin with these values that were chosen."""
    if not is_known(request.name):
        yield f"{request.name} is no action that this version knows"
    if needs_several_resources(request.name):
        yield f"{request.name} acts on several resources at once, of which one was decided"
    if origin.via == ANY_SERVICE:
        yield "a service makes the request on the user's behalf, if a call that starts it gets through"
    if any(key.startswith("aws:calledvia") for key in chosen):
        yield "the service names itself in aws:CalledVia"
    if any(key.startswith(("aws:principalorg", "aws:resourceorg")) for key in chosen):
        yield "not read to which organisation the account belongs"
    for key in chosen:
        if key.startswith(_ENCRYPTION_CONTEXT) and origin.via == GIT_SERVICE:
            yield f"not known what CodeCommit sends as {key}"
