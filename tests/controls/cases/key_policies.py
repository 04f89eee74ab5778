"""KMS keys whose own policies let the user in, without an Allow in the user's."""

from __future__ import annotations

from typing import Any

from tests.accounts.build import ACCOUNT, GUARD, WITHOUT_MFA, Json, Person, allow, deny, document
from tests.controls.cases.base import Case, guard
from tests.controls.cases.keys import GIT, KEY, SIX, TIGHT, VIA
from tests.controls.cases.repositories import FOREIGN, NOBODY, OF_THE_ACCOUNT, ROOT, key_policy, known

ALICE = Person().arn
NOTHING_OF_KMS = document(allow("s3:*"))
ONE_SERVICE = key_policy(ALICE, {"StringEquals": {VIA: "glue.eu-west-1.amazonaws.com"}})
OWN_KEYS_TO_NO_SERVICE = document(
    {
        "Effect": "Deny",
        "Action": "kms:*",
        "NotResource": KEY,
        "Condition": {**WITHOUT_MFA, "StringLike": {VIA: "*"}},
    }
)
"""The AWS managed keys are denied to all services, so that a key of the account's own is what may be open."""


def keeping(*policies: Json, **traits: Any) -> Person:
    """Alice, to whom nothing of KMS is allowed, with these policies beside."""
    return Person(inline=[NOTHING_OF_KMS, *policies], **traits)


def cases(
    name: str,
    person: Person,
    policy: Json,
    *,
    direct: str | None = None,
    services: str | None = None,
    administered: str | None = None,
    key: str = KEY,
) -> list[Case]:
    """What the three controls of KMS say where a key has this policy."""
    traits = known({"app": key}, {key: policy})
    told = {"resources": [key]}
    return [
        Case("kms-exception-direct", name, person, direct, told=told if direct else {}, traits=traits),
        Case("kms-exception-any-service", name, person, services, told=told if services else {}, traits=traits),
        Case("kms-exception-admin", name, person, administered, told=told if administered else {}, traits=traits),
    ]


SPARED = keeping(guard("kms:*"), OWN_KEYS_TO_NO_SERVICE)
OF_ONE_KEY = Person(inline=[document(allow("kms:*", on=KEY)), guard("kms:*"), OWN_KEYS_TO_NO_SERVICE])
ALL_THREE = {"direct": "high", "services": "high", "administered": "critical"}
OWN_USE = {"direct": "high", "administered": "critical"}

KEY_POLICIES = [
    *cases("a key policy names the user", SPARED, key_policy(ALICE), **ALL_THREE),
    *cases("a key policy names everybody", SPARED, key_policy("*"), **ALL_THREE),
    *cases(
        "a key policy names the user for decrypting",
        SPARED,
        key_policy(ALICE, None, "kms:Decrypt"),
        direct="high",
        services="high",
    ),
    *cases(
        "a key policy names the user for its policy",
        SPARED,
        key_policy(ALICE, None, "kms:PutKeyPolicy"),
        services="high",
        administered="critical",
    ),
    *cases("a key policy names the user through one service", SPARED, ONE_SERVICE, services="high"),
    *cases(
        "a key policy names the user and everybody is denied through services",
        keeping(guard("kms:*"), document(deny("kms:*", when={"Bool": {"aws:ViaAWSService": "true"}}))),
        key_policy(ALICE),
        **OWN_USE,
    ),
    *cases(
        "the six actions, and a deny that misses direct calls",
        keeping(
            guard(*GIT, *SIX),
            document(deny("kms:*", when={"StringNotLike": {VIA: "codecommit.*"}, "Null": {VIA: "false"}})),
        ),
        key_policy(ALICE),
        direct="high",
    ),
    *cases("a key policy names the user, to whom nothing else is allowed", Person(), key_policy(ALICE), **OWN_USE),
    *cases("a key that the policies name lets the account in", OF_ONE_KEY, OF_THE_ACCOUNT, **ALL_THREE),
    *cases(
        "a key that the policies name lets the account decrypt",
        OF_ONE_KEY,
        key_policy(ROOT, None, "kms:Decrypt"),
        direct="high",
        services="high",
    ),
    # and not
    *cases("a key that the policies name lets somebody else in", OF_ONE_KEY, NOBODY),
    *cases("a key policy names the user, and MFA is asked for nowhere", keeping(), key_policy(ALICE)),
    *cases("a key policy names the user, and the deny spares nothing", keeping(GUARD), key_policy(ALICE)),
    *cases("a key policy names the user, and the deny spares Git", keeping(guard(*GIT, when=TIGHT)), key_policy(ALICE)),
    *cases("a key policy names another", SPARED, NOBODY),
    *cases("a key policy names the account, and nobody allowed KMS", SPARED, OF_THE_ACCOUNT),
    *cases("a key policy asks for MFA", SPARED, key_policy(ALICE, {"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
    *cases(
        "a key policy that cannot name the user by tag",
        SPARED,
        key_policy("*", {"StringEquals": {"aws:PrincipalTag/team": "red"}}),
    ),
    *cases("another account's key names the user, and nobody allowed KMS", SPARED, key_policy(ALICE), key=FOREIGN),
    *cases(
        "another account's key names the account, and a deny is for the account's own",
        Person(
            inline=[
                document(allow("kms:*"), deny("kms:*", when={"StringEquals": {"aws:ResourceAccount": ACCOUNT}})),
                guard("kms:*"),
            ]
        ),
        OF_THE_ACCOUNT,
        key=FOREIGN,
        **ALL_THREE,
    ),
]
