"""codecommit-exemption-too-broad: CodeCommit does more without MFA than Git needs."""

from __future__ import annotations

from chalicelib.analysis.scopes import repositories
from chalicelib.analysis.surface import Answer
from chalicelib.controls.base import Control, Subject
from chalicelib.controls.exceptions import check_exemption
from chalicelib.findings import Severity
from chalicelib.iam.account import Read


def _beyond_git(subject: Subject) -> Answer:
    return subject.surface.entries(repositories(), subject.enforcement.guarded)


CONTROL = Control(
    id="codecommit-exemption-too-broad",
    title="CodeCommit is exempted from MFA beyond Git",
    why=(
        "Git needs codecommit:GitPull and codecommit:GitPush. With the whole of CodeCommit exempted, whoever holds the "
        "user's key can delete repositories, merge pull requests, put files straight into branches and change what "
        "guards them, without a second factor."
    ),
    fix='Replace "codecommit:*" among the exemptions by "codecommit:GitPull" and "codecommit:GitPush".',
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=check_exemption(_beyond_git, Severity.HIGH),
)
