"""The doors of a user, and what each opens without MFA: keys, Git, the console, roles. Pure.

Users whom their policies cannot tell apart share one answer, in which their own resources stand as the policies have
them. The full surface is asked for of those about whom something was found, the gravest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.analysis.decide import doubts_of
from chalicelib.analysis.shared import Surfaces, UserSurface
from chalicelib.analysis.surface import Answer, Entry, Surface
from chalicelib.analysis.universe import everything
from chalicelib.analysis.ways import Way, ways_of
from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot, CredentialKind, User
from chalicelib.iam.actions import catalogue
from chalicelib.iam.policy_set import MANAGED_KEY
from chalicelib.report.sentences import words
from chalicelib.standing import Standing

MOST_SURFACES = 300
"""Surfaces that are asked for whole, one for each set of users whom their policies cannot tell apart."""
MOST_ROWS = 12
MOST_SERVICES = 8
MOST_NAMED = 4
MOST_RESOURCES = 4

ENROLMENT = "nothing beyond enrolling a device, and what AWS denies nobody"
NOT_ASKED = "not listed here, for the account is large: `mfawatch surface` tells it"
KNOWN_ALONE = "by the policies that are known alone"
NOT_READ = "the user's policies were not read: what they open is not known"

Levels = dict[str, dict[str, None]]
"""Level of access → names of actions."""

_ORDER = ("Permissions management", "Write", "Tagging", "Read", "List", "Unknown")


@dataclass(frozen=True, slots=True)
class _Opened:
    """What one way opens: rows of a service, what, and on which terms."""

    rows: tuple[tuple[str, str, str], ...]
    note: str = ""
    assumes: bool = False
    """Whether roles can be assumed by it."""


class Doors:
    """The doors of an account's users; ask about the users in the order in which they matter."""

    def __init__(self, snapshot: AccountSnapshot) -> None:
        self._snapshot = snapshot
        self._surfaces = Surfaces(snapshot)
        self._asked = 0

    def of(self, user: User, standing: Standing, findings: Iterable[Finding]) -> list[dict[str, Any]]:
        """The doors of a user, as JSON values."""
        ways = ways_of(user)
        opened = self._opened(user, ways, standing)
        doors = [_door(user, kind, [(way, opened[way]) for way in ways if way.credential is kind]) for kind in _KINDS]
        return [*doors, _roles(findings, [way.label for way in ways if opened[way].assumes])]

    def _opened(self, user: User, ways: Sequence[Way], standing: Standing) -> Mapping[Way, _Opened]:
        if standing is Standing.ENFORCED:
            return dict.fromkeys(ways, _Opened((), note=ENROLMENT))
        if not user.policies_read:
            return dict.fromkeys(ways, _Opened((), note=NOT_READ))
        doubts = "; ".join(doubts_of(self._snapshot, user))
        surface = self._surfaces.of(user, self._snapshot.policies_of(user).policies)
        # The dictionary of answers is the same for all who share them.
        asked = surface.shared("page: asked", lambda _: self._has_room())
        if not asked:
            return dict.fromkeys(ways, _Opened((), note=NOT_ASKED))
        opened = {way: _open_by(surface, way) for way in ways}
        return {way: _in_doubt(one, doubts) for way, one in opened.items()} if doubts else opened

    def _has_room(self) -> bool:
        self._asked += 1
        return self._asked <= MOST_SURFACES


_KINDS = (
    CredentialKind.ACCESS_KEY,
    CredentialKind.PASSWORD,
    CredentialKind.SSH_KEY,
    CredentialKind.GIT_CREDENTIAL,
)


def _door(user: User, kind: CredentialKind, ways: Sequence[tuple[Way, _Opened]]) -> dict[str, Any]:
    having = [one for one in user.credentials if one.kind is kind]
    active = sum(one.active for one in having)
    told = [f"{active} active"] if active else []
    told += [f"{len(having) - active} inactive"] if len(having) > active else []
    told += ["not read"] if kind in user.unread else []
    # What two ways of using one credential open is mostly the same.
    alike: dict[_Opened, list[str]] = {}
    for way, opened in ways:
        alike.setdefault(opened, []).append(way.label)
    return {
        "door": str(kind),
        "state": ", ".join(told) or "none",
        "open": any(opened.rows for opened in alike),
        "ways": [
            {"by": " or ".join(labels), "rows": [list(row) for row in opened.rows], "note": opened.note}
            for opened, labels in alike.items()
        ],
    }


def _roles(findings: Iterable[Finding], assuming: Sequence[str]) -> dict[str, Any]:
    """The door that roles are: those that a finding names; where MFA is not asked for, whether there is any."""
    told = [words(one.evidence.get("summary")) for one in findings if one.control == "role-assumable-without-mfa"]
    if not told and assuming:
        told = [f"sts:AssumeRole is among what is open by {' or '.join(assuming)}"]
    return {
        "door": "roles",
        "state": "within reach without MFA" if told else "none known within reach without MFA",
        "open": bool(told),
        "ways": [{"by": "", "rows": [], "note": text} for text in told],
    }


def _open_by(surface: UserSurface, way: Way) -> _Opened:
    """What a way opens, by the shared surface of all who have the same policies."""

    def ask(shared: Surface) -> Answer:
        return shared.entries(everything(), (way.origin,))

    # Two ways may make the same requests, of which AWS takes not all.
    answer: Answer = surface.shared(("page: entries", way.origin), ask)
    opened: _Opened = surface.shared(("page: opened", way), lambda _: _summary(answer, way))
    return opened


def _in_doubt(opened: _Opened, doubts: str) -> _Opened:
    """The same of a user of whose policies some are not known: what they open, or shut, is told by nobody."""
    return replace(opened, note=f"{opened.note} {KNOWN_ALONE}: {doubts}".lstrip())


def _summary(answer: Answer, way: Way) -> _Opened:
    entries = [entry for entry in answer.entries if entry.group.members & way.reach.actions]
    rows = _rows(entries)
    note = f"not exhaustive: {answer.untried}" if answer.untried else "" if rows else "nothing"
    return _Opened(tuple(rows), note, any("sts:AssumeRole" in entry.group.actions for entry in entries))


def _rows(entries: Iterable[Entry]) -> list[tuple[str, str, str]]:
    """By service: the levels of access with how many actions and some of their names, and where and on which terms."""
    found: dict[str, dict[str, Levels]] = {}
    for entry in entries:
        services = found.setdefault(_terms(entry), {})
        for name in entry.group.actions:
            action = catalogue().find(name)
            level = str(action.access_level) if action else "Unknown"
            service, _, verb = name.partition(":")
            services.setdefault(service, {}).setdefault(level, {})[verb] = None
    rows: list[tuple[str, str, str]] = []
    for terms, services in found.items():
        if len(services) > MOST_SERVICES:
            rows.append((f"{len(services)} services", _levels(_together(services)), terms))
        else:
            rows += ((service, _levels(levels), terms) for service, levels in services.items())
    rows.sort(key=lambda row: (not row[0][0].isdigit(), row))
    more = len(rows) - MOST_ROWS
    return [*rows[:MOST_ROWS], ("…", f"and {more} more: `mfawatch surface` tells all", "")] if more > 0 else rows


def _together(services: Mapping[str, Levels]) -> Levels:
    found: Levels = {}
    for service, levels in services.items():
        for level, names in levels.items():
            found.setdefault(level, {}).update((f"{service}:{name}", None) for name in names)
    return found


def _levels(levels: Levels) -> str:
    parts: list[str] = []
    for level in sorted(levels, key=_ORDER.index):
        names = sorted(levels[level])
        told = f"{len(names):,} actions" if len(names) > MOST_NAMED else ", ".join(names)
        parts.append(f"{level}: {told}")
    return "; ".join(parts)


def _terms(entry: Entry) -> str:
    """Where, and with which condition values."""
    if MANAGED_KEY in entry.request.resource:
        where = "AWS managed keys"
    else:
        named = entry.target.written or entry.resources
        more = f" and {len(named) - MOST_RESOURCES} more" if len(named) > MOST_RESOURCES else ""
        where = " and ".join(named[:MOST_RESOURCES]) + more
    needs = " and ".join(f"{key} = {value}" for key, value in entry.needs.items())
    doubt = "" if entry.certain else " (uncertain)"
    return f"on {where or '*'}{f', with {needs}' if needs else ''}{doubt}"
