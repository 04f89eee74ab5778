"""What a person does with the report page: search, filter, sort, open a user, follow a witness, copy, print."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ACCEPTED, SUPPRESSED, OpenTab
from tests.hostile import MARKUP
from tests.report.pages import data_of
from tests.report.test_hostile_pages import page_of as hostile_page


def test_the_page_loads_and_asks_for_nothing(tab: OpenTab) -> None:
    with tab() as found:
        page = found.open()
        assert page.title() == "MFA in account 111122223333"
        assert len(found.rows()) == 38
        assert found.hits() == "38 users of 38, 40 findings"
        assert page.locator("#account-findings article").count() == 2
        assert page.locator("#overview h2").all_inner_texts()[0] == "What could not be seen"


def test_without_its_script_the_findings_are_there_as_a_table(tab: OpenTab) -> None:
    with tab(java_script_enabled=False) as found:
        page = found.page
        page.goto(found.url)
        assert page.locator("noscript tbody tr").count() == 42
        assert not page.locator("#filter-place").is_visible()
        assert page.locator(".number.open .big").inner_text() == "11"


def test_a_search_finds_names_policies_and_actions(tab: OpenTab) -> None:
    with tab() as found:
        page = found.open()
        for text, wanted in {
            "quent": ["quentin"],
            "kms:PutKeyPolicy": ["mona", "nils"],
            "RunTheShop bool-without": ["quentin"],
            "nobody at all": [],
        }.items():
            page.fill("#search", text)
            found.wait_for_rows(len(wanted))
            assert found.rows() == wanted
            assert page.locator("#status").inner_text().strip() == found.hits()
        assert page.locator("#none").is_visible()
        page.click("text=Clear")
        found.wait_for_rows(38)


def test_filters_narrow_each_other(tab: OpenTab) -> None:
    with tab() as found:
        page = found.open()
        page.select_option("#severity", "critical")
        assert found.rows() == ["mona", "nils"]
        page.select_option("#control", "kms-exception-direct")  # is not critical: one finding has to fit both
        assert found.rows() == []
        page.select_option("#severity", "")
        assert found.rows() == ["mona", "kira"]
        page.select_option("#control", "")
        page.select_option("#state", "suppressed")
        assert found.rows() == [SUPPRESSED]
        page.select_option("#state", "accepted")
        assert found.rows() == [ACCEPTED]
        page.select_option("#state", "")
        page.click(".number.enforced")
        assert page.locator("#standing").input_value() == "enforced"
        assert len(found.rows()) == 8
        assert page.locator(".number.enforced").get_attribute("aria-pressed") == "true"
        page.click(".number.enforced")
        page.click(".number.lacking")
        assert set(found.rows()) == {"lena", "robot-ci", "robot-mirror", "dmitri"}


def test_columns_sort_up_and_down(tab: OpenTab) -> None:
    with tab() as found:
        page = found.open()
        assert found.rows()[:2] == ["mona", "nils"]  # the gravest first
        button = page.get_by_role("button", name="User", exact=True)
        button.click()
        assert found.rows() == sorted(found.rows())
        assert page.locator("th[aria-sort=ascending]").inner_text().startswith("User")
        button.click()
        assert found.rows() == sorted(found.rows(), reverse=True)
        assert page.locator("th[aria-sort=descending]").inner_text().startswith("User")
        page.get_by_role("button", name="Standing", exact=True).click()
        assert page.locator("#rows tr").first.locator(".standing").inner_text() == "open"
        assert page.locator("#sort").input_value() == "standing"


def test_a_user_opens_by_a_click_and_the_way_back_leads_to_the_same_row(tab: OpenTab) -> None:
    with tab() as found:
        page = found.open()
        page.click("#rows >> text=hugo")
        assert page.url.endswith("#user/hugo")
        assert page.evaluate("document.activeElement.textContent") == "hugo"
        assert page.title().startswith("hugo · ")
        assert page.locator("#overview").is_hidden()
        assert page.locator(".door").count() == 5
        page.go_back()
        page.wait_for_selector("#overview", state="visible")
        assert page.evaluate("document.activeElement.textContent") == "hugo"
        assert page.title() == "MFA in account 111122223333"


@pytest.mark.parametrize("fragment", ["#user/nobody", "#finding/0000", "#user/%", "#user/__proto__", "#users"])
def test_an_address_that_leads_nowhere_shows_all_users(tab: OpenTab, fragment: str) -> None:
    with tab() as found:
        page = found.open(fragment)
        assert page.locator("#overview").is_visible()


def test_a_finding_is_opened_by_its_address(tab: OpenTab, site: str) -> None:
    data = data_of(Path(site.removeprefix("file://")).read_text(encoding="utf-8"))
    [row] = [row for row in data["users"] if row[0] == "hugo"]
    fingerprint = row[9][1][0]
    with tab() as found:
        page = found.open(f"#finding/{fingerprint}")
        assert page.locator(".person-head h2").inner_text() == "hugo"
        assert page.evaluate("document.activeElement.id") == f"finding-{fingerprint}"
        account = data["findings"][0][0]
        page = found.open(f"#finding/{account}")
        assert page.evaluate("document.activeElement.id") == f"finding-{account}"
        assert page.locator("#overview").is_visible()


def test_everything_is_reached_by_the_keyboard_alone(tab: OpenTab) -> None:
    with tab() as found:
        page = found.open()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the users"
        page.keyboard.press("Enter")
        for _ in range(3):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "search":
                break
        assert page.evaluate("document.activeElement.id") == "search"
        page.keyboard.type("quentin")
        found.wait_for_rows(1)
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.closest('#rows') !== null"):
                break
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        page.keyboard.press("Enter")
        page.wait_for_selector("#person:not([hidden])")
        assert page.evaluate("document.activeElement.textContent") == "quentin"


def test_a_witness_is_followed_and_its_command_copied(tab: OpenTab) -> None:
    with tab(permissions=["clipboard-read", "clipboard-write"]) as found:
        page = found.open("#user/quentin")
        finding = page.locator("#person .finding").first
        assert finding.locator(".path").first.locator(".name").all_inner_texts() == [
            "quentin",
            "applications",
            "ApplicationOperator",
            "“RunTheShop”",
        ]
        assert "s3:PutBucketPolicy" in finding.locator(".request").inner_text()
        finding.get_by_role("button", name="Copy the command that decides the witness").click()
        page.wait_for_selector("#status:has-text('Copied')", state="attached")
        assert page.evaluate("navigator.clipboard.readText()") == (
            "mfawatch explain --user quentin --action s3:PutBucketPolicy --resource arn:aws:s3:::mfawatch-example"
        )
        finding.locator("summary", has_text="What it says").first.click()
        assert '"Sid": "RunTheShop"' in finding.locator("pre").first.inner_text()
        assert finding.locator(".diff .added").inner_text().strip() == '+        "BoolIfExists": {'


def test_the_hops_of_git_are_drawn_to_where_they_end(tab: OpenTab) -> None:
    with tab() as found:
        page = found.open("#user/finn")
        drawn = page.locator(".finding .path").first
        assert drawn.locator(".name").all_inner_texts() == [
            "finn",
            "codecommit:GitPush",
            "kms:Decrypt",
            "kms:Encrypt",
            "Git fails",
        ]
        assert drawn.locator(".pill").all_inner_texts() == ["allowed", "denied", "denied"]


def test_what_is_accepted_is_told_as_that(tab: OpenTab) -> None:
    with tab() as found:
        page = found.open(f"#user/{SUPPRESSED}")
        assert "somebody has accepted it" in page.locator(".notice").inner_text()
        page = found.open(f"#user/{ACCEPTED}")
        assert "Accepted by the settings: the mirror needs it" in page.locator(".notice").inner_text()


def test_print_has_every_open_finding_in_full_and_no_controls(tab: OpenTab) -> None:
    with tab() as found:
        page = found.open()
        page.emulate_media(media="print")
        page.wait_for_selector(".on-paper")
        assert page.locator(".on-paper .finding").count() == 38
        assert not page.locator(".on-paper .finding.suppressed, .on-paper .finding.accepted").count()
        assert page.locator(".on-paper details:not([open])").count() == 0
        for control in ("#filters", ".copy", ".skip", "#more"):
            assert not page.locator(control).first.is_visible()
        assert page.pdf()[:5] == b"%PDF-"
        page.emulate_media(media="screen")
        page.wait_for_selector("#paper:not(:has(*))", state="attached")


@pytest.mark.parametrize("fragment", ["", "#user/hugo", "#user/oskar"])
def test_a_phone_scrolls_in_one_direction_alone(tab: OpenTab, fragment: str) -> None:
    with tab(viewport={"width": 320, "height": 640}) as found:
        page = found.open(fragment)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        wide = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 321).length"
        assert page.evaluate(wide) == 0


def test_the_page_is_dark_where_that_is_wanted(tab: OpenTab) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        with tab(color_scheme=scheme) as found:
            page = found.open()
            colours[scheme] = page.evaluate(
                "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
                ".map(c => c.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0))"
            )
    assert colours["light"][0] > colours["light"][1]
    assert colours["dark"][0] < colours["dark"][1]


def test_nothing_moves_where_that_is_not_wanted(tab: OpenTab) -> None:
    with tab(reduced_motion="reduce") as found:
        assert found.open().evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


@pytest.mark.parametrize("name", MARKUP.values(), ids=list(MARKUP))
def test_no_name_is_active(tab: OpenTab, tmp_path: Path, name: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(hostile_page(name), encoding="utf-8")
    with tab(file.as_uri()) as found:
        page = found.open()
        page.on("dialog", lambda dialog: found.said.append(f"a dialog: {dialog.message}"))
        names: list[Any] = found.rows()
        for number in range(min(len(names), 4)):
            link = page.locator("#rows th a").nth(number)
            link.click()
            page.wait_for_selector("#person:not([hidden])")
            assert page.locator(".person-head h2").inner_text() == names[number]
            assert page.locator("main img, main script, main iframe, main [onfocus], main b").count() == 0
            page.go_back()
            page.wait_for_selector("#overview", state="visible")
        page.emulate_media(media="print")
        page.wait_for_selector(".on-paper")
        assert not re.search(r"NaN|undefined|\[object", page.locator("main").inner_text())
