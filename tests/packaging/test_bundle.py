"""What `chalice package` makes, unpacked: the functions run from it with nothing beside them but boto3."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

import app
from chalicelib.local.check_bundle import MOST_BYTES, complaints, pins
from chalicelib.local.deployment import FUNCTIONS, LocalDeployment, deploy, environment
from chalicelib.local.emulator import ACCOUNT, emulator
from chalicelib.local.http_events import answered
from chalicelib.local.lambda_runtime import queue_event, schedule_event
from tests.accounts.build import ADMIN

ROOT = Path(__file__).parents[2]
POLICIES = sorted(path.name for path in (ROOT / "policies").glob("*.json"))
SHIPPED = {"app.py", "chalicelib/iam/decision.py", "chalicelib/iam/data/actions.jsonl.gz"} | {
    f"chalicelib/policies/{name}" for name in POLICIES
}
RUNTIME = ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six")
"""What Lambda's runtime has: boto3, and what it stands on. (jmespath, too, comes with the bundle.)"""
COMPILED = "pydantic_core"
"""What runs on Lambda's processor alone, as it is packed, and has nothing to take its place here."""
AARCH64 = 183
"""The machine that an ELF file names which is for Lambda's (ELF for the Arm 64-bit Architecture)."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle as `make package` makes it, in a copy of the project."""
    project, out = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("package")
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, project / name)
    skipped = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in ("chalicelib", "policies", ".chalice"):
        shutil.copytree(ROOT / name, project / name, symlinks=True, ignore=skipped)
    command = ["package", "--stage", "prod", "--merge-template", ".chalice/resources.json", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", "from chalice.cli import main; main()", *command],
        cwd=project,
        env=os.environ | {"PIP_NO_DEPS": "1", "AWS_DEFAULT_REGION": "us-east-1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out / "deployment.zip"


@pytest.fixture(scope="module")
def bundle(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, unpacked."""
    target = tmp_path_factory.mktemp("bundle")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(target)
    return target


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what Lambda's runtime has, and nothing else."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in (*RUNTIME, COMPILED):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
    return folder


def test_the_bundle_is_small_and_holds_what_is_pinned(archive: Path) -> None:
    assert list(complaints(archive, pins((ROOT / "requirements.txt").read_text()))) == []
    assert archive.stat().st_size < MOST_BYTES


def test_the_bundle_holds_the_code_and_the_catalogue(bundle: Path) -> None:
    files = {str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file()}
    assert files >= SHIPPED


def test_the_bundle_holds_the_canonical_policies_as_files(bundle: Path) -> None:
    """In the checkout they are links, one for each file of policies/."""
    links = sorted((ROOT / "chalicelib" / "policies").glob("*.json"))
    assert [link.name for link in links] == POLICIES
    for link in links:
        assert link.is_symlink()
        packed = bundle / "chalicelib" / "policies" / link.name
        assert not packed.is_symlink()
        assert packed.read_text() == (ROOT / "policies" / link.name).read_text()


def test_what_is_compiled_is_for_lambdas_processor(bundle: Path) -> None:
    files = list((bundle / COMPILED).glob("*.so"))
    assert [int.from_bytes(file.read_bytes()[18:20], "little") for file in files] == [AARCH64]


# --- in an interpreter of its own ------------------------------------------------------------------------------------

DRIVER = '''
import importlib.machinery, json, sys
given = json.load(sys.stdin)
sys.path[:0] = given["path"]

class Here:
    """Finds what is compiled for this machine, in place of what is for Lambda's."""
    def find_spec(name, path=None, target=None):
        if name == given["compiled"]:
            return importlib.machinery.PathFinder.find_spec(name, given["path"][1:])

sys.meta_path.insert(0, Here)
import app

class Context:
    function_name, memory_limit_in_mb, aws_request_id = given["name"], 1769, "request-1"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:mfawatch"
    def get_remaining_time_in_millis(self):
        return 900_000

assert app.__file__.startswith(given["path"][0]), app.__file__
answer = getattr(app, given["name"])(given["event"], Context())
print(json.dumps({"answer": answer, "modules": sorted(sys.modules)}))
'''


@pytest.fixture
def call(bundle: Path, runtime: Path) -> Any:
    """Calls a handler in a fresh interpreter that sees the bundle and the runtime alone."""

    def call_handler(name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        given = {"path": [str(bundle), str(runtime)], "name": name, "event": event, "compiled": COMPILED}
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", DRIVER],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            cwd=bundle,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    return call_handler


@pytest.fixture
def deployment() -> Iterator[LocalDeployment]:
    """What the functions need on an emulated AWS, with one user who may do everything; the handlers are elsewhere."""
    with emulator() as url, environment(url):
        iam = boto3.client("iam")
        iam.create_user(UserName="alice")
        iam.create_access_key(UserName="alice")
        iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=json.dumps(ADMIN))
        yield deploy(SimpleNamespace(app=None, **dict.fromkeys(FUNCTIONS, print)))


def test_decide_runs_from_the_bundle(call: Any) -> None:
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:List*", "Resource": "*"}}
    case = {
        "id": "one",
        "principal": "arn:aws:iam::111122223333:user/anna",
        "identityPolicies": [{"name": "p", "policy": policy}],
        "action": "kms:ListKeys",
        "resource": "*",
        "context": {"kms:ViaService": "codecommit.us-east-1.amazonaws.com"},
    }
    [outcome] = call("decide", {"cases": [case]})["answer"]["outcomes"]
    assert outcome["decision"] == "Allowed"
    assert outcome["ignoredContextKeys"] == ["kms:ViaService"]


def test_a_sweep_and_the_api_run_from_the_bundle(call: Any, deployment: LocalDeployment) -> None:
    started = call("sweep", schedule_event("one", datetime.now(UTC)))
    assert started["answer"] == {"run": "one", "accounts": 1}
    messages = deployment.sqs.receive_message(QueueUrl=deployment.accounts_url)["Messages"]
    worked = call("audit_account", queue_event(messages))
    assert worked["answer"] == {"batchItemFailures": []}
    assert {(one.user, one.control) for one in deployment.ledger.load(ACCOUNT)} == {
        ("alice", "mfa-not-enforced"),
        ("alice", "user-without-mfa"),
    }
    [report] = deployment.ledger.reports(ACCOUNT, 10)
    assert (report.run, report.users, report.gap_count) == ("one", 1, 0)
    stored = deployment.ledger.load(ACCOUNT)[0]
    body = json.dumps({"account": ACCOUNT, "until": datetime.now(UTC).date().isoformat(), "reason": "a trial"})
    asked: list[Mapping[str, Any]] = []

    def handle(event: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(call("app", event))
        answer: Mapping[str, Any] = asked[-1]["answer"]
        return answer

    path = f"/v1/findings/{stored.fingerprint}/suppressions"
    headers = {"Content-Type": "application/json"}
    accepted = answered(app.app, handle, "POST", path, headers, body, f"arn:aws:iam::{ACCOUNT}:user/olga")
    assert (accepted.status, accepted.json["status"]) == (201, "suppressed")
    # The packages of the command line, and of the emulator, are not in the bundle's requirements.
    assert "pydantic" in asked[-1]["modules"]
    assert not {"pydantic", "pydantic_core"} & {*worked["modules"], *started["modules"]}
    for modules in (worked["modules"], asked[-1]["modules"]):
        assert not {"click", "rich", "moto", "policy_sentry"} & set(modules)
