"""kms-exception-any-service: KMS keys work without MFA through services other than CodeCommit."""

from __future__ import annotations

from chalicelib.analysis.surface import Answer
from chalicelib.controls.base import Control, Subject
from chalicelib.controls.exceptions import check_exemption
from chalicelib.findings import Severity
from chalicelib.iam.account import Read


def _through_services(subject: Subject) -> Answer:
    found = subject.enforcement.keys
    return Answer(found.services, found.untried)


CONTROL = Control(
    id="kms-exception-any-service",
    title="KMS is exempted from MFA through any service",
    why=(
        "Git needs KMS through CodeCommit alone. An exemption that takes every service that acts for the user, as one "
        "that asks whether kms:ViaService is there instead of what it is, opens the keys of buckets, volumes and "
        "secrets to requests that no second factor stood behind."
    ),
    fix='In the condition that frees KMS, name CodeCommit: StringNotLike kms:ViaService "codecommit.*.amazonaws.com".',
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=check_exemption(_through_services, Severity.HIGH),
)
