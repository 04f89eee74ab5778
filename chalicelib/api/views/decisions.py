"""/v1/decisions and /v1/users/{name}/surface: one request decided, and all that are allowed without MFA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from chalicelib.analysis.decide import Decided, decide_for_user, mfa_of
from chalicelib.api.answers import answered
from chalicelib.api.call import Asking
from chalicelib.api.exchange import DEEPEST, parts_of
from chalicelib.api.fields import pointer_to, unprocessable
from chalicelib.api.live import read_user
from chalicelib.api.models.decisions import DecisionTold, DecisionWanted, PoliciesWanted, SurfaceTold
from chalicelib.api.models.values import Account, UserName
from chalicelib.api.problems import Wrong
from chalicelib.iam.account import AccountSnapshot, User
from chalicelib.iam.documents import JsonError, parse_document
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.principals import parse_principal
from chalicelib.iam.statement import PolicyError, PolicyKind
from chalicelib.report.decision import decision_to_json
from chalicelib.report.surface import surface_of, surface_to_json

Raw = Mapping[str, Any] | str


def post_decision(call: Asking, body: DecisionWanted) -> Response[DecisionTold]:
    """Decide one request, with the statements that decided and those that nearly did.

    It is a request of a user of an account, who is read now; or of anybody, decided by the policies that are given and
    by nothing else.
    """
    if body.account is not None and body.user is not None:
        call.check_asked(body.account)
        snapshot, user = read_user(call, body.account, body.user)
        return answered(decision_to_json(_decided(body, snapshot, user)))
    principal = parse_principal(body.principal or "")
    snapshot = AccountSnapshot(principal.account, call.hub.clock())
    policies = _policy_set(body.policies) if body.policies else None
    return answered(decision_to_json(_decided(body, snapshot, User(principal.name, principal.arn), policies)))


def get_surface(
    call: Asking, name: Annotated[UserName, Path()], account: Annotated[Account, Query()]
) -> Response[SurfaceTold]:
    """Show all that a user can do without MFA: on what, on which conditions, and through whom. The user is read now."""
    call.check_seen(account)
    return answered(surface_to_json(surface_of(*read_user(call, account, name))))


def _decided(body: DecisionWanted, snapshot: AccountSnapshot, user: User, policies: PolicySet | None = None) -> Decided:
    context = {key: [value] if isinstance(value, str) else value for key, value in body.context.items()}
    try:
        return decide_for_user(
            snapshot, user, body.action, body.resource, mfa_of(body.mfa, body.via), body.via, context, policies
        )
    except ValueError as error:
        raise unprocessable(Wrong(pointer_to("action"), str(error))) from None


def _policy_set(given: PoliciesWanted) -> PolicySet:
    """The policies that decide, each called by its place."""

    def one(document: Raw | None, kind: PolicyKind, *place: str | int) -> Policy | None:
        return None if document is None else _policy(document, kind, *place)

    def levels(name: str, found: Sequence[Sequence[Raw]], kind: PolicyKind) -> tuple[tuple[Policy, ...], ...]:
        return tuple(
            tuple(_policy(document, kind, name, number, index) for index, document in enumerate(level))
            for number, level in enumerate(found)
        )

    return PolicySet(
        identity=tuple(
            _policy(document, PolicyKind.IDENTITY, "identity", number) for number, document in enumerate(given.identity)
        ),
        boundary=one(given.boundary, PolicyKind.IDENTITY, "boundary"),
        scps=levels("scps", given.scps, PolicyKind.SCP),
        rcps=levels("rcps", given.rcps, PolicyKind.RCP),
        session=one(given.session, PolicyKind.IDENTITY, "session"),
        resource=one(given.resource, PolicyKind.RESOURCE, "resource"),
    )


def _policy(document: Raw, kind: PolicyKind, *place: str | int) -> Policy:
    name = str(place[0]) + "".join(f"[{index}]" for index in place[1:])
    with _at(*place):
        value = parse_document(document) if isinstance(document, str) else document
        if any(depth > DEEPEST for depth, _ in parts_of(value)):
            raise JsonError("nested too deep")
        return Policy(name, parse_policy(value, kind))


@contextmanager
def _at(*place: str | int) -> Iterator[None]:
    pointer = pointer_to("policies", *place)
    try:
        yield
    except JsonError as error:
        raise unprocessable(Wrong(pointer, f"is no JSON: {error}")) from None
    except PolicyError as error:
        raise unprocessable(Wrong(pointer, f"is no policy that AWS would store: {error}")) from None
