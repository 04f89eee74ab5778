"""What mfawatch demo --serve keeps up: the embedded AWS, and the API of the deployment in it."""

from __future__ import annotations

from contextlib import redirect_stdout, suppress
from time import sleep
from typing import Any

import click

from chalicelib.deployment import LEDGER_TABLE, SETTINGS_PARAMETER
from chalicelib.local.api_server import ApiServer
from chalicelib.local.caller import session_of_role
from chalicelib.local.deployment import NAMES, LocalDeployment
from chalicelib.local.example import ACCOUNT, MENDED, REGION
from chalicelib.local.http_events import HttpAnswer
from chalicelib.local.signatures import Key

_SERVING = """
The embedded AWS stays up until Ctrl-C, as the last event left it: the example company after the change, and the
deployment with its settings and its ledger. In another terminal:
  export AWS_ENDPOINT_URL={url} AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION={region}
  export NO_PROXY=127.0.0.1
and then, for example:
  mfawatch audit --ledger company.db
  mfawatch surface --user hugo
  mfawatch git --user finn --repository shop
  mfawatch explain --user oskar --action s3:PutBucketPolicy --resource arn:aws:s3:::mfawatch-example
With the AWS CLI, the deployment's settings for audits from here, and how much it keeps:
  aws ssm get-parameter --name {settings} --query Parameter.Value --output text > mfawatch.toml
  aws dynamodb scan --table-name {ledger} --select COUNT
and the hole that was closed, opened again:
  aws iam set-default-policy-version --policy-arn {mended} --version-id v1
  mfawatch audit --ledger company.db
  mfawatch history --ledger company.db --user quentin

The report page that the last sweep kept, for a browser on this machine: {api}/

That is the deployment's API, which is up on this machine alone. It answers whoever signs, as API Gateway does; this key
is made for this demo, and is of no AWS:
  export API={api} SIGN=aws:amz:{region}:execute-api KEY={id}:{secret}
  curl $API/v1/health
  curl $API/v1/findings
  curl --aws-sigv4 $SIGN --user $KEY "$API/v1/findings?severity=critical"
  curl --aws-sigv4 $SIGN --user $KEY "$API/v1/users/hugo/surface?account={account}"
  curl --aws-sigv4 $SIGN --user $KEY $API/v1/decisions --json '{decision}'
  curl --aws-sigv4 $SIGN --user $KEY $API/v1/audits --json '{audit}'
The second is refused: nobody signed it.
"""
"""What can be done with all that: each line that is indented is a command."""
_DECISION = f'{{"account": "{ACCOUNT}", "user": "oskar", "action": "s3:PutBucketPolicy", "mfa": "absent"}}'
_AUDIT = f'{{"account": "{ACCOUNT}"}}'
_HOME = f"/v1/report?account={ACCOUNT}"
_PAUSE = 2.0
"""Seconds between two looks at the queues."""


def api_of(deployment: LocalDeployment, log: Any) -> ApiServer:
    """The API of the deployment; what a request hands to workers they do at once."""

    def request(*asked: Any) -> HttpAnswer:
        with redirect_stdout(log):
            return deployment.request(*asked)

    def work() -> None:
        with redirect_stdout(log):
            deployment.look()
            deployment.remediate()

    return ApiServer(request, Key(session_of_role(ACCOUNT, "auditor", "olga").arn), REGION, _HOME, work)


def keep_up(url: str, server: ApiServer) -> None:
    """Tell what there is, and keep it up until somebody interrupts.

    What a command line hands over to the deployment, as `mfawatch approve` does, stands in a queue that no request of
    the API leads to.
    """
    told = {
        "url": url,
        "region": REGION,
        "settings": NAMES[SETTINGS_PARAMETER],
        "ledger": NAMES[LEDGER_TABLE],
        "mended": MENDED,
        "account": ACCOUNT,
        "api": server.url,
        "id": server.key.id,
        "secret": server.key.secret,
        "decision": _DECISION,
        "audit": _AUDIT,
    }
    click.echo(_SERVING.format(**told))
    with suppress(KeyboardInterrupt):
        while True:
            sleep(_PAUSE)
            server.work()
