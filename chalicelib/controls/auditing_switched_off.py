"""auditing-switched-off: somebody has switched off what shows mfawatch the account's events.

It judges what was heard: the last event about a trail, or about a rule of mfawatch, switched it off. An event that
switches it on again resolves the finding; so does time, once the ledger forgets what it heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chalicelib.controls.base import Control, Result, State
from chalicelib.events.sight import Aspect, SightLoss
from chalicelib.findings import Severity

_LOST: Mapping[Aspect, str] = {
    Aspect.RECORDING: "it records no events",
    Aspect.COVERAGE: "it leaves out regions or global services, as IAM is one",
    Aspect.SELECTION: "it leaves out events that change something",
    Aspect.MATCHING: "it is disabled or deleted",
    Aspect.TARGETS: "it leads to fewer targets",
}


def _check(control: Control, state: State) -> Iterator[Result]:
    seen = state.observed.sight if state.observed else ()
    resources: dict[str, list[SightLoss]] = {}
    for loss in seen:
        if loss.off and loss.account == state.snapshot.account:
            resources.setdefault(loss.resource, []).append(loss)
    for resource, losses in sorted(resources.items()):
        yield control.finding(state, resource, Severity.HIGH, _evidence(losses))


def _evidence(losses: Sequence[SightLoss]) -> dict[str, object]:
    losses = sorted(losses, key=lambda loss: loss.aspect)
    return {
        "summary": f"{losses[0].name}: {'; '.join(_LOST[loss.aspect] for loss in losses)}",
        "events": [
            {
                "event": loss.cause.event,
                "at": loss.at.isoformat() if loss.at else None,
                "actor": loss.cause.actor,
                "address": loss.cause.address,
                "agent": loss.cause.agent,
            }
            for loss in losses
        ],
    }


CONTROL = Control(
    id="auditing-switched-off",
    title="The account's events are no longer heard",
    why=(
        "Without a trail EventBridge hears of no call, and without its rules nothing reaches mfawatch: what is changed "
        "after that shows in the next sweep, and what is done with Git never. Whoever wants to go unseen begins here."
    ),
    fix=(
        "Ask who did it. Switch the trail or the rule on again (aws cloudtrail start-logging, aws events enable-rule, "
        "or deploy the stack anew), then let a sweep run, and look through what CloudTrail's event history has of the "
        "time between."
    ),
    needs=frozenset(),
    check=_check,
    about_account=True,
    from_records=True,
)
