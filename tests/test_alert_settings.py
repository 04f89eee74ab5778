"""The routes of the settings: how they are written, and what is refused."""

from __future__ import annotations

from datetime import time

import pytest

from chalicelib.alert_settings import QuietHours, Route, Target
from chalicelib.config import SettingsError, parse_settings
from chalicelib.findings import Severity

CONTROLS = ("mfa-not-enforced", "user-without-mfa")
SLACK = '[[alerts]]\nto = "slack"\n'


def quiet(text: str) -> str:
    return f"{SLACK}quiet = {{{text}}}"


@pytest.mark.parametrize(
    ("text", "route", "destination"),
    [
        (SLACK, Route(Target.SLACK), "slack"),
        (f'{SLACK}channel = "C0123456789"', Route(Target.SLACK, channel="C0123456789"), "slack:C0123456789"),
        (f'{SLACK}channel = "#mfa-alerts_2"', Route(Target.SLACK, channel="mfa-alerts_2"), "slack:mfa-alerts_2"),
        (f'{SLACK}channel = "sécurité"', Route(Target.SLACK, channel="sécurité"), "slack:sécurité"),
        ('[[alerts]]\nto = "sns"\nseverity = "info"', Route(Target.SNS, severity=Severity.INFO), "sns"),
        ('alerts = [{to = "event-bus"}]', Route(Target.EVENT_BUS, severity=Severity.INFO), "event-bus"),
        ('alerts = [{to = "security-hub"}]', Route(Target.SECURITY_HUB, severity=Severity.INFO), "security-hub"),
        (
            f'{SLACK}controls = ["user-without-mfa"]\naccounts = ["111122223333"]\nusers = ["robot-*"]',
            Route(
                Target.SLACK,
                controls=frozenset({"user-without-mfa"}),
                accounts=frozenset({"111122223333"}),
                users=("robot-*",),
            ),
            "slack",
        ),
        (
            quiet('from = "20:00", until = "07:30", zone = "Europe/Berlin"'),
            Route(Target.SLACK, quiet=QuietHours(time(20), time(7, 30), "Europe/Berlin", Severity.HIGH)),
            "slack",
        ),
        (
            quiet('from = "00:00", until = "20:00", zone = "UTC", below = "critical"'),
            Route(Target.SLACK, quiet=QuietHours(time(0), time(20), "UTC", Severity.CRITICAL)),
            "slack",
        ),
    ],
)
def test_routes(text: str, route: Route, destination: str) -> None:
    settings = parse_settings(text, known_controls=CONTROLS)
    assert settings.alerts == (route,)
    assert route.destination == destination


def test_several_routes_may_lead_to_one_destination() -> None:
    text = f'{SLACK}severity = "high"\n{SLACK}users = ["ceo"]\nseverity = "low"\n[[alerts]]\nto = "sns"'
    assert [route.destination for route in parse_settings(text).alerts] == ["slack", "slack", "sns"]


REFUSED = [
    ("alerts = 1", "line 1: alerts: must be a list of tables, [[alerts]], not a number"),
    ("[[alerts]]\nchannel = 'a'", "line 1: alerts[0].to: is missing"),
    ('[[alerts]]\nto = "teams"', "line 2: alerts[0].to: must be one of slack, sns, event-bus, security-hub"),
    ("[[alerts]]\nto = 1", "line 2: alerts[0].to: must be one of slack, sns, event-bus, security-hub"),
    (f"{SLACK}chanel = 'a'", 'line 3: alerts[0].chanel: unknown key; did you mean "channel"?'),
    (f"{SLACK}channel = ''", "line 3: alerts[0].channel: must not be empty"),
    (f"{SLACK}channel = 'a b'", 'line 3: alerts[0].channel: must be the id or the name of a channel, not "a b"'),
    (f"{SLACK}channel = 'https://hooks.slack.com/x'", "line 3: alerts[0].channel: must be the id or the name"),
    ('[[alerts]]\nto = "sns"\nchannel = "a"', 'line 3: alerts[0].channel: goes with to = "slack" alone'),
    (f"{SLACK}severity = 'never'", "line 3: alerts[0].severity: must be one of info, low, medium, high, critical"),
    (f"{SLACK}controls = []", "line 3: alerts[0].controls: must not be empty"),
    (f"{SLACK}controls = ['mfa-not-enforce']", 'line 3: alerts[0].controls[0]: no control "mfa-not-enforce"; did you'),
    (f"{SLACK}accounts = []", "line 3: alerts[0].accounts: must not be empty"),
    (f"{SLACK}accounts = ['1']", 'line 3: alerts[0].accounts[0]: must be an account id, 12 digits, not "1"'),
    (f"{SLACK}users = []", "line 3: alerts[0].users: must not be empty"),
    (f"{SLACK}users = ['a b']", "line 3: alerts[0].users[0]: must be a user name"),
    (f"{SLACK}quiet = true", "line 3: alerts[0].quiet: must be a table, not a boolean"),
    (quiet('until = "07:00", zone = "UTC"'), "line 3: alerts[0].quiet.from: is missing"),
    (quiet('from = "07:00", until = "09:00"'), "line 3: alerts[0].quiet.zone: is missing"),
    (quiet('from = "7:00", until = "09:00", zone = "UTC"'), "line 3: alerts[0].quiet.from: must be a time such as"),
    (quiet('from = "24:00", until = "09:00", zone = "UTC"'), "line 3: alerts[0].quiet.from: must be a time such as"),
    (quiet('from = 20:00:00, until = "09:00", zone = "UTC"'), "line 3: alerts[0].quiet.from: must be a string, not a"),
    (
        quiet('from = "07:00", until = "07:00", zone = "UTC"'),
        "line 3: alerts[0].quiet.until: is the same as from: no hour would be left",
    ),
    (
        quiet('from = "10:00", until = "06:01", zone = "UTC"'),
        "line 3: alerts[0].quiet.until: must leave 4 hours of the day at least",
    ),
    (
        quiet('from = "20:00", until = "07:00", zone = "Europe/Berln"'),
        'line 3: alerts[0].quiet.zone: no time zone "Europe/Berln"; one is called Europe/Berlin',
    ),
    *(
        (quiet(f'from = "20:00", until = "07:00", zone = "{zone}"'), "line 3: alerts[0].quiet.zone: no time zone")
        for zone in ("../etc/passwd", "/etc/localtime", "Europe", "Europe/", "\\u0000", "CET\\n", "a" * 5000, "\\ud7ff")
    ),
    (
        '[[alerts]]\nto = "event-bus"\nquiet = {from = "20:00", until = "07:00", zone = "UTC"}',
        'line 3: alerts[0].quiet: goes with to = "slack" and to = "sns" alone: others hear at once',
    ),
    (f"{SLACK}\n{SLACK}", "line 4: alerts[1]: tells the same as alerts[0], to the same destination"),
    (
        f"{SLACK}channel = 'a'\n[[alerts]]\nto = 'sns'\n{SLACK}channel = '#a'\n"
        'quiet = {from = "20:00", until = "07:00", zone = "UTC"}',
        "line 6: alerts[2]: tells the same as alerts[0], to the same destination",
    ),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text, known_controls=CONTROLS)
    told = str(caught.value)
    assert told.startswith(message)
    assert told.isprintable()
    assert len(told) < 500


@pytest.mark.parametrize(
    ("users", "user", "told"),
    [
        (("*",), "alice", True),
        (("*",), None, True),
        (("robot-*",), "Robot-1", True),
        (("robot-*",), "alice", False),
        (("robot-*",), None, False),
        (("a", "b?"), "b1", True),
    ],
)
def test_a_route_for_some_users(users: tuple[str, ...], user: str | None, told: bool) -> None:
    assert Route(Target.SLACK, users=users).is_for("111122223333", "mfa-not-enforced", user) is told
