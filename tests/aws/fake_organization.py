"""An Organizations client that answers for a small organisation, and fails where it is told to."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.accounts.build import ADMIN, GUARD, Json
from tests.aws.fake_iam import refused

MANAGEMENT, MEMBER, OTHER = "123456789012", "111122223333", "444455556666"
FULL = "p-FullAWSAccess"
SCP = "SERVICE_CONTROL_POLICY"


@dataclass
class FakeOrganization:
    """An Organizations client with one unit below the root, which holds two accounts; one item a page."""

    attached: Json = field(
        default_factory=lambda: {
            "r-ab12": [FULL],
            "ou-ab12-11111111": [FULL, "p-guard"],
            MEMBER: [FULL],
            OTHER: [FULL],
            MANAGEMENT: [FULL],
        }
    )
    parents: Json = field(
        default_factory=lambda: {
            MEMBER: ("ou-ab12-11111111", "ORGANIZATIONAL_UNIT"),
            OTHER: ("ou-ab12-11111111", "ORGANIZATIONAL_UNIT"),
            "ou-ab12-11111111": ("r-ab12", "ROOT"),
            MANAGEMENT: ("r-ab12", "ROOT"),
        }
    )
    documents: Json = field(default_factory=lambda: {FULL: ADMIN, "p-guard": GUARD})
    feature_set: str = "ALL"
    accounts: list[Json] = field(default_factory=list)
    failing: Json = field(default_factory=dict)
    """Operation → the error it fails with."""
    calls: Counter[str] = field(default_factory=Counter)

    def _called(self, operation: str) -> None:
        self.calls[operation] += 1
        if operation in self.failing:
            raise self.failing[operation]

    def _page(self, name: str, items: list[Json], token: str | None) -> Json:
        """An item a page, and an empty page before the first: AWS says that there may be such."""
        number = int(token or 0)
        more = {"NextToken": str(number + 1)} if number < len(items) else {}
        return {name: items[number - 1 : number] if number else [], **more}

    def describe_organization(self) -> Json:
        """The organisation."""
        self._called("DescribeOrganization")
        return {"Organization": {"Id": "o-ab12", "FeatureSet": self.feature_set, "MasterAccountId": MANAGEMENT}}

    def list_accounts(self, NextToken: str | None = None) -> Json:  # noqa: N803 - AWS's name
        """The accounts."""
        self._called("ListAccounts")
        return self._page("Accounts", self.accounts, NextToken)

    def list_parents(self, ChildId: str, NextToken: str | None = None) -> Json:  # noqa: N803 - AWS's names
        """The one parent."""
        if NextToken is None:
            self._called("ListParents")
        if ChildId not in self.parents:
            raise refused("ListParents", "ChildNotFoundException")
        parent, kind = self.parents[ChildId]
        return self._page("Parents", [{"Id": parent, "Type": kind}] if parent else [], NextToken)

    def list_policies_for_target(self, **parameters: Any) -> Json:
        """What is attached to a target."""
        assert parameters["Filter"] == SCP
        token = parameters.get("NextToken")
        if token is None:
            self._called("ListPoliciesForTarget")
        attached = self.attached[parameters["TargetId"]]
        return self._page("Policies", [{"Id": one, "Name": one} for one in attached], token)

    def describe_policy(self, PolicyId: str) -> Json:  # noqa: N803 - AWS's name
        """A policy with its document."""
        self._called("DescribePolicy")
        body = self.documents[PolicyId]
        if body is None:
            return {"Policy": {"PolicySummary": {"Id": PolicyId}}}
        return {"Policy": {"PolicySummary": {"Id": PolicyId, "Name": PolicyId}, "Content": json.dumps(body)}}
