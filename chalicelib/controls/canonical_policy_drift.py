"""canonical-policy-drift: a policy that should be canonical says something else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from chalicelib.config import CanonicalPolicy
from chalicelib.controls.base import Control, Result, State
from chalicelib.findings import Severity
from chalicelib.iam.account import Group, ManagedPolicy, Read, StoredPolicy, User
from chalicelib.iam.policy import PolicyDocument


def _check(control: Control, state: State) -> Iterator[Result]:
    for wanted in state.settings.canonical:
        if wanted.expected is None and wanted.version is None:
            yield control.not_evaluated("", f"the settings name neither a document nor a version of {wanted.name}")
            continue
        found = list(_stored(state, wanted))
        if not found:
            resource = f"arn:aws:iam::{state.snapshot.account}:policy/{wanted.name}"
            yield _finding(control, state, wanted, resource, ["it does not exist in the account"])
        for resource, managed, stored in found:
            if reasons := list(drift_of(wanted, managed, stored)):
                yield _finding(control, state, wanted, resource, reasons)


def _stored(state: State, wanted: CanonicalPolicy) -> Iterator[tuple[str, ManagedPolicy | None, StoredPolicy]]:
    """Where the policy is kept: as a managed policy, or inline with groups and users."""
    for arn, managed in state.snapshot.policies.items():
        if wanted.names(arn):
            yield arn, managed, managed.stored
    owners: tuple[User | Group, ...] = (*state.snapshot.groups.values(), *state.snapshot.users.values())
    for owner in owners:
        for stored in owner.inline:
            if stored.name == wanted.name:
                yield owner.arn, None, stored


def drift_of(wanted: CanonicalPolicy, managed: ManagedPolicy | None, stored: StoredPolicy) -> Iterator[str]:
    """Why a policy is not the canonical one, in words; nothing where it is. `managed` is None for an inline policy."""
    if wanted.version is not None and managed is not None and managed.version != wanted.version:
        yield f"its default version is {managed.version}, not {wanted.version}"
    if wanted.expected is None:
        return
    if stored.document is None:
        yield stored.complaint
    elif form_of(stored.document) != form_of(wanted.expected):
        yield f"it does not say what {wanted.document} says"


def form_of(document: PolicyDocument) -> tuple[str, list[str]]:
    """What a document says: without Sids, and whatever the order of its statements and lists."""
    return document.version, sorted(
        json.dumps(_sorted(s.to_json() | {"Sid": ""}), sort_keys=True) for s in document.statements
    )


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    return sorted(map(str, value)) if isinstance(value, list) else value


def _finding(control: Control, state: State, wanted: CanonicalPolicy, resource: str, reasons: list[str]) -> Result:
    evidence: dict[str, object] = {
        "summary": f"{wanted.name} is not the canonical policy: {'; '.join(reasons)}",
        "canonical": wanted.name,
        "reasons": reasons,
    }
    return control.finding(state, resource, Severity.HIGH, evidence, distinction=wanted.name)


CONTROL = Control(
    id="canonical-policy-drift",
    title="The canonical policy was changed",
    why=(
        "Everybody who carries the policy is guarded by its default version and no other. A version that was widened, "
        "or an older one made default again, opens all of them at once, and every attachment still looks right."
    ),
    fix="Make the right version the default one, or store the canonical document as a new default version.",
    needs=frozenset({Read.AUTHORIZATION_DETAILS}),
    check=_check,
    about_account=True,
)
