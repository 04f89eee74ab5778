"""Settings: what the owners of an account accept, and what they ask for. No I/O: whoever calls reads the files.

They stand in one TOML file, mfawatch.toml::

    accounts = ["111122223333"]              # the accounts that a sweep goes through; by default the auditor's own
    organization = true                      # optional: it goes through all active accounts of the organisation as well
    regions = ["eu-west-1"]                  # whose repositories are read; by default the region of the credentials
    break_glass_users = ["emergency-*"]      # what they can do without MFA is accepted, and told as info

    [[canonical]]                            # a policy that users must carry, directly or through a group
    name = "RequireMfa"                      # name or ARN of a managed policy, or the name of an inline one
    document = "policies/require-mfa.json"   # optional: what its default version must say; relative to this file
    version = "v3"                           # optional: which version must be the default one
    users = ["*"]                            # optional: who must carry it; by default everybody

    [[exemptions]]                           # findings that are accepted
    control = "codecommit-exemption"         # the control that raises them
    reason = "the build server cannot carry MFA"
    users = ["robot-*"]                      # optional: whose; by default everybody's
    repositories = ["arn:aws:codecommit:*:111122223333:app"]   # optional, with controls of Git alone: about which
    until = 2027-01-31                       # optional: the last day on which they are accepted

    [[exemptions]]
    control = "role-assumable-without-mfa"
    reason = "it reads the status page, and no more"
    roles = ["arn:aws:iam::111122223333:role/status"]          # optional, with role-assumable-without-mfa alone

    [[alerts]]                               # where changes are told; `alert_settings` says what is told where
    to = "slack"                             # slack, sns, event-bus or security-hub
    channel = "C0123456789"                  # with slack and a bot token alone: the channel's id or name
    severity = "medium"                      # optional: the least that is told
    controls = ["mfa-not-enforced"]          # optional: of which controls; accounts and users likewise
    quiet = {from = "20:00", until = "07:00", zone = "Europe/Berlin", below = "high"}   # optional: what is below waits

    [remediation]                            # what may be put right; `remediation_settings` says how
    mode = "off"                             # off, propose, approve or auto; [[remediation.overrides]] says where else
    group = "everybody"                      # optional: the group that carries the canonical policies
    owned = ["RequireMfa*"]                  # optional: policies that are ours to write, beside the canonical ones

    [[api.access]]                           # who may ask the HTTP API about what; `api_settings` says how
    principals = ["arn:aws:iam::111122223333:role/auditor"]    # users, and roles without their path
    accounts = ["222222222222"]              # about which accounts; ["*"] for all
    write = false                            # optional: whether they may decide something there

    [thresholds]
    fail_on = "high"                         # a severity, or "never"
    report_age_hours = 24                    # an older credential report is told as stale

`*` is any run of characters and `?` any one. User names compare without regard to case; ARNs with regard to it, and in
the first five segments of an ARN a wildcard stands for no colon. What the environment says (see the names in capitals)
counts in place of the file, which must be right all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from types import MappingProxyType

from chalicelib.alert_settings import Route, parse_routes
from chalicelib.api_settings import ApiSettings, parse_api
from chalicelib.findings import Severity
from chalicelib.iam.policy import PolicyDocument
from chalicelib.remediation_settings import RemediationSettings, parse_remediation
from chalicelib.setting_values import (
    EVERYBODY,
    arn_source,
    matches,
    names_user,
    parse_accounts,
    parse_control,
    parse_some,
    parse_users,
)
from chalicelib.settings_file import Node, Reader, parse_file
from chalicelib.settings_file import SettingsError as SettingsError

SETTINGS_NAME = "mfawatch.toml"
"""The usual name of the file."""
SETTINGS_VARIABLE = "MFAWATCH_SETTINGS"
"""The environment variable that names the file; for whoever reads it."""
ACCOUNTS_VARIABLE = "MFAWATCH_ACCOUNTS"
"""`accounts`, with commas between them; blank for none."""
BREAK_GLASS_VARIABLE = "MFAWATCH_BREAK_GLASS_USERS"
"""`break_glass_users`, with commas between them; blank for none. For a comma in a name write `?`."""
FAIL_ON_VARIABLE = "MFAWATCH_FAIL_ON"
"""`thresholds.fail_on`."""
REPORT_AGE_VARIABLE = "MFAWATCH_REPORT_AGE_HOURS"
"""`thresholds.report_age_hours`."""

NEVER = "never"
"""As `fail_on`: whatever is found."""
MOST_HOURS = 87_600
"""The highest `report_age_hours`: ten years."""
RESOURCE_CONTROLS = {
    "repositories": ("codecommit-exemption", "git-operation-without-mfa"),
    "roles": ("role-assumable-without-mfa",),
}
"""The settings that narrow an exemption to resources, with the controls that each goes with."""

_REGION = re.compile(r"[a-z]{2,3}(-[a-z]+)+-[0-9]{1,2}")
_ARN = re.compile(r"arn(:[^:]*){4}:.+", re.DOTALL)
_VERSION = re.compile(r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?")
_FILE = re.compile(r"[^\0]+")


# --- what they say ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CanonicalPolicy:
    """A policy that users must carry. `document` is a path, relative to the settings file.

    `expected` is what the file says; whoever reads files puts it there.
    """

    name: str
    document: str | None = None
    version: str | None = None
    users: tuple[str, ...] = EVERYBODY
    expected: PolicyDocument | None = None

    def names(self, arn: str) -> bool:
        """Whether it is the managed policy of that ARN."""
        return self.name in (arn, arn.rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class Exemption:
    """Findings of one control that are accepted, through the day `until`.

    Without `repositories` and `roles` the resource does not matter.
    """

    control: str
    reason: str
    users: tuple[str, ...] = EVERYBODY
    repositories: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    until: date | None = None

    def accepts(self, control: str, user_name: str, resource: str | None, on: date) -> bool:
        """Whether it accepts, on that day, what the control finds about the user and the resource."""
        return (
            control == self.control
            and (self.until is None or on <= self.until)
            and names_user(self.users, user_name)
            and self._names_resource(resource)
        )

    def _names_resource(self, resource: str | None) -> bool:
        patterns = (*self.repositories, *self.roles)
        return not patterns or (resource is not None and matches(map(arn_source, patterns), resource))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one file and one environment. As they stand here nothing is accepted."""

    accounts: tuple[str, ...] = ()
    organization: bool = False
    """Whether a sweep goes through the accounts of the organisation."""
    regions: tuple[str, ...] = ()
    break_glass_users: tuple[str, ...] = ()
    canonical: tuple[CanonicalPolicy, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    fail_on: Severity | None = Severity.HIGH
    """The least severity that fails an audit; None for never."""
    report_age_hours: float = 24.0
    alerts: tuple[Route, ...] = ()
    remediation: RemediationSettings = field(default_factory=RemediationSettings)
    api: ApiSettings = field(default_factory=ApiSettings)

    def is_break_glass(self, user_name: str) -> bool:
        """Whether what the user can do without MFA is accepted."""
        return names_user(self.break_glass_users, user_name)

    def accepts(self, control: str, user_name: str, resource: str | None, on: date) -> Exemption | None:
        """The first exemption that accepts, on that day, what the control finds about the user and the resource."""
        return next((one for one in self.exemptions if one.accepts(control, user_name, resource, on)), None)

    def canonical_for(self, user_name: str) -> tuple[CanonicalPolicy, ...]:
        """The policies that the user must carry."""
        return tuple(policy for policy in self.canonical if names_user(policy.users, user_name))


# --- how they are read -----------------------------------------------------------------------------------------------


def parse_settings(
    text: str, environment: Mapping[str, str] = MappingProxyType({}), known_controls: Collection[str] | None = None
) -> Settings:
    """The settings in the text of a file, with those of the environment in their place.

    `known_controls` are the ids that an exemption or a route may name; None takes any.

    Raises:
        SettingsError: something in them is not what it must be.
    """
    exemption = partial(_exemption, known_controls=known_controls)
    readers: dict[str, Reader] = {
        "accounts": parse_accounts,
        "organization": _yes_or_no,
        "regions": partial(parse_some, read=_regions),
        "break_glass_users": parse_users,
        "canonical": lambda node: node.elements("tables, [[canonical]]", _canonical),
        "exemptions": lambda node: node.elements("tables, [[exemptions]]", exemption),
        "alerts": partial(parse_routes, known_controls=known_controls),
        "remediation": partial(parse_remediation, known_controls=known_controls),
        "api": parse_api,
        "thresholds": lambda node: node.table({"fail_on": _fail_on, "report_age_hours": _hours}),
    }
    found = parse_file(text).table(readers)
    found |= found.pop("thresholds", {})
    for variable, (name, read, value_of) in _VARIABLES.items():
        if variable in environment:
            found[name] = read(Node(value_of(environment[variable]), (variable,)))
    return Settings(**found)


def _yes_or_no(node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise node.must_be("true or false")
    return node.value


def _regions(node: Node) -> tuple[str, ...]:
    return node.elements("strings", lambda one: one.string(_REGION, "a region such as eu-west-1"))


def _arns(node: Node) -> tuple[str, ...]:
    return node.elements("strings", lambda one: one.string(_ARN, "an ARN of six segments, with * and ? as wildcards"))


def _canonical(node: Node) -> CanonicalPolicy:
    readers: dict[str, Reader] = {
        "name": Node.string,
        "document": lambda one: one.string(_FILE, "a path"),
        "version": lambda one: one.string(_VERSION, "a version such as v3"),
        "users": partial(parse_some, read=parse_users),
    }
    return CanonicalPolicy(**node.table(readers, required=["name"]))


def _exemption(node: Node, known_controls: Collection[str] | None) -> Exemption:
    readers: dict[str, Reader] = {
        "control": partial(parse_control, known=known_controls),
        "users": partial(parse_some, read=parse_users),
        "repositories": partial(parse_some, read=_arns),
        "roles": partial(parse_some, read=_arns),
        "reason": Node.string,
        "until": _day,
    }
    found = node.table(readers, required=["control", "reason"])
    for name, controls in RESOURCE_CONTROLS.items():
        if name in found and found["control"] not in controls:
            told = " or ".join(f'control = "{control}"' for control in controls)
            raise node.at(name).wrong(f"goes with {told} alone")
    return Exemption(**found)


def _day(node: Node) -> date:
    if not isinstance(node.value, date) or isinstance(node.value, datetime):
        raise node.must_be("a date such as 2027-01-31, without quotes")
    return node.value


def _fail_on(node: Node) -> Severity | None:
    names = [*map(str, Severity), NEVER]
    if node.value not in names:
        raise node.wrong(f"must be one of {', '.join(names)}")
    return None if node.value == NEVER else Severity(node.value)


def _hours(node: Node) -> float:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise node.must_be("a number")
    if not 0 < node.value <= MOST_HOURS:
        raise node.wrong(f"must be above 0, and at most {MOST_HOURS}")
    return float(node.value)


def _split(value: str) -> list[str]:
    return [part.strip() for part in value.split(",")] if value.strip() else []


def _number(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


_VARIABLES: dict[str, tuple[str, Reader, Callable[[str], object]]] = {
    ACCOUNTS_VARIABLE: ("accounts", parse_accounts, _split),
    BREAK_GLASS_VARIABLE: ("break_glass_users", parse_users, _split),
    FAIL_ON_VARIABLE: ("fail_on", _fail_on, str.strip),
    REPORT_AGE_VARIABLE: ("report_age_hours", _hours, _number),
}
