"""The example account that comes with the package, in the form in which the AWS CLI exports an account."""

from __future__ import annotations

import importlib.resources
from datetime import UTC, datetime

from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.documents import parse_json
from chalicelib.iam.exports import Exports, read_exports

TAKEN = datetime(2026, 6, 1, 6, 0, tzinfo=UTC)
"""The moment whose state the files tell."""


def example_exports() -> Exports:
    """The answers of the example account."""
    folder = importlib.resources.files("chalicelib.local") / "demo"

    def text(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    return Exports(
        authorization_details=parse_json(text("authorization-details.json")),
        credential_report=text("credential-report.csv"),
        virtual_mfa_devices=parse_json(text("virtual-mfa-devices.json")),
        mfa_devices=parse_json(text("mfa-devices.json")),
        service_credentials=parse_json(text("service-credentials.json")),
        ssh_public_keys=parse_json(text("ssh-public-keys.json")),
    )


def read_example() -> AccountSnapshot:
    """The example account."""
    return read_exports(example_exports(), TAKEN)
