"""The report page: what it holds, that it needs nothing beside it, and that the same account gives the same page."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from chalicelib.audit import judge
from chalicelib.config import Settings
from chalicelib.findings import Witness
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.request import MfaState
from chalicelib.local.example import TAKEN, read_example
from chalicelib.report.page.build import build_page
from chalicelib.report.page.doors import KNOWN_ALONE, MOST_SURFACES, NOT_ASKED
from chalicelib.report.page.fixes import plan_for_page
from chalicelib.report.page.lines import last_runs, lines_of
from chalicelib.report.page.render import SCRIPTS, render_page
from chalicelib.report.page.showing import explain_command
from chalicelib.runs import RunReport, report_of
from chalicelib.standing import Standing, standings_of
from chalicelib.sweep import Run
from tests.accounts.build import ADMIN, Person, read
from tests.report.audits import example
from tests.report.pages import data_of, finding_of, read_page, shown_to


@cache
def page() -> str:
    """The page of the example account."""
    snapshot = read_example()
    return render_page(example(), snapshot, plan=plan_for_page(example(), snapshot, Settings()))


def history(runs: int) -> list[RunReport]:
    """Runs on the example account, each with a finding less than the one before."""
    last = report_of(example(), [], Run("run-0", TAKEN), TAKEN)
    return [
        replace(
            last,
            run=f"run-{number}",
            started=TAKEN - timedelta(days=number),
            findings={**last.findings, "high": last.findings["high"] + number},
        )
        for number in range(runs)
    ]


def test_the_same_account_gives_the_same_page() -> None:
    snapshot = read_example()
    assert render_page(judge(snapshot), snapshot, plan=plan_for_page(example(), snapshot, Settings())) == page()


def test_every_user_and_every_finding_is_there_once() -> None:
    data = data_of(page())
    assert [user[0] for user in data["users"]] == sorted(read_example().users)
    told = [one[0] for user in data["users"] for one in user[9]] + [one[0] for one in data["findings"]]
    assert sorted(told) == sorted(finding.fingerprint for finding in example().findings)
    assert {data["controls"][one[1]][0] for one in data["findings"]} == {"root-access-key", "root-without-mfa"}


def test_users_stand_where_the_audit_says() -> None:
    data = data_of(page())
    told = {user[0]: data["standings"][user[3]][0] for user in data["users"]}
    assert told == standings_of(example())
    assert {told[name] for name in ("quentin", "hugo", "stig", "astrid", "dmitri")} == set(Standing)
    numbers = [one.text for one in read_page(page()) if one.attributes.get("class") == "big"]
    assert numbers == [*(str(list(told.values()).count(one)) for one in Standing), "4"]


def test_a_path_leads_from_the_user_to_the_statement() -> None:
    data = data_of(page())
    found = finding_of(data, "quentin", "mfa-not-enforced")
    [step] = found["steps"]
    assert (step["group"], step["policy"], step["how"], step["sid"], step["effect"]) == (
        "applications",
        "arn:aws:iam::111122223333:policy/ApplicationOperator",
        "attached policy",
        "RunTheShop",
        "Allow",
    )
    assert '  "Sid": "RunTheShop",' in data["texts"][step["text"]]
    [guard] = found["guard"]
    assert (guard["group"], guard["effect"]) == ("older-guard", "Deny")
    assert [fix["kind"] for fix in found["fixes"]] == ["Proposed"]
    diff = data["texts"][found["fixes"][0]["diff"]]
    assert [line for line in diff if re.match(r"[+-] ", line)] == ['-        "Bool": {', '+        "BoolIfExists": {']


def test_the_hops_of_git_say_which_statement_allows_or_denies() -> None:
    hops = finding_of(data_of(page()), "finn", "git-blocked-by-kms")["hops"]
    assert [(hop["action"], hop["decision"]) for hop in hops] == [
        ("codecommit:GitPush", "Allowed"),
        ("kms:Decrypt", "ExplicitlyDenied"),
        ("kms:Encrypt", "ExplicitlyDenied"),
    ]
    assert [step["sid"] for hop in hops for step in hop["statements"]] == [
        "WorkInRepositories",
        "NothingWithoutMfa",
        "NothingWithoutMfa",
    ]


@pytest.mark.parametrize(
    ("person", "doubt"),
    [
        (Person("missing", attached=["unread"]), "policy/unread was not read"),
        (Person("broken", inline=["{"]), "cannot be evaluated"),
    ],
)
def test_no_door_is_told_of_as_shut_where_a_policy_is_not_known(person: Person, doubt: str) -> None:
    snapshot = read(person)
    [row] = build_page(judge(snapshot), snapshot).users
    [way] = next(door["ways"] for door in row.doors if door["door"] == "access key")
    assert KNOWN_ALONE in way["note"]
    assert doubt in way["note"]


def test_the_doors_say_what_each_opens_without_mfa() -> None:
    data = data_of(page())
    [row] = [row for row in data["users"] if row[0] == "robot-mirror"]
    doors = {door["door"]: door for door in shown_to(data["doors"][row[8]], row)}
    assert list(doors) == ["access key", "console password", "SSH key", "HTTPS Git credential", "roles"]
    assert {name for name, door in doors.items() if door["open"]} == {"SSH key"}
    [way] = doors["SSH key"]["ways"]
    on = "on arn:aws:codecommit:eu-west-1:111122223333:*"
    assert (way["by"], way["rows"]) == ("SSH key", [["codecommit", "Write: GitPush; Read: GitPull", on]])
    [olga] = [row for row in data["users"] if row[0] == "olga"]
    roles = data["doors"][olga[8]][-1]
    assert roles["open"]
    assert "release-manager" in roles["ways"][0]["note"]


def test_a_command_is_one_argument_a_value() -> None:
    name = "a'; rm -rf ~ $(id) `id` \n\x1b[2J"
    witness = Witness(f"arn:aws:iam::111122223333:user/x/{name}", "s3:*", "*", MfaState.FALSE, {"aws:a b": "c\nd"})
    assert shlex.split(explain_command(witness))[2:] == [
        "--user", "a'; rm -rf ~ $(id) `id` <000a><001b>[2J", "--action", "s3:*", "--resource", "*",
        "--mfa", "false", "--context", "aws:a b=c<000a>d",
    ]  # fmt: skip


def test_gaps_and_who_was_not_judged_stand_before_everything_else() -> None:
    headings = [one.text for one in read_page(page()) if one.name == "h2"]
    assert headings[:2] == ["What could not be seen", "At a glance"]
    told = page().partition("What could not be seen")[2].partition("At a glance")[0]
    for wanted in (
        "repository-keys",
        "service-control-policies",
        "stig",
        "inline policy &#34;invoices&#34; of user stig",
    ):
        assert wanted in told


def test_runs_are_drawn_where_there_are_some() -> None:
    assert "How it moved" not in page()
    assert "How it moved" not in render_page(example(), read_example(), history(1))
    drawn = build_page(example(), read_example(), history(40))
    assert len(drawn.runs) == 30
    [grave] = [line for line in drawn.lines if line.label == "findings, critical and high"]
    assert grave.values == tuple(sorted(grave.values, reverse=True))
    assert grave.moved.startswith("1 fewer than in the run before; from ")
    heights = [float(point.partition(",")[2]) for point in grave.points.split()]
    assert heights == sorted(heights)  # SVG counts from the top down
    told = [one for one in read_page(render_page(example(), read_example(), history(40))) if one.name == "polyline"]
    assert len(told) == len(drawn.lines) == 6


def test_runs_of_before_users_were_counted_are_no_zeros() -> None:
    runs = [replace(one, standings={}) if number else one for number, one in enumerate(history(3))]
    assert [line.label for line in build_page(example(), read_example(), runs).lines] == [
        "findings, critical and high",
        "findings, medium and less",
        "gaps: what could not be read",
    ]


def test_a_run_that_saw_nothing_moves_no_number_of_findings_or_users() -> None:
    gaps = tuple(Gap(read, "", "closed") for read in (Read.AUTHORIZATION_DETAILS, Read.CREDENTIAL_REPORT))
    seen, last = history(3), history(1)[0]
    blind = replace(last, findings={}, standings={}, users=0, gaps=gaps, gap_count=2)
    between = [replace(blind, started=seen[1].started, run="blind"), *seen]
    assert {len(line.values) for line in lines_of(last_runs(between, last.account))} == {3, 4}
    then = [*seen, replace(blind, started=last.started + timedelta(days=1))]
    assert [line.label for line in lines_of(last_runs(then, last.account))] == ["gaps: what could not be read"]


def test_nothing_is_loaded_and_nothing_but_its_own_script_runs() -> None:
    elements = read_page(page())
    [policy] = [one.attributes["content"] for one in elements if "http-equiv" in one.attributes]
    assert policy is not None
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == directives["base-uri"] == directives["form-action"] == "'none'"
    assert directives["require-trusted-types-for"] == "'script'"
    for name, directive in (("script", "script-src"), ("style", "style-src")):
        [code] = [one.text for one in elements if one.name == name and "type" not in one.attributes]
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert directives[directive] == f"'sha256-{digest}'"
    assert not [one for one in elements for name in one.attributes if name.startswith("on") or name == "style"]
    assert not [one for one in elements if one.name in ("img", "iframe", "object", "embed", "form", "base")]
    for one in elements:
        assert "src" not in one.attributes
        assert (one.attributes.get("href") or "#").startswith(("#", "data:,"))


def test_the_script_reads_no_text_as_markup() -> None:
    script = page().rpartition("<script>")[2]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(|DOMParser", script)
    assert len(SCRIPTS) == 6


def test_a_large_account_is_told_of_whose_surface_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(read_example().users) < MOST_SURFACES
    monkeypatch.setattr("chalicelib.report.page.doors.MOST_SURFACES", 2)
    data = data_of(render_page(example(), read_example()))
    noted = {
        row[0] for row in data["users"] if any(w["note"] == NOT_ASKED for d in data["doors"][row[8]] for w in d["ways"])
    }
    assert {"mona", "nils"}.isdisjoint(noted)  # the gravest come first
    assert {"quentin", "zoe"} < noted


def test_many_users_alike_share_what_is_told() -> None:
    people = [Person(f"user-{number:03}", inline=[ADMIN]) for number in range(100)]
    snapshot = read(*people)
    data = data_of(render_page(judge(snapshot), snapshot))
    assert len(data["users"]) == 100
    assert len(data["doors"]) == 1
    assert len(data["contents"]) == 1
    for row in data["users"]:
        assert row[0] in shown_to(data["contents"][row[9][0][4]], row)["witness"]["command"]


def test_an_audit_of_some_users_says_so() -> None:
    snapshot = read_example()
    told = render_page(judge(snapshot, users=["hugo"]), snapshot)
    assert [user[0] for user in data_of(told)["users"]] == ["hugo"]
    assert "not the whole account" in told
    assert "Not asked about: these are some of its users." in told


def test_an_account_without_users_has_a_page() -> None:
    snapshot = read()
    assert data_of(render_page(judge(snapshot), snapshot))["users"] == []
