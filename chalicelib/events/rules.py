"""What an event does to MFA's hold on an account, and where its record says whom it concerns, as data. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum


class Effect(StrEnum):
    """What an event does, in words that follow the name of whom it concerns: a user, a group, a policy, an account."""

    DEVICE_MADE = "has a new MFA device that is nobody's yet"
    DEVICE_GAINED = "got an MFA device"
    DEVICE_SYNCHRONISED = "synchronised an MFA device"
    DEVICE_LOST = "lost an MFA device"
    LOGIN_GAINED = "got a password"
    LOGIN_CHANGED = "got another password"
    LOGIN_LOST = "lost the password"
    LOGIN_FORGOTTEN = "asked for another password"
    LOGIN_RULES = "got other rules for passwords"
    ACCESS_KEY_GAINED = "got an access key"
    ACCESS_KEY_SWITCHED = "had an access key switched on or off"
    ACCESS_KEY_LOST = "lost an access key"
    CERTIFICATE_GAINED = "got a signing certificate"
    CERTIFICATE_SWITCHED = "had a signing certificate switched on or off"
    CERTIFICATE_LOST = "lost a signing certificate"
    SSH_KEY_GAINED = "got an SSH key"
    SSH_KEY_SWITCHED = "had an SSH key switched on or off"
    SSH_KEY_LOST = "lost an SSH key"
    SERVICE_CREDENTIAL_GAINED = "got a credential for a service"
    SERVICE_CREDENTIAL_SWITCHED = "had a credential for a service switched on or off"
    SERVICE_CREDENTIAL_RESET = "got another password of a credential for a service"
    SERVICE_CREDENTIAL_LOST = "lost a credential for a service"
    USER_CREATED = "is a new user"
    USER_RENAMED = "has another name or path"
    USER_TAGGED = "has other tags"
    USER_DELETED = "is deleted"
    GROUP_JOINED = "joined a group"
    GROUP_LEFT = "left a group"
    GROUP_RENAMED = "has another name or path, as a group"
    GROUP_DELETED = "is deleted, as a group"
    POLICY_GAINED = "got a policy"
    POLICY_WRITTEN = "got an inline policy, or another text of one"
    POLICY_LOST = "lost a policy"
    POLICY_CREATED = "is a new policy"
    POLICY_CHANGED = "has other versions"
    POLICY_DELETED = "is deleted, as a policy"
    BOUNDARY_SET = "got a permissions boundary"
    BOUNDARY_LOST = "lost the permissions boundary"
    ROLE_CREATED = "has a new role"
    ROLE_CHANGED = "has a role that may do something else"
    ROLE_TRUST = "has a role that trusts somebody else"
    ROLE_DELETED = "has a role less"
    FEDERATION = "trusts other identity providers, or trusts them otherwise"
    DELEGATION = "delegates access"
    SESSION = "made a session"
    SESSION_WITHOUT_MFA = "made a session without MFA"
    SIGN_IN = "signed in"
    SIGN_IN_WITHOUT_MFA = "signed in without MFA"
    ORGANISATION_POLICY = "is under other policies of the organisation"
    ORGANISATION_PLACE = "has another place in the organisation, or left it"
    ROOT_ACCESS = "has its root user managed otherwise"
    ASSIGNMENT = "has other people assigned in Identity Center"
    PERMISSION_SET = "has another permission set in Identity Center"
    DIRECTORY = "has other people or groups in Identity Center"
    DIRECTORY_MFA = "has other MFA devices or rules in Identity Center"
    KEY_POLICY = "has a KMS key with another policy"
    KEY_GRANT = "got the use of a KMS key"
    REPOSITORY_KEY = "has a repository under another KMS key"
    REPOSITORY_MADE = "has a new repository"
    REPOSITORY_RENAMED = "has a repository of another name"
    SIGHT_CUT = "may be watched less"
    SIGHT_CHANGED = "may be watched otherwise"
    SIGHT_RESTORED = "may be watched again"


class Otherwise(Enum):
    """Whom an event concerns whose parameters name nobody."""

    ACCOUNT = "the whole account: somebody is concerned, and nobody knows who"
    NOBODY = "nobody"
    OWNER = "whom the answer names, or the caller: IAM takes the caller's own credentials where a call names no user"
    SELF = "the caller: one can make the call for oneself alone"
    CALLER_WITHOUT_MFA = "the caller, if it was a user or the root user and used no MFA"
    GRANTEE = "the user whom a grant lets use a KMS key"
    NEW_POLICY = "the policy that the answer names"
    NEW_ACCOUNT = "the account that was made for the organisation"
    HOME = "the whole account in which the resource lies"
    EVERYWHERE = "all accounts of the organisation"
    WATCHED = "the whole account, if the auditor sees it through what was changed"


@dataclass(frozen=True, slots=True)
class Finder:
    """The parameters that name whom an event concerns, and who it is where they name nobody.

    Groups are looked for where no user is found: who joins a group is concerned, and not its other members.
    """

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    otherwise: Otherwise = Otherwise.ACCOUNT


@dataclass(frozen=True, slots=True)
class Rule:
    """What an event does, and to whom."""

    effect: Effect
    finder: Finder
    without_mfa: Effect | None = None
    """What it does where the caller is known to have used no MFA."""
