"""The audit in a terminal: what a reader finds in it, at every width and with any names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from chalicelib.findings import Finding, Severity, Status, Witness
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.request import MfaState
from chalicelib.report.table_audit import render_audit
from chalicelib.report.table_groups import groups_of
from chalicelib.report.text import clean
from tests.accounts.build import ADMIN, Person, Root, audit, audit_of, deny_all_but, document, exports, swap
from tests.events.git_records import identity, observed, push
from tests.report.audits import audit_with, finding_with, unsafe
from tests.report.golden_audits import golden_audits
from tests.report.terminal import terminal

FOLDER = Path(__file__).parent / "golden"
GOLDEN = golden_audits()


@pytest.mark.parametrize("name", GOLDEN)
def test_an_audit_as_it_is_read(name: str) -> None:
    assert GOLDEN[name].text() + "\n" == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_there_is_no_file_of_another_audit() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(GOLDEN)


def test_an_account_without_findings_says_so() -> None:
    text = render_audit(audit_of(Person(inline=[ADMIN, document(deny_all_but("iam:ListMFADevices"))])))
    assert text.startswith("Account 111122223333 as of 2026-06-01 06:00 UTC\nFindings: none\nUsers: 0 of 1 concerned; ")
    assert "mfawatch" not in text


def test_findings_are_counted_by_severity() -> None:
    result = audit_of(Person(inline=[ADMIN]), Person("bob", inline=["{"]), Person("carl"), root=Root(mfa="false"))
    text = render_audit(result)
    assert "Findings: 1 critical, 1 high, 1 medium\n" in text
    assert "Users: 2 of 3 concerned; 1 enforced, 0 exempted, 1 open, 1 not judged\n" in text


def test_a_user_who_is_gone_is_among_those_who_are_concerned() -> None:
    seen = observed(*push(who=identity(name="gone")))
    assert "Findings: 1 high\nUsers: 1 of 1 concerned;" in render_audit(audit_of(observed=seen))


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
    text = " ".join(render_audit(audit_of(person, root=root)).split())
    assert told in text


def test_no_part_of_a_finding_is_told_as_nothing() -> None:
    """An empty place is left out, not written as ": "."""
    text = " ".join(render_audit(audit_of(Person(inline=["{"]))).split())
    assert ": :" not in text


def test_gaps_say_what_they_mean() -> None:
    answers = swap(exports(Person()), credential_report=None, ssh_public_keys=None)
    text = render_audit(audit(answers))
    assert "Not read:" in text
    assert "credential-report: not read (passwords, access keys and the root user are not known)" in text
    assert "ssh-public-keys: not read (SSH keys are not known)" in text


def test_what_was_not_evaluated_is_told() -> None:
    text = render_audit(audit_of(Person(attached=["gone"])))
    assert "Not evaluated:" in text
    told = " ".join(text.partition("Not evaluated:")[2].split())
    assert "not read: arn:aws:iam::111122223333:policy/gone (alice): codecommit-exemption, " in told
    assert "mfa-not-enforced" in told


def test_a_long_list_is_cut_at_a_terminal_and_says_so() -> None:
    result = audit_of(*(Person(f"user-{i:02}", attached=[f"gone-{i}"]) for i in range(40)))
    with terminal(100) as to:
        text = render_audit(result, to=to)
        whole = render_audit(result, to=to, whole=True)
    assert "  … and 28 more (--all lists all)" in text.splitlines()
    assert len(text.splitlines()) < 60
    for complete in (whole, render_audit(result)):
        assert all(f"policy/gone-{i} " in " ".join(complete.split()) for i in range(40))


def test_many_users_with_one_reason_are_told_in_one_place() -> None:
    result = audit_of(*(Person(f"user-{i:02}", attached=["gone"]) for i in range(40)))
    text = render_audit(result)
    assert text.count("policy/gone") <= 3
    assert all(f"user-{i:02}" in text for i in range(40))
    with terminal(80) as to:
        assert "and 32 more users" in " ".join(render_audit(result, to=to).split())


def test_what_could_not_be_read_stands_before_the_findings() -> None:
    text = render_audit(audit(swap(exports(Person(inline=[ADMIN])), credential_report=None)))
    assert text.index("\nNot read:\n") < text.index("\nNot evaluated:\n") < text.index("\nalice  1 high\n")


def test_gaps_of_one_kind_stand_together() -> None:
    gaps = tuple(Gap(Read.SSH_PUBLIC_KEYS, name, "AccessDenied") for name in ("anna", "ben"))
    told = "  ssh-public-keys of anna, ben: AccessDenied (SSH keys are not known)"
    assert told in render_audit(audit_with(gaps=gaps)).splitlines()


def test_no_line_ends_in_spaces() -> None:
    text = render_audit(audit_of(Person(inline=[ADMIN]), root=Root(mfa="false")))
    assert text == "\n".join(line.rstrip() for line in text.splitlines())


# --- who stands together ---------------------------------------------------------------------------------------------


def test_the_account_stands_first_and_then_the_gravest() -> None:
    graver = [finding_with(user=name, severity=Severity.HIGH, control=name) for name in ("zoe", "zoe ", "zoe")]
    found = [finding_with(user="anna"), *graver, finding_with(user="ben", severity=Severity.CRITICAL)]
    found.append(finding_with(user=None, severity=Severity.LOW))
    assert [group.user for group in groups_of(found)] == [None, "ben", "zoe", "anna", "zoe "]
    assert groups_of(found) == groups_of(reversed(found))


def own(name: str, *, policy: str = "Loose", on: str | None = None) -> Finding:
    """That the user can do something to their own, by a policy."""
    arn = f"arn:aws:iam::111122223333:user/{name}"
    return finding_with(
        {"statements": [{"policy": policy, "sid": "Own", "effect": "Allow"}], "summary": f"can, on {on or arn}*"},
        user=name,
        witness=Witness(arn, "iam:TagUser", on or arn, MfaState.ABSENT),
    )


@pytest.mark.parametrize(
    ("found", "together"),
    [
        ([own("ann"), own("ben"), own("cai")], [("ann", "ben", "cai")]),
        ([own("ann"), own("ann-2")], [("ann", "ann-2")]),
        ([own("ann"), own("ben", policy="Other")], [("ann",), ("ben",)]),
        ([own("ann"), own("ben", on="arn:aws:iam::111122223333:user/cai")], [("ann",), ("ben",)]),
        ([own("ann", on="arn:aws:s3:::x/anna"), own("bo", on="arn:aws:s3:::x/boa")], [("ann",), ("bo",)]),
        ([own("s3", on="s3:x"), own("iam", on="iam:x")], [("iam",), ("s3",)]),
        ([own("ann"), own("ben"), finding_with(user="ben", control="other")], [("ben",), ("ann",)]),
    ],
)
def test_who_has_the_same_findings_stands_together(found: list[Finding], together: list[tuple[str, ...]]) -> None:
    assert [(group.user, *group.others) for group in groups_of(found)] == together
    assert sum(group.findings for group in groups_of(found)) == len(found)
    assert [group.user for group in groups_of(found, fold=False)] == [name for names in together for name in names]


def test_thousands_of_users_with_few_holes_can_be_read() -> None:
    found = [own(f"user-{i:04}", policy=f"Policy-{i % 7}") for i in range(2000)]
    with terminal(80) as to:
        text = render_audit(audit_with(*found, users=2000), to=to)
    assert len(text.splitlines()) < 120
    assert "Findings: 2,000 high\n" in text
    assert "and 285 users more with the same, but for the name: user-0007, " in text
    complete = render_audit(audit_with(*found))
    assert all(f"user-{i:04}" in complete for i in range(2000))


# --- any names, any width --------------------------------------------------------------------------------------------

NAMES = st.text(min_size=1, max_size=70) | st.text("山🦊é\u0301a\ufe0f☂:/ ", min_size=1, max_size=40)


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    name, other, value = draw(NAMES), draw(NAMES), draw(NAMES)
    arn = f"arn:aws:iam::111122223333:user/{name}"
    return finding_with(
        {
            "summary": draw(st.sampled_from(["", f"can act on {arn}, {other}", value * 20])),
            "statements": [{"policy": f"arn:aws:iam::111122223333:policy/{other}", "sid": value, "effect": "Allow"}],
            "guard": {"policy": other},
            "counterfactual": value,
        },
        control=draw(st.sampled_from(["mfa-not-enforced", "kms-exception-any-service"])),
        severity=draw(st.sampled_from(Severity)),
        status=draw(st.sampled_from([Status.OPEN, Status.OPEN, Status.SUPPRESSED])),
        fix=f"Mend {value}.",
        user=draw(st.sampled_from([name, None])),
        resource=arn,
        distinction=other,
        witness=Witness(arn, f"iam:{other}", arn, MfaState.FALSE, {"aws:sourceip": value}),
    )


@settings(max_examples=50)
@given(st.lists(findings(), max_size=6), st.integers(40, 200), st.booleans(), NAMES)
def test_every_line_fits_and_every_finding_is_told_or_counted(
    found: list[Finding], width: int, whole: bool, subject: str
) -> None:
    gaps = (Gap(Read.SSH_PUBLIC_KEYS, subject, f"AccessDenied: {subject}"),)
    result = audit_with(*found, gaps=gaps, account="111122223333")
    with terminal(width) as to:
        text = render_audit(result, to=to)
        complete = render_audit(result, to=to, whole=whole)
    assert not unsafe((text + complete).replace("\n", ""))
    assert max(map(cell_len, text.splitlines())) <= width
    still = [one for one in found if one.status is Status.OPEN]
    groups = groups_of(still)
    assert sum(group.findings for group in groups) == len(still)
    assert sum(line.split()[:1] == [str(s)] for s in Severity for line in text.splitlines()) >= len(groups)
    told = render_audit(result)
    assert all(clean(one.user or "The account itself") in told for one in still)


@given(NAMES.map(lambda name: name + "x" * 100))
def test_nothing_is_lost_and_no_word_broken_where_there_is_no_terminal(name: str) -> None:
    text = render_audit(audit_with(own(name, policy=name)))
    words = " ".join(line.strip() for line in text.splitlines())
    for part in (name, f"arn:aws:iam::111122223333:user/{name}*"):
        assert " ".join(clean(part).split()) in " ".join(words.split())


# --- colours ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "coloured", "bold"),
    [
        ({"TERM": "xterm-256color"}, True, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False, True),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_colour_is_where_the_terminal_takes_it(variables: dict[str, str], coloured: bool, bold: bool) -> None:
    result = audit_with(finding_with(), finding_with(severity=Severity.CRITICAL, user=None))
    with terminal(80, **variables) as to:
        text = render_audit(result, to=to)
        plain = render_audit(result, to=to, plain=True)
    assert ("\x1b[1;31mhigh\x1b[0m" in text) == coloured
    assert ("\x1b[1mhigh\x1b[0m" in text) == (bold and not coloured)
    assert ("\x1b[" in text) == bold
    assert "\x1b[" not in plain
    assert "high" in plain
    assert "critical" in plain


def test_colour_can_be_asked_for_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31mhigh\x1b[0m" in render_audit(audit_with(finding_with()))
    assert "\x1b[" not in render_audit(audit_with(finding_with()), plain=True)
