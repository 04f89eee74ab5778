"""Settings: what is accepted and what is not, what is refused, and that the errors name the line."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from dataclasses import FrozenInstanceError
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import config
from chalicelib.alert_settings import QuietHours, Route, Target
from chalicelib.api_settings import ApiSettings, Grant
from chalicelib.config import CanonicalPolicy, Exemption, Settings, SettingsError, parse_settings
from chalicelib.findings import Severity
from chalicelib.remediation_settings import RemediationSettings
from chalicelib.settings_file import Path, line_of

CONTROLS = ("user-without-mfa", "mfa-not-enforced", "codecommit-exemption", "role-assumable-without-mfa")
EXAMPLE = textwrap.dedent(str(config.__doc__).partition("::\n")[2].partition("\n`*`")[0])
"""The file that the module shows."""
REPOSITORY = "arn:aws:codecommit:*:111122223333:app"
ROLE = "arn:aws:iam::111122223333:role/deploy"


def test_the_example_of_the_module() -> None:
    assert parse_settings(EXAMPLE, {}, CONTROLS) == Settings(
        accounts=("111122223333",),
        organization=True,
        regions=("eu-west-1",),
        break_glass_users=("emergency-*",),
        canonical=(CanonicalPolicy("RequireMfa", "policies/require-mfa.json", "v3", ("*",)),),
        exemptions=(
            Exemption(
                "codecommit-exemption",
                "the build server cannot carry MFA",
                users=("robot-*",),
                repositories=(REPOSITORY,),
                until=date(2027, 1, 31),
            ),
            Exemption(
                "role-assumable-without-mfa",
                "it reads the status page, and no more",
                roles=("arn:aws:iam::111122223333:role/status",),
            ),
        ),
        remediation=RemediationSettings(group="everybody", owned=("RequireMfa*",)),
        api=ApiSettings((Grant(frozenset({"222222222222"}), ("arn:aws:iam::111122223333:role/auditor",)),)),
        alerts=(
            Route(
                Target.SLACK,
                channel="C0123456789",
                controls=frozenset({"mfa-not-enforced"}),
                quiet=QuietHours(time(20), time(7), "Europe/Berlin", Severity.HIGH),
            ),
        ),
        fail_on=Severity.HIGH,
        report_age_hours=24,
    )


@pytest.mark.parametrize("text", ["", "\n", "# nothing\r\n", "\ufeff", "[thresholds]", "canonical = []\naccounts = []"])
def test_no_settings_accept_nothing(text: str) -> None:
    settings = parse_settings(text)
    assert settings == Settings()
    assert (settings.fail_on, settings.report_age_hours) == (Severity.HIGH, 24)
    assert not settings.is_break_glass("emergency-1")
    assert settings.accepts("codecommit-exemption", "robot-1", None, date(2026, 1, 1)) is None
    assert settings.canonical_for("robot-1") == ()
    with pytest.raises(FrozenInstanceError):
        settings.fail_on = None  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('[thresholds]\nfail_on = "never"', Settings(fail_on=None)),
        ('thresholds.fail_on = "info"', Settings(fail_on=Severity.INFO)),
        ("thresholds = {report_age_hours = 0.5}", Settings(report_age_hours=0.5)),
        ('regions = ["us-gov-west-1", "ap-northeast-3"]', Settings(regions=("us-gov-west-1", "ap-northeast-3"))),
        ('break_glass_users = ["a.b+c=d,e@f_g-?"]', Settings(break_glass_users=("a.b+c=d,e@f_g-?",))),
        (
            'canonical = [\n  {name = "One"},\n  {name = "arn:aws:iam::aws:policy/Two", users = ["b*"]}\n]',
            Settings(canonical=(CanonicalPolicy("One"), CanonicalPolicy("arn:aws:iam::aws:policy/Two", users=("b*",)))),
        ),
        (
            '[[exemptions]]\ncontrol = "any"\nreason = """\nA page\nof it"""\nuntil = 2027-01-31',
            Settings(exemptions=(Exemption("any", "A page\nof it", until=date(2027, 1, 31)),)),
        ),
    ],
)
def test_other_ways_of_writing(text: str, wanted: Settings) -> None:
    assert parse_settings(text) == wanted
    assert parse_settings("\ufeff" + text.replace("\n", "\r\n")) == wanted


# --- the environment -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "name", "wanted"),
    [
        ("MFAWATCH_ACCOUNTS", "444455556666, 111122223333", "accounts", ("444455556666", "111122223333")),
        ("MFAWATCH_ACCOUNTS", "", "accounts", ()),
        ("MFAWATCH_BREAK_GLASS_USERS", "glass-*,fire", "break_glass_users", ("glass-*", "fire")),
        ("MFAWATCH_BREAK_GLASS_USERS", " ", "break_glass_users", ()),
        ("MFAWATCH_FAIL_ON", "never", "fail_on", None),
        ("MFAWATCH_FAIL_ON", "critical", "fail_on", Severity.CRITICAL),
        ("MFAWATCH_REPORT_AGE_HOURS", "0.25", "report_age_hours", 0.25),
        ("MFAWATCH_REPORT_AGE_HOURS", "48", "report_age_hours", 48),
    ],
)
def test_the_environment_counts_in_place_of_the_file(variable: str, value: str, name: str, wanted: object) -> None:
    file = (
        'accounts = ["999999999999"]\nbreak_glass_users = ["nobody"]\n'
        '[thresholds]\nfail_on = "low"\nreport_age_hours = 7'
    )
    without = parse_settings(file)
    settings = parse_settings(file, {variable: value, "MFAWATCH_SETTINGS": "elsewhere.toml", "MFAWATCH_OTHER": ""})
    assert getattr(settings, name) == wanted != getattr(without, name)
    others = [field for field in Settings.__dataclass_fields__ if field != name]
    assert [getattr(settings, other) for other in others] == [getattr(without, other) for other in others]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("MFAWATCH_ACCOUNTS", "111122223333,", "MFAWATCH_ACCOUNTS[1]: must not be empty"),
        ("MFAWATCH_ACCOUNTS", "1\n2", 'MFAWATCH_ACCOUNTS[0]: must be an account id, 12 digits, not "1\\n2"'),
        ("MFAWATCH_BREAK_GLASS_USERS", "a,,b", "MFAWATCH_BREAK_GLASS_USERS[1]: must not be empty"),
        ("MFAWATCH_FAIL_ON", "", "MFAWATCH_FAIL_ON: must be one of info, low, medium, high, critical, never"),
        ("MFAWATCH_REPORT_AGE_HOURS", "", "MFAWATCH_REPORT_AGE_HOURS: must be a number, not a string"),
        ("MFAWATCH_REPORT_AGE_HOURS", "a day", "MFAWATCH_REPORT_AGE_HOURS: must be a number, not a string"),
        ("MFAWATCH_REPORT_AGE_HOURS", "-1", "MFAWATCH_REPORT_AGE_HOURS: must be above 0, and at most 87600"),
        ("MFAWATCH_REPORT_AGE_HOURS", "nan", "MFAWATCH_REPORT_AGE_HOURS: must be above 0, and at most 87600"),
        ("MFAWATCH_REPORT_AGE_HOURS", "inf", "MFAWATCH_REPORT_AGE_HOURS: must be above 0, and at most 87600"),
    ],
)
def test_an_error_in_the_environment_names_the_variable(variable: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings("", {variable: value})
    assert str(caught.value) == message


def test_the_environment_hides_no_error_of_the_file() -> None:
    with pytest.raises(SettingsError, match=r"^line 1: accounts: must be a list of strings, not a string$"):
        parse_settings('accounts = "1"', {"MFAWATCH_ACCOUNTS": "111122223333"})


# --- what is accepted ------------------------------------------------------------------------------------------------

ACCEPTING = parse_settings(
    f"""
    break_glass_users = ["emergency-*", "Fire?", "kim"]

    [[canonical]]
    name = "RequireMfa"

    [[canonical]]
    name = "Robots"
    users = ["ROBOT-*", "c3po"]

    [[exemptions]]
    control = "codecommit-exemption"
    users = ["robot-*"]
    repositories = ["{REPOSITORY}", "arn:aws:codecommit:eu-west-1:111122223333:web-?"]
    reason = "build"
    until = 2027-01-31

    [[exemptions]]
    control = "codecommit-exemption"
    users = ["robot-7"]
    reason = "later"

    [[exemptions]]
    control = "role-assumable-without-mfa"
    roles = ["{ROLE}*"]
    reason = "deploys"

    [[exemptions]]
    control = "user-without-mfa"
    reason = "all of them"
    until = 2026-06-30
    """,
    known_controls=CONTROLS,
)
GIT, ROLES, PLAIN = "codecommit-exemption", "role-assumable-without-mfa", "user-without-mfa"
APP = REPOSITORY.replace("*", "eu-west-1")
DAY = date(2027, 1, 31)


@pytest.mark.parametrize(
    ("control", "user", "resource", "on", "reason"),
    [
        (GIT, "robot-1", APP, DAY, "build"),
        (GIT, "Robot-1", APP, DAY, "build"),
        (GIT, "robot-1", APP, date(2027, 2, 1), None),
        (GIT, "robot-1", APP.replace("eu-west-1", "us-east-2"), DAY, "build"),
        (GIT, "robot-1", APP.replace(":app", ":App"), DAY, None),
        (GIT, "robot-1", APP + "s", DAY, None),
        (GIT, "robot-1", APP.replace("1111", "9999"), DAY, None),
        (GIT, "robot-1", "arn:aws:codecommit:eu-west-1:999999999999:x:111122223333:app", DAY, None),
        (GIT, "robot-1", APP.replace(":app", ":web-2"), DAY, "build"),
        (GIT, "robot-1", APP.replace(":app", ":web-"), DAY, None),
        (GIT, "robot-1", APP.replace(":app", ":webx2"), DAY, None),
        (GIT, "robot-1", None, DAY, None),
        (GIT, "robot-1", "*", DAY, None),
        (GIT, "robot-1", "", DAY, None),
        (GIT, "robot-7", APP, DAY, "build"),
        (GIT, "robot-7", APP, date(2030, 1, 1), "later"),
        (GIT, "robot-7", None, DAY, "later"),
        (GIT, "xrobot-1", APP, DAY, None),
        (GIT, "anna", APP, DAY, None),
        (ROLES, "anna", ROLE, DAY, "deploys"),
        (ROLES, "anna", ROLE + "-2/x:y", DAY, "deploys"),
        (ROLES, "anna", "arn:aws:iam::111122223333:role/DEPLOY", DAY, None),
        (ROLES, "anna", None, DAY, None),
        (PLAIN, "anna", None, date(2026, 6, 30), "all of them"),
        (PLAIN, "anna", "arn:aws:iam::111122223333:user/anna", date(2026, 6, 30), "all of them"),
        (PLAIN, "anna", None, date(2026, 7, 1), None),
        ("mfa-not-enforced", "robot-1", APP, DAY, None),
    ],
)
def test_what_is_accepted(control: str, user: str, resource: str | None, on: date, reason: str | None) -> None:
    found = ACCEPTING.accepts(control, user, resource, on)
    assert (found.reason if found else None) == reason


@pytest.mark.parametrize(
    ("user", "wanted"),
    [
        ("emergency-1", True),
        ("EMERGENCY-", True),
        ("emergency", False),
        ("fire1", True),
        ("fire", False),
        ("fire12", False),
        ("KIM", True),
        ("\u212aim", False),
        ("emergency-1\n", True),
        ("", False),
    ],
)
def test_break_glass_users(user: str, wanted: bool) -> None:
    assert ACCEPTING.is_break_glass(user) is wanted


@pytest.mark.parametrize(
    ("user", "wanted"),
    [("anna", ["RequireMfa"]), ("robot-9", ["RequireMfa", "Robots"]), ("C3PO", ["RequireMfa", "Robots"])],
)
def test_canonical_policies(user: str, wanted: list[str]) -> None:
    assert [policy.name for policy in ACCEPTING.canonical_for(user)] == wanted


# --- what is refused -------------------------------------------------------------------------------------------------

EXEMPTION = '[[exemptions]]\ncontrol = "codecommit-exemption"\nreason = "x"\n'
LIST, TABLES = "must be a list of strings, not", "must be a list of tables,"
USER = "must be a user name, with * and ? as wildcards, not"
ARN = "must be an ARN of six segments, with * and ? as wildcards, not"
DATE = "must be a date such as 2027-01-31, without quotes, not"
REFUSED: list[tuple[str, str]] = [
    # no TOML
    ("accounts = [", "line 1: is no TOML: Invalid value"),
    ("accounts = [\n'1'\n\n", "line 2: is no TOML: Unclosed array"),
    ('\n[x]\na = "', "line 3: is no TOML: Unterminated string"),
    ("a = 1\na = 2\nb = 3", "line 2: is no TOML: Cannot overwrite a value"),
    ("[[exemptions]\n", "line 1: is no TOML: Expected ']]' at the end of an array declaration"),
    ("[[exemptions]]\nuntil = 2027-02-30\n", "line 2: is no TOML: Invalid date or datetime"),
    # keys
    ("account = []", 'line 1: account: unknown key; did you mean "accounts"?'),
    ("organization = 1", "line 1: organization: must be true or false, not a number"),
    ('organization = "yes"', "line 1: organization: must be true or false, not a string"),
    ("Accounts = []", 'line 1: Accounts: unknown key; did you mean "accounts"?'),
    (
        "x = 1",
        "line 1: x: unknown key; there are accounts, organization, regions, break_glass_users, canonical, exemptions, "
        "alerts, remediation, api, thresholds",
    ),
    ("[threshold]\nfail_on = 'low'", 'line 1: threshold: unknown key; did you mean "thresholds"?'),
    ("threshold.fail_on = 'low'", 'line 1: threshold: unknown key; did you mean "thresholds"?'),
    ("[thresholds]\nfail-on = 'low'", 'line 2: thresholds.fail-on: unknown key; did you mean "fail_on"?'),
    ("thresholds.'fail on' = 'low'", 'line 1: thresholds."fail on": unknown key; did you mean "fail_on"?'),
    (
        '[thresholds]\n"a\\n.b" = 1',
        'line 2: thresholds."a\\n.b": unknown key; there are fail_on, report_age_hours',
    ),
    (f"{EXEMPTION}repos = []", "line 4: exemptions[0].repos: unknown key; there are control, users, repositories, "),
    (
        f"{EXEMPTION}repostories = []",
        'line 4: exemptions[0].repostories: unknown key; did you mean "repositories"?',
    ),
    (
        "[[canonical]]\nname = 'x'\n\naccounts = []",
        "line 4: canonical[0].accounts: unknown key; there are name, document, version, users",
    ),
    # accounts and users
    ("accounts = '111122223333'", f"line 1: accounts: {LIST} a string"),
    ("accounts = [111122223333]", "line 1: accounts[0]: must be a string, not a number"),
    ("accounts = [\n'111122223333',\n'1111'\n]", "line 3: accounts[1]: must be an account id, 12 digits, not "),
    ("accounts = ['']", "line 1: accounts[0]: must not be empty"),
    (
        "accounts = ['\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661']",
        "line 1: accounts[0]: must be an account id",
    ),
    ("regions = 'eu-west-1'", f"line 1: regions: {LIST} a string"),
    ("regions = []", "line 1: regions: must not be empty"),
    ("regions = ['eu-west-1',\n'*']", 'line 2: regions[1]: must be a region such as eu-west-1, not "*"'),
    ("regions = ['EU-WEST-1']", 'line 1: regions[0]: must be a region such as eu-west-1, not "EU-WEST-1"'),
    ("regions = ['eu-west-1a']", 'line 1: regions[0]: must be a region such as eu-west-1, not "eu-west-1a"'),
    ("regions = [1]", "line 1: regions[0]: must be a string, not a number"),
    ("break_glass_users = {}", f"line 1: break_glass_users: {LIST} a table"),
    ("break_glass_users = 2027-01-31", f"line 1: break_glass_users: {LIST} a date"),
    ("break_glass_users = [true]", "line 1: break_glass_users[0]: must be a string, not a boolean"),
    ("break_glass_users = [' ']", "line 1: break_glass_users[0]: must not be empty"),
    ("break_glass_users = ['user/a']", f'line 1: break_glass_users[0]: {USER} "user/a"'),
    ("break_glass_users = ['\u202e']", f'line 1: break_glass_users[0]: {USER} "\\u202e"'),
    # canonical policies
    ("canonical = 'x'", f"line 1: canonical: {TABLES} [[canonical]], not a string"),
    ("[canonical]\nname = 'x'", f"line 1: canonical: {TABLES} [[canonical]], not a table"),
    ("canonical = ['x']", "line 1: canonical[0]: must be a table, not a string"),
    ("[[canonical]]\nversion = 'v1'", "line 1: canonical[0].name: is missing"),
    ("[[canonical]]\nname = ''", "line 2: canonical[0].name: must not be empty"),
    ("[[canonical]]\nname = 1.5", "line 2: canonical[0].name: must be a string, not a number"),
    ("[[canonical]]\nname = 'x'\nversion = 3", "line 3: canonical[0].version: must be a string, not a number"),
    ("[[canonical]]\nname = 'x'\nversion = '3'", "line 3: canonical[0].version: must be a version such as v3"),
    ("[[canonical]]\nname = 'x'\ndocument = ''", "line 3: canonical[0].document: must not be empty"),
    (
        '[[canonical]]\nname = "x"\ndocument = "a\\u0000"',
        'line 3: canonical[0].document: must be a path, not "a\\u0000"',
    ),
    ("[[canonical]]\nname = 'x'\nusers = 'a'", f"line 3: canonical[0].users: {LIST} a string"),
    ("[[canonical]]\nname = 'x'\nusers = []", "line 3: canonical[0].users: must not be empty"),
    # exemptions
    ("[exemptions]\nx = 1", f"line 1: exemptions: {TABLES} [[exemptions]], not a table"),
    ("[[exemptions]]\nreason = 'x'", "line 1: exemptions[0].control: is missing"),
    (f"{EXEMPTION}[[exemptions]]\ncontrol = 'user-without-mfa'", "line 4: exemptions[1].reason: is missing"),
    (EXEMPTION.replace("codecommit-", "codecommits-"), 'line 2: exemptions[0].control: no control "codecommits-'),
    (
        EXEMPTION.replace("codecommit-exemption", "x"),
        'line 2: exemptions[0].control: no control "x"; there are user-without-mfa, ',
    ),
    (EXEMPTION.replace('"x"', '" "'), "line 3: exemptions[0].reason: must not be empty"),
    (EXEMPTION.replace('"x"', "['x']"), "line 3: exemptions[0].reason: must be a string, not a list"),
    (f"{EXEMPTION}users = []", "line 4: exemptions[0].users: must not be empty"),
    (f"{EXEMPTION}repositories = 'x'", f"line 4: exemptions[0].repositories: {LIST} a string"),
    (f"{EXEMPTION}repositories = []", "line 4: exemptions[0].repositories: must not be empty"),
    (f"{EXEMPTION}repositories = ['app']", f'line 4: exemptions[0].repositories[0]: {ARN} "app"'),
    (f"{EXEMPTION}repositories = [\n'{REPOSITORY}',\n'*']", f'line 6: exemptions[0].repositories[1]: {ARN} "*"'),
    (f"{EXEMPTION}roles = ['{ROLE}']", "line 4: exemptions[0].roles: goes with control = "),
    (
        f"{EXEMPTION.replace('codecommit-exemption', 'user-without-mfa')}repositories = ['{REPOSITORY}']",
        'line 4: exemptions[0].repositories: goes with control = "codecommit-exemption" or '
        'control = "git-operation-without-mfa" alone',
    ),
    (f"{EXEMPTION}until = '2027-01-31'", f"line 4: exemptions[0].until: {DATE} a string"),
    (f"{EXEMPTION}until = 2027-01-31T00:00:00Z", f"line 4: exemptions[0].until: {DATE} a date with a time"),
    (f"{EXEMPTION}until = 2027-01-31 00:00:00", f"line 4: exemptions[0].until: {DATE} a date with a time"),
    (f"{EXEMPTION}until = 07:30:00", f"line 4: exemptions[0].until: {DATE} a time"),
    # thresholds
    ("thresholds = 7", "line 1: thresholds: must be a table, not a number"),
    ("[[thresholds]]", "line 1: thresholds: must be a table, not a list"),
    ("[thresholds]\nfail_on = 'HIGH'", "line 2: thresholds.fail_on: must be one of info, low, medium, high, critical,"),
    ("[thresholds]\nfail_on = []", "line 2: thresholds.fail_on: must be one of info, "),
    ("[thresholds]\nreport_age_hours = '24'", "line 2: thresholds.report_age_hours: must be a number, not a string"),
    ("[thresholds]\nreport_age_hours = true", "line 2: thresholds.report_age_hours: must be a number, not a boolean"),
    ("[thresholds]\nreport_age_hours = 0", "line 2: thresholds.report_age_hours: must be above 0, and at most 87600"),
    ("[thresholds]\nreport_age_hours = nan", "line 2: thresholds.report_age_hours: must be above 0"),
    ("[thresholds]\nreport_age_hours = inf", "line 2: thresholds.report_age_hours: must be above 0"),
    (f"[thresholds]\nreport_age_hours = 1{'0' * 400}", "line 2: thresholds.report_age_hours: must be above 0"),
    # lines that are hard to tell
    (
        f'{EXEMPTION}# users = 1\n[[exemptions]]\ncontrol = "codecommit-exemption"\n'
        'reason = """\n[[exemptions]]\nusers = 2\n\\""" " # ""\n"""""\n\n  "users"= 3',
        f"line 13: exemptions[1].users: {LIST} a number",
    ),
    (
        f"{EXEMPTION}[[exemptions]]\ncontrol = 'codecommit-exemption'\nreason = '''\n''users = [\n'''\nusers = 3",
        f"line 9: exemptions[1].users: {LIST} a number",
    ),
    (
        "accounts = [ # ]\n  '111122223333', # '\n\n  # accounts = 1\n  '''\n1''',\n]",
        'line 5: accounts[1]: must be an account id, 12 digits, not "1"',
    ),
    (
        "exemptions = [\n  {control = 'user-without-mfa', reason = '},{'},\n"
        "  {control = 'user-without-mfa',\treason = 'x', users = ['a', [\n]]}\n]",
        "line 3: exemptions[1].users[1]: must be a string, not a list",
    ),
    (
        "exemptions = [{control = 'user-without-mfa', reason = 'x'},\n{reason = 'x'}]",
        "line 2: exemptions[1].control: is missing",
    ),
    (
        'exemptions = [{reason = """x"""", users = ["a",\n1], control = "user-without-mfa"}]',
        "line 2: exemptions[0].users[1]: must be a string, not a number",
    ),
    (
        "exemptions = [{reason = '''x'''', users = ['a',\n1], control = 'user-without-mfa'}]",
        "line 2: exemptions[0].users[1]: must be a string, not a number",
    ),
    ('"accounts" = 1', f"line 1: accounts: {LIST} a number"),
    ('"\\u0061ccounts" = 1', f"line 1: accounts: {LIST} a number"),
    ("[ thresholds ]\nfail_on = 1", "line 2: thresholds.fail_on: must be one of"),
    ("thresholds . report_age_hours=1.5e1\n\nthresholds.fail_on = 1.5", "line 3: thresholds.fail_on: must be one of"),
    ("[[canonical]]\nname = 'x'\n[canonical.users]\nx = 1", f"line 3: canonical[0].users: {LIST} a table"),
    ("[[canonical]]\nname = 'x'\n[[canonical]]\nusers.x = 1", "line 3: canonical[1].name: is missing"),
]


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text, {}, CONTROLS)
    error = caught.value
    assert str(error) == (f"{error.where}: {error.reason}" if error.where else error.reason)
    return str(error)


def assert_one_line(message: str) -> None:
    assert message.strip()
    assert message.isprintable()
    assert len(message) < 1000


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused(text: str, message: str) -> None:
    told = refusal(text)
    assert told.startswith(message)
    assert_one_line(told)
    assert refusal(text.replace("\n", "\r\n")) == told


@given(
    st.sampled_from(REFUSED),
    st.lists(st.sampled_from(["", "  ", "#", "# accounts = 1", "# [[exemptions]]", '# """', "# '''", "\t# ["])),
    st.sampled_from(["\n", "\r\n"]),
)
def test_lines_before_count(case: tuple[str, str], before: list[str], end: str) -> None:
    text, message = case
    told = refusal("".join(line + end for line in before) + text)
    assert told.startswith(re.sub(r"\d+", lambda match: str(int(match[0]) + len(before)), message, count=1))


@pytest.mark.parametrize(
    "text",
    [
        "accounts = " + "[" * 10_000,
        "accounts = " + "[" * 10_000 + "]" * 10_000,
        "accounts = " + "{a=" * 10_000,
        "accounts = " + "9" * 5_000,
        "a" * 10_000 + " = 1",
        f"'{chr(0x202E) * 5_000}' = 1",
        ".".join("a" * 1_000) + " = 1",
        "accounts = ['" + "\u2028" * 5_000 + "']",
        "\x00",
        "\ud800 = 1",
        "'\ud800' = 1",
        "[\r]",
    ],
    ids=range(12),
)
def test_what_is_outlandish_is_one_line(text: str) -> None:
    assert_one_line(refusal(text))


# --- any text --------------------------------------------------------------------------------------------------------

PIECES = [
    *"[]{}=,.#'\"\n\r\t\\ ",
    *('"""', "'''", "[[", "]]", "\r\n", "\\u00e9", "\\\n", "\u2028", "\ufeff", "\x7f", "1979-05-27", "T07:32:00Z"),
    *("07:32:00", "1e999", "-nan", "0x7f", "1_000", "true", "a", "a.b", '"a"', "''"),
    *(
        "accounts",
        "regions",
        "break_glass_users",
        "canonical",
        "exemptions",
        "alerts",
        "thresholds",
        "fail_on",
        "report_age_hours",
    ),
    *("name", "document", "version", "users", "control", "repositories", "roles", "reason", "until"),
    *("to", "channel", "severity", "controls", "quiet", "from", "zone", "below", '"slack"', '"20:00"', '"../Zulu"'),
    *(f'"{control}"' for control in CONTROLS),
    *(f'["{REPOSITORY}"]', f'["{ROLE}"]', '["111122223333"]', "[[exemptions]]\n", "[thresholds]\n", " = "),
]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """The example, with something put in place of some of it."""
    text = EXAMPLE
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 40))
        text = text[:start] + draw(st.sampled_from(["", *PIECES])) + text[end:]
    return text


@given(
    st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=30).map("".join), damaged()),
    st.dictionaries(
        st.sampled_from(
            ["MFAWATCH_ACCOUNTS", "MFAWATCH_BREAK_GLASS_USERS", "MFAWATCH_FAIL_ON", "MFAWATCH_REPORT_AGE_HOURS"]
        ),
        st.text() | st.sampled_from(["high", "1", "1e9", "111122223333", "a,b"]),
    ),
)
def test_any_text_gives_settings_or_an_error_of_one_line(text: str, environment: dict[str, str]) -> None:
    try:
        settings = parse_settings(text, environment, CONTROLS)
    except SettingsError as error:
        assert_one_line(str(error))
    else:
        settings.is_break_glass("a")
        settings.canonical_for("a")
        settings.accepts(GIT, "a", APP, DAY)


# --- lines -----------------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "3", "true", "-", "x y", "#", "=", "[a]", '"', "'", "é", ".", ""])
SCALARS = [
    *("1", "-1.5e+3", "true", "nan", "1979-05-27", "1979-05-27 07:32:00.5", "1979-05-27T07:32:00Z", "'[#='", '"]\\"#"'),
    *(
        '""',
        "''",
        '""""""',
        "''''''",
        '"""\n[a]\nb = 1 # \\""" ""\n"""',
        "'''\n[[a]]\n''b = {'''",
        '"""a"""""',
        "''''a'''''",
    ),
    *('"""\\\n  x"""', "'\\'", '"\\\\"'),
]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
NOISE = st.sampled_from(["", "", "\n", "# a = 1\n", '  # [[b]] """ \'\n\n'])


class Writer:
    """A text of TOML, and the line on which each of its values begins."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[Path, int] = {}

    def mark(self, path: Path) -> None:
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], self.text.count("\n") + 1)

    def key(self, name: str) -> str:
        return name if re.fullmatch(r"[a-z0-9-]+", name) and self.draw(st.booleans()) else json.dumps(name)

    def pair(self, table: Path, name: str, value: object) -> None:
        path = (*table, name)
        self.mark(path)
        self.text += self.key(name)
        while isinstance(value, dict) and len(value) == 1 and self.draw(st.booleans()):
            ((name, value),) = value.items()
            path = (*path, name)
            self.mark(path)
            self.text += self.draw(st.sampled_from([".", " . "])) + self.key(name)
        self.text += self.draw(st.sampled_from(["=", " = ", "\t="]))
        self.value(path, value)

    def value(self, path: Path, value: object) -> None:
        self.mark(path)
        if isinstance(value, list):
            self.text += "["
            for index, element in enumerate(value):
                self.text += self.draw(NOISE)
                self.value((*path, index), element)
                last = index == len(value) - 1
                self.text += self.draw(NOISE) + ("," if not last or self.draw(st.booleans()) else "")
            self.text += self.draw(NOISE) + "]"
        elif isinstance(value, dict):
            self.text += "{"
            for index, (name, element) in enumerate(value.items()):
                self.text += ", " if index else ""
                self.pair(path, name, element)
            self.text += "}"
        else:
            self.text += str(value)

    def header(self, path: Path, *, element: bool) -> None:
        self.mark(path)
        names = " . ".join(self.key(str(step)) for step in path if isinstance(step, str))
        self.text += f"[[ {names} ]]" if element else f"[{names}]"


@given(st.data())
def test_every_value_has_its_line(data: st.DataObject) -> None:
    writer = Writer(data.draw)  # type: ignore[arg-type]
    table = st.dictionaries(KEYS, VALUES, max_size=3)
    headers: list[tuple[Path, bool]] = [((), False)]
    for name in data.draw(st.lists(st.sampled_from(["t", "u v"]), unique=True)):
        if data.draw(st.booleans()):
            headers.append(((name,), False))
            continue
        for index in range(data.draw(st.integers(1, 3))):
            headers.append(((name, index), True))
            headers += [((name, index, "inner"), False)] * data.draw(st.integers(0, 1))
            headers += [((name, index, "list", inner), True) for inner in range(data.draw(st.integers(0, 2)))]
    for path, element in headers:
        writer.text += data.draw(NOISE)
        if path:
            writer.header(path, element=element)
            writer.text += data.draw(st.sampled_from(["\n", " # x = [\n"]))
        for name, value in data.draw(table).items():
            writer.text += data.draw(NOISE)
            writer.pair(path, name, value)
            writer.text += data.draw(st.sampled_from(["\n", " # = {\n"]))
    tomllib.loads(writer.text)
    asked = st.lists(st.sampled_from(list(writer.lines.items())), max_size=12) if writer.lines else st.just([])
    for path, line in data.draw(asked):
        assert line_of(writer.text, path) == line, (path, writer.text)
        assert line_of(writer.text, (*path, "missing", 0)) == line
    assert line_of(writer.text, ()) is None
    assert line_of(writer.text, ("missing",)) is None
