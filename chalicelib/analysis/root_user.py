"""What an organisation leaves to the root user of a member account.

Service control policies bind the root user as they bind everybody else there (Organizations User Guide, "Service
control policies"); no policy of the account itself does.
"""

from __future__ import annotations

from chalicelib.analysis.known import Known
from chalicelib.analysis.origins import ABSENT
from chalicelib.analysis.partition import Partition
from chalicelib.analysis.universe import everything
from chalicelib.iam.account import AccountSnapshot, RootUser
from chalicelib.iam.policy_set import PolicySet
from chalicelib.iam.principals import parse_principal


def denials_of_root(snapshot: AccountSnapshot, root: RootUser) -> tuple[str, ...]:
    """The places of the statements that together deny the root user's key every request; none where some pass."""
    own = {
        "aws:principalaccount": parse_principal(root.arn).account,
        "aws:principalarn": root.arn,
        "aws:principalisawsservice": "false",
        "aws:principaltype": "Account",
    }
    known = Known(own, ABSENT)
    denying = [
        (policy.place_of(statement), statement)
        for policy in PolicySet(scps=snapshot.scps).binding
        for statement in policy.document.statements
        if statement.covers_everything and known.denies(statement)
    ]
    partition = Partition(PolicySet(scps=snapshot.scps))
    if partition.about(statement for _, statement in denying) != everything():
        return ()
    return tuple(dict.fromkeys(place for place, _ in denying))
