"""Accounts from the examples of a page, and what is said of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chalicelib.audit import Audit, judge
from chalicelib.config import Settings, parse_settings
from chalicelib.controls import CONTROLS
from chalicelib.events.observed import Observed
from chalicelib.iam.exports import Exports, read_exports
from chalicelib.iam.policy import parse_policy
from tests.accounts.build import ADMIN, GUARD, TAKEN, Json, Person, exports, managed, role, swap, user_details
from tests.docs.pages import Block, Example, Page
from tests.events.git_records import observed

ALICE = "alice"
CONTROL_IDS = [control.id for control in CONTROLS]
HOLDS: dict[str, dict[str, Any]] = {
    "access-key": {"keys": ("true", "false")},
    "password": {"password": "true"},
    "ssh-key": {"ssh_keys": ["Active"]},
    "git-credential": {"git_credentials": ["Active"]},
}
CANONICAL = managed("RequireMfa", GUARD)


def _policy(answers: Exports, found: Any, name: str) -> Exports:
    """A document that the user carries."""
    user = _details(answers)
    stored = [
        *user["UserPolicyList"],
        {"PolicyName": f"example-{len(user['UserPolicyList'])}", "PolicyDocument": found},
    ]
    return _with(answers, UserDetailList=[user | {"UserPolicyList": stored}])


def _user(answers: Exports, found: Json, name: str) -> Exports:
    """Part of the user in the answer of get-account-authorization-details."""
    return _with(answers, UserDetailList=[_details(answers) | found])


def _trust(answers: Exports, found: Json, name: str) -> Exports:
    """The trust policy of the role deploy."""
    return _with(answers, RoleDetailList=[role("deploy", found)])


def _managed(answers: Exports, found: Json, name: str) -> Exports:
    """A managed policy, in place of those of the account."""
    return _with(answers, Policies=[found])


def _report(answers: Exports, found: str, name: str) -> Exports:
    """The credential report; where it stands, what is known of devices and Git credentials is what blocks tell."""
    nothing: Json = {name: {"ServiceSpecificCredentials": []}}
    return swap(
        answers, credential_report=found, virtual_mfa_devices={"VirtualMFADevices": []}, service_credentials=nothing
    )


def _answer(field: str) -> Callable[[Exports, Json, str], Exports]:
    """An answer that stands for one user."""
    return lambda answers, found, name: swap(answers, **{field: {name: found}})


KINDS: dict[str, Callable[[Exports, Any, str], Exports]] = {
    "policy": _policy,
    "user": _user,
    "trust": _trust,
    "managed": _managed,
    "report": _report,
    "mfa-devices": _answer("mfa_devices"),
    "ssh-public-keys": _answer("ssh_public_keys"),
    "record": lambda answers, found, name: answers,
}
"""What a block of an example can be; without `is=` it is a policy."""


def _details(answers: Exports) -> Json:
    found: Json = _all(answers)["UserDetailList"][0]
    return found


def _all(answers: Exports) -> Json:
    found = answers.authorization_details
    assert isinstance(found, dict)
    return found


def _with(answers: Exports, **lists: Any) -> Exports:
    return swap(answers, authorization_details=_all(answers) | lists)


def person_of(example: Example, name: str = ALICE) -> Person:
    """The user of an example: an administrator unless a block says what the user is allowed."""
    held: dict[str, Any] = {"keys": ("false", "false")}
    for credential in example.traits.get("holds", "access-key").split(","):
        held |= HOLDS[credential]
    beside = [] if "alone" in example.blocks[0].words else [ADMIN]
    return Person(name, inline=beside, **held)


def answers_of(example: Example, name: str = ALICE) -> Exports:
    """The account of an example, whose user can be given another name."""
    person = person_of(example, name)
    answers = exports(person, policies=[CANONICAL])
    assert user_details(person) == _details(answers)
    for block in example.blocks:
        text = block.text.replace(ALICE, name)
        kind = block.traits.get("is", "policy")
        answers = KINDS[kind](answers, text if block.language == "csv" else json.loads(text), name)
    return answers


def settings_of(page: Page, *more: Block) -> Settings:
    """The settings that count for every example of a page, with others; documents are those that the page shows."""
    text = "\n".join(block.text for block in (*more, *page.settings("base")))
    settings = parse_settings(text, {}, CONTROL_IDS)
    shown = [parse_policy(block.text) for block in page.blocks if block.traits.get("is") == "canonical"]
    canonical = (replace(one, expected=shown[0]) if one.document else one for one in settings.canonical)
    return replace(settings, canonical=tuple(canonical))


def audit_of(page: Page, example: Example, *more: Block, name: str = ALICE) -> Audit:
    """The audit of an example by the control that its page is about."""
    asked = [control for control in CONTROLS if control.id == page.path.stem]
    snapshot = read_exports(answers_of(example, name), TAKEN)
    return judge(snapshot, asked, settings=settings_of(page, *more), observed=observed_of(example, name))


def observed_of(example: Example, name: str) -> Observed | None:
    """What was seen to happen, by the records of the example; None without any."""
    records = [json.loads(b.text.replace(ALICE, name)) for b in example.blocks if b.traits.get("is") == "record"]
    return observed(*records) if records else None
