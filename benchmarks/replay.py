"""A replay of CloudTrail's records in gzip files, beside decompressing and parsing them alone with the same library."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.child import Finished, run
from benchmarks.records import CHANGE_SHARE, GIT_SHARE, PER_FILE, write_records
from benchmarks.tables import machine, table

SIZES = (50_000, 500_000)
MOST_TIMES = 2.0
MOST_GROWTH = 1.25
"""By how much the peak memory may grow where there are ten times the records."""

_SELF = (sys.executable, "-m", "benchmarks.replay")
_REPLAY = (sys.executable, "-c", "from chalicelib.cli import main; main()", "replay", "--fail-on", "never")
_COMMANDS = {
    "gunzip and json.loads": (*_SELF, "--baseline"),
    "mfawatch replay, table": (*_REPLAY, "--format", "table"),
    "mfawatch replay, JSON": (*_REPLAY, "--format", "json"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--baseline", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.baseline:
        _baseline(options.baseline)
        return 0
    sizes, shares = " and ".join(f"{size:,}" for size in SIZES), f"{GIT_SHARE:.1%} Git, {CHANGE_SHARE:.1%} changes"
    print(f"Replay: {sizes} records in gzip files of {PER_FILE:,} ({shares}); {options.repeats} repeats")
    print(machine())
    found = {size: _measured(size, options.repeats) for size in SIZES}
    return 0 if _report(found) else 1


def _baseline(folder: Path) -> None:
    """What any reader of these files has to do."""
    count = 0
    for path in sorted(folder.rglob("*.json.gz")):
        with gzip.open(path) as stream:
            count += len(json.loads(stream.read())["Records"])
    print(count)


def _measured(size: int, repeats: int) -> dict[str, list[Finished]]:
    """The runs of each command over that many records, in turns."""
    runs: dict[str, list[Finished]] = {name: [] for name in _COMMANDS}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_records(folder, size)
        for _ in range(repeats):
            for name, command in _COMMANDS.items():
                runs[name].append(run([*command, temporary], dict(os.environ)))
    assert runs["gunzip and json.loads"][0].output.strip() == str(size)
    assert f"{size:,} records in {size // PER_FILE:,} files" in runs["mfawatch replay, table"][0].output
    return runs


def _report(found: dict[int, dict[str, list[Finished]]]) -> bool:
    """Print the figures; whether the aims are met."""
    header = ["", "records", "seconds", "CPU", "records a second", "peak MB", "× time"]
    rows, times = [], []
    for size, runs in found.items():
        base = median(one.seconds for one in runs["gunzip and json.loads"])
        for name, finished in runs.items():
            seconds = median(one.seconds for one in finished)
            cpu, peak = median(one.cpu for one in finished), median(one.peak for one in finished)
            figures = [f"{seconds:.2f}", f"{cpu:.2f}", f"{size / seconds:,.0f}", f"{peak:.0f}", f"{seconds / base:.2f}"]
            rows.append([name, f"{size:,}", *figures])
            times.append((size, name, seconds / base))
    print(table(header, rows))
    slowest = max(time for size, name, time in times if size == max(SIZES))
    small, large = (max(median(one.peak for one in runs) for runs in list(found[size].values())[1:]) for size in SIZES)
    growth = large / small
    print(f"Aim, at most {MOST_TIMES} times the time: {_verdict(slowest <= MOST_TIMES)} ({slowest:.2f}).")
    print(f"Aim, the same memory for ten times the records: {_verdict(growth <= MOST_GROWTH)} (× {growth:.2f}).")
    return slowest <= MOST_TIMES and growth <= MOST_GROWTH


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


if __name__ == "__main__":
    sys.exit(main())
