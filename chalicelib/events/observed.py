"""What was seen to happen in an account, beside the state that it is in. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.events.git_activity import GitActivity


@dataclass(frozen=True, slots=True)
class Observed:
    """What CloudTrail's records tell of an account, as far as controls judge it."""

    git: tuple[GitActivity, ...] = ()
    """Git operations without MFA, each activity once."""
