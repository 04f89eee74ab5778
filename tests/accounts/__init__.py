"""Accounts for the tests: those kept as exported files, and (in `build`) those put together from traits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chalicelib.iam.documents import parse_json
from chalicelib.iam.exports import Exports

FOLDER = Path(__file__).parent
SEEDS = FOLDER / "seeds"
DEMO = Path(__file__).parents[2] / "chalicelib" / "local" / "demo"

ANSWERS = {
    "authorization_details": "authorization-details.json",
    "credential_report": "credential-report.csv",
    "virtual_mfa_devices": "virtual-mfa-devices.json",
    "mfa_devices": "mfa-devices.json",
    "service_credentials": "service-credentials.json",
    "ssh_public_keys": "ssh-public-keys.json",
    "service_control_policies": "service-control-policies.json",
    "repository_keys": "repository-keys.json",
}
"""The fields of `Exports`, and the file that holds each."""


def load_exports(folder: Path) -> Exports:
    """The answers that a folder holds."""
    found: dict[str, Any] = {}
    for field, name in ANSWERS.items():
        path = folder / name
        if path.exists():
            text = path.read_text(encoding="utf-8")
            found[field] = text if field == "credential_report" else parse_json(text)
    return Exports(**found)


def load_expected(path: Path) -> Any:
    """What an account promises, user by user."""
    return json.loads(path.read_text(encoding="utf-8"))
