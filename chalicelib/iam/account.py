"""An account's state at one moment: users, groups, roles, policies, credentials, and what could not be read.

Nothing here is guessed. What was not read is `None` or a `Gap`, and stays so through every control. Sources of the
shapes: IAM API reference, GetAccountAuthorizationDetails, GetCredentialReport, List*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chalicelib.iam.policy import PolicyDocument
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.principals import Principal, parse_principal
from chalicelib.iam.statement import PolicyError


class Read(StrEnum):
    """What can be read of an account; each is one of the AWS CLI's answers."""

    AUTHORIZATION_DETAILS = "authorization-details"
    CREDENTIAL_REPORT = "credential-report"
    LOGIN_PROFILES = "login-profiles"
    ACCESS_KEYS = "access-keys"
    VIRTUAL_MFA_DEVICES = "virtual-mfa-devices"
    MFA_DEVICES = "mfa-devices"
    SERVICE_CREDENTIALS = "service-credentials"
    SSH_PUBLIC_KEYS = "ssh-public-keys"
    REPOSITORY_KEYS = "repository-keys"
    SERVICE_CONTROL_POLICIES = "service-control-policies"


CREDENTIAL_READS = frozenset(
    {
        Read.CREDENTIAL_REPORT,
        Read.LOGIN_PROFILES,
        Read.ACCESS_KEYS,
        Read.SERVICE_CREDENTIALS,
        Read.SSH_PUBLIC_KEYS,
    }
)
"""The reads that show which credentials a user has."""


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """State that could not be read.

    `subject` is a user's name, a region, or the ARN of a policy, repository or key; empty for the whole account.
    """

    read: Read
    subject: str
    reason: str


class CredentialKind(StrEnum):
    """The ways in which an IAM user proves who they are."""

    PASSWORD = "console password"  # noqa: S105 - a kind of credential, no secret
    ACCESS_KEY = "access key"
    SSH_KEY = "SSH key"
    GIT_CREDENTIAL = "HTTPS Git credential"


SERVICE_LINKED = ":role/aws-service-role/"
"""What the ARN of a service-linked role holds."""

GIT_KINDS = frozenset({CredentialKind.SSH_KEY, CredentialKind.GIT_CREDENTIAL})
"""Credentials that CodeCommit's Git endpoint alone takes."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential. `id` is AWS's, or a number where the report has none."""

    kind: CredentialKind
    id: str
    active: bool


@dataclass(frozen=True, slots=True)
class MfaDevice:
    """An MFA device of a user; `read` says who told us. The report tells of a device, not which: no serial."""

    serial: str
    read: Read


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A document as an account holds it: parsed, or the reason why it cannot be decided."""

    name: str
    document: PolicyDocument | None
    error: PolicyError | None = None
    text: str = ""
    """The document's JSON as it was read; empty where nobody kept it."""

    @property
    def complaint(self) -> str:
        """That it cannot be evaluated, and why."""
        return f"{self.name} cannot be evaluated ({self.error})"


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A version of a managed policy: its id, and its document as JSON text, which is not parsed."""

    id: str
    text: str

    @property
    def number(self) -> int:
        """The number in the id; AWS counts up, and gives none twice."""
        digits = self.id.removeprefix("v").partition(".")[0]
        return int(digits) if digits.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A managed policy with its default version; the other versions decide nothing.

    `versions` are all those of a customer's policy, the default one among them, by number; empty for AWS's own.
    """

    arn: str
    version: str
    stored: StoredPolicy
    versions: tuple[PolicyVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A group: what its members inherit."""

    name: str
    arn: str
    attached: tuple[str, ...] = ()
    inline: tuple[StoredPolicy, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A role with its trust policy. `id` is empty where it was not read."""

    name: str
    arn: str
    trust: StoredPolicy
    id: str = ""
    attached: tuple[str, ...] = ()
    inline: tuple[StoredPolicy, ...] = ()
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class User:
    """A user. `unread` names the kinds of credential that nobody read; `mfa` is None where nobody could say."""

    name: str
    arn: str
    id: str = ""
    created: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    inline: tuple[StoredPolicy, ...] = ()
    boundary: str | None = None
    policies_read: bool = True
    credentials: tuple[Credential, ...] = ()
    unread: frozenset[CredentialKind] = frozenset(CredentialKind)
    mfa_devices: tuple[MfaDevice, ...] = ()
    mfa: bool | None = None
    mfa_read: Read | None = None
    """Who said whether there is a device."""

    @property
    def principal(self) -> Principal:
        """The user as a principal."""
        return parse_principal(self.arn)

    def active(self) -> frozenset[CredentialKind]:
        """The kinds of credential known to be active."""
        return frozenset(credential.kind for credential in self.credentials if credential.active)

    def possible(self) -> frozenset[CredentialKind]:
        """The kinds known to be active and those that nobody read."""
        return self.active() | self.unread


@dataclass(frozen=True, slots=True)
class RootUser:
    """The root user, from the credential report. None where the report does not say."""

    arn: str
    password: bool | None
    access_keys: int | None
    """How many are active."""
    mfa: bool | None


@dataclass(frozen=True, slots=True)
class UserPolicies:
    """The policies that bear on a user's requests, and what is wrong with the rest.

    `broken` are documents AWS would not have stored; `missing` are ARNs and groups that the account names and does not
    show. With either, no verdict on the user is certain.
    """

    policies: PolicySet
    broken: tuple[StoredPolicy, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccountSnapshot:
    """All that was read of an account, and the gaps."""

    account: str
    taken: datetime
    """The moment whose state this is; what depends on the time is judged by it."""
    users: Mapping[str, User] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    policies: Mapping[str, ManagedPolicy] = field(default_factory=dict)
    scps: tuple[tuple[Policy, ...], ...] = ()
    """The service control policies of each level of the organisation above the account and of its own, root first."""
    organization: str = ""
    """The id of the organisation that the account belongs to; empty where that is not known."""
    root: RootUser | None = None
    reads: frozenset[Read] = frozenset()
    gaps: tuple[Gap, ...] = ()
    report_generated: datetime | None = None
    repositories: Mapping[str, str] = field(default_factory=dict)
    """ARN of a CodeCommit repository → that of the KMS key it is encrypted with, where that is known."""
    key_policies: Mapping[str, StoredPolicy] = field(default_factory=dict)
    """ARN of a KMS key → its policy."""
    regions_read: frozenset[str] = frozenset()
    """The regions of which all repositories were read."""

    def policies_of(self, user: User) -> UserPolicies:
        """Inline and attached policies, those of the groups, the permissions boundary, and the SCPs."""
        return self._policies(f"user {user.name}", user, user.groups)

    def policies_of_role(self, role: Role) -> UserPolicies:
        """Inline and attached policies of a role, its permissions boundary, and the SCPs."""
        return self._policies(f"role {role.name}", role, ())

    def _policies(self, owner: str, identity: User | Role, groups: Sequence[str]) -> UserPolicies:
        found = _Collection(self)
        for stored in identity.inline:
            found.add(stored, f'inline policy "{stored.name}" of {owner}')
        for arn in identity.attached:
            found.add_managed(arn)
        for name in groups:
            found.add_group(name)
        boundary = found.boundary(identity.boundary) if identity.boundary else None
        # What a service does in a role of its own no organisation forbids (Organizations User Guide, "SCPs").
        scps = () if SERVICE_LINKED in identity.arn else self.scps
        policies = PolicySet(identity=tuple(found.policies), boundary=boundary, scps=scps)
        return UserPolicies(policies, tuple(found.broken), tuple(found.missing))

    def user_named(self, name: str) -> User | None:
        """The user of that name or ARN; names compare without regard to case, as IAM's do."""
        if name in self.users:
            return self.users[name]
        return next(
            (user for user in self.users.values() if name == user.arn or user.name.lower() == name.lower()), None
        )


class _Collection:
    """The policies of one user as they are found."""

    def __init__(self, snapshot: AccountSnapshot) -> None:
        self._snapshot = snapshot
        self.policies: list[Policy] = []
        self.broken: list[StoredPolicy] = []
        self.missing: list[str] = []

    def add(self, stored: StoredPolicy, name: str) -> None:
        """One document under the name a reader knows it by."""
        if stored.document is None:
            self.broken.append(StoredPolicy(name, None, stored.error))
        else:
            self.policies.append(Policy(name, stored.document))

    def add_managed(self, arn: str, through: str = "") -> None:
        """A managed policy, attached to the user or to a group."""
        managed = self._snapshot.policies.get(arn)
        if managed is None:
            self.missing.append(arn)
        else:
            self.add(managed.stored, arn + through)

    def add_group(self, name: str) -> None:
        """All that a group's members inherit."""
        group = self._snapshot.groups.get(name)
        if group is None:
            self.missing.append(f"group {name}")
            return
        for stored in group.inline:
            self.add(stored, f'inline policy "{stored.name}" of group {name}')
        for arn in group.attached:
            self.add_managed(arn, f" (group {name})")

    def boundary(self, arn: str) -> Policy | None:
        """The permissions boundary, unless it is missing or broken."""
        managed = self._snapshot.policies.get(arn)
        if managed is None:
            self.missing.append(arn)
            return None
        if managed.stored.document is None:
            self.broken.append(StoredPolicy(f"{arn} (permissions boundary)", None, managed.stored.error))
            return None
        return Policy(f"{arn} (permissions boundary)", managed.stored.document)


def principal_context(user: User) -> dict[str, str]:
    """The condition keys that every request of a user carries (IAM User Guide, "AWS global condition context keys")."""
    account = user.principal.account
    context = {
        "aws:PrincipalArn": user.arn,
        "aws:PrincipalAccount": account,
        "aws:PrincipalType": "User",
        "aws:PrincipalIsAWSService": "false",
        "aws:username": user.name,
    }
    if user.id:
        context["aws:userid"] = user.id
    return context | {f"aws:PrincipalTag/{key}": value for key, value in user.tags.items()}
