"""JSON values out of a text that comes in pieces: all of them wherever it is cut, and what is broken with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.local import json_values as module
from chalicelib.local.json_values import json_values

VALUES: dict[str, tuple[str, list[object]]] = {
    "nothing": ("", []),
    "white space": (" \n\t ", []),
    "an object": ('{"a": 1}', [{"a": 1}]),
    "a byte order mark": ('\ufeff{"a": 1}', [{"a": 1}]),
    "several, with and without space between them": (
        '{"a":1}{"b":2}\n\n{"c":3}\t{"d":4}',
        [{"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}],
    ),
    "lines": ('{"a": 1}\r\n{"b": 2}\r\n', [{"a": 1}, {"b": 2}]),
    "numbers": ("12 13.5e2 77", [12, 1350.0, 77]),
    "texts": (r'"a\u00e9\"b" "\ud83d\ude00"', ['aé"b', "😀"]),
    "an array": ('[{"a": 1}, {"b": [2]}]', [{"a": 1}, {"b": [2]}]),
    "an empty array": ("[]", []),
    "records": ('{"Records": [{"a": 1}, {"b": 2}]}', [{"a": 1}, {"b": 2}]),
    "no records": ('{ "Records" : [ ] }', []),
    "files of records one after the other": ('{"Records":[{"a":1}]}\n{"Records":[{"b":2}]}', [{"a": 1}, {"b": 2}]),
    "events with a token": (
        '{\n  "Events": [{"a": 1}, {"b": 2}],\n  "NextToken": "x"\n}',
        [{"Events": [{"a": 1}]}, {"Events": [{"b": 2}]}, {"NextToken": "x"}],
    ),
    "records that are no list": ('{"Records": {"a": 1}}', [{"Records": {"a": 1}}]),
    "records in the second place": ('{"a": 1, "Records": [2]}', [{"a": 1, "Records": [2]}]),
}  # fmt: skip

BROKEN: dict[str, tuple[str, list[object], list[str]]] = {
    "no JSON": ("PK\x03\x04", [], ["line 1 column 1: Expecting value"]),
    "cut off in a value": (
        '{"Records": [{"a": 1}, {"b": "x',
        [{"a": 1}],
        ["line 1 column 30: ends in the middle of a value"],
    ),
    "cut off in a list": (
        '{"Records": [{"a": 1}, {"b": 2}',
        [{"a": 1}, {"b": 2}],
        ["line 1 column 32: ends in the middle of a list"],
    ),
    "cut off behind a list": (
        '{"Records": [{"a": 1}]',
        [{"a": 1}],
        ["line 1 column 23: ends in the middle of an object"],
    ),
    "a broken line": ('{"a":1}\n{"b": tru}\n{"c":3}\n', [{"a": 1}, {"c": 3}], ["line 2 column 7: Expecting value"]),
    "a line that was cut off": (
        '{"a":1}\n{"b": "x\n{"c":3}\n',
        [{"a": 1}, {"c": 3}],
        ["line 2 column 9: Invalid control character at"],
    ),
    "a broken record of those on lines of their own": (
        '{"Records": [\n  {"a": 1},\n  {"b": ?},\n  {"c": 3}\n]}\n{"d": 4}',
        [{"a": 1}, {"c": 3}, {"d": 4}],
        ["line 3 column 9: Expecting value"],
    ),
    "a comma is missing": ('[{"a": 1} {"b": 2}]', [{"a": 1}], ["line 1 column 11: a comma or a bracket is missing"]),
    "a colon is missing": ('{"Events": [], "x" 1}', [], ["line 1 column 20: a colon is missing"]),
    "something between members": ('{"Events": [] "x": 1}', [], ["line 1 column 15: a comma is missing"]),
    "nested too deep": (
        '{"a":1}\n' + "[" * 20 + '{"a":' * 20_000 + '\n{"b": 2}',
        [{"a": 1}, {"b": 2}],
        ["line 2 column 2: nested too deep"],
    ),
    "a number of 5,000 digits": (
        "[" + "9" * 5_000 + "]",
        [],
        ["line 1 column 2: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits"],
    ),
    "two broken lines": (
        '{"a"\n{"b"\n{"c": 3}',
        [{"c": 3}],
        ["line 2 column 1: Expecting ':' delimiter", "line 3 column 1: Expecting ':' delimiter"],
    ),
}  # fmt: skip


def cut(text: str, length: int) -> Iterator[str]:
    return (text[start : start + length] for start in range(0, len(text), length))


def read(text: str, length: int) -> tuple[list[object], list[str]]:
    broken: list[str] = []
    return list(json_values(cut(text, length), broken.append)), broken


@pytest.mark.parametrize("length", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize("case", VALUES)
def test_values(case: str, length: int) -> None:
    text, values = VALUES[case]
    assert read(text, length) == (values, [])


@pytest.mark.parametrize("length", [3, 64, 100_000])
@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_told_and_costs_no_more_than_it_must(case: str, length: int) -> None:
    text, values, told = BROKEN[case]
    assert read(text, length) == (values, told)


json_value: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.text().filter(lambda name: name not in ("Records", "Events")), json_value)),
    st.integers(1, 40),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_every_value_comes_out_however_it_was_written(
    values: list[dict[str, Any]], length: int, indent: int | None, listed: bool
) -> None:
    if listed:
        text = json.dumps({"Records": values}, indent=indent)
    else:
        text = "\n".join(json.dumps(value, indent=indent, ensure_ascii=False) for value in values)
    assert read(text, length) == (values, [])


@given(st.text(alphabet='{}[]":,\\ \n1aetru', max_size=60), st.integers(1, 9))
def test_no_text_raises_and_none_is_read_without_end(text: str, length: int) -> None:
    values, broken = read(text, length)
    assert values == read(text, 1_000)[0]
    assert len(broken) <= text.count("\n") + 1


def test_one_value_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 1_000)
    for endless, reason in (
        ('"' + "x" * 10_000, "one value is longer than 1,000 characters"),
        (" " * 10_000, "more than 1,000 characters of white space"),
    ):
        pieces = cut('{"a": 1}' + endless, 64)
        broken: list[str] = []
        assert list(json_values(pieces, broken.append)) == [{"a": 1}]
        assert [reason in one for one in broken] == [True]


def test_many_broken_places_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BROKEN", 3)
    values, broken = read('{"a": ?}\n' * 9 + '{"b": 1}', 64)
    assert values == []
    assert broken[3:] == ["3 broken places: the rest was not read"]


def test_a_failure_of_the_source_comes_behind_the_values_before_it() -> None:
    def pieces() -> Iterator[str]:
        yield '{"Records": [{"a": 1},'
        yield '{"b": 2}, {"c'
        raise OSError("gone")

    seen: list[object] = []
    reading = json_values(pieces(), lambda reason: pytest.fail(reason))
    with pytest.raises(OSError, match="gone"):
        seen.extend(reading)
    assert seen == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("space", ["\n", " ", "\n" + " " * 50])
def test_white_space_behind_a_broken_place_costs_neither_memory_nor_time(
    space: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", 1000)
    held = 0
    more = module._Window._more

    def noting(window: module._Window) -> bool:
        nonlocal held
        held = max(held, len(window.text))
        return more(window)

    monkeypatch.setattr(module._Window, "_more", noting)
    pieces = ["broken", *[space * (2000 // len(space))] * 500, '\n{"a": 1}']
    assert list(json_values(iter(pieces), list[str]().append)) == [{"a": 1}]
    assert held < 20_000
