"""AWS's own answers → AccountSnapshot: the JSON that the AWS CLI prints, and the credential report.

What is missing becomes a `Gap`. What cannot be what it is said to be (a report of another account, a list that is no
list) is an `ExportError`: an audit of half-understood files would call users safe that nobody looked at.

Sources: IAM API reference for the shapes; IAM User Guide, "Getting credential reports", for the report's values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain

from chalicelib.iam.account import (
    AccountSnapshot,
    Credential,
    CredentialKind,
    Gap,
    MfaDevice,
    Read,
    RootUser,
    User,
)
from chalicelib.iam.answers import ExportError, Node
from chalicelib.iam.credential_report import CredentialReport, ReportError, ReportRow, parse_report
from chalicelib.iam.details import Details
from chalicelib.iam.policy_set import Policy
from chalicelib.iam.principals import parse_principal
from chalicelib.iam.repository_keys import read_repository_keys
from chalicelib.iam.request import account_of_resource
from chalicelib.iam.scps import read_levels
from chalicelib.iam.values import parse_time

CODECOMMIT = "codecommit.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Exports:
    """The answers at hand; None for what was not read. All but the report, which is text, are parsed JSON.

    `login_profiles`, `access_keys`, `mfa_devices` and `ssh_public_keys`: user name → that user's answer, which is null
    for a user without login profile. `service_credentials`: the same, or the one answer for all users.

    `service_control_policies`: `{"Levels": [{"TargetId", "Policies": [Policy of DescribePolicy]}]}`,
    root first, account last; no levels where no such policy binds the account.
    """

    authorization_details: object = None
    credential_report: str | None = None
    login_profiles: object = None
    access_keys: object = None
    virtual_mfa_devices: object = None
    mfa_devices: object = None
    service_credentials: object = None
    ssh_public_keys: object = None
    service_control_policies: object = None
    repository_keys: object = None
    gaps: tuple[Gap, ...] = ()
    """What whoever read the answers could not read."""
    as_needed: frozenset[Read] = frozenset()
    """The answers that were asked for only where a verdict hangs on them: about single users, and on repositories."""
    asked: frozenset[str] | None = None
    """The users whom the answers about single users were asked for; None for all."""


def read_exports(exports: Exports, taken: datetime) -> AccountSnapshot:
    """Build the snapshot. `taken` is the moment whose state the answers tell.

    Raises:
        ExportError: an answer is not what it is said to be.
    """
    return _Builder(exports, taken).build()


class _Builder:
    """Gathers the pieces of one account."""

    def __init__(self, exports: Exports, taken: datetime) -> None:
        self._exports = exports
        self._taken = taken
        self._gaps = list(exports.gaps)
        self._report = _parse_report(exports.credential_report)
        self._account = ""
        self._root_device = False

    def build(self) -> AccountSnapshot:
        given = frozenset(read for read in Read if self._node(read))
        told = {gap.read for gap in self._gaps if not gap.subject}
        replaced = _replaced(given, self._exports.asked) | (self._exports.as_needed & {Read.REPOSITORY_KEYS})
        self._gaps += [Gap(read, "", "not read") for read in Read if read not in given | told | replaced]
        answer = self._node(Read.AUTHORIZATION_DETAILS)
        details = Details(answer, partial(self._check_account, answer.read)) if answer else None
        users = {user.name: user for user in details.users()} if details else {}
        groups = {group.name: group for group in details.groups()} if details else {}
        roles = {role.name: role for role in details.roles()} if details else {}
        policies = {policy.arn: policy for policy in details.policies()} if details else {}
        self._gaps += details.gaps if details else []
        users = self._with_report(users)
        users = self._with_own_answers(users)
        users = self._with_git_credentials(users)
        users = self._with_mfa(users)
        scps = self._scps()
        root = self._root()
        keys = read_repository_keys(self._node(Read.REPOSITORY_KEYS), self._account)
        asked = {gap.subject for gap in self._gaps if gap.read is Read.REPOSITORY_KEYS}
        self._gaps += [gap for gap in keys.gaps if gap.subject not in asked]
        return AccountSnapshot(
            account=self._account,
            taken=self._taken,
            users=dict(sorted(users.items())),
            groups=groups,
            roles=roles,
            policies=policies,
            scps=scps or (),
            root=root,
            reads=given if scps is not None else given - {Read.SERVICE_CONTROL_POLICIES},
            gaps=tuple(sorted(set(self._gaps))),
            report_generated=self._report.generated if self._report else None,
            repositories=keys.repositories,
            key_policies=keys.policies,
            regions_read=keys.regions,
        )

    def _node(self, read: Read) -> Node | None:
        value = getattr(self._exports, read.name.lower())
        return None if value is None else Node(read, value)

    def _gap(self, read: Read, subject: str, reason: str) -> None:
        self._gaps.append(Gap(read, subject, reason))

    def _check_account(self, read: Read, arn: str, where: str) -> None:
        """Every ARN must be of one account: files of two accounts are no account."""
        try:
            account = parse_principal(arn).account
        except ValueError as error:
            raise ExportError(read, where, str(error)) from None
        self._account = self._account or account
        self._check_same(read, account, where)

    def _check_same(self, read: Read, account: str, where: str) -> None:
        if account != self._account:
            raise ExportError(read, where, f"is of account {account}, the rest is of account {self._account}")

    # --- the organisation --------------------------------------------------------------------------------------------

    def _scps(self) -> tuple[tuple[Policy, ...], ...] | None:
        """The service control policies of each level; None where they are not known in full.

        Then none of them is used: a level without one of its Allows would deny what AWS lets through.
        """
        node = self._node(Read.SERVICE_CONTROL_POLICIES)
        if node is None or any(gap.read is node.read for gap in self._gaps):
            return None
        levels = read_levels(node)
        if levels:
            self._account = self._account or levels[-1].target
            self._check_same(node.read, levels[-1].target, levels[-1].where)
        found: list[tuple[Policy, ...]] = []
        for level in levels:
            for broken in (stored for stored in level.policies if stored.document is None):
                self._gap(node.read, "", f"{broken.complaint}: no service control policy is used")
                return None
            found.append(tuple(Policy(stored.name, stored.document) for stored in level.policies if stored.document))
        return tuple(found)

    # --- credential report -------------------------------------------------------------------------------------------

    def _root(self) -> RootUser | None:
        row = self._report.root if self._report else None
        if row is None:
            return None
        self._check_account(Read.CREDENTIAL_REPORT, row.arn, f"line {row.line}")
        active = sum(found is True for found in row.access_keys)
        keys = None if None in row.access_keys and not active else active
        # A virtual device of the root user in the list counts although the report may be older.
        return RootUser(row.arn, row.password, keys, True if self._root_device else row.mfa)

    def _with_report(self, users: dict[str, User]) -> dict[str, User]:
        report = self._report
        if report is None:
            return users
        found = dict(users)
        for row in report.users:
            self._check_account(Read.CREDENTIAL_REPORT, row.arn, f"line {row.line}")
            user = users.get(row.user)
            if user is None:
                user = User(name=row.user, arn=row.arn, created=row.created, policies_read=False)
                if self._exports.authorization_details is not None:
                    self._gap(
                        Read.AUTHORIZATION_DETAILS,
                        row.user,
                        "in the credential report only: deleted since, or not read",
                    )
            elif _differ(user.created, row.created):
                self._gap(Read.CREDENTIAL_REPORT, row.user, "the report is about an earlier user of that name")
                continue
            found[row.user] = _with_row(user, row)
        for name in users.keys() - {row.user for row in report.users}:
            self._gap(Read.CREDENTIAL_REPORT, name, "not in the report: it is older than the user, or not whole")
        return found

    def _with_own_answers(self, users: dict[str, User]) -> dict[str, User]:
        """The users with what AWS says of their passwords and access keys now: the report may be hours old."""
        found = dict(users)
        profiles = self._node(Read.LOGIN_PROFILES)
        for name in self._known(Read.LOGIN_PROFILES, profiles.mapping() if profiles else (), users):
            has_one = profiles is not None and profiles.get(name).value is not None
            password = Credential(CredentialKind.PASSWORD, "", has_one)
            found[name] = _with_kind(found[name], CredentialKind.PASSWORD, [password], whole=True)
        kind, in_part = CredentialKind.ACCESS_KEY, {gap.subject for gap in self._gaps if gap.read is Read.ACCESS_KEYS}
        for name, items in self._per_user(Read.ACCESS_KEYS, "AccessKeyMetadata", users).items():
            keys = [Credential(kind, item.text("AccessKeyId"), item.text("Status") == "Active") for item in items]
            found[name] = _with_kind(found[name], kind, keys, whole=name not in in_part)
        return found

    def _known(self, read: Read, names: Iterable[str], users: Iterable[str]) -> Iterator[str]:
        """The names in an answer about single users; one that no other answer knows is a gap."""
        known = set(users)
        for name in names:
            if name in known:
                yield name
            else:
                self._gap(read, name, "in this answer only: no other answer knows the user")

    # --- Git credentials ---------------------------------------------------------------------------------------------

    def _with_git_credentials(self, users: dict[str, User]) -> dict[str, User]:
        keys = self._per_user(Read.SSH_PUBLIC_KEYS, "SSHPublicKeys", users)
        users = self._with_credentials(users, Read.SSH_PUBLIC_KEYS, CredentialKind.SSH_KEY, "SSHPublicKeyId", keys)
        node = self._node(Read.SERVICE_CREDENTIALS)
        if node and isinstance(node.mapping().get("ServiceSpecificCredentials"), list):
            credentials = self._of_all_users(node, users)
        else:
            credentials = self._per_user(Read.SERVICE_CREDENTIALS, "ServiceSpecificCredentials", users)
        credentials = {
            name: [item for item in items if item.maybe_text("ServiceName") == CODECOMMIT]
            for name, items in credentials.items()
        }
        kind = CredentialKind.GIT_CREDENTIAL
        return self._with_credentials(users, Read.SERVICE_CREDENTIALS, kind, "ServiceSpecificCredentialId", credentials)

    def _per_user(self, read: Read, name: str, users: Iterable[str]) -> dict[str, list[Node]]:
        """The items of each user's answer, for the users whose answer is whole."""
        node = self._node(read)
        found: dict[str, list[Node]] = {}
        if node is None:
            return found
        for user in self._known(read, node.mapping(), users):
            answer = node.get(user)
            found[user] = list(answer.items(name, required=True))
            if answer.truncated:
                self._gap(read, user, "the answer is truncated: later pages were not read")
        return found

    def _of_all_users(self, node: Node, users: Iterable[str]) -> dict[str, list[Node]]:
        """The items of one answer about all users."""
        found: dict[str, list[Node]] = {name: [] for name in users}
        for item in node.items("ServiceSpecificCredentials"):
            name = item.text("UserName")
            if name in found:
                found[name].append(item)
            else:
                self._gap(node.read, name, "in this answer only: no other answer knows the user")
        if node.truncated:
            self._gap(node.read, "", "the answer is truncated: later pages were not read")
        return found

    def _with_credentials(
        self, users: dict[str, User], read: Read, kind: CredentialKind, id_name: str, items: Mapping[str, list[Node]]
    ) -> dict[str, User]:
        if self._node(read) is None:
            return users
        whole = not any(gap.read is read and not gap.subject for gap in self._gaps)
        truncated = {gap.subject for gap in self._gaps if gap.read is read}
        found: dict[str, User] = {}
        for name, user in users.items():
            asked = self._exports.asked is None or name in self._exports.asked
            if name not in items and asked and read in self._exports.as_needed and name not in truncated:
                # Nobody asked, because such a credential is good for nothing here.
                found[name] = replace(user, unread=user.unread - {kind})
                continue
            if name not in items:
                if asked:
                    self._gap(read, name, "not read for this user")
                found[name] = user
                continue
            credentials = tuple(
                Credential(kind, item.text(id_name), item.text("Status") == "Active" and not self._expired(item))
                for item in items[name]
            )
            is_read = whole and name not in truncated
            unread = user.unread - {kind} if is_read else user.unread
            found[name] = replace(user, credentials=user.credentials + credentials, unread=unread)
        return found

    def _expired(self, item: Node) -> bool:
        expires = parse_time(item.get("ExpirationDate").value)
        return expires is not None and expires <= self._taken

    # --- MFA devices -------------------------------------------------------------------------------------------------

    def _with_mfa(self, users: dict[str, User]) -> dict[str, User]:
        virtual = self._virtual_devices(users)
        listed = self._per_user(Read.MFA_DEVICES, "MFADevices", users)
        for item in chain.from_iterable(listed.values()):
            owner = account_of_resource(item.text("SerialNumber"))
            if owner and self._account:
                self._check_same(item.read, owner, f"{item.where}.SerialNumber")
        # A part of an answer proves a device, and never the lack of one.
        parts = {gap.subject for gap in self._gaps if gap.read is Read.MFA_DEVICES}
        whole = {name: items for name, items in listed.items() if items or name not in parts}
        return {name: _with_devices(user, virtual.get(name, []), whole.get(name)) for name, user in users.items()}

    def _virtual_devices(self, users: Iterable[str]) -> dict[str, list[MfaDevice]]:
        """The virtual devices assigned to each user; notes on the way whether the root user has one."""
        node = self._node(Read.VIRTUAL_MFA_DEVICES)
        found: dict[str, list[MfaDevice]] = {}
        if node is None:
            return found
        known = set(users)
        for item in node.items("VirtualMFADevices", required=True):
            owner = item.get("User")
            if not owner.value:  # a device that nobody uses
                continue
            arn = owner.text("Arn")
            self._check_account(node.read, arn, f"{owner.where}.Arn")
            if arn.endswith(":root"):
                self._root_device = True
                continue
            name = owner.text("UserName")
            if name not in known:
                self._gap(node.read, name, "in this answer only: no other answer knows the user")
            found.setdefault(name, []).append(MfaDevice(item.text("SerialNumber"), node.read))
        if node.truncated:
            self._gap(node.read, "", "the answer is truncated: later pages were not read")
        return found


def _parse_report(text: str | None) -> CredentialReport | None:
    try:
        return None if text is None else parse_report(text)
    except ReportError as error:
        raise ExportError(Read.CREDENTIAL_REPORT, "", str(error)) from None


def _replaced(given: Collection[Read], asked: Collection[str] | None) -> frozenset[Read]:
    """The reads that are not missed, because others say the same: the report, or the answers about single users."""
    of_users = frozenset({Read.LOGIN_PROFILES, Read.ACCESS_KEYS})
    report = {Read.CREDENTIAL_REPORT} if of_users <= set(given) else set()
    return of_users | report | (set() if asked is None else {Read.VIRTUAL_MFA_DEVICES})


def _with_kind(user: User, kind: CredentialKind, credentials: Sequence[Credential], *, whole: bool) -> User:
    """The user with these credentials of a kind in place of those known before; `whole` says that there are no more."""
    others = tuple(credential for credential in user.credentials if credential.kind is not kind)
    unread = user.unread - {kind} if whole else user.unread
    return replace(user, credentials=(*others, *credentials), unread=unread)


def _differ(left: datetime | None, right: datetime | None) -> bool:
    return left is not None and right is not None and abs((left - right).total_seconds()) >= 1


def _with_row(user: User, row: ReportRow) -> User:
    """The user with what the credential report says."""
    credentials: list[Credential] = []
    unread = set(user.unread)
    if row.password is not None:
        credentials.append(Credential(CredentialKind.PASSWORD, "", row.password))
        unread.discard(CredentialKind.PASSWORD)
    for number, active in enumerate(row.access_keys, start=1):
        if active is not None:
            credentials.append(Credential(CredentialKind.ACCESS_KEY, str(number), active))
    if None not in row.access_keys:
        unread.discard(CredentialKind.ACCESS_KEY)
    return replace(
        user,
        credentials=(*user.credentials, *credentials),
        unread=frozenset(unread),
        mfa=row.mfa,
        mfa_read=None if row.mfa is None else Read.CREDENTIAL_REPORT,
    )


def _with_devices(user: User, virtual: list[MfaDevice], listed: list[Node] | None) -> User:
    """The user with the devices that the lists show.

    ListMFADevices knows every type of device and is asked for one user at a time, so it is the word that counts. The
    list of virtual devices proves a device and never the lack of one. The report may be four hours old and speaks last.
    """
    if listed is not None:
        devices = tuple(MfaDevice(item.text("SerialNumber"), Read.MFA_DEVICES) for item in listed)
        return replace(user, mfa_devices=devices, mfa=bool(devices), mfa_read=Read.MFA_DEVICES)
    if virtual:
        return replace(user, mfa_devices=tuple(virtual), mfa=True, mfa_read=Read.VIRTUAL_MFA_DEVICES)
    return user
