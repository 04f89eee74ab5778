"""What a finding about Git tells the person behind the user: how to use Git with MFA, as commands."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.analysis.git_hops import Access
from chalicelib.analysis.git_together import access_of
from chalicelib.analysis.git_with_mfa import commands_with_mfa
from chalicelib.analysis.keys import any_key_policy, key_policy
from chalicelib.analysis.origins import Origin
from chalicelib.analysis.surface import Surface
from chalicelib.iam.account import User
from chalicelib.iam.policy_set import MANAGED_KEY
from chalicelib.iam.request import MfaState

_WITH_MFA = Origin(MfaState.TRUE)


def commands_for(
    user: User, repositories: Sequence[str], surface: Surface | None = None, access: Access | None = None
) -> tuple[str, ...]:
    """How the user uses the repositories with MFA; none where Git would be denied with MFA as well.

    `access` is what was decided by the user's own surface without MFA, for one of the repositories.
    """
    if surface is not None and access is not None and not _works_with_mfa(surface, access):
        return ()
    principal = user.principal
    devices = [device.serial for device in user.mfa_devices]
    return commands_with_mfa(repositories, principal.account, principal.partition, devices)


def _works_with_mfa(surface: Surface, access: Access) -> bool:
    """Whether what was decided without MFA is allowed with it."""
    repository = access.repository.request.resource
    key = access.keys[0].request.resource
    policy = None if MANAGED_KEY in key else key_policy(surface.caller.snapshot, key) or any_key_policy()
    return access_of(surface, access.operation, repository, _WITH_MFA, key, policy).works
