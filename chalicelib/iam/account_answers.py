"""All of AWS's answers about one account: which were given, whose they are, and what is missing in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from chalicelib.iam.account import Gap, Read
from chalicelib.iam.answers import ExportError, Node
from chalicelib.iam.principals import parse_principal


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


class AccountAnswers:
    """The answers as they are understood; on the way it turns out whose account it is, and what is missing."""

    def __init__(self, exports: Exports, taken: datetime) -> None:
        self.exports = exports
        self.taken = taken
        self.gaps = list(exports.gaps)
        self.account = ""

    def given(self) -> frozenset[Read]:
        """The answers that are there; those that are missed become gaps."""
        given = frozenset(read for read in Read if self.node(read))
        told = {gap.read for gap in self.gaps if not gap.subject}
        replaced = _replaced(given, self.exports.asked) | (self.exports.as_needed & {Read.REPOSITORY_KEYS})
        for read in Read:
            if read not in given | told | replaced:
                self.gap(read, "", "not read")
        return given

    def node(self, read: Read) -> Node | None:
        """An answer; None where it is not there."""
        value = getattr(self.exports, read.name.lower())
        return None if value is None else Node(read, value)

    def gap(self, read: Read, subject: str, reason: str) -> None:
        """Note what could not be read."""
        self.gaps.append(Gap(read, subject, reason))

    def gaps_of(self, read: Read) -> frozenset[str]:
        """The subjects of which a read is known in part at best."""
        return frozenset(gap.subject for gap in self.gaps if gap.read is read)

    def check_account(self, read: Read, arn: str, where: str) -> None:
        """Every ARN must be of one account: files of two accounts are no account."""
        try:
            account = parse_principal(arn).account
        except ValueError as error:
            raise ExportError(read, where, str(error)) from None
        self.account = self.account or account
        self.check_same(read, account, where)

    def check_same(self, read: Read, account: str, where: str) -> None:
        """An account found at a place must be the one that the other answers are about."""
        if account != self.account:
            raise ExportError(read, where, f"is of account {account}, the rest is of account {self.account}")

    def known(self, read: Read, names: Iterable[str], users: Iterable[str]) -> Iterator[str]:
        """The names in an answer about single users; one that no other answer knows is a gap."""
        known = set(users)
        for name in names:
            if name in known:
                yield name
            else:
                self.gap(read, name, "in this answer only: no other answer knows the user")

    def per_user(self, read: Read, name: str, users: Iterable[str]) -> dict[str, list[Node]]:
        """The items of each user's answer, for the users whose answer is whole."""
        node = self.node(read)
        found: dict[str, list[Node]] = {}
        if node is None:
            return found
        for user in self.known(read, node.mapping(), users):
            answer = node.get(user)
            found[user] = list(answer.items(name, required=True))
            if answer.truncated:
                self.gap(read, user, "the answer is truncated: later pages were not read")
        return found


def _replaced(given: Collection[Read], asked: Collection[str] | None) -> frozenset[Read]:
    """The reads that are not missed, because others say the same: the report, or the answers about single users."""
    of_users = frozenset({Read.LOGIN_PROFILES, Read.ACCESS_KEYS})
    report = {Read.CREDENTIAL_REPORT} if of_users <= set(given) else set()
    return of_users | report | (set() if asked is None else {Read.VIRTUAL_MFA_DEVICES})
