"""The table: what a reader finds in it."""

from __future__ import annotations

import pytest

from chalicelib.report.table import render_table
from tests.accounts.build import ADMIN, Person, Root, audit, audit_of, deny_all_but, document, exports, swap
from tests.events.git_records import identity, observed, push


def test_an_account_without_findings_says_so() -> None:
    text = render_table(audit_of(Person(inline=[ADMIN, document(deny_all_but("iam:ListMFADevices"))])))
    assert "Account 111122223333: no findings; 0 of 1 users concerned." in text
    assert "SEVERITY" not in text


def test_findings_are_counted_by_severity() -> None:
    result = audit_of(Person(inline=[ADMIN]), Person("bob", inline=["{"]), Person("carl"), root=Root(mfa="false"))
    assert "1 critical, 1 high, 1 medium; 2 of 3 users concerned." in render_table(result)


def test_a_user_who_is_gone_is_among_those_who_are_concerned() -> None:
    seen = observed(*push(who=identity(name="gone")))
    assert "1 high; 1 of 1 users concerned." in render_table(audit_of(observed=seen))


@pytest.mark.parametrize(
    ("person", "root", "told"),
    [
        (Person(), Root(mfa="false"), "MFA off; active access keys: 0"),
        (Person(), Root(keys=("true", "true")), "active access keys: 2"),
        (Person(virtual=False, mfa="false", devices=0), Root(), "no MFA device; active: access key"),
        (Person(inline=["{"]), Root(), 'inline policy "inline-0" of user alice'),
        (Person(inline=[ADMIN]), Root(), "no-deny: "),
        (Person(inline=[ADMIN, document(deny_all_but("s3:*"))]), Root(), "not-action-too-wide: s3:"),
        (Person(virtual=False, mfa="false"), Root(), "(uncertain: "),
    ],
)
def test_a_finding_is_told_in_words(person: Person, root: Root, told: str) -> None:
    text = " ".join(render_table(audit_of(person, root=root)).split())
    assert told in text


def test_no_part_of_a_finding_is_told_as_nothing() -> None:
    """An empty place is left out, not written as ": "."""
    text = " ".join(render_table(audit_of(Person(inline=["{"]))).split())
    assert ": :" not in text


def test_gaps_say_what_they_mean() -> None:
    answers = swap(exports(Person()), credential_report=None, ssh_public_keys=None)
    text = render_table(audit(answers))
    assert "Not read:" in text
    assert "credential-report: not read (passwords, access keys and the root user are not known)" in text
    assert "ssh-public-keys: not read (SSH keys are not known)" in text


def test_what_was_not_evaluated_is_told() -> None:
    text = render_table(audit_of(Person(attached=["gone"])))
    assert "Not evaluated:" in text
    told = " ".join(text.partition("Not evaluated:")[2].split())
    assert "not read: arn:aws:iam::111122223333:policy/gone (alice): codecommit-exemption, " in told
    assert "mfa-not-enforced" in told


def test_long_lists_are_cut_and_say_so() -> None:
    text = render_table(audit_of(*(Person(f"user-{i:02}", attached=[f"gone-{i}"]) for i in range(40))))
    assert "more" in text
    assert "--format json" in text
    assert len(text.splitlines()) < 50


def test_many_users_with_one_reason_are_told_in_one_place() -> None:
    text = render_table(audit_of(*(Person(f"user-{i:02}", attached=["gone"]) for i in range(40))))
    assert text.count("policy/gone") <= 3
    assert "more" in text


def test_no_line_ends_in_spaces() -> None:
    text = render_table(audit_of(Person(inline=[ADMIN]), root=Root(mfa="false")))
    assert text == "\n".join(line.rstrip() for line in text.splitlines())
