"""What the commands do with the runs of a deployment: look, approve, decline, and have one undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from chalicelib import bootstrap
from chalicelib.aws.finding_table import create_table
from chalicelib.aws.journal import DynamoJournal
from chalicelib.aws.outbox import DynamoOutbox
from chalicelib.bootstrap import Clients
from chalicelib.cli import deployed
from chalicelib.cli.clock import now
from chalicelib.cli.deployed import QUEUE, SETTINGS_PARAMETER, STOP_PARAMETER, TABLE
from chalicelib.execution.tasks import Task, TaskKind, parse_task
from chalicelib.local.emulator import emulator
from chalicelib.remediation.run import RemediationRun, RunState, StepState, Verb
from tests.accounts.build import ACCOUNT
from tests.cli.conftest import Result, Run
from tests.cli.live_account import CALLER, KEYS, assert_told
from tests.execution.runs import a_run

MEMBER = "444455556666"
NOW = datetime.now(UTC).replace(microsecond=0)
SETTINGS = '[remediation]\nmode = "approve"\n[[alerts]]\nto = "event-bus"\n'
_numbers = count()


@dataclass
class Deployment:
    """The table, the queue and the parameters of a deployment, and the commands on them."""

    clients: Clients
    url: str
    run_command: Run | None = None

    @property
    def journal(self) -> DynamoJournal:
        return DynamoJournal(self.clients("dynamodb"), TABLE, lambda: datetime.now(UTC))

    def keep(self, state: RunState = RunState.WAITING, hours: float = 0, **traits: Any) -> RemediationRun:
        """A run that was made so many hours ago, and begins like no other."""
        run = a_run(state, made=NOW - timedelta(hours=hours, minutes=next(_numbers)), **{"account": ACCOUNT, **traits})
        assert self.journal.keep(run)
        return run

    def load(self, run: RemediationRun) -> RemediationRun:
        found = self.journal.load(run.account, run.id)
        assert found is not None
        return found

    def ask(self, *words: object) -> Result:
        assert self.run_command is not None
        return self.run_command(*words, "--endpoint-url", self.url)

    def tasks(self) -> list[Task]:
        """What was handed over since the last time."""
        sqs = self.clients("sqs")
        url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for one in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return [parse_task(one["Body"]) for one in found]

    def put(self, name: str, value: str) -> None:
        self.clients("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def told(self) -> Sequence[tuple[str, RunState]]:
        """What is to be told of runs, by the outbox."""
        due = DynamoOutbox(self.clients("dynamodb"), TABLE).due(datetime.now(UTC) + timedelta(days=1), 100)
        return [(entry.notice.run, entry.notice.state) for entry in due]  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def there() -> Iterator[Deployment]:
    with pytest.MonkeyPatch.context() as patch, emulator(account=ACCOUNT) as url:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        found = Deployment(Clients.of(endpoint_url=url), url)
        create_table(found.clients("dynamodb"), TABLE)
        found.clients("sqs").create_queue(QueueName=QUEUE)
        yield found


@pytest.fixture
def deployment(there: Deployment, run: Run, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bootstrap, "RETRIES", 1)
    there.put(SETTINGS_PARAMETER, SETTINGS)
    there.put(STOP_PARAMETER, "run")
    there.run_command = run
    there.tasks()
    return there


def test_a_run_is_approved_once_and_handed_over(deployment: Deployment) -> None:
    run = deployment.keep()
    done = deployment.ask("approve", run.id[:15])
    assert (done.code, done.err) == (0, "")
    told = f"2 steps that change 1 user of account {ACCOUNT}; the deployment carries it out now."
    assert done.out == f"Run {run.id} is approved by {CALLER}: {told}\n"
    found = deployment.load(run)
    [decision] = found.decisions
    assert (found.state, decision.verb, decision.by) == (RunState.READY, Verb.APPROVE, CALLER)
    assert deployment.tasks() == [Task(TaskKind.CARRY_OUT, ACCOUNT, run.id, by=CALLER, at=decision.at)]
    # Nobody has begun it: it can be called off still.
    assert deployment.ask("decline", run.id).code == 0
    assert deployment.load(run).state is RunState.DECLINED
    assert deployment.ask("approve", run.id).code == 1


def test_what_could_not_be_handed_over_is_approved_once_more(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing:
        def send(self, work: object) -> None:
            raise ValueError("no room")

    run = deployment.keep()
    with monkeypatch.context() as patch:
        patch.setattr(deployed.Deployed, "queue", lambda *_: Refusing())
        cut = deployment.ask("approve", run.id)
    assert (cut.code, cut.out) == (1, "")
    assert_told(
        cut.err, f"run {run.id} is ready, and could not be handed over: give the same command once more: no room"
    )
    monkeypatch.setattr("chalicelib.cli.deciding.now", lambda: now() + timedelta(seconds=2))
    assert deployment.ask("approve", run.id).code == 0
    assert [task.run for task in deployment.tasks()] == [run.id]
    assert len(deployment.load(run).decisions) == 1


def test_a_run_is_declined(deployment: Deployment) -> None:
    run = deployment.keep(account=MEMBER)
    deployment.ask("decline", run.id).assert_refused(f"account {ACCOUNT}: there is no run", "--account names another")
    deployment.put(STOP_PARAMETER, "stop")
    done = deployment.ask("decline", run.id, "--account", MEMBER)
    assert (done.code, done.out) == (0, f"Run {run.id} is declined by {CALLER}: nothing comes of it.\n")
    found = deployment.load(run)
    assert (found.state, [one.verb for one in found.decisions]) == (RunState.DECLINED, [Verb.DECLINE])
    assert (deployment.tasks(), deployment.told()[-1:]) == ([], [(run.id, RunState.DECLINED)])
    again = deployment.ask("decline", run.id, "--account", MEMBER)
    assert again.code == 1
    assert_told(again.err, f"run {run.id}: the plan waits for nobody any more: it is declined since {CALLER} decided")


Prepare = Callable[[Deployment], RemediationRun]
REFUSED: dict[str, tuple[Prepare, str]] = {
    "it is done": (lambda one: one.keep(RunState.DONE), "the plan waits for nobody any more: it is done"),
    "a day has passed": (lambda one: one.keep(hours=25), "the plan is out of date since"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_approved(case: str, deployment: Deployment) -> None:
    prepare, told = REFUSED[case]
    run = prepare(deployment)
    done = deployment.ask("approve", run.id)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert_told(done.err, f"run {run.id}: {told}")
    assert (deployment.load(run).decisions, deployment.tasks()) == ((), [])


UNFIT = {
    "stopped": (STOP_PARAMETER, "stop", 1, "nothing is changed now: the parameter /mfawatch/remediation does not say"),
    "switched off": (SETTINGS_PARAMETER, "[remediation]\nmode='off'", 1, "the settings no longer let findings of"),
    "no settings": (SETTINGS_PARAMETER, "nonsense", 2, "AWS: /mfawatch/settings: line 1"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_deployment_that_lets_nothing_be_changed(case: str, deployment: Deployment) -> None:
    name, value, code, told = UNFIT[case]
    run = deployment.keep()
    deployment.put(name, value)
    done = deployment.ask("approve", run.id)
    assert (done.code, done.out, done.err.count("\n")) == (code, "", 1)
    assert_told(done.err, told)
    assert (deployment.load(run), deployment.tasks()) == (run, [])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--table", "another"], "AWS: ResourceNotFoundException"),
        (["--queue", "another"], "AWS: AWS.SimpleQueueService.NonExistentQueue"),
        (["--settings-parameter", "/another"], "AWS: ParameterNotFound"),
        (["--account", "12"], "'12' is no account id"),
    ],
)
def test_what_is_not_there(options: Sequence[str], told: str, deployment: Deployment) -> None:
    run = deployment.keep()
    deployment.ask("approve", run.id, *options).assert_refused(told)
    deployment.ask("approve", "1999").assert_refused(f"{TABLE}, account {ACCOUNT}: there is no run 1999")
    assert (deployment.load(run), deployment.tasks()) == (run, [])


def test_a_parameter_that_is_missing_stops_a_deployment(deployment: Deployment) -> None:
    run = deployment.keep()
    done = deployment.ask("approve", run.id, "--stop-parameter", "/another")
    assert done.code == 1
    assert_told(done.err, "nothing is changed now: the parameter /another cannot be read: ParameterNotFound")
    assert deployment.ask("approve", run.id, "--stop-parameter", "").code == 0


# --- carried on, and undone, by the deployment -----------------------------------------------------------------------


def changed(deployment: Deployment, state: RunState) -> RemediationRun:
    """A run of another account that has taken one of its steps."""
    run = deployment.keep(state, account=MEMBER)
    assert deployment.journal.hold(MEMBER, "x", run.id, NOW + timedelta(days=1), NOW) is None
    deployment.journal.note(run, replace(run.steps[0], state=StepState.DONE), "x")
    deployment.journal.release(MEMBER, "x")
    return deployment.load(run)


HANDED = {
    "--rollback": (RunState.DONE, TaskKind.UNDO, RunState.UNDOING, Verb.UNDO, "undoes"),
    "--continue": (RunState.STOPPED, TaskKind.CARRY_OUT, RunState.READY, Verb.CONTINUE, "goes on with"),
}


@pytest.mark.parametrize("verb", HANDED)
def test_a_deployment_carries_its_own_run_on_and_undoes_it(verb: str, deployment: Deployment) -> None:
    deployment.put(STOP_PARAMETER, "stop")  # the executor asks it, where it has to
    state, kind, after, decided, does = HANDED[verb]
    run = changed(deployment, state)
    for _ in range(2):  # handing it over may have failed
        done = deployment.ask("remediate", verb, run.id[:15], "--table", TABLE, "--account", MEMBER)
        assert (done.code, done.err) == (0, "")
        told = f"the deployment {does} run {run.id} of account {MEMBER}; this command has changed nothing in IAM."
        assert done.out == f"Handed over to {QUEUE}: {told}\n"
        [task] = deployment.tasks()
        assert (task.kind, task.account, task.run, task.by) == (kind, MEMBER, run.id, CALLER)
        assert task.at is not None
        found = deployment.load(run)
        assert (found.state, [(one.verb, one.by) for one in found.decisions]) == (after, [(decided, CALLER)])


@pytest.mark.parametrize("state", [RunState.WAITING, RunState.UNDONE, RunState.STOPPED])
def test_of_a_run_that_has_changed_nothing_nothing_is_undone(state: RunState, deployment: Deployment) -> None:
    run = deployment.keep(state)
    done = deployment.ask("remediate", "--rollback", run.id, "--table", TABLE)
    assert (done.code, done.out) == (0, f"Run {run.id} is {state}: there is nothing to undo.\n")
    assert deployment.tasks() == []


@pytest.mark.parametrize("state", [RunState.WAITING, RunState.UNDONE, RunState.DONE])
def test_a_run_that_was_not_stopped_does_not_go_on(state: RunState, deployment: Deployment) -> None:
    run = deployment.keep(state)
    done = deployment.ask("remediate", "--continue", run.id, "--table", TABLE)
    assert (done.code, done.out) == (1, "")
    assert_told(done.err, f"run {run.id}: the run cannot be taken up: it is {state}\n")
    assert (deployment.load(run), deployment.tasks()) == (run, [])


# --- looking ---------------------------------------------------------------------------------------------------------


def test_the_runs_of_an_account_are_shown(deployment: Deployment) -> None:
    account = "555566667777"
    made = [deployment.keep(hours=hours, account=account) for hours in (1, 3, 2)]
    listed = deployment.ask("runs", "--table", TABLE, "--account", account, "--format", "json").json["runs"]
    assert [run["id"] for run in listed] == [made[index].id for index in (0, 2, 1)]
    shown = deployment.ask("runs", made[1].id[:15], "--table", TABLE, "--account", account)
    assert shown.out.startswith(f"Run {made[1].id} of account {account}: waiting since ")
    nothing = deployment.ask("runs", "--table", TABLE, "--account", "999999999999")
    assert (nothing.code, nothing.out) == (0, f"{TABLE}, account 999999999999: no runs\n")
    deployment.ask("runs", "--table", "another", "--account", account).assert_refused("ResourceNotFoundException")
