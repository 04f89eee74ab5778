"""deliver: tell what waits in the outbox."""

from __future__ import annotations

from typing import Any

from chalicelib.bootstrap import Hub


def deliver_what_is_due(context: Any, hub: Hub) -> dict[str, Any]:
    """Tell what is due."""
    return {}
