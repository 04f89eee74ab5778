"""AssumeRole as far as the role's trust policy goes, where a caller wants that.

moto gives credentials for every role, there or not, whoever asks, with whatever external ID. To fill accounts that is
welcome; to see what an application does that is not trusted, it is not.
"""

from __future__ import annotations

from moto.core.exceptions import AccessDeniedError
from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import Role, iam_backends
from moto.sts.responses import TokenResponse

from chalicelib.iam.decision import evaluate
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import account_of_resource, build_request
from chalicelib.iam.statement import PolicyKind
from chalicelib.local.emulator.changes import Changes

OPERATOR = "OrganizationAccountAccessRole"
"""The role that AWS Organizations makes in the accounts it creates; it can always be assumed."""
_ANYTHING = Policy(
    "anything",
    parse_policy({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}),
)
_assume_role = TokenResponse.assume_role


def check_trust(changes: Changes) -> None:
    """Let AssumeRole refuse where the role is missing or its trust policy does not allow the caller."""
    changes.replace(TokenResponse, "assume_role", _assume)


def _assume(self: TokenResponse) -> ActionResult:
    arn = self._get_param("RoleArn")
    _, caller, account = self.backend.get_caller_identity(self.get_access_key(), self.region)
    if caller.startswith("arn:aws:sts:") and ":user/" in caller:
        caller = f"arn:aws:iam::{account}:user/operator"  # credentials that the emulator did not make
    if not arn.endswith(f":role/{OPERATOR}") and not _trusts(self, arn, caller):
        raise AccessDeniedError(user_arn=caller, action=f"sts:AssumeRole on resource: {arn}")
    return _assume_role(self)


def _trusts(self: TokenResponse, arn: str, caller: str) -> bool:
    """Whether the role is there and trusts the caller, who may assume whatever trusts them."""
    try:
        role: Role = iam_backends[account_of_resource(arn)][self.partition].get_role_by_arn(arn)
    except NotFoundException:
        return False
    external_id = self._get_param("ExternalId")
    context = {"sts:ExternalId": external_id} if external_id else {}
    trust = Policy("trust policy", parse_policy(role.assume_role_policy_document, PolicyKind.RESOURCE))
    policies = PolicySet(identity=(_ANYTHING,), resource=trust)
    return evaluate(build_request(caller, "sts:AssumeRole", arn, context), policies).allowed
