"""The adapters of remediation: built here from the hub's, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from chalicelib.alerts.entry import Entry
from chalicelib.alerts.run_notice import destinations_of, run_notice_of
from chalicelib.aws.journal import DynamoJournal
from chalicelib.aws.stop_switch import ParameterStopSwitch
from chalicelib.aws.work_queue import SqsWorkQueue
from chalicelib.deployment import REMEDIATIONS_QUEUE_URL, STOP_PARAMETER, told
from chalicelib.execution.ports import Journal, StopSwitch
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

    def told(self, run: RemediationRun) -> Sequence[Entry]:
        """What is to be told of a run as it stands, to whom: all of it at once."""
        notice, now = run_notice_of(run), self.hub.clock()
        return [Entry(notice, destination, now) for destination in destinations_of(run, self.hub.settings.alerts)]
