"""mfawatch audit --format html: the report page of an account by its files."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.accounts import DEMO
from tests.accounts.build import ADMIN, Person, exports
from tests.cli.conftest import Run, demo_options, write_exports
from tests.report.pages import data_of, shown_to

FILES = demo_options(DEMO)


def test_a_page_is_written_and_its_witnesses_can_be_decided_again(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    assert run("audit", *FILES, "--format", "html", "-o", str(file)).code == 3
    data = data_of(file.read_text(encoding="utf-8"))
    for name in ("quentin", "mona", "wim", "dana", "hugo"):
        [row] = [row for row in data["users"] if row[0] == name]
        told = shown_to([data["contents"][one[4]] for one in row[9]], row)
        for content in told:
            program, *arguments = shlex.split(content["witness"]["command"])
            assert program == "mfawatch"
            explained = run(*arguments, *FILES)
            assert explained.code == 0
            assert explained.out.startswith("Allowed"), content


def test_a_page_shows_the_diff_of_a_proposal_and_the_runs_of_a_ledger(run: Run, tmp_path: Path) -> None:
    answers = write_exports(exports(Person("anna", inline=[ADMIN])), tmp_path)
    ledger = ("--ledger", str(tmp_path / "ledger.db"))
    first = run("audit", *answers, *ledger, "--format", "html").out
    assert "How it moved" not in first
    second = run("audit", *answers, *ledger, "--format", "html").out
    assert "The last 2 runs as a table" in second
