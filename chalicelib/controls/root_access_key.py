"""root-access-key: the root user has an active access key."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.controls.base import Control, Result, State
from chalicelib.findings import Severity
from chalicelib.iam.account import Read


def _check(control: Control, state: State) -> Iterator[Result]:
    root = state.snapshot.root
    if root is None:
        yield control.not_evaluated("", "the credential report has no row for the root user")
    elif root.access_keys is None:
        yield control.not_evaluated("", "the credential report does not say whether the root user has access keys")
    elif root.access_keys:
        yield control.finding(state, root.arn, Severity.CRITICAL, {"access_keys": root.access_keys})


CONTROL = Control(
    id="root-access-key",
    title="Root user with an access key",
    why=(
        "A request made with an access key carries no MFA, and no policy of the account binds the root user: the key "
        "alone is the account."
    ),
    fix="Delete the root user's access keys; let whatever uses them assume a role instead.",
    needs=frozenset({Read.CREDENTIAL_REPORT}),
    check=_check,
    about_account=True,
)
