"""The template that `make package` writes, made with Chalice's own parts and no download, and those beside it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from chalice.config import Config
from chalice.deploy.appgraph import ApplicationGraphBuilder, DependencyBuilder
from chalice.deploy.deployer import (
    BuildStage,
    DeploymentPackager,
    InjectDefaults,
    PolicyGenerator,
    SwaggerBuilder,
)
from chalice.deploy.packager import LambdaDeploymentPackager
from chalice.deploy.swagger import CFNSwaggerGenerator
from chalice.package import PackageOptions, ResourceBuilder, SAMTemplateGenerator, TemplateDeepMerger
from chalice.policy import AppPolicyGenerator
from chalice.utils import OSUtils
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
CHALICE = ROOT / ".chalice"
MEMBER_FILE = CHALICE / "member-account.yaml"
FORWARDING_FILE = CHALICE / "forwarding.yaml"
REMEDIATION_FILE = CHALICE / "member-remediation.yaml"
ACCOUNT = "111122223333"
REGION = "eu-central-1"
STAGES = ("dev", "prod")
NAMES = {
    "sweep": "Sweep",
    "audit_account": "AuditAccount",
    "decide": "Decide",
    "hear_change": "HearChange",
    "hear_git": "HearGit",
    "hear_log_file": "HearLogFile",
    "audit_change": "AuditChange",
    "deliver": "Deliver",
    "remediate": "Remediate",
    "api_handler": "APIHandler",
    "authorize": "Authorize",
}
"""Function, as app.py names it, or Chalice where it serves the routes → its resource."""
HEARING = ("hear_change", "hear_git", "hear_log_file")
TELLING = ("audit_change", "deliver")

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
"""The id of the topics' key in the examples."""
NO_VALUE = {"Ref": "AWS::NoValue"}
"""What takes a property away."""

Json = dict[str, Any]


class _Packager(LambdaDeploymentPackager):
    """Packs nothing."""

    def __init__(self) -> None:
        pass

    def create_deployment_package(self, project_dir: str, python_version: str) -> str:
        return "./deployment.zip"


class _Options(PackageOptions):
    """Asks nobody for the name of a service."""

    def __init__(self) -> None:
        pass

    def service_principal(self, service: str) -> str:
        return f"{service}.amazonaws.com"


def packaged(**variables: str) -> Any:
    """The module `app`, loaded as `chalice package` loads it: with the environment of a stage."""
    module = importlib.util.spec_from_file_location("packaged_app", ROOT / "app.py")
    assert module is not None
    assert module.loader is not None
    app = importlib.util.module_from_spec(module)
    with patch.dict("os.environ", variables):
        module.loader.exec_module(app)
    return app


@cache
def rendered(stage: str, **variables: str) -> Json:
    """The template of a stage. `chalice package` renders it in the same steps, and makes the bundle in between.

    `variables` are those that the stage's environment in .chalice/config.json has beside the others.
    """
    from_disk = json.loads((CHALICE / "config.json").read_text())
    from_disk["stages"][stage]["environment_variables"] = variables
    config = Config(chalice_stage=stage, config_from_disk=from_disk)
    app = packaged(**config.environment_variables)
    config = Config(
        chalice_stage=stage,
        user_provided_params={"chalice_app": app.app, "project_dir": str(ROOT)},
        config_from_disk=from_disk,
    )
    steps = [
        InjectDefaults(),
        DeploymentPackager(_Packager()),
        PolicyGenerator(AppPolicyGenerator(OSUtils()), OSUtils()),
        SwaggerBuilder(CFNSwaggerGenerator()),
    ]
    builder = ResourceBuilder(ApplicationGraphBuilder(), DependencyBuilder(), BuildStage(steps))
    template = SAMTemplateGenerator(config, _Options()).generate(builder.construct_resources(config, stage))
    merged: Json = TemplateDeepMerger().merge(json.loads((CHALICE / "resources.json").read_text()), template)
    return merged


@cache
def transformed(stage: str = "prod") -> Json:
    """What AWS makes of a stage's template before it makes the resources: functions, their rules and permissions."""
    template: Json = json.loads(json.dumps(rendered(stage)))
    for one in template["Resources"].values():
        if one["Type"] == "AWS::Serverless::Function":
            one["Properties"]["CodeUri"] = "s3://bucket/key"
    with patch.dict("os.environ", AWS_DEFAULT_REGION=REGION):
        found: Json = transform(template, {}, None)
    return found


def resources(kind: str, stage: str = "prod") -> dict[str, Json]:
    """The properties of the resources of a type, by name."""
    found: dict[str, Json] = rendered(stage)["Resources"]
    return {name: resource["Properties"] for name, resource in found.items() if resource["Type"] == kind}


def function(name: str, stage: str = "prod") -> Json:
    """The properties of a function, by its name in app.py."""
    return resources("AWS::Serverless::Function", stage)[NAMES[name]]


def deployed_name(name: str) -> str:
    """What a function is called in Lambda."""
    return "mfawatch-api" if name == "api_handler" else f"mfawatch-{name.replace('_', '-')}"


def role(name: str, stage: str = "prod") -> Json:
    """The properties of a function's role."""
    logical, attribute = function(name, stage)["Role"]["Fn::GetAtt"]
    assert attribute == "Arn"
    return resources("AWS::IAM::Role", stage)[logical]


@cache
def member() -> Json:
    """The template of a member account."""
    template: Json = yaml.safe_load(MEMBER_FILE.read_text())
    return template


@cache
def member_remediation() -> Json:
    """The template of a member account that may be put right."""
    template: Json = yaml.safe_load(REMEDIATION_FILE.read_text())
    return template


@cache
def forwarding() -> Json:
    """The template that forwards events from another account or region."""
    template: Json = yaml.safe_load(FORWARDING_FILE.read_text())
    return template


@cache
def _parts() -> Json:
    """What the hub's template is merged with; it has all parameters and conditions."""
    parts: Json = json.loads((CHALICE / "resources.json").read_text())
    return parts


def holds(condition: Any, conditions: Json, **parameters: str) -> bool:
    """Whether a condition of a template holds; `conditions` are those that it may name."""
    [(operator, operands)] = condition.items()
    if operator == "Condition":
        return holds(conditions[operands], conditions, **parameters)
    if operator == "Fn::Equals":
        first, second = resolve(operands, **parameters)
        return bool(first == second)
    if operator == "Fn::Not":
        return not holds(operands[0], conditions, **parameters)
    assert operator == "Fn::And"
    return all(holds(one, conditions, **parameters) for one in operands)


def made(template: Json, **parameters: str) -> dict[str, Json]:
    """The resources that a stack of the template makes, by name."""
    conditions: Json = template["Conditions"]
    found: dict[str, Json] = template["Resources"]
    return {
        name: one
        for name, one in found.items()
        if "Condition" not in one or holds(conditions[one["Condition"]], conditions, **parameters)
    }


def resolve(value: Any, **parameters: str) -> Any:
    """The value with what CloudFormation's functions make of parameters and AWS's pseudo parameters.

    `Fn::If` asks a condition of the hub's template, whose parameters have their defaults where none are given; the
    conditions of the other templates are the same.
    """
    if isinstance(value, list):
        return [one for one in (resolve(each, **parameters) for each in value) if one != NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (made := _FUNCTIONS.get(next(iter(value)))):
        return made(next(iter(value.values())), parameters)
    found = {key: resolve(one, **parameters) for key, one in value.items()}
    return {key: one for key, one in found.items() if one != NO_VALUE}


_Parameters = Mapping[str, str]


def _known(parameters: _Parameters) -> dict[str, str]:
    return {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT} | dict(parameters)


def _ref(name: str, parameters: _Parameters) -> Any:
    known = _known(parameters)
    if _parts()["Parameters"].get(name, {}).get("Type") == "CommaDelimitedList" and name in known:
        return known[name].split(",")
    return known.get(name, {"Ref": name})


def _attribute(of: list[str], parameters: _Parameters) -> Any:
    if of != ["AlarmsKey", "Arn"]:
        return {"Fn::GetAtt": of}
    known = _known(parameters)
    return f"arn:aws:kms:{known['AWS::Region']}:{known['AWS::AccountId']}:key/{KEY}"


def _sub(of: Any, parameters: _Parameters) -> str:
    text, own = (of, {}) if isinstance(of, str) else (of[0], resolve(of[1], **parameters))
    for name, meaning in (_known(parameters) | own).items():
        text = text.replace(f"${{{name}}}", meaning)
    assert "${" not in text
    return str(text)


def _if(of: list[Any], parameters: _Parameters) -> Any:
    name, then, otherwise = of
    defaults = {name: one["Default"] for name, one in _parts()["Parameters"].items()}
    conditions = _parts()["Conditions"]
    return resolve(
        then if holds(conditions[name], conditions, **defaults | dict(parameters)) else otherwise, **parameters
    )


def _join(of: list[Any], parameters: _Parameters) -> str:
    delimiter, parts = of
    return str(delimiter).join(resolve(parts, **parameters))


def _split(of: list[Any], parameters: _Parameters) -> list[str]:
    delimiter, text = of
    return str(resolve(text, **parameters)).split(delimiter)


_FUNCTIONS: dict[str, Callable[[Any, _Parameters], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _attribute,
    "Fn::Sub": _sub,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Split": _split,
}
