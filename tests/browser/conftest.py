"""A browser with the page of the example account, which notes what it says on its console and what it asks for.

Where there is no Chromium or no Playwright, and on servers that build, the tests are skipped and say why.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.audit import Audit, judge
from chalicelib.config import Settings
from chalicelib.iam.account import AccountSnapshot
from chalicelib.local.example import TAKEN, read_example
from chalicelib.report.page.fixes import plan_for_page
from chalicelib.report.page.render import render_page
from chalicelib.runs import RunReport, report_of
from chalicelib.sweep import Run

SUPPRESSED, ACCEPTED = "mateo", "nadia"
"""Of whom a finding is suppressed in the ledger, and of whom one is accepted by the settings."""


def _missing() -> str:
    """Why there is no browser, in words; empty where there is one."""
    if os.environ.get("CI"):
        return "no browser tests where CI is set"
    if shutil.which("chromium") is None:
        return "chromium is not installed: make browser"
    for module in ("playwright", "axe_core_python"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed: make browser"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none."""
    if reason := _missing():
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass
class Tab:
    """A tab with the page; `said` is what stands on its console, `asked` what it asked for over a network."""

    page: Any
    url: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, fragment: str = "") -> Any:
        """Load the page at a fragment; the page, when it is ready."""
        self.page.goto("about:blank")
        self.page.goto(self.url + fragment)
        self.page.wait_for_selector("html[data-ready]")
        return self.page

    def rows(self) -> list[str]:
        """The names of the users in the table, from top to bottom."""
        found: list[str] = self.page.locator("#rows th").all_inner_texts()
        return found

    def wait_for_rows(self, number: int) -> None:
        """Wait until the table has so many rows. (The page's policy lets nobody poll it with a script.)"""
        least = f":has(> :nth-child({number}))" if number else ""
        self.page.wait_for_selector(f"#rows{least}:not(:has(> :nth-child({number + 1})))", state="attached")

    def hits(self) -> str:
        """How many fit, as the page says."""
        return str(self.page.locator("#hits").inner_text())


OpenTab = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    playwright = importlib.import_module("playwright.sync_api").sync_playwright()
    # Chromium's own sandbox does not start for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright as started:
        launched = started.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of the page in a file."""
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(example_page(), encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def tab(browser: Any, site: str) -> Iterator[OpenTab]:
    """Opens tabs, as wide and dark as asked for; at the end none of them has complained or asked anybody anything."""
    opened: list[Tab] = []

    @contextmanager
    def open_tab(url: str = "", **options: Any) -> Iterator[Tab]:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        found = Tab(context.new_page(), url or site)
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("request", lambda request: found.asked.append(request.url))
        opened.append(found)
        yield found
        context.close()

    yield open_tab
    for one in opened:
        assert one.said == []
        assert {url for url in one.asked if not url.startswith(("file:", "about:", "data:"))} == set()


def example_page() -> str:
    """The page of the example account after some runs, with a finding suppressed and one accepted."""
    snapshot, audit = read_example(), example_audit()
    return render_page(audit, snapshot, example_history(audit), plan=plan_for_page(audit, snapshot, Settings()))


def example_audit() -> Audit:
    """The example account's audit, with what is suppressed and accepted."""
    snapshot: AccountSnapshot = read_example()
    found = judge(snapshot)
    [suppressed] = [one.fingerprint for one in found.findings if one.user == SUPPRESSED]
    findings = tuple(
        replace(one, severity=type(one.severity).INFO, evidence={**one.evidence, "accepted": "the mirror needs it"})
        if one.user == ACCEPTED
        else one
        for one in found.findings
    )
    return replace(found, findings=findings).with_suppressed({suppressed})


def example_history(audit: Audit) -> list[RunReport]:
    """The last fortnight: somebody is at work on it."""
    last = report_of(audit, [], Run("run-14", TAKEN), TAKEN)
    grave = (0, 1, 1, 3, 2, 5, 5, 6, 6, 7, 7, 9, 9, 9)
    return [
        replace(
            last,
            run=f"run-{14 - days}",
            started=TAKEN - timedelta(days=days),
            findings={**last.findings, "high": last.findings["high"] + more},
            standings={
                **last.standings,
                "open": last.standings["open"] + more,
                "enforced": max(last.standings["enforced"] - more // 2, 0),
            },
            gap_count=last.gap_count + (3 if days in (4, 9) else 0),
        )
        for days, more in enumerate(grave)
    ]
