"""The adapters of remediation: built here from the hub's, and nowhere else."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.routing import entries_of_run
from chalicelib.aws.journal import DynamoJournal
from chalicelib.aws.step_executor import IamStepExecutor
from chalicelib.aws.stop_switch import ParameterStopSwitch
from chalicelib.aws.work_queue import SqsWorkQueue
from chalicelib.cause import Cause
from chalicelib.deployment import REMEDIATION_ROLE, REMEDIATIONS_QUEUE_URL, STOP_PARAMETER, told
from chalicelib.execution.carry_out import Execution
from chalicelib.execution.ports import Journal, StopSwitch
from chalicelib.execution.whole_account import WholeAccount
from chalicelib.findings import Status
from chalicelib.hub import Hub
from chalicelib.ports import WorkQueue
from chalicelib.remediation.run import RemediationRun


@dataclass
class Workshop:
    """What puts right, or has it put right: each adapter is built when it is first asked for."""

    hub: Hub

    @cached_property
    def journal(self) -> Journal:
        """The runs."""
        return DynamoJournal(self.hub.warm.client("dynamodb"), self.hub.table, self.hub.clock)

    @cached_property
    def queue(self) -> WorkQueue:
        """The queue of what is to be put right."""
        return SqsWorkQueue(self.hub.warm.client("sqs"), told(self.hub.environment, REMEDIATIONS_QUEUE_URL))

    @cached_property
    def stopped(self) -> StopSwitch:
        """The stop switch."""
        return ParameterStopSwitch(self.hub.warm.client("ssm"), told(self.hub.environment, STOP_PARAMETER))

    def told(self, run: RemediationRun, undoes: Cause | None = None) -> Sequence[Entry]:
        """What is to be told of a run as it stands, to whom: all of it at once."""
        return entries_of_run(run, self.hub.settings, self.hub.clock(), undoes)

    def accepted(self, account: str) -> frozenset[str]:
        """The fingerprints of an account's findings that somebody has accepted."""
        return frozenset(one.fingerprint for one in self.hub.ledger.load(account) if one.status is Status.SUPPRESSED)

    def execution(self, account: str) -> Execution:
        """What carries plans out in an account, by a name that nobody else has.

        Raises:
            AccountClosed: it does not let anybody in who changes something.
        """
        holder = secrets.token_hex(8)
        hub = self.hub
        reader = partial(hub.reader, policies=hub.read_policies)
        accounts = hub.accounts(holder, REMEDIATION_ROLE, reader)
        credentials = accounts.credentials_of(account)
        session = credentials.for_client() if credentials else {}
        return Execution(
            account=account,
            journal=self.journal,
            executor=IamStepExecutor(hub.warm.client("iam", **session)),
            read=WholeAccount(account, reader(credentials), hub.clock),
            stopped=self.stopped,
            settings=hub.settings,
            clock=hub.clock,
            holder=holder,
            pause=time.sleep,
            told=self.told,
            accepted=partial(self.accepted, account),
        )
