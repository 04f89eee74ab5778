"""A user's surface for a reader: what is allowed without MFA, by service and access level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.analysis.cells import Caller
from chalicelib.analysis.decide import doubts_of
from chalicelib.analysis.origins import ANY_SERVICE, DIRECT, GIT_SERVICE, SERVICES
from chalicelib.analysis.surface import Answer, Entry, Surface
from chalicelib.analysis.universe import everything
from chalicelib.analysis.ways import Reach, Way, way_to, ways_of
from chalicelib.iam.account import AccountSnapshot, User
from chalicelib.iam.actions import catalogue
from chalicelib.iam.policy_set import MANAGED_KEY
from chalicelib.report.text import clean

MOST_NAMED = 8
MOST_NEEDS = 2


@dataclass(frozen=True, slots=True)
class Told:
    """A user's surface and what was asked: by which ways, and what is in doubt."""

    user: User
    ways: tuple[Way, ...]
    entries: tuple[Entry, ...]
    untried: str
    doubts: tuple[str, ...]


def surface_of(snapshot: AccountSnapshot, user: User) -> Told:
    """The surface of a user by the credentials that are or may be active."""
    ways = ways_of(user)
    found = Surface(Caller(snapshot, user), snapshot.policies_of(user).policies)
    origins = [origin for origin in DIRECT if any(way.origin == origin for way in ways)]
    direct = found.entries(everything(), origins)
    reached = [entry for entry in direct.entries if way_to(entry.origin, entry.group.members, ways)]
    # A service acts for the user once a request of the user's has started it: neither IAM nor STS does so.
    started = {entry.group.service for entry in reached} - {"iam", "sts"}
    services = found.entries(everything(), (SERVICES,), managed=True) if started else Answer(())
    only_git = started <= {GIT_SERVICE}
    through = [entry for entry in services.entries if not only_git or entry.origin.via == GIT_SERVICE]
    entries = (*reached, *through)
    untried = direct.untried or services.untried
    return Told(user, ways, entries, untried, tuple(doubts_of(snapshot, user)))


def render_surface(told: Told) -> str:
    """The surface as text."""
    return "\n".join(map(clean, _lines(told)))


def _lines(told: Told) -> Iterator[str]:
    ways = ", ".join(way.label for way in told.ways) or "no usable credential"
    yield f"{told.user.arn}, without MFA, by {ways}:"
    if not told.entries:
        yield "  nothing" if told.ways else "  nothing: there is no credential to make a request with"
    services = _by_service(told.entries)
    for service in sorted(services, key=lambda name: ("," in name or " " in name, name)):
        yield f"  {service}"
        for level, names, where in services[service]:
            yield f"    {level}: {names}"
            yield f"      {where}"
    if any(way.reach is not Reach.GIT for way in told.ways):
        yield "  sts:GetCallerIdentity and sts:GetSessionToken need no permission, and no policy can deny them"
    if told.untried:
        yield f"  not exhaustive: {told.untried}"
    for doubt in told.doubts:
        yield f"  uncertain: {doubt}"


def _by_service(entries: Sequence[Entry]) -> dict[str, list[tuple[str, str, str]]]:
    """Service → (access level, actions, where and how); many services that are alike stand as one."""
    rows: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for where, same in _merged(entries).items():
        by_service: dict[str, dict[str, list[str]]] = {}
        for name in sorted({name for entry in same for name in entry.group.actions}):
            found = catalogue().find(name)
            level = str(found.access_level) if found else "Unknown"
            by_service.setdefault(name.partition(":")[0], {}).setdefault(level, []).append(name)
        many = len(by_service) > MOST_NAMED
        for service, levels in by_service.items():
            for level, names in levels.items():
                key = (f"{len(by_service)} services" if many else service, level, where)
                rows.setdefault(key, {}).setdefault(service, []).extend(names)
    found_rows: dict[str, list[tuple[str, str, str]]] = {}
    for (service, level, where), by in rows.items():
        names = [name for group in by.values() for name in group]
        if len(by) == 1:
            names = [name.partition(":")[2] for name in names]
        found_rows.setdefault(service, []).append((level, _some(names), where))
    return found_rows


def _merged(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Entries on the same resources by the same origins with the same needs, by all that in words."""
    alike: dict[tuple[int, tuple[str, ...]], list[Entry]] = {}
    for entry in entries:
        alike.setdefault((entry.group.members, _resources(entry)), []).append(entry)
    found: dict[str, list[Entry]] = {}
    for (_, resources), same in alike.items():
        # What the user can do directly, some service may do for the user as well: that goes without saying.
        told = [entry for entry in same if entry.origin.via != ANY_SERVICE] or same
        who = ", ".join(dict.fromkeys(entry.origin.words for entry in told))
        doubt = "" if any(entry.certain for entry in told) else " (uncertain)"
        found.setdefault(f"on {', '.join(resources)}; {_when(told)}; by {who}{doubt}", []).append(same[0])
    return found


def _when(entries: Sequence[Entry]) -> str:
    """Under which conditions the requests are allowed."""
    if any(entry.always for entry in entries):
        return "always"
    needs = list(dict.fromkeys(" and ".join(f"{key} = {value}" for key, value in e.needs.items()) for e in entries))
    if "" in needs:
        return "in a plain request"
    more = f", or {len(needs) - MOST_NEEDS} other choices" if len(needs) > MOST_NEEDS else ""
    return f"with {', or '.join(needs[:MOST_NEEDS])}{more}"


def _resources(entry: Entry) -> tuple[str, ...]:
    return ("AWS managed keys",) if MANAGED_KEY in entry.request.resource else entry.resources


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def surface_to_json(told: Told) -> dict[str, Any]:
    """The surface as JSON values."""
    return {
        "principal": told.user.arn,
        "ways": [way.label for way in told.ways],
        "exhaustive": not told.untried,
        "untried": told.untried or None,
        "uncertain": list(told.doubts),
        "entries": [_entry(entry) for entry in told.entries],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "actions": list(entry.group.actions),
        "allows": entry.kind.words,
        "by": entry.origin.words,
        "resource": entry.request.resource,
        "resources": list(_resources(entry)),
        "needs": dict(entry.needs),
        "always": entry.always,
        "mfa": str(entry.origin.mfa),
        "context": dict(entry.context),
        "statements": [match.to_json() for match in entry.decision.matched],
        "uncertain": list(entry.doubts),
    }
