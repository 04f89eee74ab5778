"""Git without MFA where it is known which keys the repositories are encrypted with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.analysis.names import regions_of
from tests.accounts.build import (
    ACCOUNT,
    ENROLMENT,
    WITHOUT_MFA,
    Json,
    Person,
    allow,
    deny,
    deny_all_but,
    document,
    key_arn,
    repositories,
    repository_arn,
)
from tests.controls.cases.base import Case, admin, guard
from tests.controls.cases.keys import FORM_A, GIT, KEY, SIX, TIGHT, six_with

APP = repository_arn("app")
FOREIGN = key_arn("foreign", account="999988887777")
VIA_GIT = {"StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": "codecommit.eu-west-1.amazonaws.com"}}
CONTEXT = "kms:EncryptionContext:aws:codecommit:id"


def key_policy(principal: Any = "*", when: Json | None = None, *actions: str) -> Json:
    """A key policy that allows somebody something, everything when no action is named."""
    return document({**allow(*(actions or ("kms:*",)), when=when), "Principal": {"AWS": principal}})


ROOT = f"arn:aws:iam::{ACCOUNT}:root"
OF_THE_ACCOUNT = key_policy(ROOT)
"""The key's use is left to the account's own policies."""
MANAGED = key_policy("*", VIA_GIT, *SIX, "kms:GenerateDataKey*")
"""What the AWS managed key says."""
NOBODY = key_policy(f"arn:aws:iam::{ACCOUNT}:role/keeper")

ONE = Person(inline=[document(allow(*GIT, on=APP)), FORM_A])
"""Git is allowed on one repository, and KMS not at all."""
ONE_FOR_ADMIN = admin(document(deny_all_but(*ENROLMENT, when={**WITHOUT_MFA, **TIGHT}, but_on=APP)), FORM_A)
ALL = admin(FORM_A)
OWN_KEYS_DENIED = admin(FORM_A, document(deny("kms:*", on=f"arn:aws:kms:*:{ACCOUNT}:*", when=None)))
"""No key of the account may be used, and so none that AWS manages."""
NO_KEY = guard(*GIT)
"""The deny spares Git, and no key whosever it is."""


def one_key(key: str) -> Json:
    """Git is exempted, and of its six KMS actions a second deny frees one key."""
    return six_with({"Effect": "Deny", "Action": list(SIX), "NotResource": key, "Condition": WITHOUT_MFA})


ONE_KEY = one_key(KEY)
ONE_REPOSITORY = document(
    {"Effect": "Deny", "Action": list(GIT), "NotResource": APP, "Condition": WITHOUT_MFA},
)


EVERYWHERE = regions_of("aws")
"""The regions in which there may be repositories."""


def known(keys: Mapping[str, str | None], policies: Mapping[str, Any] | None = None, *read: str) -> dict[str, Any]:
    """An account with these repositories and keys."""
    return {"repository_keys": repositories(keys, policies, *read)}


def cases(name: str, person: Person, traits: dict[str, Any], *, git: bool, **more: Any) -> list[Case]:
    """What the two controls of Git say: that it works, or that KMS blocks it."""
    return [
        Case("codecommit-exemption", name, person, "high" if git else None, traits=traits, **(more if git else {})),
        Case("git-blocked-by-kms", name, person, None if git else "info", traits=traits, **({} if git else more)),
    ]


WITH_THEIR_KEYS = [
    # one repository, which the policies name
    *cases("a key policy that lets everybody in", ONE, known({"app": KEY}, {KEY: MANAGED}), git=True),
    *cases("a key of the account, and nobody allowed KMS", ONE, known({"app": KEY}, {KEY: OF_THE_ACCOUNT}), git=False),
    *cases(
        "a key of the account, for an administrator",
        ONE_FOR_ADMIN,
        known({"app": KEY}, {KEY: OF_THE_ACCOUNT}),
        git=True,
    ),
    *cases("a key policy that names somebody else", ONE_FOR_ADMIN, known({"app": KEY}, {KEY: NOBODY}), git=False),
    *cases("a key policy that names the user", ONE, known({"app": KEY}, {KEY: key_policy(Person().arn)}), git=True),
    *cases(
        "a key policy for decrypting: a pull works",
        ONE,
        known({"app": KEY}, {KEY: key_policy("*", VIA_GIT, "kms:Decrypt")}),
        git=True,
        told={"operations": ["pull"]},
    )[:1],
    *cases(
        "a key policy for decrypting: a push does not",
        ONE,
        known({"app": KEY}, {KEY: key_policy("*", VIA_GIT, "kms:Decrypt")}),
        git=False,
        told={"operations": ["push"]},
    )[1:],
    *cases(
        "a key policy for S3",
        ONE,
        known({"app": KEY}, {KEY: key_policy("*", {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})}),
        git=False,
    ),
    *cases(
        "a key policy for another account's callers",
        ONE,
        known({"app": KEY}, {KEY: key_policy("*", {"StringEquals": {"kms:CallerAccount": "999988887777"}})}),
        git=False,
    ),
    *cases(
        "a key policy that asks for MFA",
        ONE_FOR_ADMIN,
        known({"app": KEY}, {KEY: key_policy(ROOT, {"Bool": {"aws:MultiFactorAuthPresent": "true"}})}),
        git=False,
    ),
    *cases(
        "a key policy that asks what is encrypted under",
        ONE,
        known({"app": KEY}, {KEY: key_policy("*", {"StringEquals": {CONTEXT: "a-repository"}})}),
        git=True,
        uncertain=True,
    ),
    *cases(
        "a key policy that asks which names are encrypted under",
        ONE,
        known(
            {"app": KEY},
            {KEY: key_policy("*", {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "aws:codecommit:id"}})},
        ),
        git=True,
        uncertain=True,
    ),
    *cases(
        "a key policy that asks for a tag of the key",
        ONE,
        known({"app": KEY}, {KEY: key_policy("*", {"StringEquals": {"aws:ResourceTag/for": "git"}})}),
        git=True,
        uncertain=True,
    ),
    *cases("an id without an ARN", ONE, known({"app": KEY.rpartition("/")[2]}, {KEY: OF_THE_ACCOUNT}), git=False),
    *cases(
        "another account's key that lets the account in",
        ONE_FOR_ADMIN,
        known({"app": FOREIGN}, {FOREIGN: OF_THE_ACCOUNT}),
        git=True,
    ),
    *cases("another account's key that does not", ONE_FOR_ADMIN, known({"app": FOREIGN}, {FOREIGN: NOBODY}), git=False),
    *cases("the AWS managed key", ONE, known({"app": None}), git=True),
    *cases("the AWS managed key by its alias", ONE, known({"app": "alias/aws/codecommit"}), git=True),
    *cases(
        "the key that a deny spares is another one", admin(ONE_KEY, ONE_REPOSITORY), known({"app": None}), git=False
    ),
    *cases(
        "the key that a deny spares",
        admin(ONE_KEY, ONE_REPOSITORY),
        known({"app": KEY}, {KEY: OF_THE_ACCOUNT}),
        git=True,
    ),
    *cases("a key whose policy was not read", ONE, known({"app": KEY}), git=True, uncertain=True)[:1],
    *cases("a key whose policy is broken", ONE, known({"app": KEY}, {KEY: "{"}), git=True, uncertain=True)[:1],
    *cases(
        "a key whose policy was not read, and which is denied",
        Person(inline=[*ONE.inline, document(deny("kms:*", on=KEY, when=None))]),
        known({"app": KEY}),
        git=False,
    ),
    *cases(
        "another account's key whose policy was not read, and nobody allowed KMS",
        ONE,
        known({"app": FOREIGN}),
        git=False,
    ),
    *cases("a key by an alias, which may be any", ONE, known({"app": "alias/ours"}), git=True, uncertain=True)[:1],
    # what is not known is supposed, as without the answer
    *cases("the repository is not there", ONE, known({"lib": KEY}, {KEY: NOBODY}), git=True),
    *cases("its region was not read", ONE, known({}, {}, "us-east-1"), git=True),
    *cases(
        "the region of another repository of that name",
        ONE,
        known({repository_arn("app", "us-east-1"): KEY}, {KEY: NOBODY}),
        git=True,
    ),
    # any repository: one made tomorrow is encrypted with the AWS managed key
    *cases("any repository, and all that are there are closed", ALL, known({"app": KEY}, {KEY: NOBODY}), git=True),
    *cases(
        "any repository whose name begins so",
        Person(inline=[document(allow(*GIT, on=f"{APP}*")), FORM_A]),
        known({"app": KEY}, {KEY: NOBODY}),
        git=True,
    ),
    *cases("the account's keys are denied", OWN_KEYS_DENIED, known({}, {}, *EVERYWHERE), git=False),
    *cases("no key of the account is known, and all keys are denied", admin(NO_KEY), {}, git=False),
    *cases(
        "the account's keys are denied, and a repository has one",
        OWN_KEYS_DENIED,
        known({"app": KEY}, {KEY: MANAGED}, *EVERYWHERE),
        git=False,
    ),
    *cases(
        "the account's keys are denied, and a repository has another's",
        OWN_KEYS_DENIED,
        known({"lib": None, "app": FOREIGN}, {FOREIGN: OF_THE_ACCOUNT}),
        git=True,
    ),
    *cases(
        "the account's keys are denied, and another's denies",
        OWN_KEYS_DENIED,
        known({"app": FOREIGN}, {FOREIGN: NOBODY}, *EVERYWHERE),
        git=False,
    ),
    *cases(
        "a repository in another region has another account's key",
        OWN_KEYS_DENIED,
        known(
            {repository_arn("app", "us-east-1"): FOREIGN.replace("eu-west-1", "us-east-1")},
            {FOREIGN.replace("eu-west-1", "us-east-1"): OF_THE_ACCOUNT},
        ),
        git=True,
    ),
    *cases(
        "the repository with that key is denied at CodeCommit",
        admin(*OWN_KEYS_DENIED.inline[1:], document(deny("codecommit:*", on=APP))),
        known({"app": FOREIGN}, {FOREIGN: OF_THE_ACCOUNT}, *EVERYWHERE),
        git=False,
    ),
    *cases(
        "the repository with that key is not among those allowed",
        Person(inline=[document(allow(*GIT, on=repository_arn("lib*")), allow("kms:*")), *OWN_KEYS_DENIED.inline[1:]]),
        known({"app": FOREIGN}, {FOREIGN: OF_THE_ACCOUNT}),
        git=False,
    ),
    *cases(
        "a repository has the key that a deny spares",
        admin(ONE_KEY),
        known({"app": KEY}, {KEY: OF_THE_ACCOUNT}),
        git=True,
    ),
    *cases(
        "any repository, and the one that is there has a key whose policy was not read",
        OWN_KEYS_DENIED,
        known({"app": FOREIGN}, {}, *EVERYWHERE),
        git=True,
        uncertain=True,
    )[:1],
    *cases(
        "another account's key that a deny spares is perhaps a repository's",
        admin(one_key(FOREIGN)),
        {},
        git=True,
        uncertain=True,
    )[:1],
    *cases(
        "any key of another account that a deny spares is perhaps a repository's",
        admin(one_key("arn:aws:kms:*:99998888777?:key/*")),
        {},
        git=True,
        uncertain=True,
    )[:1],
    *cases(
        "a repository has another account's key that a deny spares",
        admin(one_key(FOREIGN)),
        known({"app": FOREIGN}, {FOREIGN: OF_THE_ACCOUNT}),
        git=True,
    ),
    *cases(
        "no repository has the key that a deny spares, so far",
        admin(ONE_KEY),
        known({"app": None}),
        git=True,
        uncertain=True,
    ),
]
