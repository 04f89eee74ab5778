"""Users with the same policies share a search; each still gets the verdict that is right for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.audit import Audit, judge
from chalicelib.iam.exports import read_exports
from tests.accounts import DEMO, SEEDS, load_exports
from tests.accounts.build import (
    ADMIN,
    FINE,
    FOUND,
    GUARD,
    TAKEN,
    WITHOUT_MFA,
    Json,
    Person,
    allow,
    audit_of,
    deny,
    deny_all_but,
    document,
    found,
    group,
    managed,
    read,
    verdict,
)

CONTROL = "mfa-not-enforced"


def guard_when(**conditions: Any) -> Json:
    """The MFA deny with further conditions."""
    return document(deny_all_but(when={**WITHOUT_MFA, **conditions}))


def person(name: str, **traits: Any) -> Person:
    """Somebody who gets all policies from the group "staff"."""
    return Person(name, groups=["staff"], **traits)


SHARED: list[tuple[str, list[Json], dict[str, Person], dict[str, str]]] = [
    (
        "a name that the deny spares",
        [ADMIN, guard_when(StringNotLike={"aws:username": "ann*"})],
        {"anna": person("anna"), "bob": person("bob"), "annabel": person("annabel")},
        {"anna": FOUND, "annabel": FOUND, "bob": FINE},
    ),
    (
        "a tag that the deny spares, in another case",
        [ADMIN, guard_when(StringNotEquals={"aws:principaltag/MFA": "exempt"})],
        {"anna": person("anna", tags={"Mfa": "exempt"}), "bob": person("bob", tags={"Mfa": "Exempt"})},
        {"anna": FOUND, "bob": FINE},
    ),
    (
        "a tag that one carries and the other lacks",
        [ADMIN, guard_when(Null={"aws:PrincipalTag/team": "true"})],
        {"anna": person("anna", tags={"team": ""}), "bob": person("bob"), "carl": person("carl", tags={"team": "x"})},
        {"bob": FINE, "carl": FOUND},
    ),
    (
        "a path that the deny spares",
        [ADMIN, guard_when(ArnNotLike={"aws:PrincipalArn": "arn:aws:iam::*:user/robots/*"})],
        {"anna": person("anna"), "robot": person("robot", path="/robots/")},
        {"anna": FINE, "robot": FOUND},
    ),
    (
        "a unique id that the deny spares",
        [ADMIN, guard_when(StringNotEquals={"aws:userid": "AIDAANNA"})],
        {"anna": person("anna"), "bob": person("bob")},
        {"anna": FOUND, "bob": FINE},
    ),
    (
        "a folder of one's own, which the deny covers for one user",
        [
            document(
                allow("s3:PutObject", on="arn:aws:s3:::home/${aws:username}/*"),
                deny(on="arn:aws:s3:::home/bob/*"),
            )
        ],
        {"anna": person("anna"), "bob": person("bob")},
        {"anna": FOUND, "bob": FINE},
    ),
    (
        "a folder named after a tag, which one user lacks",
        [document(allow("s3:PutObject", on="arn:aws:s3:::home/${aws:PrincipalTag/team}/*"))],
        {"anna": person("anna", tags={"team": "red"}), "bob": person("bob")},
        {"anna": FOUND, "bob": FINE},
    ),
    (
        "a folder named after a tag, with a default that the deny covers",
        [
            document(
                allow("s3:PutObject", on="arn:aws:s3:::home/${aws:PrincipalTag/team, 'none'}/*"),
                deny("s3:*", on="arn:aws:s3:::home/none/*"),
            )
        ],
        {"anna": person("anna", tags={"team": "red"}), "bob": person("bob")},
        {"anna": FOUND, "bob": FINE},
    ),
    (
        "a name compared with a tag",
        [ADMIN, guard_when(StringNotEquals={"aws:username": "${aws:PrincipalTag/owner}"})],
        {"anna": person("anna", tags={"owner": "anna"}), "bob": person("bob", tags={"owner": "anna"})},
        {"anna": FOUND, "bob": FINE},
    ),
    (
        "a deny on a statement about enrolment alone, by name",
        [
            ADMIN,
            GUARD,
            document(deny("iam:CreateVirtualMFADevice", on="arn:aws:iam::*:mfa/${aws:username}", when=None)),
        ],
        {"anna": person("anna"), "bob": person("bob")},
        {"anna": FINE, "bob": FINE},
    ),
    (
        "a deny with Bool, a key and a password",
        [ADMIN, document(deny_all_but(when={"Bool": {"aws:MultiFactorAuthPresent": "false"}}))],
        {
            "console": person("console", password="true", keys=("false", "false")),
            "key": person("key"),
            "ssh": person("ssh", keys=("false", "false"), ssh_keys=["Active"]),
            "gone": person("gone", keys=("false", "false")),
        },
        {"console": FINE, "key": FOUND, "ssh": FINE, "gone": FINE},
    ),
    (
        "a deny with Null, a key and a password",
        [document(allow("iam:*")), document(deny_all_but(when={"Null": {"aws:MultiFactorAuthPresent": "true"}}))],
        {
            "console": person("console", password="true", keys=("false", "false")),
            "key": person("key"),
        },
        {"console": FOUND, "key": FINE},
    ),
]


@pytest.mark.parametrize("turned", [False, True], ids=["as listed", "turned round"])
@pytest.mark.parametrize(
    ("policies", "people", "expected"), [case[1:] for case in SHARED], ids=[case[0] for case in SHARED]
)
def test_each_gets_their_own_verdict(
    policies: Sequence[Json], people: dict[str, Person], expected: dict[str, str], turned: bool
) -> None:
    """Whoever is judged first does not decide for the others. Users are judged by name, so the names are turned too."""
    names = sorted(people)
    given_names = dict(zip(names, reversed(names), strict=True)) if turned and _names_do_not_matter(policies) else {}
    everybody = [replace(people[name], name=given_names.get(name, name)) for name in names]
    result = audit_of(*everybody, groups=[group("staff", *policies)])
    told = {name: verdict(result, CONTROL, given_names.get(name, name)) for name in expected}
    assert told == expected


def _names_do_not_matter(policies: Sequence[Json]) -> bool:
    text = json.dumps(policies)
    return not any(word in text for word in ("aws:username", "aws:userid", "PrincipalArn", "home/bob"))


def test_a_boundary_of_ones_own_is_not_shared() -> None:
    people = [Person("anna", inline=[ADMIN], boundary="limit"), Person("bob", inline=[ADMIN])]
    result = audit_of(*people, policies=[managed("limit", document(allow("iam:GetUser")))])
    assert [verdict(result, CONTROL, name) for name in ("anna", "bob")] == [FINE, FOUND]


def test_the_same_documents_in_another_role_are_not_shared() -> None:
    """A document as a boundary is not the document as an identity policy."""
    people = [
        Person("anna", inline=[document(allow("s3:*"))], boundary="ec2"),
        Person("bob", inline=[document(allow("s3:*"))], attached=["ec2"]),
    ]
    result = audit_of(*people, policies=[managed("ec2", document(allow("ec2:*")))])
    assert [verdict(result, CONTROL, name) for name in ("anna", "bob")] == [FINE, FOUND]


@pytest.mark.parametrize(
    ("condition", "spared"),
    [
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/anna"}}, ["anna"]),
        ({"StringNotEquals": {"aws:PrincipalTag/team": "red"}}, ["bob"]),
        ({"StringNotLike": {"aws:username": "ann*"}}, ["anna", "annabel"]),
        ({"StringNotLike": {"aws:username": "nobody"}}, []),
    ],
)
def test_a_deny_of_the_organisation_spares_whom_it_spares(condition: Json, spared: Sequence[str]) -> None:
    """The same policies for all, and one service control policy that tells the users apart."""
    people = [person("anna"), person("annabel"), person("bob", tags={"team": "red"}), person("carl")]
    guarding = guard_when(**condition)
    result = audit_of(*people, groups=[group("staff", ADMIN)], scps=[[ADMIN, guarding], [ADMIN]])
    assert [p.name for p in people if verdict(result, CONTROL, p.name) == FOUND] == spared


def test_a_shared_witness_is_made_by_the_user_it_accuses() -> None:
    result = audit_of(*(Person(name, groups=["staff"]) for name in ("anna", "bob")), groups=[group("staff", ADMIN)])
    for name in ("anna", "bob"):
        witness = found(result, name)[CONTROL].witness
        assert witness is not None
        assert witness.principal.endswith(f"user/{name}")


def test_evidence_names_the_policies_of_the_user_it_accuses() -> None:
    """The same document, once of the user and once of a group."""
    result = audit_of(Person("anna", inline=[ADMIN]), person("bob"), groups=[group("staff", ADMIN)])
    assert "of user anna" in str(found(result, "anna")[CONTROL].evidence["statements"])
    assert "of group staff" in str(found(result, "bob")[CONTROL].evidence["statements"])


# --- alone and together ----------------------------------------------------------------------------------------------


def told(result: Audit, user: str) -> str:
    """All that an audit says of a user, byte for byte."""
    skipped = [[item.control, item.reason] for item in result.not_evaluated if item.subject == user]
    return json.dumps([[f.to_json() for f in result.findings if f.user == user], skipped], indent=1)


STORED = [DEMO, *sorted(path for path in SEEDS.iterdir() if path.is_dir())]


@pytest.mark.parametrize("folder", STORED, ids=lambda folder: folder.name)
def test_a_user_judged_alone_is_told_the_same(folder: Any) -> None:
    snapshot = read_exports(load_exports(folder), TAKEN)
    together = judge(snapshot)
    for name in snapshot.users:
        assert told(judge(snapshot, users=[name]), name) == told(together, name)


def test_a_user_judged_alone_is_told_the_same_beside_others_with_their_policies() -> None:
    """A resource that names the user, in a statement about enrolment, does not name another one in the witness."""
    own = document(
        allow(), deny_all_but("iam:*"), allow("iam:EnableMFADevice", on="arn:aws:iam::*:user/${aws:username}")
    )
    snapshot = read(*(person(name) for name in ("anna", "bob")), groups=[group("staff", own)])
    assert told(judge(snapshot, users=["bob"]), "bob") == told(judge(snapshot), "bob")


NAMES = ["anna", "bob", "annabel"]
VARIABLES = ["${aws:username}", "${aws:PrincipalTag/team}", "${aws:userid}", "${aws:PrincipalTag/team, 'none'}"]
FOLDERS = st.sampled_from([*VARIABLES, *NAMES, "*", "ann*", "red", "none", "AIDAANNA"]).map(
    lambda name: f"arn:aws:s3:::home/{name}/*"
)
CALLER = st.sampled_from(["aws:username", "aws:PrincipalTag/team", "aws:userid", "aws:PrincipalArn"])
COMPARED = st.sampled_from([*VARIABLES, *NAMES, "ann*", "red", "blue", "arn:aws:iam::*:user/robots/*", "AIDABOB"])
OPERATORS = st.sampled_from(["StringLike", "StringNotLike", "StringEqualsIfExists", "StringNotEquals"])
CONDITIONS = st.dictionaries(OPERATORS, st.dictionaries(CALLER, COMPARED, min_size=1, max_size=2), max_size=2)
ACTIONS = st.sampled_from(
    [("s3:PutObject",), ("s3:*",), ("iam:CreateVirtualMFADevice",), ("iam:*MFADevice",), ("s3:Get*", "ec2:*"), ("*",)]
)
MFA = st.sampled_from(
    [WITHOUT_MFA, {"Bool": {"aws:MultiFactorAuthPresent": "false"}}, {"Null": {"aws:MultiFactorAuthPresent": "true"}}]
)
PLACES = st.one_of(st.just("*"), FOLDERS)
ALLOWS = st.builds(lambda actions, on, when: allow(*actions, on=on, when=when), ACTIONS, PLACES, CONDITIONS)
DENIES = st.builds(
    lambda actions, on, mfa, when: deny(*actions, on=on, when={**mfa, **when}), ACTIONS, PLACES, MFA, CONDITIONS
)
POLICIES = st.lists(st.one_of(ALLOWS, DENIES), min_size=1, max_size=4).map(lambda found: document(*found))
PEOPLE = st.tuples(
    *(
        st.builds(
            person,
            st.just(name),
            tags=st.sampled_from([{}, {"team": "red"}, {"team": "blue"}, {"Team": name}]),
            path=st.sampled_from(["/", "/robots/"]),
            password=st.sampled_from(["true", "false"]),
            keys=st.sampled_from([("true", "false"), ("false", "false"), ("N/A", "N/A")]),
        )
        for name in NAMES
    )
)


@settings(max_examples=60)
@given(people=PEOPLE, policies=POLICIES)
def test_the_company_of_others_changes_no_verdict(people: Sequence[Person], policies: Json) -> None:
    together = audit_of(*people, groups=[group("staff", policies)])
    for one in people:
        alone = audit_of(one, groups=[group("staff", policies)])
        assert verdict(alone, CONTROL, one.name) == verdict(together, CONTROL, one.name)
        assert told(alone, one.name) == told(together, one.name)
