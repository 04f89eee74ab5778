"""kms-exception-direct: KMS keys can be used without MFA in a direct call."""

from __future__ import annotations

from chalicelib.analysis.surface import Answer
from chalicelib.controls.base import Control, Subject
from chalicelib.controls.exceptions import check_exemption
from chalicelib.findings import Severity
from chalicelib.iam.account import Read


def _directly(subject: Subject) -> Answer:
    found = subject.enforcement.keys
    return Answer(found.direct, found.untried)


CONTROL = Control(
    id="kms-exception-direct",
    title="KMS keys can be used directly without MFA",
    why=(
        "Git never calls KMS itself; CodeCommit does. With kms:Decrypt and its like exempted for every call, whoever "
        "holds the user's key can decrypt whatever the user may decrypt, without a second factor."
    ),
    fix=(
        "Take the KMS actions out of the exemptions and add StringNotLike kms:ViaService "
        '"codecommit.*.amazonaws.com" to the deny; or keep them and add a second deny on them with that condition.'
    ),
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=check_exemption(_directly, Severity.HIGH),
)
