"""Hints: who is to be looked at after an event, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.cause import Cause
from chalicelib.hints import LOOKS, hints_of
from chalicelib.scope import Scope
from tests.accounts.build import ACCOUNT

SCOPE = Scope(ACCOUNT, frozenset({"alice"}))
WHOLE = [round(look.total_seconds()) for look in LOOKS]


@pytest.mark.parametrize(
    ("moment", "delays"),
    [
        (None, WHOLE),
        (timedelta(0), WHOLE),
        (timedelta(days=1), WHOLE),
        (datetime.max.replace(tzinfo=UTC), WHOLE),
        (datetime.min.replace(tzinfo=UTC), [0]),
        (-LOOKS[0], [WHOLE[1] - WHOLE[0]]),
    ],
)
def test_a_look_waits_for_no_longer_than_it_must(moment: datetime | timedelta | None, delays: list[int]) -> None:
    now = datetime.now(UTC)
    at = now + moment if isinstance(moment, timedelta) else moment
    found = hints_of("id", SCOPE, Cause("id", "iam:DetachUserPolicy", at), now)
    assert [hint.delay for hint in found] == delays
