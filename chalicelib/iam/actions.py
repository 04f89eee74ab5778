"""The catalogue of IAM actions: access level, resource types and condition keys of each.

The facts are AWS's Service Authorization Reference, by way of the package that `Source` names; they lie in
`data/actions.jsonl.gz`, which `chalicelib.local.build_catalogue` writes and describes. Two rules of AWS rest on them:
an action without resource types is covered by Resource "*" alone, and a condition key that the service does not put
into a request is absent from it.

The file has one line a service, and a line is parsed when its service is first asked for: most audits need a few
services out of hundreds.
"""

from __future__ import annotations

import gzip
import importlib.resources
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property, lru_cache
from itertools import chain

from chalicelib.iam.patterns import ActionPatterns

DATA_FILE = "actions.jsonl.gz"

_GLOBAL_KEYS = """
    aws:PrincipalArn aws:PrincipalAccount aws:PrincipalOrgPaths aws:PrincipalOrgID aws:PrincipalTag/
    aws:PrincipalIsAWSService aws:PrincipalServiceName aws:PrincipalServiceNamesList aws:PrincipalType
    aws:userid aws:username

    aws:AssumedRoot aws:FederatedProvider aws:TokenIssueTime aws:SignInSessionArn aws:MultiFactorAuthAge
    aws:MultiFactorAuthPresent aws:ChatbotSourceArn aws:Ec2InstanceSourceVpc aws:Ec2InstanceSourcePrivateIPv4
    aws:SourceIdentity ec2:RoleDelivery ec2:SourceInstanceArn glue:RoleAssumedBy glue:CredentialIssuingService
    codebuild:BuildArn codebuild:ProjectArn lambda:SourceFunctionArn ssm:SourceInstanceArn identitystore:UserId
    saml:namequalifier saml:sub saml:sub_type

    aws:SourceIp aws:SourceVpc aws:SourceVpcArn aws:SourceVpce aws:VpceAccount aws:VpceOrgID aws:VpceOrgPaths
    aws:VpcSourceIp

    aws:ResourceAccount aws:ResourceOrgID aws:ResourceOrgPaths

    aws:CalledVia aws:CalledViaFirst aws:CalledViaLast aws:CalledViaAWSMCP aws:ViaAWSService aws:ViaAWSMCPService
    aws:CurrentTime aws:EpochTime aws:referer aws:RequestedRegion aws:SecureTransport aws:SourceAccount aws:SourceArn
    aws:SourceOrgID aws:SourceOrgPaths aws:UserAgent aws:IsMcpServiceAction
"""
GLOBAL_KEYS = frozenset(_GLOBAL_KEYS.lower().split())
"""Condition keys that a request of any action can carry, lower-cased; one that ends in "/" is a prefix.

By paragraph: properties of the principal, the session, the network, the resource and the request, as the table in the
IAM User Guide, "AWS global condition context keys", has them; to the session come the SAML keys that stay with it
("IAM and AWS STS condition context keys"). Three keys of that table are left out, because AWS puts them only into
requests of the actions that list them: aws:RequestTag/…, aws:ResourceTag/… and aws:TagKeys.
"""

GLOBAL_MULTIVALUED_KEYS = frozenset(
    {
        "aws:calledvia", "aws:principalorgpaths", "aws:principalservicenameslist", "aws:resourceorgpaths",
        "aws:sourceorgpaths", "aws:vpceorgpaths",
    }
)  # fmt: skip
"""The global keys that hold several values (same table); aws:TagKeys is in the data."""

# "aws:RequestTag/team" and "kms:EncryptionContext:app" up to where the caller's own name begins.
_PREFIX = re.compile(r"[^:/]+:[^:/]+[:/]")


class AccessLevel(StrEnum):
    """What an action does to a resource, in AWS's words."""

    LIST = "List"
    READ = "Read"
    WRITE = "Write"
    PERMISSIONS_MANAGEMENT = "Permissions management"
    TAGGING = "Tagging"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the facts come from: a package, its version and its licence."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A type of resource that an action takes.

    `arn` is the pattern as AWS prints it: `arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}`. `required` says
    that every request of the action names one; of types that are not required, a request names one or some.
    """

    name: str
    arn: str
    required: bool


@dataclass(frozen=True, slots=True)
class Action:
    """One IAM action, under its canonical name: `codecommit:GitPull`.

    Without resource types only Resource "*" covers it. `condition_keys` are the keys that its requests can carry
    besides the global ones, the action's own and those of its resource types, in lower case. A key whose end the
    caller names, `aws:RequestTag/${TagKey}`, stands there as the prefix before that name: `aws:requesttag/`. Prefixes
    end in "/" or ":", whole keys never do.
    """

    name: str
    access_level: AccessLevel
    resource_types: tuple[ResourceType, ...]
    condition_keys: frozenset[str]


class Catalogue:
    """All IAM actions. Names compare without regard to case.

    `source` says where the facts come from; `added` names the actions that the builder added to them.
    """

    def __init__(self, text: str) -> None:
        head, *lines = text.removesuffix("\n").split("\n")
        header = json.loads(head)
        key_sets: list[str] = header["key_sets"]
        self.source = Source(**header["source"])
        self.added: tuple[str, ...] = tuple(header["added"])
        self._multivalued = GLOBAL_MULTIVALUED_KEYS.union(header["multivalued"])
        self._size: int = header["actions"]
        self._lines: dict[str, str] = dict(zip(header["services"], lines, strict=True))
        self._services: dict[str, _Service] = {}
        self._key_sets = range(len(key_sets))
        # Shared by the actions that have the same keys.
        self._keys_of = cache(lambda index: frozenset(key_sets[index].split()))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Action]:
        """All actions, sorted by service and name."""
        return chain.from_iterable(self._service(prefix).actions.values() for prefix in self._lines)

    def services(self) -> Sequence[str]:
        """The service prefixes, sorted."""
        return tuple(self._lines)

    def find(self, action: str) -> Action | None:
        """The action of that name, or None for one that AWS did not document when the data was taken."""
        prefix, _, name = action.lower().partition(":")
        return self._service(prefix).actions.get(name) if prefix in self._lines else None

    def matching(self, pattern: str) -> Sequence[str]:
        """The canonical names that an entry of an Action element matches, sorted by service and name."""
        entry = ActionPatterns((pattern,))
        prefix = pattern.partition(":")[0].lower()
        services = (prefix,) if prefix in self._lines else self.services()
        names = chain.from_iterable(self._service(service).names for service in services)
        return tuple(name for name in names if entry.matches(name.lower()))

    def knows_key(self, key: str) -> bool:
        """Whether AWS documents the condition key, as a global one or for some action."""
        return is_global(key) or not key_forms(key).isdisjoint(self._known_keys)

    def is_multivalued(self, key: str) -> bool:
        """Whether the condition key holds several values, even in a request that carries one."""
        return not key_forms(key).isdisjoint(self._multivalued)

    def supports_key(self, action: str, key: str) -> bool:
        """Whether a request of the action can carry the condition key.

        False is a statement of fact: AWS lists the key for other actions and not for this one. Of an action or a key
        that the catalogue does not know nothing can be ruled out, so the answer is True; `find` and `knows_key` tell.
        """
        found = self.find(action)
        if found is None or is_global(key) or not key_forms(key).isdisjoint(found.condition_keys):
            return True
        return not self.knows_key(key)

    def _service(self, prefix: str) -> _Service:
        if prefix not in self._services:
            self._services[prefix] = _Service(prefix, self._lines[prefix], self._keys_of)
        return self._services[prefix]

    @cached_property
    def _known_keys(self) -> frozenset[str]:
        return frozenset().union(*map(self._keys_of, self._key_sets))


class _Service:
    """The actions of one service."""

    def __init__(self, prefix: str, line: str, keys_of: Callable[[int], frozenset[str]]) -> None:
        record = json.loads(line)
        self._prefix = prefix
        self._arns: dict[str, str] = record["resources"]
        self._rows: list[tuple[str, list[str], int, str]] = record["actions"]
        self._keys_of = keys_of

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The canonical names, sorted."""
        return tuple(sorted(f"{self._prefix}:{name}" for *_, names in self._rows for name in names.split()))

    @cached_property
    def actions(self) -> dict[str, Action]:
        """Lower-case name without the prefix → action, sorted."""
        found: dict[str, Action] = {}
        for level, types, key_set, names in self._rows:
            access_level = AccessLevel(level)
            resource_types = tuple(map(self._resource_type, types))
            keys = self._keys_of(key_set)
            for name in names.split():
                found[name] = Action(f"{self._prefix}:{name}", access_level, resource_types, keys)
        return {name.lower(): found[name] for name in sorted(found)}

    def _resource_type(self, text: str) -> ResourceType:
        name = text.removesuffix("*")
        return ResourceType(name, self._arns[name], required=name != text)


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with this package."""
    packed = importlib.resources.files("chalicelib.iam.data").joinpath(DATA_FILE).read_bytes()
    return Catalogue(gzip.decompress(packed).decode())


@lru_cache(maxsize=4096)
def key_forms(key: str) -> frozenset[str]:
    """The forms under which the catalogue may hold a key: itself and, where the caller names its end, the prefix."""
    key = key.lower()
    prefix = _PREFIX.match(key)
    return frozenset((key, prefix[0])) if prefix else frozenset((key,))


def is_global(key: str) -> bool:
    """Whether a request of any action can carry the key."""
    # A key named for the host of an identity provider ("accounts.google.com:sub") stays with the session it opened.
    return "." in key.partition(":")[0] or not key_forms(key).isdisjoint(GLOBAL_KEYS)
