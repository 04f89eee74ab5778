"""kms-exception-admin: KMS keys can be administered without MFA."""

from __future__ import annotations

from chalicelib.analysis.surface import Answer
from chalicelib.controls.base import Control, Subject
from chalicelib.controls.exceptions import check_exemption
from chalicelib.findings import Severity
from chalicelib.iam.account import Read


def _administered(subject: Subject) -> Answer:
    found = subject.enforcement.keys
    return Answer(found.administration, found.untried)


CONTROL = Control(
    id="kms-exception-admin",
    title="KMS keys can be administered without MFA",
    why=(
        "Whoever changes a key's policy or grants decides who reads everything under it, and whoever schedules its "
        "deletion destroys it. Git needs none of this."
    ),
    fix="Take kms:* and administrative KMS actions out of the exemptions; Git needs six actions, through CodeCommit.",
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=check_exemption(_administered, Severity.CRITICAL),
)
