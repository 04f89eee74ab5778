"""AWS's own answers → AccountSnapshot: the JSON that the AWS CLI prints, and the credential report.

What is missing becomes a `Gap`. What cannot be what it is said to be (a report of another account, a list that is no
list) is an `ExportError`: an audit of half-understood files would call users safe that nobody looked at.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from chalicelib.iam.account import AccountSnapshot, Read
from chalicelib.iam.account_answers import AccountAnswers
from chalicelib.iam.account_answers import Exports as Exports
from chalicelib.iam.details import Details
from chalicelib.iam.policy_set import Policy
from chalicelib.iam.repository_keys import read_repository_keys
from chalicelib.iam.scps import read_levels
from chalicelib.iam.user_credentials import CODECOMMIT as CODECOMMIT
from chalicelib.iam.user_credentials import UserCredentials


def read_exports(exports: Exports, taken: datetime) -> AccountSnapshot:
    """Build the snapshot. `taken` is the moment whose state the answers tell.

    Raises:
        ExportError: an answer is not what it is said to be.
    """
    answers = AccountAnswers(exports, taken)
    given = answers.given()
    credentials = UserCredentials(answers)
    answer = answers.node(Read.AUTHORIZATION_DETAILS)
    details = Details(answer, partial(answers.check_account, answer.read)) if answer else None
    users = {user.name: user for user in details.users()} if details else {}
    groups = {group.name: group for group in details.groups()} if details else {}
    roles = {role.name: role for role in details.roles()} if details else {}
    policies = {policy.arn: policy for policy in details.policies()} if details else {}
    answers.gaps += details.gaps if details else []
    users = credentials.of_users(users)
    scps, organization = _service_control_policies(answers)
    root = credentials.root()
    keys = read_repository_keys(answers.node(Read.REPOSITORY_KEYS), answers.account)
    asked = answers.gaps_of(Read.REPOSITORY_KEYS)
    answers.gaps += [gap for gap in keys.gaps if gap.subject not in asked]
    return AccountSnapshot(
        account=answers.account,
        taken=taken,
        users=dict(sorted(users.items())),
        groups=groups,
        roles=roles,
        policies=policies,
        scps=scps or (),
        organization=organization,
        root=root,
        reads=given if scps is not None else given - {Read.SERVICE_CONTROL_POLICIES},
        gaps=tuple(sorted(set(answers.gaps))),
        report_generated=credentials.report_generated,
        repositories=keys.repositories,
        key_policies=keys.policies,
        regions_read=keys.regions,
    )


def _service_control_policies(answers: AccountAnswers) -> tuple[tuple[tuple[Policy, ...], ...] | None, str]:
    """The service control policies of each level, None where they are not known in full; and the organisation's id.

    Then none of them is used: a level without one of its Allows would deny what AWS lets through.
    """
    node = answers.node(Read.SERVICE_CONTROL_POLICIES)
    if node is None or any(gap.read is node.read for gap in answers.gaps):
        return None, ""
    levels = read_levels(node)
    organization = next(filter(None, (level.organization for level in levels)), "")
    if levels:
        answers.account = answers.account or levels[-1].target
        answers.check_same(node.read, levels[-1].target, levels[-1].where)
    found: list[tuple[Policy, ...]] = []
    for level in levels:
        for broken in (stored for stored in level.policies if stored.document is None):
            answers.gap(node.read, "", f"{broken.complaint}: no service control policy is used")
            return None, organization
        found.append(tuple(Policy(stored.name, stored.document) for stored in level.policies if stored.document))
    return tuple(found), organization
