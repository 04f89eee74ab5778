"""root-access-key: the root user has an active access key."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.analysis.root_user import denials_of_root
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
        evidence: dict[str, object] = {"access_keys": root.access_keys}
        if denials := denials_of_root(state.snapshot, root):
            evidence["organisation"] = f"the key's requests are denied as long as these stand: {', '.join(denials)}"
        yield control.finding(state, root.arn, Severity.CRITICAL, evidence)


CONTROL = Control(
    id="root-access-key",
    title="Root user with an access key",
    why=(
        "A request made with an access key carries no MFA, and no policy of the account binds the root user: the key "
        "alone is the account, unless a service control policy of the organisation says no."
    ),
    fix="Delete the root user's access keys; let whatever uses them assume a role instead.",
    needs=frozenset({Read.CREDENTIAL_REPORT}),
    check=_check,
    about_account=True,
)
