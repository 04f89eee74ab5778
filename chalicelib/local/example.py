"""The example account that comes with the package, in the form in which the AWS CLI exports an account."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.documents import parse_json
from chalicelib.iam.exports import Exports, read_exports
from chalicelib.local.caller import Caller, git_credential_of, session_of_role
from chalicelib.local.trail import Trail

ACCOUNT = "111122223333"
TAKEN = datetime(2026, 6, 1, 6, 0, tzinfo=UTC)
"""The moment whose state the files tell."""


OPERATOR: Caller = session_of_role(ACCOUNT, "operator", "astrid")
"""Who changes something in the example account."""
REGION = "eu-west-1"
"""Where the example company works."""
SETTINGS = f'''\
# What the example company asks for. Its repositories are in Ireland.
regions = ["{REGION}"]

# The team of the apps and of the optics shall carry one policy for Git, in the version that frees nothing but Git.
[[canonical]]
name = "RequireMfaGit"
version = "v2"
users = ["hugo", "mateo", "nadia"]

# Who is on call reads it there.
[[alerts]]
to = "slack"
channel = "#security"

# What is no longer as the canonical policy says is put right at once; of all else nothing is changed.
[[remediation.overrides]]
mode = "auto"
controls = ["canonical-policy-drift"]
'''
"""The settings with which the example account is audited where a deployment goes with it."""


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


MENDED = f"arn:aws:iam::{ACCOUNT}:policy/RequireMfaSessions"
ROBBED = "zoe"
CHANGE = f"RequireMfaSessions gets BoolIfExists in place of Bool, and {ROBBED} loses the only MFA device."
"""What `change_example` does, in words."""


def change_example(iam: Any) -> None:
    """Close one hole of the example account and open another, through an IAM client."""
    found = iam.get_policy(PolicyArn=MENDED)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=MENDED, VersionId=found)["PolicyVersion"]["Document"]
    for statement in document["Statement"]:
        statement["Condition"]["BoolIfExists"] = statement["Condition"].pop("Bool")
    iam.create_policy_version(PolicyArn=MENDED, PolicyDocument=json.dumps(document), SetAsDefault=True)
    for device in iam.list_mfa_devices(UserName=ROBBED)["MFADevices"]:
        iam.deactivate_mfa_device(UserName=ROBBED, SerialNumber=device["SerialNumber"])


DRIFTED = f"arn:aws:iam::{ACCOUNT}:policy/RequireMfaGit"
"""The canonical policy that has another default version than the settings want."""
BARED, BARED_OF, PUSHING, REPOSITORY = "carlos", f"arn:aws:iam::{ACCOUNT}:policy/RequireMfaKeyRotation", "mateo", "shop"
EVENTS = (
    f"Then an operator detaches RequireMfaKeyRotation from {BARED}, {PUSHING} pushes to {REPOSITORY} by SSH, and the "
    "operator mends it."
)
"""What `happen_in_example` does, in words."""


def happen_in_example(iam: Any, trail: Trail) -> Iterator[None]:
    """What CloudTrail tells of at once, one thing after the other; `iam` is a client that the trail watches."""
    iam.detach_user_policy(UserName=BARED, PolicyArn=BARED_OF)
    yield
    trail.git(git_credential_of(ACCOUNT, PUSHING), REPOSITORY)
    yield
    iam.attach_user_policy(UserName=BARED, PolicyArn=BARED_OF)
    yield
