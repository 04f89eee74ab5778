"""deliver: tell what still waits in the outbox, after an outage or a night, and what sweeps have found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.delivery import deliver
from chalicelib.functions.telemetry import logger, tell_delivery
from chalicelib.hub import Hub

MOST = 1000
"""Entries that are told at a time; a first sweep of a large organisation may find more."""
HELD = timedelta(minutes=4)
"""For how long they are kept from the next invocation: as long as this one may last, twice."""

TELLS = timedelta(seconds=70)
"""For how long messages are begun: of its 120 seconds the last ones are for one that takes long, and for writing down
what was told. Whoever is stopped before that tells all of it again, and is stopped again."""


def deliver_what_is_due(hub: Hub) -> dict[str, Any]:
    """Tell what is due; how much of it was told, and how much still waits, by destination."""
    now = hub.clock()
    entries = hub.outbox.due(now, MOST)
    if not entries:
        return {"told": {}, "waiting": {}}
    hub.tells_until = now + TELLS
    hub.read_ahead()
    claimed = hub.outbox.claim(entries, now + HELD)
    found = deliver(claimed, hub.outbox, hub.notifier_of, hub.clock)
    tell_delivery(found)
    logger.info("delivered", extra={"due": len(entries), "claimed": len(claimed)})
    return {"told": found.told, "waiting": found.waiting}
