"""A sweep keeps the page of each account, where the deployment has a bucket for pages."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.aws.report_store import S3ReportStore
from chalicelib.deployment import REPORTS_BUCKET
from chalicelib.ledger import suppress
from tests.functions.asked import PAGES
from tests.functions.conftest import EXPECTED, MEMBER, OWN, World
from tests.functions.watching import refusal


def test_a_sweep_keeps_a_page_of_each_account_and_shows_what_is_suppressed(world: World) -> None:
    s3 = world.client("s3", OWN)
    s3.create_bucket(Bucket=PAGES)
    os.environ[REPORTS_BUCKET] = PAGES
    store = S3ReportStore(s3, PAGES)
    assert world.sweep() == []
    for account in (OWN, MEMBER):
        page = data_of(store.latest(account))
        assert page["account"] == account
        assert {(user[0], page["controls"][one[1]][0]) for user in page["users"] for one in user[9]} == set(EXPECTED)
    ledger, now = world.deployment.ledger, datetime.now(UTC)
    [found] = [one for one in ledger.load(OWN) if one.control == "mfa-not-enforced"]
    until = (now + timedelta(days=9)).date()
    ledger.apply([suppress(found, until, "known", "astrid", now)])
    assert world.sweep() == []
    page = data_of(store.latest(OWN))
    states = {one[0]: one[3] for user in page["users"] for one in user[9]}
    assert states.pop(found.fingerprint) == "suppressed"
    assert set(states.values()) == {"open"}
    assert world.report(OWN, "run-2").standings == {"exempted": 4}


def test_an_account_is_audited_though_its_page_cannot_be_kept(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    os.environ[REPORTS_BUCKET] = PAGES
    world.watching.faults["s3:PutObject"] = refusal("AccessDenied")
    assert world.sweep() == []
    assert world.told(OWN) == EXPECTED
    told = capsys.readouterr().out
    assert "page not kept" in told
    assert '"PagesNotKept":[1' in told.replace(" ", "")


def test_without_a_bucket_nothing_is_kept(world: World) -> None:
    assert world.sweep() == []
    assert not [one for one in world.watching.operations() if one.startswith("s3:")]


def data_of(page: str | None) -> dict[str, list[list[list[list[str]]]]]:
    """The data that a page's script reads."""
    assert page is not None
    found: dict[str, list[list[list[list[str]]]]] = json.loads(
        page.partition('<script type="application/json" id="data">')[2].partition("</script>")[0]
    )
    return found
