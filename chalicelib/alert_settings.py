"""Where changes are told: the routes of the settings, [[alerts]]. Pure.

People, in Slack or by SNS, hear of what opens, opens again, gets worse or is resolved. Other systems, on the event bus
or in Security Hub, hear of every change. A route that names accounts, controls or users tells of theirs alone; one for
some users tells of no finding about an account as a whole. Several routes may lead to one destination.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import time
from enum import StrEnum
from functools import partial
from zoneinfo import ZoneInfo

from chalicelib.findings import Severity
from chalicelib.setting_values import (
    EVERYBODY,
    names_user,
    parse_accounts,
    parse_control,
    parse_severity,
    parse_some,
    parse_users,
)
from chalicelib.settings_file import Node, Reader, quoted

FEWEST_HOURS_AWAKE = 4
"""Hours of a day that quiet hours must leave: then none of a day on which clocks are put forward lies in them whole."""

_CHANNEL = re.compile(r"#?[\w-]{1,80}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Target(StrEnum):
    """What a route leads to."""

    SLACK = "slack"
    SNS = "sns"
    EVENT_BUS = "event-bus"
    SECURITY_HUB = "security-hub"

    @property
    def for_people(self) -> bool:
        """Whether people read there what is told, and not other systems."""
        return self in (Target.SLACK, Target.SNS)

    @property
    def hears_of_runs(self) -> bool:
        """Whether it is told what becomes of remediations: Security Hub knows of findings alone."""
        return self is not Target.SECURITY_HUB


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours of each day, as clocks in the zone show them, in which what is below a severity waits.

    They begin at `start` and are over at `until`, on the next day where that is earlier.
    """

    start: time
    until: time
    zone: str
    below: Severity = Severity.HIGH


@dataclass(frozen=True, slots=True)
class Route:
    """What is told where; as it stands here, all that is grave enough."""

    to: Target
    channel: str = ""
    """Of Slack, by id or name, without `#`; empty where an incoming webhook leads to a channel of its own."""
    severity: Severity = Severity.MEDIUM
    controls: frozenset[str] | None = None
    accounts: frozenset[str] | None = None
    users: tuple[str, ...] = EVERYBODY
    quiet: QuietHours | None = None

    @property
    def destination(self) -> str:
        """Names where it leads: slack:C0123456789, slack, sns, event-bus or security-hub."""
        return f"{self.to}:{self.channel}" if self.channel else str(self.to)

    def is_for(self, account: str, control: str, user: str | None) -> bool:
        """Whether it is for a control's findings about a user of an account, or about the account: None."""
        return (
            (self.accounts is None or account in self.accounts)
            and (self.controls is None or control in self.controls)
            and names_user(self.users, user or "")
        )


def parse_routes(node: Node, known_controls: Collection[str] | None) -> tuple[Route, ...]:
    """The routes; None knows any control.

    Raises:
        SettingsError: something in them is not what it must be.
    """
    found: tuple[Route, ...] = node.elements("tables, [[alerts]]", partial(_route, known_controls=known_controls))
    first: dict[Route, int] = {}
    for index, route in enumerate(found):
        same = first.setdefault(replace(route, quiet=None), index)
        if same != index:
            raise node.at(index).wrong(f"tells the same as alerts[{same}], to the same destination")
    return found


def _route(node: Node, known_controls: Collection[str] | None) -> Route:
    control = partial(parse_control, known=known_controls)
    readers: dict[str, Reader] = {
        "to": _target,
        "channel": _channel,
        "severity": parse_severity,
        "controls": lambda one: frozenset(parse_some(one, lambda some: some.elements("strings", control))),
        "accounts": lambda one: frozenset(parse_some(one, parse_accounts)),
        "users": partial(parse_some, read=parse_users),
        "quiet": _quiet,
    }
    found = node.table(readers, required=["to"])
    target: Target = found["to"]
    if "channel" in found and target is not Target.SLACK:
        raise node.at("channel").wrong('goes with to = "slack" alone')
    if "quiet" in found and not target.for_people:
        raise node.at("quiet").wrong('goes with to = "slack" and to = "sns" alone: others hear at once')
    return Route(**{"severity": Severity.MEDIUM if target.for_people else Severity.INFO} | found)


def _target(node: Node) -> Target:
    if node.value not in list(map(str, Target)):
        raise node.wrong(f"must be one of {', '.join(Target)}")
    return Target(node.value)


def _channel(node: Node) -> str:
    return node.string(_CHANNEL, "the id or the name of a channel").removeprefix("#")


def _quiet(node: Node) -> QuietHours:
    readers: dict[str, Reader] = {"from": _time, "until": _time, "zone": _zone, "below": parse_severity}
    found = node.table(readers, required=["from", "until", "zone"])
    start: time = found.pop("from")
    hours = QuietHours(start=start, **found)
    if hours.start == hours.until:
        raise node.at("until").wrong("is the same as from: no hour would be left")
    minutes = (hours.start.hour - hours.until.hour) * 60 + hours.start.minute - hours.until.minute
    if minutes % (24 * 60) < FEWEST_HOURS_AWAKE * 60:
        raise node.at("until").wrong(f"must leave {FEWEST_HOURS_AWAKE} hours of the day at least")
    return hours


def _time(node: Node) -> time:
    return time.fromisoformat(node.string(_TIME, "a time such as 07:30"))


def _zone(node: Node) -> str:
    name = node.string()
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # what is no file, what is no name of one, and what is not there
        raise node.wrong(f"no time zone {quoted(name)}; one is called Europe/Berlin") from None
    return name
