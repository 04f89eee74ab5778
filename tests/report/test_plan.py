"""A plan for a reader: what of each repair is told, what is not done and why, and nothing hostile in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.audit import judge
from chalicelib.config import Settings
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.exports import Exports, read_exports
from chalicelib.remediation.applying import apply_step
from chalicelib.remediation.plan import parse_plan, plan_remediation
from chalicelib.report.changes import changes_of, document_diff, undoing, words_of
from chalicelib.report.plan import render_plan, steps_that_change
from chalicelib.report.plan_steps import plan_to_json
from tests.accounts.build import (
    ADMIN,
    GUARD,
    TAKEN,
    Json,
    Person,
    allow,
    deny,
    deny_all_but,
    document,
    exports,
    group,
    managed,
    managed_arn,
    swap,
)
from tests.hostile import each
from tests.remediation.accounts import LOOSE, NAME, POLICY, WORK, account, wanting
from tests.remediation.strategies import DOCUMENTS, accounts, steps_in
from tests.remediation.test_keys import KEY, holding
from tests.remediation.test_keys import SETTINGS as KEYS
from tests.report.test_hostile_names import assert_safe

ARN = managed_arn(NAME)
CARRYING = Person(inline=[ADMIN], attached=[NAME])
FIVE = [*(document(allow(f"s3:{name}")) for name in ("Old", "a", "b", "c")), LOOSE]
NO_MACHINES = document(deny("ec2:*", when=None))


def told(snapshot: AccountSnapshot, settings: Settings) -> str:
    """The plan for all that an audit of the account finds, as it is printed."""
    audit = judge(snapshot, settings=settings)
    return render_plan(plan_remediation(snapshot, audit.findings, settings), snapshot, audit)


@dataclass(frozen=True)
class Told:
    """An account, and lines of its plan in their order; what stands between them does not matter."""

    name: str
    lines: Sequence[str]
    snapshot: AccountSnapshot = field(default_factory=lambda: account(Person(inline=[ADMIN])))
    settings: Settings = field(default_factory=wanting)


STAFF = [group("staff", attached=[NAME])]
TOLD = [
    Told(
        "an attachment",
        [
            "Repair 1 of 1",
            "  high mfa-not-enforced, alice: no-deny: ",
            "  medium canonical-policy-missing, alice: does not carry RequireMfa, directly or through a group",
            f"  Step 1.1: attach {ARN} to user alice",
            "    Why: alice is to carry RequireMfa, and does not",
            "      --- policies attached to user alice",
            "      +++ policies attached to user alice",
            f"      +{ARN}",
            f"    Afterwards: alice carries {ARN}",
            f"    To undo it: detach {ARN} from user alice",
            "The plan: 1 repair, 1 step, 1 user changed; 2 findings mended, 0 refused, 0 documents proposed. "
            "Nothing was changed.",
        ],
    ),
    Told(
        "a membership",
        [
            "  Step 1.1: put user alice into group staff",
            "      --- groups of user alice",
            "      +staff",
            "    To undo it: take user alice out of group staff",
        ],
        account(Person(inline=[ADMIN]), groups=STAFF),
        wanting(group="staff"),
    ),
    Told(
        "an older version is the default one again, and its document is shown",
        [
            f"  Step 1.1: make v1 the default version of {ARN}",
            f"      --- default version of {ARN}",
            "      -v2",
            "      +v1",
            f"      --- {ARN} v2",
            f"      +++ {ARN} v1",
            '      -        "s3:*",',
            f"    To undo it: make v2 the default version of {ARN}",
        ],
        account(CARRYING, policies=[managed(NAME, GUARD, LOOSE, default=2)]),
    ),
    Told(
        "a new version where there are five, and what the oldest said",
        [
            f"  Step 1.1: delete version v1 of {ARN}",
            f"      --- {ARN} v1",
            "      +++ /dev/null",
            '      -      "Action": "s3:Old",',
            f"    To undo it: create version v1 of {ARN} with the document that it has now",
            f"  Step 1.2: create version v6 of {ARN}",
            f"      --- {ARN} v5",
            f"      +++ {ARN} v6",
            '      -        "s3:*",',
            f"    To undo it: delete version v6 of {ARN}",
            f"  Step 1.3: make v6 the default version of {ARN}",
            "      -v5",
            "      +v6",
            f"    Afterwards: v6 is the default version of {ARN}",
        ],
        account(CARRYING, policies=[managed(NAME, *FIVE, default=5)]),
    ),
    Told(
        "an inline policy, once for all who get it",
        [
            '  Step 1.1: write the inline policy "RequireMfa" of user alice',
            "      --- /dev/null",
            '      +++ inline policy "RequireMfa" of user alice',
            '      +      "Effect": "Deny",',
            '    To undo it: delete the inline policy "RequireMfa" of user alice',
            '      +++ inline policy "RequireMfa" of user bob',
            "       (line by line as in step 1.1)",
        ],
        account(Person(inline=[ADMIN]), Person("bob", inline=[ADMIN]), policies=[]),
        wanting(inline=True),
    ),
    Told(
        "an access key",
        [
            "  medium user-without-mfa, robot: ",
            "  Step 2.1: deactivate access key AKIAEXAMPLE1 of user robot",
            "      --- credentials of user robot",
            f"      -{KEY.kind} AKIAEXAMPLE1: Active",
            f"      +{KEY.kind} AKIAEXAMPLE1: Inactive",
            "    To undo it: activate access key AKIAEXAMPLE1 of user robot",
        ],
        holding(KEY),
        KEYS,
    ),
    Told(
        "refusals with one reason stand together",
        [
            "Refused:",
            "  medium canonical-policy-missing, alice, bob: there is no managed policy RequireMfa to attach",
            "The plan: 0 repairs, 0 steps, 0 users changed; 0 findings mended, ",
        ],
        account(Person(inline=[ADMIN]), Person("bob", inline=[ADMIN]), policies=[]),
    ),
    Told(
        "a proposal",
        [
            "  high mfa-not-enforced, alice: the settings name no canonical policy for alice; "
            "the policy is not ours to write: see the proposal",
            "Proposed, for policies that are not ours to write:",
            f"  {managed_arn('Theirs')}: it would mend mfa-not-enforced of alice",
            '    Change: Statement[0] ("Theirs"): NotAction: s3:* taken out',
            f"      --- {managed_arn('Theirs')}",
            '      -        "s3:*"',
            "The plan: 0 repairs, 0 steps, 0 users changed; 0 findings mended, 1 refused, 1 document proposed. ",
        ],
        account(
            Person(inline=[ADMIN], attached=["Theirs"]),
            policies=[managed("Theirs", document({"Sid": "Theirs", **deny_all_but("iam:GetUser", "s3:*")}))],
        ),
        Settings(),
    ),
    Told(
        "what a refused repair would have taken",
        [
            "Refused:",
            "What refused repairs would have taken from people with MFA:",
            "  alice: ec2:",
            "  and ",
        ],
        account(Person(inline=[ADMIN]), Person("bob", inline=[ADMIN]), policies=[managed(NAME, NO_MACHINES)]),
        wanting(NO_MACHINES),
    ),
    Told(
        "nothing",
        ["The plan: 0 repairs, 0 steps, 0 users changed; 0 findings mended, 0 refused, 0 documents proposed. Nothing"],
        account(Person(inline=[WORK], attached=[NAME])),
    ),
]


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.name)
def test_what_is_told(case: Told) -> None:
    text = told(case.snapshot, case.settings)
    place = 0
    for line in case.lines:
        found = f"\n{text}".find(f"\n{line}", place)
        assert found >= 0, f"{line}\n\nis not, or not there, in\n\n{text}"
        place = found + 1


def test_a_long_document_is_not_told_twice() -> None:
    people = [Person(name, inline=[ADMIN]) for name in ("alice", "bob", "carol")]
    text = told(account(*people, policies=[]), wanting(inline=True))
    assert text.count('+      "Effect": "Deny",') == 1


def test_json_is_a_plan_with_its_findings() -> None:
    snapshot, settings = account(Person(inline=[ADMIN]), Person("bob", inline=["{"])), wanting()
    audit = judge(snapshot, settings=settings)
    plan = plan_remediation(snapshot, audit.findings, settings)
    values = json.loads(json.dumps(plan_to_json(plan, audit)))
    assert parse_plan(values) == plan
    assert {one["fingerprint"] for one in values["findings"]} >= set(plan.findings)
    assert values["not_evaluated"]


# --- documents -------------------------------------------------------------------------------------------------------

SAME = " (the same but for how it is written)"
LIKE = {"Statement": {"Effect": "Allow", "Action": "a:B", "Resource": ["*"]}}
LIKE_BOTH = {"Statement": [{"Resource": "*", "Action": ["a:B", "c:D"], "Effect": "Allow"}]}


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (LIKE, {"Statement": [{"Resource": "*", "Action": ["a:B"], "Effect": "Allow"}]}, [SAME]),
        (LIKE_BOTH, {"Statement": {"Effect": "Allow", "Action": ["c:D", "a:B"], "Resource": "*"}}, [SAME]),
        (
            {"Condition": {"Bool": {"x": True, "a": "1"}}},
            {"Condition": {"Bool": {"a": ["1"], "x": ["true"]}}},
            [SAME],
        ),
        ({"Effect": "Deny"}, {"Effect": "Allow"}, ['-  "Effect": "Deny"', '+  "Effect": "Allow"']),
        ({"Id": "a"}, {"Id": "A"}, ['-  "Id": "a"', '+  "Id": "A"']),
        ("{", {}, ["-{", "+{}"]),
        (None, {}, ["+{}"]),
        ({}, None, ["-{}"]),
    ],
)
def test_documents_are_compared_in_one_form(before: object, after: object, changed: list[str]) -> None:
    was, will_be = (one if one is None or one == "{" else json.dumps(one) for one in (before, after))
    lines = document_diff(was, will_be, "policy")[2:]
    assert [line for line in lines if not line.startswith("@") and (line == SAME or line[0] in "+-")] == changed


@given(one=DOCUMENTS, other=DOCUMENTS)
def test_with_a_diff_one_document_becomes_the_other(one: object, other: object) -> None:
    def lines_of(document: object) -> Counter[str]:
        return Counter(line[1:] for line in document_diff(None, json.dumps(document), "new")[3:])

    lines = document_diff(json.dumps(one), json.dumps(other), "both")[2:]
    added, removed = (Counter(line[1:] for line in lines if line[0] == sign) for sign in "+-")
    assert lines_of(one) + added - removed == lines_of(other)
    assert (lines == [SAME]) is not bool(added or removed)


@given(answers=accounts(), body=DOCUMENTS, data=st.data())
def test_every_step_shows_what_it_changes(answers: Exports, body: object, data: st.DataObject) -> None:
    snapshot = read_exports(answers, TAKEN)
    step = data.draw(st.sampled_from(steps_in(snapshot, json.dumps(body))))
    assume(step.before is None or step.before != step.policy)  # a boundary in its own place
    lines = changes_of(step, snapshot, apply_step(snapshot, step))
    assert [line[:3] for line in lines[:2]] == ["---", "+++"]
    assert SAME in lines or any(line[0] in "+-" for line in lines[2:])
    undone = changes_of(step.inverse(), apply_step(snapshot, step), snapshot)
    assert SAME in undone or any(line[0] in "+-" for line in undone[2:])
    assert words_of(step) != undoing(step)


# --- hostile names ---------------------------------------------------------------------------------------------------


def hostile(name: str) -> tuple[AccountSnapshot, Settings]:
    """Repairs, refusals and proposals with the name wherever somebody types one."""
    loose = document({"Sid": name, **deny_all_but("iam:GetUser", "s3:*", f"s3:{name}")})
    people = [
        Person(name, inline=[ADMIN], tags={name: name}),
        Person(f"{name}-2", inline=[ADMIN, loose]),
        Person(f"{name}-3", inline=["{"], groups=[name]),
        Person(f"{name}-4", inline=[ADMIN], groups=[name, f"{name}-loose"]),
    ]
    groups = [group(name, attached=[NAME]), group(f"{name}-loose", loose)]
    answers = swap(
        exports(*people, groups=groups, policies=POLICY),
        credential_report=None,  # it cannot hold every name
        login_profiles={one.name: None for one in people},
        access_keys={one.name: {"AccessKeyMetadata": [key_of(one.name)], "IsTruncated": False} for one in people},
    )
    return read_exports(answers, TAKEN), wanting(group=name, canonical={"users": (name, f"{name}-3")}, owned=("x",))


def key_of(name: str) -> Json:
    """A user's access key, as AWS lists it."""
    return {"UserName": name, "AccessKeyId": "AKIAEXAMPLE1", "Status": "Active", "CreateDate": TAKEN.isoformat()}


@each
def test_a_plan_holds_no_hostile_name(name: str) -> None:
    text = told(*hostile(name))
    assert_safe(text)
    assert "\nRefused:\n" in text
    assert "\ncritical" not in text


def test_of_these_people_every_part_tells_something() -> None:
    text = told(*hostile("plain"))
    assert all(
        f"\n{part}" in text for part in ("Repair 1 of 1", "Refused:", "Proposed, ", "Not read:", "Not evaluated:")
    )


@each
def test_a_diff_holds_no_hostile_text(name: str) -> None:
    policies = [managed(NAME, document({"Sid": name, **allow("s3:*", on=f"arn:aws:s3:::{name}/*")}))]
    text = told(account(CARRYING, policies=policies), wanting())
    assert_safe(text)
    assert f"--- {ARN} v1" in text


def test_no_line_of_a_document_is_cut_or_wrapped() -> None:
    """What is cut off would go unread, and what is wrapped could look like another line."""
    long = "s3:" + "x" * 5000
    policies = [managed(NAME, document(allow(long, "s3:Last")))]
    lines = told(account(CARRYING, policies=policies), wanting()).splitlines()
    assert any(line.startswith("      -") and line.endswith(f'"{long}"') for line in lines)


@pytest.mark.parametrize(
    ("steps", "users", "told"),
    [(1, 1, "1 step that changes 1 user"), (1, 2, "1 step that changes 2 users"), (2, 1, "2 steps that change 1 user")],
)
def test_steps_that_change_users_in_words(steps: int, users: int, told: str) -> None:
    assert steps_that_change(steps, users) == told
