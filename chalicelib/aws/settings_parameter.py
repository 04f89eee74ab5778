"""The settings of a deployment: TOML in an SSM parameter. The documents that it names come with the bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from chalicelib.config import CanonicalPolicy, Settings, parse_settings
from chalicelib.controls import CONTROLS
from chalicelib.iam.policy import parse_policy
from chalicelib.policies import names, read_policy
from chalicelib.settings_file import SettingsError


def read_settings(name: str, value_of: Callable[[str], str], environment: Mapping[str, str]) -> Settings:
    """The settings in the parameter of that name, with those of the environment in their place.

    `value_of` is how a parameter is asked for; what it raises is passed on.

    Raises:
        SettingsError: they are none; the text names the parameter and the line.
    """
    try:
        settings = parse_settings(value_of(name), environment, [control.id for control in CONTROLS])
        return replace(settings, canonical=tuple(map(_with_document, settings.canonical)))
    except SettingsError as error:
        raise SettingsError(f"{name}: {error.where}" if error.where else name, error.reason) from None


def _with_document(policy: CanonicalPolicy) -> CanonicalPolicy:
    """The policy with the document of the folder policies/ that it names."""
    if policy.document is None:
        return policy
    found = policy.document.removeprefix("policies/").removesuffix(".json")
    if found not in names():
        there = ", ".join(f"policies/{name}.json" for name in names())
        raise SettingsError("canonical", f"no document {policy.document!r} comes with the bundle: there are {there}")
    return replace(policy, expected=parse_policy(read_policy(found)))
