"""The change that makes Git work: it works then, and the change opens and closes nothing but Git."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from chalicelib.analysis.cells import Caller
from chalicelib.analysis.git_fix import Fix, Question, fix_of
from chalicelib.analysis.git_hops import Operation, managed_key_of
from chalicelib.analysis.origins import ABSENT
from chalicelib.analysis.surface import Surface
from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import MfaState, build_request
from chalicelib.iam.statement import PolicyKind
from tests.accounts.build import ADMIN, WITHOUT_MFA, Json, Person, allow, deny, document, read, repository_arn
from tests.controls.cases.base import guard
from tests.controls.cases.keys import GIT, KEY, SIX, VIA
from tests.controls.cases.repositories import NOBODY

APP = repository_arn("app")
MANAGED = managed_key_of(APP)
CODECOMMIT = "codecommit.*.amazonaws.com"


def surface_of(person: Person, **traits: Any) -> Surface:
    """What the person can do."""
    snapshot = read(person, **traits)
    user = snapshot.users[person.name]
    return Surface(Caller(snapshot, user), snapshot.policies_of(user).policies)


def fix(person: Person, operation: Operation = Operation.PUSH, **traits: Any) -> Fix:
    """What makes the operation on the repository work for the person."""
    return fix_of(surface_of(person, **traits), Question(operation, APP, ABSENT, MANAGED))


def mended(person: Person, told: Fix) -> Person:
    """The person with the changed statements; each of the inline policies holds one."""
    inline = list(person.inline)
    for change in told.changes:
        number = int(change.place.split("inline-")[1].split('"')[0])
        inline[number] = document(dict(change.statement))
    return Person(person.name, inline=inline)


SERVICES = (None, "codecommit", "s3", "ec2", "secretsmanager")
STATES = (MfaState.ABSENT, MfaState.FALSE, MfaState.TRUE)
ON = {"kms": (KEY, MANAGED), "codecommit": (APP,), "s3": ("arn:aws:s3:::data/x",), "iam": ("*",)}
ACTIONS = (
    *GIT,
    "codecommit:DeleteRepository",
    *(name.replace("*", "To") for name in SIX),
    "kms:PutKeyPolicy",
    "kms:Sign",
    "s3:GetObject",
    "iam:CreateUser",
)


def decided(policies: PolicySet, caller: Caller) -> dict[tuple[str, str, str | None, MfaState, str], str]:
    """(action, resource, service that calls, MFA, region) → the verdict."""
    found = {}
    for action, via, mfa, region in product(ACTIONS, SERVICES, STATES, ("eu-west-1", "us-east-1")):
        for resource in ON[action.partition(":")[0]]:
            placed = resource.replace("eu-west-1", region)
            context = {**caller.own, **mfa.context, "aws:ViaAWSService": "true" if via else "false"}
            context["kms:CallerAccount"] = caller.user.principal.account
            if via:
                context["kms:ViaService"] = f"{via}.{region}.amazonaws.com"
            request = build_request(caller.user.principal, action, placed, context)
            found[action, placed, via, mfa, region] = str(evaluate(request, policies).verdict)
    return found


WAYS = {
    "nothing is spared": [guard()],
    "Git is spared": [guard(*GIT)],
    "Git and S3's use of keys are": [
        guard(*GIT, when={"StringNotLike": {VIA: ["s3.*.amazonaws.com", "ec2.*.amazonaws.com"]}})
    ],
    "one service, by text": [guard(*GIT, when={"StringNotLike": {"KMS:viaService": "s3.*.amazonaws.com"}})],
    "a service if there is one": [guard(*GIT, when={"StringNotLikeIfExists": {VIA: "s3.*.amazonaws.com"}})],
    "a service by its whole name": [guard(*GIT, when={"StringNotEquals": {VIA: "s3.eu-west-1.amazonaws.com"}})],
    "a second deny for services of a region": [
        guard(*GIT, *SIX),
        document(deny(*SIX, when={**WITHOUT_MFA, "StringLike": {VIA: "*.eu-west-1.amazonaws.com"}})),
    ],
    "a second deny for all services": [
        guard(*GIT, "kms:*"),
        document(deny("kms:*", when={**WITHOUT_MFA, "Null": {VIA: "false"}})),
    ],
    "a deny for everything and one for services": [
        guard(),
        document(deny("kms:*", when={**WITHOUT_MFA, "StringLike": {VIA: ["codecommit.*", "s3.*"]}})),
    ],
    "a tag as well": [guard(*GIT, when={"StringNotLike": {"aws:PrincipalTag/team": "robots"}})],
}


@pytest.mark.parametrize("policies", WAYS.values(), ids=list(WAYS))
def test_the_change_opens_git_and_nothing_else_and_closes_nothing(policies: list[Json]) -> None:
    person = Person(inline=[ADMIN, *policies])
    told = fix(person)
    assert told.changes
    assert told.obstacle == ""
    after = mended(person, told)
    before, changed = surface_of(person), surface_of(after)
    assert Question(Operation.PUSH, APP, ABSENT, MANAGED).ask(changed).works
    verdicts = decided(before.policies, before.caller)
    others = decided(changed.policies, changed.caller)
    different = {request for request, verdict in verdicts.items() if others[request] != verdict}
    assert different
    for action, _, via, mfa, _ in different:
        assert action == "codecommit:GitPush" or (action.startswith("kms:") and via == "codecommit")
        assert mfa is not MfaState.TRUE
    assert {others[request] for request in different} <= {"Allowed", "ImplicitlyDenied"}


def test_what_is_spared_already_is_kept_and_told() -> None:
    spared = ["s3.*.amazonaws.com", "ec2.*.amazonaws.com"]
    [change] = fix(Person(inline=[ADMIN, guard(*GIT, when={"StringNotLike": {VIA: spared}})])).changes
    assert change.statement["Condition"]["StringNotLike"] == {VIA: [*spared, CODECOMMIT]}
    assert change.words.startswith(f'add "{CODECOMMIT}" to its StringNotLike kms:ViaService')


KMS_DENIED = document(deny("kms:*", when=None))
ORGANISATIONS = {
    "KMS is denied": [[ADMIN, KMS_DENIED], [ADMIN]],
    "KMS is not allowed": [[document(allow("codecommit:*", "s3:*"))], [ADMIN]],
    "CodeCommit is not allowed": [[document(allow("kms:*"))], [ADMIN]],
    "CodeCommit is denied": [[ADMIN], [ADMIN, document(deny("codecommit:*", when=None))]],
}


@pytest.mark.parametrize("scps", ORGANISATIONS.values(), ids=list(ORGANISATIONS))
@pytest.mark.parametrize("policies", [[ADMIN, guard()], [ADMIN, guard(*GIT)], [guard()]])
def test_where_the_organisation_stands_in_the_way_nothing_is_to_be_changed(
    policies: list[Json], scps: list[list[Json]]
) -> None:
    told = fix(Person(inline=policies), scps=scps)
    assert told.changes == ()
    assert told.obstacle.endswith("no change to the user's own policies mends it")


def test_where_the_key_stands_in_the_way_nothing_is_to_be_changed() -> None:
    keeper = Policy("the key's", parse_policy(NOBODY, PolicyKind.RESOURCE))
    told = fix_of(surface_of(Person(inline=[ADMIN, guard()])), Question(Operation.PULL, APP, ABSENT, KEY, keeper))
    assert told == Fix((), f"the key policy does not allow it: it takes an Allow of kms:Decrypt on {KEY}")
