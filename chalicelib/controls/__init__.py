"""The checks, one file each. Pure: no I/O."""

from chalicelib.controls import (
    auditing_switched_off,
    canonical_policy_drift,
    canonical_policy_missing,
    codecommit_exemption,
    codecommit_exemption_too_broad,
    git_blocked_by_kms,
    git_operation_without_mfa,
    kms_exception_admin,
    kms_exception_any_service,
    kms_exception_direct,
    mfa_not_enforced,
    mfa_self_takeover,
    policy_not_evaluable,
    role_assumable_without_mfa,
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
    mfa_self_takeover.CONTROL,
    codecommit_exemption.CONTROL,
    codecommit_exemption_too_broad.CONTROL,
    git_blocked_by_kms.CONTROL,
    git_operation_without_mfa.CONTROL,
    kms_exception_any_service.CONTROL,
    kms_exception_direct.CONTROL,
    kms_exception_admin.CONTROL,
    role_assumable_without_mfa.CONTROL,
    canonical_policy_missing.CONTROL,
    canonical_policy_drift.CONTROL,
    policy_not_evaluable.CONTROL,
    auditing_switched_off.CONTROL,
)
"""All controls, in the order in which they are told."""
