"""canonical-policy-missing and canonical-policy-drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.config import CanonicalPolicy, Settings
from chalicelib.iam.policy import parse_policy
from tests.accounts.build import GUARD, Json, Person, allow, deny, document, group, managed, managed_arn
from tests.controls.cases.base import NO_KEYS, Case

NAME = "RequireMfa"
OTHER = document(deny("s3:*"))
ARN = managed_arn(NAME)


def wanted(name: str = NAME, says: Json | None = None, **traits: Any) -> Settings:
    """Settings that want everybody to carry the policy, with that document where one is given."""
    expected = {"document": "guard.json", "expected": parse_policy(says)} if says else {}
    return Settings(canonical=(CanonicalPolicy(name, **{**expected, **traits}),))


def missing(name: str, person: Person, severity: str | None = None, *, settings: Settings, **traits: Any) -> Case:
    """A case of canonical-policy-missing."""
    return Case("canonical-policy-missing", name, person, severity, settings=settings, traits=traits)


def drift(
    name: str,
    policies: list[Json],
    severity: str | None = None,
    *,
    settings: Settings,
    resource: str = ARN,
    **more: Any,
) -> Case:
    """A case of canonical-policy-drift."""
    traits: Mapping[str, Any] = {"policies": policies}
    return Case(
        "canonical-policy-drift",
        name,
        severity=severity,
        settings=settings,
        traits={**traits, **more},
        about_root=True,
        resource=resource,
    )


STAFF: dict[str, Any] = {"policies": [managed(NAME, GUARD)]}

MISSING = [
    missing("nothing carried", Person(), "medium", settings=wanted()),
    missing(
        "another policy carried",
        Person(attached=["Other"]),
        "medium",
        settings=wanted(),
        policies=[managed("Other", OTHER)],
    ),
    missing("carried as a boundary alone", Person(boundary=NAME), "medium", settings=wanted(), **STAFF),
    missing(
        "a name in another case",
        Person(attached=["requiremfa"]),
        "medium",
        settings=wanted(),
        policies=[managed("requiremfa", GUARD)],
    ),
    missing("attached", Person(attached=[NAME]), settings=wanted(), **STAFF),
    missing("attached, named by ARN", Person(attached=[NAME]), settings=wanted(ARN), **STAFF),
    missing(
        "through a group's inline policy",
        Person(groups=["staff"]),
        settings=wanted("inline-0"),
        groups=[group("staff", GUARD)],
    ),
    missing("wanted of others", Person(), settings=wanted(users=("robot-*",))),
    missing("no credential", Person(keys=NO_KEYS), settings=wanted()),
    missing("nothing wanted", Person(), settings=Settings()),
]

DRIFT = [
    drift("another document", [managed(NAME, OTHER)], "high", settings=wanted(says=GUARD)),
    drift(
        "a wider version made default", [managed(NAME, GUARD, OTHER, default=2)], "high", settings=wanted(says=GUARD)
    ),
    drift(
        "another version than the one wanted",
        [managed(NAME, GUARD, GUARD, default=1)],
        "high",
        settings=wanted(version="v2"),
    ),
    drift("a document that cannot be evaluated", [managed(NAME, "{")], "high", settings=wanted(says=GUARD)),
    drift("no such policy", [managed("Other", GUARD)], "high", settings=wanted(says=GUARD)),
    drift(
        "one statement more",
        [managed(NAME, document(*GUARD["Statement"], allow("s3:*")))],
        "high",
        settings=wanted(says=GUARD),
    ),
    drift("the right document", [managed(NAME, GUARD)], settings=wanted(says=GUARD)),
    drift(
        "the right document, the wrong one kept beside it",
        [managed(NAME, OTHER, GUARD, default=2)],
        settings=wanted(says=GUARD),
    ),
    drift(
        "the same in another order and with a Sid",
        [
            managed(
                NAME,
                document(
                    {"Sid": "Guard", **GUARD["Statement"][0], "NotAction": GUARD["Statement"][0]["NotAction"][::-1]}
                ),
            )
        ],
        settings=wanted(says=GUARD),
    ),
    drift("the right version", [managed(NAME, OTHER, GUARD, default=2)], settings=wanted(version="v2")),
]
