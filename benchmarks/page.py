"""The report page of a large account: seconds to make it, its size, and how soon a browser can be used with it."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.child import environment, run
from benchmarks.generate import AccountSize, write_account
from benchmarks.tables import machine, table
from chalicelib.audit import judge
from chalicelib.cli.files import AccountFiles, read_account
from chalicelib.config import Settings
from chalicelib.report.page.build import build_page
from chalicelib.report.page.fixes import plan_for_page
from chalicelib.report.page.render import render

SIZES = (1_250, 2_500, 5_000)
MOST_BYTES = 5_000_000
MOST_SECONDS = 2.0
"""Until the page of the largest account can be used."""
STAGES = ("plan", "build", "render")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where the page of the largest account is too large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="loads in the browser")
    parser.add_argument("--one", type=int, metavar="USERS", help=argparse.SUPPRESS)
    parser.add_argument("file", nargs="?", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(_made(options.one, options.file)))
        return 0
    print(f"Report pages, 300 policy sets\n{machine()}\n", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        files = {users: Path(temporary, f"{users}.html") for users in SIZES}
        made = {users: _in_a_process(users, file) for users, file in files.items()}
        size = files[SIZES[-1]].stat().st_size
        _tell(made, files)
        print(f"Aim for {SIZES[-1]:,} users, under {MOST_BYTES:,} bytes: {_verdict(size < MOST_BYTES)} ({size:,}).\n")
        _browse(files, options.repeats)
    return 0 if size < MOST_BYTES else 1


def _in_a_process(users: int, file: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.page", "--one", str(users), str(file)]
    done = run(command, environment("http://127.0.0.1:9"))
    return {**json.loads(done.output), "peak": done.peak}


def _made(users: int, file: Path) -> dict[str, float]:
    """Seconds by stage of the page of an account of so many users."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_account(AccountSize(users=users), folder)
        names = {"authorization_details": "details", "credential_report": "report", "virtual_mfa_devices": "devices"}
        paths = {key: next(folder.glob(f"{name}.*")) for key, name in names.items()}
        snapshot = read_account(AccountFiles.taken_from(paths))
    audit = judge(snapshot)
    times = [perf_counter()]
    plan = plan_for_page(audit, snapshot, Settings())
    times.append(perf_counter())
    page = build_page(audit, snapshot, (), plan)
    times.append(perf_counter())
    file.write_text(render(page, total=len(audit.findings)), encoding="utf-8")
    times.append(perf_counter())
    stages = zip(STAGES, times[:-1], times[1:], strict=True)
    return {stage: end - begin for stage, begin, end in stages} | {"findings": len(audit.findings)}


def _tell(made: dict[int, dict[str, float]], files: dict[int, Path]) -> None:
    rows = [
        [
            f"{users:,}",
            f"{found['findings']:,}",
            *(f"{found[stage]:.2f}" for stage in STAGES),
            f"{found['peak']:.0f}",
            f"{files[users].stat().st_size / 1e6:.2f}",
            f"{files[users].stat().st_size / files[SIZES[0]].stat().st_size:.2f}",
        ]
        for users, found in made.items()
    ]
    print(table(["users", "findings", *(f"{stage} s" for stage in STAGES), "peak MB", "page MB", "× size"], rows))


# --- in a browser ----------------------------------------------------------------------------------------------------

QUESTIONS = {
    "search": "view.query = 'user-0042', refresh()",
    "filter and sort": "Object.assign(view, {query: '', severity: 'high', sort: 'name'}), refresh()",
    "open a user": "openPerson(USERS[USERS.length >> 1])",
}
"""What is asked of the page → what its script does for it."""
_USABLE = "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
"""The milliseconds since the page was asked for, when it has been drawn and its script waits for the reader."""


def _browse(files: dict[int, Path], repeats: int) -> None:
    if shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None:
        print("The browser is skipped: chromium or playwright is missing (make browser installs both).")
        return
    started = importlib.import_module("playwright.sync_api").sync_playwright
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with started() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        found = {users: _asked(browser.new_page, file.as_uri(), repeats) for users, file in files.items()}
        browser.close()
    rows = [[f"{users:,}", *(f"{value:.0f}" for value in values)] for users, values in found.items()]
    print(f"In Chromium, medians of {repeats} loads, milliseconds")
    print(table(["users", "until it can be used", *QUESTIONS], rows))
    seconds = found[SIZES[-1]][0] / 1000
    print(f"Aim for {SIZES[-1]:,} users, under {MOST_SECONDS} s: {_verdict(seconds < MOST_SECONDS)} ({seconds:.2f} s).")


def _asked(new_page: Callable[[], Any], url: str, repeats: int) -> list[float]:
    """The milliseconds for each question, medians; the layout that follows counts."""
    timed = (
        "(() => {{ const t = performance.now(); {0}; document.body.offsetHeight; return performance.now() - t; }})()"
    )
    runs: list[list[float]] = []
    for _ in range(repeats):
        page = new_page()
        page.goto(url)
        page.wait_for_selector("html[data-ready]")
        runs.append([page.evaluate(_USABLE), *(page.evaluate(timed.format(one)) for one in QUESTIONS.values())])
        page.close()
    return [median(values) for values in zip(*runs, strict=True)]


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


if __name__ == "__main__":
    sys.exit(main())
