"""What has to be supposed of a request for it to be allowed.

Some of it hangs on the organisation that the account or a resource belongs to. The ARNs of customers' service control
policies hold its id; where such policies were read and no ARN says so, the account still belongs to one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, product

from chalicelib.analysis.arns import needs_several_resources
from chalicelib.analysis.contexts import values_of
from chalicelib.analysis.names import NOTHING
from chalicelib.analysis.origins import ANY_SERVICE, GIT_SERVICE, Origin
from chalicelib.analysis.universe import is_known
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.conditions import Condition
from chalicelib.iam.request import Request

_ENCRYPTION_CONTEXT = "kms:encryptioncontext"
"""How the keys begin that hold what a service encrypts under: its own names, which no account shows."""

OF_THE_RESOURCE = "aws:resourceorg"
OF_AN_ORGANISATION = ("aws:principalorg", OF_THE_RESOURCE)
"""How the condition keys begin that hold an organisation's id, or where in it an account stands."""
_CALLERS_ID, _RESOURCES_ID = "aws:principalorgid", "aws:resourceorgid"
MOST_TRIED = 32

NOT_READ = "not read to which organisation the account belongs"
ANOTHER = "the resource is one of another organisation"


def own_organisation(snapshot: AccountSnapshot) -> dict[str, str]:
    """The organisation's id as every request of the account's carries it; nothing where it is not known."""
    return {_CALLERS_ID: snapshot.organization} if snapshot.organization else {}


def base_organisation(snapshot: AccountSnapshot) -> dict[str, str]:
    """The keys that are never absent, with the values to begin with: an id that no policy names where none is known."""
    if snapshot.organization:
        return {_CALLERS_ID: snapshot.organization, _RESOURCES_ID: snapshot.organization}
    return {_CALLERS_ID: f"o-{NOTHING}"} if snapshot.scps else {}


def organisation_supposed(
    conditions: Iterable[Condition],
    base: Mapping[str, str],
    own: Mapping[str, str],
    chosen: Mapping[str, str],
    allowed: Callable[[Mapping[str, str]], bool],
) -> Iterator[str]:
    """What had to be supposed for a request to be allowed with what was chosen: it is not with another organisation.

    `allowed` answers for other choices.
    """
    of_key: dict[str, list[Condition]] = {}
    for condition in conditions:
        if condition.key.startswith(OF_AN_ORGANISATION) and condition.key not in own:
            of_key.setdefault(condition.key, []).append(condition)
    known = own.get(_CALLERS_ID)
    if known is not None and chosen.get(_RESOURCES_ID) == known:
        of_key.pop(_RESOURCES_ID, None)
    if not of_key:
        return
    values = {key: values_of(found, base.get(key), own) for key, found in of_key.items()}
    rest = {key: value for key, value in chosen.items() if key not in values}
    for found in islice(product(*values.values()), MOST_TRIED):
        others = {key: value for key, value in zip(values, found, strict=True) if value is not None}
        if not allowed({**rest, **others}):
            yield NOT_READ if known is None or not all(key.startswith(OF_THE_RESOURCE) for key in values) else ANOTHER
            return


def supposed_of(request: Request, origin: Origin, chosen: Mapping[str, str]) -> Iterator[str]:
    """What had to be supposed of the action, and of the service that makes the request."""
    if not is_known(request.name):
        yield f"{request.name} is no action that this version knows"
    if needs_several_resources(request.name):
        yield f"{request.name} acts on several resources at once, of which one was decided"
    if origin.via == ANY_SERVICE:
        yield "a service makes the request on the user's behalf, if a call that starts it gets through"
    if any(key.startswith("aws:calledvia") for key in chosen):
        yield "the service names itself in aws:CalledVia"
    for key in chosen:
        if key.startswith(_ENCRYPTION_CONTEXT) and origin.via == GIT_SERVICE:
            yield f"not known what CodeCommit sends as {key}"
