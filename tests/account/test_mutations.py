"""Answers with something wrong in them, at random: they are read or refused, and nothing else happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.audit import judge
from chalicelib.iam.account import AccountSnapshot
from chalicelib.iam.answers import ExportError
from chalicelib.iam.documents import JsonError, parse_json
from chalicelib.iam.exports import Exports, read_exports
from tests.accounts import ANSWERS, DEMO, load_exports
from tests.accounts.build import (
    ADMIN,
    FULL_ACCESS,
    GUARD,
    TAKEN,
    Person,
    exports,
    group,
    key_arn,
    managed,
    mfa_device,
    repositories,
    role,
    service_credential,
    swap,
)

EXAMPLE = load_exports(DEMO)
SMALL = swap(
    exports(
        Person(
            inline=[ADMIN, json.dumps(GUARD)], groups=["staff"], attached=["guard"], boundary="limit", tags={"a": "b"}
        ),
        Person("bob", inline=[ADMIN], devices=1, ssh_keys=["Active"], virtual=False, created=1767600000),
        groups=[group("staff", ADMIN, attached=["guard"])],
        policies=[managed("guard", ADMIN, GUARD, default=2), managed("limit", ADMIN)],
        roles=[role("deploy", GUARD)],
        scps=[FULL_ACCESS, [ADMIN, GUARD], FULL_ACCESS],
        repository_keys=repositories({"app": key_arn("one"), "lib": "two"}, {key_arn("one"): ADMIN}),
    ),
    service_credentials={"ServiceSpecificCredentials": [service_credential("bob", expires=1790000000)]},
    mfa_devices={"alice": {"MFADevices": []}, "bob": {"MFADevices": [mfa_device("bob")]}},
)
JSON_ANSWERS = [name for name in ANSWERS if name != "credential_report"]

STRANGE: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, 10**400, "", " ", "x", "\x00", "\ud800", "\u202e", "arn:",
    "arn:aws:iam::1:user/a",
    "arn:aws:iam::999988887777:user/x", "*", "%", "%ff", "{", "[]", [], {}, [[]], [None], {"": ""}, {"a": None},
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-02-30", [[[[[[]]]]]], "x" * 70_000,
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON value."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def edited(value: Any, path: tuple[Any, ...], edit: Callable[[Any, Any], None]) -> Any:
    """A copy of a JSON value, with the container at the end of the path edited."""
    if len(path) == 1:
        copy = value.copy()
        edit(copy, path[0])
        return copy
    copy = value.copy()
    copy[path[0]] = edited(value[path[0]], path[1:], edit)
    return copy


def delete(container: Any, key: Any) -> None:
    """Leave the value out."""
    del container[key]


def truncate(container: Any, key: Any) -> None:
    """Cut a list, a text or an object in half."""
    value = container[key]
    if isinstance(value, dict):
        container[key] = dict(list(value.items())[: len(value) // 2])
    elif isinstance(value, list | str):
        container[key] = value[: len(value) // 2]


def repeat(container: Any, key: Any) -> None:
    """Let every item of a list stand twice."""
    value = container[key]
    container[key] = [*value, *value] if isinstance(value, list) else [value, value]


def put(strange: Any) -> Callable[[Any, Any], None]:
    """Put another value in the place."""

    def edit(container: Any, key: Any) -> None:
        container[key] = strange

    return edit


EDITS = st.one_of(st.sampled_from([delete, truncate, repeat]), st.sampled_from(STRANGE).map(put))
ALL_PLACES = {
    id(source): {name: list(places(getattr(source, name))) for name in JSON_ANSWERS} for source in (EXAMPLE, SMALL)
}


def mutants(source: Exports) -> st.SearchStrategy[Exports]:
    """The answers with up to three changes in one of them."""

    def mutate(name: str, changes: list[tuple[int, Callable[[Any, Any], None]]]) -> Exports:
        value = getattr(source, name)
        known = ALL_PLACES[id(source)][name]
        for number, edit in changes:
            try:
                value = edited(value, known[number % len(known)], edit)
            except (KeyError, IndexError, TypeError, AttributeError):  # an earlier change has taken the place away
                continue
        return swap(source, **{name: value})

    changes = st.lists(st.tuples(st.integers(0, 10**6), EDITS), min_size=1, max_size=3)
    return st.builds(mutate, st.sampled_from([name for name in JSON_ANSWERS if ALL_PLACES[id(source)][name]]), changes)


def read_or_refuse(answers: Exports) -> AccountSnapshot | None:
    """The snapshot, or None where the answers are refused in one line."""
    try:
        return read_exports(answers, TAKEN)
    except ExportError as error:
        told = str(error)
    assert told
    assert "\n" not in told
    return None


@settings(max_examples=80)
@given(answers=mutants(EXAMPLE))
def test_the_example_account_with_something_wrong(answers: Exports) -> None:
    read_or_refuse(answers)


@settings(max_examples=250)
@given(answers=mutants(SMALL))
def test_what_is_read_can_be_judged_and_told(answers: Exports) -> None:
    snapshot = read_or_refuse(answers)
    if snapshot is not None:
        json.dumps(judge(snapshot).to_json())


REPORT = EXAMPLE.credential_report or ""


@settings(max_examples=150)
@given(
    start=st.integers(0, len(REPORT)),
    length=st.integers(0, 60),
    text=st.one_of(st.text(max_size=8), st.sampled_from(['"', ",", "\n", "\r", "\x00", "true", "<html>", "\ufeff"])),
)
def test_a_report_with_something_wrong(start: int, length: int, text: str) -> None:
    report = REPORT[:start] + text + REPORT[start + length :]
    read_or_refuse(swap(SMALL, authorization_details=None, virtual_mfa_devices=None, credential_report=report))


TEXTS = {
    name: (DEMO / ANSWERS[name]).read_text(encoding="utf-8")
    if getattr(EXAMPLE, name)
    else json.dumps(getattr(SMALL, name))
    for name in JSON_ANSWERS
}


@settings(max_examples=100)
@given(
    name=st.sampled_from(sorted(TEXTS)),
    start=st.integers(0, 10**6),
    length=st.integers(0, 3),
    text=st.sampled_from(["", "{", "}", "[", '"', ",", "null", "\\", "\x00", "1e999", "NaN", "]}"]),
)
def test_a_file_with_something_wrong(name: str, start: int, length: int, text: str) -> None:
    whole = TEXTS[name]
    start %= len(whole)
    try:
        value = parse_json(whole[:start] + text + whole[start + length :])
    except JsonError:
        return
    read_or_refuse(swap(EXAMPLE, **{name: value}))
