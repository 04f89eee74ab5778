from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from chalice.deploy.packager import AppOnlyDeploymentPackager, DependencyBuilder
from chalice.utils import UI, OSUtils

ROOT = Path(__file__).parents[2]
POLICIES = sorted(path.name for path in (ROOT / "policies").glob("*.json"))
SHIPPED = {"app.py", "chalicelib/iam/decision.py", "chalicelib/iam/data/actions.jsonl.gz"} | {
    f"chalicelib/policies/{name}" for name in POLICIES
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Lambda bundle as Chalice packs it, without the packages of requirements.txt, unpacked."""
    project = tmp_path_factory.mktemp("project")
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, project / name)
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "chalicelib", project / "chalicelib", symlinks=True, ignore=skipped)
    shutil.copytree(ROOT / "policies", project / "policies")
    shutil.copytree(ROOT / ".chalice", project / ".chalice", ignore=shutil.ignore_patterns("deployments", "deployed"))
    osutils = OSUtils()
    packager = AppOnlyDeploymentPackager(osutils, DependencyBuilder(osutils), UI())
    archive = packager.create_deployment_package(str(project), f"python3.{sys.version_info.minor}")
    target = tmp_path_factory.mktemp("bundle")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(target)
    return target


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


def test_the_bundle_decides(bundle: Path) -> None:
    case = {
        "id": "one",
        "principal": "arn:aws:iam::111122223333:user/anna",
        "identityPolicies": [
            {
                "name": "p",
                "policy": {
                    "Version": "2012-10-17",
                    "Statement": {"Effect": "Allow", "Action": "kms:List*", "Resource": "*"},
                },
            }
        ],
        "action": "kms:ListKeys",
        "resource": "*",
        "context": {"kms:ViaService": "codecommit.us-east-1.amazonaws.com"},
    }
    code = f"import json, sys; sys.path.insert(0, {str(bundle)!r}); import app; print(app.__file__);" + (
        f"print(json.dumps(app.decide({{'cases': [{case!r}]}}, None)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=bundle)
    lines = done.stdout.splitlines()
    assert lines[0] == str(bundle / "app.py")
    outcome = json.loads(lines[-1])["outcomes"][0]
    assert outcome["decision"] == "Allowed"
    assert outcome["ignoredContextKeys"] == ["kms:ViaService"]


def test_the_lambda_functions_import_no_command_line(bundle: Path) -> None:
    """The packages of the command line are not in the bundle's requirements."""
    code = f"import sys; sys.path.insert(0, {str(bundle)!r}); import app; print(sorted(set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=bundle)
    for name in ("'click'", "'rich'", "'policy_sentry'"):
        assert name not in done.stdout
