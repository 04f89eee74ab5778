"""GetAccountAuthorizationDetails → users, groups, roles and managed policies with their parsed documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chalicelib.iam.account import Gap, Group, ManagedPolicy, PolicyVersion, Role, StoredPolicy, User
from chalicelib.iam.answers import ExportError, Node
from chalicelib.iam.documents import kind_of, stored_text
from chalicelib.iam.policy import PolicyDocument, parse_policy
from chalicelib.iam.statement import PolicyError, PolicyKind
from chalicelib.iam.values import parse_time

OF_AWS = ":iam::aws:policy/"
"""What the ARN of a policy holds that AWS keeps itself."""

CheckAccount = Callable[[str, str], None]
"""(an ARN, its place) → nothing, or ExportError when it is of another account."""


class Details:
    """The parts of one answer. Equal documents are parsed once, so that whoever carries them shares them."""

    def __init__(self, answer: Node, check_account: CheckAccount) -> None:
        self._answer = answer
        self._check_account = check_account
        self._parsed: dict[tuple[PolicyKind, str], tuple[PolicyDocument | None, PolicyError | None]] = {}
        self._seen: set[tuple[str, str]] = set()
        self.gaps: list[Gap] = []
        """What the answer lacks; complete once all its parts were read."""
        if answer.truncated:
            self.gaps.append(Gap(answer.read, "", "the answer is truncated: later pages were not read"))

    def users(self) -> Iterator[User]:
        """The users; nothing is known yet of their credentials."""
        for node in self._answer.items("UserDetailList", required=True):
            arn, name = node.text("Arn"), node.text("UserName")
            self._check_account(arn, f"{node.where}.Arn")
            self._once("user", name, node)
            boundary = node.get("PermissionsBoundary")
            yield User(
                name=name,
                arn=arn,
                id=node.maybe_text("UserId"),
                created=parse_time(node.get("CreateDate").value),
                tags={tag.text("Key"): tag.maybe_text("Value") for tag in node.items("Tags")},
                groups=tuple(self._strings(node, "GroupList")),
                attached=self._attached(node),
                inline=self._inline(node, "UserPolicyList"),
                boundary=None if boundary.value is None else boundary.text("PermissionsBoundaryArn"),
            )

    def groups(self) -> Iterator[Group]:
        """The groups."""
        for node in self._answer.items("GroupDetailList"):
            name = node.text("GroupName")
            self._once("group", name, node)
            yield Group(
                name=name,
                arn=node.text("Arn"),
                attached=self._attached(node),
                inline=self._inline(node, "GroupPolicyList"),
            )

    def roles(self) -> Iterator[Role]:
        """The roles."""
        for node in self._answer.items("RoleDetailList"):
            name, boundary = node.text("RoleName"), node.get("PermissionsBoundary")
            self._once("role", name, node)
            trust = node.get("AssumeRolePolicyDocument").value
            yield Role(
                name=name,
                arn=node.text("Arn"),
                trust=self._stored(f"trust policy of role {name}", trust, PolicyKind.RESOURCE),
                id=node.maybe_text("RoleId"),
                attached=self._attached(node),
                inline=self._inline(node, "RolePolicyList"),
                boundary=None if boundary.value is None else boundary.text("PermissionsBoundaryArn"),
                tags={tag.text("Key"): tag.maybe_text("Value") for tag in node.items("Tags")},
            )

    def policies(self) -> Iterator[ManagedPolicy]:
        """The managed policies, each in its default version; one without becomes a gap."""
        for node in self._answer.items("Policies"):
            arn, wanted = node.text("Arn"), node.maybe_text("DefaultVersionId")
            self._once("policy", arn, node)
            versions = list(node.items("PolicyVersionList"))
            default = [
                version
                for version in versions
                if (
                    version.maybe_text("VersionId") == wanted
                    if wanted
                    else version.get("IsDefaultVersion").value is True
                )
            ]
            if len(default) != 1 or default[0].get("Document").value is None:
                self.gaps.append(Gap(self._answer.read, arn, "its default version is not in the answer"))
                continue
            document = default[0].get("Document").value
            kept = () if OF_AWS in arn else tuple(_versions(versions))
            yield ManagedPolicy(arn, default[0].maybe_text("VersionId"), self._stored(arn, document), kept)

    def _once(self, kind: str, name: str, node: Node) -> None:
        if (kind, name) in self._seen:
            raise ExportError(self._answer.read, node.where, f"{kind} {name} stands twice")
        self._seen.add((kind, name))

    @staticmethod
    def _strings(node: Node, name: str) -> Iterator[str]:
        for item in node.items(name):
            if not isinstance(item.value, str):
                raise ExportError(node.read, item.where, f"must be a string, not {kind_of(item.value)}")
            yield item.value

    @staticmethod
    def _attached(node: Node) -> tuple[str, ...]:
        return tuple(item.text("PolicyArn") for item in node.items("AttachedManagedPolicies"))

    def _inline(self, node: Node, name: str) -> tuple[StoredPolicy, ...]:
        return tuple(
            self._stored(item.text("PolicyName"), item.get("PolicyDocument").value) for item in node.items(name)
        )

    def _stored(self, name: str, document: object, kind: PolicyKind = PolicyKind.IDENTITY) -> StoredPolicy:
        """Parse a document; the same document is parsed once, so that users who carry it share it."""
        try:
            key = kind, stored_text(document)
        except (RecursionError, ValueError):
            return StoredPolicy(name, None, PolicyError("", "nested too deep"))
        if key not in self._parsed:
            try:
                self._parsed[key] = parse_policy(document, kind), None
            except PolicyError as error:
                self._parsed[key] = None, error
        return StoredPolicy(name, *self._parsed[key], key[1])


def _versions(nodes: list[Node]) -> Iterator[PolicyVersion]:
    found = [(node.maybe_text("VersionId"), node.get("Document").value) for node in nodes]
    versions = []
    for version, document in found:
        try:
            versions.append(PolicyVersion(version, stored_text(document) if document is not None else ""))
        except (RecursionError, ValueError):
            versions.append(PolicyVersion(version, ""))
    yield from sorted(versions, key=lambda one: one.number)
