"""Accounts put together from traits, in the form in which the AWS CLI exports them.

A test says what is particular about a user and leaves the rest: without traits, `Person` is somebody with an active
access key and a virtual MFA device, to whom nothing is allowed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from chalicelib.audit import Audit, judge
from chalicelib.config import Settings
from chalicelib.events.observed import Observed
from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.exports import Exports, read_exports

Json = dict[str, Any]

ACCOUNT = "111122223333"
TAKEN = datetime(2026, 6, 1, 6, 0, tzinfo=UTC)
CREATED = "2026-01-05T08:00:00+00:00"

COLUMNS = (
    "user arn user_creation_time password_enabled password_last_used mfa_active access_key_1_active "
    "access_key_2_active cert_1_active cert_2_active"
).split()

# --- policies --------------------------------------------------------------------------------------------------------

WITHOUT_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
"""Holds for every request made without MFA."""

ENROLMENT = (
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
    "iam:GetUser",
    "sts:GetSessionToken",
)


def document(*statements: Json) -> Json:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def statement(effect: str, elements: Mapping[str, Any], when: Json | None) -> Json:
    """A statement with an effect, its elements, and its conditions."""
    return {"Effect": effect, **elements} | ({"Condition": when} if when else {})


def allow(*actions: str, on: str | Sequence[str] = "*", when: Json | None = None) -> Json:
    """An Allow; of everything when no action is named."""
    return statement("Allow", {"Action": list(actions) or "*", "Resource": on}, when)


def deny(*actions: str, on: str | Sequence[str] = "*", when: Json | None = WITHOUT_MFA) -> Json:
    """A Deny of the actions, without MFA unless `when` says otherwise."""
    return statement("Deny", {"Action": list(actions) or "*", "Resource": on}, when)


def deny_all_but(
    *actions: str, on: str | Sequence[str] = "*", but_on: str | Sequence[str] = (), when: Json | None = WITHOUT_MFA
) -> Json:
    """A Deny with NotAction (the enrolment of MFA when none is named), and with NotResource where `but_on` is given."""
    resource: Json = {"NotResource": but_on} if but_on else {"Resource": on}
    return statement("Deny", {"NotAction": list(actions or ENROLMENT), **resource}, when)


ADMIN = document(allow())
FULL_ACCESS = [ADMIN]
"""What AWS attaches to every level of an organisation: FullAWSAccess, which allows everything."""
GUARD = document(deny_all_but())
"""The deny that does what it should."""

# --- people ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """A user's traits. The texts of the credential report stand as in its columns; `attached` and `boundary` name
    managed policies. `ssh_keys` and `git_credentials` hold a status for each, and None where nobody asked; `devices`
    counts what list-mfa-devices shows, None where nobody asked."""

    name: str = "alice"
    inline: Sequence[Any] = ()
    attached: Sequence[str] = ()
    groups: Sequence[str] = ()
    boundary: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    path: str = "/"
    created: str | float = CREATED
    created_in_report: str = CREATED
    password: str = "false"
    keys: tuple[str, str] = ("true", "false")
    mfa: str = "true"
    virtual: bool = True
    devices: int | None = None
    ssh_keys: Sequence[str] | None = ()
    git_credentials: Sequence[str] | None = ()
    in_details: bool = True
    in_report: bool = True

    @property
    def arn(self) -> str:
        """The user's ARN."""
        return f"arn:aws:iam::{ACCOUNT}:user{self.path}{self.name}"

    @property
    def id(self) -> str:
        """The user's unique id."""
        return f"AIDA{self.name.upper()}"


@dataclass(frozen=True)
class Root:
    """The root user's row of the credential report, and whether a virtual device is listed for it."""

    password: str = "not_supported"
    keys: tuple[str, str] = ("false", "false")
    mfa: str = "true"
    virtual: bool = False


def managed_arn(name: str) -> str:
    """The ARN of a customer managed policy."""
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def managed(name: str, *versions: Any, default: int = 1) -> Json:
    """A managed policy with its documents, version 1 first."""
    return {
        "PolicyName": name,
        "Arn": managed_arn(name),
        "DefaultVersionId": f"v{default}",
        "PolicyVersionList": [
            {"Document": body, "VersionId": f"v{number}", "IsDefaultVersion": number == default}
            for number, body in enumerate(versions, start=1)
        ],
    }


def group(name: str, *inline: Any, attached: Sequence[str] = ()) -> Json:
    """A group."""
    return {
        "Path": "/",
        "GroupName": name,
        "GroupId": f"AGPA{name.upper()}",
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/{name}",
        "GroupPolicyList": _inline(inline),
        "AttachedManagedPolicies": _attached(attached),
    }


def role(name: str, trust: Any) -> Json:
    """A role with nothing but its trust policy."""
    return {
        "RoleName": name,
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "AssumeRolePolicyDocument": trust,
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
    }


def _inline(documents: Iterable[Any]) -> list[Json]:
    return [{"PolicyName": f"inline-{i}", "PolicyDocument": body} for i, body in enumerate(documents)]


def _attached(names: Iterable[str]) -> list[Json]:
    return [{"PolicyName": name, "PolicyArn": managed_arn(name)} for name in names]


def user_details(person: Person) -> Json:
    """The user in the answer of get-account-authorization-details."""
    details: Json = {
        "Path": person.path,
        "UserName": person.name,
        "UserId": person.id,
        "Arn": person.arn,
        "CreateDate": person.created,
        "UserPolicyList": _inline(person.inline),
        "GroupList": list(person.groups),
        "AttachedManagedPolicies": _attached(person.attached),
        "Tags": [{"Key": key, "Value": value} for key, value in person.tags.items()],
    }
    if person.boundary:
        details["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": managed_arn(person.boundary),
        }
    return details


# --- the credential report -------------------------------------------------------------------------------------------


def report_row(person: Person) -> dict[str, str]:
    """The user's row of the credential report."""
    return _row(person.name, person.arn, person.created_in_report, person.password, person.mfa, person.keys)


def root_row(root: Root) -> dict[str, str]:
    """The root user's row."""
    return _row("<root_account>", f"arn:aws:iam::{ACCOUNT}:root", CREATED, root.password, root.mfa, root.keys)


def _row(user: str, arn: str, created: str, password: str, mfa: str, keys: tuple[str, str]) -> dict[str, str]:
    values = (user, arn, created, password, "no_information", mfa, *keys, "false", "false")
    return dict(zip(COLUMNS, values, strict=True))


def report(rows: Iterable[Mapping[str, str]], columns: Sequence[str] = COLUMNS, newline: str = "\n") -> str:
    """The report as CSV, with these columns in this order; a column that a row lacks is N/A."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, restval="N/A", lineterminator=newline, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


# --- repositories ----------------------------------------------------------------------------------------------------


def repository_arn(name: str, region: str = "eu-west-1") -> str:
    """The ARN of a repository."""
    return f"arn:aws:codecommit:{region}:{ACCOUNT}:{name}"


def key_arn(name: str, account: str = ACCOUNT, region: str = "eu-west-1") -> str:
    """The ARN of a KMS key."""
    return f"arn:aws:kms:{region}:{account}:key/{name}"


def repositories(keys: Mapping[str, str | None], policies: Mapping[str, Any] | None = None, *read: str) -> Json:
    """The answer about repositories: name or ARN → key, the keys' policies, and the regions that were read."""
    arns = {name if name.startswith("arn:") else repository_arn(name): key for name, key in keys.items()}
    return {
        "Regions": list(read or ("eu-west-1",)),
        "Repositories": [
            {"Arn": arn, "repositoryName": arn.rpartition(":")[2], **({"kmsKeyId": key} if key else {})}
            for arn, key in arns.items()
        ],
        "KeyPolicies": {
            key: body if isinstance(body, str) else json.dumps(body) for key, body in (policies or {}).items()
        },
    }


# --- the account -----------------------------------------------------------------------------------------------------


def exports(
    *people: Person,
    groups: Sequence[Json] = (),
    policies: Sequence[Json] = (),
    roles: Sequence[Json] = (),
    root: Root | None = Root(),
    scps: Sequence[Sequence[Any]] | None = None,
    repository_keys: Json | None = None,
) -> Exports:
    """All answers about an account with these people; those about its organisation and repositories where given."""
    rows = [*([root_row(root)] if root else []), *(report_row(person) for person in people if person.in_report)]
    return Exports(
        authorization_details={
            "UserDetailList": [user_details(person) for person in people if person.in_details],
            "GroupDetailList": list(groups),
            "RoleDetailList": list(roles),
            "Policies": list(policies),
        },
        credential_report=report(rows),
        virtual_mfa_devices={
            "VirtualMFADevices": [
                *(virtual_device(person.name, person.arn) for person in people if person.virtual),
                *(
                    [virtual_device("root-account-mfa-device", f"arn:aws:iam::{ACCOUNT}:root")]
                    * bool(root and root.virtual)
                ),
            ]
        },
        mfa_devices={
            person.name: {"MFADevices": [mfa_device(person.name, i) for i in range(person.devices)]}
            for person in people
            if person.devices is not None
        },
        service_credentials={
            person.name: {
                "ServiceSpecificCredentials": [
                    service_credential(person.name, i, status) for i, status in enumerate(person.git_credentials)
                ]
            }
            for person in people
            if person.git_credentials is not None
        },
        ssh_public_keys={
            person.name: {"SSHPublicKeys": [ssh_key(person.name, i, s) for i, s in enumerate(person.ssh_keys)]}
            for person in people
            if person.ssh_keys is not None
        },
        service_control_policies=None if scps is None else levels(*scps),
        repository_keys=repository_keys,
    )


def levels(*documents: Sequence[Any]) -> Json:
    """The answer about service control policies: the documents at the root, in each unit below, and at the account."""
    middle = [f"ou-ab12-{number:08}" for number in range(1, len(documents) - 1)]
    targets = ["r-ab12", *middle, ACCOUNT] if documents else []
    return {
        "Levels": [
            {"TargetId": target, "Policies": [scp(body, f"scp-{i}") for i, body in enumerate(bodies)]}
            for target, bodies in zip(targets, documents, strict=True)
        ]
    }


def scp(body: Any, name: str) -> Json:
    """A service control policy as DescribePolicy shows it; a document that is text stays as it is."""
    return {
        "PolicySummary": {
            "Id": f"p-{name}",
            "Arn": f"arn:aws:organizations::999988887777:policy/o-ab12/service_control_policy/p-{name}",
            "Name": name,
            "Type": "SERVICE_CONTROL_POLICY",
            "AwsManaged": False,
        },
        "Content": body if isinstance(body, str) else json.dumps(body),
    }


def swap(answers: Exports, **fields: Any) -> Exports:
    """The answers with others in the place of some."""
    return replace(answers, **fields)


def virtual_device(name: str, owner: str | None) -> Json:
    """A virtual device, of a user (or the root user) by ARN, or of nobody."""
    device: Json = {"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/{name}"}
    if owner is None:
        return device
    user: Json = {"Arn": owner, "UserId": ACCOUNT}
    if not owner.endswith(":root"):
        user |= {"UserName": owner.rpartition("/")[2]}
    return device | {"User": user, "EnableDate": CREATED}


def mfa_device(name: str, number: int = 0) -> Json:
    """A hardware token as list-mfa-devices shows it."""
    return {"UserName": name, "SerialNumber": f"GAKT{number:08}", "EnableDate": CREATED}


def service_credential(
    name: str,
    number: int = 0,
    status: str = "Active",
    service: str = "codecommit.amazonaws.com",
    expires: str | float | None = None,
) -> Json:
    """A service-specific credential."""
    credential: Json = {
        "UserName": name,
        "Status": status,
        "ServiceName": service,
        "ServiceUserName": f"{name}-at-{ACCOUNT}",
        "ServiceSpecificCredentialId": f"ACCA{number:04}",
        "CreateDate": CREATED,
    }
    return credential | ({} if expires is None else {"ExpirationDate": expires})


def ssh_key(name: str, number: int = 0, status: str = "Active") -> Json:
    """An SSH public key's metadata."""
    return {"UserName": name, "SSHPublicKeyId": f"APKA{number:04}", "Status": status, "UploadDate": CREATED}


# --- asking ----------------------------------------------------------------------------------------------------------


def read(*people: Person, **traits: Any) -> AccountSnapshot:
    """The account of these people, read from all six answers."""
    return read_exports(exports(*people, **traits), TAKEN)


def audit(answers: Exports, settings: Settings | None = None, observed: Observed | None = None) -> Audit:
    """The audit of an account by its answers."""
    return judge(read_exports(answers, TAKEN), settings=settings, observed=observed)


def audit_of(
    *people: Person, settings: Settings | None = None, observed: Observed | None = None, **traits: Any
) -> Audit:
    """The audit of an account with these people, by all six answers."""
    return audit(exports(*people, **traits), settings, observed)


def found(result: Audit, user: str | None) -> dict[str, Finding]:
    """Control → the finding about a user, or about the root user (None)."""
    return {finding.control: finding for finding in result.findings if finding.user == user}


FOUND, NOT_EVALUATED, FINE = "found", "not evaluated", "fine"


def verdict(result: Audit, control: str, user: str) -> str:
    """What the audit says of a user by one control."""
    if control in found(result, user):
        return FOUND
    skipped = {item.subject for item in result.not_evaluated if item.control == control}
    return NOT_EVALUATED if skipped & {"", user} else FINE


def cause(result: Audit, user: str = "alice") -> str | None:
    """The cause that mfa-not-enforced names for a user; None without a finding."""
    finding = found(result, user).get("mfa-not-enforced")
    return None if finding is None else str(finding.evidence["cause"])
