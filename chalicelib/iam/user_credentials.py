"""Users with their credentials and MFA devices: the report, the lists of all users, and the answers about single ones.

What AWS says now counts before the report, which may be hours old. Sources: IAM API reference; IAM User Guide, "Getting
credential reports".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from chalicelib.iam.account import Credential, CredentialKind, MfaDevice, Read, RootUser, User
from chalicelib.iam.account_answers import AccountAnswers
from chalicelib.iam.answers import ExportError, Node
from chalicelib.iam.credential_report import CredentialReport, ReportError, ReportRow, parse_report
from chalicelib.iam.request import account_of_resource
from chalicelib.iam.values import parse_time

CODECOMMIT = "codecommit.amazonaws.com"


class UserCredentials:
    """What an account's answers say of its users' credentials and devices, and of the root user's.

    Raises:
        ExportError: the credential report is none.
    """

    def __init__(self, answers: AccountAnswers) -> None:
        self._answers = answers
        self._report = _parse_report(answers.exports.credential_report)
        self._root_device = False

    @property
    def report_generated(self) -> datetime | None:
        """When the credential report was made."""
        return self._report.generated if self._report else None

    def of_users(self, users: dict[str, User]) -> dict[str, User]:
        """The users with all that is known, and those whom the report alone knows."""
        users = self._with_report(users)
        users = self._with_own_answers(users)
        users = self._with_git_credentials(users)
        return self._with_mfa(users)

    def root(self) -> RootUser | None:
        """The root user, once the users are known; None where no report shows one."""
        row = self._report.root if self._report else None
        if row is None:
            return None
        self._answers.check_account(Read.CREDENTIAL_REPORT, row.arn, f"line {row.line}")
        active = sum(found is True for found in row.access_keys)
        keys = None if None in row.access_keys and not active else active
        # A virtual device of the root user in the list counts although the report may be older.
        return RootUser(row.arn, row.password, keys, True if self._root_device else row.mfa)

    # --- passwords and access keys -----------------------------------------------------------------------------------

    def _with_report(self, users: dict[str, User]) -> dict[str, User]:
        report = self._report
        if report is None:
            return users
        found = dict(users)
        for row in report.users:
            self._answers.check_account(Read.CREDENTIAL_REPORT, row.arn, f"line {row.line}")
            user = users.get(row.user)
            if user is None:
                user = User(name=row.user, arn=row.arn, created=row.created, policies_read=False)
                if self._answers.exports.authorization_details is not None:
                    self._answers.gap(
                        Read.AUTHORIZATION_DETAILS,
                        row.user,
                        "in the credential report only: deleted since, or not read",
                    )
            elif _differ(user.created, row.created):
                self._answers.gap(Read.CREDENTIAL_REPORT, row.user, "the report is about an earlier user of that name")
                continue
            found[row.user] = _with_row(user, row)
        for name in users.keys() - {row.user for row in report.users}:
            self._answers.gap(
                Read.CREDENTIAL_REPORT, name, "not in the report: it is older than the user, or not whole"
            )
        return found

    def _with_own_answers(self, users: dict[str, User]) -> dict[str, User]:
        """The users with what AWS says of their passwords and access keys now: the report may be hours old."""
        found = dict(users)
        profiles = self._answers.node(Read.LOGIN_PROFILES)
        for name in self._answers.known(Read.LOGIN_PROFILES, profiles.mapping() if profiles else (), users):
            has_one = profiles is not None and profiles.get(name).value is not None
            password = Credential(CredentialKind.PASSWORD, "", has_one)
            found[name] = _with_kind(found[name], CredentialKind.PASSWORD, [password], whole=True)
        kind, in_part = CredentialKind.ACCESS_KEY, self._answers.gaps_of(Read.ACCESS_KEYS)
        for name, items in self._answers.per_user(Read.ACCESS_KEYS, "AccessKeyMetadata", users).items():
            keys = [Credential(kind, item.text("AccessKeyId"), item.text("Status") == "Active") for item in items]
            found[name] = _with_kind(found[name], kind, keys, whole=name not in in_part)
        return found

    # --- Git credentials ---------------------------------------------------------------------------------------------

    def _with_git_credentials(self, users: dict[str, User]) -> dict[str, User]:
        keys = self._answers.per_user(Read.SSH_PUBLIC_KEYS, "SSHPublicKeys", users)
        users = self._with_credentials(users, Read.SSH_PUBLIC_KEYS, CredentialKind.SSH_KEY, "SSHPublicKeyId", keys)
        node = self._answers.node(Read.SERVICE_CREDENTIALS)
        if node and isinstance(node.mapping().get("ServiceSpecificCredentials"), list):
            credentials = self._of_all_users(node, users)
        else:
            credentials = self._answers.per_user(Read.SERVICE_CREDENTIALS, "ServiceSpecificCredentials", users)
        credentials = {
            name: [item for item in items if item.maybe_text("ServiceName") == CODECOMMIT]
            for name, items in credentials.items()
        }
        kind = CredentialKind.GIT_CREDENTIAL
        return self._with_credentials(users, Read.SERVICE_CREDENTIALS, kind, "ServiceSpecificCredentialId", credentials)

    def _of_all_users(self, node: Node, users: Iterable[str]) -> dict[str, list[Node]]:
        """The items of one answer about all users."""
        found: dict[str, list[Node]] = {name: [] for name in users}
        for item in node.items("ServiceSpecificCredentials"):
            name = item.text("UserName")
            if name in found:
                found[name].append(item)
            else:
                self._answers.gap(node.read, name, "in this answer only: no other answer knows the user")
        if node.truncated:
            self._answers.gap(node.read, "", "the answer is truncated: later pages were not read")
        return found

    def _with_credentials(
        self, users: dict[str, User], read: Read, kind: CredentialKind, id_name: str, items: Mapping[str, list[Node]]
    ) -> dict[str, User]:
        if self._answers.node(read) is None:
            return users
        in_part = self._answers.gaps_of(read)
        found = dict(users)
        for name, user in users.items():
            if name in items:
                credentials = [
                    Credential(kind, item.text(id_name), item.text("Status") == "Active" and not self._expired(item))
                    for item in items[name]
                ]
                found[name] = _with_kind(user, kind, credentials, whole=in_part.isdisjoint({"", name}))
            elif not self._was_asked_for(name):
                continue
            elif read in self._answers.exports.as_needed and name not in in_part:
                # Nobody asked, because such a credential is good for nothing here.
                found[name] = _with_kind(user, kind, [], whole=True)
            else:
                self._answers.gap(read, name, "not read for this user")
        return found

    def _was_asked_for(self, name: str) -> bool:
        asked = self._answers.exports.asked
        return asked is None or name in asked

    def _expired(self, item: Node) -> bool:
        expires = parse_time(item.get("ExpirationDate").value)
        return expires is not None and expires <= self._answers.taken

    # --- MFA devices -------------------------------------------------------------------------------------------------

    def _with_mfa(self, users: dict[str, User]) -> dict[str, User]:
        virtual = self._virtual_devices(users)
        listed = self._answers.per_user(Read.MFA_DEVICES, "MFADevices", users)
        for item in chain.from_iterable(listed.values()):
            owner = account_of_resource(item.text("SerialNumber"))
            if owner and self._answers.account:
                self._answers.check_same(item.read, owner, f"{item.where}.SerialNumber")
        # A part of an answer proves a device, and never the lack of one.
        parts = self._answers.gaps_of(Read.MFA_DEVICES)
        whole = {name: items for name, items in listed.items() if items or name not in parts}
        return {name: _with_devices(user, virtual.get(name, []), whole.get(name)) for name, user in users.items()}

    def _virtual_devices(self, users: Iterable[str]) -> dict[str, list[MfaDevice]]:
        """The virtual devices assigned to each user; notes on the way whether the root user has one."""
        node = self._answers.node(Read.VIRTUAL_MFA_DEVICES)
        found: dict[str, list[MfaDevice]] = {}
        if node is None:
            return found
        known = set(users)
        for item in node.items("VirtualMFADevices", required=True):
            owner = item.get("User")
            if not owner.value:  # a device that nobody uses
                continue
            arn = owner.text("Arn")
            self._answers.check_account(node.read, arn, f"{owner.where}.Arn")
            if arn.endswith(":root"):
                self._root_device = True
                continue
            name = owner.text("UserName")
            if name not in known:
                self._answers.gap(node.read, name, "in this answer only: no other answer knows the user")
            found.setdefault(name, []).append(MfaDevice(item.text("SerialNumber"), node.read))
        if node.truncated:
            self._answers.gap(node.read, "", "the answer is truncated: later pages were not read")
        return found


def _parse_report(text: str | None) -> CredentialReport | None:
    try:
        return None if text is None else parse_report(text)
    except ReportError as error:
        raise ExportError(Read.CREDENTIAL_REPORT, "", str(error)) from None


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
