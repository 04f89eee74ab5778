"""The auditor to compare with: installed when it is asked for, run as a process of its own, none of it kept here."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.child import Finished, run

PACKAGE = "c7n"
VERSION = "0.9.53"
FOLDER = Path(__file__).parents[1] / "build" / "custodian"
PATIENCE = 600
"""Seconds that an installation may take."""

POLICIES = {
    "mfa-device": {"type": "mfa-device", "key": "MFADevices", "value": "empty"},
    "credential": {"type": "credential", "key": "mfa_active", "value": False},
}
"""Its two ways to find users without an MFA device: ListMFADevices for each user, and the credential report."""


class MissingError(Exception):
    """Cloud Custodian cannot be had here; the message says why."""


def install() -> str:
    """Install Cloud Custodian unless it is there, and name it with its version.

    Raises:
        MissingError: the package cannot be fetched.
    """
    python = FOLDER / "bin" / "python"
    if _version(python) != VERSION:
        steps = [
            [sys.executable, "-m", "venv", "--clear", str(FOLDER)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{PACKAGE}=={VERSION}"],
        ]
        try:
            for step in steps:
                subprocess.run(step, check=True, capture_output=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise MissingError(f"pip did not install {PACKAGE}=={VERSION} within {PATIENCE} s") from None
        except subprocess.CalledProcessError as error:
            told = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
            raise MissingError(f"pip cannot install {PACKAGE}=={VERSION}: {told[-1][:200]}") from None
    return f"Cloud Custodian ({PACKAGE} {VERSION})"


def _version(python: Path) -> str | None:
    if not python.exists():
        return None
    program = f"from importlib.metadata import version; print(version({PACKAGE!r}))"
    done = subprocess.run([str(python), "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def find_users(way: str, environment: Mapping[str, str]) -> tuple[Finished, float, set[str]]:
    """Run the policy that asks in this way: the process, the seconds of the policy alone, and the users whom it names.

    Its cache and its metrics are off.

    Raises:
        FailedError: Cloud Custodian failed.
    """
    policy = {"name": "users-without-mfa", "resource": "aws.iam-user", "filters": [POLICIES[way]]}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        file = folder / "policy.json"
        file.write_text(json.dumps({"policies": [policy]}), encoding="utf-8")
        options = ["--region", "us-east-1", "--cache-period", "0", "--output-dir", str(folder / "found")]
        done = run([str(FOLDER / "bin" / "custodian"), "run", *options, str(file)], environment)
        written = folder / "found" / "users-without-mfa"
        found = json.loads((written / "resources.json").read_text(encoding="utf-8"))
        told = json.loads((written / "metadata.json").read_text(encoding="utf-8"))
    return done, float(told["execution"]["duration"]), {user["UserName"] for user in found}
