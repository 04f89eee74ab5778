"""Every route, in one account with people: what it answers and refuses, and that the document says the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest

from chalicelib.api import edge
from chalicelib.api.routes import ROUTES, route_of
from chalicelib.execution.tasks import TaskKind
from chalicelib.local.http_events import HttpAnswer
from chalicelib.version import VERSION
from tests.api.people import APPROVER, SETTINGS, people
from tests.api.schema import misfits, told
from tests.api.world import Served, now
from tests.functions.conftest import OWN
from tests.functions.watching import refusal

PROBLEM = "application/problem+json"
LOOSE: Any = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Deny",
        "NotAction": "iam:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
    },
}
ALL: Any = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


@pytest.fixture(scope="module")
def audited() -> Iterator[tuple[Served, str]]:
    with people() as found:
        yield found


@pytest.fixture
def run(audited: tuple[Served, str]) -> str:
    """The path of the run that audited everybody."""
    return audited[1]


@pytest.fixture
def asked(audited: tuple[Served, str]) -> Iterator[Served]:
    """The deployment as it is after that, with nothing handed over."""
    served, _ = audited
    served.tasks()
    yield served
    served.world.watching.faults.clear()
    served.settings(SETTINGS)
    served.switch("run")


def finding(served: Served, user: str = "open", control: str = "mfa-not-enforced") -> str:
    """The fingerprint of what is found of somebody."""
    return served.world.findings(OWN)[user, control].fingerprint


def right(served: Served, method: str, path: str, body: Any = None, **query: str) -> HttpAnswer:
    """An answer that the document tells of."""
    answer = served.ask(method, path, body, **query)
    template = next(one.path for one in ROUTES if one.method == method and matches(one.path, path))
    assert misfits(method, template, answer) == []
    assert answer.headers["cache-control"] == "no-store"
    return answer


def matches(template: str, path: str) -> bool:
    parts, given = template.split("/"), path.split("/")
    return len(parts) == len(given) and all(a == b or a.startswith("{") for a, b in zip(parts, given, strict=True))


# --- what is answered ------------------------------------------------------------------------------------------------


def test_that_it_is_there_is_told_to_anybody(asked: Served) -> None:
    answer = asked.ask("GET", "/v1/health", caller="")
    assert (answer.status, answer.json) == (200, {"status": "alive", "version": VERSION})


def test_the_document_is_told(asked: Served) -> None:
    assert asked.ask("GET", "/v1/openapi.json").json == told()


def test_a_few_users_are_audited_at_once_and_the_ledger_holds_it(asked: Served) -> None:
    answer = right(asked, "POST", "/v1/audits", {"account": OWN, "users": ["open", "Fine", "nobody"]})
    assert (answer.status, answer.json["status"], answer.json["unknown_users"]) == (200, "done", ["nobody"])
    found = {(one["user"], one["control"]) for one in answer.json["audit"]["findings"]}
    assert ("open", "mfa-not-enforced") in found
    assert {user for user, _ in found} == {"open", "fine"}
    assert {one["fingerprint"] for one in answer.json["audit"]["findings"]} <= {
        one.fingerprint for one in asked.world.deployment.ledger.load(OWN)
    }


def test_what_is_accepted_is_told_as_accepted(asked: Served) -> None:
    fingerprint = finding(asked, "fine", "mfa-self-takeover")
    body = {"account": OWN, "until": now().date().isoformat(), "reason": "they are told"}
    assert right(asked, "POST", f"/v1/findings/{fingerprint}/suppressions", body).status == 201
    audit = right(asked, "POST", "/v1/audits", {"account": OWN, "users": ["fine"]}).json["audit"]
    assert {one["fingerprint"]: one["status"] for one in audit["findings"]}[fingerprint] == "suppressed"
    assert right(asked, "DELETE", f"/v1/findings/{fingerprint}/suppressions", account=OWN).status == 200


def test_an_account_is_handed_to_the_workers(asked: Served, run: str) -> None:
    done = right(asked, "GET", run)
    assert (done.json["status"], done.json["report"]["users"]) == ("done", 4)
    many = [f"user-{number}" for number in range(21)]
    answer = right(asked, "POST", "/v1/audits", {"account": OWN, "users": many})
    assert (answer.status, answer.json["status"]) == (202, "pending")
    assert right(asked, "GET", answer.headers["location"]).json == answer.json
    asked.world.deployment.work()
    assert right(asked, "GET", answer.headers["location"]).json["report"]["run"] == answer.json["id"]


@pytest.mark.parametrize("base", ["/api", "/of/a/domain", ""])
def test_where_to_ask_for_a_run_is_told_from_the_root(asked: Served, base: str) -> None:
    """API Gateway knows the stage by which somebody came, and a client goes by what it is told."""
    event: dict[str, Any] = {
        "resource": "/v1/audits",
        "path": "/v1/audits",
        "httpMethod": "POST",
        "headers": {},
        "multiValueHeaders": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": json.dumps({"account": OWN}),
        "isBase64Encoded": False,
        "requestContext": {
            "httpMethod": "POST",
            "resourcePath": "/v1/audits",
            "path": f"{base}/v1/audits",
            "identity": {"userArn": APPROVER},
        },
    }
    answer = asked.world.deployment.call("api_handler", event)
    assert answer["statusCode"] == 202
    assert answer["headers"]["Location"].startswith(f"{base}/v1/audits/api-")
    asked.world.deployment.work()


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("api-20260101T000000Z-{account}-00000000", 404),
        ("api-29990101T000000Z-{account}-00000000", 404),
        ("api-20269999T000000Z-{account}-00000000", 404),
        ("some-sweep", 422),
        ("a%2Fb", 404),
    ],
)
def test_a_run_that_nobody_knows(asked: Served, name: str, status: int) -> None:
    assert right(asked, "GET", f"/v1/audits/{name.format(account=OWN)}").status == status


def test_a_run_that_was_answered_at_once_waits_for_nothing(asked: Served) -> None:
    done = right(asked, "POST", "/v1/audits", {"account": OWN, "users": ["fine"]}).json
    assert done["status"] == "done"
    assert right(asked, "GET", f"/v1/audits/{done['id']}").status == 404


def test_findings_come_page_by_page(asked: Served) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = right(asked, "GET", "/v1/findings", limit="2", **cursor).json
        seen += [one["fingerprint"] for one in page["findings"]]
        assert len(page["findings"]) <= 2
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(seen) == sorted(one.fingerprint for one in asked.world.deployment.ledger.load(OWN))


@pytest.mark.parametrize(
    ("name", "value"),
    [("user", "open"), ("control", "mfa-not-enforced"), ("severity", "high"), ("status", "open"), ("account", OWN)],
)
def test_findings_are_chosen(asked: Served, name: str, value: str) -> None:
    found = right(asked, "GET", "/v1/findings", limit="200", **{name: value}).json["findings"]
    assert found
    assert {one[name] for one in found} == {value}


def test_a_page_is_never_larger_than_lambda_hands_back(asked: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.api.views.findings.MOST_BYTES", 3_000)
    page = right(asked, "GET", "/v1/findings", limit="200").json
    assert 1 <= len(page["findings"]) <= 3
    assert page["next"]


def test_a_finding_has_a_history(asked: Served) -> None:
    answer = right(asked, "GET", f"/v1/findings/{finding(asked)}", account=OWN)
    assert answer.json["history"][0]["kind"] == "opened"
    assert answer.json["user"] == "open"


def test_what_a_user_can_do_without_mfa(asked: Served) -> None:
    answer = right(asked, "GET", "/v1/users/git/surface", account=OWN)
    assert {action for one in answer.json["entries"] for action in one["actions"]} >= {"codecommit:GitPull"}
    assert right(asked, "GET", "/v1/users/nobody/surface", account=OWN).status == 404
    assert right(asked, "GET", f"/v1/users/{quote('<script>', safe='')}/surface", account=OWN).status == 404


def test_a_witness_is_decided_again(asked: Served) -> None:
    witness = right(asked, "GET", f"/v1/findings/{finding(asked)}", account=OWN).json["witness"]
    body = {"account": OWN, "user": "open"} | {key: witness[key] for key in ("action", "resource", "mfa", "context")}
    decided = right(asked, "POST", "/v1/decisions", body)
    assert (decided.status, decided.json["decision"]) == (200, "Allowed")
    assert decided.json["matched"]


def test_a_request_is_decided_by_the_policies_that_are_given(asked: Served) -> None:
    calls = len(asked.world.watching.calls)
    body = {
        "principal": "arn:aws:iam::111122223333:user/anna",
        "policies": {"identity": [ALL, json.dumps(LOOSE)]},
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::bucket/key",
        "mfa": "false",
    }
    denied = right(asked, "POST", "/v1/decisions", body)
    assert (denied.json["decision"], denied.json["matched"][0]["policy"]) == ("ExplicitlyDenied", "identity[1]")
    assert right(asked, "POST", "/v1/decisions", body | {"mfa": "absent"}).json["decision"] == "Allowed"
    reads = {one.operation for one in asked.world.watching.calls[calls:]}
    assert reads <= {"ssm:GetParameter"}


def test_policies_are_judged_and_made_tight(asked: Served) -> None:
    documents = [{"name": "loose", "policy": LOOSE}, {"name": "none", "policy": "{}"}]
    loose, none = right(asked, "POST", "/v1/lint", {"documents": documents}).json["documents"]
    assert (loose["name"], loose["asks_for_mfa"]) == ("loose", True)
    assert "mfa-not-enforced" in {one["control"] for one in loose["findings"]}
    assert {one["control"] for one in none["findings"]} == {"policy-not-evaluable"}
    tight = right(asked, "POST", "/v1/harden", {"policy": LOOSE, "git": False})
    assert (tight.status, tight.json["tight"]) == (200, True)
    again = right(asked, "POST", "/v1/harden", {"policy": tight.json["policy"], "git": False})
    assert again.json["changes"] == []


@pytest.mark.parametrize("path", ["/v1/lint", "/v1/harden"])
def test_what_takes_too_long_is_refused_in_time(asked: Served, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "PATIENCE", 0.0)
    body = {"policy": LOOSE} if path == "/v1/harden" else {"documents": [{"name": "a", "policy": LOOSE}]}
    answer = right(asked, "POST", path, body)
    assert (answer.status, answer.json["why"]) == (422, "too-long")
    monkeypatch.undo()
    assert right(asked, "POST", path, body).status == 200


def test_an_audit_that_takes_too_long_leaves_the_ledger(asked: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    before = asked.table()
    monkeypatch.setattr(edge, "PATIENCE", 0.0)
    answer = right(asked, "POST", "/v1/audits", {"account": OWN, "users": ["open"]})
    assert (answer.status, answer.json["why"], asked.table()) == (422, "too-long", before)


def test_an_account_without_a_page(asked: Served) -> None:
    assert right(asked, "GET", "/v1/report", account=OWN).status == 404


# --- remediation -----------------------------------------------------------------------------------------------------


def remediation(served: Served, caller: str = APPROVER, **more: Any) -> HttpAnswer:
    path = f"/v1/findings/{finding(served)}/remediation"
    answer = served.ask("POST", path, {"account": OWN, **more}, caller)
    assert misfits("POST", "/v1/findings/{fingerprint}/remediation", answer) == []
    return answer


def test_a_plan_is_shown_and_nothing_is_done(asked: Served) -> None:
    before = asked.table()
    plan = remediation(asked).json
    assert (plan["mode"], plan["users"]) == ("approve", ["open"])
    [step] = plan["steps"]
    assert step["title"].startswith("attach ")
    assert any(line.startswith("+") for line in step["diff"])
    assert (asked.tasks(), asked.table()) == ([], before)


def test_an_approver_has_the_plan_carried_out_that_they_were_shown(asked: Served) -> None:
    """The function that carries it out makes the run; the API approves it, and changes nothing itself."""
    plan = remediation(asked).json["id"]
    put_up = remediation(asked, apply=True, plan=plan)
    assert (put_up.status, put_up.json["status"], put_up.json["run"]) == (202, "put-up", None)
    asked.world.deployment.remediate()
    [waiting] = asked.world.deployment.journal.runs(OWN, now().replace(hour=0))
    approved = remediation(asked, apply=True, plan=plan)
    assert (approved.status, approved.json["status"], approved.json["run"]) == (202, "handed-over", waiting.id)
    [task] = asked.tasks()
    assert (task.kind, task.run, task.by) == (TaskKind.CARRY_OUT, waiting.id, APPROVER)
    stored = asked.world.deployment.journal.load(OWN, waiting.id)
    assert stored is not None
    assert [(str(one.verb), one.by) for one in stored.decisions] == [("approve", APPROVER)]
    writes = {one.operation for one in asked.world.watching.calls if one.operation.startswith("iam:")}
    assert all(name.startswith(("iam:Get", "iam:List", "iam:Generate")) for name in writes)


REFUSED: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    "by nobody who may": ("", "run", {"caller": APPROVER.replace("approver", "other")}, 403, "not-an-approver"),
    "another plan": ("", "run", {"plan": "0" * 16}, 409, "another-plan"),
    "stopped": ("", "stop", {}, 423, "stopped"),
    "off": ('[remediation]\nmode = "off"', "run", {}, 409, "switched-off"),
    "proposed": ('[remediation]\nmode = "propose"', "run", {}, 409, "switched-off"),
}


@pytest.mark.parametrize(("settings", "switch", "more", "status", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_carried_out(
    asked: Served, settings: str, switch: str, more: dict[str, Any], status: int, why: str
) -> None:
    plan = remediation(asked).json["id"]
    if settings:
        asked.settings(f'{settings}\n[[canonical]]\nname = "RequireMfa"')
    asked.switch(switch)
    before = asked.table()
    answer = remediation(asked, **{"apply": True, "plan": plan, **more})
    assert (answer.status, answer.json["why"]) == (status, why)
    assert (asked.tasks(), asked.table()) == ([], before)


def test_by_mode_auto_the_remediator_looks_at_the_finding(asked: Served) -> None:
    asked.settings('[remediation]\nmode = "auto"\n[[canonical]]\nname = "RequireMfa"')
    plan = remediation(asked).json["id"]
    answer = remediation(asked, apply=True, plan=plan, caller="arn:aws:iam::123456789012:user/olga")
    assert (answer.status, answer.json["status"]) == (202, "handed-over")
    [task] = asked.tasks()
    assert (task.kind, task.fingerprints) == (TaskKind.LOOK, (finding(asked),))


# --- what is refused -------------------------------------------------------------------------------------------------

DEEP: Any = {"a": 1}
for _ in range(60):
    DEEP = {"a": DEEP}
WRONG: dict[str, tuple[str, str, Any, int, str]] = {
    "no account": ("POST", "/v1/audits", {}, 422, "#/account"),
    "users that are none": ("POST", "/v1/audits", {"account": OWN, "users": ["<b>", "a\n"]}, 422, "#/users/0"),
    "no users": ("POST", "/v1/audits", {"account": OWN, "users": []}, 422, "#/users"),
    "too many users": ("POST", "/v1/audits", {"account": OWN, "users": ["a"] * 1001}, 422, "#/users"),
    "a text": ("POST", "/v1/audits", {"account": OWN, "users": "open"}, 422, "#/users"),
    "an account that is none of ours": ("POST", "/v1/audits", {"account": "999999999999"}, 403, ""),
    "deep": ("POST", "/v1/lint", {"documents": [{"name": "a", "policy": DEEP}]}, 400, ""),
    "twice": ("POST", "/v1/lint", '{"documents": [{"name": "a", "policy": {"Version": 1, "Version": 2}}]}', 400, ""),
    "no number": ("POST", "/v1/lint", '{"documents": NaN}', 400, ""),
    "huge": ("POST", "/v1/lint", json.dumps({"documents": "x" * 600_000}), 413, ""),
    "a large document": (
        "POST",
        "/v1/lint",
        {"documents": [{"name": "a", "policy": {"Version": "x" * 11_000}}]},
        422,
        "#/documents/0/policy",
    ),
    "no policy": ("POST", "/v1/harden", {"policy": {"Statement": "no"}}, 422, "#/policy"),
    "no JSON": ("POST", "/v1/harden", {"policy": "no"}, 422, "#/policy"),
    "repositories without Git": (
        "POST",
        "/v1/harden",
        {"policy": LOOSE, "git": False, "repositories": ["arn:aws:codecommit:eu-west-1:111122223333:app"]},
        422,
        "#/repositories",
    ),
    "who asks": ("POST", "/v1/decisions", {"action": "s3:GetObject"}, 422, "#"),
    "no action": ("POST", "/v1/decisions", {"account": OWN, "user": "open", "action": "nothing"}, 422, "#/action"),
    "MFA twice": (
        "POST",
        "/v1/decisions",
        {"account": OWN, "user": "open", "action": "s3:Get", "mfa": "true", "context": {"aws:MultiFactorAuthAge": "1"}},
        422,
        "#",
    ),
    "a key twice": (
        "POST",
        "/v1/decisions",
        {
            "account": OWN,
            "user": "open",
            "action": "s3:Get",
            "context": {"aws:MultiFactorAuthPresent": "false", "aws:multifactorauthpresent": "true"},
        },
        422,
        "#",
    ),
    "a value that is no text": (
        "POST",
        "/v1/decisions",
        {"account": OWN, "user": "open", "action": "s3:Get", "context": {"aws:SourceIp": ["10.0.0.1", 2]}},
        422,
        "#/context/aws:SourceIp",
    ),
    "a policy that is a number": ("POST", "/v1/harden", {"policy": 5}, 422, "#/policy"),
    "a policy that is none": (
        "POST",
        "/v1/decisions",
        {
            "principal": "arn:aws:iam::111122223333:user/anna",
            "policies": {"identity": [], "scps": [[ALL], [{"Statement": 1}]]},
            "action": "s3:GetObject",
        },
        422,
        "#/policies/scps/1/0",
    ),
    "no such user": ("POST", "/v1/decisions", {"account": OWN, "user": "nobody", "action": "s3:GetObject"}, 404, ""),
    "too many findings": ("GET", "/v1/findings?limit=201", None, 422, "limit"),
    "no findings": ("GET", "/v1/findings?limit=0", None, 422, "limit"),
    "a status": ("GET", "/v1/findings?status=gone", None, 422, "status"),
    "a cursor": ("GET", "/v1/findings?cursor=AAAA", None, 422, "cursor"),
    "an unknown filter": ("GET", "/v1/findings?%3Cscript%3E=1", None, 422, "<script>"),
    "a filter twice": ("GET", "/v1/findings?user=a&user=b", None, 422, "user"),
    "no such finding": ("GET", f"/v1/findings/{'0' * 32}?account={OWN}", None, 404, ""),
    "no fingerprint": ("GET", f"/v1/findings/nothing?account={OWN}", None, 404, ""),
    "of no account": ("GET", f"/v1/findings/{'0' * 32}", None, 422, "account"),
    "apply without a plan": (
        "POST",
        f"/v1/findings/{'0' * 32}/remediation",
        {"account": OWN, "apply": True},
        422,
        "#/plan",
    ),
}


@pytest.mark.parametrize(("method", "path", "body", "status", "place"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_by_its_place(
    asked: Served, method: str, path: str, body: Any, status: int, place: str
) -> None:
    before = asked.seen()
    answer = asked.ask(method, path, body)
    template = next(one.path for one in ROUTES if one.method == method and matches(one.path, path.partition("?")[0]))
    assert misfits(method, template, answer) == []
    assert (answer.status, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json["instance"].startswith("urn:uuid:")
    places = [one.get("pointer", one.get("parameter")) for one in answer.json.get("errors", [])]
    assert (places[:1] or [""]) == [place]
    assert not any(ord(letter) < 32 for letter in unquote(answer.text))
    assert asked.seen() == before


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_without_credentials_nobody_is_let_in(asked: Served, route: Any) -> None:
    path = route.path.format(fingerprint="0" * 32, name="open", run="one") if "{" in route.path else route.path
    answer = asked.ask(route.method, path, {} if route.has_body else None, caller="")
    assert answer.status == (200 if route.is_open else 403)
    assert route_of(route.method, route.path) is route


def test_what_goes_wrong_at_aws_is_told_without_what_aws_said(asked: Served) -> None:
    asked.world.watching.faults["iam:GetAccountAuthorizationDetails"] = refusal("AccessDenied")
    closed = asked.ask("GET", "/v1/users/open/surface", account=OWN)
    assert (closed.status, closed.json["why"]) == (502, "not-read")
    asked.world.watching.faults["dynamodb:Query"] = refusal("AccessDenied")
    broken = asked.ask("GET", "/v1/findings")
    assert (broken.status, broken.headers["content-type"]) == (500, PROBLEM)
    assert "AccessDenied" not in broken.text
