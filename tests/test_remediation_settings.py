"""The [remediation] table: how it is written, what it says of a finding, and what is refused."""

from __future__ import annotations

import pytest

from chalicelib.config import SettingsError, parse_settings
from chalicelib.remediation_settings import Mode, Override, RemediationSettings

CONTROLS = ("canonical-policy-missing", "user-without-mfa")
TABLE = "[remediation]\n"
WHOLE = """
[remediation]
mode = "propose"
group = "staff"
inline = true
owned = ["RequireMfa*", "arn:aws:iam::111122223333:policy/security/*"]
max_users = 3
max_per_hour = 6
deactivate_keys = true
approvers = ["U0123456789"]

[[remediation.overrides]]
mode = "off"
accounts = ["444455556666"]

[[remediation.overrides]]
mode = "auto"
controls = ["canonical-policy-missing"]
"""


def test_all_of_it() -> None:
    assert parse_settings(WHOLE, known_controls=CONTROLS).remediation == RemediationSettings(
        mode=Mode.PROPOSE,
        overrides=(
            Override(Mode.OFF, accounts=frozenset({"444455556666"})),
            Override(Mode.AUTO, controls=frozenset({"canonical-policy-missing"})),
        ),
        group="staff",
        inline=True,
        owned=("RequireMfa*", "arn:aws:iam::111122223333:policy/security/*"),
        max_users=3,
        max_per_hour=6,
        deactivate_keys=True,
        approvers=("U0123456789",),
    )


def test_nothing_is_put_right_unless_the_settings_say_so() -> None:
    found = parse_settings("").remediation
    assert found == RemediationSettings()
    assert found.mode_of("111122223333", "canonical-policy-missing") is Mode.OFF
    assert not found.owns("RequireMfa")
    assert not found.deactivate_keys


@pytest.mark.parametrize(
    ("account", "control", "mode"),
    [
        ("111122223333", "user-without-mfa", Mode.PROPOSE),
        ("111122223333", "canonical-policy-missing", Mode.AUTO),
        ("444455556666", "user-without-mfa", Mode.OFF),
        ("444455556666", "canonical-policy-missing", Mode.OFF),
    ],
)
def test_the_first_override_that_is_for_a_finding_counts(account: str, control: str, mode: Mode) -> None:
    assert parse_settings(WHOLE).remediation.mode_of(account, control) is mode


@pytest.mark.parametrize(
    ("policy", "owned"),
    [
        ("RequireMfa", True),
        ("RequireMfaGit", True),
        ("arn:aws:iam::111122223333:policy/RequireMfa", True),
        ("arn:aws:iam::111122223333:policy/security/Guard", True),
        ("arn:aws:iam::111122223333:policy/Guard", False),
        ("arn:aws:iam::444455556666:policy/security/Guard", False),
        ("NoRequireMfa", False),
        ("requiremfa", False),
    ],
)
def test_what_is_ours(policy: str, owned: bool) -> None:
    assert parse_settings(WHOLE).remediation.owns(policy) is owned


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('mode = "on"', "line 2: remediation.mode: must be one of off, propose, approve, auto"),
        ("mode = true", "must be one of off, propose, approve, auto"),
        ('group = ""', "line 2: remediation.group: must not be empty"),
        ('group = "a b"', "must be the name of a group"),
        ("owned = ['']", "line 2: remediation.owned[0]: must not be empty"),
        ("owned = ['a b']", "must be the name or ARN of a policy"),
        ("max_users = 0", "line 2: remediation.max_users: must be from 1 to 1,000"),
        ("max_per_hour = 1.5", "must be a whole number, not a number"),
        ("max_per_hour = true", "must be a whole number, not a boolean"),
        ('deactivate_keys = "yes"', "line 2: remediation.deactivate_keys: must be true or false, not a string"),
        ('approvers = ["@alice"]', "must be the id of a member of Slack"),
        ('approvers = ["arn:aws:iam::111122223333:role/path/name"]', "must be the ARN of a user, or of a role without"),
        ('approvers = ["arn:aws:s3:::bucket"]', "must be the ARN of a user, or of a role without its path"),
        ('modes = "off"', 'line 2: remediation.modes: unknown key; did you mean "mode"?'),
        ('overrides = [{mode = "off"}]', "names neither controls nor accounts"),
        ("overrides = [{accounts = ['111122223333']}]", "overrides[0].mode: is missing"),
        ('overrides = [{mode = "off", controls = []}]', "must not be empty"),
        ('overrides = [{mode = "off", controls = ["mfa"]}]', 'no control "mfa"'),
        ('overrides = [{mode = "off", accounts = ["1"]}]', "must be an account id"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(TABLE + text, known_controls=CONTROLS)
    assert reason in str(refused.value)


def test_approvers_are_members_of_slack_and_principals_of_aws() -> None:
    text = '[remediation]\napprovers = ["U0123456789", "arn:aws:iam::111122223333:role/release-*"]'
    settings = parse_settings(text).remediation
    assert settings.may_approve("arn:aws:iam::111122223333:role/release-managers")
    for other in ("arn:aws:iam::444455556666:role/release-managers", "U0123456789", "token:release", ""):
        assert not settings.may_approve(other)
