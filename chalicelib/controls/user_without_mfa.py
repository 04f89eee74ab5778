"""user-without-mfa: a user who can sign in or call AWS has no MFA device."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.controls.base import Control, Result, State
from chalicelib.findings import Severity
from chalicelib.iam.account import CredentialKind, Read, User


def _check(control: Control, state: State) -> Iterator[Result]:
    if state.snapshot.reads.isdisjoint({Read.AUTHORIZATION_DETAILS, Read.CREDENTIAL_REPORT}):
        yield control.not_evaluated("", "needs authorization-details or credential-report")
    for user in state.users():
        if user.mfa:
            continue
        active, unread = user.active(), user.unread
        if user.mfa is None:
            if active or unread:
                yield control.not_evaluated(user.name, "nobody could say whether the user has an MFA device")
        elif active:
            severity = Severity.HIGH if CredentialKind.PASSWORD in active else Severity.MEDIUM
            yield control.finding(state, user.arn, severity, _evidence(user, state), user=user)
        elif unread:
            kinds = ", ".join(sorted(map(str, unread)))
            yield control.not_evaluated(user.name, f"has no MFA device; not read: {kinds}")


def _evidence(user: User, state: State) -> dict[str, object]:
    evidence: dict[str, object] = {
        "credentials": sorted(map(str, user.active())),
        "mfa_devices": 0,
        "source": str(user.mfa_read),
    }
    if user.mfa_read is Read.CREDENTIAL_REPORT:
        # The report is generated every four hours at most, and a device enrolled since does not show in it.
        generated = state.snapshot.report_generated
        evidence["uncertain"] = [
            "known from the credential report alone"
            + (f", generated {generated.isoformat(timespec='seconds')}" if generated else "")
            + ": a device enrolled since then would not show"
        ]
    if user.unread:
        evidence["credentials_not_read"] = sorted(map(str, user.unread))
    return evidence


CONTROL = Control(
    id="user-without-mfa",
    title="User without an MFA device",
    why=(
        "A password, an access key or a Git credential is all that an attacker needs to be this user. Without a device "
        "there is nothing that a policy asking for MFA could ask for: such a user is either locked out of what the "
        "policy guards or, more often, exempted from it."
    ),
    fix=(
        "Let the user enrol an MFA device (Security credentials, Assign MFA device), or remove the credentials that "
        "are not used."
    ),
    needs=frozenset(),
    check=_check,
)
