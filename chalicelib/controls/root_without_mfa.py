"""root-without-mfa: the root user can sign in with a password alone."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.controls.base import Control, Result, State
from chalicelib.findings import Severity
from chalicelib.iam.account import Read


def _check(control: Control, state: State) -> Iterator[Result]:
    root = state.snapshot.root
    if root is None:
        yield control.not_evaluated("", "the credential report has no row for the root user")
    elif root.mfa is None:
        yield control.not_evaluated("", "the credential report does not say whether the root user has MFA")
    elif not root.mfa and (root.password is not False or root.access_keys):
        # A member account whose root credentials were removed has no password and no keys: there is nothing to guard.
        evidence: dict[str, object] = {"mfa_active": False, "access_keys": root.access_keys}
        yield control.finding(state, root.arn, Severity.CRITICAL, evidence)
    elif not root.mfa and root.access_keys is None:
        yield control.not_evaluated("", "the root user has no MFA; not read whether there are access keys")


CONTROL = Control(
    id="root-without-mfa",
    title="Root user without MFA",
    why=(
        "No policy of the account binds the root user. Whoever learns its password, or reads its mailbox and resets "
        "it, owns the account and everything in it."
    ),
    fix=(
        "Sign in as root and enrol MFA, a hardware key at best; in an organisation, remove the root credentials of "
        "member accounts instead."
    ),
    needs=frozenset({Read.CREDENTIAL_REPORT}),
    check=_check,
    about_account=True,
)
