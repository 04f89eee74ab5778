"""A person's decision about a finding of a ledger, made of the finding as it stands when it is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chalicelib.ledger import Change, Stored
from chalicelib.ports import Clock, FindingStore

ROUNDS = 5
"""Attempts at a change that other writers are faster with."""


class Outpaced(Exception):  # noqa: N818 - says what happened
    """Others changed the finding at each attempt: nothing was decided."""

    def __init__(self) -> None:
        super().__init__(f"others changed the finding at each of {ROUNDS} attempts")


def decide(
    store: FindingStore, find: Callable[[], Stored], decision: Callable[[Stored, datetime], Change], clock: Clock
) -> Stored:
    """Change a finding, and give it back as it stands then.

    `find` finds it in the store, anew for each attempt, and `decision` makes the change; what they raise is raised.

    Raises:
        Outpaced: others were faster, again and again.
    """
    for _ in range(ROUNDS):
        change = decision(find(), clock())
        if store.apply([change]):
            return change.after
    raise Outpaced
