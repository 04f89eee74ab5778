"""The audit of a large account from its exported files: time by stage, peak memory, and how both grow."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.generate import AccountSize, write_account
from benchmarks.tables import machine, table
from chalicelib.audit import judge
from chalicelib.cli.files import AccountFiles, read_answers, understand
from chalicelib.report.table_audit import render_audit

GROWTH = {
    "More users, the same 300 policy sets": [AccountSize(users=users) for users in (1_250, 2_500, 5_000)],
    "More policy sets, the same 2,500 users": [AccountSize(users=2_500, sets=sets) for sets in (75, 150, 300, 600)],
}
MOST_SECONDS = 60
MOST_MEGABYTES = 400
STAGES = ("read", "parse", "judge", "render")


@dataclass(frozen=True, slots=True)
class Run:
    """One audit: seconds by stage, those of the whole process, its processor time, and its peak memory in megabytes."""

    stages: dict[str, float]
    whole: float
    cpu: float
    peak: float
    findings: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where an audit fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", type=json.loads, metavar="SIZE", help=argparse.SUPPRESS)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("folder", nargs="?", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.write:
        write_account(AccountSize(**options.write), options.folder)
    elif options.one:
        print(json.dumps(_audit(options.folder)))
    else:
        _growth(options.repeats)
    return 0


def _growth(repeats: int) -> None:
    whole = AccountSize()
    print(
        f"Audits: an account of {whole.users:,} users, {whole.groups} groups, {whole.policies:,} managed policies,"
        f" {whole.sets} distinct policy sets, and smaller ones; {repeats} repeats"
    )
    print(machine())
    sizes = list(dict.fromkeys(size for series in GROWTH.values() for size in series))
    runs: dict[AccountSize, list[Run]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory() as temporary:
        folders = {size: Path(temporary, str(number)) for number, size in enumerate(sizes)}
        for size, folder in folders.items():
            folder.mkdir()
            written = {"users": size.users, "sets": size.sets}
            subprocess.run([*_SELF, "--write", json.dumps(written), str(folder)], check=True)
        for _ in range(repeats):
            for size, folder in folders.items():
                runs[size].append(_run(folder))
    for title, series in GROWTH.items():
        _report(title, series, runs)
    seconds = median(run.whole for run in runs[whole])
    peak = median(run.peak for run in runs[whole])
    print(
        f"Aim for {whole.users:,} users, under {MOST_SECONDS} s and {MOST_MEGABYTES} MB:"
        f" {_verdict(seconds < MOST_SECONDS)} ({seconds:.1f} s), {_verdict(peak < MOST_MEGABYTES)} ({peak:.0f} MB)."
    )


_SELF = (sys.executable, "-m", "benchmarks.audit")


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def _run(folder: Path) -> Run:
    """One audit in a process of its own, timed from outside too: the interpreter and its imports count."""
    start = perf_counter()
    done = subprocess.run([*_SELF, "--one", str(folder)], check=True, stdout=subprocess.PIPE)
    whole = perf_counter() - start
    found = json.loads(done.stdout)
    return Run({stage: found[stage] for stage in STAGES}, whole, found["cpu"], found["peak"], found["findings"])


def _audit(folder: Path) -> dict[str, float]:
    """What `mfawatch audit` does with these files, stage by stage."""
    files = AccountFiles.taken_from(
        {
            "authorization_details": folder / "details.json",
            "credential_report": folder / "report.csv",
            "virtual_mfa_devices": folder / "devices.json",
        }
    )
    times = [perf_counter()]
    exports, taken = read_answers(files)
    times.append(perf_counter())
    snapshot = understand(files, exports, taken)
    times.append(perf_counter())
    found = judge(snapshot)
    times.append(perf_counter())
    render_audit(found, plain=True)
    times.append(perf_counter())
    stages = {stage: end - begin for stage, begin, end in zip(STAGES, times[:-1], times[1:], strict=True)}
    used = resource.getrusage(resource.RUSAGE_SELF)
    # The system counts in kilobytes, or in bytes on macOS.
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1_024) / 1_000_000
    return stages | {"cpu": used.ru_utime + used.ru_stime, "peak": peak, "findings": len(found.findings)}


def _report(title: str, series: Sequence[AccountSize], runs: dict[AccountSize, list[Run]]) -> None:
    header = ["users", "sets", "findings", *STAGES, "whole process", "CPU", "peak MB", "× time", "× peak"]
    rows: list[list[str]] = []
    first = runs[series[0]]
    for size in series:
        found = runs[size]
        whole, peak = median(run.whole for run in found), median(run.peak for run in found)
        rows.append(
            [
                f"{size.users:,}",
                str(size.sets),
                f"{found[0].findings:,}",
                *(f"{median(run.stages[stage] for run in found):.2f}" for stage in STAGES),
                f"{whole:.2f}",
                f"{median(run.cpu for run in found):.2f}",
                f"{peak:.0f}",
                f"{whole / median(run.whole for run in first):.2f}",
                f"{peak / median(run.peak for run in first):.2f}",
            ]
        )
    print(f"\n{title} (seconds, medians; the last columns are ratios to the first row)")
    print(table(header, rows))


if __name__ == "__main__":
    sys.exit(main())
