"""mfawatch replay: which operations and events are told, beside which findings, in which form, with which exit code."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cli.replay import STYLES
from chalicelib.events.effects import EFFECTS
from chalicelib.findings import Severity
from chalicelib.iam.snapshot_file import snapshot_to_json
from chalicelib.local.caller import Caller, git_credential_of, key_of, session_of_role, session_of_user
from chalicelib.local.replaying import Choice, Replay
from chalicelib.local.timeline_store import TimelineStore
from chalicelib.local.trail import Trail, event_of
from chalicelib.report.timeline import Counted, Timeline
from tests.accounts.build import ACCOUNT, ADMIN, GUARD, TAKEN, Person, Root, exports, group, managed, managed_arn
from tests.cli.conftest import Run

START = datetime(2026, 5, 20, 8, 0, tzinfo=UTC)
OTHER = "222233334444"
Records = list[dict[str, Any]]


class Script:
    """Records written one after the other, a minute apart."""

    def __init__(self, account: str = ACCOUNT) -> None:
        self._now = START
        self.trail = Trail(account, "eu-west-1", clock=self._tick)
        self.records: Records = []

    def _tick(self) -> datetime:
        self._now += timedelta(minutes=1)
        return self._now

    def git(self, *arguments: Any, **options: Any) -> Script:
        self.trail.git(*arguments, **options)
        self.records += self.trail.records()
        return self

    def sign_in(self, caller: Caller, **options: Any) -> Script:
        self.trail.sign_in(caller, **options)
        self.records += self.trail.records()
        return self

    def iam(self, name: str, caller: Caller, error: str = "", **parameters: Any) -> Script:
        self.trail.sign_in(caller, mfa=True)
        [record] = self.trail.records()
        more = {"errorCode": error} if error else {}
        service = {"eventSource": "iam.amazonaws.com", "eventName": name, "eventType": "AwsApiCall"}
        self.records.append(record | service | {"requestParameters": parameters or None} | more)
        return self


ANNA = git_credential_of(ACCOUNT, "anna")
ADMINISTRATOR = session_of_user(ACCOUNT, "carl", mfa=True)
PUSH = Script().git(ANNA, "shop").records
PULL = Script().git(ANNA, "shop", "pull").records
POLICY = managed_arn("RequireMfa")
STORY = (
    Script()
    .iam("DetachUserPolicy", ADMINISTRATOR, userName="anna", policyArn=POLICY)
    .sign_in(key_of(ACCOUNT, "anna"), mfa=False)
    .git(ANNA, "shop", references=["refs/heads/main", "refs/heads/fix"])
    .git(ANNA, "shop", "pull")
    .git(ANNA, "tools", "pull")
    .git(session_of_user(ACCOUNT, "carl", mfa=True), "shop", "pull", protocol="HTTP")
    .iam("DeleteUserPolicy", key_of(ACCOUNT, "mallory"), "AccessDenied")
    .iam("AddUserToGroup", ADMINISTRATOR, userName="bert", groupName="team")
    .iam("ListUsers", ADMINISTRATOR)
    .records
)


def write(folder: Path, records: Records, name: str = "log.json") -> Path:
    path = folder / name
    path.write_text(json.dumps({"Records": records}))
    return path


@pytest.fixture
def told(run: Run, tmp_path: Path) -> Any:
    """What a replay of records tells as JSON, with these options."""
    return lambda records, *options: run("replay", write(tmp_path, records), "--format", "json", *options).json


# --- what is told ----------------------------------------------------------------------------------------------------


def test_a_story(told: Any) -> None:
    found = told(STORY)
    assert (found["files"], found["records"], found["ignored"], found["git_with_mfa"]) == (1, 10, 1, 1)
    assert (found["first"], found["last"]) == (
        STORY[0]["eventTime"].replace("Z", "+00:00"),
        "2026-05-20T08:10:00+00:00",
    )
    assert [(one["severity"], one["repository"].rpartition(":")[2]) for one in found["git"]] == [
        ("high", "shop"),
        ("medium", "tools"),
    ]
    shop = found["git"][0]
    assert (shop["user"], shop["credential"]) == ("anna", "ssh-key")
    assert (shop["pushes"], shop["pulls"], shop["pushes_that_sent_nothing"]) == (1, 1, 0)
    assert set(shop["references"]) == {"refs/heads/main", "refs/heads/fix"}
    assert [one["text"] for one in found["events"]] == [
        "anna lost a policy: RequireMfa",
        "anna signed in without MFA",
        f"attempt, refused (AccessDenied): iam:DeleteUserPolicy on account {ACCOUNT}",
        "bert joined a group: team",
    ]
    first, _, attempt, _ = found["events"]
    assert (first["actor"], first["mfa"], first["address"]) == (ADMINISTRATOR.arn, True, ADMINISTRATOR.address)
    assert (first["concerned"]["users"], first["refused"], first["open"]) == (["anna"], False, [])
    assert (attempt["refused"], attempt["error"], attempt["mfa"]) == (True, "AccessDenied", None)


def test_the_table_tells_the_same(run: Run, tmp_path: Path) -> None:
    out = run("replay", write(tmp_path, STORY)).out
    git, day, rest = (
        out.index("Git without MFA"),
        out.index("Wednesday, 2026-05-20, UTC"),
        out.index("10 records in 1 file"),
    )
    assert git < out.index("1 push, 1 pull; 2026-05-20 08:03 to 2026-05-20 08:05") < day
    assert day < out.index("08:01:00  anna lost a policy: RequireMfa [DetachUserPolicy]") < rest
    assert "user/carl with MFA, 203.0.113.10, aws-cli/2.31.1" in out
    assert "Git without MFA: 1 high, 1 medium by user, repository and credential; 1 with MFA or in a role" in out


def test_a_busy_robot_is_one_line(told: Any) -> None:
    script = Script()
    for _ in range(300):
        script.git(ANNA, "shop").git(ANNA, "shop", "pull", transferred=False)
    [one] = told(script.records)["git"]
    assert (one["pushes"], one["pulls"], one["pulls_with_data"]) == (300, 300, 0)
    assert one["first"] < one["last"]


def test_what_is_alike_on_one_day_is_one_line_of_the_table(run: Run, tmp_path: Path) -> None:
    script = Script()
    for _ in range(3):
        script.sign_in(ANNA, mfa=False)
    path = write(tmp_path, script.records)
    out = run("replay", path).out
    assert out.count("anna signed in without MFA") == 1
    assert "(3 times, the last at 08:03:00)" in " ".join(out.split())
    assert len(run("replay", path, "--format", "json").json["events"]) == 3


@pytest.mark.parametrize(
    "caller",
    [
        pytest.param(session_of_user(ACCOUNT, "carl", mfa=True), id="a session with MFA"),
        pytest.param(session_of_role(ACCOUNT, "deploy", "carl"), id="a role"),
    ],
)
def test_git_as_it_should_be_is_counted_and_no_more(caller: Caller, told: Any) -> None:
    found = told(Script().git(caller, "shop", protocol="HTTP").git(caller, "shop", "pull", protocol="HTTP").records)
    assert (found["git"], found["events"], found["git_with_mfa"]) == ([], [], 2)


def test_nothing_at_all(run: Run, tmp_path: Path) -> None:
    result = run("replay", write(tmp_path, []))
    assert (result.code, result.err) == (0, "")
    assert result.out == "0 records in 1 file\nGit without MFA: none\n0 records say nothing of MFA\n"


# --- copies ----------------------------------------------------------------------------------------------------------


def copies(records: Records) -> Iterator[Any]:
    """Each record as it comes by several ways: in two log files, as an event, and as another account has it."""
    for record in records:
        yield record
        yield event_of(record)
        yield {"Records": [record]}


@pytest.mark.parametrize("seed", range(3))
def test_copies_in_any_order_count_once(seed: int, run: Run, tmp_path: Path) -> None:
    several = list(copies(STORY))
    random.Random(seed).shuffle(several)
    files = [tmp_path / name for name in ("a.jsonl", "b.jsonl", "c.jsonl")]
    for number, path in enumerate(files):
        path.write_text("\n".join(json.dumps(one) for one in several[number::3]))
    once = run("replay", write(tmp_path, STORY), "--format", "json").json
    found = run("replay", *files, "--format", "json").json
    for name in ("git", "events", "git_with_mfa", "first", "last"):
        assert found[name] == once[name]
    assert found["records"] == 3 * once["records"]


def test_the_copy_that_tells_more_is_told(told: Any) -> None:
    [mine] = Script().iam("DetachUserPolicy", ADMINISTRATOR, userName="anna", policyArn=POLICY).records
    mine["sharedEventID"] = "shared"
    theirs = mine | {"eventID": "other", "userIdentity": {"type": "AWSAccount", "accountId": OTHER}}
    for records in ([mine, theirs], [theirs, mine]):
        [event] = told(records)["events"]
        assert event["actor"] == ADMINISTRATOR.arn


# --- what is chosen --------------------------------------------------------------------------------------------------

EACH = ["DetachUserPolicy", "ConsoleLogin", "DeleteUserPolicy", "AddUserToGroup"]
CHOICES: dict[str, tuple[list[str], int, list[str]]] = {
    "all": ([], 2, EACH),
    "a user": (["--user", "ANNA"], 2, ["DetachUserPolicy", "ConsoleLogin", "DeleteUserPolicy"]),
    "who did it": (["--user", "carl"], 0, ["DetachUserPolicy", "DeleteUserPolicy", "AddUserToGroup"]),
    "by ARN, and two": (
        ["--user", f"arn:aws:iam::{ACCOUNT}:user/bert", "--user", "anna"],
        2,
        EACH,
    ),
    "the account": (["--account", ACCOUNT], 2, EACH),
    "another account": (["--account", OTHER], 0, []),
    "from a moment on": (["--since", "2026-05-20T08:09:00Z"], 0, ["AddUserToGroup"]),
    "from a moment of another zone on": (["--since", "2026-05-20T10:08:00+02:00"], 0, EACH[2:]),
    "up to a moment": (["--until", "2026-05-20T08:02"], 0, ["DetachUserPolicy"]),
    "through a day": (["--until", "2026-05-20"], 2, EACH),
    "before": (["--until", "2026-05-19"], 0, []),
    "after": (["--since", "2026-05-21"], 0, []),
}  # fmt: skip


@pytest.mark.parametrize("case", CHOICES)
def test_choices(case: str, told: Any) -> None:
    options, git, events = CHOICES[case]
    found = told(STORY, *options)
    assert (len(found["git"]), [one["event"].partition(":")[2] for one in found["events"]]) == (git, events)
    assert (found["records"], found["ignored"]) == (10, 1)


def test_an_event_without_a_time_may_have_been_at_any(told: Any) -> None:
    record = {name: value for name, value in STORY[0].items() if name != "eventTime"}
    found = told([record], "--since", "2026-05-21")
    assert [one["at"] for one in found["events"]] == [None]
    assert (found["first"], found["last"]) == (None, None)


# --- how it stands now -----------------------------------------------------------------------------------------------


@pytest.fixture
def snapshot(tmp_path: Path) -> list[object]:
    """The option with an account: anna is open, bert is in a group whose policy guards him, and carl is guarded."""
    answers = exports(
        Person("anna", inline=[ADMIN], ssh_keys=["Active"]),
        Person("bert", inline=[ADMIN], groups=["team"]),
        Person("carl", inline=[ADMIN, GUARD]),
        groups=[group("team", attached=["RequireMfa"])],
        policies=[managed("RequireMfa", GUARD)],
    )
    path = tmp_path / "account.json"
    path.write_text(json.dumps(snapshot_to_json(answers, TAKEN)))
    return ["--snapshot", path]


def test_findings_stand_beside_the_events_of_whom_they_are_about(snapshot: list[object], told: Any) -> None:
    found = told(STORY, *snapshot)
    findings = {one["fingerprint"]: one for one in found["findings"]}
    assert {one["user"] for one in findings.values()} >= {"anna"}
    lost, signed_in, attempt, joined = found["events"]
    for event in (lost, signed_in):
        assert {findings[one]["user"] for one in event["open"]} == {"anna"}
        assert "mfa-not-enforced" in {findings[one]["control"] for one in event["open"]}
    assert set(attempt["open"]) == set(findings)  # nobody knows whom it was aimed at
    assert {findings[one]["user"] for one in joined["open"]} == {"bert"}
    assert "mfa-not-enforced" not in {findings[one]["control"] for one in joined["open"]}
    shop = findings[found["git"][0]["finding"]]
    assert (shop["control"], shop["evidence"]["now"]) == ("git-operation-without-mfa", "open")
    assert found["snapshot"] == TAKEN.isoformat()


def test_the_table_tells_what_is_open(snapshot: list[object], run: Run, tmp_path: Path) -> None:
    words = " ".join(run("replay", write(tmp_path, STORY), *snapshot).out.split())
    assert "open now: git-operation-without-mfa (high), mfa-not-enforced (high)" in words
    assert "in the snapshot: open" in words
    assert "as of the snapshot of 2026-06-01 06:00 UTC" in words


def test_the_account_is_none_of_its_users(run: Run, tmp_path: Path) -> None:
    people = [Person(name, inline=[ADMIN], ssh_keys=["Active"]) for name in ("anna", "bert", "carl", "dora", "emil")]
    account = tmp_path / "account.json"
    account.write_text(json.dumps(snapshot_to_json(exports(*people, root=Root(keys=("true", "false"))), TAKEN)))
    [record] = Script().iam("UpdateAccountPasswordPolicy", ADMINISTRATOR).records
    stopped = record | {"eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging"}
    path = write(tmp_path, [stopped | {"requestParameters": {"name": "main"}}])
    words = " ".join(run("replay", path, "--snapshot", account).out.split())
    assert "of 5 users and the account" in words


@pytest.mark.parametrize(
    ("name", "parameters", "concerned"),
    [
        ("DetachGroupPolicy", {"groupName": "team", "policyArn": POLICY}, True),
        ("DetachGroupPolicy", {"groupName": "others", "policyArn": POLICY}, False),
        ("SetDefaultPolicyVersion", {"policyArn": POLICY, "versionId": "v1"}, True),
        ("SetDefaultPolicyVersion", {"policyArn": managed_arn("Other"), "versionId": "v1"}, False),
    ],
)
def test_a_snapshot_says_whom_a_group_or_a_policy_concerns(
    name: str, parameters: dict[str, str], concerned: bool, snapshot: list[object], told: Any
) -> None:
    records = Script().iam(name, ADMINISTRATOR, **parameters).records
    # Without it nobody knows, and what may concern somebody is told.
    assert len(told(records, "--user", "bert")["events"]) == 1
    assert len(told(records, "--user", "bert", *snapshot)["events"]) == int(concerned)
    assert len(told(records, "--user", "anna", *snapshot)["events"]) == 0


def test_events_of_another_account_have_no_findings(snapshot: list[object], told: Any) -> None:
    story = Script(OTHER).iam("DetachUserPolicy", key_of(OTHER, "carl"), userName="anna", policyArn=POLICY).records
    found = told(story, *snapshot)
    assert ([one["open"] for one in found["events"]], found["findings"]) == ([[]], [])


# --- exit codes ------------------------------------------------------------------------------------------------------

REFUSED = Script().git(ANNA, "shop", refused=True).records
LEVELS = ["info", "low", "medium", "high", "critical"]


@pytest.mark.parametrize("level", LEVELS)
def test_fail_on_counts_what_is_at_least_as_severe(level: str, run: Run, tmp_path: Path) -> None:
    for records, severity in ((PUSH, "high"), (PULL, "medium"), (REFUSED, "info")):
        result = run("replay", write(tmp_path, records), "--fail-on", level)
        assert result.code == (3 if LEVELS.index(severity) >= LEVELS.index(level) else 0)


@pytest.mark.parametrize(
    ("records", "options", "code"),
    [
        pytest.param(PUSH, [], 3, id="a push, by default"),
        pytest.param(PULL, [], 0, id="a pull, by default"),
        pytest.param(PUSH, ["--fail-on", "never"], 0, id="never"),
        pytest.param(PUSH, ["--user", "bert"], 0, id="not by the user"),
        pytest.param(STORY[:2], ["--fail-on", "info"], 0, id="events alone"),
    ],
)
def test_exit_code(records: Records, options: list[str], code: int, run: Run, tmp_path: Path) -> None:
    assert run("replay", write(tmp_path, records), *options).code == code


ACCEPTED = {
    '[[exemptions]]\ncontrol = "git-operation-without-mfa"\nreason = "r"\nusers = ["anna"]': "info",
    '[[exemptions]]\ncontrol = "codecommit-exemption"\nreason = "r"\nrepositories = ["arn:aws:*:*:*:shop"]': "info",
    '[[exemptions]]\ncontrol = "codecommit-exemption"\nreason = "r"\nusers = ["bert"]': "high",
    'break_glass_users = ["an*"]': "info",
    "": "high",
}


@pytest.mark.parametrize(("settings", "severity"), ACCEPTED.items())
def test_settings_accept_git_operations(settings: str, severity: str, told: Any, tmp_path: Path) -> None:
    path = tmp_path / "mfawatch.toml"
    path.write_text(settings)
    assert [one["severity"] for one in told(PUSH, "--settings", path)["git"]] == [severity]


# --- bad input -------------------------------------------------------------------------------------------------------


def test_a_broken_file_loses_no_other_and_is_told(run: Run, tmp_path: Path) -> None:
    write(tmp_path, PUSH, "1.json")
    (tmp_path / "2.json.gz").write_bytes(gzip.compress(b"{}" * 1000)[:-12])
    write(tmp_path, PULL, "3.json")
    result = run("replay", tmp_path, "--format", "json")
    assert result.code == 2
    assert [(one["pushes"], one["pulls"]) for one in result.json["git"]] == [(1, 1)]
    [line] = result.err.splitlines()
    assert line == f"mfawatch: {tmp_path / '2.json.gz'}: ends in the middle of gzip: it is cut off"


def test_many_broken_files_are_told_in_a_few_lines(run: Run, tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number:02}.json").write_text("{")
    write(tmp_path, PUSH)
    result = run("replay", tmp_path)
    *lines, last = result.err.splitlines()
    assert (result.code, len(lines)) == (2, 10)
    assert last == "mfawatch: 15 more broken places, in 25 files in all"


@pytest.mark.parametrize("text", ["{", "<html>", "\x00\x01", '{"Records": [tru'])
def test_where_nothing_can_be_read_nothing_is_printed(text: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(text)
    run("replay", path).assert_refused(str(path), "line 1 column")


def test_a_directory_without_logs_is_no_clean_account(run: Run, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    run("replay", tmp_path / "logs").assert_refused("logs", "no file in it is one of CloudTrail's")
    result = run("replay", tmp_path / "logs", write(tmp_path, PUSH))
    assert (result.code, result.out.splitlines()[0]) == (2, "Git without MFA")


def test_a_name_that_is_wrong_is_told_before_anything_is_read(run: Run, tmp_path: Path) -> None:
    run("replay", write(tmp_path, PUSH), tmp_path / "none.json").assert_refused("none.json", "No such file")


@pytest.mark.parametrize("option", ["--since", "--until"])
@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "9999-12-31T23:59:59-23:59", "2026-01-01\x1b"])
def test_a_time_that_is_none_is_refused(text: str, option: str, run: Run, tmp_path: Path) -> None:
    run("replay", write(tmp_path, PUSH), option, text).assert_refused(option)


@pytest.mark.parametrize("until", ["2026-05-19", "2026-05-20T00:00:00Z", "2026-05-20T02:00:00+02:00"])
def test_a_span_without_any_time_in_it_is_refused(until: str, run: Run, tmp_path: Path) -> None:
    result = run("replay", write(tmp_path, PUSH), "--since", "2026-05-20", "--until", until)
    result.assert_refused("--until is not after --since")


@pytest.mark.parametrize("account", ["", "1234", "shop", "11112222333x"])
def test_an_account_that_is_none_is_refused(account: str, run: Run, tmp_path: Path) -> None:
    run("replay", write(tmp_path, PUSH), "--account", account).assert_refused("--account", "12 digits")


def test_a_full_disk_is_told_in_a_line(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(TimelineStore, "add", full)
    result = run("replay", write(tmp_path, STORY))
    assert (result.code, result.out) == (1, "")
    assert result.err == "mfawatch: the temporary database of the replay: database or disk is full\n"


def test_a_pipe_is_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(json.dumps({"Records": PUSH}),))
    writer.start()
    assert run("replay", path, "--format", "json").json["git"][0]["pushes"] == 1
    writer.join()


def test_the_last_day_of_all_has_no_end(run: Run, tmp_path: Path) -> None:
    run("replay", write(tmp_path, PUSH), "--until", "9999-12-31").assert_refused("--until")


# --- forms -----------------------------------------------------------------------------------------------------------

HOSTILE = '=1+1;\x1b[31m[bold]x[/bold]\u202e,"\ud800'


def hostile() -> Records:
    caller = Caller(ANNA.arn, "IAMUser", "AIDA", address=HOSTILE, agent=HOSTILE)
    records = (
        Script()
        .git(caller, "shop", references=[HOSTILE], agent=HOSTILE)
        .iam("DetachUserPolicy", caller, userName="anna", policyArn=HOSTILE)
        .iam("DetachUserPolicy", caller, HOSTILE, userName=HOSTILE, policyArn=HOSTILE)
        .records
    )
    for record in records[:2]:
        record["resources"][0]["ARN"] += HOSTILE
    return records


@pytest.mark.parametrize("style", ["table", "json", "csv"])
def test_what_records_say_does_no_harm(style: str, run: Run, tmp_path: Path) -> None:
    result = run("replay", write(tmp_path, hostile()), "--format", style)
    assert result.err == ""
    for line in result.out.splitlines():
        assert line.isprintable(), line
    if style == "table":
        assert "[bold]x[/bold]" in "".join(result.out.split())
    if style == "csv":
        cells = [cell for row in csv.reader(io.StringIO(result.out)) for cell in row]
        assert not [cell for cell in cells if cell.lstrip().startswith("=")]
        assert any("'=1+1" in cell for cell in cells)


def test_csv_has_a_row_for_each_activity_and_each_event(run: Run, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("replay", write(tmp_path, STORY), "--format", "csv").out)))
    assert [row["kind"] for row in rows] == ["git"] * 2 + ["event"] * 4
    assert (rows[0]["user"], rows[0]["pushes"], rows[0]["severity"]) == ("anna", "1", "high")
    assert (rows[2]["event"], rows[2]["user"], rows[2]["mfa"]) == ("iam:DetachUserPolicy", "anna", "true")


@pytest.mark.parametrize("style", ["table", "json", "csv"])
def test_a_file_gets_the_same(style: str, run: Run, tmp_path: Path) -> None:
    path, output = write(tmp_path, STORY), tmp_path / "out"
    printed = run("replay", path, "--format", style)
    written = run("replay", path, "--format", style, "-o", output)
    assert (written.code, written.out) == (printed.code, "")
    assert output.read_bytes().decode() == printed.out


def test_standard_input(run: Run) -> None:
    data = gzip.compress(json.dumps({"Records": PUSH}).encode())
    assert run("replay", "-", "--format", "json", stdin=data).json["git"][0]["pushes"] == 1


# --- anything --------------------------------------------------------------------------------------------------------

names = st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | names | st.sampled_from([ACCOUNT, "\ud800", POLICY])
anything: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)
fields = sorted(STORY[0])
events = st.sampled_from([*EFFECTS, ("codecommit.amazonaws.com", "GitPush"), ("s3.amazonaws.com", "GetObject")])


@given(events, st.sampled_from(STORY), st.dictionaries(st.sampled_from(fields), anything, max_size=4))
def test_no_record_raises_however_odd_it_is(event: tuple[str, str], record: Any, odd: dict[str, Any]) -> None:
    source, name = event
    with TimelineStore() as store:
        found = Replay(store, Choice())
        found.take([record | {"eventSource": source, "eventName": name} | odd])
        assert found.records == 1
        assert len(list(store.happenings())) == sum(one.times for one in store.by_day()) <= 1
        timeline = Timeline(
            files=1,
            records=found.records,
            ignored=found.ignored,
            first=found.first,
            last=found.last,
            git=[Counted(one, Severity.HIGH) for one in found.git()],
            git_with_mfa=found.git_with_mfa,
            events=store.happenings,
            by_day=store.by_day,
        )
        for render in STYLES.values():
            assert "".join(render(timeline, True)).encode()
