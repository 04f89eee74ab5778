"""A deployment that is asked over HTTP about an account with people in it, who were audited once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.accounts.build import GUARD
from tests.api.world import Served, serving
from tests.functions.conftest import OWN, populate

APPROVER = f"arn:aws:sts::{OWN}:assumed-role/approver/olga"
SETTINGS = f"""
[remediation]
mode = "approve"
approvers = ["arn:aws:iam::{OWN}:role/approver"]
[[canonical]]
name = "RequireMfa"
"""


@contextmanager
def people() -> Iterator[tuple[Served, str]]:
    """The people, a policy that asks for MFA and that nobody carries, and the path of the run that audited them."""
    with serving() as served:
        populate(served.world, OWN)
        served.world.iam(OWN).create_policy(PolicyName="RequireMfa", PolicyDocument=json.dumps(GUARD))
        served.settings(SETTINGS)
        started = served.ask("POST", "/v1/audits", {"account": OWN})
        served.world.deployment.work()
        yield served, started.headers["location"]
