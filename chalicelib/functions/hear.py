"""hear_change, hear_git, hear_log_file: what CloudTrail recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.bootstrap import Hub


def hear_event(event: Mapping[str, Any], context: Any, hub: Hub) -> dict[str, Any]:
    """Hear a record that EventBridge hands over."""
    return {}


def hear_log_files(event: Mapping[str, Any], context: Any, hub: Hub) -> dict[str, Any]:
    """Hear the records of log files that S3 tells of."""
    return {}
