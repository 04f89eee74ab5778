"""The organisation that accounts belong to: which accounts are active, and which service control policies bind one.

What was read of the organisation (who is whose parent, what is attached where, the policies) is kept, so that further
accounts cost few calls more. It is never renewed: a reader lives as long as one invocation.

Sources: Organizations API reference and User Guide, "Service control policies"; botocore's service model for the names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.aws.errors import ERRORS, Pages, code_of, reason_of
from chalicelib.iam.account import Gap, Read

ROOT = "ROOT"
SCP = "SERVICE_CONTROL_POLICY"
NOT_IN_USE = "AWSOrganizationsNotInUseException"
NONE_BIND: dict[str, Any] = {"Levels": []}
"""The answer about an account that no service control policy binds."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the organisation."""

    id: str
    name: str


class _PartError(Exception):
    """A part of the organisation that AWS's answers leave out."""


@dataclass
class OrganizationReader:
    """Reads an organisation through an Organizations client, of its management account or a delegated administrator.

    `own` is the account of the client's credentials; where it is None, that is whichever account is asked about.
    """

    client: Any
    own: str | None = None
    _organization: Mapping[str, Any] | None = field(default=None, init=False)
    _parents: dict[str, tuple[str, str]] = field(default_factory=dict, init=False)
    _attached: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)
    _policies: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)

    def accounts(self) -> tuple[Account, ...]:
        """The active accounts.

        Raises:
            ClientError, BotoCoreError, ResponseParserError: AWS refuses, or cannot be reached.
        """
        found = self._pages(self.client.list_accounts, "Accounts")
        # AWS retires Status in favour of State.
        return tuple(
            Account(one["Id"], one.get("Name", "")) for one in found if one.get("State", one.get("Status")) == "ACTIVE"
        )

    def service_control_policies(self, account: str) -> dict[str, Any] | Gap:
        """The answer about the policies that bind the account, whole; a gap where any part of it cannot be read."""
        try:
            return self._levels(account)
        except ERRORS as error:
            if code_of(error) == NOT_IN_USE and self.own in (None, account):
                return NONE_BIND
            return Gap(Read.SERVICE_CONTROL_POLICIES, "", reason_of(error))
        except _PartError as error:
            return Gap(Read.SERVICE_CONTROL_POLICIES, "", str(error))

    def _levels(self, account: str) -> dict[str, Any]:
        if self._organization is None:
            self._organization = self.client.describe_organization().get("Organization", {})
        # They bind no account of an organisation for billing alone, and never the management account.
        if self._organization.get("FeatureSet") == "CONSOLIDATED_BILLING":
            return NONE_BIND
        if self._organization.get("MasterAccountId") == account:
            return NONE_BIND
        targets = self._path(account)
        attached = [self._attached_to(target) for target in targets]
        # As long as the organisation uses such policies, the root and everything below it has one at least.
        if not any(attached):
            return NONE_BIND
        bare = next((target for target, policies in zip(targets, attached, strict=True) if not policies), None)
        if bare is not None:
            raise _PartError(f"no service control policy is shown for {bare}, and AWS leaves none without")
        return {
            "Levels": [
                {"TargetId": target, "Policies": [self._policy(one) for one in policies]}
                for target, policies in zip(targets, attached, strict=True)
            ]
        }

    def _path(self, account: str) -> list[str]:
        """The root, the organisational units on the way, and the account."""
        path = [account]
        kind = ""
        while kind != ROOT:
            parent, kind = self._parent_of(path[0])
            if parent in path:
                raise _PartError(f"{parent} is shown as its own parent")
            path.insert(0, parent)
        return path

    def _parent_of(self, child: str) -> tuple[str, str]:
        if child not in self._parents:
            found = list(self._pages(self.client.list_parents, "Parents", ChildId=child))
            if len(found) != 1 or not all(found[0].get(name) for name in ("Id", "Type")):
                raise _PartError(f"{child} is shown with {len(found)} parents, not one")
            self._parents[child] = found[0]["Id"], found[0]["Type"]
        return self._parents[child]

    def _attached_to(self, target: str) -> tuple[str, ...]:
        if target not in self._attached:
            found = self._pages(self.client.list_policies_for_target, "Policies", TargetId=target, Filter=SCP)
            self._attached[target] = tuple(one["Id"] for one in found)
        return self._attached[target]

    def _policy(self, policy: str) -> dict[str, Any]:
        if policy not in self._policies:
            found = self.client.describe_policy(PolicyId=policy).get("Policy", {})
            if not found.get("PolicySummary") or not found.get("Content"):
                raise _PartError(f"policy {policy} is shown without its document")
            self._policies[policy] = {"PolicySummary": found["PolicySummary"], "Content": found["Content"]}
        return self._policies[policy]

    @staticmethod
    def _pages(call: Any, name: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        """The items of all pages; an empty page may have others behind it."""
        pages, token = Pages(), dict[str, str]()
        while True:
            page = call(**parameters, **token)
            yield from page.get(name, [])
            if not page.get("NextToken"):
                return
            token = {"NextToken": pages.next(page["NextToken"])}
