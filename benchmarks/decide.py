"""Decisions per second in one process, beside the simulator's, and whether the answers are the same."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import generate
from benchmarks.documents import Json
from benchmarks.simulator import MissingError, Simulator, install
from benchmarks.tables import machine, table
from chalicelib.iam.cases import decide_case
from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.principals import parse_principal
from chalicelib.iam.request import build_request

COMPILED = "mfawatch, compiled once per user"
WHOLE = "mfawatch, each case from JSON values"
CHECKED = "iam-simulate, runSimulation"
UNCHECKED = "iam-simulate, runUnsafeSimulation"
AIM = 10
SHOWN = 10
"""Disagreements that are printed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, compare, print; 1 where the answers differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--requests", type=int, default=60, help="for each user")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    users = generate.cases(options.seed, options.users, options.requests)
    lines = [json.dumps(case) for cases in users for case in cases]
    # Read back, so that both sides hold the same: cases that share nothing.
    flat: list[Json] = [json.loads(line) for line in lines]
    print(f"Decisions: {len(users)} users with six policies each, {len(flat):,} requests, {options.repeats} repeats")
    print(machine())
    runs: dict[str, Callable[[], float]] = {
        COMPILED: lambda: _rate(lambda: answers(users)),
        WHOLE: lambda: _rate(lambda: [decide_case(case).decision for case in flat]),
    }
    theirs: dict[str, Sequence[str | None]] = {}
    try:
        print(f"baseline: {install()}")
    except MissingError as error:
        print(f"Comparison skipped: {error}.")
        _report(_rates(runs, options.repeats), COMPILED)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "cases.jsonl")
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            with Simulator(path) as simulator:
                runs[CHECKED] = lambda: simulator.rate("checked")
                runs[UNCHECKED] = lambda: simulator.rate("unchecked")
                rates = _rates(runs, options.repeats)
                found = simulator.answers()
                theirs = {CHECKED: found["checked"], UNCHECKED: found["unchecked"]}
        _report(rates, CHECKED, UNCHECKED)
        ratio = median(rates[COMPILED][1:]) / median(rates[CHECKED][1:])
        print(f"Aim, {AIM} times the rate of {CHECKED}: {'met' if ratio >= AIM else 'MISSED'} ({ratio:.1f}).")
    mine = answers(users)
    print("Answers: " + ", ".join(f"{count:,} {verdict}" for verdict, count in Counter(mine).most_common()))
    theirs[WHOLE] = [decide_case(case).decision for case in flat]
    wrong = [_compare(name, flat, mine, others) for name, others in theirs.items()]
    return 1 if any(wrong) else 0


def answers(users: Sequence[Sequence[Json]]) -> list[str]:
    """The decisions as an audit comes to them: a user's policies are compiled, then all their requests decided."""
    found: list[str] = []
    for cases in users:
        policies = PolicySet(
            identity=tuple(
                Policy(entry["name"], parse_policy(entry["policy"])) for entry in cases[0]["identityPolicies"]
            )
        )
        principal = parse_principal(cases[0]["principal"])
        for case in cases:
            request = build_request(
                principal, case["action"], case["resource"], case["context"], case["resourceAccount"]
            )
            found.append(str(evaluate(request, policies).verdict))
    return found


def _rate(run: Callable[[], Sequence[str]]) -> float:
    start = perf_counter()
    decided = run()
    return len(decided) / (perf_counter() - start)


def _rates(runs: dict[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Decisions per second: of the first pass, when nothing is warm, then of each repeat; the sides take turns."""
    rates = {name: [run()] for name, run in runs.items()}
    for _ in range(repeats):
        for name, run in runs.items():
            rates[name].append(run())
    return rates


def _report(rates: dict[str, list[float]], *baselines: str) -> None:
    header = ["decisions per second", "median", "lowest to highest", "first pass", *(f"× {name}" for name in baselines)]
    rows = [
        [
            name,
            f"{median(found):,.0f}",
            f"{min(found):,.0f} to {max(found):,.0f}",
            f"{first:,.0f}",
            *(f"{median(found) / median(rates[baseline][1:]):.1f}" for baseline in baselines),
        ]
        for name, (first, *found) in rates.items()
    ]
    print(table(header, rows))


def _compare(name: str, cases: Sequence[Json], mine: Sequence[str], theirs: Sequence[str | None]) -> int:
    """Print how many answers agree and which do not; returns how many do not."""
    both = [found for found in zip(cases, mine, theirs, strict=True) if found[2] is not None]
    wrong = [found for found in both if found[1] != found[2]]
    print(f"{name}: {len(both) - len(wrong):,} of {len(both):,} answers agree.")
    for case, own, other in wrong[:SHOWN]:
        print(f"  {case['id']} {case['action']} on {case['resource']}: {own} here, {other} there")
        print(f"    {json.dumps(case)}")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
