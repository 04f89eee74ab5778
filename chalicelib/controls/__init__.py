"""The checks, one file each. Pure: no I/O."""

from chalicelib.controls import (
    mfa_not_enforced,
    policy_not_evaluable,
    root_access_key,
    root_without_mfa,
    user_without_mfa,
)
from chalicelib.controls.base import Control

CONTROLS: tuple[Control, ...] = (
    user_without_mfa.CONTROL,
    root_without_mfa.CONTROL,
    root_access_key.CONTROL,
    mfa_not_enforced.CONTROL,
    policy_not_evaluable.CONTROL,
)
"""All controls, in the order in which they are told."""
