"""A sweep of a live account beside Cloud Custodian's, through one emulator: time, calls, memory, and who is found."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks import custodian
from benchmarks.child import Finished, environment, run
from benchmarks.crowd import Crowd, fill
from benchmarks.emulated import LEDGER, SINGLE, Account, account
from benchmarks.sweep_once import STAGES
from benchmarks.tables import machine, table

OURS = "mfawatch, all controls, with ledger"
THEIRS = {"mfa-device": "c7n, filter mfa-device", "credential": "c7n, filter credential"}
BASELINE = "mfa-device"
DEVICELESS = "user-without-mfa"
"""The control that asks what Cloud Custodian is asked."""
DELAY = 0.05
AIM = 20
"""How many times as fast as the baseline."""
MOST_CALLS = 20
"""Calls that a sweep may make, besides one for each user accused and one for each whom policies let through to Git."""
GROWTH = (50, 500, 2_000)
FEW = 5
"""Users without a device, and users without a guard, in the account that grows."""


@dataclass
class Way:
    """One way to sweep, and what was measured of it: an entry for each run."""

    name: str
    runs: list[Finished] = field(default_factory=list)
    started: list[float] = field(default_factory=list)
    """Seconds until the work began."""
    stages: list[dict[str, float]] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    """The users found to have no MFA device."""
    others: int = 0
    """Findings of other kinds."""

    @property
    def seconds(self) -> float:
        """Those of the whole process, the median."""
        return median(one.seconds for one in self.runs)

    @property
    def work(self) -> float:
        """The median without start-up."""
        return median(one.seconds - started for one, started in zip(self.runs, self.started, strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, compare, print; 1 where a user is missed or too many calls are made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=[50, 500])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    try:
        name, ways = custodian.install(), tuple(THEIRS)
    except custodian.MissingError as error:
        name, ways = f"no comparison: {error}", ()
    print(f"Sweeps of a live account through an emulator, {DELAY * 1_000:.0f} ms added to each request; {name}")
    print(f"{machine()}; {options.repeats} repeats", flush=True)
    _warm_up(ways)
    right = [_compare(users, ways, options.repeats) for users in options.users]
    right.append(_growth())
    return 0 if all(right) else 1


def _warm_up(ways: Sequence[str]) -> None:
    """A run of each that does not count: the first finds nothing compiled."""
    with account() as swept:
        fill(swept.client("iam"), Crowd(20, bare=FEW, unguarded=FEW))
        _sweep(swept, Way(OURS))
        for way in ways:
            _ask_custodian(swept, way, Way(THEIRS[way]))


# --- beside Cloud Custodian ------------------------------------------------------------------------------------------


def _compare(users: int, ways: Sequence[str], repeats: int) -> bool:
    """All ways on one account, in turns; whether mfawatch found whatever Cloud Custodian did, and more."""
    crowd = Crowd(users, bare=max(2, users // 20), unguarded=max(2, users // 50))
    ours, theirs = Way(OURS), {way: Way(THEIRS[way]) for way in ways}
    with account(DELAY) as swept:
        fill(swept.client("iam"), crowd)
        for _ in range(repeats):
            _sweep(swept, ours)
            for way, measured in theirs.items():
                _ask_custodian(swept, way, measured)
    print(f"\n{users:,} users: {crowd.bare} without a device, {crowd.through_git} whom policies let through to Git")
    _print(ours, theirs)
    if base := theirs.get(BASELINE):
        times = base.seconds / ours.seconds
        print(
            f"Aim, at least {AIM} times as fast as {base.name}: {'met' if times >= AIM else 'MISSED'} ({times:.1f};"
            f" without start-up {base.work / ours.work:.1f})."
        )
    return all(way.named <= ours.named for way in theirs.values()) and ours.others > 0


def _sweep(swept: Account, way: Way) -> dict[str, Any]:
    """One sweep of ours into a ledger that is empty, as the first one is."""
    ledger = swept.new_ledger(f"ledger-{len(way.runs)}-{sum(swept.calls.values())}")
    swept.calls.clear()
    done = run([sys.executable, "-m", "benchmarks.sweep_once", swept.url, ledger], environment(swept.url))
    found: dict[str, Any] = json.loads(done.output)
    accused = {control: set(users) for control, users in found["accused"].items()}
    way.runs.append(done)
    way.started.append(done.seconds - sum(found["stages"].values()))
    way.stages.append(found["stages"])
    way.calls.append(sum(swept.calls.values()))
    way.named = accused.get(DEVICELESS, set())
    way.others = sum(len(users) for control, users in accused.items() if control != DEVICELESS)
    return found


def _ask_custodian(swept: Account, name: str, way: Way) -> None:
    swept.calls.clear()
    done, seconds, way.named = custodian.find_users(name, environment(swept.url))
    way.runs.append(done)
    way.started.append(done.seconds - seconds)
    way.calls.append(sum(swept.calls.values()))


def _print(ours: Way, theirs: dict[str, Way]) -> None:
    base = theirs.get(BASELINE)
    header = ["", "seconds", "start-up", "calls", "CPU", "peak MB", "no device", "other findings", "× as fast"]
    rows = [
        [
            way.name,
            f"{way.seconds:.2f}",
            f"{median(way.started):.2f}",
            f"{median(way.calls):,.0f}",
            f"{median(one.cpu for one in way.runs):.2f}",
            f"{median(one.peak for one in way.runs):.0f}",
            f"{len(way.named)}",
            f"{way.others}",
            f"{base.seconds / way.seconds:.1f}" if base else "",
        ]
        for way in (ours, *theirs.values())
    ]
    print(table(header, rows))
    stages = {name: median(stages[name] for stages in ours.stages) for name in STAGES}
    print("mfawatch's seconds: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in stages.items()))
    for way in theirs.values():
        if missed := sorted(way.named - ours.named):
            print(f"{way.name} names users whom mfawatch MISSES: {', '.join(missed[:10])}")
        else:
            print(f"{way.name}: all whom it names are found by mfawatch")


# --- calls -----------------------------------------------------------------------------------------------------------


def _growth() -> bool:
    """Sweeps of an account that grows by users who are fine; whether their calls stay within the bound."""
    rows: list[list[str]] = []
    right, single, before = True, set(), 0
    with account() as swept:
        for users in GROWTH:
            crowd = Crowd(users, bare=FEW, unguarded=FEW)
            fill(swept.client("iam"), crowd, before)
            way = Way(OURS)
            accused = {user for users in _sweep(swept, way)["accused"].values() for user in users}
            asked = sum(count for (_, operation), count in swept.calls.items() if operation in SINGLE)
            ledger = sum(count for (service, _), count in swept.calls.items() if service == LEDGER)
            [calls] = way.calls
            most = MOST_CALLS + len(accused) + crowd.through_git
            right = right and calls <= most
            single.add(asked)
            before = users
            numbers = (len(accused), crowd.through_git, asked, ledger, calls, most)
            rows.append([f"{users:,}", *map(str, numbers), f"{way.runs[0].peak:.0f}"])
    print("\nCalls of a sweep, while the account grows by users who are fine (no delay)")
    header = ["users", "accused", "through to Git", "about one user", "ledger", "calls", "at most", "peak MB"]
    print(table(header, rows))
    right = right and len(single) == 1
    print(
        f"Aim, at most {MOST_CALLS} and one for each accused and one for each let through to Git, and none about users"
        f" who are fine: {'met' if right else 'MISSED'}."
    )
    return right


if __name__ == "__main__":
    sys.exit(main())
