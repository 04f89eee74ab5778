"""What the deployed functions are told by their environment. Pure: whoever calls passes the variables."""

from __future__ import annotations

import re
from collections.abc import Mapping

SETTINGS_PARAMETER = "MFAWATCH_SETTINGS_PARAMETER"
"""The name of the SSM parameter that holds the settings as TOML; without it there are none."""
EXTERNAL_ID_PARAMETER = "MFAWATCH_EXTERNAL_ID_PARAMETER"
"""The name of the SSM parameter, a SecureString, that holds the external id for the role in member accounts."""
MEMBER_ROLE = "MFAWATCH_MEMBER_ROLE"
"""The name of the role in member accounts."""
QUEUE_URL = "MFAWATCH_QUEUE_URL"
"""The URL of the queue of accounts to work."""
CHANGES_QUEUE_URL = "MFAWATCH_CHANGES_QUEUE_URL"
"""The URL of the queue of users to look at after events."""
REMEDIATIONS_QUEUE_URL = "MFAWATCH_REMEDIATIONS_QUEUE_URL"
"""The URL of the queue of what is to be put right."""
STOP_PARAMETER = "MFAWATCH_STOP_PARAMETER"
"""The name of the SSM parameter that stops all remediation, unless it says "run"."""
REMEDIATION_ROLE = "MFAWATCH_REMEDIATION_ROLE"
"""The name of the role in member accounts by which remediation writes."""
SLACK_SECRET = "MFAWATCH_SLACK_SECRET"  # noqa: S105 - says where it is
"""Where Slack's token or webhook is: `ssm:` and the name of a SecureString, or `secretsmanager:` and a secret's."""
SLACK_API = "MFAWATCH_SLACK_API"
"""The base URL of Slack's API, where it is another than https://slack.com/api/."""
API_AUTHORIZER = "MFAWATCH_API_AUTHORIZER"
"""Who is let into the API, while the application is packaged: `iam`, or `bearer`."""
API_TOKENS = "MFAWATCH_API_TOKENS"
"""Where the bearer tokens' secret is, told as Slack's is."""
TOPIC_ARN = "MFAWATCH_TOPIC_ARN"
"""The ARN of the topic that people subscribe to for alerts."""
FINDINGS_BUS = "MFAWATCH_FINDINGS_BUS"
"""The name of the event bus that hears of changes in the ledger."""
REPORTS_BUCKET = "MFAWATCH_REPORTS_BUCKET"
"""The name of the bucket that keeps the report pages; without it none is kept."""
LEDGER_TABLE = "MFAWATCH_LEDGER_TABLE"
"""The name of the ledger's table."""
IDEMPOTENCY_TABLE = "MFAWATCH_IDEMPOTENCY_TABLE"
"""The name of the table that remembers which work was done."""

_VALUE = re.compile(r"[!-~]{1,2048}")


class DeploymentError(RuntimeError):
    """The environment lacks what a function needs; the text names the variable."""


def told(environment: Mapping[str, str], variable: str) -> str:
    """The value of a variable.

    Raises:
        DeploymentError: there is none, or it holds what no name and no URL has.
    """
    value = environment.get(variable, "")
    if not _VALUE.fullmatch(value):
        raise DeploymentError(f"{variable}: {'is not set' if not value else 'holds spaces or other characters'}")
    return value
