"""Accounts for tests of plans: a canonical policy, and people who carry it or should."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.audit import judge
from chalicelib.config import CanonicalPolicy, Settings
from chalicelib.iam.account import AccountSnapshot, StoredPolicy
from chalicelib.iam.policy import parse_policy
from chalicelib.remediation.plan import Plan, plan_remediation
from chalicelib.remediation.step import Step
from chalicelib.remediation_settings import RemediationSettings
from tests.accounts.build import GUARD, Json, Person, allow, deny_all_but, document, managed, read

NAME = "RequireMfa"
LOOSE = document(deny_all_but("iam:*", "s3:*", "sts:GetSessionToken"))
"""The guard with an exemption that is far too wide."""
WORK = document(allow("s3:*", "ec2:*"))
"""What somebody does all day, and nothing of IAM."""
POLICY = [managed(NAME, GUARD)]


def wanting(
    says: Json | None = GUARD,
    name: str = NAME,
    *,
    canonical: Json | None = None,
    more: Json | None = None,
    **traits: Any,
) -> Settings:
    """Settings that want everybody to carry the policy; `traits` are those of [remediation]."""
    expected: Json = {"document": "guard.json", "expected": parse_policy(says)} if says else {}
    wanted = CanonicalPolicy(name, **expected, **(canonical or {}))
    return Settings(canonical=(wanted,), remediation=RemediationSettings(**traits), **(more or {}))


def account(*people: Person, **traits: Any) -> AccountSnapshot:
    """The account of these people, with the canonical policy where no other policies are given."""
    return read(*people, **{"policies": POLICY, **traits})


def planned(snapshot: AccountSnapshot, settings: Settings, controls: Sequence[str] = ()) -> Plan:
    """The plan for all that an audit of the account finds, or for some controls' findings."""
    findings = judge(snapshot, settings=settings).findings
    chosen = [one for one in findings if not controls or one.control in controls]
    return plan_remediation(snapshot, chosen, settings)


def brief(step: Step) -> str:
    """The step in a line: what is done with what."""
    policy = step.policy.rpartition("/")[2] if step.policy else None
    return " ".join(filter(None, (step.kind, step.user, step.group, policy, step.version, step.key)))


def bare(snapshot: AccountSnapshot) -> AccountSnapshot:
    """The same account with its documents as text, and what stands in no order sorted: fit for comparing."""

    def texts(policies: Iterable[StoredPolicy]) -> tuple[StoredPolicy, ...]:
        return tuple(
            sorted((StoredPolicy(one.name, None, None, one.text) for one in policies), key=lambda one: one.name)
        )

    users = {
        name: replace(
            one,
            groups=tuple(sorted(one.groups)),
            attached=tuple(sorted(one.attached)),
            inline=texts(one.inline),
        )
        for name, one in snapshot.users.items()
    }
    groups = {
        name: replace(one, attached=tuple(sorted(one.attached)), inline=texts(one.inline))
        for name, one in snapshot.groups.items()
    }
    policies = {arn: replace(one, stored=texts([one.stored])[0]) for arn, one in snapshot.policies.items()}
    return replace(snapshot, users=users, groups=groups, policies=policies)
