"""What was seen to happen in an account, beside the state that it is in. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chalicelib.events.git_activity import GitActivity
from chalicelib.events.sight import SightLoss


@dataclass(frozen=True, slots=True)
class Observed:
    """What CloudTrail's records tell of an account, as far as controls judge it."""

    git: tuple[GitActivity, ...] = ()
    """Git operations without MFA, each activity once."""
    sight: tuple[SightLoss, ...] = ()
    """The trails and rules that no longer tell of events, or do again."""

    def of_users(self, users: Collection[str]) -> Observed:
        """What was seen of some users alone."""
        return Observed(git=tuple(one for one in self.git if one.user in users))
